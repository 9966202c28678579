"""A detector that is fitted once, saved as JSON, and asked about new rows."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from choicekit._version import __version__
from choicekit.detection.conformal import conformal_p_values
from choicekit.detection.scores import check_temperature, checked_logits, energy
from choicekit.detection.thresholds import RetentionThreshold, calibration_of, retention_threshold
from choicekit.errors import DataError, InvalidInputError, OutputError, Problem, ShapeError

__all__ = ["FORMAT_VERSION", "EnergyDetector"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Sides = Literal["upper", "both"]

FORMAT_VERSION = 1
_LARGEST_FILE = 500_000_000  # bytes
_KEYS = {
    "format": "choicekit energy detector",
    "format_version": FORMAT_VERSION,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class EnergyDetector:
    """Energies of known rows, and the threshold that they give.

    Attributes
    ----------
    classes : tuple of str
        Names of the columns of logits.
    temperature : float
    retention : float
        Share of rows like the known ones that is not flagged.
    sides : {"upper", "both"}
    calibration : dict of str to ndarray
        Energies in rising order, by group; under ``""`` where there are no groups.
    source : str
        What the rows were, in words.
    version : str
        Of choicekit, when it was fitted.
    """

    classes: tuple[str, ...]
    temperature: float
    retention: float
    sides: Sides
    calibration: Mapping[str, FloatArray]
    source: str = ""
    version: str = __version__

    @classmethod
    def fit(
        cls,
        logits: npt.ArrayLike,
        retention: float = 0.95,
        *,
        temperature: float = 1.0,
        groups: npt.ArrayLike | None = None,
        sides: Sides = "upper",
        classes: Sequence[str] | None = None,
        source: str = "",
    ) -> EnergyDetector:
        """Return the detector that keeps a share of rows like these.

        Parameters
        ----------
        logits : array_like (N, J)
            Of in-distribution rows that the model was not fitted to.
        retention : float
            Share to be kept, between 0 and 1; see `retention_threshold`.
        temperature : float
            Of the energy.
        groups : array_like (N,), optional
            A threshold for each.
        sides : {"upper", "both"}
            Whether unusually low energies are flagged, too.
        classes : sequence of str, optional
            Names of the columns; by default "0", "1", ...
        source : str
            What the rows are, in words; kept with the detector.

        Raises
        ------
        InvalidInputError
            For logits that are not finite, or too few rows for the retention, in all or of a group, which is named.
        ShapeError
            For shapes that do not fit.

        Examples
        --------
        >>> known = np.random.default_rng(1).normal(size=(99, 3)) + [3.0, 0.0, 0.0]
        >>> detector = EnergyDetector.fit(known, 0.95)
        >>> detector.flag([[3.0, 0.0, 0.0], [-3.0, -3.0, -3.0]])
        array([False,  True])
        """
        values = checked_logits(logits)
        if values.ndim != 2:
            raise ShapeError(f"a detector is fitted to a table of logits, (N, J), found shape {values.shape}")
        names = tuple(map(str, range(values.shape[1]) if classes is None else classes))
        if len(names) != values.shape[1]:
            raise ShapeError(f"there must be one name a class, found {len(names)} names and {values.shape[1]} classes")
        found = energy(values, check_temperature(temperature))
        if groups is None:
            calibration = {"": calibration_of(found)}
        else:
            labels = np.asarray(groups)
            if labels.shape != found.shape:
                raise ShapeError(f"groups must have one name a row, found shape {labels.shape} for {found.size} rows")
            calibration = {str(name): calibration_of(found[labels == name]) for name in np.unique(labels)}
        detector = cls(
            classes=names,
            temperature=float(temperature),
            retention=float(retention),
            sides=sides,
            calibration=calibration,
            source=str(source),
        )
        detector.thresholds()
        return detector

    def __repr__(self) -> str:
        n = sum(energies.size for energies in self.calibration.values())
        groups = f", {len(self.calibration)} groups" if self.grouped else ""
        return (
            f"EnergyDetector({len(self.classes)} classes, {n:,} calibration rows{groups}, retention {self.retention:g})"
        )

    @property
    def grouped(self) -> bool:
        """Whether each group has a threshold of its own."""
        return set(self.calibration) != {""}

    @property
    def threshold(self) -> RetentionThreshold:
        """The threshold where there are no groups.

        Raises
        ------
        InvalidInputError
            Where each group has its own: see `thresholds`.
        """
        if self.grouped:
            raise InvalidInputError("each group has a threshold of its own: use thresholds()")
        return self.thresholds()[""]

    def thresholds(self) -> dict[str, RetentionThreshold]:
        """Return the threshold of each group, by name."""
        found = {}
        for name, energies in self.calibration.items():
            try:
                found[name] = retention_threshold(energies, self.retention, sides=self.sides)
            except InvalidInputError as error:
                raise InvalidInputError(f"group {name!r}: {error}" if name else str(error)) from error
        return found

    def score(self, logits: npt.ArrayLike) -> FloatArray:
        """Return the energy of each row: larger = more out-of-distribution.

        Raises
        ------
        ShapeError
            For another number of classes than the detector was fitted to.
        """
        values = checked_logits(logits)
        if values.shape[-1] != len(self.classes):
            raise ShapeError(
                f"the detector was fitted to {len(self.classes)} classes, found logits of {values.shape[-1]}: score "
                "rows of the same model, or fit another detector"
            )
        return energy(values, self.temperature)

    def p_values(self, logits: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> FloatArray:
        """Return the conformal p-value of each row: small = out-of-distribution.

        Raises
        ------
        InvalidInputError
            For a group that the detector does not know.
        ShapeError
            As `score`; also where groups are missing or given to a detector without any.
        """
        scores = self.score(logits)
        found = np.empty(scores.shape)
        for name, own in self._by_group(scores, groups):
            found[own] = conformal_p_values(self.calibration[name], scores[own], sides=self.sides)
        return found

    def flag(self, logits: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> BoolArray:
        """Return which rows are beyond the threshold, their group's where there are groups.

        Raises
        ------
        InvalidInputError, ShapeError
            As `p_values`.
        """
        scores, thresholds = self.score(logits), self.thresholds()
        found = np.zeros(scores.shape, dtype=bool)
        for name, own in self._by_group(scores, groups):
            found[own] = thresholds[name].flags(scores[own])
        return found

    def _by_group(self, scores: FloatArray, groups: npt.ArrayLike | None) -> list[tuple[str, Any]]:
        if not self.grouped:
            if groups is not None:
                raise ShapeError("the detector has one threshold for all: leave groups out")
            return [("", ...)]
        names = np.asarray(groups)
        if groups is None or names.shape != scores.shape:
            raise ShapeError("the detector has a threshold for each group: give one group a row")
        unknown = sorted({str(name) for name in np.unique(names)} - set(self.calibration))
        if unknown:
            raise InvalidInputError(f"the detector knows no group {unknown[0]!r}: fit one with rows of it")
        return [(str(name), names == name) for name in np.unique(names)]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the detector as JSON, whole or not at all.

        Raises
        ------
        OutputError
            Where it cannot be written.
        """
        target = Path(path)
        text = json.dumps(self._record(), indent=1, allow_nan=False)
        half = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            half.write_text(text, encoding="utf-8")
            half.replace(target)
        except OSError as error:
            half.unlink(missing_ok=True)
            raise OutputError(f"{target}: the detector cannot be written: {error.strerror or error}") from error

    def _record(self) -> dict[str, Any]:
        return {
            **_KEYS,
            "choicekit": self.version,
            "source": self.source,
            "score": "energy, larger = more out-of-distribution",
            "classes": list(self.classes),
            "temperature": self.temperature,
            "retention": self.retention,
            "sides": self.sides,
            "calibration": {name: energies.tolist() for name, energies in self.calibration.items()},
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> EnergyDetector:
        """Return a detector that was saved.

        Raises
        ------
        DataError
            For a file that cannot be read, is no detector, or one of another format version.
        """
        source = Path(path)
        record = _read(source)
        if record.get("format") != _KEYS["format"]:
            raise _wrong(source, "is no saved detector", "give a file that `EnergyDetector.save` or a run wrote")
        version = record.get("format_version")
        if version != FORMAT_VERSION or isinstance(version, bool):
            found = f"has format version {json.dumps(version)[:40]}, this choicekit reads {FORMAT_VERSION}"
            raise _wrong(source, found, "fit the detector again")
        try:
            return _restored(record)
        except (KeyError, TypeError, ValueError, InvalidInputError) as error:
            reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise _wrong(source, f"is not whole: {reason}", "save or fit the detector again") from error


def _read(source: Path) -> dict[str, Any]:
    try:
        if source.stat().st_size > _LARGEST_FILE:
            raise _wrong(source, "is too large for a detector", "give a file that `EnergyDetector.save` wrote")
        record = json.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise _wrong(source, f"cannot be read: {error.strerror or error}", "look at the path") from error
    except (ValueError, RecursionError) as error:
        raise _wrong(source, "is not JSON", "give a file that `EnergyDetector.save` or a run wrote") from error
    return record if isinstance(record, dict) else {}


def _restored(record: Mapping[str, Any]) -> EnergyDetector:
    numbers = {name: record[name] for name in ("temperature", "retention")}
    texts = {"source": record["source"], "version": record["choicekit"], "sides": record["sides"]}
    classes, groups = record["classes"], record["calibration"]
    wrong = [name for name, value in texts.items() if not isinstance(value, str)]
    wrong += [name for name, value in numbers.items() if not _is_number(value)]
    if not (isinstance(classes, list) and len(classes) > 1 and all(isinstance(name, str) for name in classes)):
        wrong.append("classes")
    if not (isinstance(groups, dict) and groups and all(_is_numbers(energies) for energies in groups.values())):
        wrong.append("calibration")
    if wrong:
        raise ValueError(f"{', '.join(wrong)} cannot be what {'it is' if len(wrong) == 1 else 'they are'}")
    detector = EnergyDetector(
        classes=tuple(classes),
        temperature=check_temperature(numbers["temperature"]),
        retention=float(numbers["retention"]),
        calibration={name: calibration_of(np.array(energies, dtype=np.float64)) for name, energies in groups.items()},
        **texts,
    )
    detector.thresholds()
    return detector


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e308 and value == value


def _is_numbers(values: object) -> bool:
    return isinstance(values, list) and all(_is_number(value) for value in values)


def _wrong(source: Path, message: str, hint: str) -> DataError:
    return DataError([Problem(message=f"the detector {message}", hint=hint, file=str(source))])
