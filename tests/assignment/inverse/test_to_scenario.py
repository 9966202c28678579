"""A fit written as a scenario makes the same assignment again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from choicekit import load_scenario, run_scenario
from choicekit.assignment.inverse import fit_assignment
from tests.assignment.inverse.problems import BASIS, SIDES, TRUE
from tests.tolerances import ALGEBRA

COUNTS = np.random.default_rng(5).poisson(9.0, size=(5, 4)) + 1


@pytest.mark.parametrize("sides", SIDES, ids=str)
def test_the_scenario_simulates_from_the_fit(sides, tmp_path: Path) -> None:
    fit = fit_assignment(sides.solved(TRUE).coupling, BASIS, **sides.arguments)
    path = tmp_path / "fitted.yaml"
    path.write_text(fit.to_scenario("what-was-fitted", seed=3), encoding="utf-8")
    scenario = load_scenario(path)
    assert scenario.name == "what-was-fitted"
    outcome = run_scenario(path).outcome
    problem = outcome.result.problem
    np.testing.assert_array_equal(problem.utility, fit.result.problem.utility)
    for made, fitted in ((problem.rows, fit.result.problem.rows), (problem.columns, fit.result.problem.columns)):
        assert type(made) is type(fitted)
        if fitted.mass is not None:
            np.testing.assert_allclose(made.mass, fitted.mass, rtol=ALGEBRA)  # two fixed totals are made equal again
    np.testing.assert_allclose(outcome.result.coupling, fit.result.coupling, rtol=1e-6)


def test_names_and_forbidden_pairs_are_kept(tmp_path: Path) -> None:
    available = np.ones((5, 4), dtype=bool)
    available[2, 1] = False
    names = ['"quoted" & co', "no", "3", "Zürich: a # b", "e"]
    fit = fit_assignment(
        COUNTS * available, 1e-9 * BASIS, availability=available, row_names=names, column_names=["a", "b", "c", "d"]
    )
    path = tmp_path / "fitted.yaml"
    path.write_text(fit.to_scenario(), encoding="utf-8")
    result = run_scenario(path).outcome.result
    assert result.problem.row_names == tuple(names)
    np.testing.assert_array_equal(result.problem.utility, fit.result.problem.utility)
    assert result.problem.utility[2, 1] == -np.inf
    assert result.coupling[2, 1] == 0
