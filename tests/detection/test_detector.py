"""A detector keeps what it promises, and comes back from its file as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from choicekit.detection.bootstrap import bootstrap_detection
from choicekit.detection.curves import detection_curves
from choicekit.detection.detector import EnergyDetector
from choicekit.detection.distance import AttributeReference
from choicekit.detection.matching import KLReference
from choicekit.detection.scores import energy
from choicekit.errors import DataError, InvalidInputError, OutputError, ShapeError


def known(n: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 4)) + np.array([6.0, 0.0, 0.0, 0.0])


def test_it_scores_by_energy_and_flags_beyond_its_threshold() -> None:
    detector = EnergyDetector.fit(known(), 0.9, temperature=2.0)
    new = np.vstack([known(50, 1), np.zeros((5, 4))])
    np.testing.assert_array_equal(detector.score(new), energy(new, 2.0))
    np.testing.assert_array_equal(detector.flag(new), detector.score(new) > detector.threshold.value)
    assert detector.flag(new)[50:].all()
    np.testing.assert_array_equal(detector.p_values(new) <= 1 - 0.9, detector.flag(new))
    assert detector.threshold.n == 200


def test_both_sides_flag_what_is_too_familiar() -> None:
    detector = EnergyDetector.fit(known(), 0.9, sides="both")
    assert detector.flag([[60.0, 0, 0, 0], [6.0, 0, 0, 0], [-9.0, 0, 0, 0]]).tolist() == [True, False, True]
    assert EnergyDetector.fit(known(), 0.9).flag([[60.0, 0, 0, 0]]).tolist() == [False]


def test_groups_have_thresholds_of_their_own() -> None:
    logits = np.vstack([known(60), known(60, 1) - 3])
    groups = np.repeat(["light", "dark"], 60)
    detector = EnergyDetector.fit(logits, 0.9, groups=groups)
    assert detector.thresholds()["dark"].value > detector.thresholds()["light"].value
    between = np.full((2, 4), [4.0, 0, 0, 0]) - 1.5
    assert detector.flag(between, ["light", "dark"]).tolist() == [True, False]
    assert detector.p_values(between, ["light", "dark"])[0] < 0.05
    with pytest.raises(InvalidInputError, match="knows no group 'dusk'"):
        detector.flag(between, ["light", "dusk"])
    with pytest.raises(ShapeError, match="give one group a row"):
        detector.flag(between)
    with pytest.raises(InvalidInputError, match="threshold of its own"):
        _ = detector.threshold
    with pytest.raises(ShapeError, match="leave groups out"):
        EnergyDetector.fit(known()).flag(between, ["light", "dark"])
    with pytest.raises(InvalidInputError, match=r"group 'dark': a retention of 0.9 needs at least 9 .* found 3"):
        EnergyDetector.fit(logits[:63], 0.9, groups=groups[:63])


@pytest.mark.parametrize("groups", [None, np.resize(["ä", "<b>"], 200)])
def test_it_comes_back_bit_for_bit(tmp_path: Path, groups: np.ndarray | None) -> None:
    detector = EnergyDetector.fit(
        known(), 0.9, temperature=0.1 + 0.2, groups=groups, sides="both", classes=list("wxyz"), source="two seasons"
    )
    detector.save(tmp_path / "d.json")
    again = EnergyDetector.load(tmp_path / "d.json")
    for name in ("classes", "temperature", "retention", "sides", "source", "version"):
        assert getattr(again, name) == getattr(detector, name), name
    assert again.calibration.keys() == detector.calibration.keys()
    for name, energies in detector.calibration.items():
        np.testing.assert_array_equal(again.calibration[name], energies)
    again.save(tmp_path / "e.json")
    assert (tmp_path / "d.json").read_bytes() == (tmp_path / "e.json").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.json", "e.json"]


def test_nothing_is_left_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        EnergyDetector.fit(known()).save(tmp_path / "none" / "d.json")
    (tmp_path / "d.json").mkdir()
    (tmp_path / "d.json" / "x").write_text("")
    with pytest.raises(OutputError):
        EnergyDetector.fit(known()).save(tmp_path / "d.json")
    assert [path.name for path in tmp_path.iterdir()] == ["d.json"]


def test_another_number_of_classes_is_refused() -> None:
    with pytest.raises(ShapeError, match="fitted to 4 classes, found logits of 3: score rows of the same model"):
        EnergyDetector.fit(known()).flag(np.zeros((2, 3)))
    with pytest.raises(ShapeError, match="one name a class"):
        EnergyDetector.fit(known(), classes=["a"])
    with pytest.raises(ShapeError, match="one name a row"):
        EnergyDetector.fit(known(), groups=["a"])
    with pytest.raises(ShapeError, match="fitted to a table"):
        EnergyDetector.fit([1.0, 2.0])


def changed(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "d.json"
    EnergyDetector.fit(known(), 0.9).save(path)
    record = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in record.items() if value != "GONE"}))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "is no saved detector"),
        ({"format_version": 2}, "has format version 2, this choicekit reads 1, fit the detector again"),
        ({"format_version": True}, "format version true"),
        ({"classes": "GONE"}, "is not whole: lacks 'classes'"),
        ({"classes": ["a"]}, "classes cannot be what it is"),
        ({"temperature": "hot"}, "temperature cannot be what it is"),
        ({"temperature": -1.0}, "temperature must be one finite number"),
        ({"retention": 2.0}, "retention must be between 0 and 1"),
        ({"retention": 10**400}, "retention cannot be what it is"),
        ({"sides": "left"}, "sides must be 'upper' or 'both'"),
        ({"calibration": {"": [1.0, None]}}, "calibration cannot be"),
        ({"calibration": {"": [1.0] * 3}}, "needs at least 9 calibration rows, found 3"),
        ({"calibration": {}}, "calibration cannot be"),
        ({"source": 3, "sides": 4}, "source, sides cannot be what they are"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = changed(tmp_path, **changes)
    with pytest.raises(DataError, match=message) as raised:
        EnergyDetector.load(path)
    assert raised.value.file == str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is not JSON"), ("[" * 100_000, "is not JSON"), ("[]", "is no saved detector"), ("\xff", "is not JSON")],
)
def test_hostile_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "d.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=message):
        EnergyDetector.load(path)
    with pytest.raises(DataError, match="cannot be read"):
        EnergyDetector.load(tmp_path / "none.json")


def test_reprs_are_short() -> None:
    out = np.arange(40) >= 20
    scores = np.random.default_rng(1).normal(size=40)
    assert repr(EnergyDetector.fit(known(), 0.9)) == "EnergyDetector(4 classes, 200 calibration rows, retention 0.9)"
    grouped = EnergyDetector.fit(known(), 0.9, groups=np.resize(["a", "b"], 200))
    assert repr(grouped) == "EnergyDetector(4 classes, 200 calibration rows, 2 groups, retention 0.9)"
    assert repr(bootstrap_detection({"a": scores}, out, seed=1, replications=3)) == "DetectionBootstrap(a; 3 resamples)"
    assert repr(detection_curves(scores, out)) == "DetectionCurves(40 thresholds)"
    assert repr(KLReference.fit([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])) == "KLReference(2 of 3 classes)"
    assert repr(AttributeReference.fit([[0.0], [1.0]], ["cost"])) == "AttributeReference(cost)"
