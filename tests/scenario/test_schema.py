"""The JSON Schema: what editors check a scenario against while it is written."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from choicekit import ScenarioError
from choicekit.scenario.kinds import kinds
from choicekit.scenario.schema import scenario_schema
from choicekit.scenario.source import parse_document, read_document
from tests.scenario.test_broken_files import LUNCH, PEOPLE, TRIPS, lunch

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
VALIDATOR = jsonschema.Draft202012Validator(scenario_schema())


def templates() -> list[Any]:
    folder = resources.files("choicekit.scenario").joinpath("templates")
    return [parse_document(folder.joinpath(f"{kind}.yaml").read_text(), file=kind).values for kind in kinds()]


def test_the_schema_is_a_schema() -> None:
    for schema in (scenario_schema(), *(scenario_schema(kind) for kind in kinds())):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_shipped_scenarios_validate(path: Path) -> None:
    VALIDATOR.validate(read_document(path).values)


@pytest.mark.parametrize("values", templates(), ids=kinds())
def test_templates_validate(values: Any) -> None:
    VALIDATOR.validate(values)


def test_true_and_false_are_formulas() -> None:
    VALIDATOR.validate(parse_document(lunch(end="availability: {soup: true, pizza: false}\n"), file="s").values)


@pytest.mark.parametrize("text", [LUNCH, PEOPLE, TRIPS], ids=["lunch", "people", "trips"])
def test_whole_scenarios_validate(text: str) -> None:
    VALIDATOR.validate(parse_document(text, file="s").values)


@pytest.mark.parametrize(
    "text",
    [
        lunch(("seed: 1", "sede: 1")),
        lunch(("seed: 1\n", "")),
        lunch(("seed: 1", "seed: -1")),
        lunch(("seed: 1", "seed: 1.5")),
        lunch(("choicekit: 1", "choicekit: 2")),
        lunch(("kind: choice", "kind: chioce")),
        lunch(("name: lunch", "name: ../../etc")),
        lunch(("b: 0.5", "b: half")),
        lunch(("  agent: who", "  agnet: who")),
        lunch(("{who: bo, hunger: 0}", "{who: bo, hunger: [1]}")),
        lunch(("soup: 1", "soup: [1]")),
        lunch(end="rule: {type: sofmax}\n"),
        lunch(end="rule: {type: softmax, temperature: -1}\n"),
        lunch(end="rule: {type: hardmax, temperature: 1}\n"),
        lunch(end="simulation: {replications: 0}\n"),
        lunch(end="segments: {h: {edges: [1]}}\n"),
        lunch(end="output: x\n"),
    ],
)
def test_broken_scenarios_do_not_validate(text: str) -> None:
    assert not VALIDATOR.is_valid(parse_document(text, file="s").values)


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        for name, entry in schema.get("properties", {}).items():
            yield f"{path}.{name}", entry
        for name, entry in schema.items():
            yield from properties(entry, f"{path}.{name}")
    elif isinstance(schema, list):
        for entry in schema:
            yield from properties(entry, path)


def description(entry: dict[str, Any]) -> str:
    """The entry's own description, or that of the block it refers to."""
    told = [entry, *entry.get("allOf", [])]  # where older pydantic puts the reference
    told += [VALIDATOR.schema["$defs"][part["$ref"].removeprefix("#/$defs/")] for part in told if "$ref" in part]
    return next((str(part["description"]) for part in told if "description" in part), "")


def test_every_entry_is_described() -> None:
    found = list(properties(scenario_schema()))
    assert len(found) > 40
    for path, entry in found:
        assert len(description(entry)) > 8, path
        assert description(entry).endswith("."), path


def test_every_block_is_described() -> None:
    for name, block in scenario_schema()["$defs"].items():
        assert block.get("description"), name


def test_editors_know_that_a_file_may_extend_another() -> None:
    assert all(schema["properties"]["extends"]["description"] for schema in VALIDATOR.schema["anyOf"])
    VALIDATOR.validate({**parse_document(LUNCH, file="s").values, "extends": ["a.yaml", "b.yaml"]})


def test_a_file_that_extends_another_may_leave_out_and_take_away() -> None:
    text = "choicekit: 1\nkind: choice\nextends: a.yaml\npolicies: {no-bus: null}\n"
    VALIDATOR.validate(parse_document(text, file="s").values)
    assert not VALIDATOR.is_valid(parse_document(text.replace("extends: a.yaml\n", ""), file="s").values)
    assert not VALIDATOR.is_valid(parse_document(text.replace("no-bus: null", "no-bus: 1"), file="s").values)
    VALIDATOR.validate({"extends": "a.yaml", "seed": 2})  # of any kind


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ScenarioError, match="unknown kind 'chioce', did you mean 'choice'"):
        scenario_schema("chioce")
