"""Dependent rounding of a table, along cycles and paths of the cells that are not whole; and the same to be read."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.kernels import inlined, kernel, philox_uniforms_by_numpy, philox_words, uniform_of

__all__ = ["round_dependently", "round_dependently_by_numpy"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SNAP = 1e-12  # a cell this near 0 or 1 is there: what many additions may have put it off by

_NO = -1


def round_dependently_by_numpy(parts: FloatArray, whole: IntArray, key: np.uint64, half: int) -> None:
    """Round fractional parts (n, m) to 0 or 1; `whole` (n + m,) are 1 for rows and columns whose sum is whole.

    Walks from a row to a column to a row, over cells that are neither 0 nor 1, until it closes a cycle or can go no
    further at both ends, and rounds what it walked on: all even cells up and odd ones down, or the other way round.
    """
    parts[parts <= SNAP] = 0.0
    parts[parts >= 1 - SNAP] = 1.0
    n, steps = len(parts), 0
    while len(left := np.argwhere((parts > 0) & (parts < 1))):
        places: list[int] = [int(left[0, 0])]
        cells: list[tuple[int, int]] = []
        while places:
            here, last = places[-1], cells[-1] if cells else None
            following = next((cell for cell in _cells_of(here, parts) if cell != last), None)
            if following is not None:
                there = n + following[1] if here < n else following[0]
                if there in places:
                    start = places.index(there)
                    _shift(parts, [*cells[start:], following], _drawn(steps, key, half))
                    steps += 1
                    places, cells = places[: start + 1], cells[:start]
                else:
                    places.append(there)
                    cells.append(following)
            elif last is None:
                places = []
            elif whole[here]:
                parts[last] = np.round(parts[last])
                places.pop()
                cells.pop()
            elif len(_cells_of(places[0], parts)) > 1:
                places, cells = [here], []
            elif whole[places[0]]:
                parts[cells[0]] = np.round(parts[cells[0]])
                places, cells = [], []
            else:
                _shift(parts, cells, _drawn(steps, key, half))
                steps += 1
                places, cells = [], []


def _cells_of(place: int, parts: FloatArray) -> list[tuple[int, int]]:
    """Return the cells of a row, or of a column counted after the rows, that are neither 0 nor 1."""
    n = len(parts)
    if place < n:
        return [(place, int(column)) for column in np.flatnonzero((parts[place] > 0) & (parts[place] < 1))]
    column = place - n
    return [(int(row), column) for row in np.flatnonzero((parts[:, column] > 0) & (parts[:, column] < 1))]


def _drawn(step: int, key: np.uint64, half: int) -> float:
    words = np.array([step], dtype=np.uint64), np.zeros(1, dtype=np.uint64)
    return float(philox_uniforms_by_numpy(*words, int(key), (int(half),))[0][0, 0])


def _shift(parts: FloatArray, cells: list[tuple[int, int]], drawn: float) -> None:
    """Move mass between even and odd cells until one is 0 or 1, so that each keeps its expectation."""
    even, odd = cells[::2], cells[1::2]
    up = min([1 - parts[cell] for cell in even] + [parts[cell] for cell in odd])
    down = min([parts[cell] for cell in even] + [1 - parts[cell] for cell in odd])
    amount = up if drawn * (up + down) < down else -down
    for cell in even:
        parts[cell] = _snapped(parts[cell] + amount)
    for cell in odd:
        parts[cell] = _snapped(parts[cell] - amount)


@inlined
def _snapped(value: float) -> Any:
    if value <= SNAP:
        return 0.0
    return 1.0 if value >= 1.0 - SNAP else value


@inlined
def _unlink(cell: int, n: int, m: int, links: Any, first: IntArray) -> None:
    """Take a cell out of the lists of its row and its column."""
    for way in range(2):
        before, after = links[way, 0, cell], links[way, 1, cell]
        if before >= 0:
            links[way, 1, before] = after
        else:
            first[cell // m if way == 0 else n + cell % m] = after
        if after >= 0:
            links[way, 0, after] = before


@inlined
def _link(values: FloatArray, n: int, m: int, links: Any, first: IntArray) -> None:
    """Chain the cells that are neither 0 nor 1, by row and by column, in their order."""
    latest = np.full(n + m, -1, np.int64)
    for cell in range(values.size):
        values[cell] = _snapped(values[cell])
        if values[cell] == 0.0 or values[cell] == 1.0:
            continue
        for way in range(2):
            place = cell // m if way == 0 else n + cell % m
            links[way, 0, cell], links[way, 1, cell] = latest[place], -1
            if latest[place] >= 0:
                links[way, 1, latest[place]] = cell
            else:
                first[place] = cell
            latest[place] = cell


@inlined
def _move(
    values: FloatArray, cells: IntArray, start: int, stop: int, step: int, key: Any, half: int, n: int, m: int,
    links: Any, first: IntArray,
) -> None:  # fmt: skip
    """Move mass between even and odd cells of a walk until one is 0 or 1, so that each keeps its expectation."""
    up, down = np.inf, np.inf
    for place in range(start, stop):
        value = values[cells[place]]
        if (place - start) % 2 == 0:
            up, down = min(up, 1.0 - value), min(down, value)
        else:
            up, down = min(up, value), min(down, 1.0 - value)
    even, odd = philox_words(np.uint64(step), np.uint64(0), key)
    drawn = uniform_of(even) if half == 0 else uniform_of(odd)
    amount = up if drawn * (up + down) < down else -down
    for place in range(start, stop):
        cell = cells[place]
        values[cell] = _snapped(values[cell] + amount if (place - start) % 2 == 0 else values[cell] - amount)
        if values[cell] == 0.0 or values[cell] == 1.0:
            _unlink(cell, n, m, links, first)


def _round_dependently(parts: FloatArray, whole: IntArray, key: Any, half: int) -> None:
    n, m = parts.shape
    values = parts.reshape(-1)
    links, first = np.full((2, 2, n * m), -1, np.int64), np.full(n + m, -1, np.int64)
    _link(values, n, m, links, first)
    places, cells, seen = np.empty(n + m + 1, np.int64), np.empty(n + m + 1, np.int64), np.full(n + m, -1, np.int64)
    row, steps, length = 0, 0, 0  # length: places walked through
    while True:
        if length == 0:
            while row < n and first[row] < 0:
                row += 1
            if row == n:
                return
            places[0], seen[row], length = row, 0, 1
        here = places[length - 1]
        way, last = 0 if here < n else 1, cells[length - 2] if length > 1 else -1
        following = first[here]
        if following >= 0 and following == last:
            following = links[way, 1, following]
        keep = length  # places to stay on after this
        if following >= 0:
            there = n + following % m if way == 0 else following // m
            cells[length - 1] = following
            if seen[there] < 0:
                places[length], seen[there] = there, length
                length += 1
                continue
            keep = seen[there] + 1
            _move(values, cells, seen[there], length, steps, key, half, n, m, links, first)
            steps += 1
        elif length == 1:
            keep = 0
        elif whole[here]:
            values[last] = np.round(values[last])
            _unlink(last, n, m, links, first)
            keep = length - 1
        elif links[0 if places[0] < n else 1, 1, first[places[0]]] >= 0:
            for place in range(length):
                seen[places[place]] = -1
            places[0], seen[here], length = here, 0, 1
            continue
        elif whole[places[0]]:
            values[cells[0]] = np.round(values[cells[0]])
            _unlink(cells[0], n, m, links, first)
            keep = 0
        else:
            _move(values, cells, 0, length - 1, steps, key, half, n, m, links, first)
            steps += 1
            keep = 0
        for place in range(keep, length):
            seen[places[place]] = -1
        length = keep


round_dependently = kernel("float64[2]", "const int64[1]", "uint64", "int64", twin=round_dependently_by_numpy)(
    _round_dependently
)
