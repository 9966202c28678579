"""Names made fit to print: shortened, and still told apart."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choicekit.report.kinds.choice.comparison.words import one_of
from choicekit.report.numbers import described
from choicekit.report.text import SHORTEST, display_names, distinct, in_sentence, shorten, singular

LIKE = st.builds(
    "{}{}{}".format, st.sampled_from(["L" + "o" * 30, "night train to ", "a"]), st.text("ab ()123", max_size=4),
    st.sampled_from(["", "n" * 30, " (1)", " (2)", "\x00", "\x01"]),
)  # fmt: skip


@given(st.lists(LIKE | st.text(max_size=20), max_size=12, unique=True), st.integers(SHORTEST, 60))
@settings(max_examples=400)
def test_shortened_names_stay_different(names: list[str], length: int) -> None:
    shown = display_names(names)
    assert len(shown) == len(names)
    assert len({shorten(name, length) for name in shown}) == len(names)


def test_ten_thousand_names_stay_different() -> None:
    names = [f"{'L' * 40}{place:05d}{'g' * 40}" for place in range(10_000)]
    assert len({shorten(name, SHORTEST) for name in distinct(names)}) == len(names)


def test_names_that_differ_are_left_alone() -> None:
    names = ("air", "night train", "L" * 300, "=cmd|' /C calc'!A0", "train to the far north", "bus to the far south")
    assert distinct(names) == names
    assert display_names(names) == names


def test_a_number_is_kept_by_every_shorter_form() -> None:
    first, second = distinct(["L" + "o" * 150 + "1" + "n" * 150, "L" + "o" * 150 + "2" + "n" * 150])
    assert (shorten(first, 24)[-4:], shorten(second, 24)[-4:]) == (" (1)", "n (2)"[-4:])
    assert in_sentence(first).endswith(" (1)")


def test_a_name_that_looks_like_a_numbered_one_is_numbered_too() -> None:
    alike = ["L" * 40 + "1" + "g" * 40, "L" * 40 + "2" + "g" * 40, "L" * 40 + "g" * 38 + " (1)"]
    shown = distinct(alike)
    assert [name[-4:] for name in shown] == [" (1)", " (2)", " (3)"]


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("lunches", "lunch"), ("cities", "city"), ("buses", "bus"), ("boxes", "box"), ("dishes", "dish"),
        ("classes", "class"), ("choices", "choice"), ("houses", "house"), ("trips", "trip"), ("hours", "hour"),
        ("class", "class"), ("bus", "bus"), ("people", "people"), ("s", "s"), ("", ""),
    ],
)  # fmt: skip
def test_singulars(plural: str, one: str) -> None:
    assert singular(plural) == one
    assert one_of(plural) == one
    assert described(1, plural) == f"1 {one}"
    assert described(2, plural) == f"2 {plural}"
