"""What keeps a comparison from being trusted: money worth nothing, noise in switches, a ratio without moments."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from choicekit.choice.policies.money import money_faults
from choicekit.choice.policies.paired_tally import PairedTally
from choicekit.choice.policies.policy import Policy
from choicekit.choice.policies.row_sums import RowSums
from choicekit.choice.policies.study import ComparisonStudy
from choicekit.counting import counted

__all__ = ["money_is_uncertain", "money_problems", "warnings_after", "warnings_before"]

_ENOUGH = 100  # fewer have but two beyond each end of an interval
_LITTLE = 0.05  # part of the mean below which money counts for next to nothing
_SAFE = 5.0  # standard errors from zero at which a normal cost coefficient practically never changes sign


def money_problems(study: ComparisonStudy) -> list[str]:
    """Return what is wrong with the marginal utility of money: it must be positive for everybody.

    Parameters
    ----------
    study : ComparisonStudy

    Returns
    -------
    list of str
        At most one, of the first agent.
    """
    return [] if study.money is None else list(islice(money_faults(study.money, study.baseline.types), 1))


def warnings_before(study: ComparisonStudy) -> Iterator[str]:
    """Yield what is known before a comparison is run to make its numbers mean less than they seem to.

    Parameters
    ----------
    study : ComparisonStudy
    """
    fast = [case.name for case in study.cases if case.sampler.sampling == "fast"]
    if fast:
        yield (
            f"choices are drawn by sampling 'fast' ({', '.join(fast)}): agents then also switch between alternatives "
            "that have not changed, so switches mix in noise; shares and welfare are right"
        )
    ruled = [case.name for case in study.cases[1:] if case.model.rules != study.baseline.model.rules]
    if ruled:
        yield (
            f"another rule or temperature changes what the same utilities are worth ({', '.join(ruled)}): the change "
            "in welfare is mostly that, and not a gain or loss that agents would feel; shares and switches are meant"
        )
    members = {name for formula in study.baseline.model.memberships.values() for name in formula.names}
    joining = [name for name, policy in study.policies.items() if _changed_names(policy) & members]
    if joining:
        yield (
            f"who belongs to which class stays as in the baseline, though memberships use what changes "
            f"({', '.join(joining)}): only utilities change"
        )
    if study.money is not None:
        dearer = [name for name, policy in study.policies.items() if _changed_names(policy) & study.money.names]
        if dearer:
            yield (
                f"what money is worth changes with {study.money.text!r} ({', '.join(dearer)}): welfare in money "
                "divides by what it is worth in the baseline; welfare in units of utility needs no such choice"
            )
    few = {"bootstrap": study.bootstrap, "parameter_draws": study.parameter_draws if study.covariance else 0}
    for name, number in few.items():
        if 0 < number < _ENOUGH:
            yield (
                f"{name} is {number}, but the ends of a 95 % interval need at least {_ENOUGH}: take the intervals for "
                "rough, or raise it"
            )
    yield from _spread_warnings(study)


def _spread_warnings(study: ComparisonStudy) -> Iterator[str]:
    """Yield the same trap among agents: few to whom money is worth next to nothing make up a mean in money."""
    if study.money is None or study.money.names <= study.baseline.model.coefficients.keys():
        return
    units = study.money_utility(slice(None))
    if units is not None and 0 < units.min() < _LITTLE * units.mean():
        yield (
            f"money is worth {units.mean() / units.min():.0f} times less to some agents than on average, by "
            f"{study.money.text!r}: the mean change in money is mostly theirs, so look at the median"
        )


def warnings_after(study: ComparisonStudy, tally: PairedTally, parameters: RowSums | None) -> Iterator[str]:
    """Yield what a comparison has found to make its numbers mean less than they seem to.

    Parameters
    ----------
    study : ComparisonStudy
    tally : PairedTally
    parameters : RowSums, optional
        Over draws of the coefficients.
    """
    for name, pair in zip(study.policies, tally.pairs, strict=True):
        stranded, joined = int(pair.stranded[0]), int(pair.joined[0])
        if stranded or joined:
            lost = [f"{counted(stranded, 'row')} with nothing left to choose"] if stranded else []
            found = [f"{counted(joined, 'row')} with a choice under the policy alone"] if joined else []
            yield (
                f"policy {name!r} has {' and '.join(lost + found)}: welfare leaves them out, though they may be who it "
                "hits or helps most"
            )
    if study.money is not None and parameters is not None:
        yield from _money_warnings(study, parameters)


def _changed_names(policy: Policy) -> set[str]:
    return {*policy.coefficients, *policy.attributes}


def money_is_uncertain(study: ComparisonStudy, parameters: RowSums | None) -> bool:
    """Whether the marginal utility of money may be zero, so that an amount of money has neither mean nor variance."""
    return parameters is not None and study.money is not None and bool(list(_money_warnings(study, parameters)))


def _money_warnings(study: ComparisonStudy, parameters: RowSums) -> Iterator[str]:
    """Yield the trap of a ratio: where its divisor may be zero it has no mean and no variance."""
    layout, money = study.layout, study.money
    units = parameters.totals[:, 0, layout.money_utility]
    wrong = int((parameters.totals[:, 0, layout.money_utility + 1] > 0).sum())
    spread = float(units.std(ddof=1)) if units.size > 1 else 0.0
    distance = float(units.mean()) / spread if spread > 0 else np.inf
    said = [f"is only {max(distance, 0.0):.1f} standard errors from zero"] if distance < _SAFE else []
    said += [f"has the wrong sign for somebody in {wrong} of {units.size} draws"] if wrong else []
    if money is not None and said:
        yield (
            f"the cost coefficient {money.text!r} {' and '.join(said)}: "
            "welfare in money divides by it, and a ratio whose divisor may be zero has neither mean nor variance; its "
            "interval is made of quantiles, which exist, but gains in units of utility are the safer number"
        )
