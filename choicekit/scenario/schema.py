"""The JSON Schema of scenario files: what editors use to complete and check them."""

from __future__ import annotations

from typing import Any

from choicekit.errors import Problem, ScenarioError
from choicekit.scenario.kinds import kind_named, kinds
from choicekit.suggestions import suggest

__all__ = ["scenario_schema"]


def scenario_schema(kind: str | None = None) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of scenario files.

    Parameters
    ----------
    kind : str, optional
        One kind of scenario; by default any.

    Returns
    -------
    dict
        Describes a file as written: `extends` may stand in for what is missing, and null takes a named entry away.

    Raises
    ------
    ScenarioError
        For an unknown kind.

    Examples
    --------
    >>> scenario_schema("choice")["title"]
    'choicekit scenario: choice'
    """
    if kind is not None and kind not in kinds():
        hint = suggest(kind, kinds()) or f"kinds are {', '.join(kinds())}"
        raise ScenarioError([Problem(message=f"unknown kind {kind!r}", hint=hint)])
    chosen = kinds() if kind is None else (kind,)
    schemas = [_of_kind(name) for name in chosen]
    if len(schemas) == 1:
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schemas[0]}
    definitions: dict[str, Any] = {}
    for single in schemas:
        definitions |= single.pop("$defs", {})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "choicekit scenario",
        "anyOf": schemas,
        "$defs": definitions,
    }


def _of_kind(name: str) -> dict[str, Any]:
    schema = kind_named(name).specification().model_json_schema()
    names = {"type": "string"}
    schema["title"] = f"choicekit scenario: {name}"
    schema["properties"]["extends"] = {
        "anyOf": [names, {"type": "array", "items": names}],
        "description": "Files to start from, relative to this one; what stands here wins.",
    }
    schema["anyOf"] = [{"required": schema.pop("required", [])}, {"required": ["extends"]}]
    for entry in schema["properties"].values():
        named = entry.get("additionalProperties")
        if isinstance(named, dict):
            entry["additionalProperties"] = {"anyOf": [named, {"type": "null"}]}
    return schema
