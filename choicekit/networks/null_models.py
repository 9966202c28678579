"""Webs as they would be if species interacted by chance: what a metric is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.errors import InvalidInputError, ShapeError
from choicekit.execution import Block, LocalThreads, blocks_of
from choicekit.execution.passes import Progress, silent
from choicekit.networks.checking import check_whole_counts, checked_counts, interacting
from choicekit.networks.metrics import check_sampling, metrics_of
from choicekit.random import Draws, Stage, alternative_words, check_seed, row_words
from choicekit.rules.utilities import as_floats

__all__ = ["NULL_MODELS", "NullComparison", "compare_with_null", "sample_network"]

FloatArray = npt.NDArray[np.float64]

NULL_MODELS: Mapping[str, str] = {
    "equiprobable": "as many visits, each to any pair alike",
    "fixed_marginals": "as many visits of every species, partners at random (Patefield)",
    "connectance": "as many links and visits; more likely between species with more (as vaznull)",
    "maximum_entropy": "as many visits, each drawn from a coupling",
}
"""Null models by name."""

_PORTION = 8  # webs worked on at once by a thread
_CONSTANT = 1e-9  # standard deviation, relative, below which a metric does not vary


@dataclass(frozen=True, kw_only=True, eq=False)
class NullComparison:
    """Metrics of a web beside those of webs of a null model.

    Attributes
    ----------
    model : str
    observed : mapping of str to float
    values : mapping of str to ndarray (R,)
        Of every null web.
    level : float
        Of bands.
    """

    model: str
    observed: Mapping[str, float]
    values: Mapping[str, FloatArray]
    level: float = 0.95

    @property
    def replications(self) -> int:
        """How many null webs there are."""
        return len(next(iter(self.values.values())))

    def __repr__(self) -> str:
        return f"NullComparison({self.model}, {self.replications} webs, {len(self.values)} metrics)"

    def varies(self, metric: str) -> bool:
        """Whether a metric differs between null webs, beyond rounding."""
        values = self.values[metric]
        return bool(np.isfinite(values).all() and values.std() > _CONSTANT * max(1.0, float(np.abs(values).max())))

    def z_score(self, metric: str) -> float:
        """Return how many null standard deviations the web is above the null mean; nan where the null does not vary."""
        if not self.varies(metric):
            return float("nan")
        values = self.values[metric]
        return float((self.observed[metric] - values.mean()) / values.std(ddof=1))

    def percentile(self, metric: str) -> float:
        """Return the share of null webs below the web, ties counted half, 0 to 100; nan as `z_score`."""
        if not self.varies(metric):
            return float("nan")
        values, observed = self.values[metric], self.observed[metric]
        return float(100.0 * ((values < observed).mean() + (values == observed).mean() / 2))

    def p_value(self, metric: str) -> float:
        """Return twice the smaller of both shares of null webs at least as extreme, the web counted among them."""
        if not self.varies(metric):
            return float("nan")
        values, observed, n = self.values[metric], self.observed[metric], self.replications
        tail = min(int((values >= observed).sum()), int((values <= observed).sum()))
        return min(1.0, 2.0 * (tail + 1) / (n + 1))

    def band(self, metric: str) -> tuple[float, float]:
        """Return the band that holds the central `level` of null webs."""
        lower, upper = np.quantile(self.values[metric], [(1 - self.level) / 2, (1 + self.level) / 2])
        return float(lower), float(upper)

    def convergence(self, metric: str) -> pd.DataFrame:
        """Return the running mean of null webs and its standard error, after 2, 3, ... webs."""
        values = self.values[metric]
        n = np.arange(1, values.size + 1)
        mean = np.cumsum(values) / n
        about = np.cumsum((values - values[0]) ** 2) / n - (mean - values[0]) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.sqrt(np.maximum(about, 0.0) / (n - 1))
        return pd.DataFrame({"webs": n[1:], "mean": mean[1:], "standard_error": error[1:]})

    def to_frame(self) -> pd.DataFrame:
        """Return a row a metric."""
        rows = []
        for metric, values in self.values.items():
            lower, upper = self.band(metric)
            sd = float(values.std(ddof=1)) if values.size > 1 else float("nan")
            rows.append(
                (
                    *(self.model, metric, self.observed[metric], float(values.mean()), sd, lower, upper),
                    *(self.z_score(metric), self.percentile(metric), self.p_value(metric)),
                )
            )
        heads = ["model", "metric", "observed", "mean", "standard_deviation", "lower", "upper", "z_score"]
        return pd.DataFrame(rows, columns=[*heads, "percentile", "p_value"])


def sample_network(
    counts: npt.ArrayLike,
    model: str,
    *,
    seed: int,
    replication: int = 0,
    coupling: npt.ArrayLike | None = None,
) -> FloatArray:
    """Draw one web of a null model.

    Parameters
    ----------
    counts : array_like (n, m)
        Whole numbers.
    model : {"equiprobable", "fixed_marginals", "connectance", "maximum_entropy"}
    seed, replication : int
        The web is a pure function of these.
    coupling : array_like (n, m), optional
        What visits are drawn from, for ``"maximum_entropy"``; any total. By default the product of both sides' sums.

    Returns
    -------
    ndarray (n, m)

    Raises
    ------
    InvalidInputError, ShapeError

    Notes
    -----
    ``equiprobable``: visits are one multinomial over all cells. ``fixed_marginals``: the visits of rows meet those of
    columns in random order, which has Patefield's law. ``connectance``: pairs are taken one by one with probability in
    proportion to the product of both sums, first those that give a species without links its first one, until there are
    as many links; each has a visit, and the others are drawn among links in the same proportion. ``maximum_entropy``:
    one multinomial from the coupling.

    References
    ----------
    Patefield (1981), "Algorithm AS 159", Applied Statistics 30. Vazquez et al. (2007), "Species abundance and
    asymmetric interaction strength in ecological networks", Oikos 116.

    Examples
    --------
    >>> sample_network([[3, 1], [0, 2]], "fixed_marginals", seed=1).sum(axis=0)
    array([3., 3.])
    """
    table = checked_counts(counts)
    draw = _drawing(table, model, check_seed(seed), coupling)
    return draw(replication)


def compare_with_null(
    counts: npt.ArrayLike,
    model: str,
    *,
    seed: int,
    replications: int = 1000,
    metrics: Sequence[str] | None = None,
    coupling: npt.ArrayLike | None = None,
    workers: int = 1,
    level: float = 0.95,
    progress: Progress = silent,
) -> NullComparison:
    """Compare the metrics of a web with those of webs drawn from a null model.

    Parameters
    ----------
    counts : array_like (n, m)
        Whole numbers.
    model, seed, coupling
        As `sample_network`.
    replications : int
        How many null webs, at least 2.
    metrics : sequence of str, optional
        Of `choicekit.networks.metrics.METRICS`; by default all.
    workers : int
        Threads; the answer does not depend on them.
    level : float
        Of bands.
    progress : callable

    Returns
    -------
    NullComparison

    Raises
    ------
    InvalidInputError, ShapeError

    Examples
    --------
    >>> found = compare_with_null([[5, 0], [0, 5]], "fixed_marginals", seed=1, replications=200)
    >>> found.z_score("h2_continuous") > 3
    True
    >>> found.z_score("connectance") < 0
    True
    """
    table = checked_counts(counts)
    names = check_sampling(replications, level, metrics)
    draw = _drawing(table, model, check_seed(seed), coupling)
    blocks, found, done = blocks_of(replications, size=_PORTION), [], 0

    def work(block: Block) -> FloatArray:
        return np.array([_numbers(draw(place), names) for place in range(block.start, block.stop)])

    for block, values in zip(blocks, LocalThreads(workers).map(work, blocks), strict=True):
        found.append(values)
        done += len(block)
        progress(f"null webs, {model}", done, replications)
    table_of_values = np.concatenate(found)
    return NullComparison(
        model=model,
        observed=dict(zip(names, _numbers(table, names).tolist(), strict=True)),
        values={name: table_of_values[:, place] for place, name in enumerate(names)},
        level=level,
    )


def _numbers(table: FloatArray, names: Sequence[str]) -> FloatArray:
    found = metrics_of(np.ascontiguousarray(table[np.ix_(*interacting(table))]))
    return np.array([found[name] for name in names])


def _drawing(table: FloatArray, model: str, seed: int, coupling: npt.ArrayLike | None) -> Callable[[int], FloatArray]:
    if model not in NULL_MODELS:
        raise InvalidInputError(f"a null model must be one of {', '.join(NULL_MODELS)}, found {model!r}")
    if coupling is not None and model != "maximum_entropy":
        raise InvalidInputError(f"a coupling goes with the null model maximum_entropy, found {model!r}")
    check_whole_counts(table, f"the null model {model}")
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    expected = np.outer(rows, columns)
    if model == "connectance":
        return lambda replication: _filled(table, expected, seed, replication)
    visits = Draws(
        seed=seed,
        stage=Stage.NULL_MODEL,
        rows=row_words(np.arange(int(table.sum()))),
        alternatives=alternative_words(["visit"]),
    )
    if model == "fixed_marginals":
        row_of = np.repeat(np.arange(rows.size), rows.astype(np.int64))
        column_of = np.repeat(np.arange(columns.size), columns.astype(np.int64))

        def shuffled(replication: int) -> FloatArray:
            order = np.argsort(visits.uniforms(replication)[:, 0], kind="stable")
            return _counted(row_of * columns.size + column_of[order], table.shape)

        return shuffled
    law = np.ones(table.shape) if model == "equiprobable" else expected
    if coupling is not None:
        law = np.asarray(as_floats(coupling, "coupling"))
        if law.shape != table.shape:
            raise ShapeError(f"a coupling must have the shape of the counts, {table.shape}, found {law.shape}")
        if not (np.all(np.isfinite(law) & (law >= 0)) and law.any()):
            raise InvalidInputError("a coupling must be finite, at least 0 and not 0 everywhere")
    return lambda replication: _multinomial(law, visits.uniforms(replication)[:, 0])


def _multinomial(law: FloatArray, uniforms: FloatArray) -> FloatArray:
    """Return counts of visits, each in the cell where the cumulated law passes its uniform."""
    cells = np.flatnonzero(law)
    cumulated = np.cumsum(law.reshape(-1)[cells])
    places = np.searchsorted(cumulated[:-1] / cumulated[-1], uniforms, side="right")
    return _counted(cells[places], law.shape)


def _counted(cells: npt.NDArray[np.int64], shape: tuple[int, ...]) -> FloatArray:
    return np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)


def _filled(table: FloatArray, expected: FloatArray, seed: int, replication: int) -> FloatArray:
    """Return a web with as many links and visits; the order in which pairs are taken is a race of exponentials."""
    n, m = table.shape
    draws = Draws(
        seed=seed,
        stage=Stage.NULL_MODEL,
        rows=row_words(np.arange(n)),
        alternatives=alternative_words(np.arange(m)),
    )
    with np.errstate(divide="ignore"):
        finish = np.where(expected > 0, -np.log(draws.uniforms(replication)) / expected, np.inf)
    order = np.argsort(finish, axis=None, kind="stable")[: int(np.count_nonzero(expected))]
    links = _links_in_order(order, table)
    extra = Draws(
        seed=seed,
        stage=Stage.NULL_MODEL,
        rows=row_words(np.arange(int(table.sum()) - links.size)),
        alternatives=alternative_words(["visit"]),
    )
    law = np.zeros(n * m)
    law[links] = expected.reshape(-1)[links]
    web = np.zeros((n, m))
    web.reshape(-1)[links] = 1.0
    return web + _multinomial(law.reshape(n, m), extra.uniforms(replication)[:, 0])


def _links_in_order(order: npt.NDArray[np.int64], table: FloatArray) -> npt.NDArray[np.int64]:
    """Take pairs in order that give a species its first link, while links suffice for those still without; then others.

    A pair that serves one new species only must leave enough links for the others to be served.
    """
    m, wanted = table.shape[1], int(np.count_nonzero(table))
    bare_rows, bare_columns = interacting(table)
    n_rows, n_columns = int(bare_rows.sum()), int(bare_columns.sum())
    taken: list[int] = []
    left: list[int] = []
    for at, cell in enumerate(order.tolist()):
        if not (n_rows or n_columns):
            left.extend(order[at:].tolist())
            break
        row, column = divmod(cell, m)
        new_row, new_column = bool(bare_rows[row]), bool(bare_columns[column])
        needed = max(n_rows - new_row, n_columns - new_column)
        if (new_row or new_column) and len(taken) + 1 + needed <= wanted:
            taken.append(cell)
            bare_rows[row], bare_columns[column] = False, False
            n_rows, n_columns = n_rows - new_row, n_columns - new_column
        else:
            left.append(cell)
    return np.array(taken + left[: wanted - len(taken)], dtype=np.int64)
