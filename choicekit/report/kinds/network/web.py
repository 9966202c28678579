"""The web itself: its numbers, who meets whom, its modules and species."""

from __future__ import annotations

import numpy as np

from choicekit.networks.metrics import METRICS
from choicekit.networks.species import describe_species
from choicekit.report.checks import checks_table
from choicekit.report.content import Block, Cell, Column, Details, Figure, Heading, Items, Prose, Section, Table
from choicekit.report.figures.bipartite import draw_bipartite
from choicekit.report.figures.curves import Axis, Curve, draw_curves
from choicekit.report.figures.histograms import Histogram, draw_histograms
from choicekit.report.figures.matrix import MatrixPanel, draw_matrices
from choicekit.report.figures.style import MAX_CATEGORIES, marks_for
from choicekit.report.kinds.network.view import FloatArray, NetworkView, records
from choicekit.report.kinds.network.words import metric_text, model_name
from choicekit.report.numbers import NOTHING, count, fixed, p_value, percent, significant
from choicekit.report.text import capitalise, clean, shorten

__all__ = ["holds_section", "matrix_section", "metrics_section", "species_section"]

_SHOWN = 10
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def holds_section(view: NetworkView) -> Section:
    """Show checks with what was found and what is allowed, sites, then warnings."""
    blocks: list[Block] = [checks_table(view.result.checks)]
    if len(view.study.networks) > 1:
        blocks.append(_sites(view))
    if view.result.warnings:
        blocks += [Heading("Warnings"), Items(tuple(clean(warning) for warning in view.result.warnings))]
    return Section(key="holds", title="What holds", blocks=tuple(blocks))


def _sites(view: NetworkView) -> Table:
    rows = []
    for network, found in zip(view.study.networks, view.outcome.by_site, strict=True):
        rows.append(
            (
                Cell(text=clean(network.name)),
                Cell(text=count(found.n_rows)),
                Cell(text=count(found.n_columns)),
                Cell(text=count(found.links)),
                Cell(text=count(found.visits)),
                Cell(text=metric_text(found.connectance)),
                Cell(text=metric_text(found.h2_continuous)),
            )
        )
    heads = ["site", view.rows, view.columns, "links", view.visits, "connectance", "H2'"]
    return Table(
        name="sites",
        caption="Sites",
        columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
        rows=tuple(rows),
    )


def matrix_section(view: NetworkView) -> Section:
    """Heatmaps of what was seen and is expected in one order of species, and the web as a drawing."""
    order = np.ix_(view.row_order, view.column_order)
    rows = [view.row_names[place] for place in view.row_order]
    columns = [view.column_names[place] for place in view.column_order]
    across = 2 if len(columns) <= 30 else 1
    blocks: list[Block] = [_drawing(view)]
    panels = [MatrixPanel(title="expected", note="by abundances and preferences", values=view.expected[order])]
    if view.outcome.metrics is not None:
        panels.insert(0, MatrixPanel(title="observed", note=f"counted {view.visits}", values=view.counts[order]))
    finding = f"The most visited {view.row} and {view.column} come first in all tables"
    blocks.append(
        Figure(
            name="matrices",
            finding=finding,
            note=f"{view.visits} of each pair; the same order of species everywhere",
            svg=draw_matrices(
                "matrices",
                rows,
                columns,
                panels,
                label=f"Heatmaps of {view.visits}. {finding}.",
                row_title=view.rows,
                column_title=view.columns,
                scale=view.visits,
                text=lambda value: significant(value, 3),
                across=across,
            ),
            table="pairs",
        )
    )
    if not np.allclose(view.expected, view.neutral):
        blocks.append(_ratio(view, rows, columns, order))
    return Section(key="web", title="Who meets whom", blocks=tuple(blocks))


def _ratio(view: NetworkView, rows: list[str], columns: list[str], order: tuple[np.ndarray, ...]) -> Figure:
    ratio = np.divide(view.expected, view.neutral, out=np.full_like(view.expected, np.nan), where=view.neutral > 0)
    place = np.unravel_index(int(np.nanargmax(ratio)), ratio.shape)
    finding = (
        f"{view.column_names[place[1]]} prefers {view.row_names[place[0]]} most: they meet "
        f"{significant(float(ratio[place]), 3)} times as often as abundance alone makes them"
    )
    return Figure(
        name="preference",
        finding=finding,
        note="how much more often than shares of species alone make it; white: as often, or less",
        svg=draw_matrices(
            "preference",
            rows,
            columns,
            [
                MatrixPanel(
                    title="preference", note="above abundance alone", values=np.maximum(100 * (ratio[order] - 1), 0.0)
                )
            ],
            label=f"Heatmap of preferences. {finding}.",
            row_title=view.rows,
            column_title=view.columns,
            scale="% more often",
            text=lambda value: significant(value, 3),
            across=1,
        ),
        table="pairs",
    )


