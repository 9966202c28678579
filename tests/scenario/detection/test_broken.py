"""`kind: detection`: what is said of files, tables and settings that are wrong, where, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from choicekit import DataError, EnergyDetector, ScenarioError, load_scenario
from choicekit.cli import app

HEAD = "choicekit: 1\nkind: detection\nname: dots\nseed: 1\n"
LOGITS = "logits: {table: good.csv, columns: u_, label: seen, group: site, split: part, row: id}\n"
SPLITS = "splits: {calibration: [known], in_distribution: [test], out_of_distribution: [new, other]}\n"
REST = "retention: 0.8\nbootstrap: {replications: 0}\n"
GOOD = HEAD + LOGITS + SPLITS + REST
FIRST = "id,part,seen,site,u_a,u_b,x_1\n"
KNOWN = "".join(f"k{row},known,a,n,{row}.5,0,{row}\n" for row in range(5))
TEST = "t1,test,b,n,0,3,1\nt2,test,a,s,4,1,2\n"
NEW = "n1,new,c,s,0.5,0.4,3\nn2,other,d,s,0.1,0.2,4\n"
TABLES = {
    "good.csv": FIRST + KNOWN + TEST + NEW,
    "bad.csv": FIRST + KNOWN + "t1,test,b,n,nan,3,1\nt2,test,a,s,4,-inf,2\nt3,test,a,s,four,1,2\n" + NEW,
    "strange.csv": FIRST + KNOWN + "t1,test,c,n,0,3,1\nt2,test,yeti,s,4,1,2\n" + NEW,
    "copies.csv": FIRST + KNOWN + "k2,test,a,n,2.5,0,2\n" + TEST + NEW,
    "one.csv": "part,u_a\nknown,1\ntest,2\n",
    "alone.csv": FIRST + KNOWN + TEST,
    "empty.txt": "",
}
LOGIT = [[4.0, 0.0], [0.0, 5.0], [6.0, 1.0], [1.0, 4.5]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables and detectors, most of them wrong."""
    found = tmp_path_factory.mktemp("tables")
    for name, text in TABLES.items():
        (found / name).write_text(text)
    EnergyDetector.fit(LOGIT, 0.8, classes=("a", "b")).save(found / "good.json")
    EnergyDetector.fit(LOGIT, 0.8, classes=("a", "b"), groups=["n"] * 4).save(found / "grouped.json")
    EnergyDetector.fit([[*row, 0.0] for row in LOGIT], 0.8).save(found / "three.json")
    EnergyDetector.fit(LOGIT, 0.8, classes=("b", "a")).save(found / "turned.json")
    record = json.loads((found / "good.json").read_text())
    (found / "newer.json").write_text(json.dumps({**record, "format_version": 2}))
    (found / "half.json").write_text((found / "good.json").read_text()[:100])
    (found / "list.json").write_text("[1]")
    return found


