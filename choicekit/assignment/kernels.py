"""Couplings and their sums in compiled loops.

Potentials are given in units of temperature, with the logarithms of the reference added: P = exp(U / T + x + y).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.kernels import exp, exp_of_nonpositive, kernel

__all__ = ["fill_coupling", "fill_kept", "fill_row_weights"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def _coupling_by_numpy(utility: FloatArray, temperature: float, x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    with np.errstate(over="ignore", under="ignore"):
        np.exp(utility / temperature + x[:, None] + y, out=out)


@kernel(
    "const float64[2]", "float64", "const float64[1]", "const float64[1]", "float64[2]",
    twin=_coupling_by_numpy,
)  # fmt: skip
def fill_coupling(utility: FloatArray, temperature: float, x: FloatArray, y: FloatArray, out: FloatArray) -> None:
    """Fill in exp(U / T + x + y) of some rows."""
    inverse = 1.0 / temperature
    for row in range(utility.shape[0]):
        own, result, lift = utility[row], out[row], x[row]
        for column in range(own.size):
            result[column] = exp(own[column] * inverse + lift + y[column])


def _weights_by_numpy(
    utility: FloatArray, temperature: float, y: FloatArray, top: FloatArray, total: FloatArray, out: FloatArray
) -> None:
    with np.errstate(under="ignore"):
        np.add(utility / temperature, y, out=out)
        top[:] = np.max(out, axis=1)
        out -= top[:, None]
        np.exp(out, out=out)
        total[:] = out.sum(axis=1)


@kernel(
    "const float64[2]", "float64", "const float64[1]", "float64[1]", "float64[1]", "float64[2]",
    twin=_weights_by_numpy,
)  # fmt: skip
def fill_row_weights(
    utility: FloatArray, temperature: float, y: FloatArray, top: FloatArray, total: FloatArray, out: FloatArray
) -> None:
    """Fill in exp(U / T + y - top) of some rows, with `top` the maximum of U / T + y in each row, and their sums."""
    lanes, inverse = np.empty(8), 1.0 / temperature
    for row in range(utility.shape[0]):
        own, result = utility[row], out[row]
        for column in range(own.size):
            result[column] = own[column] * inverse + y[column]
        lanes[:] = -np.inf
        whole = own.size // 8 * 8
        for start in range(0, whole, 8):  # eight maxima and sums side by side, since one would wait for itself
            some = result[start : start + 8]
            for lane in range(8):
                lanes[lane] = some[lane] if some[lane] > lanes[lane] else lanes[lane]
        found = -np.inf
        for lane in range(8):
            found = lanes[lane] if lanes[lane] > found else found
        for column in range(whole, own.size):
            found = result[column] if result[column] > found else found
        for column in range(own.size):
            result[column] = exp_of_nonpositive(result[column] - found)
        lanes[:] = 0.0
        for start in range(0, whole, 8):
            some = result[start : start + 8]
            for lane in range(8):
                lanes[lane] += some[lane]
        met = 0.0
        for lane in range(8):
            met += lanes[lane]
        for column in range(whole, own.size):
            met += result[column]
        top[row], total[row] = found, met


def _kept_by_numpy(
    weights: FloatArray, least: float, count: IntArray, start: IntArray, columns: IntArray, values: FloatArray
) -> None:
    kept = weights > least
    if columns.size == 0:
        count[:] = kept.sum(axis=1)
        return
    places = np.nonzero(kept)
    columns[start[0] : start[0] + places[1].size] = places[1]
    values[start[0] : start[0] + places[1].size] = weights[kept]


@kernel(
    "const float64[2]", "float64", "int64[1]", "const int64[1]", "int64[1]", "float64[1]",
    twin=_kept_by_numpy,
)  # fmt: skip
def fill_kept(
    weights: FloatArray, least: float, count: IntArray, start: IntArray, columns: IntArray, values: FloatArray
) -> None:
    """Count the weights above `least` of some rows; or where `columns` is not empty, put them there from `start` on."""
    for row in range(weights.shape[0]):
        own, met = weights[row], 0
        if columns.size == 0:
            for column in range(own.size):
                met += 1 if own[column] > least else 0
            count[row] = met
        else:
            place = start[row]
            for column in range(own.size):
                if own[column] > least:
                    columns[place], values[place] = column, own[column]
                    place += 1
