"""From the blocks of a network scenario to its study: every problem at once, each at its line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError
from choicekit.networks.community import Community
from choicekit.networks.network import InteractionNetwork
from choicekit.networks.policies import CommunityPolicy, Invader
from choicekit.networks.study import LossSettings, NetworkStudy, PreferenceSettings
from choicekit.scenario.assignment.formulas import PairInputs, pair_values, read_formula
from choicekit.scenario.assignment.sides import Side
from choicekit.scenario.kinds import Prepared
from choicekit.scenario.nests import is_cut
from choicekit.scenario.network.reading import read_species, read_web
from choicekit.scenario.result import InputFile
from choicekit.scenario.validation import Findings

__all__ = ["prepare_network"]

FloatArray = npt.NDArray[np.float64]

_VISITS = 1000.0  # of a community without a web
_ONE: Mapping[str, Any] = {"rows": "row", "columns": "column"}


def prepare_network(blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
    """Check the web, species, formulas and policies, and build the study.

    Parameters
    ----------
    blocks, findings, directory
        As `Kind.prepare`.
    """
    inputs: list[InputFile] = []
    web = blocks.get("web")
    networks: tuple[InteractionNetwork, ...] = ()
    if web is not None or is_cut(("web",), findings):
        read = None if web is None else read_web(web, findings, directory, inputs)
        if read is None:
            return None
        networks = read
    names: tuple[tuple[str, ...] | None, tuple[str, ...] | None] = (None, None)
    if networks:
        names = tuple(networks[0].row_names), tuple(networks[0].column_names)
    sides = [
        read_species(key, blocks[key], names[place], findings, directory, inputs) if key in blocks else None
        for place, key in enumerate(("rows", "columns"))
    ]
    if sides[0] is None or sides[1] is None:
        return None
    pairs = PairInputs(rows=sides[0], columns=sides[1])
    _check_masses(networks, sides[0], sides[1], findings)
    preferences = _preferences(blocks, pairs, bool(networks), findings)
    _check_whole(blocks, networks, findings)
    policies = {
        name: _policy(name, block, blocks, pairs, findings) for name, block in blocks.get("policies", {}).items()
    }
    _check_orders(blocks, sides[0], sides[1], findings)
    if findings.problems:
        return None
    study = _study(blocks, networks, pairs, preferences, policies)
    _try(study, findings)
    if findings.problems:
        return None
    return Prepared(study=study, inputs=tuple(inputs), warnings=tuple(findings.warnings))


def _study(
    blocks: Mapping[str, Any],
    networks: tuple[InteractionNetwork, ...],
    pairs: PairInputs,
    preferences: PreferenceSettings | None,
    policies: Mapping[str, CommunityPolicy],
) -> NetworkStudy:
    nulls, losses = blocks.get("null_models"), blocks.get("extinctions")
    return NetworkStudy(
        networks=networks,
        row_names=pairs.rows.names,
        column_names=pairs.columns.names,
        row_mass=pairs.rows.mass,
        column_mass=pairs.columns.mass,
        preferences=preferences,
        ensemble=blocks["ensemble"],
        ensembles=tuple(dict.fromkeys(blocks["ensembles"])),
        temperature=blocks["temperature"],
        temperatures=tuple(blocks["temperatures"]),
        null_models=() if nulls is None else tuple(dict.fromkeys(nulls.models)),
        null_replications=1000 if nulls is None else nulls.replications,
        restarts=blocks["modules"],
        losses=None
        if losses is None
        else LossSettings(
            side=_ONE[losses.side],
            orders=tuple(order if isinstance(order, str) else tuple(order) for order in losses.orders),
            masses=losses.masses,
            replications=losses.replications,
        ),
        policies=policies,
        samples=blocks["samples"],
        visits=blocks["visits"] if blocks["visits"] is not None or networks else _VISITS,
        seed=blocks["seed"],
    )


def _try(study: NetworkStudy, findings: Findings) -> None:
    """Apply policies to the community without learnt preferences: what cannot be is told before anything runs."""
    settings = study.preferences
    weights = None
    if settings is not None and settings.basis:
        weights = settings.coefficients or dict.fromkeys(settings.basis, 0.0)
    community: Community = study.community(None)
    for name, policy in study.policies.items():
        try:
            policy.apply(community, weights)
        except InvalidInputError as error:
            findings.add(("policies", name), str(error), of_key=True)


def _check_masses(networks: tuple[InteractionNetwork, ...], rows: Side, columns: Side, findings: Findings) -> None:
    for network in networks:
        for side, axis in ((rows, 1), (columns, 0)):
            if side.mass is None:
                continue
            sums = network.counts.sum(axis=axis)
            for place in np.flatnonzero((sums > 0) & (side.mass == 0))[:20]:
                said = f"{side.names[place]!r} has {sums[place]:g} interactions and an abundance of 0"
                findings.add((side.key, "abundance"), said, "give it some abundance, or take its counts away")


def _check_whole(blocks: Mapping[str, Any], networks: tuple[InteractionNetwork, ...], findings: Findings) -> None:
    nulls = blocks.get("null_models")
    crossed = blocks.get("preferences")
    asks = [("null_models",)] if nulls is not None else []
    if crossed is not None and crossed.penalty == "cross-validated" and len(networks) < 3:
        asks.append(("preferences", "penalty"))  # type: ignore[arg-type]
    for network in networks if asks else ():
        wrong = np.argwhere(network.counts != np.rint(network.counts))
        if wrong.size:
            row, column = wrong[0]
            said = (
                f"whole counts are needed, found {network.counts[row, column]:g} for {network.row_names[row]!r} and "
                f"{network.column_names[column]!r}"
            )
            for path in asks:
                findings.add(path, said, "round the counts, or take this away", of_key=True)
            return
    if nulls is not None and not networks:
        findings.add(("null_models",), "null models need a `web`", "give one, or take them away", of_key=True)


def _check_orders(blocks: Mapping[str, Any], rows: Side, columns: Side, findings: Findings) -> None:
    losses = blocks.get("extinctions")
    if losses is None:
        return
    side = rows if losses.side == "rows" else columns
    for place, order in enumerate(losses.orders):
        seen: set[str] = set()
        for at, name in enumerate(order if isinstance(order, list) else ()):
            if name not in side.names:
                findings.unknown(("extinctions", "orders", place, at), side.one, name, side.names)
            elif name in seen:
                findings.add(("extinctions", "orders", place, at), f"{name!r} is lost twice", "keep one of them")
            seen.add(name)


# --- preferences ----------------------------------------------------------------------------------------------------


def _preferences(
    blocks: Mapping[str, Any], pairs: PairInputs, has_web: bool, findings: Findings
) -> PreferenceSettings | None:
    block = blocks.get("preferences")
    if block is None:
        if not has_web and not is_cut(("preferences",), findings):
            hint = "a basis with coefficients"
            findings.add((), "without a `web` there must be `preferences`", hint)
        return None
    basis = _basis(block, pairs, findings)
    for key in ("coefficients", "true_coefficients"):
        _check_names(("preferences", key), getattr(block, key), block.basis, findings)
    if block.coefficients is not None and block.penalty is not None:
        said = "a penalty is for preferences that are learnt, and these have coefficients"
        findings.warn(("preferences", "penalty"), f"{said}: it is not used")
    if block.coefficients is None and not has_web:
        hint = "give `coefficients`, or a `web`"
        findings.add(("preferences",), "preferences are learnt from a web, and there is none", hint, of_key=True)
    if not block.basis and block.coefficients is None and block.penalty == 0:
        findings.add(("preferences", "penalty"), "a free table needs a penalty above 0", "raise it, or give a basis")
    if blocks.get("temperatures") and not block.basis:
        findings.add(("temperatures",), "a scan of temperatures needs a basis of preferences", "give one", of_key=True)
    if basis is None:
        return None
    return PreferenceSettings(
        basis=basis,
        coefficients=block.coefficients,
        penalty=block.penalty,
        folds=block.folds,
        true_coefficients=block.true_coefficients,
    )


def _basis(block: Any, pairs: PairInputs, findings: Findings) -> dict[str, FloatArray] | None:
    found: dict[str, FloatArray] = {}
    for name, text in block.basis.items():
        path = ("preferences", "basis", name)
        formula = read_formula(path, text, findings)
        values = None if formula is None else pair_values(path, formula, pairs, findings, may_forbid=False)
        if values is not None:
            found[name] = values
    return found if len(found) == len(block.basis) else None


def _check_names(
    path: tuple[str, str], given: Mapping[str, float] | None, basis: Mapping[str, str], findings: Findings
) -> None:
    if given is None or is_cut(path, findings) or is_cut(("preferences", "basis"), findings):
        return
    for name in given:
        if name not in basis:
            findings.unknown((*path, name), "formula of the basis", name, basis, of_key=True)
    for name in basis:
        if name not in given:
            findings.add(path, f"{name!r} has no coefficient", "give it one", of_key=True)


# --- policies -------------------------------------------------------------------------------------------------------


def _policy(name: str, block: Any, blocks: Mapping[str, Any], pairs: PairInputs, findings: Findings) -> CommunityPolicy:
    for key, side in (("row", pairs.rows), ("column", pairs.columns)):
        known = [*side.names, *(other for other, one in block.invaders.items() if one.side == side.key)]
        for place, species in enumerate(getattr(block, f"extinct_{key}s")):
            if species not in known:
                findings.unknown(("policies", name, f"extinct_{key}s", place), key, species, known)
        for species in getattr(block, f"{key}_factors"):
            if species not in known:
                findings.unknown(("policies", name, f"{key}_factors", species), key, species, known, of_key=True)
    invaders = [_invader(name, called, one, blocks, pairs, findings) for called, one in block.invaders.items()]
    return CommunityPolicy(
        description=block.description,
        extinct_rows=tuple(block.extinct_rows),
        extinct_columns=tuple(block.extinct_columns),
        masses=block.masses,
        row_factors=block.row_factors,
        column_factors=block.column_factors,
        invaders=tuple(invader for invader in invaders if invader is not None),
        temperature=block.temperature,
    )


def _invader(
    policy: str, name: str, block: Any, blocks: Mapping[str, Any], pairs: PairInputs, findings: Findings
) -> Invader | None:
    path = ("policies", policy, "invaders", name)
    preferences = blocks.get("preferences")
    side = pairs.rows if block.side == "rows" else pairs.columns
    if name in side.names:
        findings.add(path, f"there is a {side.one} {name!r} already", "rename the invader", of_key=True)
        return None
    if preferences is None or not preferences.basis:
        hint = "give preferences a basis over traits"
        findings.add(path, "what an invader prefers must follow from its traits", hint, of_key=True)
        return None
    before = len(findings.problems)
    for trait in block.traits:
        if trait not in side.attributes:
            findings.unknown((*path, "traits", trait), "trait", trait, side.attributes, of_key=True)
    wider = pairs.extended(block.side, name, block.traits, None)
    basis = {}
    for called, text in preferences.basis.items():
        quiet = Findings(document=findings.document)
        formula = read_formula(("preferences", "basis", called), text, quiet)
        used = set() if formula is None else {x for x in formula.names if x.startswith(f"{side.one}_")}
        missing = sorted(used - {f"{side.one}_{trait}" for trait in (*block.traits, "name")})
        if formula is None or len(findings.problems) > before:
            continue
        if missing:
            trait = missing[0].removeprefix(f"{side.one}_")
            if trait in side.attributes:
                findings.add(
                    (*path, "traits"), f"{name!r} has no {trait}, which {called!r} needs", "add it", of_key=True
                )
            continue
        values = pair_values(("preferences", "basis", called), formula, wider, findings, may_forbid=False)
        if values is not None:
            basis[called] = values[-1] if block.side == "rows" else values[:, -1]
    if len(basis) < len(preferences.basis):
        return None
    return Invader(name=name, side=_ONE[block.side], mass=block.abundance, basis=basis)
