"""Who bears the prices of capacities: by group, who is displaced, what is lost and what is paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.choice.calibration.crowd import Choosers, Crowd
from choicekit.choice.capacity.prices import CapacityPrices
from choicekit.choice.segments import Segmentation
from choicekit.choice.simulation import segmentations_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PriceIncidence", "price_incidence"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class PriceIncidence:
    """What prices do to groups, as expected sums over those who choose.

    Attributes
    ----------
    groups : tuple of (str, str)
        Segment and label; everybody first.
    weight : ndarray (G,)
    displaced : ndarray (G,)
        Weight that leaves full alternatives: the sum of falls in choice probability.
    loss : ndarray (G,)
        Fall of inclusive values, prices paid included, in units of utility.
    paid : ndarray (G,)
        Prices times choice probabilities: a transfer, not lost to all.
    """

    groups: tuple[tuple[str, str], ...]
    weight: FloatArray
    displaced: FloatArray
    loss: FloatArray
    paid: FloatArray

    def to_frame(self) -> pd.DataFrame:
        """Return a line a group: means by weight of displaced, loss, paid, and loss less what is paid."""
        import pandas as pd

        with np.errstate(invalid="ignore", divide="ignore"):
            return pd.DataFrame(
                {
                    "segment": [segment for segment, _ in self.groups],
                    "group": [label for _, label in self.groups],
                    "weight": self.weight,
                    "displaced_share": self.displaced / self.weight,
                    "mean_loss": self.loss / self.weight,
                    "mean_paid": self.paid / self.weight,
                    "net_loss": (self.loss - self.paid) / self.weight,
                }
            )


def price_incidence(
    found: CapacityPrices, *, segments: Sequence[Segmentation | str] = (), workers: int = 1, seed: int = 0
) -> PriceIncidence:
    """Work out who bears the prices.

    Parameters
    ----------
    found : CapacityPrices
    segments : sequence of Segmentation or str
        Groups to break results down by; a string names a column.
    workers : int
        Threads; the result does not depend on their number.
    seed : int
        That of `price_capacities`.

    Returns
    -------
    PriceIncidence

    Notes
    -----
    With p and q the choice probabilities of an agent without prices and with them, what it is displaced by is
    sum of max(p - q, 0), its loss V(u) - V(u - price), and what it pays <price, q>. V is convex, so that the loss is at
    least what is paid; the rest is what being displaced costs.

    Examples
    --------
    >>> from choicekit.choice import ChoiceModel, Population, price_capacities
    >>> people = Population(agents=[1, 2, 3, 4])
    >>> found = price_capacities(ChoiceModel({"walk": "0", "train": "1"}), people, {"train": 1})
    >>> frame = price_incidence(found).to_frame()
    >>> frame["displaced_share"].round(6).tolist(), frame["mean_loss"].round(6).tolist()
    ([0.481059], [1.02558])
    """
    cut = segmentations_of(segments, found.population)
    crowd = Crowd(model=found.model, population=found.population, workers=workers, seed=seed)
    labels = [("all", "all"), *((each.name, label) for each in cut for label in each.labels)]

    def parts(choosers: Choosers) -> tuple[FloatArray, ...]:
        before, after = (crowd.by_row(choosers, shift) for shift in (np.zeros(len(found.price)), -found.price))
        moved = np.maximum(before[1] - after[1], 0.0).sum(axis=1)
        values = np.ones(len(choosers.rows)), moved, before[0] - after[0], after[1] @ found.price
        return tuple(_by_group(choosers.weights * each, choosers.rows, cut) for each in values)

    weight, displaced, loss, paid = crowd.sums("who bears the prices", parts)
    return PriceIncidence(groups=tuple(labels), weight=weight, displaced=displaced, loss=loss, paid=paid)


def _by_group(values: FloatArray, rows: IntArray, segments: Sequence[Segmentation]) -> FloatArray:
    sums = [np.array([values.sum()])]
    for segment in segments:
        codes = segment.codes[rows]
        known = codes >= 0
        sums.append(np.bincount(codes[known], values[known], minlength=len(segment.labels)))
    return np.concatenate(sums)
