"""Validation: every fault found in one go, each where it was written, none hiding another."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from choicekit.scenario.blocks import Block, Finite, Formula, Name, mapping_or
from choicekit.scenario.source import parse_document
from choicekit.scenario.validation import Findings, Validated, validate
from choicekit.scenario.wording import in_words, show


class Inner(Block):
    size: int = Field(ge=0)
    shade: Literal["light", "dark"] = "light"
    tags: list[Name] = Field(default_factory=list)


class Outer(Block):
    title: Name
    inner: Inner
    rate: Finite = 1.0
    names: Annotated[dict[Name, Formula], Field(min_length=1)] = Field(default_factory=lambda: {"x": "1"})
    either: mapping_or(dict[Name, Name], list[Name]) = Field(default_factory=list)  # type: ignore[valid-type]


def found(text: str) -> tuple[list[str], Validated, Findings]:
    findings = Findings(parse_document(text, file="s"))
    validated = validate(Outer, findings)
    findings.problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
    return [str(problem) for problem in findings.problems], validated, findings


def test_what_is_right_becomes_a_model() -> None:
    messages, validated, _ = found("title: a\ninner: {size: 1}\neither: {b: c}\n")
    assert messages == []
    assert isinstance(validated.model, Outer)
    assert validated.blocks["inner"].size == 1
    assert validated.blocks["either"] == {"b": "c"}


def test_every_fault_is_found_at_once() -> None:
    messages, validated, _ = found(
        "titel: a\ninner:\n  size: -1\n  shade: drak\n  tags: [1, x, 2]\nrate: .nan\nnames: {}\neither: 5\n"
    )
    assert messages == [
        "s:1:1 unknown key 'titel', did you mean 'title'?",
        "s:3:9 must be at least 0, found -1",
        "s:4:10 must be one of light, dark, found 'drak', did you mean 'dark'?",
        "s:5:10 must be text, found 1, put it in quotes",
        "s:5:16 must be text, found 2, put it in quotes",
        "s:6:7 must be a finite number, found nan",
        "s:7:8 must not be empty",
        "s:8:9 must be a list, found 5",
    ]
    assert validated.model is None


def test_a_misspelt_key_stands_in_for_the_right_one() -> None:
    messages, validated, findings = found("title: a\ninnre: {sise: 3}\n")
    assert messages == [
        "s:2:1 unknown key 'innre', did you mean 'inner'?", "s:2:9 unknown key 'sise', did you mean 'size'?",
    ]  # fmt: skip
    assert validated.blocks["inner"].size == 3
    assert findings.written(("inner", "size")) == ("innre", "sise")
    assert findings.written(("inner", "tags", 0)) == ("innre", "tags", 0)


def test_two_keys_do_not_stand_in_for_the_same_one() -> None:
    messages, _, _ = found("title: a\ntitl: b\ninner: {size: 1}\n")
    assert messages == ["s:2:1 unknown key 'titl', known keys are title, inner, rate, names, either"]


def test_what_can_be_read_is_handed_on_beside_what_cannot() -> None:
    messages, validated, findings = found("title: a\ninner: {size: x}\nrate: 2\nnames: {good: 1, bad: [1]}\n")
    assert messages == ["s:2:15 must be a whole number, found 'x'", "s:4:23 must be a formula, found a list"]
    assert validated.blocks["rate"] == 2
    assert validated.blocks["names"] == {"good": "1"}
    assert "inner" not in validated.blocks
    assert findings.taken_out("names") == ["bad"]
    assert ("inner", "size") in findings.removed


def test_a_missing_key_is_said_once() -> None:
    assert found("{}\n")[0] == ["s:1:1 missing key 'title', add it", "s:1:1 missing key 'inner', add it"]
    assert found("title: a\ninner: {shade: dark}\n")[0] == ["s:2:1 missing key 'size', add it"]


def test_more_rounds_than_one_go_on_while_they_find_something() -> None:
    nested = "title: a\ninner: {siez: x, shad: dim, tag: [1]}\n"
    assert found(nested)[0] == [
        "s:2:9 unknown key 'siez', did you mean 'size'?",
        "s:2:15 must be a whole number, found 'x'",
        "s:2:18 unknown key 'shad', did you mean 'shade'?",
        "s:2:24 must be one of light, dark, found 'dim'",
        "s:2:29 unknown key 'tag', did you mean 'tags'?",
        "s:2:35 must be text, found 1, put it in quotes",
    ]


def test_the_document_is_left_as_it_was() -> None:
    text = "titel: a\ninner: {size: x}\n"
    _, _, findings = found(text)
    assert findings.document.values == {"titel": "a", "inner": {"size": "x"}}


def test_names_that_are_not_known_get_the_nearest_or_all() -> None:
    findings = Findings(parse_document("a: 1\n", file="s"))
    findings.unknown(("a",), "column", "tiem", ["time", "cost"])
    findings.unknown(("a",), "column", "x", ["time", "cost", "cost"], of_key=True)
    findings.unknown(("a",), "column", "x", [])
    assert [str(problem) for problem in findings.problems] == [
        "s:1:4 unknown column 'tiem', did you mean 'time'?",
        "s:1:1 unknown column 'x', there are time, cost",
        "s:1:4 unknown column 'x', there are none",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "nothing"), (True, "true"), (False, "false"), ({}, "a mapping"), ([], "a list"), (1.5, "1.5"),
     ("a" * 99, "'" + "a" * 37 + "…'")],
)  # fmt: skip
def test_values_are_shown_short_and_as_they_are_written(value: object, shown: str) -> None:
    assert show(value) == shown
    assert len(show(value)) <= 40


class Everything(Block):
    whole: int = Field(default=1, gt=0, lt=10)
    number: float = Field(default=1.0, ge=0, le=1.5)
    truth: bool = False
    short: Annotated[str, Field(min_length=1, max_length=1)] = "x"
    few: Annotated[list[int], Field(min_length=1, max_length=1)] = Field(default_factory=lambda: [1])
    one: Literal[1] = 1
    inner: Inner | None = None


@pytest.mark.parametrize(
    ("values", "message", "hint"),
    [
        ({"whole": 0}, "must be above 0, found 0", ""),
        ({"whole": 10}, "must be below 10, found 10", ""),
        ({"whole": "7"}, "must be a whole number, found '7'", "take away the quotes"),
        ({"whole": "inf"}, "must be a whole number, found 'inf'", ""),
        ({"whole": 1.5}, "must be a whole number, found 1.5", ""),
        ({"number": 2}, "must be at most 1.5, found 2", ""),
        ({"number": -1}, "must be at least 0, found -1", ""),
        ({"number": []}, "must be a number, found a list", ""),
        ({"truth": "yes"}, "must be true or false, found 'yes'", ""),
        ({"truth": 1}, "must be true or false, found 1", ""),
        ({"short": ""}, "must not be empty", ""),
        ({"short": "ab"}, "must have at most 1 character, found 'ab'", ""),
        ({"short": 1}, "must be text, found 1", "put it in quotes"),
        ({"few": []}, "must not be empty", ""),
        ({"few": [1, 2]}, "must have at most 1 entry, found a list", ""),
        ({"few": 1}, "must be a list, found 1", ""),
        ({"one": 2}, "must be 1, found 2", ""),
        ({"inner": 3}, "must be a mapping, found 3", ""),
    ],
)
def test_every_fault_of_a_value_has_words(values: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate(values)
    assert [in_words(detail) for detail in caught.value.errors()] == [(message, hint)]
