"""Policies as differences: the lines that the scenario adds, and the lines of the model they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from choicekit.choice.model import ChoiceModel
from choicekit.choice.population import Population
from choicekit.errors import InvalidInputError
from choicekit.report.content import Block, Details, Diff
from choicekit.report.kinds.choice.comparison.view import ComparisonView, PolicyView, mapping_of
from choicekit.report.kinds.choice.rules import rule_name, rule_settings
from choicekit.report.text import clean
from choicekit.scenario.emitting import dump_document

__all__ = ["difference_blocks", "model_lines"]

_MOST_POLICIES = 50
_MOST_LINES = 60
_MOST_CHARACTERS = 150_000


def difference_blocks(compared: ComparisonView) -> list[Block]:
    """Return every policy as lines of the scenario and of the model, folded away."""
    diffs: list[Block] = []
    left = _MOST_CHARACTERS
    for policy in compared.policies[:_MOST_POLICIES]:
        lines = tuple(_shortened([*_scenario_lines(compared, policy), *_model_difference(compared, policy)]))
        left -= sum(len(text) for _, text in lines)
        if left < 0:
            break
        diffs.append(Diff(lines, f"{policy.short} as a difference to the baseline"))
    many = len(compared.policies) > 1
    head = (
        "The policies in the scenario file, and what they change in the model"
        if many
        else ("The policy in the scenario file, and what it changes in the model")
    )
    return [Details(summary=head, blocks=tuple(diffs))] if diffs else []


def _scenario_lines(compared: ComparisonView, policy: PolicyView) -> Iterator[tuple[str, str]]:
    """Write the policy as the scenario does: all of it is new."""
    name = policy.outcome.name
    block = mapping_of(compared.base.result.scenario.get("policies")).get(name)
    yield " ", "policies:"
    yield from (("+", f"  {line}") for line in _dumped({name: _without_defaults(block)}))


def _dumped(values: Mapping[str, Any]) -> list[str]:
    try:
        return dump_document(values).splitlines()
    except InvalidInputError:  # made in Python of what YAML has no form for
        return [f"{name}: ..." for name in values]


def _without_defaults(block: object) -> object:
    """Leave out entries that say nothing, such as empty lists of what is removed."""
    if not isinstance(block, Mapping):
        return {}
    kept = {key: _without_defaults(value) if isinstance(value, Mapping) else value for key, value in block.items()}
    return {
        key: value
        for key, value in kept.items()
        if value is not None and value != "" and value != [] and value != {} and value != ()
    }


def _model_difference(compared: ComparisonView, policy: PolicyView) -> Iterator[tuple[str, str]]:
    """Lines of the model that are another under the policy, by part of the model."""
    study = compared.base.outcome.study
    offered = {name for name, there in zip(compared.comparison.alternatives, policy.offered, strict=True) if there}
    before = model_lines(study.model, study.population)
    after = model_lines(policy.outcome.model, study.population, offered)
    for part in before:
        names = list(dict.fromkeys(chain(before[part], after[part])))
        changed = [name for name in names if before[part].get(name) != after[part].get(name)]
        if not changed:
            continue
        yield " ", ""
        yield " ", f"{part}:"
        for name in changed:
            yield from (("-", f"  {line}") for line in _entry(name, before[part]))
            yield from (("+", f"  {line}") for line in _entry(name, after[part]))


def _entry(name: str, entries: Mapping[str, Any]) -> list[str]:
    return _dumped({name: entries[name]}) if name in entries else []


def model_lines(
    model: ChoiceModel, population: Population, offered: set[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return what a model is made of, by part and name, for alternatives that are offered.

    Examples
    --------
    >>> import numpy as np
    >>> model = ChoiceModel({"walk": "0", "ride": "asc"}, {"asc": 1.0})
    >>> model_lines(model, Population(agents=np.arange(2), columns={}))["utility"]
    {'walk': '0', 'ride': 'asc'}
    """

    def kept(texts: Mapping[str, Any]) -> dict[str, Any]:
        return {name: str(text) for name, text in texts.items() if offered is None or name in offered}

    return {
        "coefficients": dict(model.coefficients),
        "utility": kept(model.formulas(population)),
        "availability": kept(model.conditions),
        "rule": _rule(model),
    }


def _rule(model: ChoiceModel) -> dict[str, Any]:
    return {"type": rule_name(model.rule)} | rule_settings(model.rule)


def _shortened(lines: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    yield from ((sign, clean(text)) for sign, text in lines[:_MOST_LINES])
    if len(lines) > _MOST_LINES:
        yield " ", f"… {len(lines) - _MOST_LINES} more lines"
