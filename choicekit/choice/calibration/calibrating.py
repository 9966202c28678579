"""Calibrating constants so that expected shares meet given ones, for everybody or group by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.calibration.crowd import Crowd
from choicekit.choice.calibration.newton import Solution, meet_shares
from choicekit.choice.calibration.reachable import check_reachable, reach_of
from choicekit.choice.calibration.result import Calibration
from choicekit.choice.calibration.targets import (
    Targets,
    check_names,
    constants_of,
    own_constants,
    read_shares,
    reference_of,
)
from choicekit.choice.checking import NOTHING_AVAILABLE, OUTSIDE_OPTION
from choicekit.choice.expressions import Expression, parse_expression
from choicekit.choice.model import ChoiceModel
from choicekit.choice.population import Population
from choicekit.choice.sampling import check_rule_fits
from choicekit.choice.segments import Segmentation
from choicekit.choice.simulation import segmentation_of
from choicekit.counting import counted
from choicekit.errors import (
    ConvergenceError,
    DataError,
    ExpressionError,
    InvalidInputError,
    NoAvailableAlternativeError,
)
from choicekit.random import check_seed

__all__ = ["calibrate_constants"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def calibrate_constants(
    model: ChoiceModel,
    population: Population,
    shares: Mapping[str, Any],
    *,
    constants: Mapping[str, str] | None = None,
    by: Segmentation | str | None = None,
    tolerance: float = 1e-12,
    max_iterations: int = 100,
    workers: int = 1,
    seed: int = 0,
) -> Calibration:
    """Find the constants of a model at which expected shares (weighted) meet given ones.

    Parameters
    ----------
    model : ChoiceModel
        Its coefficients are where the search starts.
    population : Population
    shares : mapping of str to float
        Share by alternative. Where every alternative has one they may be totals of any size, such as counts, and are
        divided by their sum. Where some have none, they are fractions with a sum below 1, and only the constants of
        those that have one move. With `by`, such a mapping for each group; groups without one keep their shares.
    constants : mapping of str to str, optional
        The coefficient to move of each alternative. By default it is found: a term of its own in the utility of that
        alternative and used nowhere else. Not with `by`.
    by : Segmentation or str, optional
        Groups to calibrate one by one; a string names a column whose values are the groups. A coefficient is one number
        for all, so each group's constants come as columns of the population, such as ``calibrated air``, that are added
        to the utilities.
    tolerance : float
        Largest distance of a share from the given one.
    max_iterations : int
    workers : int
        Threads; the result does not depend on their number.
    seed : int
        Of the points at which expectations over random coefficients are taken: that of the simulation, where its
        expected shares are to be met to the last digit and not only within their integration error.

    Returns
    -------
    Calibration

    Raises
    ------
    UnreachableShareError
        For shares that no constants can meet, naming the alternatives: what is available to 45 % cannot take 60 %.
    InvalidInputError
        For shares or constants that break the above, for rules without a positive temperature, whose shares jump, and
        for a formula so long that it has no room for the constants of groups.
    ConvergenceError
        Where the shares are not met within `max_iterations`; carries the Calibration as it was.
    DataError, NoAvailableAlternativeError
        As `simulate_choices`.

    Notes
    -----
    With the weighted mean s(c) of choice probabilities at constants c, this solves s(c) = t: the minimum of the convex
    function mean V(u + c) - <t, c>, whose gradient is s(c) - t and whose Hessian is the mean Jacobian of the rule, by
    Newton's method. Where every alternative has a given share, the shares determine only differences of constants, so
    that one alternative is the reference and keeps its utility: the one without a constant of its own, the last one
    where each has one, and by group the first where several have none. Which it is changes no share met here, but it
    does change those of an alternative that a policy adds: its utility is compared with utilities of that level.

    Rows with nothing available take no part; where they choose the outside option, given shares are of all rows, and
    totals are shared out among the rest. Which shares availability allows is checked first, for all sets of
    alternatives where there are at most 12 and for single ones else; all that it allows can be met.

    Where agents differ by random coefficients or classes, shares are means over their types, and a constant is one
    number for all of them: a coefficient that is random or differs by class is none.

    Draws of uncertain coefficients in `compare_policies` do not recalibrate: they move around the constants found here.

    References
    ----------
    Train (2009), *Discrete Choice Methods with Simulation*, 2nd edition, section 2.8; Berry (1994), "Estimating
    discrete-choice models of product differentiation", RAND Journal of Economics 25, section 4.

    Examples
    --------
    >>> people = Population(agents=[1, 2], columns={"cost": [1.0, 4.0]})
    >>> model = ChoiceModel({"walk": "0", "ride": "asc - 0.5 * cost"}, {"asc": 0.0})
    >>> found = calibrate_constants(model, people, {"walk": 40, "ride": 60})
    >>> found.shares.round(6).to_dict(), round(found.constants["asc"], 6)
    ({'walk': 0.4, 'ride': 0.6}, 1.714025)
    >>> calibrate_constants(model, people, {"ride": 1.2})
    Traceback (most recent call last):
    choicekit.errors.InvalidInputError: shares of some of the alternatives must be fractions that sum to less than 1, \
