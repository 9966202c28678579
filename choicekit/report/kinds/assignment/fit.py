"""The utility estimated back from the matches: coefficients, how sure they are, and those that made the matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.assignment.conditions import Fixed
from choicekit.report.content import Block, Cell, Column, Figure, Prose, Section, Table
from choicekit.report.figures.intervals import Interval, IntervalRow, draw_intervals
from choicekit.report.figures.style import MAX_CATEGORIES
from choicekit.report.kinds.assignment.view import AssignmentView
from choicekit.report.numbers import NOTHING, THIN, count, described, fixed, p_value, percent, significant
from choicekit.report.text import capitalise, display_names, in_sentence

if TYPE_CHECKING:
    from choicekit.assignment.inverse import AssignmentFit
    from choicekit.assignment.inverse.cross_validation import CrossValidation

__all__ = ["FIT_KEYS", "FitView", "fit_finding", "fit_section", "fit_summary", "fit_tables", "fit_view"]

FloatArray = npt.NDArray[np.float64]

LEVEL = 0.95
_MOST_ROWS = 100

_METHODS = {"likelihood": "maximum likelihood", "moments": "matching moments"}
_COEFFICIENT = {
    "estimate": "in units of temperature",
    "standard_error": "or null",
    "lower": "lower end of its 95 % interval",
    "upper": "upper end of it",
    "true_value": "what made the matches, or null",
}
FIT_KEYS = {
    **{
        f"fit.coefficients.<coefficient>.{key}": f"{text}; only where a fit was asked for"
        for key, text in _COEFFICIENT.items()
    },
    "fit.penalty": "ridge penalty on the coefficients, 0 for none",
    "fit.cross_validated": "whether cross-validation chose it",
    "fit.draws": "matches that were drawn and fitted to, or null where the coupling itself was",
    "fit.converged": "whether the estimates are a maximum",
    "fit.log_likelihood": "of the fitted model",
    "fit.neutral_log_likelihood": "of the model in which utilities make no difference",
    "fit.likelihood_ratio.statistic": "twice the difference",
    "fit.likelihood_ratio.degrees": "of freedom",
    "fit.likelihood_ratio.p_value": "of a statistic as large by chance, or null where its law is not known",
}
"""What the summary says of a fit."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FitView:
    """A fit as arrays (K,): `truth` and errors are nan where they are not known."""

    fit: AssignmentFit
    names: tuple[str, ...]
    estimates: FloatArray
    errors: FloatArray
    lower: FloatArray
    upper: FloatArray
    truth: FloatArray
    draws: int | None


def fit_view(view: AssignmentView) -> FitView | None:
    """Return a fit made ready to be shown; None where there is none."""
    fit, settings = view.outcome.fit, view.outcome.study.fit
    if fit is None:
        return None
    intervals = np.asarray(fit.intervals(LEVEL), dtype=np.float64)
    estimates = np.asarray(fit.coefficients, dtype=np.float64)
    known = None if settings is None else settings.true_coefficients
    return FitView(
        fit=fit,
        names=tuple(map(str, fit.names)),
        estimates=estimates,
        errors=np.asarray(fit.standard_errors, dtype=np.float64),
        lower=intervals[:, 0],
        upper=intervals[:, 1],
        truth=np.full(estimates.shape, np.nan) if known is None else np.asarray(known, dtype=np.float64),
        draws=None if settings is None else settings.draws,
    )


def fit_finding(view: AssignmentView) -> str:
    """Say in a clause what a fit found; empty where there is none."""
    found = fit_view(view)
    return "" if found is None else _finding(found)


def fit_section(view: AssignmentView) -> tuple[Section, ...]:
    """Return the section on the fit; none where there is none."""
    found = fit_view(view)
    if found is None:
        return ()
    blocks: list[Block] = [Prose(_prose(view, found)), _figure(found), _table(found), Prose(_ratio(found))]
    if found.fit.cross_validation is not None:
        blocks.append(_penalties(found.fit.cross_validation))
    return (Section(key="fit", title="The utility, estimated from the matches", blocks=tuple(blocks)),)


