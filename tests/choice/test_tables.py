"""Tables: what is read, which line a row stands on, and what is refused with file and line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from choicekit.choice.tables import Table, column_values, labels_of, number_of_each, read_table, table_of
from choicekit.errors import DataError, InvalidInputError


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder: Path, content: str | bytes, name: str = "t.csv", separator: str | None = None) -> Table:
    return read_table(written(folder, content, name), separator=separator, name=name)


def refused(folder: Path, content: str | bytes, name: str = "t.csv", separator: str | None = None) -> list[str]:
    with pytest.raises(DataError) as caught:
        read(folder, content, name, separator)
    return str(caught.value).split("\n")


# --- what is read ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt", "T.CSV"])
def test_the_separator_is_found_out_from_the_header(tmp_path: Path, separator: str, name: str) -> None:
    table = read(tmp_path, separator.join("abc") + "\n" + separator.join("123") + "\n", name)
    assert table.separator == separator
    assert table.frame.to_dict("list") == {"a": [1], "b": [2], "c": [3]}


def test_a_given_separator_wins_over_the_usual_ones(tmp_path: Path) -> None:
    assert read(tmp_path, "a b\n1 2\n", separator=" ").frame.to_dict("list") == {"a": [1], "b": [2]}
    assert read(tmp_path, "a.b\n1.2\n", separator=".").frame.to_dict("list") == {"a": [1], "b": [2]}


def test_decimal_commas_between_semicolons_stay_in_their_cells(tmp_path: Path) -> None:
    assert read(tmp_path, "a;b\n1,5;2\n").frame["a"].tolist() == ["1,5"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path: Path, end: str, mark: str) -> None:
    table = read(tmp_path, mark + end.join(["a,b", "1,2", "3,4", ""]))
    assert table.frame.to_dict("list") == {"a": [1, 3], "b": [2, 4]}
    assert [table.line(row) for row in range(2)] == [2, 3]


def test_a_column_without_a_name_is_left_out(tmp_path: Path) -> None:
    assert list(read(tmp_path, ",a,,b\n0,1,2,3\n").frame.columns) == ["a", "b"]
    assert list(read(tmp_path, "a,b,\n1,2,\n").frame.columns) == ["a", "b"]


def test_texts_that_mean_missing_are_kept_until_a_column_is_used_as_numbers(tmp_path: Path) -> None:
    table = read(tmp_path, "mode,cost\nNA,1\nnull,NA\n")
    assert table.frame["mode"].tolist() == ["NA", "null"]
    np.testing.assert_array_equal(column_values(table.frame["cost"]), [1, np.nan])


def test_a_parquet_file_gives_back_its_index_and_names_its_columns_by_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [3, 4], 7: [1.0, 2.0]}).rename(columns=str).set_index("id")
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert table.frame.to_dict("list") == {"id": [3, 4], "7": [1.0, 2.0]}
    assert not table.has_lines


def test_a_frame_gets_names_of_text_and_rows_from_0() -> None:
    table = table_of(pd.DataFrame({1: [5], "b": [6]}, index=["x"]))
    assert list(table.frame.columns) == ["1", "b"]
    assert table.frame.index.tolist() == [0]


# --- lines ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a,b\n1,2\n3,4\n", [2, 3]),
        ("a,b\n\n1,2\n\n\n3,4\n", [3, 6]),
        ("\n\na,b\n1,2\n3,4\n", [4, 5]),
        ("a,b\n  \n1,2\n3,4\n", [3, 4]),
        ("a,b\r\n\r\n1,2\r\n3,4\r\n", [3, 4]),
        ("a,b\r1,2\r\r3,4\r", [2, 4]),
        ('a,b\n"x\ny",2\n3,4\n', [2, 4]),
        ('a,b\n"x\n\ny",2\n\n3,4\n', [2, 6]),
        ('"a\nq",b\n1,2\n3,4\n', [3, 4]),
        ('a,b\n1,"say ""hi"""\n3,4\n', [2, 3]),
    ],
)
def test_a_row_knows_its_line_past_blank_lines_and_quoted_breaks(tmp_path: Path, text: str, lines: list[int]) -> None:
    table = read(tmp_path, text)
    assert [table.line(row) for row in range(len(table.frame))] == lines


