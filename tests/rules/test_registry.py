"""Rules by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from choicekit.errors import InvalidInputError
from choicekit.rules import Hardmax, RegularisedRule, Softmax, register_rule, registered_rules, registry, rule_from_name


@pytest.fixture
def own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_RULES", dict(registry._RULES))


@dataclass(frozen=True)
class Middle(RegularisedRule):
    """A rule without an additive-noise law: every alternative alike, whatever its utility."""

    def _value(self, utility):
        return utility.max(axis=-1)

    def _probabilities(self, utility):
        return np.full(utility.shape, 1 / utility.shape[-1])

    def _jacobian_product(self, utility, direction):
        return np.zeros(direction.shape)

    def _conjugate(self, probabilities):
        return np.zeros(probabilities.shape[:-1])

    def _largest_gap(self, n):
        return 0.0


def test_the_rules_of_this_package_are_known_by_name():
    assert registered_rules()["softmax"] is Softmax
    assert registered_rules()["hardmax"] is Hardmax


def test_every_name_is_a_lower_case_word_and_the_rules_own():
    for name, rule in registered_rules().items():
        assert name == rule.name
        assert name == name.lower()
        assert name.isidentifier()


def test_a_rule_is_made_from_its_name_and_settings():
    assert rule_from_name("softmax", temperature=0.5) == Softmax(0.5)
    assert rule_from_name("hardmax") == Hardmax()


def test_an_unknown_name_says_which_are_known():
    with pytest.raises(InvalidInputError, match=r"unknown rule 'sofmax'.*hardmax.*softmax"):
        rule_from_name("sofmax")


def test_settings_are_checked():
    with pytest.raises(InvalidInputError, match="temperature"):
        rule_from_name("softmax", temperature=-1)


def test_the_table_is_read_only():
    with pytest.raises(TypeError):
        registered_rules()["mine"] = Softmax


@pytest.mark.usefixtures("own_registry")
def test_a_new_rule_is_one_decorator_away():
    assert register_rule("middle")(Middle) is Middle
    assert rule_from_name("middle") == Middle()
    assert Middle.name == "middle"
    assert not Middle.supports_coherent


@pytest.mark.usefixtures("own_registry")
def test_an_unfinished_rule_is_refused_by_what_it_lacks():
    class Half(RegularisedRule):
        """A rule of which only the beginning is written."""

        def _value(self, utility):
            return utility.max(axis=-1)

        def _probabilities(self, utility):
            return np.full(utility.shape, 1 / utility.shape[-1])

    lacking = "rule 'half' is unfinished: define _conjugate, _jacobian_product, _largest_gap in .*Half"
    with pytest.raises(InvalidInputError, match=lacking):
        register_rule("half")(Half)
    assert "half" not in registered_rules()


@pytest.mark.usefixtures("own_registry")
def test_a_name_is_given_once():
    register_rule("middle")(Middle)
    register_rule("middle")(Middle)  # importing a module again is no clash
    with pytest.raises(InvalidInputError, match="'middle' exists already: Middle"):
        register_rule("middle")(type("Other", (Middle,), {}))
