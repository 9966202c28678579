"""`kind: assignment`: from YAML to the same study that Python makes, and what is checked of its outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from bs4 import BeautifulSoup
from typer.testing import CliRunner

from choicekit import load_scenario, run_scenario
from choicekit.assignment import (
    AssignmentProblem,
    AtMost,
    Fixed,
    Free,
    Relaxed,
    WithOutsideOption,
    solve_assignment,
    solve_problem,
)
from choicekit.assignment.study import AssignmentOutcome, AssignmentStudy
from choicekit.cli import app
from choicekit.report.kinds import build_report
from choicekit.report.numbers import significant
from choicekit.report.page import render_page
from choicekit.rules import Softmax, Sparsemax
from choicekit.scenario.assignment.sides import CONDITIONS
from choicekit.scenario.catalogue import catalogue
from choicekit.scenario.kinds import kinds
from choicekit.scenario.schema import scenario_schema
from choicekit.scenario.source import parse_document
from tests.tolerances import ALGEBRA

HEAD = "choicekit: 1\nkind: assignment\nname: tea\nseed: 1\n"
ROWS = "rows: {mass: {ann: 1, bo: 2}}\n"
COLUMNS = "columns: {condition: at_most, mass: {tart: 2, bun: 2}}\n"
REST = "utility: 0\ntemperature: 1\n"
BASE = HEAD + ROWS + COLUMNS + REST
SCENARIOS = Path(__file__).parents[3] / "scenarios"


def study_of(text: str, folder: Path | None = None, **settings: Any) -> AssignmentStudy:
    study: AssignmentStudy = load_scenario(text, data_dir=folder, **settings).prepared.study
    return study


def problem_of(text: str, folder: Path | None = None, **settings: Any) -> AssignmentProblem:
    return study_of(text, folder, **settings).problem


# --- sides ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "kind", "mass"),
    [
        ("{mass: {ann: 1, bo: 2}}", Fixed, [1, 2]),
        ("{condition: at_most, mass: {ann: 1, bo: 2}}", AtMost, [1, 2]),
        ("{condition: relaxed, strength: 2, mass: {ann: 1, bo: 0}}", Relaxed, [1, 0]),
        ("{condition: with_outside_option, mass: 1.5, names: [ann, bo]}", WithOutsideOption, [1.5, 1.5]),
        ("{condition: free, names: [ann, bo]}", Free, None),
        ("{names: [ann, bo], mass: {bo: 2, ann: 1}}", Fixed, [1, 2]),
    ],
)
def test_every_condition_can_be_written(rows: str, kind: type, mass: list[float] | None) -> None:
    found = problem_of(f"{HEAD}rows: {rows}\n{COLUMNS}{REST}")
    assert isinstance(found.rows, kind)
    assert found.row_names == ("ann", "bo")
    if mass is None:
        assert found.rows.mass is None
    else:
        np.testing.assert_array_equal(found.rows.mass, mass)
    if isinstance(found.rows, Relaxed):
        assert found.rows.strength == 2


def test_a_condition_can_be_changed_on_the_command_line() -> None:
    changed = {"rows.condition": "relaxed", "rows.strength": 3, "rows.mass.ann": 0.5}
    found = problem_of(BASE, overrides=changed).rows
    assert isinstance(found, Relaxed)
    assert (found.strength, list(found.mass)) == (3, [0.5, 2])
    free = load_scenario(BASE, overrides=["rows.condition=free"])
    assert [warning.partition(" ")[2] for warning in free.warnings] == [
        "free rows have no masses: only their names are used, give them as `names`"
    ]
    assert isinstance(free.prepared.study.problem.rows, Free)
    idle = load_scenario(BASE, overrides=["rows.strength=3"])
    assert idle.warnings == ("--set rows.strength=3 strength is for relaxed rows, and these are fixed: it is not used",)


@pytest.mark.parametrize(
    ("rows", "warning"),
    [
        ("{condition: free, mass: {ann: 1, bo: 2}}", ": only their names are used, give them as `names`"),
        ("{condition: free, mass: {ann: 1}, names: [ann, bo]}", ": it is not used"),
        ("{condition: free, mass: 2.5, names: [ann, bo]}", ": it is not used"),
    ],
)
def test_masses_of_a_free_side_are_warned_of_at_their_line(rows: str, warning: str) -> None:
    found = load_scenario(f"{HEAD}rows: {rows}\n{COLUMNS}{REST}")
    assert found.prepared.study.problem.row_names == ("ann", "bo")
    assert found.warnings == (f"<scenario>:5:{rows.index('mass') + 7} free rows have no masses{warning}",)


@pytest.mark.parametrize(("mass", "expected"), [("m", [1, 2]), ("3", [3, 3]), ("{'007': 4, '8': 5}", [4, 5])])
def test_a_side_from_a_table(tmp_path: Path, mass: str, expected: list[float]) -> None:
    (tmp_path / "people.csv").write_text("who;m;age;town\n007;1;20;rye\n8;2;30;ely\n")
    rows = f"{{table: people.csv, name: who, mass: {mass}, attributes: {{tall: {{'007': 1, '8': 0}}}}}}"
    utility = "row_age + 100 * (row_town == 'ely') + 1000 * row_tall + (column_name == 'bun')"
    scenario = load_scenario(
        f"{HEAD}rows: {rows}\ncolumns: {{condition: free, names: [tart, bun]}}\nutility: {utility}\ntemperature: 1\n",
        data_dir=tmp_path,
    )
    problem = scenario.prepared.study.problem
    assert problem.row_names == ("007", "8")
    np.testing.assert_array_equal(problem.rows.mass, expected)
    np.testing.assert_array_equal(problem.utility, [[1020, 1021], [130, 131]])
    assert [(entry.entry, entry.rows) for entry in scenario.prepared.inputs] == [(("rows", "table"), 2)]


# --- utilities ------------------------------------------------------------------------------------------------------

VALUES = [[1.0, -np.inf], [2.5, 0.0]]


@pytest.mark.parametrize(
    "utility",
    [
        "{values: [[1, -.inf], [2.5, 0]]}",
        "{values: {bo: {tart: 2.5, bun: 0}, ann: [1, -.inf]}}",
        "{values: {ann: {tart: 1}, bo: [2.5, 0]}, missing: forbidden}",
        "{table: long.csv, row: r, column: c, value: v}",
        "{table: some.csv, row: r, column: c, value: v, missing: forbidden}",
        "{table: wide.csv}",
        "{table: tabbed.csv, row: who, separator: ';', missing: forbidden}",
        "own",
    ],
)
def test_utilities_can_be_written_in_every_form(tmp_path: Path, utility: str) -> None:
    tables = {
        "long.csv": "r,c,v\nbo,bun,0\nann,tart,1\nbo,tart,2.5\nann,bun,-inf\n",
        "some.csv": "r,c,v,w\nbo,bun,0,x\nann,tart,1,y\nbo,tart,2.5,\nann,bun,,\n",
        "wide.csv": "name,bun,tart\nbo,0,2.5\nann,-inf,1\n",
        "tabbed.csv": "bun;tart;who;more\n0;2.5;bo;x\n;1;ann;y\n",
    }
    for name, text in tables.items():
        (tmp_path / name).write_text(text)
    text = BASE.replace("utility: 0", f"utility: {utility}")
    if utility == "own":
        text += "forbidden: [[ann, bun]]\npairs: {own: {values: [[1, 9], [2.5, 0]]}}\n"
    np.testing.assert_array_equal(problem_of(text, tmp_path).utility, VALUES)


def test_a_formula_uses_attributes_pairs_and_coefficients(tmp_path: Path) -> None:
    (tmp_path / "far.csv").write_text("who,tart,bun\nann,1,2\nbo,3,4\n")
    text = (
        f"{HEAD}rows: {{mass: 1, names: [ann, bo], attributes: {{x: {{ann: 0, bo: 2}}}}}}\n"
        "columns: {condition: at_most, mass: {tart: 2, bun: 2}, attributes: {x: {tart: 1, bun: 5}}}\n"
        "coefficients: {b: -2}\npairs: {far: {table: far.csv}}\nutility: b * abs(row_x - column_x) + far\n"
        "temperature: 1\n"
    )
    scenario = load_scenario(text, data_dir=tmp_path)
    np.testing.assert_array_equal(scenario.prepared.study.problem.utility, [[-1, -8], [1, -2]])
    assert scenario.warnings == ()
    assert [entry.entry for entry in scenario.prepared.inputs] == [("pairs", "far", "table")]
    changed = problem_of(text, tmp_path, overrides=["coefficients.b=0"])
    np.testing.assert_array_equal(changed.utility, [[1, 2], [3, 4]])
    spare = load_scenario(text, data_dir=tmp_path, overrides=["utility=far"])
    assert spare.warnings == ("<scenario>:7:16 coefficient 'b' is used by no formula",)


# --- settings -------------------------------------------------------------------------------------------------------


def test_everything_can_be_set() -> None:
    extra = (
        "rule: {type: softmax}\nreference: counting\nscale_masses: true\n"
        "solver: {tolerance: 0.001, max_iterations: 7}\ntemperatures: [2, 0]\n"
        "cross_check: {library: pot, threshold: 0.01}\n"
        "fit: {draws: 9, basis: {ann: row_name == 'ann' and column_name == 'tart', "
        "bo: row_name == 'bo' and column_name == 'bun'}, penalty: 0.5, true_coefficients: {bo: 2, ann: 1}}\n"
    )
    study = study_of(BASE.replace("temperature: 1", "temperature: 0.25") + extra, seed=77)
    problem, fit = study.problem, study.fit
    assert isinstance(problem.rule, Softmax)
    assert isinstance(problem_of(BASE + "rule: {type: sparsemax}\n").rule, Sparsemax)
    assert (problem.temperature, problem.reference, problem.scale_masses) == (0.25, "counting", True)
    assert (study.tolerance, study.max_iterations) == (0.001, 7)
    assert (study.temperatures, study.cross_check, study.cross_check_threshold) == ((2.0, 0.0), "pot", 0.01)
    assert fit is not None
    assert (fit.names, fit.draws, fit.penalty, fit.seed) == (("ann", "bo"), 9, 0.5, 77)
    np.testing.assert_array_equal(fit.basis, [[[1, 0], [0, 0]], [[0, 0], [0, 1]]])
    np.testing.assert_array_equal(fit.true_coefficients, [1, 2])


def test_two_free_sides_have_the_total_that_is_given() -> None:
    sides = "rows: {condition: free, names: [ann]}\ncolumns: {condition: free, names: [tart]}\n"
    assert problem_of(HEAD + sides + REST).total_mass == 1
    assert problem_of(HEAD + sides + REST + "total_mass: 3\n").total_mass == 3


def test_two_fixed_sides_can_be_scaled() -> None:
    text = f"{HEAD}{ROWS}columns: {{mass: {{tart: 1, bun: 1}}}}\n{REST}scale_masses: true\n"
    np.testing.assert_array_equal(problem_of(text).columns.mass, [1.5, 1.5])


def test_the_size_is_said() -> None:
    scenario = load_scenario(BASE + "temperatures: [1]\npolicies: {a: {temperature: 2}, b: {}}\n")
    assert scenario.kind.size(scenario.prepared.study) == "2 rows and 2 columns, 2 policies, 1 temperature"


# --- policies -------------------------------------------------------------------------------------------------------

PLACED = (
    f"{HEAD}rows: {{mass: {{ann: 1, bo: 2}}, attributes: {{x: {{ann: 0, bo: 2}}, town: {{ann: rye, bo: ely}}}}}}\n"
    "columns: {condition: at_most, mass: {tart: 3, bun: 3}, attributes: {y: {tart: 1, bun: 5}}}\n"
    "pairs: {far: {values: [[1, 2], [3, 4]]}}\nutility: 10 * row_x + column_y + 100 * far\n"
    "forbidden: [[ann, bun]]\ntemperature: 1\n"
)


@pytest.mark.parametrize(
    ("policy", "utility"),
    [
        ("{new_rows: {cy: {mass: 1, like: ann}}}", [[101, -np.inf], [321, 425], [101, -np.inf]]),
        ("{new_rows: {cy: {mass: 1, utility: 7}}}", [[101, -np.inf], [321, 425], [7, 7]]),
        ("{new_rows: {cy: {mass: 1, utility: {bun: 8, tart: 7}}}}", [[101, -np.inf], [321, 425], [7, 8]]),
        ("{new_rows: {cy: {mass: 1, like: bo, attributes: {x: 3}}}}", [[101, -np.inf], [321, 425], [331, 435]]),
        ("{new_rows: {cy: {mass: 1, like: ann, attributes: {x: 3}}}}", [[101, -np.inf], [321, 425], [131, -np.inf]]),
        ("{new_columns: {pie: {mass: 1, like: bun}}}", [[101, -np.inf, -np.inf], [321, 425, 425]]),
        ("{new_columns: {pie: {mass: 1, like: tart, attributes: {y: 2}}}}", [[101, -np.inf, 102], [321, 425, 322]]),
        (
            "{new_rows: {cy: {mass: 1, like: bo, attributes: {x: 3}}}, new_columns: {pie: {mass: 1, like: tart}}}",
            [[101, -np.inf, 101], [321, 425, 321], [331, 435, 331]],
        ),
        (
            "{new_rows: {cy: {mass: 1, utility: 7}}, new_columns: {pie: {mass: 1, utility: {ann: 1, bo: 2, cy: 3}}}}",
            [[101, -np.inf, 1], [321, 425, 2], [7, 7, 3]],
        ),
        ("{utility_shifts: [{amount: 1}, {amount: -5, row: bo, column: tart}]}", [[102, -np.inf], [317, 426]]),
        ("{utility_shifts: [{amount: -.inf, row: bo, column: tart}]}", [[101, -np.inf], [-np.inf, 425]]),
    ],
)
def test_utilities_under_a_policy(policy: str, utility: list[list[float]]) -> None:
    study = study_of(f"{PLACED}policies: {{p: {policy}}}\n")
    np.testing.assert_allclose(study.policies["p"].apply(study.problem).utility, utility, rtol=ALGEBRA)


def test_masses_and_temperature_under_a_policy() -> None:
    policy = (
        "{description: words, row_mass: {ann: {factor: 0.5}, bo: 1}, column_mass: {tart: 0}, temperature: 3,\n"
        "      move_row_mass: [{amount: 0.25, source: bo, target: ann}],\n"
        "      move_column_mass: [{amount: 1, source: bun, target: tart}]}"
    )
    study = study_of(f"{PLACED}policies: {{p: {policy}}}\n")
    changed = study.policies["p"].apply(study.problem)
    np.testing.assert_array_equal(changed.rows.mass, [0.75, 0.75])
    np.testing.assert_array_equal(changed.columns.mass, [1, 2])
    assert (changed.temperature, study.policies["p"].description) == (3, "words")


# --- runs -----------------------------------------------------------------------------------------------------------

TEA = f"{HEAD}rows: {{mass: {{a: 0.5, b: 0.5}}}}\ncolumns: {{mass: {{c: 0.5, d: 0.5}}}}\n"
TWO = TEA + "utility: {values: [[0, -1], [-1, 0]]}\ntemperature: 1\n"


def checks_of(text: str, **settings: Any) -> dict[str, Any]:
    return {check.name: check for check in run_scenario(text, **settings).checks}


def test_a_file_and_python_make_the_same_assignment() -> None:
    result = run_scenario(TWO)
    outcome: AssignmentOutcome = result.outcome
    by_hand = solve_assignment([[0, -1], [-1, 0]], [0.5, 0.5], [0.5, 0.5], temperature=1.0)
    np.testing.assert_array_equal(outcome.result.coupling, by_hand.coupling)
    np.testing.assert_allclose(outcome.result.coupling[0], [0.36552929, 0.13447071], atol=1e-8)
    assert result.passed
    assert {"row_error", "column_error", "duality_gap"} == {check.name for check in result.checks}
    assert (outcome.comparison, outcome.path, outcome.cross_check, outcome.fit) == (None, None, None, None)


@pytest.mark.parametrize("temperature", [0, 1e-3, 100])
def test_the_temperature_can_be_overridden(temperature: float) -> None:
    result = run_scenario(TWO, overrides=[f"temperature={temperature}"])
    assert result.passed
    expected = solve_problem(result.outcome.study.problem)
    assert result.outcome.result.problem.temperature == temperature
    np.testing.assert_array_equal(result.outcome.result.coupling, expected.coupling)


def test_the_resolved_scenario_runs_again_to_the_same_outcome() -> None:
    result = run_scenario(SCENARIOS / "tea_party.yaml")
    values = {key: value for key, value in result.scenario.items() if key not in {"choicekit", "kind", "name", "seed"}}
    again = run_scenario(TWO, overrides=values)
    np.testing.assert_array_equal(again.outcome.result.coupling, result.outcome.result.coupling)
    assert again.scenario == {**result.scenario, "name": "tea"}


def test_a_cross_check_is_held_to_its_threshold() -> None:
    found = checks_of(TWO + "cross_check: {library: pot, threshold: 1.0e-7}\n")
    assert found["cross_check_coupling"].limit == found["cross_check_objective"].limit == 1e-7
    assert found["cross_check_coupling"].passed
    assert checks_of(TWO + "cross_check: pot\n")["cross_check_coupling"].limit == 1e-6


THREE = (
    f"{HEAD}rows: {{mass: {{a: 1, b: 2, c: 3}}}}\ncolumns: {{mass: {{d: 3, e: 2, f: 1}}}}\n"
    "utility: {values: [[0, -3, 1], [2, 0, -1], [1, -2, 4]]}\ntemperature: 0.5\n"
)


def test_a_cross_check_that_fails_is_a_failed_check(tmp_path: Path) -> None:
    rough = THREE + "solver: {tolerance: 0.01}\n"  # far from what the other package finds
    path = tmp_path / "three.yaml"
    path.write_text(rough + "cross_check: {threshold: 1.0e-8}\n")
    result = run_scenario(path)
    assert [check.name for check in result.checks if not check.passed] == ["cross_check_coupling"]
    assert (result.passed, result.warnings, result.outcome.study.cross_check) == (False, (), "pot")
    found = CliRunner().invoke(app, ["run", str(path), "--out", str(tmp_path / "out")])
    assert found.exit_code == 3
    assert "\u2264 10\u207b\u2078" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    path.write_text(rough + "cross_check: {threshold: 0.1}\n")
    assert CliRunner().invoke(app, ["run", str(path), "--out", str(tmp_path / "out")]).exit_code == 0


def test_a_threshold_that_nobody_can_meet_is_said_and_not_failed() -> None:
    result = run_scenario(TWO + "cross_check: {threshold: 1.0e-300}\n")
    assert result.outcome.cross_check.passed is None
    assert "POT stopped at a marginal error of" in result.warnings[0]


def test_of_several_best_assignments_only_the_objective_is_compared() -> None:
    text = TWO.replace("[[0, -1], [-1, 0]]", "[[0, 0], [0, 0]]").replace("temperature: 1", "temperature: 0")
    found = checks_of(text + "cross_check: pot\n")
    assert "cross_check_coupling" not in found
    assert found["cross_check_objective"].passed


def test_a_problem_that_the_other_package_cannot_express_is_said_and_not_failed() -> None:
    result = run_scenario(BASE + "cross_check: pot\n")
    assert result.passed
    assert not [check for check in result.checks if check.name.startswith("cross_check")]
    (warning,) = result.warnings
    assert warning.startswith("<scenario>:9:1 nothing will come of `cross_check`, since POT cannot express")
    assert "at_most" in warning
    assert "at_most" in build_report(result).lead
    assert result.outcome.cross_check.passed is None


def test_a_shift_of_a_pair_that_is_forbidden_is_warned_of() -> None:
    shifts = "[{amount: 1, row: ann, column: bun}, {amount: 1, row: bo, column: bun}, {amount: 1, column: bun}]"
    scenario = load_scenario(f"{BASE}forbidden: [[ann, bun]]\npolicies: {{p: {{utility_shifts: {shifts}}}}}\n")
    (warning,) = scenario.warnings
    assert "'ann' and 'bun' are forbidden: this shift of utility changes nothing" in warning
    assert warning.startswith("<scenario>:10:")


def test_policies_and_the_path_are_checked_too() -> None:
    text = TWO + "temperatures: [10, 1, 0.1]\npolicies: {hot: {temperature: 5}}\n"
    result = run_scenario(text)
    check = {check.name: check for check in result.checks}["others_converged"]
    assert check.passed
    assert result.comparison is result.outcome.comparison
    assert list(result.comparison.policies) == ["hot"]
    assert list(result.outcome.path.temperatures) == [10, 1, 0.1]


def test_a_solver_that_may_not_go_on_fails_its_checks() -> None:
    result = run_scenario(THREE + "solver: {max_iterations: 1}\n", overrides=["temperature=0.05"])
    assert not result.passed
    assert not result.outcome.result.converged


FITTED = (
    f"{HEAD}rows: {{condition: with_outside_option, mass: {{a: 3, b: 2}}}}\n"
    "columns: {condition: with_outside_option, mass: {c: 2, d: 4}}\n"
    "utility: 1 + 3 * (row_name == 'a' and column_name == 'c')\ntemperature: 2\n"
    "fit:\n  basis: {one: 1, match: row_name == 'a' and column_name == 'c'}\n"
)


def test_a_fit_to_the_whole_assignment_gives_the_coefficients_back() -> None:
    found = checks_of(FITTED + "  true_coefficients: {one: 0.5, match: 1.5}\n")["fit_recovers"]
    assert (found.relation, found.passed) == ("<=", True)
    wrong = checks_of(FITTED + "  true_coefficients: {one: 0.5, match: 1.6}\n")["fit_recovers"]
    assert not wrong.passed
    assert wrong.value == pytest.approx(0.1 / 1.6, rel=1e-4)


def test_a_fit_to_draws_is_held_to_its_standard_errors() -> None:
    draws = "  draws: 20000\n"
    found = checks_of(FITTED + draws + "  true_coefficients: {one: 0.5, match: 1.5}\n")["fit_recovers"]
    assert (found.relation, found.unit, found.passed) == (">=", "p-value", True)
    assert not checks_of(FITTED + draws + "  true_coefficients: {one: 0.5, match: 2}\n")["fit_recovers"].passed
    assert "fit_recovers" not in checks_of(FITTED + draws)


def test_a_basis_that_is_not_identified_is_told_before_anything_is_run(tmp_path: Path) -> None:
    path = tmp_path / "tea.yaml"
    path.write_text(
        TWO + "fit:\n  basis:\n    ok: row_name == 'a' and column_name == 'c'\n    first: row_name == 'a'\n"
    )
    for command in (["check", str(path)], ["run", str(path), "--out", str(tmp_path / "out")]):
        found = CliRunner().invoke(app, command)
        assert found.exit_code == 2
        assert f"{path}:12:5 basis functions must be told apart" in found.output
        assert "'first' is constant by row, which no coupling" in found.output
        assert found.output.endswith("1 problem, nothing was run\n")


def test_draws_that_do_not_tell_coefficients_apart_are_a_failed_run(tmp_path: Path) -> None:
    path = tmp_path / "tea.yaml"
    path.write_text(TWO + "fit: {draws: 1, basis: {ok: row_name == 'a' and column_name == 'c'}}\n")
    found = CliRunner().invoke(app, ["run", str(path), "--out", str(tmp_path / "out")])
    assert found.exit_code == 1
    assert "error: in `fit`, basis functions must be told apart" in found.output
    assert "or raise `draws`" in found.output
    assert "nothing was run" not in found.output


def test_a_penalty_can_be_chosen_by_cross_validation() -> None:
    result = run_scenario(FITTED + "  penalty: cross-validated\n  draws: 3000\n")
    fit = result.outcome.fit
    assert fit.cross_validation is not None
    assert fit.penalty == fit.cross_validation.best > 0
    report = build_report(result)
    assert report.summary["fit"]["penalty"] == fit.penalty
    assert report.summary["fit"]["cross_validated"] is True
    assert report.tables["penalties"]["penalty"].tolist() == fit.cross_validation.penalties.tolist()
    text = BeautifulSoup(render_page(report), "html.parser").get_text()
    assert f"A ridge penalty of {significant(fit.penalty, 3)}, chosen by cross-validation, pulls them towards 0" in text
    assert text.count("✓") == 1 + sum(check.passed for check in result.checks) + 1  # chosen, checks, verdict
    assert run_scenario(FITTED + "  penalty: 0.5\n  draws: 3000\n").outcome.fit.cross_validation is None


def test_failed_checks_have_their_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "tea.yaml"
    path.write_text(FITTED + "  true_coefficients: {one: 0.5, match: 1.6}\n")
    found = CliRunner().invoke(app, ["run", str(path), "--out", str(tmp_path / "out")])
    assert found.exit_code == 3
    assert (tmp_path / "out" / "report.html").exists()


def test_a_fitted_scenario_is_a_scenario() -> None:
    result = run_scenario(FITTED)
    text = result.outcome.fit.to_scenario()
    again = problem_of(text)
    np.testing.assert_allclose(again.utility, result.outcome.result.problem.utility / 2, atol=1e-6)


# --- schema ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tea_party", "marriage_market"])
def test_the_schema_describes_the_stories(name: str) -> None:
    values = parse_document((SCENARIOS / f"{name}.yaml").read_text(), file="story").values
    schema = scenario_schema("assignment")
    jsonschema.validate(values, schema)
    wrong: list[dict[str, Any]] = [
        {"temperature": -1}, {"rows": {"condition": "fix"}}, {"rows": {"mass": -1}}, {"rule": {"type": "entmax"}},
        {"cross_check": "x"}, {"policies": {"p": {"row_mass": {"a": "x"}}}}, {"utilty": 1}, {"forbidden": [["a"]]},
    ]  # fmt: skip
    for change in wrong:
        assert not jsonschema.Draft202012Validator(schema).is_valid({**values, **change}), change


def test_kinds_do_not_mean_different_blocks_by_one_name() -> None:
    definitions: dict[str, Any] = {}
    for kind in kinds():
        for name, block in scenario_schema(kind).get("$defs", {}).items():
            assert definitions.setdefault(name, block) == block, name


def test_conditions_are_listed_and_those_of_the_schema() -> None:
    known = {"fixed", "at_most", "relaxed", "free", "with_outside_option"}
    assert set(catalogue()["conditions of rows and columns"]) == set(CONDITIONS) == known
    side = scenario_schema("assignment")["$defs"]["SideBlock"]["properties"]
    assert set(side["condition"]["enum"]) == known
