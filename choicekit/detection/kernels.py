"""Every score of a table of logits in one pass over each row: a compiled loop, and the same in NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.kernels import exp_of_nonpositive, inlined, kernel, log

__all__ = [
    "COLUMNS",
    "fill_scores",
    "fill_scores_by_numpy",
    "fill_scores_of_singles",
    "fill_turned_scores",
    "fill_turned_scores_of_singles",
]

FloatArray = npt.NDArray[np.float64]
AnyFloat = npt.NDArray[np.float64] | npt.NDArray[np.float32]

COLUMNS = ("energy", "msp", "max_logit", "entropy", "gen")
_STRIP = 16  # rows that are turned at a time: a cache line of single numbers
_AT_ONCE = 4_000_000  # cells of a block of the readable twin


def fill_scores_by_numpy(logits: AnyFloat, temperature: float, power: float, top: int, out: FloatArray) -> None:
    """Fill in the columns of `COLUMNS`, a block of rows at a time."""
    rows = max(1, _AT_ONCE // logits.shape[1])
    for start in range(0, len(logits), rows):
        _fill_block(logits[start : start + rows].astype(np.float64), temperature, power, top, out[start : start + rows])


def _fill_block(logits: FloatArray, temperature: float, power: float, top: int, out: FloatArray) -> None:
    highest = logits.max(axis=1, keepdims=True)
    with np.errstate(over="ignore"):
        scaled = (logits - highest) / temperature
    weight = np.exp(scaled)
    weight[np.arange(len(logits)), logits.argmax(axis=1)] = 0.0
    rest = weight.sum(axis=1)
    total = 1.0 + rest
    log_total = np.log1p(rest)
    out[:, 0] = -highest[:, 0] - temperature * log_total
    out[:, 1] = rest / total
    out[:, 2] = -highest[:, 0]
    out[:, 3] = log_total - np.sum(np.where(weight > 0, weight * np.maximum(scaled, -1e300), 0.0), axis=1) / total
    if top < 1:
        return
    first = -np.sort(-scaled, axis=1)[:, :top]  # the likeliest
    others = 1.0 - np.exp(first) / total[:, None]
    others[:, 0] = rest / total
    with np.errstate(divide="ignore"):
        out[:, 4] = np.exp(power * (first - log_total[:, None] + np.log(others))).sum(axis=1)


@inlined
def _select(values: FloatArray, size: int, wanted: int) -> None:
    """Bring the largest so many to the front, in any order: Hoare's selection."""
    low, high = 0, size - 1
    while wanted < size and low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] > pivot:
                left += 1
            while values[right] < pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if wanted <= right + 1:
            high = right
        elif wanted > left:
            low = left
        else:
            break


@inlined
def _sift(values: FloatArray, size: int, wanted: int, sample: FloatArray, front: FloatArray) -> int:
    """Copy to `front` what is at least as large as a value that most likely enough and not many reach.

    The value is found in every eighth entry; where too few reach it, all are copied. Returns how many are.
    """
    least, n = -np.inf, 0
    if size > 4 * wanted:
        for place in range(0, size, 8):
            sample[n] = values[place]
            n += 1
        rank = wanted // 8 + 2 + wanted // 24
        _select(sample, n, rank)
        least = sample[0]
        for place in range(1, rank):
            least = min(least, sample[place])
        reached = 0
        for place in range(size):
            reached += values[place] >= least
        least = least if reached >= wanted else -np.inf
    n = 0
    for place in range(size):
        front[n] = values[place]
        n += values[place] >= least
    return n


@inlined
def _score(
    scaled: FloatArray, buffers: FloatArray, temperature: float, power: float, top: int, out: FloatArray
) -> None:
    """Fill in the scores of one row, whose logits `scaled` holds before and something else after."""
    weight, front, n_classes = buffers[0], buffers[1], scaled.size
    highest, best = scaled[0], 0
    for place in range(1, n_classes):
        if scaled[place] > highest:
            highest, best = scaled[place], place
    for place in range(n_classes):
        scaled[place] = (scaled[place] - highest) / temperature
    for place in range(n_classes):
        weight[place] = exp_of_nonpositive(scaled[place])
    weight[best] = 0.0
    rest, spread = 0.0, 0.0
    for place in range(n_classes):
        rest += weight[place]
        if weight[place] > 0.0:
            spread -= weight[place] * scaled[place]
    total = 1.0 + rest
    log_total = log(total) - ((total - 1.0) - rest) / total  # log1p
    out[0] = -highest - temperature * log_total
    out[1] = rest / total
    out[2] = -highest
    out[3] = log_total + spread / total
    if top < 1:
        return
    # the likeliest class, then the largest of the others in any order, which are brought to the front
    found = exp_of_nonpositive(min(power * (log(rest / total) - log_total), 0.0)) if rest > 0.0 else 0.0
    scaled[best] = scaled[n_classes - 1]
    wanted = min(top - 1, n_classes - 1)
    _select(front, _sift(scaled, n_classes - 1, wanted, weight, front), wanted)
    for place in range(wanted):
        share = exp_of_nonpositive(front[place]) / total
        weight[place] = exp_of_nonpositive(min(power * (front[place] - log_total + log(1.0 - share)), 0.0))
    for place in range(wanted):
        found += weight[place]
    out[4] = found


def _fill(logits: AnyFloat, temperature: float, power: float, top: int, out: FloatArray) -> None:
    """Fill in the columns of `COLUMNS`, row by row."""
    n_rows, n_classes = logits.shape
    values, buffers = np.empty(n_classes), np.empty((2, n_classes))
    for row in range(n_rows):
        for place in range(n_classes):
            values[place] = np.float64(logits[row, place])
        _score(values, buffers, temperature, power, top, out[row])


def _fill_turned(
    logits: AnyFloat, first: int, last: int, temperature: float, power: float, top: int, out: FloatArray
) -> None:
    """Do the same for some rows of a table that stands on its side, (J, N), as files with columns hold it."""
    n_classes = len(logits)
    strip, buffers = np.empty((_STRIP, n_classes)), np.empty((2, n_classes))
    for start in range(first, last, _STRIP):
        size = min(_STRIP, last - start)
        for place in range(n_classes):
            for row in range(size):
                strip[row, place] = np.float64(logits[place, start + row])
        for row in range(size):
            _score(strip[row], buffers, temperature, power, top, out[start - first + row])


def _fill_turned_by_numpy(
    logits: AnyFloat, first: int, last: int, temperature: float, power: float, top: int, out: FloatArray
) -> None:
    rows: AnyFloat = logits[:, first:last].T.copy()
    fill_scores_by_numpy(rows, temperature, power, top, out)


_ARGUMENTS = ("float64", "float64", "int64", "float64[2]")
_TURNED = ("int64", "int64", *_ARGUMENTS)
fill_scores = kernel("const float64[2]", *_ARGUMENTS, twin=fill_scores_by_numpy)(_fill)
fill_scores_of_singles = kernel("const float32[2]", *_ARGUMENTS, twin=fill_scores_by_numpy)(_fill)
fill_turned_scores = kernel("const float64[2]", *_TURNED, twin=_fill_turned_by_numpy)(_fill_turned)
fill_turned_scores_of_singles = kernel("const float32[2]", *_TURNED, twin=_fill_turned_by_numpy)(_fill_turned)
