"""Broken rules: nests that do not fit, settings of another rule, draws that a rule does not have.

In the style of `test_broken_files`, and by its machinery: messages are golden, and all faults are reported at once.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from choicekit import load_scenario
from tests.scenario.choice.test_broken_policies import RIDES, RIDES_CSV, rides
from tests.scenario.test_broken_files import (
    RULES,
    Case,
    test_a_fault_is_told_in_our_words_at_its_place,
    test_the_command_line_says_the_same_with_its_exit_code,
    write_files,
)

__all__ = [  # these are collected here too, with the cases below
    "test_a_fault_is_told_in_our_words_at_its_place",
    "test_the_command_line_says_the_same_with_its_exit_code",
]

WHY = (
    "above 1, making an alternative better could make another of its nest more probable, and at 0 or below itself less "
    "probable, which agents who maximise utility never do, use 1 where members are not alike"
)
TRAM = ("{change: {bus: {cost: 0.8 * cost}}}", "{add: {tram: {columns_like: bus}}}")
OWN = "give it a nest of its own"


def rule(name: str, text: str, says: str, *changes: tuple[str, str], end: str = "") -> Case:
    """A scenario whose rule, on line 16, has a fault."""
    return rides(name, says, *changes, end=f"rule: {text}\n{end}")


def nested(name: str, nests: str, says: str, *changes: tuple[str, str], end: str = "") -> Case:
    """A scenario whose nests, on line 16 from column 35, have a fault."""
    return rule(name, f"{{type: nested_logit, nests: {nests}}}", says, *changes, end=end)


NESTS = [
    nested("everything wrong with nests at once",
         "{a: {members: [bus, tram]}, b: {members: [bus], dissimilarity: 1.5}}",
         f"""\
         s.yaml:16:28 alternative 'car' is in no nest, {OWN}: `car: {{members: [car]}}`
         s.yaml:16:55 unknown member 'tram', there are bus, car
         s.yaml:16:77 nests must not overlap, found member 'bus' in nest 'a' as well, give its parts to both nests \