def test_a_problem_names_the_line_of_a_file_and_the_row_of_anything_else(tmp_path: Path) -> None:
    assert str(read(tmp_path, "a\n\n1\n").problem("bad", row=0)) == "t.csv:3 bad"
    assert str(Table(frame=pd.DataFrame({"a": [1]}), name="t.parquet").problem("bad", row=0)) == "t.parquet row 1: bad"
    assert str(table_of(pd.DataFrame({"a": [1]})).problem("bad", row=0)) == "row 1: bad"
    inline = Table(frame=pd.DataFrame({"a": [1]}), name="s.yaml", lines=(9,))
    assert str(inline.problem("bad", row=0, column="a")) == "s.yaml:9 bad"


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        ("", ["t.csv:1 the table is empty, give a header and rows"]),
        ("\n \n", ["t.csv:1 the table is empty, give a header and rows"]),
        ("a,b\n", ["t.csv:1 the table has a header but no rows, add data below it"]),
        ("\n\na,b\n\n", ["t.csv:3 the table has a header but no rows, add data below it"]),
        ("a,a,b,c,c\n1,2,3,4,5\n", ["t.csv:1 column 'a' occurs twice, rename one",
                                    "t.csv:1 column 'c' occurs twice, rename one"]),
        ("a,b\n1,2\n3,4,5\n", ["t.csv:3 this line has 3 cells where the header has 2, "
                               "put text that holds the separator in quotes"]),
        ("a,b\n1,2,3\n4,5,6\n", ["t.csv:2 this line has 3 cells where the header has 2, "
                                 "put text that holds the separator in quotes"]),
        ('a,b\n"x\ny",2\n\n1,2,3\n', ["t.csv:5 this line has 3 cells where the header has 2, "
                                      "put text that holds the separator in quotes"]),
        ('a,b\n1,2\n"x,2\n3,4\n', ["t.csv:3 a quote is never closed, close or remove it"]),
        ('"a,b\n1,2\n', ["t.csv:1 a quote is never closed, close or remove it"]),
        (b"a,b\n1,2\nM\xfcller,3\n", ["t.csv:3 text must be UTF-8, found other bytes, save it as UTF-8"]),
        (b"a,M\xfcller\n1,2\n", ["t.csv:1 text must be UTF-8, found other bytes, save it as UTF-8"]),
        ("a,b\n1,2\n".encode("utf-16"), ["t.csv:1 text must be UTF-8, found other bytes, save it as UTF-8"]),
    ],
)  # fmt: skip
def test_a_malformed_table_is_refused_with_its_line(tmp_path: Path, content: str | bytes, messages: list[str]) -> None:
    assert refused(tmp_path, content) == messages


def test_a_separator_that_does_not_occur_is_refused_with_the_one_that_does(tmp_path: Path) -> None:
    message = "t.csv:1 the separator ';' does not occur in the header, did you mean ','?"
    assert refused(tmp_path, "a,b\n1,2\n", separator=";") == [message]
    assert read(tmp_path, "a\n1\n", separator=";").frame.to_dict("list") == {"a": [1]}


@pytest.mark.parametrize("separator", ["", ";;", '"', "\n"])
def test_a_separator_is_one_character_that_can_separate(tmp_path: Path, separator: str) -> None:
    with pytest.raises(InvalidInputError, match="separator must be one character"):
        read(tmp_path, "a,b\n1,2\n", separator=separator)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"^gone\.csv the table does not exist, check the path$"):
        read_table(tmp_path / "gone.csv", name="gone.csv")
    with pytest.raises(DataError, match=r"^folder\.csv the table is a directory, name the file inside it$"):
        read_table(tmp_path / "folder.csv", name="folder.csv")
    assert refused(tmp_path, "x", "t.xlsx") == [
        "t.xlsx a table must end in .csv, .tsv, .txt, .parquet or .pq, found '.xlsx', save it as one of these"
    ]
    assert refused(tmp_path, "x", "t") == [
        "t a table must end in .csv, .tsv, .txt, .parquet or .pq, found no ending, save it as one of these"
    ]
    assert refused(tmp_path, "PAR1 but not really", "t.parquet") == [
        "t.parquet this is not a readable Parquet file, write it again as Parquet, or as CSV"
    ]


