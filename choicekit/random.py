"""Addressed random numbers: a draw is a pure function of its address.

The address of a draw is *(seed, stage, replication, agent, situation, alternative)*. It is turned into the key and the
counter of Philox4x32-10, a block cipher made for simulation, and the words that come out into one uniform number.
Nothing is stored and nothing is advanced, so a draw does not depend on the order of rows, on blocks, on workers or on
which other alternatives exist; it can be regenerated at any time.

==========  ==========================================================================================
part        comes from
==========  ==========================================================================================
key         BLAKE2b-64 of (seed, stage, replication // 2)
counter     64-bit word of (agent, situation), then the 64-bit word of the alternative
output      words 0 and 1 serve even replications, words 2 and 3 odd ones: one call serves two replications
uniform     (k + 1/2) / 2^52 from the upper 52 of the 64 bits: never 0 and never 1
==========  ==========================================================================================

References
----------
Salmon, Moraes, Dror & Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC '11, section 3.3 (Philox).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError, ShapeError
from choicekit.kernels import exponentials_from_uniforms, philox4x32, philox_uniforms

__all__ = [
    "DRAW_SCHEME",
    "Draws",
    "HeldDraws",
    "Stage",
    "alternative_words",
    "gumbel_from_uniform",
    "identifier_words",
    "philox4x32",
    "row_words",
]

DRAW_SCHEME = 1
"""Version of the mapping from addresses to numbers; recorded with every result."""

Identifiers = npt.ArrayLike | Sequence[Any]
UIntArray = npt.NDArray[np.uint64]
FloatArray = npt.NDArray[np.float64]


class Stage(IntEnum):
    """What a draw is for; the numbers are part of the draw scheme and never change.

    Examples
    --------
    >>> Stage.CHOICE.name
    'CHOICE'
    """

    CHOICE = 1  # one Gumbel per agent and alternative
    INVERSE = 2  # one uniform per agent, for inverting the distribution
    NEST = 3
    COEFFICIENT = 4
    CLASS = 5
    BOOTSTRAP = 6
    PARAMETER = 7
    SYNTHETIC = 8
    MATCHING = 9
    LOTTERY = 10
    NULL_MODEL = 11
    INTEGRATION = 12  # digital shifts of quasi-random points
    TIE = 13  # which of two equal alternatives an agent lists first


def check_seed(seed: object) -> int:
    """Return `seed` if it is a whole number in [0, 2^64).

    Raises
    ------
    InvalidInputError
        For anything else; booleans and floats are refused because they are rarely meant.

    Examples
    --------
    >>> check_seed(7)
    7
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= int(seed) < 2**64:
        raise InvalidInputError(f"seed must be a whole number from 0 to 2^64 - 1, found {seed!r}")
    return int(seed)


def identifier_words(identifiers: Identifiers, what: str = "agent") -> UIntArray:
    """Turn identifiers into the 64-bit words that address their draws.

    Integers are themselves modulo 2^64; anything else is BLAKE2b-64 of its text in UTF-8.

    Parameters
    ----------
    identifiers : array_like (n,)
        Integers, strings, UUIDs or other objects with a stable text. Each keeps its own type, also in a mixed list.
    what : str
        Name of the things identified, for messages.

    Returns
    -------
    ndarray (n,) of uint64

    Raises
    ------
    ShapeError
        Where `identifiers` is not one-dimensional.
    InvalidInputError
        For a missing identifier, a boolean or a float: a float is usually an integer column that met a missing value.

    Examples
    --------
    >>> identifier_words([3, -1])
    array([                   3, 18446744073709551615], dtype=uint64)
    >>> identifier_words(["ann"]) == identifier_words(["bo"])
    array([False])
    """
    array = _identifier_array(identifiers)
    if array.ndim != 1:
        raise ShapeError(f"{what} identifiers must be one-dimensional, found shape {array.shape}")
    if array.dtype.kind == "i":
        return array.astype(np.int64, copy=False).view(np.uint64)
    if array.dtype.kind == "u":
        return array.astype(np.uint64, copy=False)
    if array.dtype.kind in "OUT":
        return np.fromiter((_word(identifier, what) for identifier in array), dtype=np.uint64, count=array.size)
    raise InvalidInputError(
        f"{what} identifiers must be whole numbers or text, found values of type {array.dtype}; "
        "convert the column first (a float column often means that an identifier is missing)"
    )