found 1.2: leave something for 'walk', or give every alternative a total
    """
    search = _Search(
        model, population, _checked_tolerance(tolerance), _checked_iterations(max_iterations), workers, check_seed(seed)
    )
    search.check()
    result = _of_everybody(search, shares, constants) if by is None else _of_groups(search, shares, constants, by)
    if not result.converged:
        raise ConvergenceError(_shortfall(result), result)
    return result


@dataclass(frozen=True, eq=False)
class _Search:
    """What is the same for all groups."""

    model: ChoiceModel
    population: Population
    tolerance: float
    max_iterations: int
    workers: int
    seed: int

    @property
    def alternatives(self) -> tuple[str, ...]:
        return self.model.alternatives(self.population)

    def check(self) -> None:
        for rule in self.model.rules:
            check_rule_fits(rule, self.population.n_rows)
        if not self.temperature > 0:
            jumping = min(self.model.rules, key=lambda rule: float(np.min(rule.max_gap(2))))
            raise InvalidInputError(
                f"calibration needs a rule with a positive temperature, found {jumping!r}: shares that jump "
                "from one value to another meet no given ones, take a rule such as Softmax(temperature=1.0)"
            )
        problems = self.model.check(self.population)
        if problems and all(problem.code == NOTHING_AVAILABLE for problem in problems):
            raise NoAvailableAlternativeError("\n".join(str(problem) for problem in problems))
        if problems:
            raise DataError(problems)

    @property
    def temperature(self) -> float:
        """The smallest of any row and class; a rule's largest gap over two alternatives is T log 2."""
        return float(min(np.min(rule.max_gap(2)) for rule in self.model.rules) / np.log(2))

    def solve(
        self, targets: Targets, moved: IntArray, members: npt.NDArray[np.bool_] | None = None, where: str = ""
    ) -> Solution:
        """Meet the shares of some rows; the solution is in shares of all of them."""
        crowd = Crowd(
            model=self.model, population=self.population, members=members, workers=self.workers, seed=self.seed
        )
        reach = reach_of(crowd, len(targets.alternatives))
        if not reach.weight > 0:
            raise InvalidInputError(f"nobody with a weight above 0 has anything to choose{where}")
        outside = self.model.on_no_alternative == "outside"
        scale = reach.weight / (reach.weight + reach.idle_weight) if outside else 1.0
        shares = targets.shares if targets.complete else targets.shares / scale
        check_reachable(reach, targets, shares, scale=scale, where=where)
        stay = ~np.isin(targets.given, moved)
        others = shares[stay].sum() if targets.complete else 1 - shares.sum()
        found = meet_shares(
            crowd.response,
            crowd.jacobian,
            np.append(shares[~stay], others),
            moved,
            n_alternatives=len(targets.alternatives),
            temperature=self.temperature,
            tolerance=self.tolerance / scale,
            max_iterations=self.max_iterations,
        )
        gaps = tuple(scale * gap for gap in found.history)
        return replace(found, before=scale * found.before, shares=scale * found.shares, history=gaps)

    def table(
        self, group: str, targets: Targets, found: Solution, names: Mapping[str, str], values: Mapping[str, float]
    ) -> pd.DataFrame:
        """Rows of the result's table; `names` and `values` are constants by alternative before the search."""
        count, outside = len(targets.alternatives), self.model.on_no_alternative == "outside"
        wanted = np.full(count, np.nan)
        wanted[targets.given] = targets.shares * (found.shares.sum() if targets.complete else 1.0)
        start = np.array([values.get(name, np.nan) for name in targets.alternatives])
        rows = pd.DataFrame(
            {
                "group": group,
                "alternative": targets.alternatives,
                "constant": [names.get(name) for name in targets.alternatives],
                "before": start,
                "after": start + found.shift,
                "target": wanted,
                "share_before": found.before,
                "share_after": found.shares,
            }
        )
        if outside:
            left = {"share_before": 1 - found.before.sum(), "share_after": 1 - found.shares.sum()}
            rows = pd.concat([rows, pd.DataFrame([{"group": group, "alternative": OUTSIDE_OPTION, **left}])])
        return rows.reset_index(drop=True)


def _of_everybody(search: _Search, shares: Mapping[str, float], constants: Mapping[str, str] | None) -> Calibration:
    targets = read_shares(shares, search.alternatives)
    names = constants_of(search.model, search.population, targets, constants)
    found = search.solve(targets, _positions(names, targets))
    before = {name: search.model.coefficients[constant] for name, constant in names.items()}
    table = search.table("all", targets, found, names, before)
    moved = table[table["constant"].notna()]
    after = dict(zip(moved["constant"], moved["after"].astype(float), strict=True))
    return Calibration(
        model=search.model.with_coefficients(after),
        population=search.population,
        constants=after,
        reference=reference_of(targets, names) if targets.complete else None,
        by=None,
        history=found.history,
        status=found.status,
        table=table,
    )


