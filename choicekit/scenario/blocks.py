"""What blocks of a scenario are made of: strict models, formulas, and models made from dataclass fields."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_origin, get_type_hints

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from choicekit.errors import InvalidInputError
from choicekit.rules import RegularisedRule, registered_rules
from choicekit.scenario.wording import show

__all__ = ["Block", "Finite", "Formula", "Name", "ScenarioBlock", "mapping_or", "rule_block"]

DEFAULT_RULE = "softmax"
_YAML_TYPES = (float, int, bool, str)
NAME_PATTERN = r"^[a-z0-9]+([-_][a-z0-9]+)*$"


class Block(BaseModel):
    """A mapping in a scenario file: unknown keys are refused, values are not converted, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, value: Any) -> Any:
        """Name the keys there are beside the unknown ones: a misspelt key is then told from a missing one."""
        if isinstance(value, Mapping):
            known = list(cls.model_fields)
            unknown = [key for key in value if key not in known]
            if unknown:
                raise PydanticCustomError("unknown_keys", "unknown keys", {"unknown": unknown, "known": known})
        return value


def _formula_text(value: object) -> object:
    """Numbers are formulas too, and so are true and false: 1 and 0."""
    if isinstance(value, bool):
        return repr(int(value))
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError(f"must be a formula or a finite number, found {value}")
        return repr(value)
    if not isinstance(value, str):
        raise ValueError(f"must be a formula, found {show(value)}")
    return value


Formula = Annotated[
    str,
    BeforeValidator(_formula_text),
    WithJsonSchema(
        {"type": ["string", "number", "boolean"], "description": "A formula over columns and coefficients."}
    ),
]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=300)]


def mapping_or(mapping: Any, other: Any) -> Any:
    """Return the type of a value that is either a mapping or something else, told apart before it is checked."""
    return Annotated[
        Annotated[mapping, Tag("mapping")] | Annotated[other, Tag("other")],
        Discriminator(lambda value: "mapping" if isinstance(value, Mapping) else "other"),
    ]


class ScenarioBlock(Block):
    """What every scenario starts with, whatever its kind."""

    choicekit: Literal[1] = Field(description="Version of the file format; always 1.")
    kind: str = Field(description="What the study is about, such as choice.")
    name: Annotated[str, Field(pattern=NAME_PATTERN, max_length=80)] = Field(
        description="Short name of the study: lower-case letters, digits and hyphens. Names the run directory."
    )
    title: str = Field(
        default="", max_length=200, description="Shown above the finding that heads the report; by default the name."
    )
    description: str = Field(default="", max_length=5000, description="What the study is for, in prose.")
    seed: int = Field(ge=0, lt=2**64, description="Seed of every random number; a whole number from 0.")


@cache
def dataclass_block(cls: type, name: str) -> type[Block]:
    """Make a strict block from a registered dataclass: one key for each field, told apart by ``type``.

    A field's metadata may say what YAML holds (``yaml``, a type), the smallest value (``minimum``), and a
    ``description``; a field whose ``yaml`` is None cannot be set in YAML.
    """
    if not is_dataclass(cls):
        raise InvalidInputError(f"{cls.__qualname__} must be a dataclass to be set in YAML")
    entries: dict[str, Any] = {"type": (Literal[name], Field(description=_first_line(cls)))}
    hints = get_type_hints(cls)
    for item in fields(cls):
        kind = item.metadata.get("yaml", hints[item.name])
        if kind is None or not item.init:
            continue
        if kind not in _YAML_TYPES and get_origin(kind) is not Literal:
            raise InvalidInputError(
                f"field {item.name!r} of {cls.__qualname__} cannot be written in YAML as {kind}: say what YAML holds "
                "in its metadata, such as field(metadata={'yaml': float}), or None for nothing"
            )
        settings: dict[str, Any] = {"description": item.metadata.get("description", "")}
        if kind is float:
            settings["allow_inf_nan"] = False
        if "minimum" in item.metadata:
            settings["ge"] = item.metadata["minimum"]
        if item.default is not MISSING:
            settings["default"] = item.default
        elif item.default_factory is not MISSING:
            settings["default_factory"] = item.default_factory
        entries[item.name] = (kind, Field(**settings))
    return create_model(f"{cls.__name__}Block", __base__=Block, __doc__=_first_line(cls), **entries)


def rule_block() -> Any:
    """Return the type of a ``rule:`` block: one of the registered rules, by name."""
    return _union_of(tuple(sorted(registered_rules().items())))


@cache
def _union_of(rules: tuple[tuple[str, type[RegularisedRule]], ...]) -> Any:
    blocks = [dataclass_block(rule, name) for name, rule in rules]
    union: Any = Union[tuple(blocks)]  # noqa: UP007 - made from a tuple
    return Annotated[union, Field(discriminator="type"), BeforeValidator(_with_default_type)]


def _with_default_type(value: object) -> object:
    """Without a type the rule is softmax, so that ``--set rule.temperature=2`` works where a scenario has no rule."""
    return {"type": DEFAULT_RULE, **value} if isinstance(value, Mapping) and "type" not in value else value


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().split("\n")[0]
