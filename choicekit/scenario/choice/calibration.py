"""Calibrating the constants of a choice scenario: what is wrong with the shares, each at its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from choicekit.choice.calibration import Calibration, calibrate_constants
from choicekit.choice.model import ChoiceModel
from choicekit.choice.policies.faults import PolicyContext
from choicekit.choice.population import Population
from choicekit.choice.segments import Segmentation
from choicekit.errors import ConvergenceError, InvalidInputError, UnreachableShareError
from choicekit.scenario.document import EntryPath
from choicekit.scenario.validation import Findings

__all__ = ["calibration_of", "check_calibrate"]


def check_calibrate(block: Any, context: PolicyContext, segments: Mapping[str, Any], findings: Findings) -> None:
    """Note unknown alternatives, coefficients and segments, and shares of another form than is needed.

    Parameters
    ----------
    block : CalibrateBlock
    context : PolicyContext
        The names there are.
    segments : mapping
        Those of the scenario, by name.
    findings : Findings
    """
    path: EntryPath = ("calibrate", "shares")
    if block.by is not None and block.by not in segments:
        findings.unknown(("calibrate", "by"), "segment", block.by, segments)
    for name, share in block.shares.items():
        if block.by is None and isinstance(share, Mapping):
            findings.add((*path, name), "shares for groups need the segment they belong to", "add `by`", of_key=True)
        elif block.by is None:
            _check_alternative((*path, name), name, context, findings)
        elif not isinstance(share, Mapping):
            message = f"with `by`, shares are given for each group of {block.by!r}, found a number"
            findings.add((*path, name), message, "write group: {alternative: share}")
        else:
            for alternative in share:
                _check_alternative((*path, name, alternative), alternative, context, findings)
    path = ("calibrate", "constants")
    if block.by is not None and block.constants is not None:
        message = "constants cannot be named where shares are given by group: each group gets its own"
        findings.add(path, message, "drop constants", of_key=True)
        return
    for name, constant in (block.constants or {}).items():
        _check_alternative((*path, name), name, context, findings)
        if constant not in context.coefficients:
            findings.unknown((*path, name), "coefficient", constant, context.coefficients)


def _check_alternative(path: EntryPath, name: str, context: PolicyContext, findings: Findings) -> None:
    if name not in context.alternatives:
        findings.unknown(path, "alternative", name, context.alternatives, of_key=True)


def calibration_of(
    block: Any,
    model: ChoiceModel,
    population: Population,
    segments: Sequence[Segmentation],
    seed: int,
    findings: Findings,
) -> Calibration | None:
    """Calibrate a model whose names have been checked; None where the shares cannot be met, which is noted.

    Parameters
    ----------
    block : CalibrateBlock
    model : ChoiceModel
    population : Population
    segments : sequence of Segmentation
    seed : int
        Of the points by which shares of agents who differ are integrated.
    findings : Findings
    """
    path: EntryPath = ("calibrate", "shares")
    by = next((segment for segment in segments if segment.name == block.by), None)
    if by is not None:
        for group in block.shares:
            if group not in by.labels:
                findings.unknown((*path, group), "group", group, by.labels, of_key=True)
        for label in by.labels:
            if label not in block.shares:
                findings.warn(path, f"group {label!r} of {by.name!r} has no shares, so its constants stay as they are")
    if findings.problems:
        return None
    groups = {(): block.shares} if by is None else {(group,): shares for group, shares in block.shares.items()}
    for group, shares in groups.items():
        _warn_of_rescaling((*path, *group), shares, model.alternatives(population), findings)
    try:
        return calibrate_constants(model, population, block.shares, constants=block.constants, by=by, seed=seed)
    except UnreachableShareError as error:
        single = by is None and len(error.alternatives) == 1
        findings.add((*path, error.alternatives[0]) if single else path, str(error), of_key=not single)
    except (InvalidInputError, ConvergenceError) as error:
        findings.add(("calibrate",), str(error), of_key=True)
    return None


def _warn_of_rescaling(
    path: EntryPath, shares: Mapping[str, float], alternatives: Collection[str], findings: Findings
) -> None:
    """Say so where shares of every alternative look like fractions and are not: they may be mistyped."""
    total = sum(shares.values())
    complete = len(shares) == len(alternatives)
    counts = all(float(share).is_integer() for share in shares.values())
    if complete and not counts and 0.5 <= total <= 2 and abs(total - 1) > 1e-3:
        findings.warn(path, f"shares sum to {total:g} and are divided by it")
