"""Turning a policy into the choice model it makes of the baseline's: a plain model with other formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from choicekit.choice.checking import condition_problems
from choicekit.choice.expressions import Expression, parse_expression, substituted
from choicekit.choice.model import ChoiceModel
from choicekit.choice.policies.policy import Policy
from choicekit.choice.population import Population
from choicekit.errors import DataError, InvalidInputError, ShapeError

__all__ = ["apply_policy", "changed_coefficients", "fixed_changes", "rows_kept"]

NEVER = "0"
"""The availability condition of an alternative that is not offered."""


def apply_policy(policy: Policy, model: ChoiceModel, population: Population) -> ChoiceModel:
    """Return the model under a policy.

    Parameters
    ----------
    policy : Policy
        Naming only what there is: `faults_of` tells.
    model : ChoiceModel
        The baseline.
    population : Population

    Returns
    -------
    ChoiceModel
        With the baseline's alternatives in their places and added ones after them. Names of changed attributes are
        replaced by their formulas in the formulas of the alternatives they change for; removed alternatives keep
        their place and are available to nobody. A rule replaces that of every class.

        Where a change of coefficients has to do with one that differs among agents, all changed coefficients are
        replaced by their formulas, too: ``b_time: 0.5 * b_time`` halves that of every agent, and a number makes it the
        same for all. Who belongs to which class does not change.

    Raises
    ------
    ExpressionError
        Where a formula becomes too long by its changes.

    Examples
    --------
    >>> model = ChoiceModel({"walk": "0", "ride": "-b * cost"}, {"b": 0.5})
    >>> people = Population(agents=[1, 2], columns={"cost": [1.0, 4.0]})
    >>> policy = Policy(change={"ride": {"cost": "0.8 * cost"}}, remove=["walk"])
    >>> changed = apply_policy(policy, model, people)
    >>> changed.utilities["ride"], changed.availability["walk"]
    ('-b * (0.8 * cost)', '0')
    """
    formulas, conditions = dict(model.formulas(population)), dict(model.conditions)
    like = dict(model.columns_like)
    conditions |= {name: parse_expression(text) for name, text in policy.availability.items()}
    for name, new in policy.add.items():
        formulas[name] = parse_expression(new.utility) if new.utility else formulas[new.columns_like]
        like[name] = model.known_as(new.columns_like) if new.columns_like else None
        if new.availability:
            conditions[name] = parse_expression(new.availability)
        elif new.columns_like in model.conditions:
            conditions[name] = model.conditions[new.columns_like]
    for name in formulas:
        changes = _changes(policy, name)
        formulas[name] = substituted(formulas[name], changes)
        if name in conditions:
            conditions[name] = substituted(conditions[name], changes)
    if _touches_types(policy, model):
        changes = {name: parse_expression(text) for name, text in policy.coefficients.items()}
        formulas = {name: substituted(formula, changes) for name, formula in formulas.items()}
        conditions = {name: substituted(condition, changes) for name, condition in conditions.items()}
    texts = {name: condition.text for name, condition in conditions.items()} | dict.fromkeys(policy.remove, NEVER)
    changed = replace(
        model,
        utilities={name: formula.text for name, formula in formulas.items()},
        availability=texts,
        rule=model.rule if policy.rule is None else policy.rule,
        columns_like=like,
        classes={name: one if policy.rule is None else replace(one, rule=None) for name, one in model.classes.items()},
    )
    return changed.with_coefficients(fixed_changes(policy, model, model.coefficients))


def _touches_types(policy: Policy, model: ChoiceModel) -> bool:
    """Whether a change of coefficients has to do with one that differs among agents."""
    used = {name for text in policy.coefficients.values() for name in parse_expression(text).names}
    return not (used | policy.coefficients.keys()).isdisjoint(model.varying)


def _changes(policy: Policy, alternative: str) -> dict[str, Expression]:
    """Formulas that stand for attributes of one alternative: its own changes before those for all."""
    new = policy.add.get(alternative)
    own = new.change if new is not None else policy.change.get(alternative, {})
    return {name: parse_expression(text) for name, text in {**policy.attributes, **own}.items()}


def changed_coefficients(policy: Policy, coefficients: Mapping[str, float]) -> dict[str, float]:
    """Return the coefficients that a policy changes, from the baseline's.

    Raises
    ------
    InvalidInputError
        Where one becomes nan or infinite.

    Examples
    --------
    >>> changed_coefficients(Policy(coefficients={"b": "2 * b"}), {"a": 1.0, "b": 0.5})
    {'b': 1.0}
    """
    changed = {}
    for name, text in policy.coefficients.items():
        formula = parse_expression(text)
        changed[name] = float(formula.evaluate({key: coefficients[key] for key in formula.names}))
        if not np.isfinite(changed[name]):
            raise InvalidInputError(f"coefficient {name!r} must stay a finite number, but {text} is {changed[name]}")
    return changed


def fixed_changes(policy: Policy, model: ChoiceModel, coefficients: Mapping[str, float]) -> dict[str, float]:
    """Return the coefficients that a policy changes for everybody; none where formulas hold its changes.

    Parameters
    ----------
    policy : Policy
    model : ChoiceModel
        The baseline.
    coefficients : mapping of str to float
        The baseline's, or a draw of them.

    Raises
    ------
    InvalidInputError
        Where one becomes nan or infinite.
    """
    return {} if _touches_types(policy, model) else changed_coefficients(policy, coefficients)


def rows_kept(policy: Policy, model: ChoiceModel, population: Population) -> npt.NDArray[np.bool_] | None:
    """Return which rows a policy's population has, shape (N,); None where it has no filter.

    Raises
    ------
    ShapeError
        Where the filter uses a column that differs by alternative.
    InvalidInputError
        Where it keeps no row, or only such of weight 0.
    DataError
        Where a number that it needs is missing, with its place: its row would be left out without a word.

    Examples
    --------
    >>> people = Population(agents=[1, 2], columns={"age": [17.0, 40.0]})
    >>> rows_kept(Policy(filter="age > 18"), ChoiceModel({"walk": "0"}), people)
    array([False,  True])
    """
    if not policy.filter:
        return None
    condition = parse_expression(policy.filter)
    values: dict[str, npt.ArrayLike] = {}
    for name in condition.names:
        values[name] = model.coefficients[name] if name in model.coefficients else population.column(name)
        if np.ndim(values[name]) == 2:
            raise ShapeError(f"a filter needs attributes of agents, but {name!r} differs by alternative")
    problems = condition_problems(condition, population, model.coefficients)
    if problems:
        raise DataError(problems)
    kept = np.broadcast_to(np.not_equal(condition.evaluate(values), 0), (population.n_rows,)).copy()
    if not kept.any():
        raise InvalidInputError(f"the filter {policy.filter!r} keeps none of the {population.n_rows} rows")
    if population.weights is not None and not population.weights[kept].any():
        raise InvalidInputError(f"the filter {policy.filter!r} keeps no row whose weight is above 0")
    return kept
