"""From the blocks of a detection scenario to its study: every problem at once, each at its line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.detection.detector import EnergyDetector
from choicekit.detection.margins import EnergyMargins
from choicekit.detection.study import DetectionStudy, TrainingSettings
from choicekit.detection.tables import LogitTable
from choicekit.detection.thresholds import rows_needed
from choicekit.errors import InvalidInputError
from choicekit.scenario.detection.reading import read_detector, read_table_of_logits
from choicekit.scenario.kinds import Prepared
from choicekit.scenario.nests import is_cut
from choicekit.scenario.validation import Findings

__all__ = ["prepare_detection"]

BoolArray = npt.NDArray[np.bool_]

_ROLES = ("training", "calibration", "in_distribution", "out_of_distribution")
_MOST_NAMED = 5


def prepare_detection(blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
    """Check files, columns, parts and labels, and build the study.

    Parameters
    ----------
    blocks, findings, directory
        As `Kind.prepare`.
    """
    if "logits" not in blocks:
        return None
    training = blocks.get("training")
    saved = read_detector(blocks, findings, directory)
    read = read_table_of_logits(blocks["logits"], training, findings, directory)
    if read is None:
        return None
    table, inputs = read
    detector, detector_files = saved
    monitors = blocks.get("detector") is not None or is_cut(("detector",), findings)
    roles = _roles(blocks, table, findings, monitors)
    if roles is None:
        return None
    _check_rows(blocks, table, roles, findings, monitors)
    _check_settings(blocks, table, roles, detector, findings)
    auxiliary = None if training is None else _auxiliary(training, table, roles, findings)
    margins = None if training is None else _margins(training, findings)
    if findings.problems:
        return None
    settings = None
    if training is not None and auxiliary is not None and margins is not None:
        settings = TrainingSettings(
            auxiliary=auxiliary, margins=margins, weight=training.weight, penalty=training.penalty
        )
    try:
        study = _study(blocks, table, roles, settings, detector)
    except InvalidInputError as error:
        findings.add(("logits",), str(error), of_key=True)
        return None
    return Prepared(study=study, inputs=(*inputs, *detector_files), warnings=tuple(findings.warnings))


def _study(
    blocks: Mapping[str, Any],
    table: LogitTable,
    roles: Mapping[str, BoolArray],
    settings: TrainingSettings | None,
    detector: EnergyDetector | None,
) -> DetectionStudy:
    known = blocks.get("splits") is not None and (roles["in_distribution"] | roles["out_of_distribution"]).any()
    return DetectionStudy(
        table=table,
        is_ood=roles["out_of_distribution"] if known else None,
        calibration=roles["calibration"],
        test=roles["in_distribution"] | roles["out_of_distribution"] if known else roles["judged"],
        training_rows=roles["training"] if roles["training"].any() else None,
        methods=blocks["scores"],
        score=blocks["score"],
        temperature=blocks["temperature"],
        retention=blocks["retention"],
        false_discovery_rate=blocks["false_discovery_rate"],
        replications=blocks["bootstrap"].replications,
        seed=blocks["seed"],
        by_group=blocks["by_group"],
        metrics_on=blocks["metrics_on"],
        training=settings,
        detector=detector,
        limit=blocks.get("limit"),
    )


# --- rows -----------------------------------------------------------------------------------------------------------


def _roles(
    blocks: Mapping[str, Any], table: LogitTable, findings: Findings, monitors: bool
) -> dict[str, BoolArray] | None:
    """Return which rows have which role, and those that are judged where nothing more is known; None where unclear."""
    roles = {role: np.zeros(len(table), dtype=bool) for role in _ROLES}
    roles["judged"] = np.zeros(len(table), dtype=bool)
    splits = blocks.get("splits")
    if splits is None:
        if monitors:
            roles["judged"][:] = True
            return roles
        if not is_cut(("splits",), findings):
            hint = "at least calibration, and what is judged; or a saved `detector`"
            findings.add((), "`splits` are missing", hint)
        return None
    if table.split is None:
        if not is_cut(("logits", "split"), findings):
            findings.add(("splits",), "splits are values of the split column", "name it, as logits: split", of_key=True)
        return None
    before = len(findings.problems)
    known, taken = np.unique(table.split).tolist(), dict[str, str]()
    for role in _ROLES:
        for place, part in enumerate(getattr(splits, role) or ()):
            if part not in known:
                findings.unknown(("splits", role, place), "part of the table", part, known)
            elif part in taken:
                other = taken[part]
                said = f"{part!r} is for {other.replace('_', '-')} already"
                if other == role:
                    said = f"{part!r} is written twice"
                elif other == "calibration":
                    said += ": a row that is calibrated on cannot be judged"
                findings.add(("splits", role, place), said, "give each part one role")
            else:
                taken[part] = role
                roles[role] |= table.split == part
    roles["judged"] = ~(roles["training"] | roles["calibration"])
    return roles if len(findings.problems) == before else None


def _check_rows(
    blocks: Mapping[str, Any], table: LogitTable, roles: Mapping[str, BoolArray], findings: Findings, monitors: bool
) -> None:
    n_known = int(roles["calibration"].sum())
    if is_cut(("splits",), findings):
        return
    if not monitors and n_known == 0:
        findings.add(("splits",), "there are no calibration rows", "name a part of in-distribution rows", of_key=True)
    elif not monitors and "retention" in blocks and n_known < rows_needed(blocks["retention"]):
        needed = rows_needed(blocks["retention"])
        findings.add(
            ("splits", "calibration"),
            f"a retention of {blocks['retention']:g} needs at least {needed:,} calibration rows, found {n_known:,}",
            "give more rows, or a lower retention",
        )
    splits = blocks.get("splits")
    if splits is None:
        return
    _check_copies(table, roles, findings)
    if roles["out_of_distribution"].any() and not roles["in_distribution"].any():
        findings.warn(("splits",), "there are no in-distribution rows to judge: there will be scores, and no metrics")
    elif roles["in_distribution"].any() and not roles["out_of_distribution"].any():
        findings.warn(("splits",), "there are no out-of-distribution rows: there will be scores, and no metrics")
    if table.labels is not None and table.label_names is not None:
        for role in ("training", "calibration", "in_distribution"):
            strange = np.unique(table.label_names[roles[role] & (table.labels < 0)])
            if strange.size:
                named = ", ".join(repr(str(name)) for name in strange[:_MOST_NAMED])
                more = f" and {strange.size - _MOST_NAMED} more" if strange.size > _MOST_NAMED else ""
                findings.add(
                    ("splits", role),
                    f"labels of {role.replace('_', '-')} rows must be classes of the logits, found {named}{more}",
                    "call these rows out_of_distribution, or mend their labels",
                )


def _check_copies(table: LogitTable, roles: Mapping[str, BoolArray], findings: Findings) -> None:
    """Note rows that stand in the table twice, once to calibrate on and once to be judged."""
    known, judged = np.flatnonzero(roles["calibration"]), np.flatnonzero(roles["judged"])
    shared, first, second = np.intersect1d(table.rows[known], table.rows[judged], return_indices=True)
    same = np.all(table.logits[known[first]] == table.logits[judged[second]], axis=1)
    if same.any():
        said = f"a row that is calibrated on cannot be judged, found {int(same.sum()):,} rows in parts of both"
        findings.add(("splits",), f"{said}, such as {shared[same][0]}", "keep one copy of each", of_key=True)


def _check_settings(
    blocks: Mapping[str, Any],
    table: LogitTable,
    roles: Mapping[str, BoolArray],
    detector: EnergyDetector | None,
    findings: Findings,
) -> None:
    monitors = blocks.get("detector") is not None or is_cut(("detector",), findings)
    if blocks.get("temperature") == "fitted" and table.labels is None and not monitors:
        findings.add(("temperature",), "a fitted temperature needs labels", "name their column, as logits: label")
    if blocks.get("metrics_on") == "all" and not monitors:
        own_reference = "kl_matching" in blocks.get("scores", ()) and not roles["training"].any()
        for used, what in ((own_reference, "kl_matching"), (blocks.get("temperature") == "fitted", "the temperature")):
            if used:
                said = f"{what} is fitted to the calibration rows: metrics on all rows, these among them, flatter it"
                findings.warn(("metrics_on",), said)
    if blocks.get("by_group") and table.groups is None:
        findings.add(("by_group",), "there are no groups", "name their column, as logits: group")
    if blocks.get("limit") is not None and not monitors:
        findings.add(("limit",), "a limit is for rows that a saved detector judges", "name the `detector`", of_key=True)
    if monitors and blocks.get("score", "energy") != "energy":
        findings.add(("score",), "a saved detector scores by energy", "leave `score` out")
    if detector is not None and len(detector.classes) != len(table.classes):
        findings.add(
            ("detector",),
            f"the detector was fitted to {len(detector.classes)} classes, the table has {len(table.classes)}",
            "score rows of the same model, or fit another detector",
        )
    elif detector is not None and detector.classes != table.classes:
        said = "the detector was fitted to other classes, or in another order"
        findings.warn(("detector",), f"{said}: {', '.join(detector.classes[:_MOST_NAMED])}")


# --- training -------------------------------------------------------------------------------------------------------


def _auxiliary(
    training: Any, table: LogitTable, roles: Mapping[str, BoolArray], findings: Findings
) -> BoolArray | None:
    if table.split is None:
        return None
    found, sound = np.zeros(len(table), dtype=bool), True
    parts = np.unique(table.split[roles["out_of_distribution"]]).tolist()
    for place, part in enumerate(training.auxiliary):
        if part not in parts:
            findings.unknown(("training", "auxiliary", place), "out-of-distribution part", part, parts)
            sound = False
        found |= table.split == part
    if table.labels is None:
        findings.add(("training",), "training needs labels", "name their column, as logits: label", of_key=True)
        sound = False
    if sound and not np.any(roles["out_of_distribution"] & ~found):
        said = "no out-of-distribution rows are left to show what training does"
        findings.add(("training", "auxiliary"), said, "leave one of the parts out")
        sound = False
    return found if sound else None


def _margins(training: Any, findings: Findings) -> Any:
    if training.margins == "quantiles":
        return "quantiles"
    try:
        return EnergyMargins(training.margins.inside, training.margins.outside)
    except InvalidInputError as error:
        findings.add(("training", "margins"), str(error))
        return None
