"""What explains the web: ensembles, preferences, temperatures."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Block, Cell, Column, Figure, Prose, Section, Table
from choicekit.report.figures.amounts import Amount, draw_amounts
from choicekit.report.figures.curves import Axis, Curve, draw_curves
from choicekit.report.figures.style import marks_for
from choicekit.report.kinds.network.view import FloatArray, NetworkView, records
from choicekit.report.kinds.network.words import ensemble_words, metric_text
from choicekit.report.numbers import NOTHING, count, fixed, p_value, percent, significant
from choicekit.report.text import clean

__all__ = ["ensembles_section", "preferences_section"]

_LEVELS = 8
_TINY = 1e-300  # what rounds to 0 is not 0
_BINS = 5


def ensembles_section(view: NetworkView) -> tuple[Section, ...]:
    """Tell how well couplings describe the web in every ensemble, and over temperatures."""
    table = view.outcome.ensembles
    if table is None:
        return ()
    words = ensemble_words(view)
    learnt = bool(view.outcome.fits)
    rows = []
    for one in records(table):
        cells = [
            Cell(text=words[str(one.ensemble)]),
            Cell(text=fixed(one.neutral_kl_divergence, 4)),
            Cell(text=metric_text(one.neutral_auc)),
        ]
        if learnt:
            gain = one.held_out_log_likelihood - one.held_out_neutral_log_likelihood
            cells += [
                Cell(text=fixed(one.kl_divergence, 4), style="strong"),
                Cell(text=metric_text(one.auc)),
                Cell(text=fixed(gain, 4, signed=True) if np.isfinite(gain) else NOTHING),
                Cell(text=metric_text(one.held_out_auc), below=f"neutral {metric_text(one.held_out_neutral_auc)}"),
            ]
        rows.append(tuple(cells))
    heads = ["shares fixed of", "KL, abundance alone", "AUC"]
    heads += ["KL, with preferences", "AUC", "gain on visits left out", "AUC of links left out"] if learnt else []
    blocks: list[Block] = [
        Prose(
            "A coupling of maximal entropy spreads visits as evenly as what is fixed allows: shares of both sides, of "
            "one, or of neither. KL(P || Q) is how far the web is from it, in nats for each visit, 0 if not at all. "
            "AUC is the probability that a pair that was seen to interact has a larger expectation than one that was "
            "not. Preferences are learnt for each ensemble by itself; a fifth of all visits is left out in turn to see "
            "how well they predict."
        ),
        Table(
            name="ensembles",
            caption="How well each ensemble describes the web",
            columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
            rows=tuple(rows),
            note="Gain: log-likelihood of a visit left out, above that by abundance alone, in nats.",
        ),
    ]
    if view.outcome.scan:
        blocks.append(_scan(view))
    return (Section(key="ensembles", title="What abundance alone explains", blocks=tuple(blocks)),)


def _scan(view: NetworkView) -> Figure:
    points, words = view.outcome.scan, ensemble_words(view)
    table = view.outcome.ensembles
    neutral = {} if table is None else dict(zip(table["ensemble"], table["neutral_kl_divergence"], strict=True))
    ensembles = list(dict.fromkeys(point.ensemble for point in points))
    curves = []
    for ensemble, mark in zip(ensembles, marks_for(ensembles), strict=True):
        own = sorted((point for point in points if point.ensemble == ensemble), key=lambda point: -point.temperature)
        x = np.array([1 / point.temperature for point in own])
        y = np.array([neutral[ensemble] - point.kl_divergence for point in own])
        curves.append(Curve(name=words[ensemble], x=x, y=y, mark=mark, style="line"))
    own = [point for point in points if point.ensemble == view.study.ensemble] or list(points)
    best = min(own, key=lambda point: point.kl_divergence)
    lowest, alone = fixed(best.kl_divergence, 5), fixed(neutral[best.ensemble], 5)
    finding = (
        f"The best of these temperatures is {significant(best.temperature)} "
        f"(lambda {significant(1 / best.temperature)}), with KL {lowest} against {alone} by abundance alone"
    )
    return Figure(
        name="scan",
        finding=finding,
        note="gain over abundance alone, nats for each visit; below 0 preferences mislead",
        svg=draw_curves(
            "scan",
            curves,
            label=f"Gain over lambda. {finding}.",
            x=Axis(title="lambda = 1 / temperature", log=True),
            y=Axis(title="gain in KL, nats"),
        ),
        table="scan",
    )


def preferences_section(view: NetworkView) -> tuple[Section, ...]:
    """Tell what was learnt, how sure it is, and whether the web shows it."""
    fit = view.outcome.fit
    settings = view.study.preferences
    if fit is None:
        return ()
    convention = {
        "both": "rows and columns average 0",
        "rows": "each row averages 0",
        "columns": "each column averages 0",
        "none": "all pairs together average 0",
    }[fit.ensemble]
    text = (
        "Preferences are in units of temperature: a coefficient is lambda = 1 / T times what a trait is worth. They "
        f"are known up to constants that abundances take up; the table fixes them so that {convention}."
    )
    blocks: list[Block] = [Prose(text)]
    validation = view.outcome.validation
    if validation is not None:
        sure = f", p {p_value(validation.p_value)} over folds" if np.isfinite(validation.p_value) else ""
        blocks.append(
            Prose(
                f"The penalty of {significant(validation.best)} predicts {validation.by} left out best, by "
                f"{fixed(float(validation.gain.mean()), 4)} nats a visit more than abundance alone{sure}."
            )
        )
    if fit.names:
        blocks.append(_coefficients(view))
    if len(fit.sites) > 1:
        p = fit.wilcoxon()
        better = int((fit.by_site()["kl_divergence"] < fit.by_site()["neutral_kl_divergence"]).sum())
        blocks.append(
            Prose(
                f"{better} of {len(fit.sites)} sites are described better with preferences than without (signed-rank "
                f"test, p {p_value(p)})."
            )
        )
    if fit.names and settings is not None:
        blocks += [_match(view, name, settings.basis[name]) for name in fit.names[:4]]
    if not fit.names:
        blocks.append(_pairs(view))
    return (Section(key="preferences", title="What they prefer", blocks=tuple(blocks)),)


def _coefficients(view: NetworkView) -> Table:
    fit, settings = view.outcome.fit, view.study.preferences
    known = None if settings is None else settings.true_coefficients
    rows = []
    if fit is not None:
        for name, value, error in zip(fit.names, fit.coefficients, fit.standard_errors, strict=True):
            cells = [
                Cell(text=clean(name)),
                Cell(text=fixed(float(value), 4, signed=True), style="strong"),
                Cell(text=fixed(float(error), 4)),
                Cell(text=f"{fixed(value - 1.96 * error, 3)} to {fixed(value + 1.96 * error, 3)}"),
            ]
            if known is not None:
                cells.append(Cell(text=significant(known[name], 4)))
            rows.append(tuple(cells))
    heads = ["coefficient", "estimate", "standard error", "95 % interval"]
    heads += ["true"] if known is not None else []
    test = None if fit is None else fit.likelihood_ratio
    note = ""
    if test is not None and np.isfinite(test.p_value):
        note = (
            f"All against none: likelihood ratio {significant(test.statistic, 4)} on {test.degrees} "
            f"degree{'s' if test.degrees > 1 else ''} of freedom, p {p_value(max(test.p_value, _TINY))}."
        )
    return Table(
        name="coefficients",
        caption="Learnt preferences",
        columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note=note,
    )


def _match(view: NetworkView, name: str, values: FloatArray) -> Figure:
    """Visits seen over those by abundance alone, by level of a trait match."""
    levels = np.unique(values)
    if levels.size > _LEVELS:
        edges = np.quantile(values, np.linspace(0, 1, _BINS + 1))
        groups = np.clip(np.searchsorted(edges[1:-1], values, side="right"), 0, _BINS - 1)
        names = [f"{significant(edges[place])} to {significant(edges[place + 1])}" for place in range(_BINS)]
    else:
        groups, names = np.searchsorted(levels, values), [significant(float(level)) for level in levels]
    amounts, ratios = [], []
    for place, label in enumerate(names):
        inside = groups == place
        seen, chance = float(view.counts[inside].sum()), float(view.neutral[inside].sum())
        if chance == 0:
            continue
        ratios.append(seen / chance)
        amounts.append(
            Amount(
                name=label,
                value=100 * (seen / chance - 1),
                text=f"{100 * (seen / chance - 1):+.1f} % ({count(seen)})".replace("-", "−"),
            )
        )
    finding = (
        f"Pairs with the highest {clean(name).replace('_', ' ')} meet {percent(abs(ratios[-1] - 1))} "
        f"{'more' if ratios[-1] >= 1 else 'less'} often than abundance alone makes them"
    )
    return Figure(
        name=f"match-{clean(name).replace('_', '-')}",
        finding=finding,
        note=f"{view.visits} seen, above or below those by abundance alone, by value of the trait match",
        svg=draw_amounts(
            f"match-{clean(name)}",
            amounts,
            label=f"Visits by trait match. {finding}.",
            axis="above abundance alone, %",
        ),
        table="coefficients",
    )


def _pairs(view: NetworkView) -> Table:
    fit = view.outcome.fit
    table = fit.preferences if fit is not None else np.zeros_like(view.counts)
    order = np.argsort(-table, axis=None, kind="stable")
    rows = []
    for place in [*order[:8], *order[-4:]]:
        row, column = np.unravel_index(int(place), table.shape)
        rows.append(
            (
                Cell(text=view.row_names[row]),
                Cell(text=view.column_names[column]),
                Cell(text=fixed(float(table[row, column]), 3, signed=True), style="strong"),
                Cell(text=count(view.counts[row, column])),
                Cell(text=fixed(float(view.neutral[row, column]), 2)),
            )
        )
    return Table(
        name="preferred",
        caption="The most and the least preferred pairs",
        columns=(
            Column(title=view.row, numeric=False),
            Column(title=view.column, numeric=False),
            Column(title="preference"),
            Column(title="seen"),
            Column(title="by abundance"),
        ),
        rows=tuple(rows),
        note="Every pair is in tables/pairs.csv.",
    )
