"""Tables of logits from files, whole and streamed: the same numbers, and faults by line and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from choicekit.detection.kernels import COLUMNS
from choicekit.detection.scores import score_table
from choicekit.detection.streaming import score_parquet
from choicekit.detection.tables import LogitTable, read_logits
from choicekit.errors import DataError, InvalidInputError, ShapeError


def frame(n: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(n, 3)), columns=["logit_deer", "logit_fox", "logit_hare"])
    table["species"] = np.resize(["fox", "deer", "yeti"], n)
    table["site"], table["part"] = np.resize([1, 2], n), "test"
    table["x_1"], table["x_2"] = np.arange(n), np.arange(n) ** 2
    return table


COLUMNS_OF = {"logits": "logit_", "label": "species", "group": "site", "split": "part", "features": "x_"}


def written(folder: Path, kind: str) -> Path:
    path = folder / f"t.{kind}"
    if kind == "csv":
        frame().to_csv(path, index=False)
    elif kind == "parquet":
        frame().to_parquet(path)
    else:
        table = frame()
        np.savez(
            path, logit_=table.iloc[:, :3], species=table["species"].to_numpy().astype(str), site=table["site"],
            part=table["part"].to_numpy().astype(str), x_=table[["x_1", "x_2"]], classes=["deer", "fox", "hare"],
        )  # fmt: skip
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz"])
def test_every_kind_of_file_holds_the_same(tmp_path: Path, kind: str) -> None:
    found = read_logits(written(tmp_path, kind), **COLUMNS_OF)
    np.testing.assert_array_equal(found.logits, frame().iloc[:, :3])
    assert found.classes == ("deer", "fox", "hare")
    assert found.labels.tolist() == [1, 0, -1] * 2
    assert found.label_names.tolist() == ["fox", "deer", "yeti"] * 2
    assert found.groups.tolist() == ["1", "2"] * 3
    assert found.rows.tolist() == ["1", "2", "3", "4", "5", "6"]
    np.testing.assert_array_equal(found.features[:, 1], np.arange(6) ** 2)
    part = found.restricted(np.arange(6) < 2)
    assert (len(part), part.rows.tolist(), part.predicted.shape) == (2, ["1", "2"], (2,))


def test_columns_can_be_listed_and_rows_named(tmp_path: Path) -> None:
    found = read_logits(written(tmp_path, "csv"), logits=["logit_fox", "logit_deer"], row="species")
    assert found.classes == ("logit_fox", "logit_deer")
    assert found.rows[2] == "yeti"
    assert found.labels is None


@pytest.mark.parametrize(
    ("change", "columns", "message"),
    [
        (
            {"logit_fox": ["1", "x", "3", "", "5", "inf"]},
            {},
            "t.csv:3 logit_fox must be a finite number, found 'x', mend",
        ),
        ({}, {"logits": "lgit_"}, "no column begins with 'lgit_', the logits, there are logit_deer"),
        ({}, {"logits": ["logit_fox"]}, "needs at least two classes, found 1"),
        ({}, {"logits": ["logit_fox", "logit_der"]}, "no column 'logit_der', did you mean 'logit_deer'"),
        ({}, {"label": "specis"}, "no column 'specis', did you mean 'species'"),
        ({"x_2": ["a"] * 6}, {}, "t.csv:2 x_2 must be a finite number"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path: Path, change: dict, columns: dict, message: str) -> None:
    path = tmp_path / "t.csv"
    frame().assign(**change).to_csv(path, index=False)
    with pytest.raises(DataError, match=message):
        read_logits(path, **COLUMNS_OF | columns)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    for name, text in (("a.csv", ""), ("a.parquet", "no"), ("a.npz", "no"), ("a.txt", "x")):
        (tmp_path / name).write_text(text)
        with pytest.raises(DataError, match=r"cannot be read|is \.csv, \.parquet or \.npz"):
            read_logits(tmp_path / name, logits="logit_")
    for name in ("none.csv", "none.npz", "none.parquet"):
        with pytest.raises(DataError, match="cannot be read"):
            read_logits(tmp_path / name, logits="logit_")
    np.savez(tmp_path / "o.npz", u=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="cannot be read: Object arrays cannot be loaded"):
        read_logits(tmp_path / "o.npz", logits="u")
    np.savez(tmp_path / "n.npz", u=np.array([[1.0, np.nan]]))
    with pytest.raises(DataError, match="found nan in row 0, class 1"):
        read_logits(tmp_path / "n.npz", logits="u")
    with pytest.raises(DataError, match="no array 'v'"):
        read_logits(tmp_path / "n.npz", logits="v")
    with pytest.raises(DataError, match="one array, named by one word"):
        read_logits(tmp_path / "n.npz", logits=["u"])


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"classes": ("a",)}, ShapeError, "one name a class"),
        ({"labels": [2, 0]}, InvalidInputError, "labels must be positions"),
        ({"labels": [0]}, ShapeError, "labels must have one entry a row"),
        ({"groups": ["a"]}, ShapeError, "groups must have one entry a row"),
        ({"features": [[1.0], [2.0]]}, ShapeError, "one number a row and name"),
        ({"logits": [1.0, 2.0]}, ShapeError, "rows and classes"),
    ],
)
def test_a_table_checks_itself(changed: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        LogitTable(**{"logits": [[1.0, 0.0], [0.0, 1.0]], "classes": ("a", "b")} | changed)


# --- streaming ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [0.0, 0.5])
def test_streamed_scores_are_those_of_the_whole(tmp_path: Path, dtype: type, temperature: float) -> None:
    logits = np.random.default_rng(1).normal(size=(5_000, 12)).astype(dtype) * 4
    path, told = tmp_path / "t.parquet", []
    pd.DataFrame(logits, columns=[f"u{place}" for place in range(12)]).assign(v=1).to_parquet(path, row_group_size=777)
    found = score_parquet(
        path, "u", temperature=temperature, batch_rows=1_000, progress=lambda *seen: told.append(seen)
    )
    expected = score_table(logits, temperature=temperature)
    for method in COLUMNS:
        np.testing.assert_array_equal(found[method], expected[method])
    assert told[-1] == ("scores", 5_000, 5_000)
    assert len(told) > 4
    assert list(score_parquet(path, ["u1", "u0"], ["msp"])) == ["msp"]


def test_streaming_names_the_row_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pd.DataFrame({"u0": np.arange(3_000.0), "u1": 0.0, "w": "a"})
    table.loc[2_345, "u1"] = np.nan
    table.to_parquet(path)
    with pytest.raises(DataError, match=r"t\.parquet:2346 logits must be finite, found nan in class 1"):
        score_parquet(path, "u", batch_rows=1_024)
    with pytest.raises(DataError, match="w must be numbers, found"):
        score_parquet(path, ["u0", "w"])
    with pytest.raises(DataError, match="no column 'u7'"):
        score_parquet(path, ["u0", "u7"])
    with pytest.raises(DataError, match="at least two classes, found 1"):
        score_parquet(path, "u0")
    with pytest.raises(DataError, match="cannot be read"):
        score_parquet(tmp_path / "none.parquet", "u")
    with pytest.raises(InvalidInputError, match="unknown score 'kl_matching'"):
        score_parquet(path, "u", ["kl_matching"])
