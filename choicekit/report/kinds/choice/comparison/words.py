"""Words that several parts of a comparison use: who wins, how much, from where to where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from choicekit.report.kinds.choice.comparison.view import ComparisonView, FloatArray, PolicyView
from choicekit.report.kinds.choice.view import GroupSet
from choicekit.report.kinds.choice.words import SMALLEST_GROUP
from choicekit.report.numbers import count, fixed, percent, points
from choicekit.report.text import capitalise, in_sentence, join_words, singular

__all__ = [
    "amount",
    "flow_text",
    "group_label",
    "main_flow",
    "names_of",
    "one_of",
    "points_text",
    "title_of",
    "winners",
    "worth_gap",
]

_MOST_NAMED = 3
_ALL = 1 - 1e-9


def title_of(policy: PolicyView) -> str:
    """Return the name of a policy for the beginning of a sentence."""
    return capitalise(in_sentence(policy.title))


def names_of(compared: ComparisonView, places: Sequence[int]) -> str:
    """Name up to three alternatives, or count them."""
    if len(places) > _MOST_NAMED:
        return f"{count(len(places))} alternatives"
    return join_words([in_sentence(compared.names[place]) for place in places])


def one_of(noun: str) -> str:
    """Return the singular of what the study calls its choices.

    Examples
    --------
    >>> one_of("trips"), one_of("Reisen")
    ('trip', 'Reisen')
    """
    return in_sentence(singular(noun))


def points_text(compared: ComparisonView, change: float) -> str:
    """Return "+5.7 points"."""
    return f"{points(float(change), compared.decimals, signed=True)} points"


def amount(compared: ComparisonView, value: float, *, signed: bool = False) -> str:
    """Return an amount of welfare with its unit, such as "7.26 $"."""
    return f"{fixed(value, compared.worth_decimals, signed=signed)}\u00a0{in_sentence(compared.worth_unit)}"


def main_flow(switching: FloatArray) -> tuple[int, int, float] | None:
    """Return from where to where most switch, and which part of all who switch they are; None where nobody does.

    Examples
    --------
    >>> main_flow(np.array([[0.5, 0.3], [0.1, 0.1]]))
    (0, 1, 0.75)
    """
    moved = moves(switching)
    total = float(moved.sum())
    if not total > 0:
        return None
    origin, target = divmod(int(np.argmax(moved)), len(moved))
    return origin, target, round(float(moved[origin, target]) / total, 12)


def moves(switching: FloatArray) -> FloatArray:
    """Return the table without those who stay.

    Examples
    --------
    >>> moves(np.array([[0.5, 0.3], [0.1, 0.1]]))
    array([[0. , 0.3],
           [0.1, 0. ]])
    """
    return np.where(np.eye(len(switching), dtype=bool), 0.0, np.nan_to_num(switching))


def flow_text(compared: ComparisonView, policy: PolicyView) -> str:
    """Say from where to where those go who switch: "all to train, 47 % of them from car"; empty where nobody does."""
    flow = main_flow(policy.switching[0])
    if flow is None:
        return ""
    origin, target, part = flow
    moved, names = (
        moves(policy.switching[0]),
        (in_sentence(compared.names[origin]), in_sentence(compared.names[target])),
    )
    total, size = float(moved.sum()), f"most ({percent(part, 0)})" if part > 0.5 else percent(part, 0)
    if part > _ALL:
        return f"all from {names[0]} to {names[1]}"
    if moved[:, target].sum() > _ALL * total:
        return f"all to {names[1]}, {size} of them from {names[0]}"
    if moved[origin].sum() > _ALL * total:
        return f"all from {names[0]}, {size} of them to {names[1]}"
    return f"{size} of them from {names[0]} to {names[1]}"


def winners(compared: ComparisonView, gain: float, lose: float) -> str:
    """Say who is better and who is worse off."""
    everyone = in_sentence(compared.rows)
    if gain == 0 and lose == 0:
        return "nobody is better or worse off"
    if gain > _ALL or lose > _ALL:
        return f"all {everyone} are {'better' if gain > lose else 'worse'} off"
    if lose == 0:
        return f"{percent(gain, 0)} of {everyone} are better off and nobody is worse off"
    if gain == 0:
        return f"{percent(lose, 0)} of {everyone} are worse off and nobody is better off"
    return f"{percent(gain, 0)} of {everyone} are better off, {percent(lose, 0)} worse off"


def worth_gap(compared: ComparisonView, policy: PolicyView) -> tuple[GroupSet, int, int] | None:
    """Find segmentation, lowest and highest group of the largest difference in mean welfare; None where none differ.

    Groups with less than 5 % of the rows are passed over.
    """
    rows, mean = np.asarray(policy.outcome.rows), policy.worth.mean
    best, found = 1e-9 * abs(float(np.nan_to_num(mean[0]))), None
    for groups in compared.base.segmentations:
        large = (rows[groups.positions] >= SMALLEST_GROUP * rows[0]) & (rows[groups.positions] > 0)
        means = np.where(large, mean[groups.positions], np.nan)
        if np.isfinite(means).sum() < 2:
            continue
        low, high = int(np.nanargmin(means)), int(np.nanargmax(means))
        if means[high] - means[low] > best:
            best, found = float(means[high] - means[low]), (groups, low, high)
    return found


def group_label(groups: GroupSet, place: int) -> str:
    """Return the name of a group; a bare number says little: "party size 2" does."""
    label = in_sentence(groups.labels[place])
    return f"{in_sentence(groups.name)} {label}" if label.isnumeric() else label
