"""What a choice study found, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from choicekit.report.content import Fact
from choicekit.report.kinds.choice.rules import rule_words
from choicekit.report.kinds.choice.view import ChoiceView, GroupSet
from choicekit.report.numbers import THIN, column_decimals, count, described, fixed, percent, points, share, significant
from choicekit.report.text import capitalise, in_sentence, join_words
from choicekit.report.verdict import failure

__all__ = [
    "SMALLEST_GROUP",
    "agreement_finding",
    "facts",
    "finding",
    "group_finding",
    "inclusive_value_text",
    "is_large",
    "lead",
    "rule_text",
    "simulated_text",
    "title",
    "widest_gap",
]

FloatArray = npt.NDArray[np.float64]

SMALLEST_GROUP = 0.05
"""Least part of the rows that a group needs for findings to speak of it."""

_LONG = 1e7  # numbers from here on are read more easily in powers of ten
_MOST_NAMED = 3  # more names than this make a sentence a list


def title(view: ChoiceView) -> str:
    """State the finding; where a check failed, that is the finding."""
    if not view.result.passed:
        return failure(view.result.checks)
    if view.leading is None:
        return f"Nobody chooses: nothing is available to any of {described(view.outcome.n_agents, view.agents)}"
    return finding(view.names, view.expected[0], choices=view.choices, decimals=view.decimals)


def finding(names: Sequence[str], shares: FloatArray, *, choices: str = "choices", decimals: int = 1) -> str:
    """Say what is chosen most.

    Parameters
    ----------
    names : sequence of str
    shares : ndarray (J,)
        Expected shares.
    choices : str
        What the study calls a choice, in the plural.
    decimals : int
        Of percentages; shares that read alike are called equal.

    Returns
    -------
    str

    Examples
    --------
    >>> finding(["air", "train", "car"], np.array([0.276, 0.443, 0.281]), choices="trips").replace("\u202f", " ")
    'Train is chosen most, for 44.3 % of trips; car follows with 28.1 %'
    >>> finding(["air", "train"], np.array([0.5, 0.5])).replace("\u202f", " ")
    'Air and train are chosen equally often, for 50.0 % of choices each'
    """
    order = np.argsort(-shares, kind="stable")
    words = [in_sentence(names[place]) for place in order]
    shown = [percent(float(shares[place]), decimals) for place in order]
    ties = [place for place, text in enumerate(shown) if text == shown[0]]
    if len(names) == 1:
        return f"All {choices} go to {words[0]}, the only alternative"
    if shares[order[0]] >= 1 - 0.5 * 10.0 ** (-2 - decimals):
        every = "all" if shares[order[0]] >= 1 - 1e-12 else "practically all"
        return capitalise(f"{words[0]} is chosen for {every} {choices}")
    if len(ties) == len(names):
        who = join_words(words) if len(names) <= _MOST_NAMED else f"the {count(len(names))} alternatives"
        return capitalise(f"{who} are chosen equally often, for {shown[0]} of {choices} each")
    if len(names) == 2:
        return capitalise(f"{words[0]} is chosen for {shown[0]} of {choices}, {words[1]} for {shown[1]}")
    if len(ties) > _MOST_NAMED:
        return f"{len(ties)} of {count(len(names))} alternatives are chosen most, for {shown[0]} of {choices} each"
    return capitalise(f"{_most(words[: len(ties)], shown[0], choices)}; {_followers(words, shown, len(ties))}")


def _most(words: list[str], shown: str, choices: str) -> str:
    if len(words) == 1:
        return f"{words[0]} is chosen most, for {shown} of {choices}"
    return f"{join_words(words)} are chosen most, for {shown} of {choices} each"


def _followers(words: list[str], shown: list[str], first: int) -> str:
    followers = [word for word, text in zip(words, shown, strict=True) if text == shown[first]]
    if len(followers) == 1:
        return f"{followers[0]} follows with {shown[first]}"
    if len(followers) > _MOST_NAMED:
        return f"{len(followers)} others follow with {shown[first]} each"
    return f"{join_words(followers)} follow with {shown[first]} each"


def lead(view: ChoiceView) -> str:
    """Say what was run and what came out, in a paragraph that can be quoted."""
    sentences = [_what_was_run(view)]
    if view.leading is not None:
        sentences += [_headline(view, view.leading), *_observed(view)]
        sentences.append(f"The mean inclusive value is {inclusive_value_text(view)}.")
    gap = widest_gap(view)
    if gap is not None:
        sentences.append(_gap_sentence(view, *gap))
    if view.outcome.n_idle:
        sentences.append(_idle(view))
    return " ".join(sentences)


def _what_was_run(view: ChoiceView) -> str:
    outcome = view.outcome
    who = described(outcome.n_agents, view.agents)
    among = described(len(view.names), "alternatives")
    verb = "chooses" if outcome.n_agents == 1 else "choose"
    times = f"{count(outcome.replications)} times over" if outcome.replications > 1 else "once"
    occasions = f" in {count(outcome.n_rows)} situations" if outcome.n_rows != outcome.n_agents else ""
    weighing = ", weighted," if outcome.weighted else ""
    return f"{who}{weighing} {verb} among {among}{occasions}, simulated {times} by {rule_text(view)}."


def _headline(view: ChoiceView, place: int) -> str:
    name = in_sentence(view.names[place])
    return (
        f"The expected share of {name} is {percent(float(view.expected[0, place]), view.decimals)} of {view.choices}; "
        f"simulated, it is {simulated_text(view, 0, place)}{THIN}% (95{THIN}% simulation interval)."
    )


def simulated_text(view: ChoiceView, group: int, place: int) -> str:
    """Return "30.2 ± 0.4", in percent."""
    found, half = float(view.estimate.share[group, place]), float(view.estimate.half_width[group, place])
    text = share(found, view.decimals)
    return f"{text} ± {share(half, view.decimals)}" if half > 0 else text


def inclusive_value_text(view: ChoiceView) -> str:
    """Return the mean inclusive value with its unit."""
    value = float(view.value[0])
    shown = significant(value) if abs(value) >= _LONG else fixed(value, column_decimals(view.value[:1]))
    return f"{shown} {in_sentence(view.unit)}"


def _largest_miss(view: ChoiceView) -> tuple[int, float] | None:
    """Alternative whose expected share is farthest from the observed one, and by how much."""
    difference = view.expected[0] - view.observed[0]
    if not np.isfinite(difference).any():
        return None
    place = int(np.nanargmax(np.abs(difference)))
    return place, float(difference[place])


def _observed(view: ChoiceView) -> list[str]:
    miss = _largest_miss(view) if view.outcome.has_observed else None
    if miss is None:
        return []
    place, difference = miss
    shown = points(abs(difference), view.decimals)
    if float(shown) == 0:
        return ["Expected shares equal the observed ones to the digits shown."]
    return [
        f"Expected shares differ from the observed ones by at most {shown} points ({in_sentence(view.names[place])})."
    ]


def agreement_finding(view: ChoiceView) -> str:
    """Caption of the shares figure: how the three kinds of shares agree."""
    gap = np.abs(view.estimate.share[0] - view.expected[0])
    if not np.isfinite(gap).any():
        return "There are no shares: nobody chooses"
    within = points(float(np.nanmax(gap)), view.decimals)
    near = "equal" if float(within) == 0 else f"stay within {within} points of"
    first = f"Simulated shares {near} the expected ones"
    miss = _largest_miss(view) if view.outcome.has_observed else None
    if miss is None:
        return first
    name, shown = in_sentence(view.names[miss[0]]), points(abs(miss[1]), view.decimals)
    if float(shown) == 0:
        return f"{first}, and those equal what was observed"
    return f"{first}; {name} is expected {shown} points {'more' if miss[1] > 0 else 'less'} often than was observed"


def widest_gap(view: ChoiceView, among: Sequence[GroupSet] | None = None) -> tuple[GroupSet, int, int, int] | None:
    """Find segmentation, alternative, lowest and highest group of the largest difference; None where nothing differs.

    Groups with less than 5 % of the rows are passed over: what is extreme in a handful of agents is no finding.
    """
    best, found = 0.5 * 10.0 ** (-2 - view.decimals), None
    for groups in view.segmentations if among is None else among:
        shares = np.where(is_large(view, groups)[:, None], view.expected[groups.positions], np.nan)
        if not np.isfinite(shares).any():
            continue
        spans = np.nanmax(shares, axis=0) - np.nanmin(shares, axis=0)
        place = int(np.argmax(spans))
        if spans[place] > best:
            best = float(spans[place])
            found = groups, place, int(np.nanargmin(shares[:, place])), int(np.nanargmax(shares[:, place]))
    return found


def is_large(view: ChoiceView, groups: GroupSet) -> npt.NDArray[np.bool_]:
    """Tell which groups have at least 5 % of the rows that choose."""
    return np.asarray(
        (view.rows[groups.positions] >= SMALLEST_GROUP * view.rows[0]) & (view.rows[groups.positions] > 0)
    )


def _gap_sentence(view: ChoiceView, groups: GroupSet, place: int, low: int, high: int) -> str:
    ends = [_in_group(view, groups, place, end) for end in (low, high)]
    return (
        f"The widest gap between groups is by {in_sentence(groups.name)}: the expected share of "
        f"{in_sentence(view.names[place])} runs from {ends[0]} to {ends[1]}."
    )


def _in_group(view: ChoiceView, groups: GroupSet, place: int, group: int) -> str:
    found = float(view.expected[groups.positions[group], place])
    label = in_sentence(groups.labels[group])
    # A bare number says little: "party size 2" does.
    return f"{percent(found, view.decimals)} ({f'{in_sentence(groups.name)} {label}' if label.isnumeric() else label})"


def group_finding(view: ChoiceView, groups: GroupSet) -> str:
    """Caption of the figure of one segmentation."""
    gap = widest_gap(view, [groups])
    name = in_sentence(groups.name)
    if gap is None:
        some = int((view.rows[groups.positions] > 0).sum())
        if some == 1:
            return f"All {view.agents} are in one group of {name}"
        return f"Shares do not differ by {name}"
    _, place, low, high = gap
    shares = view.expected[groups.positions, place][is_large(view, groups)]
    who = capitalise(in_sentence(view.names[place]))
    if groups.ordered and (np.all(np.diff(shares) >= 0) or np.all(np.diff(shares) <= 0)):
        ends = (low, high) if low < high else (high, low)
        texts = [_in_group(view, groups, place, end) for end in ends]
        return f"{who} {'gains' if low < high else 'loses'} most with {name}: from {texts[0]} to {texts[1]}"
    texts = [_in_group(view, groups, place, end) for end in (low, high)]
    return f"{who} differs most by {name}: from {texts[0]} to {texts[1]}"


def _idle(view: ChoiceView) -> str:
    idle, total = count(view.outcome.n_idle), count(view.outcome.n_rows)
    rows = "rows" if view.outcome.n_idle > 1 else "row"
    treated = "left out" if view.outcome.study.model.on_no_alternative != "outside" else "counted as the outside option"
    verb = "have" if view.outcome.n_idle > 1 else "has"
    return f"{idle} {rows} of {total} {verb} nothing available and {'are' if verb == 'have' else 'is'} {treated}."


def rule_text(view: ChoiceView) -> str:
    """Return the rule with its settings, such as "softmax with T = 1", or those that classes mix."""
    rules = dict.fromkeys(rule_words(rule) for rule in view.outcome.study.model.rules)
    return " or ".join(rules)


def facts(view: ChoiceView) -> tuple[Fact, ...]:
    """Strip of numbers below the lead."""
    outcome = view.outcome
    pairs = [(view.agents, count(outcome.n_agents))]
    if outcome.n_rows != outcome.n_agents:
        pairs.append(("situations in all", count(outcome.n_rows)))
    if outcome.n_idle:
        pairs.append(("with nothing available", count(outcome.n_idle)))
    if outcome.weighted:
        pairs.append(("sum of weights", significant(float(outcome.tally.weight[0]), 6)))
    pairs += [
        ("alternatives", count(len(view.names))),
        ("rule", rule_text(view).replace(" with", ",")),
        ("replications", f"{count(outcome.replications)}, {outcome.sampling}"),
        ("seed", str(outcome.seed)),
    ]
    return tuple(Fact(name=name, value=value) for name, value in pairs)
