"""The ninth station: every registered rule, also one that was registered a moment ago."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given

from choicekit import Hardmax, InvalidInputError, Softmax
from choicekit.rules import RegularisedRule, register_rule, registered_rules
from choicekit.rules import registry as registry_module
from choicekit.rules.cross_nested_logit import CrossNestedLogit
from choicekit.rules.nested_logit import NestedLogit
from choicekit.rules.nests import Nest
from choicekit.rules.protocol import FloatArray
from choicekit.tour.side_by_side import RulesStation, every_rule, visit_rules
from tests.tour.rows import rows

ROW = np.array([1.2, 1.0, 0.2, 1.6])
NAMES = ("air", "train", "bus", "car")


@dataclass(frozen=True, eq=False)
class Warm(Softmax):
    """Softmax, warm by default."""

    temperature: float | FloatArray = 3.0


@dataclass(frozen=True, eq=False)
class Needy(Softmax):
    """Softmax that cannot be made without a word."""

    word: str = field(default="", metadata={"yaml": str})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.word:
            raise InvalidInputError("say the word")


@dataclass(frozen=True, eq=False)
class Liar(Softmax):
    """Softmax that says it is worth more."""

    def _value(self, utility: FloatArray) -> FloatArray:
        return super()._value(utility) + 0.1


@pytest.fixture
def registered() -> Iterator[Any]:
    """Register rules for the length of a test."""
    before = dict(registry_module._RULES)
    yield lambda name, rule: register_rule(name)(rule)
    registry_module._RULES.clear()
    registry_module._RULES.update(before)


def row_of(station: RulesStation, label: str) -> Any:
    return next(row for row in station.rows if row.label == label)


def test_every_registered_rule_is_there_or_said_to_be_left_out() -> None:
    station = visit_rules(ROW, NAMES)
    assert {row.rule for row in station.rows} | set(station.left_out) == set(registered_rules())
    assert {"hardmax", "softmax"} <= {row.rule for row in station.rows}
    assert "nested_logit" in station.left_out
    assert station.passed


def test_what_a_rule_makes_of_the_row() -> None:
    row = row_of(visit_rules(ROW, NAMES), "softmax")
    p = np.exp(ROW) / np.exp(ROW).sum()
    np.testing.assert_allclose(row.probabilities, p, rtol=1e-14)
    assert row.value == pytest.approx(np.log(np.exp(ROW).sum()), rel=1e-14)
    assert row.gap == pytest.approx(row.value - 1.6, rel=1e-13)
    assert row.max_gap == pytest.approx(np.log(4), rel=1e-14)
    assert row.cost == pytest.approx((p * np.log(p)).sum(), rel=1e-13)
    assert (row.n_support, row.coherent, row.settings) == (4, True, "temperature 1")
    hard = row_of(visit_rules(ROW, NAMES), "hardmax")
    assert (hard.n_support, hard.gap, hard.max_gap, hard.settings) == (1, 0, 0, "")


def test_a_rule_registered_now_is_shown_with_nothing_else_touched(registered: Any) -> None:
    registered("warm", Warm)
    station = visit_rules(ROW, NAMES)
    np.testing.assert_allclose(row_of(station, "warm").probabilities, Softmax(3.0).probabilities(ROW), rtol=1e-15)
    assert {claim.name for claim in station.checks if "warm" in claim.name} == {"warm_sum", "warm_gap", "warm_met"}


def test_a_rule_that_needs_settings_is_left_out_until_it_gets_them(registered: Any) -> None:
    registered("needy", Needy)
    assert "needy" in visit_rules(ROW, NAMES).left_out
    station = visit_rules(ROW, NAMES, [Needy(word="please")])
    assert "needy" not in station.left_out
    assert row_of(station, "needy").settings == "temperature 1; word please"


def test_rules_that_are_given_stand_in_for_their_defaults() -> None:
    station = visit_rules(ROW, NAMES, [Softmax(2.0), Softmax(0.5)])
    assert [row.label for row in station.rows if row.rule == "softmax"] == [
        "softmax, temperature 2", "softmax, temperature 0.5",
    ]  # fmt: skip
    only = visit_rules(ROW, NAMES, [Softmax(2.0)])
    assert row_of(only, "softmax").settings == "temperature 2"
    assert len({claim.name for claim in station.checks}) == len(station.checks)


def test_nests_are_named_by_the_alternatives() -> None:
    rule = NestedLogit({"ground": Nest(["train", "bus"], dissimilarity=0.5)})
    station = visit_rules(ROW, NAMES, [rule])
    row = row_of(station, "nested logit")
    inside = 0.5 * np.log(np.exp(2.0) + np.exp(0.4))
    assert row.value == pytest.approx(np.log(np.exp(1.2) + np.exp(1.6) + np.exp(inside)), rel=1e-13)
    assert row.max_gap == pytest.approx(np.log(2 + np.sqrt(2)), rel=1e-13)
    assert row.settings == "nests ground: train, bus, dissimilarity 0.5; temperature 1"
    assert station.passed


def test_nests_in_nests_and_in_parts_are_written_out() -> None:
    deep = NestedLogit({"land": Nest(["car"], 0.8, {"public": Nest(["train", "bus"], 0.5)})}, temperature=2.0)
    crossed = CrossNestedLogit({"a": Nest({"air": 1, "train": 0.25}, 0.5), "b": Nest({"train": 0.75, "bus": 1}, 1.0)})
    station = visit_rules(ROW, NAMES, [deep, crossed])
    assert row_of(station, "nested logit").settings == (
        "nests land: car, [public: train, bus, dissimilarity 0.5], dissimilarity 0.8; temperature 2"
    )
    assert row_of(station, "cross nested logit").settings == (
        "nests a: air, train 0.25, dissimilarity 0.5; b: train 0.75, bus, dissimilarity 1; temperature 1"
    )
    assert station.passed


def test_a_rule_whose_value_is_not_its_own_is_found_out(registered: Any) -> None:
    registered("liar", Liar)
    station = visit_rules(ROW, NAMES)
    assert [claim.name for claim in station.checks if not claim.holds] == ["liar_met"]


def test_rules_come_by_name() -> None:
    rules, _ = every_rule([Softmax(2.0), Hardmax()])
    assert [rule.name for rule in rules] == sorted(rule.name for rule in rules)
    assert all(isinstance(rule, RegularisedRule) for rule in rules)


@given(rows)
def test_its_claims_hold_for_any_row(row: npt.NDArray[np.float64]) -> None:
    names = tuple(str(place) for place in range(row.size))
    nested = NestedLogit({"pair": Nest(["0", "1"], dissimilarity=0.3)})
    station = visit_rules(row, names, [nested])
    assert [claim.name for claim in station.checks if not claim.holds] == []
