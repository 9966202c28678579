"""Mass sent through allowed pairs only: maximum flows, as exact as floating point."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["route"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int32]

_MOST = 2**29  # units that all of what is left makes: scipy counts in 32 bits, there and back at once
_ROUNDS = 50


def route(
    flow: FloatArray, allowed: BoolArray, supply: FloatArray, room: FloatArray, *, enough: float
) -> tuple[FloatArray, FloatArray]:
    """Send as much of a supply by row as there is a way for to columns with room, and say what is left of both.

    Parameters
    ----------
    flow : ndarray (n, m)
        What goes where already, at least 0; it may be led another way, and is changed in place.
    allowed : ndarray (n, m) of bool
        Where anything may be sent.
    supply : ndarray (n,)
        What is to be sent, at least 0.
    room : ndarray (m,)
        What columns can still take, at least 0.
    enough : float
        How much of the supply may be left though there is a way for it.

    Returns
    -------
    supply : ndarray (n,)
        What is left: nothing (at most `enough`) where there is a way for all.
    room : ndarray (m,)

    Notes
    -----
    Rows with few ways are filled in first, into columns with few ways, and mostly that is all there is to do. Then
    comes a maximum flow in whole units of 2^-29 of what is left, one of what rounding to units has left over, in units
    of 2^-29 of that, and so on. Works on lists of the allowed pairs, 4 bytes a number.

    Examples
    --------
    >>> flow = np.zeros((2, 2))
    >>> route(flow, np.array([[True, True], [True, False]]), np.ones(2), np.array([1.0, 1.5]), enough=1e-15)
    (array([0., 0.]), array([0. , 0.5]))
    >>> flow
    array([[0., 1.],
           [1., 0.]])
    """
    supply, room = _filled_in(flow, allowed, supply, room)
    pairs = tuple(place.astype(np.int32) for place in np.nonzero(allowed))
    left = float(supply.sum())
    for _ in range(_ROUNDS):
        unit = left / _MOST
        if left <= enough or unit == 0:
            break
        sent = _sent(flow[pairs], pairs, supply, room, unit, flow.shape)
        flow[pairs] = np.maximum(flow[pairs] + unit * sent, 0.0)
        supply = np.maximum(supply - unit * np.bincount(pairs[0], sent, supply.size), 0.0)
        room = np.maximum(room - unit * np.bincount(pairs[1], sent, room.size), 0.0)
        before, left = left, float(supply.sum())
        if left > before / 2:
            break
    return supply, room


def _filled_in(
    flow: FloatArray, allowed: BoolArray, supply: FloatArray, room: FloatArray
) -> tuple[FloatArray, FloatArray]:
    order = np.argsort(np.count_nonzero(allowed, axis=0), kind="stable")
    ways, supply, room = allowed[:, order], supply.copy(), room[order]
    for row in np.argsort(np.count_nonzero(allowed, axis=1), kind="stable"):
        if supply[row] > 0:
            opened = np.where(ways[row], room, 0.0)
            taken = np.minimum(np.cumsum(opened), supply[row])
            sent = np.minimum(np.diff(taken, prepend=0.0), opened)  # the sum may have swallowed what is tiny
            flow[row, order] += sent
            room = np.maximum(room - sent, 0.0)
            supply[row] -= taken[-1]
    return supply, room[np.argsort(order)]


def _sent(
    carried: FloatArray,
    pairs: tuple[IntArray, ...],
    supply: FloatArray,
    room: FloatArray,
    unit: float,
    shape: tuple[int, ...],
) -> FloatArray:
    """Return how many units more each pair carries in a maximum flow."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    def units(amount: FloatArray) -> IntArray:
        with np.errstate(over="ignore"):  # of amounts that are hardly numbers any more
            return np.minimum(np.minimum(amount, unit * _MOST) / unit, _MOST).astype(np.int32)

    (n, m), (row, column) = shape, pairs
    source, sink = n + m, n + m + 1
    back = units(carried)
    led_back = back > 0
    capacity: list[IntArray] = [units(supply), np.full(row.size, _MOST, dtype=np.int32), back[led_back], units(room)]
    tail: list[npt.NDArray[Any]] = [np.full(n, source), row, n + column[led_back], n + np.arange(m)]
    head: list[npt.NDArray[Any]] = [np.arange(n), n + column, row[led_back], np.full(m, sink)]
    places = (np.concatenate(tail).astype(np.int32), np.concatenate(head).astype(np.int32))
    graph = csr_array((np.concatenate(capacity), places), shape=(sink + 1, sink + 1))
    found = maximum_flow(graph, source, sink).flow[:n, n : n + m].toarray()
    return np.asarray(found[pairs], dtype=np.float64)