def test_a_frame_with_a_repeated_column_is_refused() -> None:
    with pytest.raises(DataError, match=r"^column 'a' occurs twice, rename one$"):
        table_of(pd.DataFrame([[1, 2]], columns=["a", "a"]))


# --- columns --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        ([1, 2], "f", [1, 2]),
        ([1.5, None], "f", [1.5, np.nan]),
        (["1", " 2 ", "1e3"], "f", [1, 2, 1000]),
        (["1", "NA", "n/a", "NULL", ""], "f", [1, np.nan, np.nan, np.nan, np.nan]),
        (["1", "x", None], "O", ["1", "x", ""]),
        ([True, False], "b", [True, False]),
        ([True, None], "f", [1, np.nan]),
        ([None, None], "f", [np.nan, np.nan]),
        (["inf", "-inf"], "f", [np.inf, -np.inf]),
        ([[1, 2], None], "O", ["[1, 2]", ""]),
    ],
)
def test_a_column_is_numbers_truth_values_or_text(cells: list[object], kind: str, values: list[object]) -> None:
    found = column_values(pd.Series(cells, dtype=object))
    assert found.dtype.kind == kind
    np.testing.assert_array_equal(found, np.asarray(values, dtype=found.dtype))


@pytest.mark.parametrize(
    ("series", "kind"),
    [
        (pd.Series([1, None], dtype="Int64"), "f"),
        (pd.Series([True, None], dtype="boolean"), "f"),
        (pd.Series([True, False], dtype="boolean"), "b"),
        (pd.Series(["a", "b"], dtype="category"), "O"),
        (pd.Series(["a", None], dtype="string"), "O"),
        (pd.Series(pd.to_datetime(["2020-01-31", None])), "O"),
        (pd.Series([1, 2], dtype="uint8"), "f"),
        (pd.Series([1, 2], dtype="float32"), "f"),
    ],
)
def test_every_kind_of_pandas_column_is_understood(series: pd.Series, kind: str) -> None:
    assert column_values(series).dtype.kind == kind
    assert len(labels_of(series)) == len(series)


def test_labels_of_whole_numbers_have_no_decimal_point() -> None:
    assert labels_of(pd.Series([1.0, 2.0, np.nan])).tolist() == ["1", "2", ""]
    assert labels_of(pd.Series([1, 2])).tolist() == labels_of(pd.Series(["1", "2"])).tolist() == ["1", "2"]
    assert labels_of(pd.Series([1.5, np.inf])).tolist() == ["1.5", "inf"]


def test_texts_that_are_neither_numbers_nor_missing_are_told_apart() -> None:
    numbers, bad = number_of_each(np.array(["1", "NaN", "warm", ""], dtype=object))
    np.testing.assert_array_equal(numbers, [1, np.nan, np.nan, np.nan])
    assert bad.tolist() == [False, False, True, False]


def test_columns_of_text_are_kept_as_they_are_written(tmp_path: Path) -> None:
    path = written(tmp_path, 'id,x\n"007",1\n1e3,2\nNA,3\n,4\n')
    table = read_table(path, text=["id", "no such column"])
    assert table.frame["x"].tolist() == [1, 2, 3, 4]
    assert labels_of(table.frame["id"]).tolist() == ["007", "1e3", "NA", ""]
    np.testing.assert_array_equal(column_values(read_table(path, text=["x"]).frame["x"]), [1, 2, 3, 4])


def test_cells_of_any_kind_can_be_asked_for_their_number() -> None:
    numbers, bad = number_of_each(np.array([[1], True, 1, "1", {}], dtype=object))
    np.testing.assert_array_equal(numbers, [np.nan, 1, 1, 1, np.nan])
    assert bad.tolist() == [True, False, False, False, True]


def test_a_whole_number_beyond_every_float_is_infinite() -> None:
    numbers, bad = number_of_each(np.array([10**400, "2", 3], dtype=object))
    assert numbers.tolist() == [np.inf, 2, 3]
    assert not bad.any()