def fit_tables(view: AssignmentView) -> dict[str, pd.DataFrame]:
    """Return the coefficients as a table, and the penalties that were tried where cross-validation chose."""
    found = fit_view(view)
    if found is None:
        return {}
    tables = {"coefficients": pd.DataFrame(_records(found))}
    validation = found.fit.cross_validation
    return tables if validation is None else tables | {"penalties": validation.to_frame()}


def fit_summary(view: AssignmentView) -> dict[str, Any]:
    """Return what the summary says of a fit, under the keys of `FIT_KEYS`."""
    found = fit_view(view)
    if found is None:
        return {}
    ratio = found.fit.likelihood_ratio
    records = {record.pop("coefficient"): record for record in _records(found)}
    return {
        "fit": {
            "coefficients": records,
            "penalty": float(found.fit.penalty),
            "cross_validated": found.fit.cross_validation is not None,
            "draws": found.draws,
            "converged": bool(found.fit.converged),
            "log_likelihood": float(found.fit.log_likelihood),
            "neutral_log_likelihood": float(found.fit.neutral_log_likelihood),
            "likelihood_ratio": {
                "statistic": float(ratio.statistic),
                "degrees": int(ratio.degrees),
                "p_value": float(ratio.p_value),
            },
        }
    }


def _records(found: FitView) -> list[dict[str, Any]]:
    columns = (found.estimates, found.errors, found.lower, found.upper, found.truth)
    return [
        {"coefficient": name, **{key: float(value) for key, value in zip(_COEFFICIENT, values, strict=True)}}
        for name, *values in zip(found.names, *columns, strict=True)
    ]


def _prose(view: AssignmentView, found: FitView) -> str:
    source = "the assignment itself, as if all of it had been observed"
    if found.draws is not None:
        source = f"{described(found.draws, 'observations')} drawn from the assignment"
    text = (
        f"The coefficients of the utility are estimated from {source}, by {_METHODS[found.fit.method]}. "
        f"Only utility over temperature is identified, so they are in units of the temperature."
    )
    if isinstance(view.problem.rows, Fixed) and isinstance(view.problem.columns, Fixed):
        text += " What is constant by row or by column cannot be told, since masses are met whatever it is."
    text += _penalised(found.fit)
    if np.isfinite(found.truth).any():
        text += " True values are those that made the matches."
    apart = percent(_moved(view, found.fit))
    text += f" The assignment at the estimates differs from the one above in {apart} of all mass."
    return text if found.fit.converged else f"{text} The maximum was not reached: estimates are not to be relied on."


def _moved(view: AssignmentView, fit: AssignmentFit) -> float:
    """Return the share of mass that one assignment has elsewhere than the other."""
    return 0.5 * float(np.abs(fit.result.coupling - view.solved.coupling).sum()) / view.total


def _penalised(fit: AssignmentFit) -> str:
    if fit.penalty == 0 and fit.cross_validation is None:
        return ""
    chosen = "" if fit.cross_validation is None else ", chosen by cross-validation,"
    return (
        f" A ridge penalty of {significant(fit.penalty, 3)}{chosen} pulls them towards 0; intervals tell their spread, "
        "not that pull."
    )


def _penalties(validation: CrossValidation) -> Table:
    tried = validation.to_frame()
    return Table(
        name="penalties",
        caption=f"How well each ridge penalty predicts: each of {count(len(validation.fold_scores))} folds of the "
        "observations is held out in turn",
        columns=(
            Column(title="penalty"),
            Column(title="chosen", numeric=False),
            Column(title="mean log probability of what is held out"),
            Column(title="standard error over folds"),
        ),
        rows=tuple(
            (
                Cell(text=significant(penalty, 3)),
                Cell(text="✓" if penalty == validation.best else ""),
                Cell(text=fixed(score, 5), style="strong" if penalty == validation.best else ""),
                Cell(text=significant(error, 2)),
            )
            for penalty, score, error in tried[["penalty", "score", "standard_error"]].itertuples(index=False)
        ),
    )


