"""Kinds and rules: what is registered goes through YAML, schema and simulation without anything else touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import jsonschema
import numpy as np
import pytest

from choicekit import InvalidInputError, ScenarioError, run_scenario
from choicekit.rules import RegularisedRule, register_rule
from choicekit.rules import registry as registry_module
from choicekit.rules.protocol import FloatArray
from choicekit.scenario.blocks import dataclass_block
from choicekit.scenario.catalogue import catalogue
from choicekit.scenario.kinds import kind_named, kinds
from choicekit.scenario.schema import scenario_schema
from choicekit.scenario.source import parse_document

COIN = """
choicekit: 1
kind: choice
name: coin
seed: 1
agents: {rows: [{id: 1, x: 0.0}, {id: 2, x: 1.0}], agent: id}
utility: {heads: x, tails: 0}
simulation: {replications: 40}
checks: {agreement: 0}
"""


@dataclass(frozen=True)
class EvenHanded(RegularisedRule):
    """Mix the best alternative with an even hand.

    Parameters
    ----------
    evenness : float
        Share of choices made at random.
    """

    evenness: float = field(
        default=0.5, metadata={"yaml": float, "minimum": 0, "description": "Share of choices made at random."}
    )
    cache: dict[str, float] = field(default_factory=dict, metadata={"yaml": None})

    supports_coherent: ClassVar[bool] = False

    def _value(self, utility: FloatArray) -> FloatArray:
        return np.asarray(utility.max(axis=-1))

    def _probabilities(self, utility: FloatArray) -> FloatArray:
        best = utility == utility.max(axis=-1, keepdims=True)
        there = utility > -np.inf
        even = there / there.sum(axis=-1, keepdims=True)
        return np.asarray((1 - self.evenness) * best / best.sum(axis=-1, keepdims=True) + self.evenness * even)

    def _jacobian_product(self, utility: FloatArray, direction: FloatArray) -> FloatArray:
        return np.zeros(direction.shape)

    def _conjugate(self, probabilities: FloatArray) -> FloatArray:
        return np.zeros(probabilities.shape[:-1])

    def _largest_gap(self, n: int) -> float:
        return 0.0


@dataclass(frozen=True)
class Plain(EvenHanded):
    """A rule whose fields say nothing but their types."""

    alpha: float = 1.5
    steps: int = 3


@dataclass(frozen=True)
class Unwritable(EvenHanded):
    """A rule with a field that YAML cannot hold and that does not say so."""

    table: set[float] = field(default_factory=set)


def test_a_field_without_metadata_is_checked_by_its_type() -> None:
    block = dataclass_block(Plain, "plain")
    assert block.model_validate({"type": "plain", "alpha": 2}).alpha == 2.0
    for wrong in ({"alpha": ["nonsense"]}, {"alpha": "2"}, {"steps": 1.5}, {"alpha": float("nan")}):
        with pytest.raises(ValueError, match=r"alpha|steps"):
            block.model_validate({"type": "plain", **wrong})


def test_a_field_that_yaml_cannot_hold_must_say_so() -> None:
    with pytest.raises(InvalidInputError, match="field 'table' of Unwritable cannot be written in YAML"):
        dataclass_block(Unwritable, "unwritable")


@pytest.fixture
def even_handed() -> Iterator[str]:
    """A rule that exists for the length of a test."""
    before = dict(registry_module._RULES)
    register_rule("even-handed")(EvenHanded)
    yield "even-handed"
    registry_module._RULES.clear()
    registry_module._RULES.update(before)


def test_a_new_rule_goes_through_a_scenario(even_handed: str) -> None:
    result = run_scenario(COIN + f"rule: {{type: {even_handed}, evenness: 0.2}}\n")
    assert result.outcome.rule == EvenHanded(evenness=0.2)
    assert result.outcome.sampling == "fast"
    np.testing.assert_allclose(result.outcome.expected_shares, [(0.5 + 0.9) / 2, (0.5 + 0.1) / 2])
    assert result.scenario["rule"] == {"type": "even-handed", "evenness": 0.2}
    default = run_scenario(COIN + f"rule: {{type: {even_handed}}}\n")
    assert default.outcome.rule == EvenHanded(evenness=0.5)


def test_settings_of_a_new_rule_are_checked(even_handed: str) -> None:
    with pytest.raises(ScenarioError, match=r":10:37 must be at least 0, found -1$"):
        run_scenario(COIN + f"rule: {{type: {even_handed}, evenness: -1}}\n")
    with pytest.raises(ScenarioError, match=r"unknown key 'eveness', did you mean 'evenness'\?"):
        run_scenario(COIN + f"rule: {{type: {even_handed}, eveness: 1}}\n")
    with pytest.raises(ScenarioError, match="unknown key 'cache'"):
        run_scenario(COIN + f"rule: {{type: {even_handed}, cache: {{}}}}\n")


def test_a_rule_without_coherent_draws_says_so_where_they_are_asked_for(even_handed: str) -> None:
    text = COIN.replace("{replications: 40}", "{replications: 40, sampling: coherent}")
    with pytest.raises(ScenarioError) as caught:
        run_scenario(text + f"rule: {{type: {even_handed}}}\n")
    assert str(caught.value) == (
        "<scenario>:8:42 EvenHanded has no additive-noise law, so coherent draws do not exist: "
        "use sampling 'fast' or 'auto'"
    )


def test_a_new_rule_is_in_the_schema_and_the_catalogue(even_handed: str) -> None:
    assert catalogue()["rules"][even_handed] == "Mix the best alternative with an even hand."
    good = parse_document(COIN + "rule: {type: even-handed, evenness: 0.2}\n", file="s").values
    jsonschema.validate(good, scenario_schema())
    bad = parse_document(COIN + "rule: {type: even-handed, evenness: -1}\n", file="s").values
    assert not jsonschema.Draft202012Validator(scenario_schema()).is_valid(bad)


def test_a_rule_that_is_gone_is_unknown_again() -> None:
    assert "even-handed" not in catalogue()["rules"]
    with pytest.raises(ScenarioError, match=r"must be one of .*, found 'even-handed'"):
        run_scenario(COIN + "rule: {type: even-handed}\n")


def test_every_kind_has_a_name_a_description_and_a_specification() -> None:
    assert "choice" in kinds()
    for name in kinds():
        kind = kind_named(name)
        assert kind.name == name
        assert kind.description
        assert {"choicekit", "kind", "name", "seed"} <= kind.specification().model_fields.keys()
    with pytest.raises(KeyError):
        kind_named("chioce")
