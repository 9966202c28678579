"""Rows of utilities that laws are tried on: ties, wide spreads, large and tiny numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

_NUMBERS = st.one_of(
    st.integers(-5, 5).map(float),  # ties
    st.floats(-1e-300, 1e-300),
    st.floats(-10, 10),
    st.floats(-1000, 1000),
)


def _array(values: list[float]) -> npt.NDArray[np.float64]:
    return np.array(values)


rows = st.lists(_NUMBERS, min_size=2, max_size=8).map(_array)
