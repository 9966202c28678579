"""Choosing how much to hold preferences back: by visits or sites left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.errors import InvalidInputError
from choicekit.networks.checking import check_whole_counts
from choicekit.networks.ensembles import Ensemble, coupling_fit
from choicekit.networks.network import InteractionNetwork, aligned
from choicekit.networks.preferences import PreferenceFit, fit_preferences
from choicekit.networks.sites import sites_of
from choicekit.random import Draws, Stage, alternative_words, check_seed, row_words

__all__ = ["PreferenceValidation", "cross_validate_preferences", "thinned"]

FloatArray = npt.NDArray[np.float64]

PENALTIES = tuple(float(value) for value in 10.0 ** np.arange(-2.0, 3.01, 1.0))


@dataclass(frozen=True, kw_only=True, eq=False)
class PreferenceValidation:
    """How well penalties predict what was left out.

    Attributes
    ----------
    by : {"sites", "visits"}
        What is left out.
    penalties : ndarray (P,)
    scores, neutral_scores : ndarray (P, F), (F,)
        Log-likelihood of each left-out visit, by fold.
    auc : ndarray (P, F)
    """

    by: str
    penalties: FloatArray
    scores: FloatArray
    neutral_scores: FloatArray
    auc: FloatArray

    @property
    def best(self) -> float:
        """The penalty with the highest mean score."""
        return float(self.penalties[int(np.argmax(self.scores.mean(axis=1)))])

    @property
    def gain(self) -> FloatArray:
        """How much better than neutral each left-out fold is predicted at the best penalty, nats a visit, (F,)."""
        return np.asarray(self.scores[int(np.argmax(self.scores.mean(axis=1)))] - self.neutral_scores)

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the signed-rank test over folds that preferences predict no better than none."""
        from scipy.stats import wilcoxon

        return float(wilcoxon(self.gain).pvalue) if self.gain.size > 1 and np.any(self.gain) else float("nan")

    def __repr__(self) -> str:
        folds = self.neutral_scores.size
        return f"PreferenceValidation(best penalty {self.best:g} of {self.penalties.size}, {folds} folds by {self.by})"

    def to_frame(self) -> pd.DataFrame:
        """Return a row a penalty: mean score, its standard error over folds, and the mean AUC."""
        error = self.scores.std(axis=1, ddof=1) / np.sqrt(self.scores.shape[1])
        return pd.DataFrame(
            {
                "penalty": self.penalties,
                "log_likelihood_per_visit": self.scores.mean(axis=1),
                "standard_error": error,
                "gain_over_neutral": (self.scores - self.neutral_scores).mean(axis=1),
                "auc": self.auc.mean(axis=1),
            }
        )


def thinned(counts: FloatArray, folds: int, seed: int) -> list[FloatArray]:
    """Return counts divided among folds, each visit at random into one of them.

    Examples
    --------
    >>> parts = thinned(np.array([[10.0, 5.0]]), 3, 1)
    >>> sum(parts)
    array([[10.,  5.]])
    """
    cells = np.repeat(np.arange(counts.size), counts.reshape(-1).astype(np.int64))
    draws = Draws(
        seed=check_seed(seed),
        stage=Stage.BOOTSTRAP,
        rows=row_words(np.arange(cells.size)),
        alternatives=alternative_words(["fold"]),
    )
    # equal numbers of visits in folds: the order of uniforms, dealt in turn
    fold = np.empty(cells.size, dtype=np.int64)
    fold[np.argsort(draws.uniforms(0)[:, 0], kind="stable")] = np.arange(cells.size) % folds
    parts = (np.bincount(cells[fold == place], minlength=counts.size) for place in range(folds))
    return [part.reshape(counts.shape).astype(np.float64) for part in parts]


def cross_validate_preferences(
    networks: InteractionNetwork | Sequence[InteractionNetwork],
    basis: Mapping[str, npt.ArrayLike] | None = None,
    *,
    seed: int,
    penalties: Sequence[float] = PENALTIES,
    by: str | None = None,
    folds: int = 5,
    ensemble: Ensemble = "both",
) -> PreferenceValidation:
    """Score penalties by how well preferences predict sites or visits left out, under their own observed masses.

    Parameters
    ----------
    networks, basis, ensemble
        As `fit_preferences`.
    seed : int
    penalties : sequence of float
    by : {"sites", "visits"}, optional
        Leave out one site at a time, or one of `folds` random parts of all visits. By default sites where there are at
        least three.
    folds : int
        Of visits.

    Returns
    -------
    PreferenceValidation

    Raises
    ------
    InvalidInputError
    """
    given = aligned((networks,) if isinstance(networks, InteractionNetwork) else tuple(networks))
    way = ("sites" if len(given) > 2 else "visits") if by is None else by
    if way not in ("sites", "visits") or (way == "sites" and len(given) < 2):
        raise InvalidInputError(f"by must be 'visits', or 'sites' with at least two of them, found {by!r}")
    if isinstance(folds, bool) or not isinstance(folds, int | np.integer) or folds < 2:
        raise InvalidInputError(f"folds must be a whole number of at least 2, found {folds!r}")
    if not penalties or not all(np.isfinite(value) and value > 0 for value in penalties):
        raise InvalidInputError(f"penalties must be finite numbers above 0, found {list(penalties)!r}")
    check_seed(seed)
    splits = list(_by_site(given) if way == "sites" else _by_visits(given, folds, seed))
    scores, auc = np.empty((len(penalties), len(splits))), np.empty((len(penalties), len(splits)))
    neutral = np.empty(len(splits))
    for place, (kept, held) in enumerate(splits):
        sites = sites_of(held, ensemble, ("observed", "observed"))
        visits = sum(site.visits for site in sites)
        neutral[place] = sum(coupling_fit(site.counts, site.neutral).log_likelihood for site in sites) / visits
        for row, penalty in enumerate(penalties):
            fit: PreferenceFit = fit_preferences(kept, basis, ensemble=ensemble, penalty=penalty, on_failure="return")
            found = [fit.site_fit(site) for site in sites]
            scores[row, place] = sum(one.log_likelihood for one in found) / visits
            auc[row, place] = np.mean([one.auc for one in found])
    return PreferenceValidation(
        by=way, penalties=np.array(penalties, dtype=float), scores=scores, neutral_scores=neutral, auc=auc
    )


Split = tuple[list[InteractionNetwork], list[InteractionNetwork]]


def _by_site(networks: Sequence[InteractionNetwork]) -> list[Split]:
    return [
        ([other for at, other in enumerate(networks) if at != place], [network])
        for place, network in enumerate(networks)
    ]


def _by_visits(networks: Sequence[InteractionNetwork], folds: int, seed: int) -> list[Split]:
    parts = []
    for place, network in enumerate(networks):
        check_whole_counts(network.counts, "dividing visits among folds", network.row_names, network.column_names)
        if network.visits < folds:
            raise InvalidInputError(f"{folds} folds need as many visits, found {network.visits:g} at a site")
        parts.append(thinned(network.counts, folds, (seed + place) % 2**64))
    return [
        (
            [
                replace(network, counts=network.counts - part[fold])
                for network, part in zip(networks, parts, strict=True)
            ],
            [replace(network, counts=part[fold]) for network, part in zip(networks, parts, strict=True)],
        )
        for fold in range(folds)
    ]
