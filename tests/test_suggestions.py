"""Laws of the hint that names the nearest known name."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.suggestions import suggest

NAMES = ["time_car", "time_bus", "cost", "income", "Income2"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tme_car", "did you mean 'time_car'?"),
        ("TIME_BUS", "did you mean 'time_bus'?"),
        ("TME_BUS", "did you mean 'time_bus'?"),
        ("incme2", "did you mean 'Income2'?"),
        ("speed", ""),
        ("", ""),
    ],
)
def test_suggests_the_nearest_name(name: str, expected: str) -> None:
    assert suggest(name, NAMES) == expected


def test_case_decides_before_similarity() -> None:
    # 'costs' shares more characters in the same case; 'COST' is the same word.
    assert suggest("cost", ["costs", "COST"]) == "did you mean 'COST'?"


def test_never_suggests_the_name_itself() -> None:
    assert suggest("cost", ["cost"]) == ""
    assert suggest("cost", []) == ""


@given(st.permutations(["abcx", "abcy", "abcz", "ABCY", "abc_q", "zzz"]))
def test_order_of_candidates_does_not_matter(names: list[str]) -> None:
    assert suggest("abcw", names) == "did you mean 'ABCY'?"
    assert suggest("abcW", iter(names)) == suggest("abcW", sorted(names))


def test_names_equal_but_for_case_are_taken_in_order() -> None:
    assert suggest("cost", ["Cost", "COST"]) == suggest("cost", ["COST", "Cost"]) == "did you mean 'COST'?"


def test_of_many_names_those_of_like_length_are_compared() -> None:
    short, long = [f"a{number}" for number in range(500)], [f"a_very_long_name_{number}" for number in range(500)]
    assert suggest("tme_car", [*short, "time_car", *long]) == "did you mean 'time_car'?"


def test_quotes_in_a_candidate_stay_readable() -> None:
    assert suggest("driver's_ag", ["driver's_age"]) == 'did you mean "driver\'s_age"?'


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=30))
def test_suggestion_is_empty_or_one_of_the_candidates(name: str, candidates: list[str]) -> None:
    hint = suggest(name, candidates)
    assert hint == "" or hint in {f"did you mean {candidate!r}?" for candidate in candidates if candidate != name}


def test_hostile_input_is_fast() -> None:
    many = [f"{number:050b}".replace("0", "a").replace("1", "b") for number in range(20_000)]
    start = time.perf_counter()
    suggest("ab" * 28, many)
    suggest("a" * 1_000_000, many)
    suggest("abc", ["a" * 1_000_000] * 100)
    assert time.perf_counter() - start < 1.0
