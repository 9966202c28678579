"""Figures of comparisons from plain arrays: what is drawn, how large, and that texts stay within the figure."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.report.figures.dumbbell import ShareChange, draw_dumbbells
from choicekit.report.figures.flows import MOST_RIBBONS, FlowNode, draw_flows
from choicekit.report.figures.heatmap import draw_heatmap
from choicekit.report.figures.intervals import Interval, IntervalRow, draw_intervals
from choicekit.report.figures.strips import Strip, draw_strips
from choicekit.report.figures.style import marks_for
from choicekit.report.numbers import fixed
from tests.report.studies import HOSTILE, parse

SVG = "{http://www.w3.org/2000/svg}"
NAN = float("nan")


def words(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in parse(svg).iter(f"{SVG}text")]


def curves(svg: str) -> list[ElementTree.Element]:
    return [
        path for path in parse(svg).iter(f"{SVG}path") if "C" in str(path.get("d")) and "fill" in str(path.get("style"))
    ]


def fill(element: ElementTree.Element) -> str:
    found = re.search(r"fill: (#\w+)", str(element.get("style")))
    return found.group(1) if found else ""


def dumbbells(rows: list[tuple[str, float, float]]) -> str:
    marks = marks_for([name for name, _, _ in rows])
    changes = tuple(
        ShareChange(name=name, mark=mark, before=before, after=after)
        for (name, before, after), mark in zip(rows, marks, strict=True)
    )
    return draw_dumbbells("change", changes, label="changes", axis="share, %", after="policy", decimals=1)


def flows(names: list[str], moved: list[list[float]], stay: list[float]) -> str:
    marks = marks_for(names)
    nodes = tuple(FlowNode(name=n, mark=m, stay=s) for n, m, s in zip(names, marks, stay, strict=True))
    return draw_flows("flows", nodes, np.array(moved), label="flows", before="baseline", after="policy", decimals=1)


def test_dumbbells_say_before_after_and_change() -> None:
    found = words(dumbbells([("train", 0.30, 0.357), ("bus", 0.143, NAN), ("tram", NAN, 0.1), ("ship", NAN, NAN)]))
    for text in (
        "train",
        "30.0",
        "35.7",
        "+5.7",
        "14.3",
        "removed",
        "10.0",
        "new",
        "not offered",
        "baseline",
        "policy",
    ):
        assert text in found, text


@pytest.mark.parametrize(("before", "after"), [(0.27, 0.34), (0.05, 0.35)])
def test_the_name_of_a_policy_takes_the_room_there_is(before: float, after: float) -> None:
    mark = marks_for(["air"])[0]
    changes = (ShareChange(name="air", mark=mark, before=before, after=after),) * 2
    svg = draw_dumbbells("change", changes, label="", axis="", after="shorter airport wait", decimals=1)
    assert "shorter airport wait" in words(svg)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6))
def test_dumbbells_of_any_shares_can_be_drawn(shares: list[tuple[float, float]]) -> None:
    svg = dumbbells([(f"mode {place}", before, after) for place, (before, after) in enumerate(shares)])
    assert "nan" not in " ".join(words(svg))


def test_a_ribbon_is_as_wide_as_its_flow() -> None:
    svg = flows(["a", "b", "c"], [[0, 0.02, 0.01], [0, 0, 0], [0, 0, 0]], [0.3, 0.3, 0.37])
    ribbons = curves(svg)
    assert len(ribbons) == 2
    heights = []
    for ribbon in ribbons:
        numbers = [float(x) for x in re.findall(r"-?\d+\.?\d*", str(ribbon.get("d")))]
        start, end = numbers[1], numbers[-1]
        heights.append(abs(end - start))
    assert heights[0] == pytest.approx(2 * heights[1], rel=1e-3)
    found = words(svg)
    assert "−3.0" in found
    assert {"+2.0", "+1.0"} <= set(found)
    assert "30.0 stay" in found


def test_at_most_sixty_flows_are_drawn_and_those_the_largest() -> None:
    n = 12
    moved = np.random.default_rng(3).uniform(0.001, 0.004, (n, n))
    svg = flows([f"mode {place}" for place in range(n)], moved.tolist(), [0.05] * n)
    assert len(curves(svg)) == MOST_RIBBONS
    height = float(str(parse(svg).get("viewBox")).split()[3])
    assert height < 1200


def test_no_flow_at_all_can_be_drawn() -> None:
    assert not curves(flows(["a", "b"], [[0, 0], [0, 0]], [0.5, 0.5]))


def heatmap(values: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> str:
    names = [f"m{place}" for place in range(len(values))]
    return draw_heatmap(
        "heat",
        names,
        names,
        values,
        label="heat",
        row_title="cost of",
        column_title="share of",
        text=lambda value: fixed(value, 2, signed=True),
    )


def test_heatmap_writes_its_numbers_and_colours_their_signs() -> None:
    svg = heatmap(np.array([[-1.0, 0.5], [0.0, NAN]]))
    found = words(svg)
    for text in ("−1.00", "+0.50", "0.00", "–"):
        assert text in found
    fills = [fill(path) for path in parse(svg).iter(f"{SVG}path") if fill(path)]
    cells = [colour for colour in fills if colour not in ("#ffffff",)]
    red, _, blue = (int(cells[0][place : place + 2], 16) for place in (1, 3, 5))
    assert red > blue  # orange where it falls
    red, _, blue = (int(cells[1][place : place + 2], 16) for place in (1, 3, 5))
    assert blue > red  # blue where it rises


@given(st.floats(-3, 3), st.floats(0.001, 3))
def test_numbers_stand_out_from_their_cells(value: float, largest: float) -> None:
    from choicekit.report.figures.heatmap import _colour, _ink, _linear

    def light(colour: str) -> float:
        parts = [_linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    ground = _colour(value, largest)
    low, high = sorted((light(ground), light(_ink(ground))))
    assert (high + 0.05) / (low + 0.05) > 3.9


def test_strips_tell_winners_from_losers() -> None:
    rows = (
        Strip(name="all", quantiles=(-1.0, 0.5, 1.0, 2.0, 4.0), mean=1.2, gain=0.8, lose=0.15),
        Strip(name="poor", quantiles=(NAN,) * 5, mean=NAN, gain=NAN, lose=NAN, heading=True),
        Strip(name="same", quantiles=(0.0,) * 5, mean=0.0, gain=0.0, lose=0.0),
    )
    found = words(draw_strips("worth", rows, label="worth", axis="$ per trip"))
    for text in ("80\u202f% gain", "15\u202f% lose", "0\u202f% gain", "$ per trip"):
        assert text in found, text
    assert any("nobody" in text for text in found)


def test_intervals_have_a_lane_each() -> None:
    row = IntervalRow(
        name="train",
        estimate=5.7,
        text="+5.7",
        intervals=(Interval(name="simulation", lower=5.3, upper=5.7), Interval(name="agents", lower=NAN, upper=NAN)),
    )
    found = words(draw_intervals("sure", (row,), label="sure", axis="points"))
    assert "train: +5.7" in found
    assert "simulation" in found
    assert "agents" in found


def test_hostile_names_stay_text_and_within_the_figure() -> None:
    n = len(HOSTILE)
    figures = [
        dumbbells([(name, 0.1, 0.2) for name in HOSTILE]),
        flows(list(HOSTILE), (np.ones((n, n)) / 1000).tolist(), [0.1] * n),
        draw_strips(
            "s",
            tuple(Strip(name=name, quantiles=(0, 1, 2, 3, 4), mean=2, gain=1, lose=0) for name in HOSTILE),
            label=HOSTILE[0],
            axis=HOSTILE[2],
        ),
        draw_heatmap(
            "h", HOSTILE, HOSTILE, np.ones((n, n)), label=HOSTILE[0], row_title="of", column_title="of", text=str
        ),
    ]
    for svg in figures:
        assert "<script" not in svg
        assert max(len(text) for text in words(svg) if text.startswith("Lo")) <= 25