def _drawing(view: NetworkView) -> Figure:
    counts, rows = _grouped(view.counts, view.row_order, view.row_names, 0, view.rows)
    counts, columns = _grouped(counts, view.column_order, view.column_names, 1, view.columns)
    top_row, top_column = view.row_names[view.row_order[0]], view.column_names[view.column_order[0]]
    share = float(view.counts.sum(axis=1).max() / view.counts.sum())
    finding = f"{top_row} has {percent(share)} of {view.visits}; of {view.columns} {top_column} has most"
    return Figure(
        name="bipartite",
        finding=finding,
        note=f"bands as wide as {view.visits}; beyond {MAX_CATEGORIES - 1} on a side the rest is one",
        svg=draw_bipartite(
            "bipartite",
            rows,
            columns,
            counts,
            label=f"The web as a drawing. {finding}.",
            row_title=view.rows,
            column_title=view.columns,
        ),
        table="pairs",
    )


def _grouped(
    counts: FloatArray, order: np.ndarray, names: tuple[str, ...], axis: int, what: str
) -> tuple[FloatArray, list[str]]:
    most = MAX_CATEGORIES - 1
    shown, rest = (order, order[:0]) if len(order) <= MAX_CATEGORIES else (order[:most], order[most:])
    found, labels = np.take(counts, shown, axis=axis), [names[place] for place in shown]
    if rest.size:
        others = np.take(counts, rest, axis=axis).sum(axis=axis, keepdims=True)
        found, labels = np.concatenate([found, others], axis=axis), [*labels, f"{rest.size} other {what}"]
    return found, labels


def metrics_section(view: NetworkView) -> tuple[Section, ...]:
    """Show the metrics, with what null webs have."""
    found = view.outcome.metrics
    if found is None:
        return ()
    blocks: list[Block] = [_metrics(view)]
    nulls = view.outcome.nulls
    varying = [model for model, null in nulls.items() if null.varies("h2_continuous")]
    if varying:
        blocks += [_null_figure(view, varying), _settling(view, varying)]
    modules = view.outcome.modules
    if modules is not None:
        lowest = float(modules.all_modularities.min())
        blocks.append(
            Prose(
                f"Modularity: the best partition of {modules.all_modularities.size} restarts has "
                f"{modules.n_modules} modules and modularity {fixed(modules.modularity, 4)}; the worst restart ends at "
                f"{fixed(lowest, 4)}. On average {percent(modules.agreement)} of pairs of species are together, or "
                "apart, as in the best."
            )
        )
    return (Section(key="metrics", title="The web in numbers", blocks=tuple(blocks)),)


def _metrics(view: NetworkView) -> Table:
    found, nulls = view.outcome.metrics, view.outcome.nulls
    rows = []
    for name, words in METRICS.items():
        value = float(getattr(found, name))
        cells = [Cell(text=capitalise(words)), Cell(text=metric_text(value), style="strong")]
        for null in nulls.values():
            if not null.varies(name):
                cells.append(Cell(text=NOTHING, below="does not vary"))
                continue
            lower, upper = null.band(name)
            cells.append(
                Cell(
                    text=f"{metric_text(lower)} to {metric_text(upper)}",
                    below=f"z {significant(null.z_score(name), 3)}, p {p_value(null.p_value(name))}",
                )
            )
        rows.append(tuple(cells))
    heads = ["metric", "web", *(model_name(model) for model in nulls)]
    note = "Species without interactions are left out. Columns of null models: the band of 95 of 100 null webs, and z."
    return Table(
        name="metrics",
        caption="Metrics of the web" + (", and of webs by chance" if nulls else ""),
        columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note=note,
    )


def _null_figure(view: NetworkView, models: list[str]) -> Figure:
    found = view.outcome.metrics
    observed = found.h2_continuous if found is not None else float("nan")
    first = view.outcome.nulls[models[0]]
    finding = (
        f"H2' of the web is {fixed(observed, 3)}; webs of {model_name(models[0])} have "
        f"{fixed(float(first.values['h2_continuous'].mean()), 3)} on average"
    )
    return Figure(
        name="nulls",
        finding=finding,
        note="each histogram adds up to all null webs of a model; dashed: the web",
        svg=draw_histograms(
            "nulls",
            [
                Histogram(
                    name=model_name(model),
                    below=f"{count(view.outcome.nulls[model].replications)} webs",
                    values=view.outcome.nulls[model].values["h2_continuous"],
                    colour=_COLOURS[place % len(_COLOURS)],
                )
                for place, model in enumerate(models)
            ],
            label=f"Histograms of H2' of null webs. {finding}.",
            axis="H2', continuous; 0 general, 1 specialised",
            line=observed,
            line_name=f"the web {fixed(observed, 3)}",
        ),
        table="nulls",
    )


