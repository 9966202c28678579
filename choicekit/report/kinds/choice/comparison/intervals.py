"""The three errors of a change: from simulation, from the agents, from the coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from choicekit.choice.policies.estimates import Replicates
from choicekit.report.kinds.choice.comparison.view import ComparisonView, PolicyView
from choicekit.report.numbers import MINUS, THIN, fixed, percent, points

__all__ = ["ErrorInterval", "errors_of_share", "errors_of_worth", "interval_text", "main_interval"]


@dataclass(frozen=True, kw_only=True)
class ErrorInterval:
    """A 95 % interval of one change.

    Attributes
    ----------
    source : str
        ``"simulation"``, ``"agents"`` or ``"coefficients"``.
    lower, upper : float
    """

    source: str
    lower: float
    upper: float

    @property
    def includes_zero(self) -> bool:
        """Whether no change at all is within it."""
        return self.lower <= 0 <= self.upper


def errors_of_share(policy: PolicyView, place: int, group: int = 0) -> tuple[ErrorInterval, ...]:
    """Return the intervals of the change of one share, those there are."""
    estimate, outcome = policy.estimate, policy.outcome
    simulated = ErrorInterval(
        source="simulation", lower=float(estimate.lower[group, place]), upper=float(estimate.upper[group, place])
    )
    found = [simulated]
    for source, replicates in (("agents", outcome.agents), ("coefficients", outcome.parameters)):
        if replicates is not None:
            found.append(_interval(source, replicates.share_change[:, group, place]))
    return tuple(filter(_is_known, found))


def errors_of_worth(policy: PolicyView, group: int = 0, *, in_utility: bool = False) -> tuple[ErrorInterval, ...]:
    """Return the intervals of the mean change in welfare: it is not simulated, so that error is absent.

    Parameters
    ----------
    policy : PolicyView
    group : int
    in_utility : bool
        Whether in units of utility even where money is known.
    """
    found = []
    for source, replicates in (("agents", policy.outcome.agents), ("coefficients", policy.outcome.parameters)):
        values = policy.worth_replicates(replicates)
        if in_utility and replicates is not None:
            values = replicates.value_change
        if values is not None:
            found.append(_interval(source, values[:, group]))
    return tuple(filter(_is_known, found))


def _is_known(found: ErrorInterval) -> bool:
    """Whether there is an interval: a group of a few agents has none by resamples."""
    return bool(np.isfinite(found.lower) and np.isfinite(found.upper)) or found.source == "simulation"


def _interval(source: str, replicates: np.ndarray[tuple[int], np.dtype[np.float64]]) -> ErrorInterval:
    lower, upper = Replicates.interval(replicates)
    return ErrorInterval(source=source, lower=float(lower), upper=float(upper))


def main_interval(policy: PolicyView, place: int, group: int = 0) -> ErrorInterval:
    """Return the interval of the error that matters most: of the coefficients, else the agents, else simulation."""
    return errors_of_share(policy, place, group)[-1]


def interval_text(compared: ComparisonView, policy: PolicyView, place: int, *, drawn: bool = False) -> str:
    """Return "95 % interval 3.1 to 8.2 from the coefficients", in points.

    The interval of the simulation is one around the simulated change, not the expected one, so that goes before it:
    "+6.1 as simulated, 95 % interval 4.8 to 7.4"; as the share that it is where all of it is `drawn`.
    """
    found = main_interval(policy, place)
    low, high = (points(end, compared.decimals) for end in (found.lower, found.upper))
    interval = f"95{THIN}% interval {span(low, high)}"
    if found.source != "simulation":
        return f"{interval} {source_text(compared, found.source)}"
    simulated = float(policy.estimate.change[0, place])
    shown = percent(simulated, compared.decimals) if drawn else points(simulated, compared.decimals, signed=True)
    return f"{shown} as simulated, {interval}"


def source_text(compared: ComparisonView, source: str) -> str:
    """Return where an interval comes from, in words."""
    if source == "coefficients":
        return "from the coefficients"
    return "from simulation" if source == "simulation" else f"from resampled {compared.base.agents}"


def span(low: str, high: str) -> str:
    """Join the ends of an interval.

    Examples
    --------
    >>> span("3.1", "8.2")
    '3.1 to 8.2'
    """
    return f"{low} to {high}"


def plus_minus(half: float, decimals: int) -> str:
    """Return "± 0.2"; one that is not quite 0 does not read so.

    Examples
    --------
    >>> plus_minus(0.21, 1), plus_minus(0.0, 1), plus_minus(0.001, 1)
    ('± 0.2', '', '± <\u202f0.1')
    """
    if not half > 0:
        return ""
    shown = fixed(half, decimals)
    return (
        f"± <{THIN}{10.0**-decimals:.{decimals}f}"
        if float(shown.replace(MINUS, "-").replace(THIN, "")) == 0
        else f"± {shown}"
    )
