"""Loops over species and pairs: nestedness, fair allocations of visits, filled webs; and the same in NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.kernels import inlined, kernel, log

__all__ = ["fill_evenly", "fill_evenly_by_numpy", "least_divergences", "least_divergences_by_numpy", "nested_pairs"]

FloatArray = npt.NDArray[np.float64]

_GAIN = 1e-9  # less is rounding


def nested_pairs_by_numpy(counts: FloatArray, out: FloatArray) -> None:
    """Fill in, over pairs of rows with one degree above the other, sums of overlaps: binary, then weighted."""
    links = counts > 0
    degrees = links.sum(axis=1)
    out[:] = 0.0
    for lower in np.flatnonzero(degrees):
        higher = degrees > degrees[lower]
        partners = links[lower]
        out[0] += links[np.ix_(higher, partners)].sum() / degrees[lower]
        out[1] += (counts[np.ix_(higher, partners)] > counts[lower, partners]).sum() / degrees[lower]


def _nested_pairs(counts: FloatArray, out: FloatArray) -> None:
    n, m = counts.shape
    degrees, partners = np.zeros(n, dtype=np.int64), np.empty(m, dtype=np.int64)
    for row in range(n):
        for column in range(m):
            degrees[row] += counts[row, column] > 0.0
    out[0], out[1] = 0.0, 0.0
    for lower in range(n):
        k = 0
        for column in range(m):
            if counts[lower, column] > 0.0:
                partners[k] = column
                k += 1
        shared, less = 0, 0
        for higher in range(n):
            if degrees[higher] > k:
                for place in range(k):
                    column = partners[place]
                    shared += counts[higher, column] > 0.0
                    less += counts[higher, column] > counts[lower, column]
        if k > 0:
            out[0] += shared / k
            out[1] += less / k


nested_pairs = kernel("const float64[2]", "float64[1]", twin=nested_pairs_by_numpy)(_nested_pairs)


def _plogp_by_numpy(n: FloatArray) -> FloatArray:
    return np.asarray(n * np.log(n, out=np.zeros_like(n), where=n > 0))


def least_divergences_by_numpy(own: FloatArray, partners: FloatArray, out: FloatArray) -> None:
    """Fill in the least divergence from what partners offer that each species can have with whole visits.

    Minimises sum n log(n / (A q)) over whole n that add up to A, at most what each partner has: a sum of convex
    functions, so giving each visit where it costs least, and moving visits while that helps, ends at the minimum.
    """
    offered = partners / partners.sum()
    for place, total in enumerate(own):
        visits = np.minimum(np.floor(total * offered), partners)
        for _ in range(int(total - visits.sum())):
            visits[
                np.argmin(np.where(visits < partners, _costs(visits + 1, offered) - _costs(visits, offered), np.inf))
            ] += 1
        while True:
            more = np.where(visits < partners, _costs(visits + 1, offered) - _costs(visits, offered), np.inf)
            less = np.where(visits > 0, _costs(np.maximum(visits - 1, 0), offered) - _costs(visits, offered), np.inf)
            to, away = int(np.argmin(more)), int(np.argmin(less))
            if to == away or more[to] + less[away] >= -_GAIN:
                break
            visits[to] += 1
            visits[away] -= 1
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(visits > 0, visits * (np.log(visits) - np.log(total * offered)), 0.0)
        out[place] = terms.sum() / total if total > 0 else 0.0


def _costs(visits: FloatArray, offered: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(_plogp_by_numpy(visits) - np.where(visits > 0, visits * np.log(offered), 0.0))


@inlined
def _plogp(n: float) -> float:
    return n * log(n) if n > 0.0 else 0.0


def _least_divergences(own: FloatArray, partners: FloatArray, out: FloatArray) -> None:
    m, all_visits = partners.size, 0.0
    for column in range(m):
        all_visits += partners[column]
    visits, logs = np.empty(m), np.empty(m)
    for column in range(m):
        logs[column] = log(partners[column] / all_visits)
    for place in range(own.size):
        total, given = own[place], 0.0
        for column in range(m):
            visits[column] = min(np.floor(total * (partners[column] / all_visits)), partners[column])
            given += visits[column]
        while True:
            to, away, least, most = -1, -1, np.inf, np.inf
            for column in range(m):
                here = _plogp(visits[column])
                if visits[column] < partners[column]:
                    more = _plogp(visits[column] + 1.0) - here - logs[column]
                    if more < least:
                        to, least = column, more
                if visits[column] > 0.0:
                    less = _plogp(visits[column] - 1.0) - here + logs[column]
                    if less < most:
                        away, most = column, less
            if given < total:
                visits[to] += 1.0
                given += 1.0
            elif to >= 0 and away >= 0 and to != away and least + most < -_GAIN:
                visits[to] += 1.0
                visits[away] -= 1.0
            else:
                break
        found = 0.0
        for column in range(m):
            if visits[column] > 0.0:
                found += visits[column] * (log(visits[column] / total) - logs[column])
        out[place] = found / total if total > 0.0 else 0.0


least_divergences = kernel("const float64[1]", "const float64[1]", "float64[1]", twin=least_divergences_by_numpy)(
    _least_divergences
)


def fill_evenly_by_numpy(rows: FloatArray, columns: FloatArray, out: FloatArray) -> None:
    """Fill in whole counts with given sums, as even as exchanges between two rows can make them.

    With sums given, the entropy is largest where sum n log(n / expected) is smallest. Starts from expected counts
    rounded down; each visit left goes where it costs least among rows and columns that are not full yet. Then pairs of
    rows exchange a visit of one column for one of another while that helps.
    """
    expected = np.outer(rows, columns) / rows.sum()
    out[:] = np.floor(expected)
    logs = np.log(expected)
    while True:
        open_rows, open_columns = out.sum(axis=1) < rows, out.sum(axis=0) < columns
        if not (open_rows.any() and open_columns.any()):
            break
        costs = np.where(np.outer(open_rows, open_columns), _costs_of_one_more(out, logs), np.inf)
        row, column = np.unravel_index(np.argmin(costs), costs.shape)
        out[row, column] += 1
    changed = True
    while changed:
        changed = False
        for first in range(len(rows)):
            for second in range(first):
                while _exchange_by_numpy(out, logs, first, second):
                    changed = True


def _costs_of_one_more(counts: FloatArray, logs: FloatArray) -> FloatArray:
    return np.asarray(_plogp_by_numpy(counts + 1) - _plogp_by_numpy(counts) - logs)


def _costs_of_one_less(counts: FloatArray, logs: FloatArray) -> FloatArray:
    fewer = np.maximum(counts - 1, 0)
    return np.where(counts > 0, _plogp_by_numpy(fewer) - _plogp_by_numpy(counts) + logs, np.inf)


def _exchange_by_numpy(counts: FloatArray, logs: FloatArray, first: int, second: int) -> bool:
    more, less = (
        cost(counts[[first, second]], logs[[first, second]]) for cost in (_costs_of_one_more, _costs_of_one_less)
    )
    there, back = more[0] + less[1], less[0] + more[1]
    to, away = int(np.argmin(there)), int(np.argmin(back))
    if to == away or there[to] + back[away] >= -_GAIN:
        return False
    counts[first, to] += 1
    counts[second, to] -= 1
    counts[first, away] -= 1
    counts[second, away] += 1
    return True


@inlined
def _exchange(
    counts: FloatArray, logs: FloatArray, more: FloatArray, less: FloatArray, first: int, second: int
) -> bool:
    to, away, least, most = 0, 0, np.inf, np.inf
    for column in range(counts.shape[1]):
        there = more[first, column] + less[second, column]
        back = less[first, column] + more[second, column]
        if there < least:
            to, least = column, there
        if back < most:
            away, most = column, back
    if to == away or least + most >= -_GAIN:
        return False
    for row, column, change in ((first, to, 1.0), (second, to, -1.0), (first, away, -1.0), (second, away, 1.0)):
        counts[row, column] += change
        _price(counts, logs, more, less, row, column)
    return True


@inlined
def _price(counts: FloatArray, logs: FloatArray, more: FloatArray, less: FloatArray, row: int, column: int) -> None:
    n = counts[row, column]
    more[row, column] = _plogp(n + 1.0) - _plogp(n) - logs[row, column]
    less[row, column] = _plogp(n - 1.0) - _plogp(n) + logs[row, column] if n > 0.0 else np.inf


def _fill_evenly(rows: FloatArray, columns: FloatArray, out: FloatArray) -> None:
    n, m, total = rows.size, columns.size, 0.0
    left_rows, left_columns = rows.copy(), columns.copy()
    logs, more, less = np.empty((n, m)), np.empty((n, m)), np.empty((n, m))
    for row in range(n):
        total += rows[row]
    left = total
    for row in range(n):
        for column in range(m):
            expected = rows[row] * columns[column] / total
            out[row, column], logs[row, column] = np.floor(expected), log(expected)
            left_rows[row] -= out[row, column]
            left_columns[column] -= out[row, column]
            left -= out[row, column]
            _price(out, logs, more, less, row, column)
    while left > 0.0:  # rounds in which each cell is given at most one more, cheapest first
        order = np.argsort(more.reshape(-1), kind="mergesort")
        bar = np.inf  # what is cheap for a second visit waits for the next round
        for at in range(order.size):
            row, column = order[at] // m, order[at] % m
            if more[row, column] > bar:
                break
            if left_rows[row] > 0.0 and left_columns[column] > 0.0:
                out[row, column] += 1.0
                left_rows[row] -= 1.0
                left_columns[column] -= 1.0
                left -= 1.0
                _price(out, logs, more, less, row, column)
                bar = min(bar, more[row, column])
    changed = True
    while changed:
        changed = False
        for first in range(n):
            for second in range(first):
                while _exchange(out, logs, more, less, first, second):
                    changed = True


fill_evenly = kernel("const float64[1]", "const float64[1]", "float64[2]", twin=fill_evenly_by_numpy)(_fill_evenly)
