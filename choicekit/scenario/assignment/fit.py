"""What is to be fitted to an assignment: the basis of the utility, and the coefficients that should come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from choicekit.assignment import AssignmentProblem
from choicekit.assignment.study import FitSettings, check_fit
from choicekit.errors import IdentificationError, InvalidInputError
from choicekit.scenario.assignment.formulas import PairInputs, pair_values, read_formula
from choicekit.scenario.nests import is_cut
from choicekit.scenario.validation import Findings

__all__ = ["check_basis", "fit_settings"]

_MOST_CHECKED = 1_000_000  # numbers of a basis; what a larger one shows is left to the run


def fit_settings(blocks: Mapping[str, Any], inputs: PairInputs, findings: Findings) -> FitSettings | None:
    """Return what is to be fitted; None where problems were noted.

    Parameters
    ----------
    blocks : mapping
        Entries of the file that could be read, a ``fit`` among them.
    inputs : PairInputs
    findings : Findings
    """
    block, before = blocks["fit"], len(findings.problems)
    if blocks.get("temperature") == 0:
        message = "a fit needs a temperature above 0, where utilities tell how likely pairs are"
        findings.add(("fit",), message, "raise the temperature, or take the fit away", of_key=True)
    if "rule" in blocks and blocks["rule"].type != "softmax":
        message = "a fit needs the rule softmax: under others pairs that are left empty do not tell their utility"
        findings.add(("fit",), message, "change the rule, or take the fit away", of_key=True)
    names = list(block.basis)
    basis = []
    for name, text in block.basis.items():
        formula = read_formula(("fit", "basis", name), text, findings)
        if formula is not None:
            basis.append(pair_values(("fit", "basis", name), formula, inputs, findings, may_forbid=False))
    true = block.true_coefficients
    if true is not None:
        _check_true(true, names, findings)
    if len(findings.problems) > before or is_cut(("fit",), findings) or any(values is None for values in basis):
        return None
    try:
        return FitSettings(
            basis=np.array(basis),
            names=tuple(names),
            true_coefficients=None if true is None else np.array([true[name] for name in names], dtype=np.float64),
            penalty=block.penalty,
            draws=block.draws,
            seed=blocks.get("seed", 0),  # one that could not be read has been noted
        )
    except InvalidInputError as error:
        findings.add(("fit", "penalty"), str(error))
        return None


def check_basis(problem: AssignmentProblem, settings: FitSettings, findings: Findings) -> None:
    """Note coefficients that no matches could tell apart, at the last entry of the basis that is one of them.

    Parameters
    ----------
    problem : AssignmentProblem
    settings : FitSettings
    findings : Findings
    """
    if settings.basis.size > _MOST_CHECKED:
        return
    try:
        check_fit(problem, settings)
    except IdentificationError as error:
        named = [name for name in settings.names if f"'{name}'" in str(error)]
        findings.add(("fit", "basis", *named[-1:]), str(error), of_key=True)


def _check_true(true: Mapping[str, float], names: list[str], findings: Findings) -> None:
    unknown = [name for name in true if name not in names and ("fit", "basis", name) not in findings.removed]
    for name in unknown:
        findings.unknown(("fit", "true_coefficients", name), "entry of the basis", name, names, of_key=True)
    for name in names if not unknown else ():
        if name not in true and ("fit", "true_coefficients", name) not in findings.removed:
            message = f"{name!r} has no true coefficient"
            findings.add(("fit", "true_coefficients"), message, "write all of them or none", of_key=True)