def _figure(found: FitView) -> Figure:
    names = display_names(found.names)
    order = list(range(len(names)))
    if len(names) > MAX_CATEGORIES:
        order = sorted(order, key=lambda place: -abs(found.estimates[place]))[:MAX_CATEGORIES]
    rows = tuple(
        IntervalRow(
            name=names[place],
            estimate=float(found.estimates[place]),
            text=significant(float(found.estimates[place]), 4),
            known=float(found.truth[place]),
            intervals=(
                Interval(name=f"95{THIN}% interval", lower=float(found.lower[place]), upper=float(found.upper[place])),
            ),
        )
        for place in order
    )
    note = "tick: estimate; diamond: true value" if np.isfinite(found.truth).any() else "tick: estimate"
    if len(order) < len(names):
        note += f"; the {MAX_CATEGORIES} largest of {count(len(names))}"
    finding = capitalise(_finding(found))
    return Figure(
        name="coefficients",
        finding=finding,
        note=note,
        svg=draw_intervals(
            "coefficients",
            rows,
            label=f"Estimates of coefficients with their 95 % intervals. {finding}.",
            axis="coefficient, in units of temperature",
        ),
        table="coefficients",
    )


def _finding(found: FitView) -> str:
    known = np.isfinite(found.truth) & np.isfinite(found.lower) & np.isfinite(found.upper)
    if not known.any() and np.isfinite(found.truth).any():
        off = float(np.nanmax(np.abs(found.estimates - found.truth)))
        return f"estimates are within {significant(off, 2)} of the true values"
    if not known.any():
        strongest = int(np.nanargmax(np.abs(found.estimates)))
        name = in_sentence(display_names(found.names)[strongest])
        return f"{name} has the largest coefficient, {significant(float(found.estimates[strongest]), 3)}"
    inside = (found.lower <= found.truth) & (found.truth <= found.upper) & known
    n, met = int(known.sum()), int(inside.sum())
    if n == 1:
        return f"the true value is {'within' if met else 'outside'} the 95{THIN}% interval of its estimate"
    share = f"all {count(n)}" if met == n else f"{count(met)} of {count(n)}"
    return f"{share} true values are within the 95{THIN}% intervals of their estimates"


def _table(found: FitView) -> Table:
    n, truth = len(found.names), bool(np.isfinite(found.truth).any())
    heads = [
        "estimate",
        "standard error",
        f"95{THIN}% interval",
        *(["true value", "off by, standard errors"] if truth else []),
    ]
    return Table(
        name="coefficients",
        caption="Coefficients of the utility, in units of temperature",
        columns=(Column(title="coefficient", numeric=False), *(Column(title=head) for head in heads)),
        rows=tuple(_row(found, place, truth) for place in range(min(n, _MOST_ROWS))),
        note="The rest is in tables/coefficients.csv." if n > _MOST_ROWS else "",
    )


def _row(found: FitView, place: int, truth: bool) -> tuple[Cell, ...]:
    estimate, error = float(found.estimates[place]), float(found.errors[place])
    ends = (float(found.lower[place]), float(found.upper[place]))
    interval = f"{significant(ends[0])} to {significant(ends[1])}" if np.isfinite(ends).all() else NOTHING
    cells = [
        Cell(text=display_names(found.names)[place]),
        Cell(text=significant(estimate, 4), style="strong"),
        Cell(text=significant(error, 2)),
        Cell(text=interval),
    ]
    if truth:
        known = float(found.truth[place])
        off = (estimate - known) / error if error > 0 else np.nan
        cells += [Cell(text=significant(known, 4)), Cell(text=fixed(float(off), 1, signed=True))]
    return tuple(cells)


def _why_not_known(fit: AssignmentFit) -> str:
    if fit.penalty > 0:
        return ", since there is a penalty"
    if fit.n_observations is None:
        return ", since the number of observations is not"
    return ", since masses are estimated with the singles" if fit.model.has_singles else " under these conditions"


def _ratio(found: FitView) -> str:
    ratio = found.fit.likelihood_ratio
    if not np.isfinite(ratio.statistic):
        return "There is no likelihood to compare with that of the neutral model."
    text = (
        f"Against the neutral model, in which utilities make no difference, twice the log-likelihood rises by "
        f"{significant(float(ratio.statistic), 4)} with {described(int(ratio.degrees), 'coefficients')}"
    )
    if not np.isfinite(ratio.p_value):
        return f"{text}; how likely chance alone does that is not known{_why_not_known(found.fit)}."
    return f"{text}: chance alone does that with a probability of {p_value(float(ratio.p_value))} (likelihood ratio)."