def _identifier_array(identifiers: Identifiers) -> npt.NDArray[Any]:
    if isinstance(identifiers, np.ndarray):
        return identifiers
    if not hasattr(identifiers, "__array__"):
        # numpy would turn [1, "a"] into text and [1, 2**64] into floats: keep each identifier as it is
        kept = np.asarray(identifiers, dtype=object)
        whole = np.asarray(identifiers) if all(type(i) is int for i in kept.flat) else kept
        return whole if whole.dtype.kind in "iu" else kept
    array = np.asarray(identifiers)
    return array if array.dtype.kind in "iufb" else array.astype(object)


def _word(identifier: object, what: str) -> int:
    if isinstance(identifier, str):
        text = str(identifier)
    elif isinstance(identifier, int | np.integer) and not isinstance(identifier, bool):
        return int(identifier) % 2**64
    elif isinstance(identifier, bool | np.bool_ | float | np.floating) or not _has_text(identifier):
        raise InvalidInputError(f"{what} identifiers must be whole numbers or text, found {identifier!r}")
    else:
        text = str(identifier)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _has_text(identifier: Any) -> bool:
    """Whether it is something (not None, nan or pandas' NA and NaT) whose text is its own, not its place in memory."""
    kind = type(identifier)
    if identifier is None or kind.__name__ in {"NAType", "NaTType"} or identifier != identifier:
        return False
    return any(getattr(kind, name) is not getattr(object, name) for name in ("__str__", "__repr__"))


def row_words(
    agents: Identifiers,
    situations: Identifiers | None = None,
) -> UIntArray:
    """Address words of rows: the agent's word, with the situation mixed in.

    Parameters
    ----------
    agents : array_like (n,)
        Identifiers of agents.
    situations : array_like (n,), optional
        Identifiers of choice situations; without them each agent may occur once.

    Returns
    -------
    ndarray (n,) of uint64
        All different.

    Raises
    ------
    InvalidInputError
        Where an (agent, situation) occurs twice, or two of them share a word.
    ShapeError
        Where the lengths differ.

    Examples
    --------
    >>> row_words(["ann", "ann"], [1, 2]).size
    2
    """
    words = identifier_words(agents, "agent")
    if situations is None:
        _check_distinct(words, agents, None)
        return words
    other = identifier_words(situations, "situation")
    if other.shape != words.shape:
        raise ShapeError(f"agents and situations must have one length, found {words.size} and {other.size}")
    # for one agent the map of situations is one-to-one: an odd multiplier is invertible modulo 2^64
    mixed = _scramble(_scramble(words) + other * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1))
    _check_distinct(mixed, agents, situations)
    return mixed


