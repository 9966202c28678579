"""Claims and printed numbers: what holds, what does not, and how many digits count."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit import ShapeError
from choicekit.tour.claims import Claim, Published, law
from choicekit.tour.published import PRINTED, printed_about


def claim(value: float, limit: float, relation: str) -> Claim:
    return Claim(name="a", title="a", measure="a", value=value, limit=limit, relation=relation)  # type: ignore[arg-type]


def test_a_claim_holds_up_to_its_limit_and_never_with_nan() -> None:
    assert claim(1.0, 1.0, "<=").holds
    assert claim(1.0, 1.0, ">=").holds
    assert not claim(1.1, 1.0, "<=").holds
    assert not claim(0.9, 1.0, ">=").holds
    assert not claim(np.nan, 1.0, "<=").holds
    assert not claim(np.nan, 1.0, ">=").holds


def test_a_law_allows_for_rounding_and_no_more() -> None:
    assert law("a", "a", [0.0, -1e-13]).holds
    assert not law("a", "a", [0.0, -1e-11]).holds
    assert law("a", "a", -1e-11, scale=100.0).holds
    assert not law("a", "a", [0.0, np.nan]).holds


def printed(text: str, computed: float, *, cut: bool = False) -> Published:
    return Published(name="a", quantity="a", printed=(text,), computed=np.array([computed]), cut=cut)


@pytest.mark.parametrize(
    ("text", "computed", "cut", "holds"),
    [
        (".25", 0.2549, False, True), (".25", 0.2551, False, False), (".25", 0.2449, False, False),
        (".25", 0.2599, True, True), (".25", 0.2601, True, False),
        ("7", 7.4, False, True), ("7", 7.6, False, False), ("7.01009416490667", 7.0100941649066764, False, False),
    ],
)  # fmt: skip
def test_the_digits_that_are_printed_count(text: str, computed: float, cut: bool, holds: bool) -> None:
    assert printed(text, computed, cut=cut).claim().holds == holds


def test_as_many_numbers_are_computed_as_are_printed() -> None:
    with pytest.raises(ShapeError, match=r"2 numbers are printed, found \(3,\) computed"):
        Published(name="a", quantity="a", printed=("1", "2"), computed=np.arange(3.0))


def test_rows_are_held_to_print_only_where_they_are_those_of_the_print() -> None:
    for row, entries in PRINTED.items():
        numbers = {name: np.zeros(len(texts)) for name, (_, texts) in entries.items()}
        assert [entry.name for entry in printed_about(np.array(row), **numbers)] == list(entries)
        assert printed_about(np.array(row) + 1e-9, **numbers) == ()
        assert not any(entry.claim().holds for entry in printed_about(np.array(row), **numbers))