def _of_groups(
    search: _Search, shares: Mapping[str, Mapping[str, float]], constants: object, by: Segmentation | str
) -> Calibration:
    if constants is not None:
        raise InvalidInputError("constants cannot be named by group: each group's are added to utilities as columns")
    by = segmentation_of(by, search.population)
    if not isinstance(shares, Mapping) or not shares:
        raise InvalidInputError(f"shares must be mappings by group of {by.name!r}, found {shares!r}")
    check_names("shares", shares, by.labels)
    columns, own = _new_columns(search), own_constants(search.model, search.population)
    anchored = {name: column for name, column in columns.items() if own[name]}
    values = np.zeros((search.population.n_rows, len(columns)))
    solutions, tables, references = [], [], []
    for label in shares:
        targets, members = read_shares(shares[label], search.alternatives), by.codes == by.labels.index(label)
        names = {name: columns[name] for name in targets.names}
        if targets.complete:
            references.append(reference_of(targets, anchored))
            del names[references[-1]]
        found = search.solve(targets, _positions(names, targets), members, f" in group {label!r} of {by.name!r}")
        values[members] = found.shift
        solutions.append(found)
        tables.append(search.table(label, targets, found, names, dict.fromkeys(names, 0.0)))
    table = pd.concat(tables, ignore_index=True)
    moved = table[table["constant"].notna()]
    used = {name: column for name, column in columns.items() if column in set(moved["constant"])}
    formulas = search.model.formulas(search.population)
    texts = {name: str(formula) for name, formula in formulas.items()}
    texts |= {name: _with_constant(formulas[name], column, name) for name, column in used.items()}
    added = {column: values[:, list(columns).index(name)] for name, column in used.items()}
    worst = max(solutions, key=lambda found: (found.status != "converged", len(found.history)))
    return Calibration(
        model=replace(search.model, utilities=texts),
        population=search.population.with_columns(added),
        constants=dict(zip(moved["constant"] + " (" + moved["group"] + ")", moved["after"].astype(float), strict=True)),
        reference=references[0] if references else None,
        by=by.name,
        history=_joint_history(solutions),
        status=worst.status,
        table=table,
    )


def _positions(names: Mapping[str, str], targets: Targets) -> IntArray:
    return np.array([place for place, name in enumerate(targets.alternatives) if name in names], dtype=np.int64)


def _new_columns(search: _Search) -> dict[str, str]:
    """Return a column for each alternative, by a name that can stand in backticks and is not taken yet."""
    columns: dict[str, str] = {}
    taken = {*search.population.columns, *search.model.coefficients}
    for alternative in search.alternatives:
        plain = " ".join(f"calibrated {alternative}".replace("`", "'").split())
        number = 1
        while (name := plain if number == 1 else f"{plain} {number}") in taken:
            number += 1
        taken.add(name)
        columns[alternative] = name
    return columns


def _with_constant(formula: Expression, column: str, alternative: str) -> str:
    text = f"({formula}) + `{column}`"
    try:
        parse_expression(text)
    except ExpressionError as error:
        said = f"the utility of {alternative!r} has no room for its calibrated constant"
        raise InvalidInputError(f"{said}: {error.message}; shorten it") from error
    return text


def _joint_history(solutions: Sequence[Solution]) -> tuple[float, ...]:
    """Largest gap of any group; one that has come to its end keeps its last."""
    longest = max(len(found.history) for found in solutions)
    padded = [found.history + (longest - len(found.history)) * found.history[-1:] for found in solutions]
    return tuple(max(gaps) for gaps in zip(*padded, strict=True))


def _shortfall(result: Calibration) -> str:
    off = (result.table["share_after"] - result.table["target"]).abs()
    row = result.table.iloc[int(np.nanargmax(off))]
    where = "" if result.by is None else f" in group {row['group']!r} of {result.by!r}"
    return (
        f"calibration is {result.status} after {counted(result.n_iterations, 'iteration')}: the share of "
        f"{row['alternative']!r}{where} is {row['share_after']:.6g} where {row['target']:.6g} is wanted, off by "
        f"{off.max():.1e}; raise tolerance or max_iterations, or look for shares close to what availability allows"
    )


def _checked_tolerance(tolerance: float) -> float:
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float | np.number) or not 0 < tolerance < 1:
        raise InvalidInputError(f"tolerance must be a number between 0 and 1, found {tolerance!r}")
    return float(tolerance)


def _checked_iterations(number: int) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
        raise InvalidInputError(f"max_iterations must be a whole number of at least 1, found {number!r}")
    return int(number)
