"""What a comparison found in one sentence, and the paragraph below it: who gains, who switches, how sure."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Fact
from choicekit.report.kinds.choice.comparison.intervals import (
    ErrorInterval,
    errors_of_share,
    errors_of_worth,
    interval_text,
    main_interval,
    plus_minus,
    source_text,
    span,
)
from choicekit.report.kinds.choice.comparison.view import ComparisonView, PolicyView
from choicekit.report.kinds.choice.comparison.words import (
    amount,
    flow_text,
    group_label,
    names_of,
    one_of,
    points_text,
    title_of,
    winners,
    worth_gap,
)
from choicekit.report.kinds.choice.words import rule_text
from choicekit.report.numbers import THIN, count, described, error_in_points, fixed, percent, points, share
from choicekit.report.text import capitalise, in_sentence, join_words

__all__ = ["comparison_facts", "comparison_lead", "comparison_verdict"]

_ALIKE = 1e-9  # relative difference of shares that are equal but for rounding
_MOST_SPOKEN = 2  # policies that the lead tells about


def comparison_verdict(compared: ComparisonView) -> str:
    """Return the largest effect over all policies in one sentence, with its interval.

    Parameters
    ----------
    compared : ComparisonView

    Returns
    -------
    str
        The interval is that of the coefficients where there is one, else of the agents, else of the simulation. An
        effect whose interval includes zero "may" be there, but for that of the simulation: expected changes are exact.
        An interval of the simulation stands beside the simulated number that it belongs to.
    """
    policy = compared.leading
    if policy.place is None:
        return _nothing(compared)
    if policy.filters:
        return _filtered(compared, policy, policy.place)
    if not compared.offered[policy.place]:
        return _drawn(compared, policy, policy.place)
    if _only_removes(policy):
        return _removed(compared, policy, policy.place)
    return _moved(compared, policy, policy.place)


def _nothing(compared: ComparisonView) -> str:
    choices = in_sentence(compared.base.choices)
    if len(compared.policies) == 1:
        return f"{title_of(compared.policies[0])} changes nothing: every share of {choices} stays as it is"
    return f"None of the {count(len(compared.policies))} policies changes any share of {choices}"


def _moved(compared: ComparisonView, policy: PolicyView, place: int) -> str:
    name, found = in_sentence(compared.names[place]), main_interval(policy, place)
    verb = "raise" if policy.change[0, place] > 0 else "lower"
    verb = f"may {verb}" if _is_open(found) else f"{verb}s"
    ends = f"{_from_to(compared, policy, place)} of {in_sentence(compared.base.choices)}"
    return f"{title_of(policy)} {verb} the share of {name} {ends} ({_effect(compared, policy, place)})"


def _is_open(found: ErrorInterval) -> bool:
    return found.includes_zero and found.source != "simulation"


def _from_to(compared: ComparisonView, policy: PolicyView, place: int) -> str:
    before, after = float(compared.baseline[0, place]), float(policy.shares[0, place])
    return f"from {share(before, compared.decimals)} to {percent(after, compared.decimals)}"


def _effect(compared: ComparisonView, policy: PolicyView, place: int) -> str:
    return f"{points_text(compared, policy.change[0, place])}; {interval_text(compared, policy, place)}"


def _only_removes(policy: PolicyView) -> bool:
    given = policy.outcome.policy
    others = (given.change, given.attributes, given.coefficients, given.availability, given.add, given.rule)
    return bool(given.remove) and not any(others)


def _removed(compared: ComparisonView, policy: PolicyView, place: int) -> str:
    """Say where those go who chose what is removed: to the alternative that gains most."""
    gone = [int(number) for number in np.flatnonzero(compared.offered & ~policy.offered)]
    lost = float(compared.baseline[0, gone].sum())
    part = float(policy.change[0, place]) / lost if lost > 0 else 0.0
    whose = f"{'its' if len(gone) == 1 else 'their'} {in_sentence(compared.base.choices)}"
    much = "all" if part > 1 - 1e-9 else "most" if part > 0.5 else "more"
    go = "may go" if _is_open(main_interval(policy, place)) else "go"
    rise = f"whose share rises {_from_to(compared, policy, place)}"
    effect = _effect(compared, policy, place)
    where = in_sentence(compared.names[place])
    if much == "more":
        if np.partition(policy.change[0], -2)[-2] >= policy.change[0, place] * (1 - _ALIKE):
            alone = rise.removeprefix("whose share ")
            return f"Without {names_of(compared, gone)}, the share of {where} {alone} ({effect})"
        where += " than to any other"
    return f"Without {names_of(compared, gone)}, {much} of {whose} {go} to {where}, {rise} ({effect})"


def _drawn(compared: ComparisonView, policy: PolicyView, place: int) -> str:
    """Say what a new alternative draws, and from which one most."""
    name, choices = in_sentence(compared.names[place]), in_sentence(compared.base.choices)
    under = "" if compared.names[place] == policy.title else f"under {in_sentence(policy.title)}, "
    given_up = np.where(policy.kept, -np.nan_to_num(policy.change[0]), 0.0)
    total, origin = float(policy.change[0, place]), int(np.argmax(given_up))
    part = float(given_up[origin]) / total if total > 0 else 0.0
    source = ""
    if part > 0:
        where = in_sentence(compared.names[origin])
        # no number here: the simulated one, told below, may differ from it in its last digit
        source = f", {'all' if part > 1 - 1e-9 else 'most'} of them from {where}"
        if part <= 0.5:
            alone = np.partition(given_up, -2)[-2] < given_up[origin] * (1 - _ALIKE)
            source = f", more of them from {where} than from any other" if alone else ""
    drawn = percent(float(policy.shares[0, place]), compared.decimals)
    interval = interval_text(compared, policy, place, drawn=True)
    return capitalise(f"{under}{name} would draw {drawn} of {choices} ({interval}){source}")


def _filtered(compared: ComparisonView, policy: PolicyView, place: int) -> str:
    name, choices = in_sentence(compared.names[place]), in_sentence(compared.base.choices)
    counted = (
        f"{count(int(policy.outcome.rows[0]))} of {count(int(compared.base.rows[0]))} {in_sentence(compared.rows)}"
    )
    after = percent(float(policy.shares[0, place]), compared.decimals)
    before = percent(float(compared.baseline[0, place]), compared.decimals)
    effect = _effect(compared, policy, place)
    return (
        f"Among those that {in_sentence(policy.title)} counts ({counted}), {name} has {after} of {choices} where it "
        f"has {before} among all ({effect})"
    )


def comparison_lead(compared: ComparisonView) -> str:
    """Say who gains, who switches and how sure that is, in a paragraph that can be quoted."""
    sentences = [_what_was_run(compared)]
    told = [policy for policy in compared.ranked if policy.place is not None][:_MOST_SPOKEN]
    for number, policy in enumerate(told):
        sentences += [_who_switches(compared, policy), _who_gains(compared, policy, sure=number == 0)]
        gap = worth_gap(compared, policy) if number == 0 and not policy.rescaled else None
        if gap is not None:
            low, high = (
                amount(compared, float(policy.worth.mean[gap[0].positions[end]]), signed=True) for end in gap[1:]
            )
            ends = f"{low} ({group_label(gap[0], gap[1])}) to {high} ({group_label(gap[0], gap[2])})"
            sentences.append(f"By {in_sentence(gap[0].name)}, the mean runs from {ends}.")
        if number == 0 and policy.place is not None:
            sentences.append(_how_sure(compared, policy, policy.place))
    if not told:
        moved = any(policy.worth.gain[0] > 0 or policy.worth.lose[0] > 0 for policy in compared.policies)
        alike = "Nobody’s probabilities change, and nobody is better or worse off."
        sentences.append("No share changes." if moved else alike)
    return " ".join(sentences)


def _what_was_run(compared: ComparisonView) -> str:
    base, n = compared.base, len(compared.policies)
    among = described(int(compared.offered.sum()), "alternatives")
    verb = "chooses" if base.outcome.n_agents == 1 else "choose"
    times = f", simulated {count(base.outcome.replications)} times over" if base.outcome.replications > 1 else ""
    under = f"{count(n)} policies" if n > 1 else in_sentence(compared.policies[0].title)
    weighing = ", weighted," if base.outcome.weighted else ""
    return (
        f"{described(base.outcome.n_agents, base.agents)}{weighing} {verb} among {among} by {rule_text(base)}, in "
        f"the baseline and under {under} with the same draws{times}."
    )


def _who_switches(compared: ComparisonView, policy: PolicyView) -> str:
    under = f"Under {in_sentence(policy.title)}"
    if policy.filters:
        under += f", of the {count(int(policy.outcome.rows[0]))} {in_sentence(compared.rows)} that it counts,"
    if not policy.switched > 0:
        seen = "" if policy.filters else f" in {described(compared.base.outcome.replications, 'replications')}"
        return f"{under} nobody is seen to switch{seen}."
    choices = in_sentence(compared.base.choices)
    return f"{under} {percent(policy.switched, compared.decimals)} of {choices} switch, {flow_text(compared, policy)}."


def _who_gains(compared: ComparisonView, policy: PolicyView, *, sure: bool) -> str:
    """Say what it is worth to the average agent, how sure that is, and who wins and loses."""
    worth = policy.worth
    mean, median, gain, lose = (float(values[0]) for values in (worth.mean, worth.median, worth.gain, worth.lose))
    if not np.isfinite(mean):
        return "Nobody chooses in both, so there is no change in welfare to speak of."
    if policy.rescaled:
        return "Its welfare is not compared: under another rule or temperature it is on another scale."
    if gain == 0 and lose == 0:
        return "Nobody is better or worse off."
    # What costs is told in positive numbers: "it costs 12.83 $".
    sign = -1.0 if mean < 0 else 1.0
    texts = [f"median {fixed(sign * median, compared.worth_decimals)}"]
    errors = errors_of_worth(policy)
    if sure and errors:
        low, high = sorted((sign * errors[-1].lower, sign * errors[-1].upper))
        ends = span(fixed(low, compared.worth_decimals), fixed(high, compared.worth_decimals))
        texts.append(f"95{THIN}% interval of the mean {ends} {source_text(compared, errors[-1].source)}")
    verb = "costs" if mean < 0 else "is worth"
    each = one_of(compared.base.choices)
    return (
        f"It {verb} {amount(compared, abs(mean))} a {each} on average ({'; '.join(texts)}); "
        f"{winners(compared, gain, lose)}."
    )


def _how_sure(compared: ComparisonView, policy: PolicyView, place: int) -> str:
    decimals = compared.decimals
    intervals = [
        f"{span(points(found.lower, decimals), points(found.upper, decimals))} {source_text(compared, found.source)}"
        for found in errors_of_share(policy, place)[1:]
    ]
    simulated = points(float(policy.estimate.change[0, place]), decimals, signed=True)
    near = plus_minus(100 * float(policy.estimate.half_width[0, place]), decimals)
    known = "exact"
    if compared.integrated:
        known = f"known to {error_in_points(policy.integration_error)} points (its integration error)"
    sentence = (
        f"The change of {in_sentence(compared.names[place])} by {points_text(compared, policy.effect)} is {known} for "
        f"these {in_sentence(compared.base.agents)} and coefficients, and {f'{simulated} {near}'.strip()} as simulated"
    )
    if not intervals:
        return f"{sentence} (95{THIN}% interval)."
    return f"{sentence}; its 95{THIN}% interval is {join_words(intervals)}."


def comparison_facts(compared: ComparisonView) -> tuple[Fact, ...]:
    """Return what the strip below the lead says of policies."""
    return (Fact(name="policies", value=count(len(compared.policies))),)
