"""A choice result made ready to be shown: arrays by group, names, marks and words, each worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.choice.intervals import ShareEstimate
from choicekit.choice.outcome import ChoiceOutcome
from choicekit.report.figures.style import MAX_CATEGORIES, OTHER, Mark, marks_for
from choicekit.report.kinds.choice.rules import rule_name
from choicekit.report.numbers import MINUS, real_minus, share_decimals
from choicekit.report.text import clean, display_names, distinct
from choicekit.rules import ChoiceRule
from choicekit.scenario.result import StudyResult

__all__ = ["ChoiceView", "GroupSet", "view_of"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupSet:
    """The groups of one segmentation.

    Attributes
    ----------
    name : str
        What agents are sorted by.
    labels : tuple of str
    positions : ndarray (G,)
        Places of the groups on the group axis.
    ordered : bool
        Whether the groups follow one another, as those of numbers do.
    """

    name: str
    labels: tuple[str, ...]
    positions: IntArray
    ordered: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class ChoiceView:
    """What the sections of a choice report are made from.

    Attributes
    ----------
    result : StudyResult
    outcome : ChoiceOutcome
    names : tuple of str
        Alternatives as shown.
    marks : tuple of Mark
        Colour and marker of each alternative; the smallest of more than 20 are marked as "other".
    expected, observed : ndarray (C, J)
    estimate : ShareEstimate
        Arrays (C, J).
    variance : ndarray (C, J)
        Of one replication's share; there is no simulation error where it is 0.
    value : ndarray (C,)
        Mean inclusive value.
    decimals : int
        Of percentages.
    agents, choices, unit : str
        What the study calls its agents, its choices and a unit of utility.
    segmentations : tuple of GroupSet
    """

    result: StudyResult
    outcome: ChoiceOutcome
    names: tuple[str, ...]
    marks: tuple[Mark, ...]
    expected: FloatArray
    observed: FloatArray
    estimate: ShareEstimate
    variance: FloatArray
    value: FloatArray
    decimals: int
    agents: str
    choices: str
    unit: str
    segmentations: tuple[GroupSet, ...]

    @property
    def rows(self) -> IntArray:
        """Number of rows that choose, by group (C,)."""
        return self.outcome.tally.rows

    @property
    def available(self) -> FloatArray:
        """Share of the rows that choose to which each alternative is available (J,)."""
        rows = int(self.rows[0])
        available = np.asarray(self.outcome.tally.available[0], dtype=np.float64)
        return available / rows if rows else np.full(available.shape, np.nan)

    @property
    def leading(self) -> int | None:
        """Position of the alternative with the largest expected share; None where nobody chooses."""
        shares = self.expected[0]
        return int(np.nanargmax(shares)) if np.isfinite(shares).any() else None

    @property
    def rule(self) -> ChoiceRule:
        """The rule of the baseline; with settings for what policies add, where there are any."""
        comparison = getattr(self.result, "comparison", None)
        rule: ChoiceRule = self.outcome.rule if comparison is None else comparison.study.baseline.model.rule
        return rule

    @property
    def integration(self) -> FloatArray:
        """Integration error of the expected shares (C, J); 0 where they are exact."""
        return self.outcome.integration_error_by_group()

    @property
    def rule_name(self) -> str:
        """Name of the rule, as the scenario calls it; that of its class where it is not registered."""
        return rule_name(self.outcome.rule)


def view_of(result: StudyResult) -> ChoiceView:
    """Work out what the sections need."""
    outcome: ChoiceOutcome = result.outcome
    estimate = outcome.estimate_by_group()
    labels = _mapping(result.scenario.get("labels"))
    expected = outcome.expected_by_group()
    return ChoiceView(
        result=result,
        outcome=outcome,
        names=display_names(outcome.alternatives),
        marks=_marks(outcome.alternatives, expected[0]),
        expected=expected,
        observed=outcome.observed_by_group(),
        estimate=estimate,
        variance=outcome.known_variance_by_group(),
        value=outcome.inclusive_value_by_group(),
        decimals=share_decimals(estimate.half_width[0]),
        agents=clean(labels.get("agents") or "agents"),
        choices=clean(labels.get("choices") or "choices"),
        unit=clean(labels.get("inclusive_value") or "utility units"),
        segmentations=_segmentations(outcome, _mapping(result.scenario.get("segments"))),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _marks(names: tuple[str, ...], shares: FloatArray) -> tuple[Mark, ...]:
    if len(names) <= MAX_CATEGORIES:
        return marks_for(names)
    largest = np.argsort(-np.nan_to_num(shares), kind="stable")[: MAX_CATEGORIES - 1]
    shown = sorted(int(place) for place in largest)
    chosen = dict(zip(shown, marks_for([names[place] for place in shown]), strict=True))
    return tuple(chosen.get(place, OTHER) for place in range(len(names)))


def _segmentations(outcome: ChoiceOutcome, segments: Mapping[str, Any]) -> tuple[GroupSet, ...]:
    by_name: dict[str, list[int]] = {}
    for group in outcome.groups[1:]:
        by_name.setdefault(group.segment, []).append(group.position)
    label = {group.position: real_minus(clean(group.label)) for group in outcome.groups}
    return tuple(
        GroupSet(
            name=clean(name).replace("_", " "),
            labels=distinct([label[position] for position in positions]),
            positions=np.asarray(positions, dtype=np.int64),
            ordered="edges" in _mapping(segments.get(name))
            or all(_is_number(label[place].replace(MINUS, "-")) for place in positions),
        )
        for name, positions in by_name.items()
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
