"""What `capacity:` found, made ready to be shown: cases with their names, in money where it has a value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.choice.policies.cases import BASELINE
from choicekit.report.kinds.choice.comparison.view import comparison_of
from choicekit.report.kinds.choice.view import ChoiceView
from choicekit.report.numbers import column_decimals
from choicekit.report.text import clean, display_names, singular
from choicekit.scenario.choice.capacity import CapacityCase, CapacityOutcome

__all__ = ["CaseView", "CrowdingView", "Worth", "crowding_of", "half_width"]

FloatArray = npt.NDArray[np.float64]

_NORMAL = 1.959964  # half a 95 % interval in standard errors


@dataclass(frozen=True, kw_only=True)
class Worth:
    """What a policy is worth on average against the baseline under the same regime, in units of utility.

    Attributes
    ----------
    unlimited : float
        If everybody fitted in.
    priced, refunded : float
        With prices: paid, and given back to all. nan where prices were not asked for.
    rationed, rationed_error : float
        Under rationing, and the standard error of the mean over draws that both cases share; nan where losses are not
        known, or somebody has nothing.
    """

    unlimited: float
    priced: float
    refunded: float
    rationed: float
    rationed_error: float


@dataclass(frozen=True, kw_only=True)
class CaseView:
    """One case.

    Attributes
    ----------
    key, name : str
        As in the scenario, and as shown.
    case : CapacityCase
    full : tuple of int
        Positions of the alternatives that are full: at a price above 0, or in at least half of all draws.
    worth : Worth or None
        None for the baseline.
    displaced_change : tuple of float
        Of the share displaced by rationing against the baseline, with its standard error; nan where there is none.
    """

    key: str
    name: str
    case: CapacityCase
    full: tuple[int, ...]
    worth: Worth | None
    displaced_change: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class CrowdingView:
    """What the section needs.

    Attributes
    ----------
    base : ChoiceView
    found : CapacityOutcome
    cases : tuple of CaseView
        The baseline first.
    names : dict of str to str
        Alternatives as shown.
    factor : float
        What utilities are multiplied by.
    unit : str
        What that makes them.
    decimals : int
        Of amounts.
    """

    base: ChoiceView
    found: CapacityOutcome
    cases: tuple[CaseView, ...]
    names: dict[str, str]
    factor: float
    unit: str
    decimals: int

    @property
    def baseline(self) -> CaseView:
        """The case without policies."""
        return self.cases[0]

    @property
    def priced(self) -> bool:
        """Whether prices were asked for."""
        return self.baseline.case.prices is not None

    @property
    def rationed(self) -> bool:
        """Whether rationing was asked for."""
        return self.baseline.case.rationed is not None

    @property
    def who(self) -> str:
        """What shares are of: agents where each chooses once and counts once, their choices otherwise."""
        outcome = self.base.outcome
        once = outcome.n_rows == outcome.n_agents and not outcome.weighted
        return self.base.agents if once else self.base.choices

    @property
    def each(self) -> str:
        """What means are per."""
        return singular(self.base.choices)


def crowding_of(view: ChoiceView) -> CrowdingView | None:
    """Work out what the section needs; None where nobody asked."""
    found: CapacityOutcome | None = getattr(view.result, "capacity", None)
    if found is None:
        return None
    factor = 1.0 if found.plan.money is None else found.plan.money
    unit = view.unit if found.plan.money is None else clean(found.plan.unit or "units of money")
    compared = comparison_of(view)
    titles = {} if compared is None else {policy.outcome.name: policy.title for policy in compared.policies}
    alternatives = {name: None for case in found.cases.values() for name in _alternatives(case)}
    cases = tuple(_case(key, titles.get(key, clean(key)), found) for key in found.cases)
    return CrowdingView(
        base=view,
        found=found,
        cases=cases,
        names=dict(zip(alternatives, display_names([*alternatives]), strict=True)),
        factor=factor,
        unit=unit,
        decimals=max(column_decimals(factor * np.array([*_amounts(cases)] or [1.0])), 2),
    )


def _alternatives(case: CapacityCase) -> tuple[str, ...]:
    of = case.prices or case.rationed
    return () if of is None else of.alternatives


def _amounts(cases: tuple[CaseView, ...]) -> list[float]:
    """Return the amounts that a table has side by side."""
    found = [float(each.case.prices.price.max()) for each in cases if each.case.prices is not None]
    found += [each.case.rationed.mean_loss for each in cases if each.case.rationed is not None]
    return [value for value in found if np.isfinite(value) and value > 0]


def _case(key: str, name: str, found: CapacityOutcome) -> CaseView:
    case, before = found.cases[key], found.cases[BASELINE]
    if case.prices is not None:
        full = np.flatnonzero(case.prices.price > 0)
    elif case.rationed is not None:
        full = np.flatnonzero(case.rationed.to_frame()["full"].to_numpy() >= 0.5)
    else:
        full = np.zeros(0, dtype=np.int64)
    return CaseView(
        key=key,
        name=name,
        case=case,
        full=tuple(int(place) for place in full),
        worth=None if key == BASELINE else _worth(case, before),
        displaced_change=_change(case, before, "displaced"),
    )


def _worth(case: CapacityCase, before: CapacityCase) -> Worth:
    unlimited = case.inclusive_value - before.inclusive_value
    priced = refunded = rationed = error = np.nan
    if case.incidence is not None and before.incidence is not None:
        now, then = (each.to_frame().iloc[0] for each in (case.incidence, before.incidence))
        priced = unlimited - float(now["mean_loss"] - then["mean_loss"])
        refunded = unlimited - float(now["net_loss"] - then["net_loss"])
    if not any(each.rationed is None or each.rationed.stranded.any() for each in (case, before)):
        change, error = _change(case, before, "loss")
        rationed = unlimited - change
    return Worth(unlimited=unlimited, priced=priced, refunded=refunded, rationed=rationed, rationed_error=error)


def _change(case: CapacityCase, before: CapacityCase, name: str) -> tuple[float, float]:
    """Return the mean change of a share or loss over draws that are common to both, and its standard error."""
    if case.rationed is None or before.rationed is None:
        return np.nan, np.nan
    now, then = (getattr(each, name)[:, 0] / each.weight[0] for each in (case.rationed, before.rationed))
    changes: FloatArray = now - then
    error = changes.std(ddof=1) / np.sqrt(len(changes)) if len(changes) > 1 else np.nan
    return float(changes.mean()), float(error)


def half_width(error: float) -> float:
    """Return half a 95 % interval."""
    return _NORMAL * error
