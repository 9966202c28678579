"""What is wrong with nests: every fault, with its place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from choicekit.errors import InvalidInputError
from choicekit.rules.nests.nest import Nest, NestPath, plain, positional
from choicekit.suggestions import suggest

__all__ = ["NestFault", "check_nests", "nest_faults"]

KEYS = ("members", "dissimilarity", "nests")
SUM_TOLERANCE = 1e-9  # how far from one the allocations of an alternative may sum
_SHOWN = 5

Place = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class NestFault:
    """One thing that is wrong with nests, and where.

    Attributes
    ----------
    nest : tuple of str
        Path of the nest from the top: ``("public", "rail")``; empty where the fault is in none.
    place : tuple of (str or int)
        Path of the entry below the mapping of nests, as YAML has it: ``("public", "nests", "rail", "members", 1)``.
    message : str
        What must hold and what was found.
    hint : str
        The way out, where one is known.
    about : str or int, optional
        The alternative whose nests taken together are at fault: it is in none, or its parts do not sum to one.

    Examples
    --------
    >>> print(NestFault(nest=("public", "rail"), place=(), message="a nest must have members", hint="leave it out"))
    nest 'public > rail': a nest must have members, leave it out
    """

    nest: NestPath
    place: Place
    message: str
    hint: str = ""
    about: object = None

    def __str__(self) -> str:
        where = f"nest {' > '.join(map(str, self.nest))!r}: " if self.nest else ""
        return f"{where}{self.message}{', ' * bool(self.hint)}{self.hint}"


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A nest as it was given, or one of its members."""

    nest: NestPath
    place: Place
    value: Any
    part: Any = 1.0
    outer_scale: float = 1.0  # the product of the dissimilarities above

    @property
    def scale(self) -> float:
        """The product of the dissimilarities from the top down to this nest; what is no dissimilarity counts as 1."""
        found = _part(self.value, "dissimilarity", 1.0)
        return self.outer_scale * (float(found) if _is_dissimilarity(found) else 1.0)

    def fault(self, message: str, *key: str | int, hint: str = "", about: object = None) -> NestFault:
        return NestFault(nest=self.nest, place=(*self.place, *key), message=message, hint=hint, about=about)


def nest_faults(
    nests: object, alternatives: Sequence[object] | None = None, *, crossed: bool = False, complete: bool = False
) -> list[NestFault]:
    """Return everything that is wrong with nests, each with its place.

    Parameters
    ----------
    nests : mapping of str to (Nest or mapping)
        As given to a rule, or as a scenario file holds them.
    alternatives : sequence of (str or int), optional
        Names of the alternatives, to look members up.
    crossed : bool
        Whether an alternative may be in several nests, with allocations; nests are then one level deep.
    complete : bool
        Whether every alternative must be in a nest.

    Returns
    -------
    list of NestFault

    Examples
    --------
    >>> for fault in nest_faults({"rail": Nest(["train", "trm"], 1.5)}, ["train", "tram"]):
    ...     print(fault.place, fault.message.split(":")[0], fault.hint)
    ('rail', 'dissimilarity') dissimilarity must be above 0 and at most 1, found 1.5 use 1 where members are not alike
    ('rail', 'members', 1) unknown member 'trm' did you mean 'tram'?
    """
    if not isinstance(nests, Mapping):
        return [NestFault(nest=(), place=(), message=f"nests must be a mapping of names to nests, found {nests!r}")]
    found: list[NestFault] = []
    entries = list(_nests(nests, (), (), found))
    members: list[_Entry] = []
    for entry in entries:
        found += _nest_faults(entry, crossed)
        members += _members(entry, crossed, found)
    found += _allocation_faults(members) if crossed else _overlaps(members)
    if alternatives is not None:
        found += _unknown(members, alternatives)
    if alternatives is not None and complete:
        found += _left_out(members, alternatives)
    return found


def check_nests(nests: object, alternatives: Sequence[object] | None = None, *, crossed: bool = False) -> None:
    """Make sure that nothing is wrong with nests.

    Raises
    ------
    InvalidInputError
        Saying all that is wrong, each with the path of its nest.

    Examples
    --------
    >>> check_nests({"rail": Nest([0, 1]), "public": Nest([1, 2])})
    Traceback (most recent call last):
    choicekit.errors.InvalidInputError: nest 'public': nests must not overlap, found member 1 in nest 'rail' as well, \
give its parts to both nests with cross-nested logit
    """
    found = nest_faults(nests, alternatives, crossed=crossed)
    if found:
        more = f"; {len(found) - _SHOWN} more faults" * (len(found) > _SHOWN)
        raise InvalidInputError("; ".join(map(str, found[:_SHOWN])) + more)


def _nests(
    nests: Mapping[Any, Any], path: NestPath, place: Place, found: list[NestFault], outer_scale: float = 1.0
) -> Iterator[_Entry]:
    """Yield every nest that can be read as one, parents before children."""
    for name, nest in nests.items():
        entry = _Entry(nest=(*path, name), place=(*place, name), value=nest, outer_scale=outer_scale)
        if not isinstance(name, str) or not name:
            found.append(entry.fault(f"the name of a nest must be text, found {name!r}"))
            continue
        if not isinstance(nest, Nest | Mapping):
            found.append(entry.fault(f"a nest must have members, found {nest!r}", hint="write Nest([...])"))
            continue
        yield entry
        inner = _part(nest, "nests", {})
        if isinstance(inner, Mapping):
            yield from _nests(inner, entry.nest, (*entry.place, "nests"), found, entry.scale)
        else:
            found.append(entry.fault(f"nests must be a mapping of names to nests, found {inner!r}", "nests"))


