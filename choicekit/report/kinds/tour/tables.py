"""The tables of a tour as files, with every digit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from choicekit.report.checks import check_records
from choicekit.scenario.result import StudyResult
from choicekit.tour import Station, Tour
from choicekit.tour.argmax import ArgmaxStation
from choicekit.tour.bounds import BoundsStation
from choicekit.tour.claims import FloatArray, IntArray
from choicekit.tour.convergence import ConvergenceStation
from choicekit.tour.energy import EnergyStation
from choicekit.tour.inner_product import InnerProductStation
from choicekit.tour.ratios import RatiosStation
from choicekit.tour.relaxation import RelaxationStation
from choicekit.tour.side_by_side import RulesStation
from choicekit.tour.surfaces import SurfacesStation
from choicekit.tour.temperature import TemperatureStation
from choicekit.tour.two_samplings import TwoSamplingsStation

__all__ = ["data_tables"]

Tables = dict[str, pd.DataFrame]


def data_tables(result: StudyResult) -> Tables:
    """Return tables by file name: those of the stations, the claims, and the numbers in print."""
    tour: Tour = result.outcome
    tables: Tables = {}
    for station in tour.stations:
        writer = _WRITERS.get(type(station))
        if writer is not None:
            tables |= writer(station)  # type: ignore[operator]
    printed = _printed(tour)
    if len(printed):
        tables["printed"] = printed
    if result.checks:
        tables["checks"] = pd.DataFrame(check_records(result.checks))
    return tables


def _printed(tour: Tour) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "station": station.name,
                "quantity": entry.quantity,
                "printed": float(printed),
                "computed": float(computed),
                "tolerance": entry.tolerance,
            }
            for station in tour.stations
            for entry in station.published
            for printed, computed in zip(entry.printed, entry.computed, strict=True)
        ]
    )


def _argmax(station: ArgmaxStation) -> Tables:
    return {"argmax": _columns(station, ("utility", "one_hot", "exponentials", "probabilities"))}


def _inner_product(station: InnerProductStation) -> Tables:
    return {"inner-product": _columns(station, ("utility", "probabilities", "products"))}


def _surfaces(station: SurfacesStation) -> Tables:
    first, second = np.meshgrid(station.axis, station.axis, indexing="ij")
    surfaces = {name: getattr(station, name).ravel() for name in ("maximum", "inclusive_value", "boltzmann")}
    return {"surfaces": pd.DataFrame({"x1": first.ravel(), "x2": second.ravel()} | surfaces)}


def _bounds(station: BoundsStation) -> Tables:
    return {
        "bounds": pd.DataFrame({"lead": station.lead} | dict(station.gaps)),
        "bound-sizes": pd.DataFrame({"alternatives": station.sizes} | dict(station.size_bounds)),
        "raised": pd.DataFrame({"x": station.raised} | dict(station.curves)),
        "random-gaps": pd.DataFrame({"lead": station.random_lead} | dict(station.random_gaps)),
    }


def _temperature(station: TemperatureStation) -> Tables:
    path: dict[str, Any] = {
        "temperature": station.temperatures,
        "entropy": station.entropy,
        "inclusive_value": station.inclusive_value,
    }
    by_formula = [
        pd.DataFrame(_by_place(getattr(station, name))).assign(temperature=station.shown, formula=name)
        for name in ("naive", "by_value", "by_maximum")
    ]
    return {
        "temperature": pd.DataFrame(path | _by_place(station.probabilities)),
        "formulas": pd.concat(by_formula, ignore_index=True),
    }


def _ratios(station: RatiosStation) -> Tables:
    names = ("utility", "probabilities", "probabilities_without", "probabilities_shifted")
    return {"ratios": _columns(station, names)}


def _relaxation(station: RelaxationStation) -> Tables:
    n_kappas, n_samples, n = station.samples.shape
    samples: dict[str, Any] = {
        "relaxation_temperature": np.repeat(station.relaxation_temperatures, n_samples),
        "sample": np.tile(np.arange(1, n_samples + 1), n_kappas),
        "choice": np.tile(station.choices + 1, n_kappas),
    }
    means: dict[str, Any] = {
        "relaxation_temperature": station.relaxation_temperatures,
        "samples": np.full(n_kappas, station.n_means),
        "mean_largest": station.mean_largest,
    }
    return {
        "samples": pd.DataFrame(samples | _by_place(station.samples.reshape(-1, n))),
        "sample-means": pd.DataFrame(means | _by_place(station.means)),
    }


def _convergence(station: ConvergenceStation) -> Tables:
    n_draws, n_replications, n = station.counts.shape
    return {
        "convergence": pd.DataFrame(
            {
                "draws": np.repeat(station.draws, n_replications),
                "replication": np.tile(np.arange(1, n_replications + 1), n_draws),
                "mean_error": station.mean_errors.ravel(),
                "largest_error": station.largest_errors.ravel(),
                "expected_error": np.repeat(station.expected_error, n_replications),
            }
            | {f"count_{place + 1}": station.counts[..., place].ravel() for place in range(n)}
        )
    }


def _rules(station: RulesStation) -> Tables:
    keys = ("rule", "label", "settings", "value", "gap", "max_gap", "cost", "n_support", "coherent")
    values = [{key: getattr(row, key) for key in keys} for row in station.rows]
    shares = [
        {"label": row.label, "alternative": name, "utility": float(utility), "probability": float(p)}
        for row in station.rows
        for name, utility, p in zip(station.alternatives, station.utility, row.probabilities, strict=True)
    ]
    return {"rules": pd.DataFrame(shares), "rule-values": pd.DataFrame(values)}


def _two_samplings(station: TwoSamplingsStation) -> Tables:
    names = station.alternatives
    expected_joint = np.outer(station.probabilities, station.probabilities)
    return {
        "joint": _pairs(("coherent", "inverse"), names, station.joint, expected_joint, station.n_agents),
        "switching-coherent": _pairs(
            ("before", "after"), names, station.switching_coherent, station.expected_coherent, station.n_agents
        ),
        "switching-inverse": _pairs(
            ("before", "after"), names, station.switching_inverse, station.expected_inverse, station.n_agents
        ),
    }


def _pairs(
    heads: tuple[str, str], names: Sequence[str], table: IntArray, expected: FloatArray, n_agents: int
) -> pd.DataFrame:
    n = len(names)
    return pd.DataFrame(
        {
            heads[0]: [name for name in names for _ in range(n)],
            heads[1]: [name for _ in range(n) for name in names],
            "agents": table.ravel(),
            "share": table.ravel() / n_agents,
            "expected_share": expected.ravel(),
        }
    )


def _energy(station: EnergyStation) -> Tables:
    first, second = station.utility
    return {
        "energy": pd.DataFrame(
            {
                "shift": station.shifts,
                "energy": station.energies,
                "largest_probability": station.largest_probability,
            }
        ),
        "situations": pd.DataFrame(
            {
                "utility": first,
                "lifted_utility": second,
                "probability": station.probabilities[0],
                "lifted_probability": station.probabilities[1],
            }
        ),
    }


_WRITERS = {
    ArgmaxStation: _argmax,
    InnerProductStation: _inner_product,
    SurfacesStation: _surfaces,
    BoundsStation: _bounds,
    TemperatureStation: _temperature,
    RatiosStation: _ratios,
    RelaxationStation: _relaxation,
    ConvergenceStation: _convergence,
    RulesStation: _rules,
    TwoSamplingsStation: _two_samplings,
    EnergyStation: _energy,
}


def _columns(station: Station, names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({name: getattr(station, name) for name in names})


def _by_place(table: FloatArray) -> dict[str, Any]:
    return {f"probability_{place + 1}": table[:, place] for place in range(table.shape[1])}
