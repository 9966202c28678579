"""What a unit of money is worth to agents, and where welfare in money has a mean."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions import Expression
from choicekit.choice.expressions.walking import name_nodes
from choicekit.choice.heterogeneity.coefficients import Kind
from choicekit.choice.heterogeneity.distributions import CoefficientDistribution, Lognormal
from choicekit.choice.heterogeneity.types import AgentTypes
from choicekit.choice.model import ChoiceModel
from choicekit.choice.population import Population

__all__ = ["mean_money_units", "money_faults", "money_units"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def money_units(
    money: Expression,
    model: ChoiceModel,
    population: Population,
    rows: slice | IntArray,
    coefficients: Mapping[str, float | FloatArray],
) -> FloatArray:
    """Return the utility of a unit of money to some rows, (n,).

    Parameters
    ----------
    money : Expression
        Formula of the cost coefficient, whose value is minus that.
    model : ChoiceModel
    population : Population
    rows : slice or ndarray of int64
    coefficients : mapping of str to (float or ndarray (n,))
        Those that are not the model's.
    """
    known = {**model.coefficients, **coefficients}
    values = {name: known[name] if name in known else population.column(name)[rows] for name in money.names}
    n = len(range(*rows.indices(population.n_rows))) if isinstance(rows, slice) else len(rows)
    return np.broadcast_to(-money.evaluate(values), (n,))


def mean_money_units(money: Expression, types: AgentTypes, rows: slice) -> FloatArray:
    """Return the same as a mean over classes, random coefficients at their means, (n,)."""
    model, population = types.model, types.population
    if types.lone or money.names.isdisjoint(model.varying):
        return money_units(money, model, population, rows, model.kinds[0].fixed)
    shares = types.of(rows).shares
    each = [money_units(money, model, population, rows, _at_means(kind)) for kind in model.kinds]
    mean = np.zeros(len(each[0]))
    for share, unit in zip(shares, each, strict=True):
        mean += np.asarray(share) * unit
    return mean


def _at_means(kind: Kind) -> dict[str, float]:
    return {**kind.fixed, **{name: one.distribution.expectation for name, one in kind.random.items()}}


def money_faults(money: Expression, types: AgentTypes) -> Iterator[str]:
    """Yield why welfare in money would not mean anything: money must be worth something to everybody.

    Parameters
    ----------
    money : Expression
    types : AgentTypes

    Notes
    -----
    A mean of gains divided by a random cost coefficient exists where the coefficient stays away from zero, or is
    lognormal. A normal one comes so near to zero so often that the mean does not exist, however unlikely that is.

    References
    ----------
    Daly, Hess & Train (2012), "Assuring finite moments for willingness to pay in random coefficient models",
    Transportation 39.
    """
    model = types.model
    for kind in model.kinds:
        random = sorted(money.names & kind.random.keys())
        if random:
            yield from _random_faults(money, random, kind)
        unit = money_units(money, model, types.population, slice(None), _at_means(kind))
        wrong = np.flatnonzero(~(np.isfinite(unit) & (unit > 0)))
        if wrong.size:
            yield (
                f"money must be worth something: minus {money.text!r} must be above 0, found {unit[wrong[0]]:g} for "
                f"agent {types.population.agents[wrong[0]]}; name the coefficient of a cost, which is below 0, or put "
                "a minus before it"
            )


def _random_faults(money: Expression, random: list[str], kind: Kind) -> Iterator[str]:
    name = random[0]
    if len(random) > 1 or not _is_multiple(money.tree, name):
        yield (
            f"money must be a multiple of one coefficient where that is random, found {money.text!r} with "
            f"{' and '.join(random)}: name the coefficient alone, as in money: {name}"
        )
        return
    given = kind.random[name].distribution
    low, high = given.support
    if low <= 0 <= high and not _keeps_off_zero(given):
        yield (
            f"welfare in money divides by {name!r}, whose {given.name} distribution reaches 0, so that its mean does "
            "not exist: make it lognormal (negative, for a cost), or give it bounds on one side of 0; welfare in "
            "units of utility needs no money"
        )


def _keeps_off_zero(given: CoefficientDistribution) -> bool:
    # its reciprocal is lognormal, too, and has every moment
    return isinstance(given, Lognormal)


def _is_multiple(tree: ast.expr, name: str) -> bool:
    """Whether a formula is the coefficient times or divided by something else."""
    match tree:
        case ast.Name():
            return tree.id == name
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            return _is_multiple(tree.operand, name)
        case ast.BinOp(op=ast.Mult()):
            sides = [tree.left, tree.right]
            holding = [side for side in sides if any(node.id == name for node in name_nodes(side))]
            return len(holding) == 1 and _is_multiple(holding[0], name)
        case ast.BinOp(op=ast.Div()):
            return not any(node.id == name for node in name_nodes(tree.right)) and _is_multiple(tree.left, name)
    return False