def _settling(view: NetworkView, models: list[str]) -> Block:
    curves = []
    for model, mark in zip(models, marks_for(models), strict=True):
        null = view.outcome.nulls[model]
        table = null.convergence("h2_continuous").iloc[8:]
        scale = float(null.values["h2_continuous"].std(ddof=1))
        n = table["webs"].to_numpy(dtype=float)
        last = float(table["mean"].iloc[-1])
        curves.append(Curve(name=model_name(model), x=n, y=(table["mean"].to_numpy() - last) / scale, mark=mark))
    if not len(curves[0].x):
        return Prose("Fewer than ten null webs: nothing to see of how they settle.")
    figure = Figure(
        name="settling",
        finding="Running means of H2' over null webs settle",
        note="difference from the last, in standard deviations of null webs",
        svg=draw_curves(
            "settling",
            curves,
            label="Running means over null webs.",
            x=Axis(title="null webs"),
            y=Axis(title="standard deviations"),
            height=240.0,
        ),
        table="nulls",
    )
    return Details(summary="Are there enough null webs?", blocks=(figure,))


def species_section(view: NetworkView) -> tuple[Section, ...]:
    """List the species of either side that are visited most, with what they are like."""
    if view.outcome.metrics is None:
        return ()
    blocks: list[Block] = [_degrees(view), _strengths(view)]
    for axis, what in ((0, view.rows), (1, view.columns)):
        names = view.row_names if axis == 0 else view.column_names
        table = describe_species(view.counts, _distinct(names), axis=axis)
        table = table.sort_values("visits", ascending=False, kind="stable").head(_SHOWN)
        rows = [
            (
                Cell(text=shorten(name, 40)),
                Cell(text=count(one.visits)),
                Cell(text=count(one.degree)),
                Cell(text=fixed(one.strength, 2)),
                Cell(text=fixed(one.effective_partners, 2)),
                Cell(text=metric_text(one.d_prime)),
            )
            for name, one in zip(table["species"], records(table), strict=True)
        ]
        heads = [what, view.visits, "degree", "strength", "effective partners", "d'"]
        kind = "rows" if axis == 0 else "columns"
        blocks.append(
            Table(
                name=f"species-{kind}",
                caption=f"{capitalise(what)} with most {view.visits}",
                columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
                rows=tuple(rows),
                note=f"All are in tables/species_{kind}.csv.",
            )
        )
    return (Section(key="species", title="The species", blocks=tuple(blocks)),)


def _distinct(names: tuple[str, ...]) -> list[str]:
    return [name if names.count(name) == 1 else f"{name} ({place})" for place, name in enumerate(names)]


def _degrees(view: NetworkView) -> Figure:
    degrees = [np.count_nonzero(view.counts, axis=axis).astype(float) for axis in (1, 0)]
    seen = degrees[1][degrees[1] > 0]
    finding = f"{percent(float((seen == 1).mean()))} of {view.columns} were seen with one {view.row} only"
    return _distribution(view, "degrees", degrees, finding, "partners")


def _strengths(view: NetworkView) -> Figure:
    strengths = [describe_species(view.counts, axis=axis)["strength"].to_numpy() for axis in (0, 1)]
    top = int(np.argmax(strengths[0]))
    finding = f"{capitalise(view.columns)} depend most on {view.row_names[top]}: strength {fixed(strengths[0][top], 1)}"
    return _distribution(view, "strengths", strengths, finding, "strength: sum of partners' shares")


def _distribution(view: NetworkView, name: str, values: list[FloatArray], finding: str, axis: str) -> Figure:
    """Draw the share of species of either side that have at least so much of something."""
    curves, sides = [], (view.rows, view.columns)
    for what, own, mark in zip(sides, values, marks_for(sides), strict=True):
        x = np.unique(own[own > 0])
        y = np.array([(own[own > 0] >= value).mean() for value in x])
        curves.append(Curve(name=what, x=x, y=100 * y, mark=mark))
    least, most = min(float(curve.x.min()) for curve in curves), max(float(curve.x.max()) for curve in curves)
    return Figure(
        name=name,
        finding=finding,
        note="share of species with at least so much",
        svg=draw_curves(
            name,
            curves,
            label=f"Cumulated distributions. {finding}.",
            x=Axis(title=axis, log=most > 10 * least, limits=(least, max(most, 2.0 * least))),
            y=Axis(title="% of species", limits=(0.0, 105.0)),
            height=260.0,
        ),
        table="species-columns",
    )
