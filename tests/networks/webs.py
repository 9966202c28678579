"""Webs that tests share: published ones, made-up ones with known answers, and strategies for random ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from choicekit import InteractionNetwork, read_network

FloatArray = npt.NDArray[np.float64]

DATA = Path(__file__).parents[2] / "scenarios" / "data"

NESTED = np.array([[4.0, 3.0, 2.0, 1.0], [3.0, 2.0, 1.0, 0.0], [2.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
"""Perfectly nested with distinct degrees, counts falling with it."""

CHECKERBOARD = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]])
BLOCKS = np.kron(np.eye(3), np.full((2, 2), 5.0))
UNIFORM = np.full((3, 4), 2.0)


def published(name: str) -> InteractionNetwork:
    """Read a published web."""
    return read_network(DATA / f"{name}.csv", name=name)


def size_match() -> FloatArray:
    """1 where the size class of a plant's flower is that of the pollinator in Olito & Fox 2015, else 0."""
    plants, pollinators = published("olito2015_plants"), published("olito2015_pollinators")
    return np.asarray(plants.counts @ pollinators.counts.T)


def webs(largest: int = 6) -> st.SearchStrategy[FloatArray]:
    """Random webs of whole counts with empty rows, ties and heavy cells, at least one interaction."""
    sizes = st.tuples(st.integers(1, largest), st.integers(1, largest))
    cells = st.sampled_from([0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 5.0, 40.0])
    return sizes.flatmap(lambda shape: arrays(np.float64, shape, elements=cells)).filter(lambda web: bool(web.any()))
