"""Values and probabilities of a tree of nests in compiled loops, and the NumPy twins they are held to.

As for softmax, rows are worked on in strips that stay in cache, turned so that the rows of a node lie side by side:
every loop then runs over rows and fills whole vectors, and a row is added up in the order of the tree, whatever rows
are beside it. The tree comes as arrays: see `NestTree.arrays`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.kernels import exp_of_nonpositive, inlined, kernel, log_of_normal
from choicekit.rules.utilities import row_maximum, row_sum

__all__ = ["fill_changes", "fill_probabilities", "fill_values"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_CELLS, _MOST_ROWS, _FEWEST_ROWS, _PAD = 4_096, 504, 16, 8
_TREE = ("const int64[1]", "const float64[1]", "const int64[1]", "const int64[1]", "const float64[1]")


# --- twins ----------------------------------------------------------------------------------------------------------


def _climb(
    scaled: FloatArray,
    columns: IntArray,
    log_allocations: FloatArray,
    starts: IntArray,
    children: IntArray,
    scales: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the value of every node and its probability given its nest, both (nodes, n).

    Of a nest with nothing available the value is minus infinity and all probabilities are 0.
    """
    n_leaves = columns.size
    values = np.empty((n_leaves + scales.size, len(scaled)))
    values[:n_leaves] = scaled.T[columns] + log_allocations[:, None]
    conditional = np.ones_like(values)
    for place, scale in enumerate(scales):
        below = children[starts[place] : starts[place + 1]]
        weights = values[below]
        top = weights[0].copy()
        for child in weights[1:]:
            np.maximum(top, child, out=top)
        total = np.zeros_like(top)
        with np.errstate(over="ignore", divide="ignore"):
            weights -= np.where(top == -np.inf, 0.0, top)
            weights /= scale
            np.exp(weights, out=weights)
            for child in weights:  # one after the other: the sum of a row is then the same in any company
                total += child
            values[n_leaves + place] = top + scale * np.log(total)
        conditional[below] = weights / np.where(total == 0, 1.0, total)
    return values, conditional


def _scaled(utility: FloatArray, temperature: FloatArray) -> FloatArray:
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        below = utility - row_maximum(utility)[:, None]
        return np.where(below == 0, 0.0, below / temperature[:, None])


def _values_by_numpy(
    utility: FloatArray,
    temperature: FloatArray,
    columns: IntArray,
    log_allocations: FloatArray,
    starts: IntArray,
    children: IntArray,
    scales: FloatArray,
    out: FloatArray,
) -> None:
    scaled = _scaled(utility, temperature)
    root = _climb(scaled, columns, log_allocations, starts, children, scales)[0][-1]
    # allocations sum to one but for rounding, which must not show where a single alternative is available
    alone = np.count_nonzero(scaled > -np.inf, axis=-1) == 1
    out[:] = row_maximum(utility) + temperature * np.where(alone, 0.0, np.maximum(root, 0.0))


def _probabilities_by_numpy(
    utility: FloatArray,
    temperature: FloatArray,
    columns: IntArray,
    log_allocations: FloatArray,
    starts: IntArray,
    children: IntArray,
    scales: FloatArray,
    out: FloatArray,
) -> None:
    nodes = _climb(_scaled(utility, temperature), columns, log_allocations, starts, children, scales)[1]
    for place in range(scales.size - 1, -1, -1):
        nodes[children[starts[place] : starts[place + 1]]] *= nodes[columns.size + place]
    out[:] = 0.0
    for leaf, column in enumerate(columns):
        out[:, column] += nodes[leaf]
    if columns.size > utility.shape[1]:
        out /= row_sum(out)[:, None]


def _changes_by_numpy(
    utility: FloatArray,
    temperature: FloatArray,
    direction: FloatArray,
    columns: IntArray,
    log_allocations: FloatArray,
    starts: IntArray,
    children: IntArray,
    scales: FloatArray,
    out: FloatArray,
) -> None:
    nodes = _climb(_scaled(utility, temperature), columns, log_allocations, starts, children, scales)[1]
    n_leaves = columns.size
    steps, moved = np.empty_like(nodes), np.zeros_like(nodes)
    steps[:n_leaves] = direction.T[columns]
    for place in range(scales.size):
        below = children[starts[place] : starts[place + 1]]
        steps[n_leaves + place] = sum(nodes[child] * steps[child] for child in below)
    for place in range(scales.size - 1, -1, -1):
        below = children[starts[place] : starts[place + 1]]
        with np.errstate(over="ignore", invalid="ignore"):  # of what is not chosen, where scales are next to none
            moved[below] = moved[n_leaves + place] + (steps[below] - steps[n_leaves + place]) / scales[place]
        nodes[below] *= nodes[n_leaves + place]
    out[:] = 0.0
    for leaf, column in enumerate(columns):
        out[:, column] += nodes[leaf] * np.where(nodes[leaf] == 0, 0.0, moved[leaf])


