"""What a network study asks, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.errors import InvalidInputError
from choicekit.networks.community import Community, MassPolicy, Side
from choicekit.networks.cross_validation import PreferenceValidation
from choicekit.networks.ensembles import Ensemble
from choicekit.networks.extinctions import ExtinctionCurve
from choicekit.networks.metrics import NetworkMetrics
from choicekit.networks.modularity import Modules
from choicekit.networks.network import InteractionNetwork
from choicekit.networks.null_models import NullComparison
from choicekit.networks.policies import CommunityPolicy
from choicekit.networks.preferences import PreferenceFit
from choicekit.networks.what_if import CommunityChange

__all__ = ["LossSettings", "NetworkOutcome", "NetworkStudy", "PreferenceSettings", "ScanPoint"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class PreferenceSettings:
    """What is known of preferences, or is to be learnt.

    Attributes
    ----------
    basis : mapping of str to ndarray (n, m)
        Tables that preferences are linear in; empty for a free table.
    coefficients : mapping of str to float, optional
        Known ones; nothing is learnt then.
    penalty : float or "cross-validated", optional
    folds : int
        Of visits, where that is what cross-validation leaves out.
    true_coefficients : mapping of str to float, optional
        That made the counts, for a study that learns them back.
    """

    basis: Mapping[str, FloatArray] = field(default_factory=dict)
    coefficients: Mapping[str, float] | None = None
    penalty: float | Literal["cross-validated"] | None = None
    folds: int = 5
    true_coefficients: Mapping[str, float] | None = None

    @property
    def known(self) -> FloatArray | None:
        """The table of known preferences; None where they are learnt."""
        if self.coefficients is None:
            return None
        return np.asarray(sum(self.coefficients[name] * table for name, table in self.basis.items()))


@dataclass(frozen=True, kw_only=True, eq=False)
class LossSettings:
    """Species lost one after another.

    Attributes
    ----------
    side : {"row", "column"}
    orders : sequence of (str or sequence of str)
    masses : {"removed", "redistributed"}
    replications : int
        Random orders.
    """

    side: Side = "row"
    orders: Sequence[str | Sequence[str]] = ("abundance", "rarity", "degree", "random")
    masses: MassPolicy = "removed"
    replications: int = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkStudy:
    """A network study.

    Attributes
    ----------
    networks : tuple of InteractionNetwork
        Sites, over the same species; none where only a community is known.
    row_names, column_names : tuple of str
    row_mass, column_mass : ndarray, optional
        Abundances; by default the observed sums.
    preferences : PreferenceSettings, optional
    ensemble : Ensemble
        Of what-if questions.
    ensembles : tuple of Ensemble
        That are compared.
    temperature : float
        Of known preferences.
    temperatures : tuple of float
        At which preferences as they are written are scanned.
    null_models : tuple of str
    null_replications : int
    restarts : int
        Of the search for modules; 0 for none.
    losses : LossSettings, optional
    policies : mapping of str to CommunityPolicy
    samples : int
        Webs sampled before and after a policy.
    visits : float, optional
        Of the community; by default the observed ones, or the total of row masses.
    seed : int

    Raises
    ------
    InvalidInputError
    """

    networks: tuple[InteractionNetwork, ...]
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    row_mass: FloatArray | None = None
    column_mass: FloatArray | None = None
    preferences: PreferenceSettings | None = None
    ensemble: Ensemble = "both"
    ensembles: tuple[Ensemble, ...] = ("both", "rows", "columns", "none")
    temperature: float = 1.0
    temperatures: tuple[float, ...] = ()
    null_models: tuple[str, ...] = ()
    null_replications: int = 1000
    restarts: int = 20
    losses: LossSettings | None = None
    policies: Mapping[str, CommunityPolicy] = field(default_factory=dict)
    samples: int = 200
    visits: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.networks and (self.row_mass is None or self.column_mass is None):
            raise InvalidInputError("a study without a web needs masses of both sides")
        if not self.networks and (self.preferences is None or self.preferences.known is None):
            raise InvalidInputError("a study without a web needs preferences with coefficients")

    @property
    def pooled(self) -> FloatArray | None:
        """Counts of all sites together; None without a web."""
        return np.sum([network.counts for network in self.networks], axis=0) if self.networks else None

    def community(self, fit: PreferenceFit | None) -> Community:
        """Return the community that what-if questions are about: learnt preferences, or the known ones, or none."""
        pooled, known = self.pooled, None if self.preferences is None else self.preferences.known
        shape = len(self.row_names), len(self.column_names)
        preferences, temperature = np.zeros(shape), 1.0
        if fit is not None:  # as the basis has them: an invader's are then on the same scale
            preferences = fit.preferences
            if fit.names and self.preferences is not None:
                tables = [self.preferences.basis[name] for name in fit.names]
                preferences = np.tensordot(fit.coefficients, np.array(tables), axes=1)
        elif known is not None:
            preferences, temperature = known, self.temperature
        rows = self.row_mass if self.row_mass is not None or pooled is None else pooled.sum(axis=1)
        columns = self.column_mass if self.column_mass is not None or pooled is None else pooled.sum(axis=0)
        return Community(
            preferences=preferences,
            row_mass=rows,  # type: ignore[arg-type]  # there are masses or a web
            column_mass=columns,  # type: ignore[arg-type]
            row_names=self.row_names,
            column_names=self.column_names,
            temperature=temperature,
            ensemble=self.ensemble,
            visits=self.visits if self.visits is not None or pooled is None else float(pooled.sum()),
        )


@dataclass(frozen=True, kw_only=True)
class ScanPoint:
    """How well preferences as they are written describe the web at a temperature.

    Attributes
    ----------
    temperature : float
    ensemble : Ensemble
    kl_divergence, log_likelihood, auc : float
    """

    temperature: float
    ensemble: Ensemble
    kl_divergence: float
    log_likelihood: float
    auc: float


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkOutcome:
    """What a network study found.

    Attributes
    ----------
    study : NetworkStudy
    metrics : NetworkMetrics or None
        Of all sites together.
    by_site : tuple of NetworkMetrics
    modules : Modules or None
    nulls : mapping of str to NullComparison
    fits : mapping of Ensemble to PreferenceFit
        Preferences learnt for each ensemble.
    ensembles : DataFrame or None
        A row an ensemble: how well it describes the web, without preferences and with them, in and out of sample.
    validation : PreferenceValidation or None
    scan : tuple of ScanPoint
    community : Community
    curves : tuple of ExtinctionCurve
    changes : mapping of str to CommunityChange
    """

    study: NetworkStudy
    metrics: NetworkMetrics | None
    by_site: tuple[NetworkMetrics, ...]
    modules: Modules | None
    nulls: Mapping[str, NullComparison]
    fits: Mapping[Ensemble, PreferenceFit]
    ensembles: pd.DataFrame | None
    validation: PreferenceValidation | None
    scan: tuple[ScanPoint, ...]
    community: Community
    curves: tuple[ExtinctionCurve, ...]
    changes: Mapping[str, CommunityChange]

    @property
    def fit(self) -> PreferenceFit | None:
        """Preferences learnt for the study's own ensemble."""
        return self.fits.get(self.study.ensemble)

    def __repr__(self) -> str:
        n, m = len(self.study.row_names), len(self.study.column_names)
        parts = [f"{n} x {m} species"]
        if self.metrics is not None:
            parts.append(f"{self.metrics.links} links")
        parts += [
            f"{len(found)} {what}" for what, found in (("null models", self.nulls), ("policies", self.changes)) if found
        ]
        return f"NetworkOutcome({', '.join(parts)})"