def _scramble(words: UIntArray) -> UIntArray:
    """Mix the bits of each word, one-to-one (the finaliser of MurmurHash3)."""
    words = (words ^ (words >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    words = (words ^ (words >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return words ^ (words >> np.uint64(33))


def _check_distinct(words: UIntArray, agents: Any, situations: Any) -> None:
    if words.size < 2 or bool(np.all(words[1:] > words[:-1])):
        return
    order = np.argsort(words, kind="stable")
    repeats = np.flatnonzero(words[order][1:] == words[order][:-1])
    if not repeats.size:
        return
    first, second = order[repeats[0]], order[repeats[0] + 1]
    names = [_describe_row(agents, situations, row) for row in (first, second)]
    if names[0] == names[1]:
        way_out = "give each a `situation`" if situations is None else "each pair may occur once"
        raise InvalidInputError(f"{names[0]} occurs twice, in rows {first} and {second} (counted from 0): {way_out}")
    raise InvalidInputError(f"{names[0]} and {names[1]} share one address word: rename one of them")


def _describe_row(agents: Any, situations: Any, row: int) -> str:
    agent = _identifier_array(agents)[row]
    text = f"agent {str(agent)!r}" if isinstance(agent, str) else f"agent {agent}"
    return text if situations is None else f"{text} in situation {_identifier_array(situations)[row]}"


def alternative_words(alternatives: Identifiers) -> UIntArray:
    """Address words of alternatives.

    Parameters
    ----------
    alternatives : array_like (J,)
        Names or numbers.

    Returns
    -------
    ndarray (J,) of uint64
        All different.

    Raises
    ------
    InvalidInputError
        Where an alternative occurs twice, or two share a word.

    Examples
    --------
    >>> alternative_words([0, 1, 2])
    array([0, 1, 2], dtype=uint64)
    """
    words = identifier_words(alternatives, "alternative")
    values, counts = np.unique(words, return_counts=True)
    if np.any(counts > 1):
        names = [str(name) for name in _identifier_array(alternatives)[words == values[counts > 1][0]]]
        raise InvalidInputError(f"alternatives must be distinct, found {', '.join(map(repr, names))}")
    return words


def gumbel_from_uniform(uniform: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """Turn uniforms in (0, 1) into standard Gumbel numbers, -log(-log(u)).

    Parameters
    ----------
    uniform : ndarray
        Numbers strictly between 0 and 1.
    out : ndarray, optional
        Where to put the result; may be `uniform` itself.

    Returns
    -------
    ndarray
        Between -3.60 and 36.74 for the uniforms of the draw scheme.

    Examples
    --------
    >>> gumbel_from_uniform(np.array([np.exp(-1.0)])).round(12) + 0.0
    array([0.])
    """
    result = np.log(uniform, out=out)
    np.negative(result, out=result)
    np.log(result, out=result)
    return np.negative(result, out=result)


@dataclass(frozen=True, kw_only=True, eq=False)
class Draws:
    """The random numbers of some rows and alternatives, at one stage under one seed.

    Attributes
    ----------
    seed : int
        In [0, 2^64).
    stage : Stage
        What the numbers are for.
    rows : ndarray (n,) of uint64
        Words of (agent, situation), from `row_words`.
    alternatives : ndarray (J,) of uint64
        Words from `alternative_words`.

    Examples
    --------
    >>> draws = Draws(seed=1, stage=Stage.CHOICE, rows=row_words([0, 1]), alternatives=alternative_words(["a", "b"]))
    >>> first = draws.uniforms(0)
    >>> first.shape
    (2, 2)
    >>> other = Draws(seed=1, stage=Stage.CHOICE, rows=row_words([1]), alternatives=alternative_words(["b"]))
    >>> bool(other.uniforms(0)[0, 0] == first[1, 1])
    True
    """

    seed: int
    stage: Stage
    rows: UIntArray
    alternatives: UIntArray

    def __post_init__(self) -> None:
        check_seed(self.seed)

    def uniforms(self, replication: int) -> FloatArray:
        """Return the uniforms of one replication, shape (n, J)."""
        return self._pair(replication // 2, (replication % 2,))[0]

    def gumbels(self, replication: int) -> FloatArray:
        """Return the standard Gumbel numbers of one replication, shape (n, J)."""
        uniform = self.uniforms(replication)
        return gumbel_from_uniform(uniform, out=uniform)

    def gumbel_pair(self, pair: int) -> tuple[FloatArray, FloatArray]:
        """Return the Gumbel numbers of replications 2 `pair` and 2 `pair` + 1 for the price of one."""
        even, odd = self._pair(pair, (0, 1))
        return gumbel_from_uniform(even, out=even), gumbel_from_uniform(odd, out=odd)

    def uniform_pair(self, pair: int) -> tuple[FloatArray, FloatArray]:
        """Return the uniforms of replications 2 `pair` and 2 `pair` + 1 for the price of one."""
        even, odd = self._pair(pair, (0, 1))
        return even, odd

    def pair_keys(self, replications: range) -> UIntArray:
        """Return the Philox keys of the pairs that some consecutive replications are in."""
        pairs = range(replications.start // 2, (replications.stop + 1) // 2)
        return np.array([stream_key(self.seed, self.stage, pair) for pair in pairs], dtype=np.uint64)

    def at(self, stage: Stage, alternatives: UIntArray) -> Draws:
        """Return the random numbers of the same rows, under the same seed, at another stage and for other words."""
        return Draws(seed=self.seed, stage=stage, rows=self.rows, alternatives=alternatives)

    def uniforms_of(self, replications: range) -> Iterator[tuple[int, FloatArray]]:
        """Yield the place and the uniforms of each of some consecutive replications, both of a pair from one call."""
        for pair in range(replications.start // 2, (replications.stop + 1) // 2):
            halves = tuple(half for half in (0, 1) if 2 * pair + half in replications)
            for half, uniform in zip(halves, self._pair(pair, halves), strict=True):
                yield 2 * pair + half - replications.start, uniform

    def _pair(self, pair: int, halves: tuple[int, ...]) -> tuple[FloatArray, ...]:
        key = stream_key(self.seed, self.stage, pair)
        return philox_uniforms(self.rows, self.alternatives, key, halves)


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldDraws(Draws):
    """Draws kept once they have been made, for several models that choose by the same ones.

    Examples
    --------
    >>> words = {"rows": row_words([0, 1]), "alternatives": alternative_words(["a", "b"])}
    >>> held, fresh = HeldDraws(seed=1, stage=Stage.CHOICE, **words), Draws(seed=1, stage=Stage.CHOICE, **words)
    >>> bool(np.all(held.gumbels(3) == fresh.gumbels(3)))
    True
    """

    _held: dict[int, tuple[FloatArray, FloatArray]] = field(default_factory=dict, init=False, repr=False)
    _exponentials: dict[range, FloatArray] = field(default_factory=dict, init=False, repr=False)
    _others: dict[tuple[Stage, bytes], HeldDraws] = field(default_factory=dict, init=False, repr=False)

    def at(self, stage: Stage, alternatives: UIntArray) -> HeldDraws:
        """Return the random numbers of the same rows at another stage, which are kept as well."""
        key = stage, alternatives.tobytes()
        if key not in self._others:
            self._others[key] = HeldDraws(seed=self.seed, stage=stage, rows=self.rows, alternatives=alternatives)
        return self._others[key]

    def gumbels(self, replication: int) -> FloatArray:
        """Return the standard Gumbel numbers of one replication, shape (n, J)."""
        return self._kept(replication // 2)[replication % 2].copy()

    def gumbel_pair(self, pair: int) -> tuple[FloatArray, FloatArray]:
        """Return the Gumbel numbers of replications 2 `pair` and 2 `pair` + 1; copies, which may be changed."""
        even, odd = self._kept(pair)
        return even.copy(), odd.copy()

    def exponentials(self, replications: range) -> FloatArray:
        """Return the standard exponential numbers -log(uniform) of replications, shape (R, n, J); not to be changed."""
        if replications not in self._exponentials:
            numbers = np.empty((len(replications), self.rows.size, self.alternatives.size))
            for place, uniform in self.uniforms_of(replications):
                exponentials_from_uniforms(uniform.reshape(-1), numbers[place].reshape(-1))
            self._exponentials[replications] = numbers
        return self._exponentials[replications]

    def _kept(self, pair: int) -> tuple[FloatArray, FloatArray]:
        if pair not in self._held:
            self._held[pair] = super().gumbel_pair(pair)
        return self._held[pair]


def stream_key(seed: int, stage: Stage, pair: int) -> int:
    """64-bit Philox key of a seed, a stage and a pair of replications.

    Examples
    --------
    >>> stream_key(1, Stage.CHOICE, 0) == stream_key(2, Stage.CHOICE, 0)
    False
    """
    packed = struct.pack("<QQQ", seed, stage, pair)
    digest = hashlib.blake2b(packed, digest_size=8, person=b"choicekit draw").digest()
    return int.from_bytes(digest, "little")