# --- kernels --------------------------------------------------------------------------------------------------------


@inlined
def _rows_of_strip(n_rows: int, n_nodes: int) -> int:
    """Return how many rows make a strip: whole vectors, few enough for the cache; in kernels only."""
    return max(1, min(n_rows, max(_FEWEST_ROWS, min(_MOST_ROWS, _CELLS // n_nodes // 8 * 8))))


@inlined
def _load_strip(
    utility: FloatArray, temperature: FloatArray, start: int, size: int, columns: IntArray,
    log_allocations: FloatArray, raw: FloatArray, cells: FloatArray, top: FloatArray, available: FloatArray,
) -> None:  # fmt: skip
    """Put (u - max u) / T of some rows plus the logarithm of the allocation into `cells`, and max u into `top`."""
    for row in range(size):
        top[row], available[row] = -np.inf, 0.0
    for place in range(utility.shape[1]):
        for row in range(size):
            u = utility[start + row, place]
            raw[place, row] = u
            top[row] = u if u > top[row] else top[row]
            available[row] += 1.0 if u > -np.inf else 0.0
    if temperature.size == 1 and temperature[0] == 1.0:
        for place in range(utility.shape[1]):
            for row in range(size):
                raw[place, row] -= top[row]
    else:
        for place in range(utility.shape[1]):
            for row in range(size):
                t = temperature[0] if temperature.size == 1 else temperature[start + row]
                below = raw[place, row] - top[row]
                raw[place, row] = 0.0 if below == 0.0 else below / t
    for leaf in range(columns.size):
        column, offset = columns[leaf], log_allocations[leaf]
        for row in range(size):
            cells[leaf, row] = raw[column, row] + offset


@inlined
def _climb_strip(
    size: int, n_leaves: int, starts: IntArray, children: IntArray, scales: FloatArray, cells: FloatArray,
    best: FloatArray, totals: FloatArray,
) -> None:  # fmt: skip
    """Put the values of nests into `cells`, turn those of their children into weights, and add these up."""
    for place in range(scales.size):
        scale = scales[place]
        for row in range(size):
            best[row], totals[place, row] = -np.inf, 0.0
        for which in range(starts[place], starts[place + 1]):
            child = children[which]
            for row in range(size):
                best[row] = cells[child, row] if cells[child, row] > best[row] else best[row]
        for row in range(size):
            best[row] = best[row] if best[row] > -np.inf else 0.0
        for which in range(starts[place], starts[place + 1]):
            child = children[which]
            if scale == 1.0:
                for row in range(size):
                    cells[child, row] -= best[row]
            else:
                for row in range(size):
                    cells[child, row] = (cells[child, row] - best[row]) / scale
            for row in range(size):
                weight = exp_of_nonpositive(cells[child, row])
                cells[child, row] = weight
                totals[place, row] += weight
        for row in range(size):
            total = totals[place, row]
            # at least 1 where anything is available: the best of the children weighs 1
            value = best[row] + scale * log_of_normal(total if total > 0.0 else 1.0)
            cells[n_leaves + place, row] = value if total > 0.0 else -np.inf


@kernel("const float64[2]", "const float64[1]", *_TREE, "float64[1]", twin=_values_by_numpy)
def fill_values(
    utility: FloatArray,
    temperature: FloatArray,
    columns: IntArray,
    log_allocations: FloatArray,
    starts: IntArray,
    children: IntArray,
    scales: FloatArray,
    out: FloatArray,
) -> None:
    """Fill in max u + T v of each row, where v is the value of the root, for one temperature or one a row."""
    n_rows, n_leaves, n_nests = utility.shape[0], columns.size, scales.size
    strip = _rows_of_strip(n_rows, 2 * n_leaves + 2 * n_nests)
    raw, cells = np.empty((utility.shape[1], strip + _PAD)), np.empty((n_leaves + n_nests, strip + _PAD))
    totals, top, best, available = np.empty((n_nests, strip + _PAD)), np.empty(strip), np.empty(strip), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        _load_strip(utility, temperature, start, size, columns, log_allocations, raw, cells, top, available)
        _climb_strip(size, n_leaves, starts, children, scales, cells, best, totals)
        for row in range(size):
            t = temperature[0] if temperature.size == 1 else temperature[start + row]
            root = cells[n_leaves + n_nests - 1, row]
            out[start + row] = top[row] + (t * root if root > 0.0 and available[row] > 1.0 else 0.0)


@kernel("const float64[2]", "const float64[1]", *_TREE, "float64[2]", twin=_probabilities_by_numpy)
def fill_probabilities(
    utility: FloatArray,
    temperature: FloatArray,
    columns: IntArray,
    log_allocations: FloatArray,
    starts: IntArray,
    children: IntArray,
    scales: FloatArray,
    out: FloatArray,
) -> None:
    """Fill in the products of probabilities down the tree, summed over the leaves of an alternative."""
    n_rows, n_leaves, n_nests = utility.shape[0], columns.size, scales.size
    strip = _rows_of_strip(n_rows, 2 * n_leaves + 2 * n_nests)
    raw, cells = np.empty((utility.shape[1], strip + _PAD)), np.empty((n_leaves + n_nests, strip + _PAD))
    totals, top, best, available = np.empty((n_nests, strip + _PAD)), np.empty(strip), np.empty(strip), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        _load_strip(utility, temperature, start, size, columns, log_allocations, raw, cells, top, available)
        _climb_strip(size, n_leaves, starts, children, scales, cells, best, totals)
        for row in range(size):
            cells[n_leaves + n_nests - 1, row] = 1.0
        for place in range(n_nests - 1, -1, -1):
            for row in range(size):
                total = totals[place, row]
                totals[place, row] = cells[n_leaves + place, row] / (total if total > 0.0 else 1.0)
            for which in range(starts[place], starts[place + 1]):
                child = children[which]
                for row in range(size):
                    cells[child, row] *= totals[place, row]
        if n_leaves == utility.shape[1]:  # leaf and alternative are one
            for row in range(size):
                for leaf in range(n_leaves):
                    out[start + row, columns[leaf]] = cells[leaf, row]
        else:
            _gather_strip(start, size, columns, raw, cells, best, out)


@inlined
def _gather_strip(
    start: int, size: int, columns: IntArray, raw: FloatArray, cells: FloatArray, total: FloatArray, out: FloatArray
) -> None:
    """Add up the leaves of each alternative, and make the sum over alternatives one."""
    for place in range(raw.shape[0]):
        for row in range(size):
            raw[place, row] = 0.0
    for leaf in range(columns.size):
        for row in range(size):
            raw[columns[leaf], row] += cells[leaf, row]
    for row in range(size):
        total[row] = 0.0
    for place in range(raw.shape[0]):
        for row in range(size):
            total[row] += raw[place, row]
    for row in range(size):
        for place in range(raw.shape[0]):
            out[start + row, place] = raw[place, row] / total[row]


@kernel("const float64[2]", "const float64[1]", "const float64[2]", *_TREE, "float64[2]", twin=_changes_by_numpy)
def fill_changes(
    utility: FloatArray,
    temperature: FloatArray,
    direction: FloatArray,
    columns: IntArray,
    log_allocations: FloatArray,
    starts: IntArray,
    children: IntArray,
    scales: FloatArray,
    out: FloatArray,
) -> None:
    """Fill in T times the change of the probabilities of each row along its direction.

    The value of a nest changes by the mean change of its children, dv = sum p(c) dv_c, and the logarithm of p(c) by
    (dv_c - dv) over the scale of the nest.
    """
    n_rows, n_leaves, n_nests = utility.shape[0], columns.size, scales.size
    strip = _rows_of_strip(n_rows, 4 * n_leaves + 4 * n_nests)
    raw, cells = np.empty((utility.shape[1], strip + _PAD)), np.empty((n_leaves + n_nests, strip + _PAD))
    steps, moved = np.empty_like(cells), np.empty_like(cells)
    totals, top, best, available = np.empty((n_nests, strip + _PAD)), np.empty(strip), np.empty(strip), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        _load_strip(utility, temperature, start, size, columns, log_allocations, raw, cells, top, available)
        _climb_strip(size, n_leaves, starts, children, scales, cells, best, totals)
        for leaf in range(n_leaves):
            for row in range(size):
                steps[leaf, row] = direction[start + row, columns[leaf]]
        for place in range(n_nests):
            for row in range(size):
                best[row] = 0.0
            for which in range(starts[place], starts[place + 1]):
                for row in range(size):
                    best[row] += cells[children[which], row] * steps[children[which], row]
            for row in range(size):
                totals[place, row] = totals[place, row] if totals[place, row] > 0.0 else 1.0
                steps[n_leaves + place, row] = best[row] / totals[place, row]
        for row in range(size):
            cells[n_leaves + n_nests - 1, row], moved[n_leaves + n_nests - 1, row] = 1.0, 0.0
        for place in range(n_nests - 1, -1, -1):
            node = n_leaves + place
            for which in range(starts[place], starts[place + 1]):
                child = children[which]
                for row in range(size):
                    moved[child, row] = moved[node, row] + (steps[child, row] - steps[node, row]) / scales[place]
                    cells[child, row] *= cells[node, row] / totals[place, row]
        for place in range(utility.shape[1]):
            for row in range(size):
                raw[place, row] = 0.0
        for leaf in range(n_leaves):
            for row in range(size):
                # what is not chosen does not change, though next to no scale may say that it moves without bound
                change = 0.0 if cells[leaf, row] == 0.0 else moved[leaf, row]
                raw[columns[leaf], row] += cells[leaf, row] * change
        for row in range(size):
            for place in range(utility.shape[1]):
                out[start + row, place] = raw[place, row]