def told(text: str, folder: Path) -> list[str]:
    with pytest.raises((ScenarioError, DataError)) as caught:
        load_scenario(text, data_dir=folder)
    return [str(problem).removeprefix("<scenario>:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ("{table: nope.csv, columns: u_}", ["5:17 the file does not exist: 'nope.csv', check the path"]),
        ("{table: ., columns: u_}", ["5:17 the file is a directory: '.', check the path"]),
        ("{table: empty.txt, columns: u_}",
         ["5:17 a table of logits is .csv, .parquet or .npz, write it as one of them"]),
        ("{table: good.csv}", ["5:1 missing key 'columns', add it"]),
        ("{columns: u_}", ["5:1 logits need a `table`, or `rows`, name the file that holds them"]),
        ("{table: good.csv, rows: [{u_a: 1, u_b: 2}], columns: u_}",
         ["5:1 `table` and `rows` exclude each other, keep one of them"]),
        ("{table: good.csv, columns: 3}",
         ["5:36 must be what the names of the columns begin with, or a list of columns, found 3"]),
        ("{table: good.csv, columns: w_}",
         ["5:36 no column begins with 'w_', the logits, there are id, part, seen, site, u_a, u_b, x_1"]),
        ("{table: good.csv, columns: [u_a, u_bb]}", ["5:36 there is no column 'u_bb', did you mean 'u_b'?"]),
        ("{table: good.csv, columns: u_a, split: part}",
         ["5:36 a table of logits needs at least two classes, found 1"]),
        ("{table: one.csv, columns: u_, split: part}", ["5:35 a table of logits needs at least two classes, found 1"]),
        ("{table: good.csv, columns: u_, split: prt}", ["5:47 there is no column 'prt', did you mean 'part'?"]),
        ("{table: good.csv, columns: u_, label: sen, split: part}",
         ["5:47 there is no column 'sen', did you mean 'seen'?"]),
        ("{table: bad.csv, columns: u_, split: part}",
         ["bad.csv:7 u_a must be a finite number, found 'nan', mend the cell, or leave the row out",
          "bad.csv:8 u_b must be a finite number, found '-inf', mend the cell, or leave the row out"]),
        ("{table: strange.csv, columns: u_, label: seen, split: part}",
         ["6:49 labels of in-distribution rows must be classes of the logits, found 'c', 'yeti', "
          "call these rows out_of_distribution, or mend their labels"]),
        ("{table: copies.csv, columns: u_, split: part, row: id}",
         ["6:1 a row that is calibrated on cannot be judged, found 1 rows in parts of both, such as k2, "
          "keep one copy of each"]),
        ("{table: good.csv, columns: u_}",
         ["6:1 splits are values of the split column, name it, as logits: split"]),
    ],
)  # fmt: skip
def test_logits_that_are_wrong(logits: str, expected: list[str], folder: Path) -> None:
    assert told(f"{HEAD}logits: {logits}\n{SPLITS}{REST}", folder) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("[{p: known, u_a: 1, u_b: .nan}, {p: new, u_a: .inf, u_b: 1}]",
         ["5:41 u_b must be a finite number, found 'nan', mend the cell, or leave the row out",
          "5:62 u_a must be a finite number, found 'inf', mend the cell, or leave the row out"]),
        ("[{p: known, u_a: 1, u_b: 2}, {p: new, u_a: 1}]",
         ["5:45 this row has no 'u_b', which the first row has, give every row the same keys"]),
        ("[{p: known, u_a: 1, u_b: 2}, {p: new, u_a: 1, u_b: 2, u_c: 3}]",
         ["5:45 this row has 'u_c', which the first row has not, give every row the same keys"]),
        ("[{p: known, u_a: [1], u_b: 2}]", ["5:33 must be a number or text, found a list"]),
        ("[]", ["5:16 must not be empty"]),
    ],
)  # fmt: skip
def test_rows_in_the_scenario_that_are_wrong(rows: str, expected: list[str], folder: Path) -> None:
    text = f"{HEAD}logits: {{rows: {rows}, columns: u_, split: p}}\nsplits: {{calibration: [known]}}\n"
    assert told(text, folder) == expected


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        ("", ["1:1 `splits` are missing, at least calibration, and what is judged; or a saved `detector`"]),
        ("splits: {calibration: [knwn], in_distribution: [test]}",
         ["6:24 unknown part of the table 'knwn', did you mean 'known'?"]),
        ("splits: {calibration: [known], in_distribution: [test, known]}",
         ["6:56 'known' is for calibration already: a row that is calibrated on cannot be judged, "
          "give each part one role"]),
        ("splits: {calibration: [known], in_distribution: [test], out_of_distribution: [test]}",
         ["6:79 'test' is for in-distribution already, give each part one role"]),
        ("splits: {calibration: [known, known], in_distribution: [test]}",
         ["6:31 'known' is written twice, give each part one role"]),
        ("splits: {in_distribution: [test], out_of_distribution: [new]}",
         ["6:1 there are no calibration rows, name a part of in-distribution rows"]),
        ("splits: {calibration: known}", ["6:23 must be a list, found 'known', such as [known]"]),
        ("splits: {calbration: [known], in_distribution: [test]}",
         ["6:10 unknown key 'calbration', did you mean 'calibration'?"]),
        ("splits: {calibration: [new], in_distribution: [test]}\nretention: 0.99",
         ["6:23 labels of calibration rows must be classes of the logits, found 'c', "
          "call these rows out_of_distribution, or mend their labels",
          "6:23 a retention of 0.99 needs at least 99 calibration rows, found 1, "
          "give more rows, or a lower retention"]),
    ],
)  # fmt: skip
def test_splits_that_are_wrong(splits: str, expected: list[str], folder: Path) -> None:
    rest = "" if "retention" in splits else REST
    assert sorted(told(f"{HEAD}{LOGITS}{splits}\n{rest}", folder)) == sorted(expected)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("score: enrgy", ["10:8 must be one of energy, msp, max_logit, entropy, gen, kl_matching, found 'enrgy', "
                          "did you mean 'energy'?"]),
        ("scores: []", ["10:9 must not be empty"]),
        ("temperature: -1", ["10:14 must be a finite number of at least 0, or fitted, found -1"]),
        ("temperature: .nan", ["10:14 must be a finite number of at least 0, or fitted, found nan"]),
        ("false_discovery_rate: 1", ["10:23 must be below 1, found 1"]),
        ("limit: 0.1", ["10:1 a limit is for rows that a saved detector judges, name the `detector`"]),
        ("training: {features: x_, auxiliary: [test]}",
         ["10:38 unknown out-of-distribution part 'test', there are new, other"]),
        ("training: {features: x_, auxiliary: [new, other]}",
         ["10:37 no out-of-distribution rows are left to show what training does, leave one of the parts out"]),
        ("training: {features: y_, auxiliary: [new]}",
         ["10:22 no column begins with 'y_', the features, there are id, part, seen, site, u_a, u_b, x_1"]),
        ("training: {features: x_, auxiliary: [new], margins: {inside: 1, outside: -1}}", ["10:53 margins"]),
    ],
)  # fmt: skip
def test_settings_that_are_wrong(rest: str, expected: list[str], folder: Path) -> None:
    found = told(GOOD + f"by_group: true\n{rest}\n", folder)
    assert len(found) == len(expected)
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True)), found