def _part(nest: Any, key: str, default: Any) -> Any:
    return nest.get(key, default) if isinstance(nest, Mapping) else getattr(nest, key)


def _nest_faults(entry: _Entry, crossed: bool) -> Iterator[NestFault]:
    if isinstance(entry.value, Mapping):
        for key in entry.value:
            if key not in KEYS:
                yield entry.fault(f"unknown key {key!r}", key, hint=suggest(str(key), KEYS))
    inner = _part(entry.value, "nests", {})
    if crossed and inner:
        yield entry.fault("nests of cross-nested logit must not hold nests", "nests", hint="use nested logit for those")
    if not inner and not _size(_part(entry.value, "members", ())):
        yield entry.fault("a nest must have members, found none", hint="leave it out")
    found = _part(entry.value, "dissimilarity", 1.0)
    if not _is_dissimilarity(found):
        yield entry.fault(
            f"dissimilarity must be above 0 and at most 1, found {found!r}: above 1, making an alternative better "
            "could make another of its nest more probable, and at 0 or below itself less probable, which agents who "
            "maximise utility never do",
            "dissimilarity",
            hint="use 1 where members are not alike",
        )
    elif entry.scale == 0 < entry.outer_scale:
        yield entry.fault(
            "the dissimilarities from the top must multiply to more than 0, found a product below the smallest float, "
            f"{entry.outer_scale:g} * {float(found):g}",
            "dissimilarity",
            hint="raise one",
        )


def _size(members: Any) -> int:
    return len(members) if hasattr(members, "__len__") else 1  # what has no length is reported for what it is


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _is_dissimilarity(value: Any) -> bool:
    return _is_number(value) and bool(0 < value <= 1)


def _members(entry: _Entry, crossed: bool, found: list[NestFault]) -> Iterator[_Entry]:
    """Yield the members that can be one, with their allocations."""
    members = _part(entry.value, "members", ())
    if isinstance(members, Mapping):
        if not crossed:
            found.append(
                entry.fault("members must be a list, found allocations", "members", hint="use cross-nested logit")
            )
        listed = [(plain(member), plain(member), part) for member, part in members.items()]
    elif isinstance(members, Sequence | np.ndarray) and not isinstance(members, str):
        listed = [(place, plain(member), 1.0) for place, member in enumerate(members)]
    else:
        found.append(entry.fault(f"members must be a list of alternatives, found {members!r}", "members"))
        return
    for key, member, part in listed:
        one = _Entry(nest=entry.nest, place=(*entry.place, "members", key), value=member, part=part)
        whole = isinstance(member, int) and not isinstance(member, bool)
        if not whole and not isinstance(member, str):
            found.append(one.fault(f"a member must be the name or the position of an alternative, found {member!r}"))
            continue
        if not _is_number(part) or not 0 <= part <= 1:
            found.append(one.fault(f"the allocation of {member!r} must be from 0 to 1, found {part!r}"))
            one = replace(one, part=math.nan)
        yield one


def _overlaps(members: Sequence[_Entry]) -> Iterator[NestFault]:
    first: dict[object, _Entry] = {}
    for entry in members:
        other = first.setdefault(entry.value, entry)
        if other is not entry and other.nest == entry.nest:
            yield entry.fault(f"a nest must name each member once, found {entry.value!r} again")
        elif other is not entry:
            yield entry.fault(
                f"nests must not overlap, found member {entry.value!r} in nest {' > '.join(other.nest)!r} as well",
                hint="give its parts to both nests with cross-nested logit",
            )


def _allocation_faults(members: Sequence[_Entry]) -> Iterator[NestFault]:
    parts: dict[object, dict[NestPath, _Entry]] = {}
    for entry in members:
        if entry.nest in parts.setdefault(entry.value, {}):
            yield entry.fault(f"a nest must name each member once, found {entry.value!r} again")
        parts[entry.value].setdefault(entry.nest, entry)
    for member, entries in parts.items():
        total = math.fsum(entry.part for entry in entries.values())
        if abs(total - 1) > SUM_TOLERANCE:  # never of nan, which stands for a part that is no part
            first = next(iter(entries.values()))
            listed = " + ".join(f"{entry.part:g} in {entry.nest[-1]!r}" for entry in entries.values())
            yield first.fault(
                f"the allocations of an alternative must sum to 1, found {total:g} for {member!r} ({listed})",
                about=member,
            )


def _unknown(members: Sequence[_Entry], alternatives: Sequence[object]) -> Iterator[NestFault]:
    values = [entry.value for entry in members]
    by_position, names = positional(values, alternatives), set(alternatives)
    for entry in members:
        if by_position and not 0 <= entry.value < len(alternatives):
            last = len(alternatives) - 1
            yield entry.fault(f"positions of members must be from 0 to {last}, found {entry.value}")
        elif not by_position and entry.value not in names:
            hint = suggest(str(entry.value), map(str, alternatives))
            yield entry.fault(f"unknown member {entry.value!r}", hint=hint or f"there are {_listed(alternatives)}")


def _left_out(members: Sequence[_Entry], alternatives: Sequence[object]) -> Iterator[NestFault]:
    inside: set[Any] = {entry.value for entry in members}
    if positional([*inside], alternatives):
        inside = {name for place, name in enumerate(alternatives) if place in inside}
    for name in alternatives:
        if name not in inside:
            hint = f"give it a nest of its own: `{name}: {{members: [{name}]}}`"
            yield NestFault(nest=(), place=(), message=f"alternative {name!r} is in no nest", hint=hint, about=name)


def _listed(alternatives: Sequence[object]) -> str:
    shown = ", ".join(str(name) for name in alternatives[:_SHOWN])
    return shown + ", ..." * (len(alternatives) > _SHOWN)
