"""`capacity:` in choice scenarios: prices and rationing by policy, and what is refused where."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from choicekit import ScenarioError, load_scenario, run_scenario, write_report
from choicekit.report.kinds.choice.crowding import CROWDING_KEYS

PEOPLE = "id,income,ticket\n" + "".join(f"{place},{10 + place % 7},{place % 2}\n" for place in range(60))
GOOD = """\
choicekit: 1
kind: choice
name: crowded
seed: 1
agents: {table: people.csv, agent: id}
coefficients: {b_cost: -0.5}
utility: {walk: 0, bus: 1 + b_cost, train: 1.2 + 0.02 * income + b_cost}
segments: {ticket: {column: ticket}}
simulation: {replications: 20}
welfare: {money: b_cost}
policies: {longer: {}, cheap: {coefficients: {b_cost: -0.4}}}
capacity: {limits: {train: 12, bus: 30}, priority: ticket, policies: {longer: {train: 20}}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text(PEOPLE)
    return tmp_path / "file.yaml"


def problems(file: Path, old: str, new: str) -> str:
    assert old in GOOD
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    return str(caught.value)


def test_every_case_is_priced_and_rationed(file: Path) -> None:
    file.write_text(GOOD)
    result = run_scenario(file)
    assert result.passed
    assert [*result.capacity.cases] == ["baseline", "longer", "cheap"]
    prices = {name: case.prices.price[2] for name, case in result.capacity.cases.items()}
    assert 0 < prices["longer"] < prices["baseline"] < prices["cheap"]
    assert result.capacity.cases["longer"].rationed.taken[:, 2].max() == 20
    assert result.capacity.plan.money == 2.0
    assert not any("changes nothing" in warning for warning in result.warnings)
    by_group = result.capacity.cases["baseline"].rationed.by_group().set_index("group")["displaced_share"]
    assert by_group.loc["0"] > by_group.loc["1"]


def test_the_report_says_it(file: Path, tmp_path: Path) -> None:
    file.write_text(GOOD)
    result = run_scenario(file)
    write_report(result, tmp_path / "out")
    page = BeautifulSoup((tmp_path / "out" / "report.html").read_text(), "html.parser").get_text(" ")
    assert "Who fits in" in page
    assert "Rationing by ticket, then lottery keeps" in page
    told = json.loads((tmp_path / "out" / "summary.json").read_text())["capacity"]
    train = told["baseline"]["prices"]["train"]
    assert train["demand"] == pytest.approx(12, rel=1e-8)
    assert train["price_in_money"] == pytest.approx(2 * train["price"])
    assert told["baseline"]["prices"]["walk"]["capacity"] is None
    assert told["longer"]["rationed_displaced_share"] < told["baseline"]["rationed_displaced_share"]
    keys = {key.split(".", 2)[2] for key in CROWDING_KEYS}
    assert keys == {
        *(key for key in told["cheap"] if key not in ("prices", "worth")),
        *(f"worth.{key}" for key in told["cheap"]["worth"]),
        *(f"prices.<alternative>.{key}" for key in train),
    }
    assert (tmp_path / "out" / "tables" / "capacity_groups.csv").exists()
    assert (tmp_path / "out" / "figures" / "capacity-prices.svg").exists()


def test_the_report_leads_with_who_fits_in(file: Path, tmp_path: Path) -> None:
    file.write_text(GOOD)
    result = run_scenario(file)
    write_report(result, tmp_path / "out")
    page = BeautifulSoup((tmp_path / "out" / "report.html").read_text(), "html.parser")
    prices = result.capacity.cases["baseline"].prices
    rationed = result.capacity.cases["baseline"].rationed
    assert prices.price.argmax() == 2
    title = page.find("h1").get_text().replace("\u202f", " ").replace("\xa0", " ")
    assert f"train would have to cost {2 * prices.price[2]:.2f}" in title
    assert f"{100 * rationed.displaced_share:.1f} % of agents miss their first choice" in title
    headings = [heading.get_text().strip() for heading in page.find_all("h2")]
    assert headings[:2] == ["Who fits in", "Policies, if everybody fitted in"]
    steps = pd.read_csv(tmp_path / "out" / "tables" / "capacity_convergence.csv")
    assert steps[steps["case"] == "baseline"]["largest_error"].to_list() == pytest.approx([*prices.history])
    assert (tmp_path / "out" / "figures" / "capacity-convergence.svg").exists()


def test_policies_are_compared_under_both_regimes_on_common_draws(file: Path, tmp_path: Path) -> None:
    file.write_text(GOOD)
    result = run_scenario(file)
    write_report(result, tmp_path / "out")
    told = pd.read_csv(tmp_path / "out" / "tables" / "capacity_policies.csv").set_index("policy")
    before, cheap = (result.capacity.cases[name] for name in ("baseline", "cheap"))
    assert told.loc["longer", "worth_unlimited"] == 0
    assert 0 < told.loc["longer", "worth_refunded"] < told.loc["longer", "worth_priced"]
    gain = cheap.prices.inclusive_value - before.prices.inclusive_value
    assert told.loc["cheap", "worth_priced"] == pytest.approx(gain, rel=1e-9)
    losses = cheap.rationed.loss[:, 0] / 60 - before.rationed.loss[:, 0] / 60
    free = cheap.prices.unpriced_inclusive_value - before.prices.unpriced_inclusive_value
    assert told.loc["cheap", "worth_rationed"] == pytest.approx(free - losses.mean(), rel=1e-9)
    assert told.loc["cheap", "worth_rationed_error"] == pytest.approx(losses.std(ddof=1) / np.sqrt(20), rel=1e-9)


def test_room_for_all_is_what_the_report_says(file: Path, tmp_path: Path) -> None:
    file.write_text(GOOD.replace("train: 12, bus: 30", "train: 60, bus: 60").replace("{train: 20}", "{train: 60}"))
    write_report(run_scenario(file), tmp_path / "out")
    page = BeautifulSoup((tmp_path / "out" / "report.html").read_text(), "html.parser")
    assert page.find("h1").get_text() == "Everybody fits in: no alternative is full"


@pytest.mark.parametrize("regime", ["prices", "rationing"])
def test_one_regime_alone(file: Path, tmp_path: Path, regime: str) -> None:
    file.write_text(GOOD.replace("capacity: {", f"capacity: {{regimes: [{regime}], "))
    result = run_scenario(file)
    case = result.capacity.cases["baseline"]
    assert (case.prices is None) == (regime == "rationing")
    assert (case.rationed is None) == (regime == "prices")
    write_report(result, tmp_path / "out")


def test_room_for_all_changes_nothing(file: Path) -> None:
    file.write_text(GOOD.replace("train: 12, bus: 30", "train: 60, bus: 60").replace("{train: 20}", "{train: 60}"))
    case = run_scenario(file).capacity.cases["baseline"]
    assert (case.prices.price == 0).all()
    assert np.array_equal(case.prices.demand, case.prices.unpriced_demand)
    assert case.rationed.displaced_share == case.rationed.mean_loss == 0


def test_a_fault_of_limits_that_policies_share_is_told_once(file: Path) -> None:
    assert problems(file, "train: 12", "tram: 12").count("unknown alternative 'tram'") == 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("train: 12", "tram: 12", "12:21 unknown alternative 'tram', did you mean 'train'"),
        ("train: 12", "train: -12", "12:28 must be at least 0, found -12"),
        ("train: 12", "train: 0", "no price is high enough for a capacity of 0"),
        ("priority: ticket", "priority: tickets", "12:52 unknown column 'tickets', did you mean 'ticket'"),
        ("longer: {train: 20}", "largest: {train: 20}", "unknown policy 'largest'"),
        ("limits: {train: 12, bus: 30}", "limits: {train: 12, bus: 30, walk: 10}", "is 52 in all, but 60 can choose"),
        ("longer: {}, ", "longer: {filter: income > 12}, ", "use where(...) in `change`"),
        ("simulation: {replications: 20}", "rule: {type: sparsemax}", "rationing lets agents choose again"),
        ("simulation: {replications: 20}", "rule: {type: hardmax}", "prices need a rule with a positive temperature"),
    ],
)
def test_faults_are_told_with_their_place(file: Path, old: str, new: str, says: str) -> None:
    assert says in problems(file, old, new)
