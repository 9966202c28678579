"""What a change of a community does to its web, with intervals over the webs that would be sampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.networks.checking import interacting
from choicekit.networks.community import Community
from choicekit.networks.metrics import check_sampling, metrics_of
from choicekit.random import Draws, Stage, alternative_words, check_seed, row_words

__all__ = ["CommunityChange", "compare_communities"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class CommunityChange:
    """A community before and after.

    Attributes
    ----------
    before, after : Community
    metrics_before, metrics_after : mapping of str to ndarray (R,)
        Of sampled webs, by the same random numbers.
    level : float
    """

    before: Community
    after: Community
    metrics_before: dict[str, FloatArray]
    metrics_after: dict[str, FloatArray]
    level: float

    def __repr__(self) -> str:
        n = len(next(iter(self.metrics_before.values())))
        return f"CommunityChange({self.before!r} to {self.after!r}; {n} sampled webs)"

    def interval(self, metric: str) -> tuple[float, float]:
        """Return the interval that holds the central `level` of changes over sampled webs."""
        change = self.metrics_after[metric] - self.metrics_before[metric]
        lower, upper = np.quantile(change, [(1 - self.level) / 2, (1 + self.level) / 2])
        return float(lower), float(upper)

    def metrics(self) -> pd.DataFrame:
        """Return a row a metric: means over sampled webs before and after, the change and its interval."""
        rows = []
        for name, before in self.metrics_before.items():
            after = self.metrics_after[name]
            rows.append((name, before.mean(), after.mean(), (after - before).mean(), *self.interval(name)))
        return pd.DataFrame(rows, columns=["metric", "before", "after", "change", "lower", "upper"])

    def species(self) -> pd.DataFrame:
        """Return a row a species: expected visits before and after (0 where it is not there), and the change."""
        keys = ["side", "species"]
        before = self.before.masses_used()[[*keys, "expected"]].rename(columns={"expected": "before"})
        after = self.after.masses_used()[[*keys, "expected"]].rename(columns={"expected": "after"})
        found = before.merge(after, on=keys, how="outer", sort=False).fillna({"before": 0.0, "after": 0.0})
        return pd.DataFrame(found.assign(change=found["after"] - found["before"]))

    def pairs(self) -> pd.DataFrame:
        """Return a row a pair: expected visits before and after, and the change."""
        frames = []
        for community, when in ((self.before, "before"), (self.after, "after")):
            frame = pd.DataFrame(
                community.expected, index=list(community.row_names), columns=list(community.column_names)
            )
            long = frame.rename_axis("row").reset_index().melt("row", var_name="column", value_name=when)
            frames.append(long.set_index(["row", "column"]))
        found = pd.concat(frames, axis=1).fillna(0.0).reset_index()
        return found.assign(change=found["after"] - found["before"])


def compare_communities(
    before: Community,
    after: Community,
    *,
    seed: int,
    replications: int = 200,
    visits: float | None = None,
    metrics: Sequence[str] | None = None,
    level: float = 0.95,
) -> CommunityChange:
    """Compare a community with what becomes of it.

    Parameters
    ----------
    before, after : Community
    seed : int
    replications : int
        How many webs are sampled from either.
    visits : float, optional
        How many visits a sampled web of `before` has; by default those of the community. Webs of `after` have more or
        fewer in proportion.
    metrics : sequence of str, optional
        Of `choicekit.networks.metrics.METRICS`; by default all.
    level : float

    Returns
    -------
    CommunityChange

    Raises
    ------
    InvalidInputError

    Notes
    -----
    A web is so many independent visits drawn from the coupling. Webs before and after use the same uniform for the same
    visit, pairs in the same order, so that what both have in common cancels out of changes.

    Examples
    --------
    >>> toy = Community(preferences=[[1.0, 0.0], [0.0, 1.0]], row_mass=[20, 20], column_mass=[30, 10])
    >>> change = compare_communities(toy, toy.with_temperature(0.1), seed=1, replications=50)
    >>> bool(change.metrics().set_index("metric").loc["h2_continuous", "change"] > 0.3)
    True
    """
    names = check_sampling(replications, level, metrics)
    wanted = before.total if visits is None else visits
    sizes = [max(1, round(wanted * community.total / before.total)) for community in (before, after)]
    draws = Draws(
        seed=check_seed(seed),
        stage=Stage.SYNTHETIC,
        rows=row_words(np.arange(max(sizes))),
        alternatives=alternative_words(["visit"]),
    )
    found = [
        _sampled(community.coupling, size, draws, replications, names)
        for community, size in zip((before, after), sizes, strict=True)
    ]
    return CommunityChange(before=before, after=after, metrics_before=found[0], metrics_after=found[1], level=level)


def _sampled(
    coupling: FloatArray, size: int, draws: Draws, replications: int, names: Sequence[str]
) -> dict[str, FloatArray]:
    cells = np.flatnonzero(coupling)
    cumulated = np.cumsum(coupling.reshape(-1)[cells])
    values = np.empty((replications, len(names)))
    for replication, uniforms in draws.uniforms_of(range(replications)):
        places = np.searchsorted(cumulated[:-1] / cumulated[-1], uniforms[:size, 0], side="right")
        web = np.bincount(cells[places], minlength=coupling.size).reshape(coupling.shape).astype(np.float64)
        metrics = metrics_of(np.ascontiguousarray(web[np.ix_(*interacting(web))]))
        values[replication] = [metrics[name] for name in names]
    return {name: values[:, place] for place, name in enumerate(names)}
