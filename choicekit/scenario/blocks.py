"""What blocks of a scenario are made of: strict models, formulas, and models made from dataclass fields."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from dataclasses import Field as DataclassField
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

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

__all__ = [
    "Block",
    "Finite",
    "Formula",
    "Name",
    "ScenarioBlock",
    "dataclass_block",
    "made",
    "mapping_or",
    "rule_block",
    "tagged_union",
]

DEFAULT_RULE = "softmax"
_YAML_TYPES = (int, bool, str)
NAME_PATTERN = r"^[a-z0-9]+([-_][a-z0-9]+)*$"


class Block(BaseModel):
    """A mapping in a scenario file: unknown keys are refused, values are not converted, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    made_from: ClassVar[Any] = None  # the dataclass that the block was made from, if any

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
        Discriminator(lambda value: "mapping" if isinstance(value, Mapping | Block) else "other"),
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


def dataclass_block(cls: type, name: str = "", tag: str = "type") -> type[Block]:
    """Make a strict block from a registered dataclass: one key for each field, told apart by ``type``.

    A field holds what its type hint says: a number, text, true or false, a list, a mapping by name, or another
    dataclass, whose block is made alike. Its metadata may say otherwise (``yaml``, such a type), give the smallest
    value (``minimum``), or the largest (``maximum``), and a ``description``; a field whose ``yaml`` is None cannot be
    set in YAML.

    Parameters
    ----------
    cls : type
        The dataclass.
    name : str
        The word for it in YAML; without one the block says nothing of its sort.
    tag : str
        The key that holds the word.
    """
    return _block_of(cls, name, tag)


@cache
def _block_of(cls: type, name: str, tag: str) -> type[Block]:
    if not is_dataclass(cls):
        raise InvalidInputError(f"{cls.__qualname__} must be a dataclass to be set in YAML")
    entries: dict[str, Any] = {tag: (Literal[name], Field(description=_first_line(cls)))} if name else {}
    hints = get_type_hints(cls)
    for item in fields(cls):
        kind = item.metadata.get("yaml", hints[item.name])
        kind = hints[item.name] if kind is Mapping else kind
        if kind is not None and item.init:
            entries[item.name] = (_in_yaml(kind, item.name, cls), _settings_of(item))
    block = create_model(f"{cls.__name__}Block", __base__=Block, __doc__=_first_line(cls), **entries)
    block.made_from = cls
    return block


def _settings_of(item: DataclassField[Any]) -> Any:
    settings: dict[str, Any] = {"description": item.metadata.get("description", "")}
    for word, limit in (("minimum", "ge"), ("maximum", "le")):
        if word in item.metadata:
            settings[limit] = item.metadata[word]
    if item.default is not MISSING:
        # YAML holds lists only
        settings["default"] = list(item.default) if isinstance(item.default, tuple) else item.default
    elif item.default_factory is not MISSING:
        settings["default_factory"] = item.default_factory
    return Field(**settings)


def _in_yaml(kind: Any, name: str, cls: type) -> Any:
    """Return the type of what YAML holds for a field of some type."""
    if kind is float:
        return Finite
    if kind in _YAML_TYPES or get_origin(kind) is Literal:
        return kind
    if kind is cls:
        return f"{cls.__name__}Block"
    if isinstance(kind, type) and is_dataclass(kind):
        return dataclass_block(kind)
    origin, parts = get_origin(kind), get_args(kind)
    if origin in {dict, Mapping} and parts:
        return dict[Name, _in_yaml(parts[1], name, cls)]  # type: ignore[misc]  # a type made as the program runs
    if origin in {list, tuple, Sequence} and parts:
        return list[Name if parts[0] is str else _in_yaml(parts[0], name, cls)]  # type: ignore[misc]
    if origin in {Union, UnionType}:
        return _one_of([part for part in parts if part is not NoneType], NoneType in parts, name, cls)
    raise InvalidInputError(
        f"field {name!r} of {cls.__qualname__} cannot be written in YAML as {kind}: say what YAML holds "
        "in its metadata, such as field(metadata={'yaml': float}), or None for nothing"
    )


def _one_of(kinds: list[Any], or_nothing: bool, name: str, cls: type) -> Any:
    mappings = [kind for kind in kinds if get_origin(kind) in {dict, Mapping}]
    others = [_in_yaml(kind, name, cls) for kind in kinds if kind not in mappings]
    found: Any = Union[tuple(others)] if others else None  # noqa: UP007 - made from a tuple
    if mappings:
        mapping = _in_yaml(mappings[0], name, cls)
        found = mapping_or(mapping, found) if others else mapping
    return found | None if or_nothing else found


def rule_block() -> Any:
    """Return the type of a ``rule:`` block: one of the registered rules, by name."""
    return _union_of(tuple(sorted(registered_rules().items())))


@cache
def _union_of(rules: tuple[tuple[str, type[RegularisedRule]], ...]) -> Any:
    return Annotated[tagged_union(rules), BeforeValidator(_with_default_type)]


def tagged_union(kinds: tuple[tuple[str, type], ...], tag: str = "type") -> Any:
    """Return the type of a block that is made from one of some dataclasses, told apart by the word under `tag`."""
    union: Any = Union[tuple(dataclass_block(kind, name, tag) for name, kind in kinds)]  # noqa: UP007
    return Annotated[union, Field(discriminator=tag)]


def made(block: Any) -> Any:
    """Return what a block describes: the dataclass it was made from, with its settings.

    Raises
    ------
    InvalidInputError
        As the dataclass refuses what it is given.

    Examples
    --------
    >>> from choicekit.rules import Softmax
    >>> made(dataclass_block(Softmax, "softmax").model_validate({"type": "softmax", "temperature": 0.5}))
    Softmax(temperature=0.5)
    """
    if isinstance(block, Mapping):
        return {name: made(value) for name, value in block.items()}
    if isinstance(block, list):
        return [made(value) for value in block]
    if not isinstance(block, Block) or block.made_from is None:
        return block
    known = {item.name for item in fields(block.made_from)}
    return block.made_from(**{name: made(getattr(block, name)) for name in type(block).model_fields if name in known})


def _with_default_type(value: object) -> object:
    """Without a type the rule is softmax, so that ``--set rule.temperature=2`` works where a scenario has no rule."""
    return {"type": DEFAULT_RULE, **value} if isinstance(value, Mapping) and "type" not in value else value


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().split("\n")[0]
