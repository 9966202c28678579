"""From the blocks of a detection scenario to its study: every problem at once, each at its line."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.detection.detector import EnergyDetector
from choicekit.detection.margins import EnergyMargins
from choicekit.detection.study import DetectionStudy, TrainingSettings
from choicekit.detection.tables import LogitTable, read_logits
from choicekit.detection.thresholds import rows_needed
from choicekit.errors import DataError, InvalidInputError
from choicekit.scenario.document import EntryPath
from choicekit.scenario.kinds import Prepared
from choicekit.scenario.nests import is_cut
from choicekit.scenario.result import InputFile
from choicekit.scenario.validation import Findings
from choicekit.scenario.wording import show

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
    block, training = blocks["logits"], blocks.get("training")
    detector, detector_file = _detector(blocks, findings, directory)
    source = _file(("logits", "table"), block.table, findings, directory)
    table = None if source is None else _table(source, block, training, findings)
    if table is None:
        return None
    monitors = blocks.get("detector") is not None or is_cut(("detector",), findings)
    roles = _roles(blocks, table, findings, monitors)
    if roles is None:
        return None
    _check_rows(blocks, table, roles, findings, monitors)
    _check_settings(blocks, table, detector, findings, monitors)
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
    inputs = [_input(block.table, ("logits", "table"), source, len(table))] if source is not None else []
    if detector_file is not None:
        inputs.append(_input(blocks["detector"], ("detector",), detector_file, 0))
    return Prepared(study=study, inputs=tuple(inputs), warnings=tuple(findings.warnings))


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


# --- files ----------------------------------------------------------------------------------------------------------


def _file(entry: EntryPath, name: str, findings: Findings, directory: Path | None) -> Path | None:
    start = findings.document.origin(findings.written(entry)).parent if directory is None else directory
    path = start / name
    try:
        if path.is_file():
            return path
        said = "is a directory" if path.is_dir() else "does not exist"
    except (OSError, ValueError):
        said = "cannot be a file"
    findings.add(entry, f"the file {said}: {show(name)}", "check the path")
    return None


def _table(source: Path, block: Any, training: Any, findings: Findings) -> LogitTable | None:
    """Read the table; columns that it does not have are told where the scenario names them."""
    features = None if training is None else training.features
    try:
        return read_logits(
            source,
            logits=block.columns,
            label=block.label,
            group=block.group,
            split=block.split,
            row=block.row,
            features=features,
        )
    except DataError as error:
        entries: dict[str, EntryPath] = {}
        if features is not None:
            entries |= dict.fromkeys(_names(features), ("training", "features"))
        entries |= dict.fromkeys(_names(block.columns), ("logits", "columns"))
        named = {key: getattr(block, key) for key in ("label", "group", "split", "row")}
        entries |= {name: ("logits", key) for key, name in named.items() if name is not None}
        for problem in error.problems:
            if problem.line is None:
                entry = entries.get(problem.path, ("logits", "table"))
                findings.add(entry, problem.message, problem.hint)
            else:
                findings.problems.append(problem)
    return None


def _names(columns: Any) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns)


def _detector(
    blocks: Mapping[str, Any], findings: Findings, directory: Path | None
) -> tuple[EnergyDetector | None, Path | None]:
    name = blocks.get("detector")
    source = None if name is None else _file(("detector",), name, findings, directory)
    if source is None:
        return None, None
    try:
        detector = EnergyDetector.load(source)
    except DataError as error:
        for problem in error.problems:
            findings.add(("detector",), problem.message, problem.hint)
        return None, source
    if detector.grouped:
        findings.add(
            ("detector",), "the detector has a threshold for each group", "use it from Python, or fit one for all"
        )
        return None, source
    return detector, source


def _input(name: str, entry: EntryPath, path: Path, rows: int) -> InputFile:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return InputFile(name=name, entry=entry, path=str(path), sha256=digest, rows=rows)


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
                said = f"{part!r} is {other.replace('_', '-')} already: a row that is calibrated on cannot be judged"
                if other == role:
                    said = f"{part!r} is written twice"
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


def _check_settings(
    blocks: Mapping[str, Any], table: LogitTable, detector: EnergyDetector | None, findings: Findings, monitors: bool
) -> None:
    if blocks.get("temperature") == "fitted" and table.labels is None and not monitors:
        findings.add(("temperature",), "a fitted temperature needs labels", "name their column, as logits: label")
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
