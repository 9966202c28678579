"""Running a network study: describe, compare with chance, learn, ask what if."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.execution.passes import Progress, silent
from choicekit.networks.community import Community
from choicekit.networks.cross_validation import PreferenceValidation, cross_validate_preferences, thinned
from choicekit.networks.ensembles import Ensemble, couple, coupling_fit
from choicekit.networks.extinctions import ExtinctionCurve, extinction_curve
from choicekit.networks.metrics import describe_network
from choicekit.networks.modularity import find_modules
from choicekit.networks.network import InteractionNetwork
from choicekit.networks.null_models import compare_with_null
from choicekit.networks.preferences import PreferenceFit, fit_preferences
from choicekit.networks.sites import Site, sites_of
from choicekit.networks.study import NetworkOutcome, NetworkStudy, ScanPoint
from choicekit.networks.what_if import compare_communities

__all__ = ["run_network"]

FloatArray = npt.NDArray[np.float64]

_HOLD_OUT = 5  # folds of visits, one of which is left out to see how well preferences predict


def run_network(study: NetworkStudy, *, workers: int = 1, progress: Progress = silent) -> NetworkOutcome:
    """Run a network study.

    Parameters
    ----------
    study : NetworkStudy
    workers : int
        Threads for null webs.
    progress : callable

    Returns
    -------
    NetworkOutcome
    """
    pooled = study.pooled
    fits, validation = _learnt(study, progress)
    community = study.community(fits.get(study.ensemble))
    nulls = {}
    for model in study.null_models:
        nulls[model] = compare_with_null(
            pooled if pooled is not None else community.expected,
            model,
            seed=study.seed,
            replications=study.null_replications,
            coupling=community.coupling if model == "maximum_entropy" else None,
            workers=workers,
            progress=progress,
        )
    weights = None if study.preferences is None else study.preferences.coefficients
    own = fits.get(study.ensemble)
    if own is not None:
        weights = dict(zip(own.names, own.coefficients.tolist(), strict=True))
    changes = {}
    for place, (name, policy) in enumerate(study.policies.items()):
        after = policy.apply(community, weights)
        changes[name] = compare_communities(community, after, seed=study.seed, replications=study.samples)
        progress("what if", place + 1, len(study.policies))
    return NetworkOutcome(
        study=study,
        metrics=None if pooled is None else describe_network(pooled),
        by_site=tuple(describe_network(network.counts) for network in study.networks),
        modules=find_modules(pooled, seed=study.seed, restarts=study.restarts)
        if pooled is not None and study.restarts
        else None,
        nulls=nulls,
        fits=fits,
        ensembles=_ensembles(study, fits),
        validation=validation,
        scan=tuple(_scan(study)),
        community=community,
        curves=_curves(study, community, pooled),
        changes=changes,
    )


def _learnt(
    study: NetworkStudy, progress: Progress
) -> tuple[dict[Ensemble, PreferenceFit], PreferenceValidation | None]:
    settings = study.preferences
    if settings is None or settings.coefficients is not None or not study.networks:
        return {}, None
    basis, validation = settings.basis or None, None
    penalty = settings.penalty
    if penalty == "cross-validated":
        validation = cross_validate_preferences(
            study.networks, basis, seed=study.seed, folds=settings.folds, ensemble=study.ensemble
        )
        penalty = validation.best
        progress("cross-validation", 1, 1)
    wanted = dict.fromkeys((study.ensemble, *study.ensembles))
    fits: dict[Ensemble, PreferenceFit] = {}
    for ensemble in wanted:
        fits[ensemble] = _fit(study.networks, study, ensemble, penalty if penalty is None else float(penalty))
        progress("preferences", len(fits), len(wanted))
    return fits, validation


def _fit(
    networks: Sequence[InteractionNetwork], study: NetworkStudy, ensemble: Ensemble, penalty: float | None
) -> PreferenceFit:
    settings = study.preferences
    abundance = tuple("observed" if masses is None else "abundance" for masses in (study.row_mass, study.column_mass))
    given = [replace(network, row_abundance=study.row_mass, column_abundance=study.column_mass) for network in networks]
    return fit_preferences(
        given,
        None if settings is None else settings.basis or None,
        ensemble=ensemble,
        penalty=penalty,
        row_mass=abundance[0],  # type: ignore[arg-type]
        column_mass=abundance[1],  # type: ignore[arg-type]
        on_failure="return",
    )


def _ensembles(study: NetworkStudy, fits: dict[Ensemble, PreferenceFit]) -> pd.DataFrame | None:
    """Return how well each ensemble describes the webs: without preferences, with them, and visits left out."""
    if not study.networks:
        return None
    whole = all(np.all(network.counts == np.rint(network.counts)) for network in study.networks)
    rows = []
    for ensemble in study.ensembles:
        neutral = _mean_fit(study, study.networks, ensemble, None)
        own = _mean_fit(study, study.networks, ensemble, fits.get(ensemble)) if fits else (np.nan,) * 3
        held = _held_out(study, ensemble, fits[ensemble].penalty) if fits and whole else (np.nan,) * 4
        rows.append((ensemble, *neutral, *own, *held))
    heads = ["kl_divergence", "log_likelihood", "auc"]
    return pd.DataFrame(
        rows,
        columns=[
            "ensemble",
            *(f"neutral_{head}" for head in heads),
            *heads,
            *("held_out_neutral_log_likelihood", "held_out_log_likelihood", "held_out_neutral_auc", "held_out_auc"),
        ],
    )


def _mean_fit(
    study: NetworkStudy, networks: Sequence[InteractionNetwork], ensemble: Ensemble, fit: PreferenceFit | None
) -> tuple[float, float, float]:
    found = []
    sites = fit.sites if fit is not None else _sites(study, networks, ensemble)
    for site in sites:
        found.append(coupling_fit(site.counts, site.neutral if fit is None else fit.coupling(site)))
    visits = np.array([one.visits for one in found])
    return (
        float(np.average([one.kl_divergence for one in found], weights=visits)),
        float(sum(one.log_likelihood for one in found)),
        float(np.mean([one.auc for one in found])),
    )


def _sites(study: NetworkStudy, networks: Sequence[InteractionNetwork], ensemble: Ensemble) -> tuple[Site, ...]:
    sources = tuple("observed" if masses is None else "abundance" for masses in (study.row_mass, study.column_mass))
    given = [replace(network, row_abundance=study.row_mass, column_abundance=study.column_mass) for network in networks]
    return sites_of(given, ensemble, sources)  # type: ignore[arg-type]


def _held_out(study: NetworkStudy, ensemble: Ensemble, penalty: float) -> tuple[float, float, float, float]:
    """Return log-likelihoods of each visit left out, and AUCs of its links, neutral and with preferences.

    A fifth of all visits, divided at random, is left out in turn; shares of species are those of the visits kept.
    """
    parts = [thinned(network.counts, _HOLD_OUT, study.seed) for network in study.networks]
    sums, areas = np.zeros(2), []
    visits = sum(network.visits for network in study.networks)
    for fold in range(_HOLD_OUT):
        kept = [
            replace(network, counts=network.counts - part[fold], row_abundance=None, column_abundance=None)
            for network, part in zip(study.networks, parts, strict=True)
        ]
        fit = _fit(kept, study, ensemble, penalty)
        for site, part in zip(fit.sites, parts, strict=True):
            possible = np.where(site.neutral > 0, part[fold], 0.0)  # species seen among visits kept
            if not possible.any():
                continue
            found = coupling_fit(possible, site.neutral), coupling_fit(possible, fit.coupling(site))
            sums += [one.log_likelihood for one in found]
            areas.append([one.auc for one in found])
    auc = np.mean(areas, axis=0)
    return float(sums[0] / visits), float(sums[1] / visits), float(auc[0]), float(auc[1])


def _scan(study: NetworkStudy) -> list[ScanPoint]:
    settings = study.preferences
    if not (study.temperatures and study.networks and settings is not None and settings.basis):
        return []
    weights = settings.coefficients or dict.fromkeys(settings.basis, 1.0)
    table = np.asarray(sum(weights[name] * values for name, values in settings.basis.items()))
    found = []
    for ensemble in study.ensembles:
        sites = _sites(study, study.networks, ensemble)
        visits = np.array([site.visits for site in sites])
        for temperature in study.temperatures:
            fits = [
                coupling_fit(
                    site.counts,
                    couple(table, site.row_mass, site.column_mass, ensemble=ensemble, temperature=temperature).coupling,
                )
                for site in sites
            ]
            found.append(
                ScanPoint(
                    temperature=temperature,
                    ensemble=ensemble,
                    kl_divergence=float(np.average([one.kl_divergence for one in fits], weights=visits)),
                    log_likelihood=float(sum(one.log_likelihood for one in fits)),
                    auc=float(np.mean([one.auc for one in fits])),
                )
            )
    return found


def _curves(study: NetworkStudy, community: Community, pooled: FloatArray | None) -> tuple[ExtinctionCurve, ...]:
    losses = study.losses
    if losses is None:
        return ()
    counts = pooled
    if counts is None:  # links are pairs that are expected to meet at least once
        expected = community.expected
        counts = np.where(expected >= min(1.0, expected.max()), expected, 0.0)
    return tuple(
        extinction_curve(
            counts,
            order,
            side=losses.side,
            community=community,
            policy=losses.masses,
            seed=study.seed,
            replications=losses.replications,
        )
        for order in losses.orders
    )
