"""The stories of full trains and of schools tell what their comments say, with the answers that are known."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from ruamel.yaml import YAML
from typer.testing import CliRunner

from choicekit import StudyResult, load_scenario, run_scenario, solve_assignment, write_report
from choicekit.assignment import AtMost, Fixed
from choicekit.cli import app
from choicekit.rules import Softmax

FOLDER = Path(__file__).parents[2] / "scenarios"
TRAINS = ["t0700", "t0730", "t0800", "t0830", "t0900"]


@pytest.fixture(scope="module")
def trains() -> StudyResult:
    """Full trains in the morning."""
    return run_scenario(FOLDER / "transit_crowding.yaml", workers=2)


@pytest.fixture(scope="module")
def school_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schools with four draws instead of twenty."""
    text = (FOLDER / "school_choice.yaml").read_text(encoding="utf-8")
    assert "draws: 20" in text
    target = tmp_path_factory.mktemp("schools") / "schools.yaml"
    text = text.replace("draws: 20", "draws: 4").replace("table: data/", f"table: {FOLDER.as_posix()}/data/")
    target.write_text(text, encoding="utf-8")
    return target


@pytest.fixture(scope="module")
def schools(school_file: Path) -> StudyResult:
    """Four draws of it."""
    return run_scenario(school_file, workers=2)


def test_prices_of_trains_are_those_of_the_assignment_with_capacities(trains: StudyResult) -> None:
    people = pd.read_csv(FOLDER / "data" / "commuters.csv")
    times = [420, 450, 480, 510, 540]
    columns = [
        -0.25 * people["fare"] - 0.03 * np.maximum(people["wanted"] - t, 0) - 0.06 * np.maximum(t - people["wanted"], 0)
        for t in times
    ]
    columns += [np.where(people["car"] == 1, -2.2 - 0.25 * 6, -np.inf), np.full(len(people), -4.0)]
    utility = np.column_stack(columns)
    found = trains.capacity.cases["baseline"].prices
    room = np.where(np.isfinite(found.capacity), found.capacity, len(people))
    result = solve_assignment(utility, Fixed(np.ones(len(people))), AtMost(room), temperature=1.0)
    np.testing.assert_allclose(found.price, -result.column_potential, rtol=0, atol=1e-6)
    demand = Softmax(temperature=1.0).probabilities(utility - found.price).sum(axis=0)
    np.testing.assert_allclose(demand, found.demand, rtol=1e-9)


def test_who_holds_a_season_ticket_is_never_left_behind(trains: StudyResult) -> None:
    case = trains.capacity.cases["baseline"]
    groups = case.rationed.by_group().set_index("group")["displaced_share"]
    assert groups["season ticket"] == 0
    assert groups["no season ticket"] > 0.2
    burden = case.incidence.to_frame().set_index("group")["mean_loss"]
    assert burden["season ticket"] > burden["no season ticket"]  # prices do not ask for tickets


def test_longer_trains_help_only_where_not_everybody_fits_in(trains: StudyResult, tmp_path: Path) -> None:
    page = write_report(trains, tmp_path / "run")
    told = json.loads((tmp_path / "run" / "summary.json").read_text())["capacity"]["longer-trains"]["worth"]
    assert told["unlimited"] == 0
    assert told["priced"] > told["rationed"] > 0.2
    assert told["rationed"] > 20 * told["rationed_error"]
    text = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text(" ")
    assert "Longer trains helps most under rationing" in text


def test_a_free_early_train_is_worth_nothing_where_it_is_priced_full_again(trains: StudyResult) -> None:
    cases = trains.capacity.cases
    before, after = (cases[name].prices for name in ("baseline", "cheap-early"))
    assert after.price[0] - before.price[0] == pytest.approx(0.25 * 3, abs=1e-6)  # the fare, in utility
    assert after.inclusive_value == pytest.approx(before.inclusive_value, abs=1e-6)


def test_mechanisms_stand_as_theory_has_them(schools: StudyResult) -> None:
    compared = schools.outcome.comparison
    frame = compared.to_frame()
    means = frame[frame["market"] == "baseline"].pivot_table(index="mechanism", columns="measure", values="mean")
    assert means.loc["deferred_acceptance", "blocking_pairs"] == 0
    assert means.loc["deferred_acceptance_by_columns", "blocking_pairs"] == 0
    assert means.loc["serial_dictatorship", "blocking_pairs"] > 100
    assert means["first_choice"].idxmax() == "immediate_acceptance"
    assert means["welfare"].idxmax() == "optimal"
    assert means.loc["deferred_acceptance", "row_welfare"] >= means.loc["deferred_acceptance_by_columns", "row_welfare"]
    assert (means["unassigned"] == 0).all()


def test_a_new_school_and_more_seats_help_under_every_mechanism(schools: StudyResult) -> None:
    compared = schools.outcome.comparison
    frame = compared.to_frame()
    welfare = frame[frame["measure"] == "row_welfare"].pivot_table(index="mechanism", columns="market", values="mean")
    assert (welfare["new-school"] > welfare["baseline"]).all()
    assert (welfare["more-seats"] > welfare["baseline"]).all()


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("b_distance *", "b_distanse *", 2, "unknown name 'b_distanse', did you mean 'b_distance'"),
        ("capacity: seats", "capacity: quality", 4, "quality"),
        ("capacity: {School 03: 103", "capacity: {School 03: 103.5", 2, "103.5"),
        ("capacity: {School 03: 103", "capacity: {School 03: -1", 2, "-1"),
    ],
)
def test_faults_are_told_with_a_way_out(
    school_file: Path, tmp_path: Path, old: str, new: str, code: int, says: str
) -> None:
    text = school_file.read_text(encoding="utf-8")
    assert old in text
    broken = tmp_path / "broken.yaml"
    broken.write_text(text.replace(old, new), encoding="utf-8")
    found = CliRunner().invoke(app, ["check", str(broken)])
    assert found.exit_code == code
    assert says in " ".join(found.output.split())
    assert "Traceback" not in found.output


@pytest.mark.parametrize(
    ("script", "names"),
    [("make_commuters.py", ["commuters.csv"]), ("make_schools.py", ["neighbourhoods.csv", "schools.csv"])],
)
def test_data_are_those_of_their_script(script: str, names: list[str], tmp_path: Path) -> None:
    main = runpy.run_path(str(FOLDER / "data" / script))["main"]
    main(tmp_path / names[0] if len(names) == 1 else tmp_path)
    for name in names:
        assert (tmp_path / name).read_text() == (FOLDER / "data" / name).read_text()


def test_policies_of_the_schools_add_as_many_seats(school_file: Path) -> None:
    given = YAML(typ="safe").load(school_file.read_text(encoding="utf-8"))
    seats = pd.read_csv(FOLDER / "data" / "schools.csv").set_index("school")["seats"]
    more = given["policies"]["more-seats"]["capacity"]
    assert sum(more.values()) - sum(seats[name] for name in more) == 120
    assert load_scenario(school_file).name == "school-choice"
