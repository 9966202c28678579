"""Learning what species prefer from webs of one or several sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.assignment.inverse.result import LikelihoodRatio
from choicekit.errors import ConvergenceError, InvalidInputError, ShapeError
from choicekit.networks.ensembles import CouplingFit, Ensemble, centred, check_ensemble, coupling_fit
from choicekit.networks.learning import learn_free, learn_linear
from choicekit.networks.network import InteractionNetwork
from choicekit.networks.sites import MassSource, Site, sites_of
from choicekit.rules.utilities import as_floats

__all__ = ["PreferenceFit", "fit_preferences"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class PreferenceFit:
    """Preferences learnt from webs, in units of temperature: M / T, so lambda = 1 / T is within.

    Attributes
    ----------
    preferences : ndarray (n, m)
        Centred by what the ensemble cannot tell: with both sides fixed, rows and columns average 0.
    coefficients, standard_errors : ndarray (K,)
        Of the basis; empty for a free table. Standard errors are sandwiches.
    names : tuple of str
    ensemble : Ensemble
    penalty : float
    log_likelihood, neutral_log_likelihood : float
        sum over sites of sum c log Q.
    status : str
        ``"converged"``, ``"max_iterations"`` or ``"no_maximum"``.
    n_iterations : int
    gradient : float
        Largest entry of the penalised gradient for each visit.
    row_names, column_names : tuple of str
    sites : tuple of Site
    exact_masses : bool
        Whether masses are observed, so that this is maximum likelihood.
    """

    preferences: FloatArray
    coefficients: FloatArray
    standard_errors: FloatArray
    names: tuple[str, ...]
    ensemble: Ensemble
    penalty: float
    log_likelihood: float
    neutral_log_likelihood: float
    status: str
    n_iterations: int
    gradient: float
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    sites: tuple[Site, ...]
    exact_masses: bool

    @property
    def converged(self) -> bool:
        """Whether the gradient vanishes."""
        return self.status == "converged"

    @property
    def likelihood_ratio(self) -> LikelihoodRatio:
        """The test of all coefficients against none; p is nan with a penalty, or masses that are not observed."""
        from scipy.stats import chi2

        statistic, k = 2.0 * (self.log_likelihood - self.neutral_log_likelihood), len(self.names)
        known = k > 0 and self.penalty == 0 and self.exact_masses
        return LikelihoodRatio(
            statistic=statistic,
            degrees=k,
            p_value=float(chi2.sf(statistic, k)) if known else float("nan"),
        )

    def coupling(self, site: Site | None = None) -> FloatArray:
        """Return the coupling at a site, by default the first: one of the fit, or another over the same species."""
        return (self.sites[0] if site is None else site).coupling(self.preferences)

    def by_site(self, sites: Sequence[Site] | None = None) -> pd.DataFrame:
        """Return how well each site is described, with preferences and without."""
        rows = []
        for site in self.sites if sites is None else sites:
            own, neutral = coupling_fit(site.counts, self.coupling(site)), coupling_fit(site.counts, site.neutral)
            rows.append((site.name, site.visits, own.kl_divergence, neutral.kl_divergence, own.auc, neutral.auc))
        heads = ["site", "visits", "kl_divergence", "neutral_kl_divergence", "auc", "neutral_auc"]
        return pd.DataFrame(rows, columns=heads)

    def site_fit(self, site: Site) -> CouplingFit:
        """Return how well one site is described."""
        return coupling_fit(site.counts, self.coupling(site))

    def wilcoxon(self, sites: Sequence[Site] | None = None) -> float:
        """Return the two-sided p-value of the signed-rank test that sites are described as well without preferences.

        Over sites in the fit it flatters preferences; give sites left out. nan for fewer than two sites.
        """
        from scipy.stats import wilcoxon

        table = self.by_site(sites)
        gain = (table["neutral_kl_divergence"] - table["kl_divergence"]).to_numpy()
        if gain.size < 2 or not np.any(gain):
            return float("nan")
        return float(wilcoxon(gain).pvalue)

    def to_frame(self) -> pd.DataFrame:
        """Return a row a coefficient; for a free table a row a pair."""
        if not self.names:
            n, m = self.preferences.shape
            return pd.DataFrame(
                {
                    "row": np.repeat(np.asarray(self.row_names, dtype=object), m),
                    "column": np.tile(np.asarray(self.column_names, dtype=object), n),
                    "preference": self.preferences.reshape(-1),
                }
            )
        with np.errstate(divide="ignore", invalid="ignore"):
            z = self.coefficients / self.standard_errors
        return pd.DataFrame(
            {
                "coefficient": self.names,
                "estimate": self.coefficients,
                "standard_error": self.standard_errors,
                "z": z,
            }
        )

    def __repr__(self) -> str:
        what = ", ".join(f"{name}={value:.4g}" for name, value in zip(self.names, self.coefficients, strict=True))
        n, m = self.preferences.shape
        return (
            f"PreferenceFit({what or f'free {n} x {m}'}; ensemble {self.ensemble}, penalty {self.penalty:g}, "
            f"{len(self.sites)} sites, log-likelihood {self.log_likelihood:.6g}, {self.status})"
        )


def fit_preferences(
    networks: InteractionNetwork | Sequence[InteractionNetwork],
    basis: Mapping[str, npt.ArrayLike] | None = None,
    *,
    ensemble: Ensemble = "both",
    penalty: float | None = None,
    row_mass: MassSource = "observed",
    column_mass: MassSource = "observed",
    max_iterations: int = 1000,
    on_failure: str = "raise",
) -> PreferenceFit:
    """Learn preferences M / T, the same at all sites, each with its own masses.

    Parameters
    ----------
    networks : InteractionNetwork or sequence of InteractionNetwork
        Of one or several sites; over the species of all in the order they first occur.
    basis : mapping of str to array_like (n, m), optional
        Tables that preferences are linear in, such as a match of traits, over the species of all sites. Without it
        preferences are a free table, which needs a penalty.
    ensemble : {"both", "rows", "columns", "none"}
        Preferences are fitted for this ensemble.
    penalty : float, optional
        Ridge: penalty / 2 * the sum of squares is taken off the log-likelihood. By default 0 with a basis, 1 without.
    row_mass, column_mass : {"observed", "abundance"}
        Where the shares of species come from.
    max_iterations : int
    on_failure : {"raise", "return"}

    Returns
    -------
    PreferenceFit

    Raises
    ------
    InvalidInputError, ShapeError
        With the species or site named.
    IdentificationError
        Where the basis moves nothing that the ensemble leaves free.
    ConvergenceError

    Notes
    -----
    Maximises sum over sites of <c, M> - N W(M), less the penalty, with W the optimal value of the site's coupling: a
    concave criterion whose gradient is c - N Q. Where masses are observed it is the log-likelihood up to a constant;
    with other masses it matches moments. With a basis by Newton's method; a free table by L-BFGS. M is known up to
    constants that the ensemble's potentials take up, which are fixed by centring. For one site and both sides fixed it
    is what `fit_assignment` finds.

    References
    ----------
    Stock, Poisot & De Baets (2021), Ecology and Evolution 11. Galichon & Salanie (2022), Review of Economic Studies 89
    (moments).

    Examples
    --------
    >>> network = InteractionNetwork(counts=[[40, 10], [10, 40]])
    >>> fit = fit_preferences(network, {"match": [[1, 0], [0, 1]]})
    >>> fit.coefficients.round(6), fit.standard_errors.round(4)
    (array([1.386294]), array([0.25]))
    """
    check_ensemble(ensemble)
    if on_failure not in ("raise", "return"):
        raise InvalidInputError(f"on_failure must be 'raise' or 'return', found {on_failure!r}")
    given = (networks,) if isinstance(networks, InteractionNetwork) else tuple(networks)
    sites = sites_of(given, ensemble, (row_mass, column_mass))
    ridge = (0.0 if basis is not None else 1.0) if penalty is None else float(penalty)
    if not (np.isfinite(ridge) and ridge >= 0):
        raise InvalidInputError(f"penalty must be a finite number of at least 0, found {penalty!r}")
    shape = sites[0].counts.shape
    if basis is None:
        if ridge == 0:
            raise InvalidInputError("a free table of preferences needs a penalty above 0, found 0")
        found = learn_free(sites, ridge, max_iterations)
    else:
        found = learn_linear(sites, _tables(basis, shape), ridge, tuple(basis), max_iterations)
    names = _species(given)
    fit = PreferenceFit(
        preferences=centred(found.preferences, ensemble),
        coefficients=found.coefficients,
        standard_errors=found.standard_errors,
        names=() if basis is None else tuple(basis),
        ensemble=ensemble,
        penalty=ridge,
        log_likelihood=_log_likelihood(sites, [site.coupling(found.preferences) for site in sites]),
        neutral_log_likelihood=_log_likelihood(sites, [site.neutral for site in sites]),
        status=found.status,
        n_iterations=found.n_iterations,
        gradient=found.gradient,
        row_names=names[0],
        column_names=names[1],
        sites=sites,
        exact_masses=(row_mass, column_mass) == ("observed", "observed"),
    )
    if not fit.converged and on_failure == "raise":
        way_out = (
            "what was seen is more extreme than any finite coefficients make it: give a penalty"
            if fit.status == "no_maximum"
            else "raise max_iterations or the penalty"
        )
        raise ConvergenceError(
            f"a fit must end where its gradient vanishes, found {fit.gradient:.2e} a visit after {fit.n_iterations} "
            f"iterations; {way_out}; on_failure='return' gives what there is",
            result=fit,
        )
    return fit


def _species(networks: Sequence[InteractionNetwork]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    rows = dict.fromkeys(name for network in networks for name in network.row_names)
    columns = dict.fromkeys(name for network in networks for name in network.column_names)
    return tuple(rows), tuple(columns)


def _tables(basis: Mapping[str, npt.ArrayLike], shape: tuple[int, ...]) -> FloatArray:
    if not basis:
        raise InvalidInputError("a basis must hold at least one table, found none")
    found = []
    for name, table in basis.items():
        values = np.asarray(as_floats(table, f"basis {name!r}"))
        if values.shape != shape:
            raise ShapeError(f"basis {name!r} must have the shape {shape} of all species, found {values.shape}")
        wrong = np.argwhere(~np.isfinite(values))
        if wrong.size:
            row, column = wrong[0]
            raise InvalidInputError(
                f"basis {name!r} must be finite, found {values[row, column]} in row {row}, column {column}"
            )
        found.append(values)
    return np.array(found)


def _log_likelihood(sites: Sequence[Site], couplings: Sequence[FloatArray]) -> float:
    return sum(
        coupling_fit(site.counts, coupling).log_likelihood for site, coupling in zip(sites, couplings, strict=True)
    )
