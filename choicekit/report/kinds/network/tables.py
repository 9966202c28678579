"""The tables of a network study as files."""

from __future__ import annotations

import numpy as np
import pandas as pd

from choicekit.networks.species import describe_species
from choicekit.report.checks import check_records
from choicekit.report.kinds.network.view import NetworkView

__all__ = ["data_tables"]


def data_tables(view: NetworkView) -> dict[str, pd.DataFrame]:
    """Return every table by the name of its file."""
    outcome, study = view.outcome, view.study
    tables = {"pairs": _pairs(view)}
    if outcome.metrics is not None:
        tables["metrics"] = outcome.metrics.to_frame()
        for axis, kind, names in ((0, "rows", study.row_names), (1, "columns", study.column_names)):
            tables[f"species_{kind}"] = _with_modules(view, describe_species(view.counts, names, axis=axis), kind)
    if len(outcome.by_site) > 1:
        frames = [
            pd.DataFrame([found.to_dict()]).assign(site=network.name)
            for network, found in zip(study.networks, outcome.by_site, strict=True)
        ]
        tables["sites"] = pd.concat(frames, ignore_index=True)
    if outcome.nulls:
        tables["nulls"] = pd.concat([found.to_frame() for found in outcome.nulls.values()], ignore_index=True)
    if outcome.ensembles is not None:
        tables["ensembles"] = outcome.ensembles
    if outcome.scan:
        tables["scan"] = pd.DataFrame([vars(point) for point in outcome.scan])
    coefficients = [fit.to_frame().assign(ensemble=name) for name, fit in outcome.fits.items() if fit.names]
    if coefficients:
        tables["coefficients"] = pd.concat(coefficients, ignore_index=True)
    if outcome.validation is not None:
        tables["validation"] = outcome.validation.to_frame()
    if outcome.curves:
        frames = [curve.to_frame().assign(order=curve.order) for curve in outcome.curves]
        tables["extinctions"] = pd.concat(frames, ignore_index=True)
    for name, method in (("policy_metrics", "metrics"), ("policy_species", "species")):
        if outcome.changes:
            frames = [getattr(change, method)().assign(policy=policy) for policy, change in outcome.changes.items()]
            tables[name] = pd.concat(frames, ignore_index=True)
    masses = [outcome.community.masses_used().assign(policy="")]
    masses += [change.after.masses_used().assign(policy=policy) for policy, change in outcome.changes.items()]
    tables["masses"] = pd.concat(masses, ignore_index=True)
    tables["checks"] = pd.DataFrame(check_records(view.result.checks))
    return tables


def _pairs(view: NetworkView) -> pd.DataFrame:
    n, m = view.counts.shape
    frame = pd.DataFrame(
        {
            "row": np.repeat(np.asarray(view.study.row_names, dtype=object), m),
            "column": np.tile(np.asarray(view.study.column_names, dtype=object), n),
        }
    )
    if view.outcome.metrics is not None:
        frame["observed"] = view.counts.reshape(-1)
    frame["neutral"] = view.neutral.reshape(-1)
    frame["expected"] = view.expected.reshape(-1)
    fit = view.outcome.fit
    preferences = view.outcome.community.preferences if fit is None else fit.preferences
    return frame.assign(preference=preferences.reshape(-1))


def _with_modules(view: NetworkView, table: pd.DataFrame, kind: str) -> pd.DataFrame:
    modules = view.outcome.modules
    if modules is None:
        return table
    own = modules.row_modules if kind == "rows" else modules.column_modules
    return table.assign(module=np.where(own < 0, np.nan, own + 1.0))