with cross-nested logit
         s.yaml:16:98 dissimilarity must be above 0 and at most 1, found 1.5: {WHY}"""),
    nested("a misspelt member deep in the tree", "{a: {members: [bus], nests: {c: {members: [cr]}}}}",
         "s.yaml:16:78 unknown member 'cr', did you mean 'car'?"),
    nested("a dissimilarity of zero", "{a: {members: [bus, car], dissimilarity: 0}}",
         f"s.yaml:16:76 dissimilarity must be above 0 and at most 1, found 0.0: {WHY}"),
    nested("an alternative in no nest", "{a: {members: [bus]}}",
         f"s.yaml:16:28 alternative 'car' is in no nest, {OWN}: `car: {{members: [car]}}`"),
    nested("an alternative that a policy adds in no nest", "{a: {members: [bus]}, b: {members: [car]}}",
         "s.yaml:15:19 policy 'cheaper' adds 'tram', which is in no nest of `rule`, name it in a nest of `rule`, such "
         "as `members: [bus, tram]`, or give it one of its own there: `tram: {members: [tram]}`", TRAM),
    nested("a policy that writes half of the nests", "{a: {members: [bus], dissimilarity: 0.5}, b: {members: [car]}}",
         "s.yaml:15:28 nests given here take the place of all the baseline's, and 'a' has no members, write every nest "
         "whole, with its members", (TRAM[0], "{rule: {nests: {a: {dissimilarity: 1}}}}")),
    nested("members of other forms", "{a: {members: [bus, 3]}, b: {member: [car], dissimilarity: x}}",
         """\
         s.yaml:16:55 must be text, found 3, put it in quotes
         s.yaml:16:64 unknown key 'member', did you mean 'members'?
         s.yaml:16:94 must be a number, found 'x'"""),
    nested("nests that are a list", "[bus, car]",
         "s.yaml:16:35 must be a mapping, found a list, such as {rail: {members: [train, tram]}}"),
    nested("a nest that is a list", "{a: [bus, car]}",
         "s.yaml:16:39 must be a mapping, found a list, such as {members: [train, tram]}"),
    nested("an empty nest", "{a: {}, b: {members: [car, bus]}}",
         "s.yaml:16:36 a nest must have members, found none, leave it out"),
    nested("allocations in nested logit", "{a: {members: {bus: 1}}, b: {members: [car]}}",
         "s.yaml:16:49 members must be a list, found allocations, use cross-nested logit"),
    rule("no nests", "{type: nested_logit}", "s.yaml:16:1 missing key 'nests', add it"),
    rule("everything wrong with allocations at once",
         "{type: cross_nested_logit, nests: {a: {members: {bus: 0.5, car: 1}}, b: {members: {bus: 0.4, cra: 1}}, "
         "c: {members: {car: -1}, nests: {d: {members: [bus]}}}}}",
         """\
         s.yaml:16:56 the allocations of an alternative must sum to 1, found 1.9 for 'bus' (0.5 in 'a' + 0.4 in 'b' + \
1 in 'd')
         s.yaml:16:100 unknown member 'cra', did you mean 'car'?
         s.yaml:16:124 the allocation of 'car' must be from 0 to 1, found -1.0
         s.yaml:16:141 nests of cross-nested logit must not hold nests, use nested logit for those"""),
    rule("an allocation that is too large", "{type: cross_nested_logit, nests: {a: {members: {bus: 1.5}}, b: {members: "
         "{car: 1}}}}", "s.yaml:16:56 the allocation of 'bus' must be from 0 to 1, found 1.5"),
    rule("an allocation that is a word", "{type: cross_nested_logit, nests: {a: {members: {bus: half}}, b: {members: "
         "{bus: 0.5, car: 1}}}}", "s.yaml:16:61 must be a number, found 'half'"),
    nested("nests of a policy", "{a: {members: [bus, tram]}, b: {members: [car]}}",
         f"""\
         s.yaml:15:54 alternative 'car' is in no nest, {OWN}: `car: {{members: [car]}}`
         s.yaml:15:54 alternative 'tram' is in no nest, {OWN}: `tram: {{members: [tram]}}`""",
         (TRAM[0], "{add: {tram: {columns_like: bus}}, rule: {nests: {x: {members: [bus]}}}}")),
    rides("nests that only the data can judge", f"""\
         s.yaml:14:28 alternative 'car' is in no nest, {OWN}: `car: {{members: [car]}}`
         s.yaml:14:79 unknown member 'tram', there are bus, car""",
         ("utility:\n  bus: asc_bus + b_cost * cost\n  car: b_cost * cost + 0.01 * income\n",
          "utility: asc_bus + b_cost * cost\n"),
         end="rule: {type: nested_logit, nests: {ground: {members: [bus]}, rail: {members: [tram]}}}\n"),
]  # fmt: skip

SETTINGS = [
    rule("an unknown rule, whose settings are looked at none the less",
         "{type: nested_logti, nests: {a: {membrs: [bus, car]}}}",
         f"""\
         s.yaml:16:14 must be one of {RULES}, found 'nested_logti', did you mean 'nested_logit'?
         s.yaml:16:40 unknown key 'membrs', did you mean 'members'?"""),
    rule("a rule like no other", "{type: magic, wand: 1}", f"s.yaml:16:14 must be one of {RULES}, found 'magic'"),
    rule("entmax that is none", "{type: entmax, alpha: 0.5}", "s.yaml:16:29 must be at least 1, found 0.5"),
    rule("coherent draws of a sparse rule", "{type: sparsemax}",
         "s.yaml:17:24 Sparsemax has no additive-noise law, so coherent draws do not exist (no noise drawn for each "
         "alternative by itself gives these probabilities): use sampling 'fast' or 'auto'",
         end="simulation: {sampling: coherent}\n"),
    Case("another rule set from outside, with a setting that it lacks", RIDES + "rule: {temperature: 1}\n",
         "s.yaml:16:8 unknown key 'temperature', it does not go with type 'hardmax': take it away with "
         "--set rule.temperature=null", {"rides.csv": RIDES_CSV}, overrides=("rule.type=hardmax",)),
    Case("another rule in a scenario that extends one", "extends: base.yaml\nrule: {type: hardmax}\n",
         "base.yaml:16:8 unknown key 'temperature', it does not go with type 'hardmax': take it away with "
         "`temperature: null` beside that",
         {"rides.csv": RIDES_CSV, "base.yaml": RIDES + "rule: {temperature: 1}\n"}),
]  # fmt: skip

CASES = [*NESTS, *SETTINGS]


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A broken scenario, written to the working directory."""
    found: Case = request.param
    write_files(found, tmp_path)
    monkeypatch.chdir(tmp_path)
    return found


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        (["rule.type=sparsemax"], "sparsemax"),
        (["rule.type=hardmax", "rule.temperature=null"], "hardmax"),
        (["rule={type: hardmax}"], "hardmax"),
        (["rule=null"], "softmax"),
    ],
)
def test_another_rule_can_be_set_from_outside(overrides: list[str], name: str, tmp_path: Path) -> None:
    (tmp_path / "rides.csv").write_text(RIDES_CSV)
    (tmp_path / "s.yaml").write_text(RIDES + "rule: {type: softmax, temperature: 0.5}\n")
    scenario = load_scenario(tmp_path / "s.yaml", overrides=overrides)
    assert scenario.prepared.study.study.model.rule.name == name


def test_an_extending_scenario_takes_away_a_policy_and_a_setting(tmp_path: Path) -> None:
    (tmp_path / "rides.csv").write_text(RIDES_CSV)
    (tmp_path / "base.yaml").write_text(RIDES + "  no-bus: {remove: [bus]}\nrule: {type: softmax, temperature: 0.5}\n")
    text = "extends: base.yaml\nrule: {type: hardmax, temperature: null}\npolicies: {cheaper: null}\n"
    (tmp_path / "s.yaml").write_text(text)
    scenario = load_scenario(tmp_path / "s.yaml")
    assert list(scenario.specification.policies) == ["no-bus"]
    assert scenario.prepared.study.study.model.rule.name == "hardmax"


def test_a_nest_of_nests_alone_is_kept_without_a_warning(tmp_path: Path) -> None:
    (tmp_path / "rides.csv").write_text(RIDES_CSV)
    nests = "{all: {dissimilarity: 0.8, nests: {ground: {members: [bus, car], dissimilarity: 0.5}}}}"
    (tmp_path / "s.yaml").write_text(RIDES + f"rule: {{type: nested_logit, nests: {nests}}}\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = load_scenario(tmp_path / "s.yaml").specification.model_dump()
    assert found["rule"]["nests"]["all"]["members"] == []
