"""What a nest is: members that are alike, and how much they differ from each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from types import MappingProxyType
from typing import Any

import numpy as np

__all__ = [
    "Nest",
    "Position",
    "among",
    "by_position",
    "kept_members",
    "names_in_order",
    "nests_of",
    "plain",
    "positional",
    "walk",
]

Members = Sequence[object] | Mapping[Any, float]
NestPath = tuple[str, ...]


class Position(int):
    """The number of a column that a member has been found to be; no name, even where names are whole numbers."""

    def __repr__(self) -> str:
        return str(int(self))


@dataclass(frozen=True, repr=False, eq=False)
class Nest:
    """Alternatives that are more like each other than like the rest, and nests of still closer ones among them.

    Parameters
    ----------
    members : sequence of (str or int), or mapping of (str or int) to float
        The alternatives that hang from the nest itself: positions, or names where the call passes ``alternatives=``.
        For cross-nested logit a mapping to the part of each alternative that is allocated to this nest; a sequence
        there means all of it.
    dissimilarity : float
        In (0, 1]: the temperature inside the nest relative to that outside it. 1 is no nest at all; the lower, the
        more its members take from each other. It multiplies down the tree.
    nests : mapping of str to Nest
        Nests inside this one, by name, to any depth. A plain mapping with these three keys will do for a nest.

    Notes
    -----
    What it holds is checked by the rule it is given to, whose messages name the nest by its path. In nested logit at
    depth one, 1 - dissimilarity^2 is the correlation of the noise of two members.

    Examples
    --------
    >>> rail = Nest(["train", "tram"], dissimilarity=0.5)
    >>> Nest(["bus"], dissimilarity=0.8, nests={"rail": rail})
    Nest(['bus'], dissimilarity=0.8, nests={'rail': Nest(['train', 'tram'], dissimilarity=0.5)})
    """

    members: Members = field(
        default=(),
        metadata={
            "yaml": list[str] | dict[str, float],
            "description": "Names of alternatives; in cross-nested logit each with the part of it in this nest.",
        },
    )
    dissimilarity: float = field(
        default=1.0,
        metadata={"description": "Above 0 and at most 1: the temperature inside the nest relative to that outside."},
    )
    nests: Mapping[str, Nest] = field(default_factory=dict, metadata={"description": "Nests inside this one, by name."})

    def __post_init__(self) -> None:
        # what is not as it should be is kept as it is, for the rule to say so
        if isinstance(self.members, Mapping):
            kept: Members = MappingProxyType({plain(name): _number(part) for name, part in self.members.items()})
        elif isinstance(self.members, Sequence | np.ndarray) and not isinstance(self.members, str):
            kept = tuple(map(plain, self.members))
        else:
            kept = self.members
        object.__setattr__(self, "members", kept)
        object.__setattr__(self, "dissimilarity", _number(self.dissimilarity))
        if isinstance(self.nests, Mapping):
            object.__setattr__(self, "nests", nests_of(self.nests))

    def __repr__(self) -> str:
        members = list(self.members) if isinstance(self.members, tuple) else _unlocked(self.members)
        parts = [repr(members), f"dissimilarity={self.dissimilarity!r}"]
        return f"Nest({', '.join([*parts, f'nests={_unlocked(self.nests)!r}'] if self.nests else parts)})"

    def __reduce__(self) -> tuple[Any, ...]:
        # made anew, as a read-only mapping can be neither pickled nor copied
        return type(self), (_unlocked(self.members), self.dissimilarity, _unlocked(self.nests))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Nest) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    @property
    def allocations(self) -> dict[Any, float]:
        """The part of each member that is in the nest; all of it where none was said."""
        return dict(self.members) if isinstance(self.members, Mapping) else dict.fromkeys(self.members, 1.0)

    def with_members(self, members: dict[Any, Any]) -> Nest:
        """Return the nest with some of its members, under the names that `members` gives for them."""
        if isinstance(self.members, Mapping):
            return replace(self, members={members[old]: part for old, part in self.members.items() if old in members})
        return replace(self, members=[members[old] for old in self.members if old in members])


def plain(value: Any) -> Any:
    """Return what numpy holds as Python holds it, so that equal settings look alike.

    Examples
    --------
    >>> plain(np.float64(0.5))
    0.5
    """
    return value.item() if isinstance(value, np.generic) else value


def _number(value: Any) -> Any:
    """Return a number from 0 to 1 as a float, so that 1 and 1.0 are the same setting; anything else as it is."""
    value = plain(value)
    number = isinstance(value, Real) and not isinstance(value, bool)
    return float(value) if number and 0 <= value <= 1 else value


def _unlocked(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def nests_of(nests: Mapping[str, Any]) -> Mapping[str, Nest]:
    """Return nests by name, read-only; plain mappings become nests.

    Examples
    --------
    >>> nests_of({"rail": {"members": ["train", "tram"], "dissimilarity": 0.5}})["rail"]
    Nest(['train', 'tram'], dissimilarity=0.5)
    """
    made = {
        name: Nest(**nest) if isinstance(nest, Mapping) and nest.keys() <= Nest.__dataclass_fields__.keys() else nest
        for name, nest in nests.items()
    }
    return MappingProxyType(made)


def walk(nests: Mapping[str, Nest], path: NestPath = ()) -> Iterator[tuple[NestPath, Nest]]:
    """Yield every nest with its path, parents before children.

    Examples
    --------
    >>> [path for path, _ in walk({"public": Nest(["bus"], nests={"rail": Nest(["train"])})})]
    [('public',), ('public', 'rail')]
    """
    for name, nest in nests.items():
        yield (*path, name), nest
        yield from walk(nest.nests, (*path, name))


def names_in_order(nests: Mapping[str, Nest]) -> list[Any]:
    """Return each member once, in the order in which nests mention them.

    Examples
    --------
    >>> names_in_order({"land": Nest({"bus": 0.5, "car": 1.0}), "public": Nest({"tram": 1.0, "bus": 0.5})})
    ['bus', 'car', 'tram']
    """
    return list(dict.fromkeys(member for _, nest in walk(nests) for member in nest.allocations))


def by_position(nests: Mapping[str, Nest], alternatives: Sequence[object]) -> dict[str, Nest]:
    """Return the nests with the position of each member in place of its name.

    Members that are whole numbers and no names, all of them, are positions already.

    Examples
    --------
    >>> by_position({"rail": Nest(["train", "tram"])}, ["tram", "car", "train"])
    {'rail': Nest([2, 0], dissimilarity=1.0)}
    """
    members = names_in_order(nests)
    places = {name: Position(place) for place, name in enumerate(alternatives)}
    if positional(members, alternatives):
        places = {member: Position(member) for member in members}
    return kept_members(nests, places)


def positional(members: Sequence[Any], alternatives: Sequence[object]) -> bool:
    """Whether members are columns by their numbers, rather than by the names that these have.

    Examples
    --------
    >>> positional([0, 1], ["train", "tram"]), positional([0, 1], [1, 0]), positional(["train"], ["train", "tram"])
    (True, False, False)
    """
    if all(isinstance(member, Position) for member in members):
        return True
    return all(isinstance(member, int) for member in members) and not set(members) & set(alternatives)


def among(nests: Mapping[str, Nest], alternatives: Sequence[object]) -> dict[str, Nest]:
    """Return the nests without other members than these alternatives, and without nests that become empty.

    Examples
    --------
    >>> among({"rail": Nest(["train", "tram"]), "road": Nest(["car"])}, ["train", "bus"])
    {'rail': Nest(['train'], dissimilarity=1.0)}
    """
    members = names_in_order(nests)
    if positional(members, alternatives):
        return dict(nests)
    kept = set(alternatives)
    return kept_members(nests, {member: member for member in members if member in kept})


def kept_members(nests: Mapping[str, Nest], members: dict[Any, Any]) -> dict[str, Nest]:
    """Return the nests with some members, under the names given for them, and without nests that become empty.

    Examples
    --------
    >>> kept_members({"rail": Nest(["train", "tram"]), "road": Nest(["car"])}, {"train": 0})
    {'rail': Nest([0], dissimilarity=1.0)}
    """
    kept = {
        name: replace(nest.with_members(members), nests=kept_members(nest.nests, members))
        for name, nest in nests.items()
    }
    return {name: nest for name, nest in kept.items() if len(nest.members) or nest.nests}
