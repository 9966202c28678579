"""Captions of the figures of a comparison: what each of them shows, in a sentence."""

from __future__ import annotations

import numpy as np

from choicekit.report.kinds.choice.comparison.view import ComparisonView, FloatArray, PolicyView
from choicekit.report.kinds.choice.comparison.words import (
    amount,
    flow_text,
    group_label,
    names_of,
    points_text,
    title_of,
    winners,
    worth_gap,
)
from choicekit.report.numbers import count, percent, points
from choicekit.report.text import capitalise, in_sentence, join_words

__all__ = ["change_finding", "switching_finding", "worth_finding", "worth_group_finding"]

_MOST_NAMED = 3


def change_finding(compared: ComparisonView, policy: PolicyView) -> str:
    """Say who gains and who loses under a policy."""
    title = title_of(policy)
    if policy.place is None:
        return f"{title} changes no share"
    change = np.where(policy.kept, np.nan_to_num(policy.change[0]), 0.0)
    gains, losses = _leaders(compared, change), _leaders(compared, -change)
    new = [int(place) for place in np.flatnonzero(policy.offered & ~compared.offered)]
    if new:
        return _drawn(compared, policy, new, losses, change)
    if not gains and not losses:
        return f"{title} hardly changes any share"
    n_gains, n_losses = _number(compared, change), _number(compared, -change)
    parts = []
    for leaders, number, verb in ((gains, n_gains, "gains"), (losses, n_losses, "loses")):
        if not leaders:
            continue
        names = names_of(compared, leaders)
        verb = verb if len(leaders) == 1 else verb.removesuffix("s")
        alone = "alone " if number == 1 else ""
        most = "" if number == len(leaders) else " most"
        each = " each" if len(leaders) > 1 else ""
        parts.append(f"{names} {alone}{verb}{most}, {points_text(compared, change[leaders[0]])}{each}")
    return f"{title}: {'; '.join(parts)}"


def _least(compared: ComparisonView) -> float:
    """Below this, a change reads as none."""
    return 0.5 * 10.0 ** (-2 - compared.decimals)


def _number(compared: ComparisonView, change: FloatArray) -> int:
    return int((change > _least(compared)).sum())


def _leaders(compared: ComparisonView, change: FloatArray) -> list[int]:
    """Return the places of the largest gain, with those that read the same."""
    largest = float(change.max(initial=0.0))
    if not largest > _least(compared):
        return []
    shown = points(largest, compared.decimals)
    return [place for place in range(len(change)) if points(float(change[place]), compared.decimals) == shown]


def _drawn(compared: ComparisonView, policy: PolicyView, new: list[int], losses: list[int], change: FloatArray) -> str:
    choices = in_sentence(compared.base.choices)
    names = [in_sentence(compared.names[place]) for place in new[:_MOST_NAMED]]
    drawn = [percent(float(policy.shares[0, place]), compared.decimals) for place in new[:_MOST_NAMED]]
    texts = [f"{names[0]} would draw {drawn[0]} of {choices}"]
    texts += [f"{name} {part}" for name, part in zip(names[1:], drawn[1:], strict=True)]
    if len(new) > _MOST_NAMED:
        texts.append(f"{count(len(new) - _MOST_NAMED)} more others")
    if losses:
        verb = "gives" if len(losses) == 1 else "give"
        loser = f"; {names_of(compared, losses)} {verb} up most, {points_text(compared, change[losses[0]])}"
    else:
        loser = ""
    title = "" if names[0] == in_sentence(policy.title) else f"{title_of(policy)}: "
    return capitalise(f"{title}{join_words(texts)}{loser}")


def switching_finding(compared: ComparisonView, policy: PolicyView) -> str:
    """Say how many switch under a policy, and between which alternatives most."""
    choices = in_sentence(compared.base.choices)
    return f"{percent(policy.switched, compared.decimals)} of {choices} switch, {flow_text(compared, policy)}"


def worth_finding(compared: ComparisonView) -> str:
    """Say which policy is worth most and which least, or for one alone who wins and loses; of `valued` ones."""
    known = compared.valued
    if len(known) == 1:
        worth = known[0].worth
        return f"{title_of(known[0])}: {winners(compared, float(worth.gain[0]), float(worth.lose[0]))}"
    means = [float(policy.worth.mean[0]) for policy in known]
    best, worst = int(np.argmax(means)), int(np.argmin(means))
    if means[best] == means[worst]:
        return f"All policies are worth the same on average, {amount(compared, means[best], signed=True)}"
    names = [in_sentence(known[place].title) for place in (best, worst)]
    texts = [amount(compared, means[place], signed=True) for place in (best, worst)]
    if means[best] <= 0:
        return f"On average {names[1]} costs most, {texts[1]}, and {names[0]} least, {texts[0]}"
    end = "costs most" if means[worst] < 0 else "least"
    return f"On average {names[0]} is worth most, {texts[0]}, and {names[1]} {end}, {texts[1]}"


def worth_group_finding(compared: ComparisonView, policy: PolicyView) -> str:
    """Say which group a policy is worth most to, and which least."""
    title, gap = title_of(policy), worth_gap(compared, policy)
    if gap is None:
        return f"{title}: no group gains or loses more than another"
    groups, low, high = gap
    means = [float(policy.worth.mean[groups.positions[place]]) for place in (low, high)]
    names = [group_label(groups, place) for place in (low, high)]
    texts = [amount(compared, mean, signed=True) for mean in means]
    if means[1] <= 0:
        return f"{title}: on average {names[0]} lose most, {texts[0]}, and {names[1]} least, {texts[1]}"
    end = "lose most" if means[0] < 0 else "least"
    return f"{title}: on average {names[1]} gain most, {texts[1]}, and {names[0]} {end}, {texts[0]}"