@pytest.mark.parametrize(
    ("detector", "expected"),
    [
        ("nope.json", "the file does not exist: 'nope.json', check the path"),
        ("three.json", "the detector was fitted to 3 classes, the table has 2, score rows of the same model, or fit "
                       "another detector"),
        ("newer.json", "the detector has format version 2, this choicekit reads 1, fit the detector again"),
        ("half.json", "the detector is not JSON, give a file that `EnergyDetector.save` or a run wrote"),
        ("list.json", "the detector is no saved detector, give a file that `EnergyDetector.save` or a run wrote"),
        ("grouped.json", "the detector has a threshold for each group, use it from Python, or fit one for all"),
    ],
)  # fmt: skip
def test_detectors_that_do_not_fit(detector: str, expected: str, folder: Path) -> None:
    assert told(f"{HEAD}{LOGITS}detector: {detector}\n", folder) == [f"6:11 {expected}"]


def test_what_a_detector_does_not_go_with(folder: Path) -> None:
    found = told(f"{HEAD}{LOGITS}detector: good.json\nscore: msp\nlimit: 2\n", folder)
    assert found == ["7:8 a saved detector scores by energy, leave `score` out", "8:8 must be at most 1, found 2"]


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (HEAD + LOGITS + "detector: turned.json\n",
         "6:1 the detector was fitted to other classes, or in another order"),
        (HEAD + LOGITS.replace("good", "alone") + "splits: {calibration: [known], in_distribution: [test]}\n" + REST,
         "6:1 there are no out-of-distribution rows: there will be scores, and no metrics"),
        (HEAD + LOGITS + "splits: {calibration: [known], out_of_distribution: [new]}\n" + REST,
         "6:1 there are no in-distribution rows to judge: there will be scores, and no metrics"),
        (GOOD + "scores: [energy, kl_matching]\nmetrics_on: all\n",
         "10:1 kl_matching is fitted to the calibration rows: metrics on all rows, these among them, flatter it"),
        (GOOD + "temperature: fitted\nmetrics_on: all\n",
         "10:1 the temperature is fitted to the calibration rows"),
    ],
)  # fmt: skip
def test_what_is_allowed_and_probably_not_meant(text: str, warning: str, folder: Path) -> None:
    (found,) = load_scenario(text, data_dir=folder).warnings
    assert found.removeprefix("<scenario>:").startswith(warning)


@pytest.mark.parametrize(
    ("text", "code"), [(GOOD, 0), (GOOD.replace("good", "bad"), 4), (GOOD.replace("good", "nope"), 2)]
)
def test_exit_codes(text: str, code: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "study.yaml").write_text(text)
    monkeypatch.chdir(folder)
    assert CliRunner().invoke(app, ["check", "study.yaml"]).exit_code == code
