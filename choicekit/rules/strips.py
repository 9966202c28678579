"""Rows in strips: a few at a time, turned so that an alternative's utilities lie side by side.

A strip stays in cache. Loops over it run over rows, fill whole vectors for 2 alternatives as for 1,000, and add up a
row in the order of its alternatives, whatever rows are beside it. What belongs to the rows of a strip is taken as a
slice and counted from 0: places of which the compiler does not know that they are not negative cost it plain loads.
"""

from __future__ import annotations

import numpy as np

from choicekit.kernels import inlined
from choicekit.rules.protocol import FloatArray

__all__ = ["PAD", "load_strip", "rows_of_strip", "turn", "turn_back"]

PAD = 8  # what lies between the alternatives of a strip, so that they are not in one another's way in the cache
_CELLS, _MOST_ROWS, _FEWEST_ROWS = 4_096, 504, 16
_NARROW = 16  # alternatives up to which a table is better read across its rows; beyond, it comes from memory in order


@inlined
def rows_of_strip(n_rows: int, n_alternatives: int) -> int:
    """Return how many rows make a strip: whole vectors, few enough for the cache; in kernels only."""
    return max(1, min(n_rows, max(_FEWEST_ROWS, min(_MOST_ROWS, _CELLS // n_alternatives // 8 * 8))))


@inlined
def load_strip(
    utility: FloatArray, temperature: FloatArray, start: int, size: int, cells: FloatArray, top: FloatArray
) -> None:
    """Put (u - max u) / T of some rows into `cells`, (J, rows), and max u into `top`; in kernels only."""
    turn(utility, start, size, cells)
    for row in range(size):
        top[row] = -np.inf
    for place in range(cells.shape[0]):
        for row in range(size):
            top[row] = cells[place, row] if cells[place, row] > top[row] else top[row]
    single, own = temperature.size == 1, temperature[start : start + size]
    for place in range(cells.shape[0]):
        if single and temperature[0] == 1.0:
            for row in range(size):
                cells[place, row] -= top[row]
        elif single:
            for row in range(size):
                below = cells[place, row] - top[row]
                cells[place, row] = 0.0 if below == 0.0 else below / temperature[0]
        else:
            for row in range(size):
                below = cells[place, row] - top[row]
                cells[place, row] = 0.0 if below == 0.0 else below / own[row]


@inlined
def turn(table: FloatArray, start: int, size: int, cells: FloatArray) -> None:
    """Put some rows of a table, (n, J), into `cells`, (J, rows); in kernels only."""
    width = table.shape[1]
    flat = table.reshape(-1)[start * width : (start + size) * width]
    if width == 2:  # where the width is a constant the compiler turns several rows in a few instructions
        _turn_few(flat, size, 2, cells)
    elif width == 3:
        _turn_few(flat, size, 3, cells)
    elif width == 4:
        _turn_few(flat, size, 4, cells)
    elif width <= _NARROW:
        step = np.uint64(width)
        for place in range(step):
            for row in range(np.uint64(size)):
                cells[place, row] = flat[row * step + place]
    else:
        _turn_few(flat, size, width, cells)


@inlined
def _turn_few(flat: FloatArray, size: int, width: int, cells: FloatArray) -> None:
    for row in range(size):
        for place in range(width):
            cells[place, row] = flat[row * width + place]


@inlined
def turn_back(cells: FloatArray, start: int, size: int, table: FloatArray) -> None:
    """Put `cells`, (J, rows), into some rows of a table, (n, J); in kernels only."""
    width = table.shape[1]
    flat = table.reshape(-1)[start * width : (start + size) * width]
    if width == 2:
        _turn_back_few(cells, size, 2, flat)
    elif width == 3:
        _turn_back_few(cells, size, 3, flat)
    elif width == 4:
        _turn_back_few(cells, size, 4, flat)
    else:
        _turn_back_few(cells, size, width, flat)


@inlined
def _turn_back_few(cells: FloatArray, size: int, width: int, flat: FloatArray) -> None:
    for row in range(size):
        for place in range(width):
            flat[row * width + place] = cells[place, row]
