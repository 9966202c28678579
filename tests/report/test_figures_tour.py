"""The figures of the tour, from arrays: what is drawn is what was given, and names do not cover each other."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest
from markupsafe import Markup

from choicekit.report.figures.bars import BarPanel, draw_bars
from choicekit.report.figures.contours import Surface, draw_contours, falls
from choicekit.report.figures.curves import Axis, Curve, draw_curves, powers_of_ten
from choicekit.report.figures.number_line import Distance, Place, draw_number_line
from choicekit.report.figures.sample_grid import draw_sample_grid
from choicekit.report.figures.style import Mark, marks_for
from choicekit.report.text import clean
from tests.report.studies import HOSTILE, parse

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("a", "b", "c")
MARKS = marks_for(NAMES)


def words(svg: Markup) -> list[str]:
    return ["".join(text.itertext()) for text in parse(str(svg)).iter(f"{SVG}text")]


def places(svg: Markup, text: str) -> list[tuple[float, float]]:
    """Where a text stands."""
    found = []
    for element in parse(str(svg)).iter(f"{SVG}text"):
        if "".join(element.itertext()) != text:
            continue
        moved = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", element.get("transform", ""))
        x, y = moved.groups() if moved else (element.get("x", "nan"), element.get("y", "nan"))
        found.append((float(x), float(y)))
    return found


def bars(values: list[float]) -> Markup:
    panel = BarPanel(title="rule", note="T = 1", values=np.array(values))
    return draw_bars("bars", NAMES, MARKS, [panel], label="bars", row_title="name", text=lambda value: f"{value:.2f}")


def curves(names: tuple[str, ...], ends: list[float]) -> Markup:
    x = np.array([1.0, 10.0, 100.0])
    drawn = [
        Curve(name=name, x=x, y=np.array([1.0, 1.0, end]), mark=mark)
        for name, end, mark in zip(names, ends, marks_for(names), strict=True)
    ]
    return draw_curves("curves", drawn, label="curves", x=Axis(title="T", log=True), y=Axis(title="share"))


def bar_widths(svg: Markup) -> list[float]:
    """Widths of the rectangles in the colours of the marks."""
    colours = {mark.colour.lower() for mark in MARKS}
    widths = []
    for element in parse(str(svg)).iter(f"{SVG}path"):
        if element.get("style", "").lower().removeprefix("fill: ") in colours:
            xs = [float(x) for x in re.findall(r"[ML] ([-\d.]+) [-\d.]+", element.get("d", ""))]
            widths.append(max(xs) - min(xs))
    return widths


def test_bars_are_as_long_as_their_numbers() -> None:
    found = bar_widths(bars([0.25, 0.5, 1.0]))
    assert len(found) == 3
    np.testing.assert_allclose(np.array(found) / found[-1], [0.25, 0.5, 1.0], rtol=1e-3)


def test_exact_zeros_have_a_ring_and_no_bar() -> None:
    svg = bars([0.0, 1e-9, 1.0])
    assert len(bar_widths(svg)) == 2
    rings = [use for use in parse(str(svg)).iter(f"{SVG}use") if "fill: #ffffff" in use.get("style", "")]
    assert len(rings) == 1
    assert words(svg).count("0.00") == 2


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 12])
def test_panels_do_not_leave_the_figure(n: int) -> None:
    panels = [BarPanel(title=f"rule {place}", note="", values=np.array([0.2, 0.3, 0.5])) for place in range(n)]
    svg = draw_bars("bars", NAMES, MARKS, panels, label="bars", row_title="name", text=str)
    starts = [places(svg, f"rule {place}")[0] for place in range(n)]
    assert len(set(starts)) == n
    assert all(0 < x < 560 for x, _ in starts)
    view = [float(part) for part in parse(str(svg)).get("viewBox", "").split()]
    assert all(0 < y < view[3] for _, y in starts)


def test_curves_that_end_alike_have_names_apart() -> None:
    svg = curves(("one", "two", "three"), [0.5, 0.5, 0.5])
    heights = sorted(places(svg, name)[0][1] for name in ("one", "two", "three"))
    assert np.diff(heights).min() > 14


def test_names_stand_in_the_order_of_the_ends() -> None:
    svg = curves(("low", "high"), [0.2, 0.9])
    assert places(svg, "high")[0][1] < places(svg, "low")[0][1]


def test_logarithmic_axes_have_powers_of_ten() -> None:
    x = 10.0 ** np.arange(2, 7)
    curve = Curve(name="error", x=x, y=1 / np.sqrt(x), mark=MARKS[0], style="points")
    axis = Axis(title="N", log=True, text=powers_of_ten)
    svg = draw_curves("log", [curve], label="log", x=axis, y=axis)
    assert {"10²", "10⁶", "10⁻²"} <= set(words(svg))


def test_nothing_positive_on_a_logarithmic_axis_is_still_a_figure() -> None:
    curve = Curve(name="error", x=np.array([1.0, 2.0]), y=np.zeros(2), mark=MARKS[0], style="points")
    log = Axis(title="N", log=True)
    for drawn in ([], [curve]):
        assert "N" in words(draw_curves("log", drawn, label="log", x=log, y=log))


def test_maps_are_hatched_where_they_fall_and_only_there() -> None:
    grid = np.linspace(-4, 4, 41)
    first, second = np.meshgrid(grid, grid)
    maximum = np.maximum(first, second)
    boltzmann = (first * np.exp(first) + second * np.exp(second)) / (np.exp(first) + np.exp(second))
    assert not falls(maximum).any()
    # B falls with the worse of two that are further apart than 1 + W0(1/e)
    apart = np.abs(first - second)
    inner = (slice(1, -1), slice(1, -1))
    np.testing.assert_array_equal(falls(boltzmann)[inner][apart[inner] > 1.45], True)
    np.testing.assert_array_equal(falls(boltzmann)[inner][apart[inner] < 1.15], False)
    plain, hatched = (
        str(
            draw_contours(
                "map", grid, [Surface(title="u", note="", values=values)], label="m", x_title="x", y_title="y"
            )
        )
        for values in (maximum, boltzmann)
    )
    assert "<pattern" not in plain
    assert "<pattern" in hatched


def test_maps_are_small_files() -> None:
    grid = np.linspace(-4, 4, 41)
    values = np.logaddexp(grid[:, None], grid)
    surfaces = [Surface(title=str(place), note="", values=values) for place in range(3)]
    assert len(draw_contours("map", grid, surfaces, label="m", x_title="x", y_title="y")) < 200_000


@pytest.mark.parametrize("n", [2, 7, 20])
def test_the_grid_draws_every_share(n: int) -> None:
    samples = np.full((3, 2, n), 1 / n)
    names = [str(place) for place in range(n)]
    svg = draw_sample_grid("grid", ["r1", "r2", "r3"], ["c1", "c2"], names, marks_for(names), samples, label="grid")
    found = words(svg)
    assert {"r1", "r2", "r3", "c1", "c2"} <= set(found)
    assert set(names) <= set(found)


def test_a_number_line_puts_numbers_in_order() -> None:
    given = [Place(name=name, text=f"{v:g}", value=v, mark=MARKS[0]) for name, v in (("low", 4.0), ("top", 5.0))]
    svg = draw_number_line("line", given, [Distance(name="gap", start=4.0, end=5.0)], label="line", axis="utility")
    assert places(svg, "low")[0][0] < places(svg, "gap")[0][0] < places(svg, "top")[0][0]


def test_equal_numbers_on_a_line_have_names_apart() -> None:
    given = [
        Place(name=name, text="1", value=1.0, mark=MARKS[0]) for name in ("inner product", "maximum", "log-sum-exp")
    ]
    svg = draw_number_line("line", given, [], label="line", axis="utility")
    xs = [places(svg, place.name)[0][0] for place in given]
    assert np.diff(sorted(xs)).min() > 60


def hostile(name: str) -> dict[str, Callable[[], Markup]]:
    mark, values = Mark("#0072B2", "o"), np.array([0.5])
    curve = Curve(name=name, x=np.array([0.0, 1.0]), y=np.array([0.0, 1.0]), mark=mark)
    grid = np.linspace(-1, 1, 5)
    surface = Surface(title=name, note=name, values=np.add.outer(grid, grid))
    panel = BarPanel(title=name, note=name, values=values)
    place = Place(name=name, text=name, value=1.0, mark=mark)
    return {
        "bars": lambda: draw_bars("f", [name], [mark], [panel], label=name, row_title=name, text=str),
        "curves": lambda: draw_curves("f", [curve], label=name, x=Axis(title=name), y=Axis(title=name)),
        "contours": lambda: draw_contours("f", grid, [surface], label=name, x_title=name, y_title=name),
        "grid": lambda: draw_sample_grid("f", [name], [name], [name], [mark], np.ones((1, 1, 1)), label=name),
        "line": lambda: draw_number_line(
            "f", [place], [Distance(name=name, start=0.0, end=1.0)], label=name, axis=name
        ),
    }


@pytest.mark.parametrize("figure", ["bars", "curves", "contours", "grid", "line"])
def test_hostile_names_are_text(figure: str) -> None:
    for name in map(clean, (HOSTILE[0], HOSTILE[4], "".join(HOSTILE))):
        root = parse(str(hostile(name)[figure]()))
        tags = {element.tag.removeprefix(SVG) for element in root.iter() if isinstance(element, ElementTree.Element)}
        assert not tags & {"script", "a", "image", "foreignObject"}
        assert not [key for element in root.iter() for key in element.attrib if key.lower().startswith("on")]


def test_figures_have_the_same_bytes_twice() -> None:
    for first, second in zip(hostile("x").values(), hostile("x").values(), strict=True):
        assert first() == second()
