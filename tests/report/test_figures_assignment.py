"""The figures of assignments, from arrays: what is drawn is what was given, and texts stay within the figure."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import inf, nan

import numpy as np
import pytest
from markupsafe import Markup

from choicekit.report.figures.amounts import Amount, draw_amounts
from choicekit.report.figures.errors import draw_errors, phases_of
from choicekit.report.figures.intervals import Interval, IntervalRow, draw_intervals
from choicekit.report.figures.matrix import MatrixPanel, draw_matrices
from choicekit.report.text import clean
from tests.report.studies import HOSTILE, parse
from tests.report.test_figures_tour import places, words

SVG = "{http://www.w3.org/2000/svg}"
UP, DOWN = "#05578f", "#b35706"


def amounts(values: list[float], names: list[str] | None = None) -> Markup:
    called = names or [f"place {number}" for number in range(len(values))]
    rows = [Amount(name=name, value=value, text=f"{value:g}") for name, value in zip(called, values, strict=True)]
    return draw_amounts("amounts", rows, label="amounts", axis="price")


def widths(svg: Markup, colour: str) -> list[float]:
    """Widths of the shapes of a colour."""
    found = []
    for element in parse(svg).iter(f"{SVG}path"):
        if f"fill: {colour}" in element.get("style", ""):
            xs = [float(x) for x in re.findall(r"[ML] ([-\d.]+) [-\d.]+", element.get("d", ""))]
            found.append(max(xs) - min(xs))
    return found


def matrix(values: np.ndarray, names: list[str] | None = None, panels: int = 1) -> Markup:
    n, m = values.shape
    given = [MatrixPanel(title=f"T = {place}", note="", values=values) for place in range(panels)]
    rows, columns = names or [f"row {i}" for i in range(n)], [f"column {j}" for j in range(m)]
    return draw_matrices(
        "matrix",
        rows,
        columns,
        given,
        label="matrix",
        row_title="guests",
        column_title="pastries",
        scale="mass",
        text=lambda value: f"{value:g}",
    )


def errors(row: list[float], column: list[float], phases: list[str] | None = None, tolerance: float = 1e-9) -> Markup:
    steps = np.arange(1, len(row) + 1)
    found = phases_of(steps.tolist(), phases or ["scaling"] * len(row))
    return draw_errors("errors", steps, np.array(row), np.array(column), found, label="", tolerance=tolerance)


def test_bars_are_as_long_as_their_amounts_and_point_their_way() -> None:
    svg = amounts([0.25, 1.0, -0.5])
    up, down = widths(svg, UP), widths(svg, DOWN)
    np.testing.assert_allclose(np.array([*up, *down]) / up[1], [0.25, 1.0, 0.5], rtol=1e-3)


@pytest.mark.parametrize("values", [[0.0, 0.0], [nan, nan], [inf, 1.0], [1e-12, 2e-12], [1e300, -1e300], [-1.0], [5.0]])
def test_amounts_of_every_size_are_drawn_within_the_figure(values: list[float]) -> None:
    svg = amounts(values)
    for number, value in enumerate(values):
        assert places(svg, f"place {number}")
        assert all(0 <= x <= 600 for x, _ in places(svg, f"{value:g}"))


def test_headings_stand_before_their_rows() -> None:
    rows = [Amount(name=f"type {place}", value=1.0, text="", heading="men" if place == 2 else "") for place in range(4)]
    svg = draw_amounts("amounts", rows, label="", axis="")
    heights = [places(svg, text)[0][1] for text in ("type 1", "men", "type 2")]
    assert heights == sorted(heights)


def test_cells_of_one_colour_are_one_shape() -> None:
    svg = matrix(np.ones((60, 60)))
    assert len(svg) < 20_000
    random = np.random.default_rng(1).random((60, 60))
    assert len(matrix(random)) < 300_000


def test_forbidden_cells_are_named_only_where_there_are_some() -> None:
    values = np.eye(3)
    assert "not allowed" not in words(matrix(values))
    values[0, 1] = nan
    assert "not allowed" in words(matrix(values))


@pytest.mark.parametrize("shape", [(1, 1), (4, 5), (13, 60), (60, 13), (60, 60)])
@pytest.mark.parametrize("panels", [1, 2, 4])
def test_names_of_a_matrix_have_room(shape: tuple[int, int], panels: int) -> None:
    svg = matrix(np.ones(shape), panels=panels)
    view = [float(part) for part in parse(svg).get("viewBox", "").split()]
    named = [word for word in words(svg) if word.startswith("row ")]
    assert 0 < len(set(named)) <= 20
    heights = sorted(y for word in set(named) for _, y in places(svg, word)[:1])
    assert np.diff(heights).min(initial=99) > 10
    for word in words(svg):
        assert all(0 <= x < 600 and 0 < y < view[3] for x, y in places(svg, word)), word


def test_nothing_at_all_is_still_a_matrix() -> None:
    for values in (np.zeros((2, 2)), np.full((2, 2), nan)):
        assert "guests" in words(matrix(values))


def test_errors_are_named_and_phases_numbered_where_names_have_no_room() -> None:
    phases = ["scaling"] * 50 + ["newton T = 0.04"] + ["newton T = 0.01"] * 49
    found = words(errors([10.0**-k for k in np.linspace(1, 9, 100)], [1e-3] * 100, phases))
    assert {"1 scaling", "row error", "column error", "tolerance"} <= set(found)
    assert "2 newton T = 0.04" not in found
    assert "3 newton T = 0.01" in found


def test_what_has_no_logarithm_is_left_out() -> None:
    found = words(errors([0.0, 0.0, 0.0], [1e-1, nan, 1e-9]))
    assert "column error" in found
    assert "row error" not in found
    for row in ([0.0, 0.0], [nan, inf], [1e-300, 1e300]):
        assert "tolerance" in words(errors(row, row))


def test_very_many_iterations_are_a_small_file() -> None:
    falling = list(10.0 ** -np.linspace(0, 9, 100_000))
    assert len(errors(falling, falling)) < 60_000


def test_a_true_value_is_drawn_beside_its_estimate() -> None:
    lane = (Interval(name="95 %", lower=0.5, upper=1.5),)
    rows = [IntervalRow(name="b", estimate=1.0, text="1", intervals=lane, known=known) for known in (nan, 2.5)]
    without, with_truth = (draw_intervals("i", (row,), label="", axis="") for row in rows)
    assert DOWN not in without
    assert DOWN in with_truth
    assert "2.5" in words(with_truth)


def hostile(name: str) -> dict[str, Callable[[], Markup]]:
    return {
        "amounts": lambda: amounts([1.0], [name]),
        "matrix": lambda: matrix(np.ones((1, 1)), [name]),
        "errors": lambda: errors([1.0, 0.1], [1.0, 0.1], [name, name]),
    }


@pytest.mark.parametrize("figure", ["amounts", "matrix", "errors"])
def test_hostile_names_are_text(figure: str) -> None:
    for name in map(clean, (*HOSTILE, "".join(HOSTILE))):
        svg = hostile(name)[figure]()
        root = parse(svg)
        assert not {element.tag.removeprefix(SVG) for element in root.iter()} & {"script", "a", "image"}
        assert not [key for element in root.iter() for key in element.attrib if key.lower().startswith("on")]
        assert svg == hostile(name)[figure]()
