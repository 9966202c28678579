"""The check of utilities in a compiled loop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.kernels import kernel

__all__ = ["find_rows_in_order"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def _find_by_numpy(utility: FloatArray, found: IntArray) -> None:
    below = np.all(utility < np.inf, axis=1)  # not so for nan
    found[0] = np.count_nonzero(below & np.any(utility > -np.inf, axis=1))


@kernel("const float64[2]", "int64[1]", twin=_find_by_numpy)
def find_rows_in_order(utility: FloatArray, found: IntArray) -> None:
    """Count the rows that have something available and neither a nan nor plus infinity."""
    flat, n_finite, n_rows = utility.reshape(-1), 0, 0
    for cell in range(flat.size):
        n_finite += 1 if abs(flat[cell]) < np.inf else 0
    if n_finite == flat.size:  # as it usually is: seen at the speed of memory
        found[0] = utility.shape[0]
        return
    for row in range(utility.shape[0]):
        n_available = n_wrong = 0
        for place in range(utility.shape[1]):
            u = utility[row, place]
            n_available += 1 if u > -np.inf else 0
            n_wrong += 0 if u < np.inf else 1
        n_rows += 1 if n_available > 0 and n_wrong == 0 else 0
    found[0] = n_rows
