"""Nests, random coefficients and classes in the report: on the page, in the tables and in summary.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from scipy import special

from choicekit import run_scenario, write_report
from choicekit.choice.expressions import parse_expression
from choicekit.choice.heterogeneity import LatentClass, Lognormal, Normal, Uniform
from choicekit.report.kinds.choice.rules import NEST_KEYS, regulariser_formula, rule_words
from choicekit.report.kinds.choice.summary import SUMMARY_KEYS
from choicekit.report.kinds.choice.types import TYPE_KEYS
from choicekit.rules import Entmax, Hardmax, RegularisedRule, Softmax, Sparsemax
from choicekit.rules.cross_nested_logit import CrossNestedLogit
from choicekit.rules.nested_logit import NestedLogit
from choicekit.rules.nests import Nest
from tests.report.studies import mode_choice, parse, report_of, result_of
from tests.report.test_summary import is_documented, paths
from tests.tolerances import ALGEBRA

NESTS = {"public": Nest(["bus"], 0.8, {"rail": Nest(["train"], 0.5)}), "own": Nest(["car"]), "sky": Nest(["air"])}
RANDOM = {
    "b_cost": Lognormal(-4.2, 0.4, negative=True),
    "b_wait": Normal(-0.0961, 0.06),
    "b_income": Uniform(0.0, 0.02),
}
CLASSES = {
    "careful": LatentClass(membership="0.02 * income"),
    "hasty": LatentClass(membership="0", rule=Sparsemax(2.0)),
    "thrifty": LatentClass(membership="0.1", coefficients={"b_cost": -0.03}),
}


def plain(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split())


def page(tmp_path: Path, **model: Any) -> tuple[BeautifulSoup, dict[str, Any]]:
    """Write the report of a study, and return its page and its summary."""
    write_report(result_of(mode_choice(replications=20, **model)), tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    return BeautifulSoup((tmp_path / "run" / "report.html").read_text(), "html.parser"), summary


def cells(found: BeautifulSoup, table: str) -> list[list[str]]:
    return [[plain(cell.get_text(" ")) for cell in row.select("th, td")] for row in found.select(f"#table-{table} tr")]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Softmax(0.5), "softmax with T = 0.5"),
        (Hardmax(), "hardmax"),
        (Entmax(1.25, 2.0), "entmax with alpha = 1.25 and T = 2"),
        (NestedLogit(NESTS), "nested logit with T = 1"),
    ],
)
def test_any_rule_is_told_with_its_settings(rule: RegularisedRule, words: str) -> None:
    assert plain(rule_words(rule)) == words


@pytest.mark.parametrize("rule", [Softmax(2.0), Sparsemax(0.5), Entmax(1.0), Entmax(1.5), Entmax(3.0, 2.0)], ids=str)
def test_the_regulariser_that_is_shown_is_that_of_the_rule(rule: RegularisedRule) -> None:
    q = np.random.default_rng(1).dirichlet(np.ones(5), size=50)
    term = parse_expression(str(rule.regulariser))  # type: ignore[attr-defined]
    given = {name: getattr(rule, name) for name in term.names - {"q"}}
    temperature = rule.temperature  # type: ignore[attr-defined]
    np.testing.assert_allclose(
        temperature * term.evaluate({"q": q, **given}).sum(axis=-1), rule.conjugate(q), rtol=ALGEBRA
    )
    formula = regulariser_formula(rule)
    assert formula is not None
    assert str(formula.formulas[0].mathml).startswith("<math")
    assert regulariser_formula(Hardmax()) is None


def test_nests_are_a_tree_with_temperatures(tmp_path: Path) -> None:
    found, summary = page(tmp_path, rule=NestedLogit(NESTS, temperature=2.0))
    assert cells(found, "nests")[1:] == [
        ["public", "bus", "0.8", "1.6"],
        ["rail", "train", "0.5", "0.8"],
        ["own", "car", "1", "2"],
        ["sky", "air", "1", "2"],
    ]
    assert summary["rule"]["nests"]["public > rail"] == {"members": "train", "dissimilarity": 0.5, "temperature": 0.8}
    assert summary["rule"]["settings"] == {"temperature": 2.0}
    table = pd.read_csv(tmp_path / "run" / "tables" / "nests.csv")
    assert table["nest"].tolist() == ["public", "public > rail", "own", "sky"]
    assert [path for path in paths(summary) if not is_documented(path)] == []
    for key in NEST_KEYS:
        assert any(path[0] == "rule" and path[-1] == key.split(".")[-1] for path in paths(summary)), key


def test_parts_of_alternatives_are_told(tmp_path: Path) -> None:
    rule = CrossNestedLogit(
        {"land": Nest({"train": 0.5, "bus": 1.0, "car": 1.0}, 0.5), "far": Nest({"train": 0.5, "air": 1})}
    )
    found, _ = page(tmp_path, rule=rule)
    assert cells(found, "nests")[1][1] == "train (50 %), bus (100 %), car (100 %)"


def test_random_coefficients_are_told_in_numbers_and_drawn(tmp_path: Path) -> None:
    outcome = mode_choice(replications=20, random_coefficients=RANDOM)
    report = report_of(outcome)
    assert "random-coefficients" in report.figures
    assert all(name in "".join(parse(report.figures["random-coefficients"]).itertext()) for name in RANDOM)
    found, summary = page(tmp_path, random_coefficients=RANDOM)
    rows = {row[0]: row for row in cells(found, "random-coefficients")[1:]}
    above = special.ndtr(-0.0961 / 0.06)
    assert summary["random_coefficients"]["b_wait"]["above_zero"] == pytest.approx(above, abs=1e-12)
    assert rows["b_wait"][1:4] == ["normal mean = −0.0961, sd = 0.06", "−0.0961", "0.06"]
    assert rows["b_wait"][5] == f"{100 * above:.1f} %"
    assert (rows["b_cost"][1], rows["b_cost"][5]) == ("lognormal log mean = −4.2, log sd = 0.4, negative", "0.0 %")
    assert rows["b_income"][4:] == ["0.001 to 0.019", "100.0 %"]
    assert f"b_wait is above 0 for {100 * above:.1f} % of agents, unlike its mean" in plain(found.get_text())
    assert summary["integration"] == {"points": 64, "shifts": 8}
    error = outcome.integration_error_by_group()[0]
    assert [share["integration_error"] for share in summary["shares"].values()] == pytest.approx(error)
    assert 0 < max(error) < 1e-3
    assert "integration error, points" in cells(found, "shares")[0]
    assert "quasi-random points in each of 8 independent shifts" in plain(found.get_text())
    tables = tmp_path / "run" / "tables"
    assert pd.read_csv(tables / "random_coefficients.csv")["coefficient"].tolist() == list(RANDOM)
    np.testing.assert_allclose(pd.read_csv(tables / "shares.csv")["integration_error"], error)
    assert [path for path in paths(summary) if not is_documented(path)] == []


def test_classes_are_told_with_shares_rules_and_coefficients(tmp_path: Path) -> None:
    outcome = mode_choice(replications=20, classes=CLASSES)
    found, summary = page(tmp_path, classes=CLASSES)
    income = outcome.study.population.columns["income"]
    weights = np.exp(np.column_stack([0.02 * income, 0 * income, 0.1 + 0 * income]))
    shares = (weights / weights.sum(axis=1, keepdims=True)).mean(axis=0)
    assert [kind["share"] for kind in summary["classes"].values()] == pytest.approx(shares)
    assert summary["classes"]["thrifty"] == {
        "share": pytest.approx(shares[2]), "rule": "softmax", "coefficients": {"b_cost": -0.03}
    }  # fmt: skip
    rows = cells(found, "classes")[1:]
    assert [row[0] for row in rows] == list(CLASSES)
    assert rows[1][2:] == ["0", "sparsemax with T = 2", "none"]
    assert rows[2][4] == "b_cost = −0.03"
    text = plain(found.get_text())
    assert "by softmax with T = 1 or sparsemax with T = 2" in text
    assert "integration error" not in text  # a mean over classes is exact
    assert pd.read_csv(tmp_path / "run" / "tables" / "classes.csv")["rule"].tolist() == [
        "softmax",
        "sparsemax",
        "softmax",
    ]
    assert [path for path in paths(summary) if not is_documented(path)] == []


def test_where_all_are_alike_nothing_is_said_of_it(tmp_path: Path) -> None:
    found, summary = page(tmp_path)
    assert not found.select("#table-random-coefficients, #table-classes, #table-nests, #table-correlations")
    documented = [key for key in SUMMARY_KEYS if key in TYPE_KEYS | NEST_KEYS]
    assert len(documented) == len(TYPE_KEYS | NEST_KEYS)
    assert {"random_coefficients", "classes", "integration"}.isdisjoint(summary)
    assert not any("integration_error" in path for path in paths(summary))


POLICIES = """
choicekit: 1
kind: choice
name: mixed
seed: 1
agents: {agent: id, rows: [{id: 1, fare: 1.0}, {id: 2, fare: 2.0}, {id: 3, fare: 3.0}]}
coefficients: {b: {distribution: lognormal, log_mean: 0, log_sd: 0.5, negative: true}}
random_coefficients: {points: 16}
utility: {bus: b * fare, car: 2 * b}
simulation: {replications: 200}
policies: {half: {change: {bus: {fare: fare / 2}}}}
welfare: {money: b, unit: $}
uncertainty: {bootstrap: 0}
"""


def test_what_policies_change_has_an_integration_error(tmp_path: Path) -> None:
    result = run_scenario(POLICIES)
    found = BeautifulSoup(write_report(result, tmp_path / "run").read_text(), "html.parser")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    error = result.comparison.policies["half"].share_change_integration_error[0]
    shares = summary["policies"]["half"]["shares"]
    assert [share["integration_error"] for share in shares.values()] == pytest.approx(error)
    text = plain(found.get_text())
    assert "Changes of expected shares are means over random coefficients" in text
    assert "exact" not in text.replace("exactly", "")
    assert "Agents differ in what nobody sees" in text
    assert "integrated standard error" in cells(found, "uncertainty")[2][3]
