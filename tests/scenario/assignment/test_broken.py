"""`kind: assignment`: what is said of files and tables that are wrong, where, and with which exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from choicekit import DataError, ScenarioError, load_scenario
from choicekit.cli import app

HEAD = "choicekit: 1\nkind: assignment\nname: tea\nseed: 1\n"
ROWS = "rows: {mass: {ann: 1, bo: 2}}\n"
COLUMNS = "columns: {condition: at_most, mass: {tart: 2, bun: 2}}\n"
BASE = HEAD + ROWS + COLUMNS + "utility: 0\ntemperature: 1\n"
TABLES = {
    "people.csv": "who,mass,x\nann,1,0.5\nbo,2,1\n",
    "bad.csv": "who,mass\nann,-1\nbo,two\nann,\n",
    "nameless.csv": "who,mass\n,1\nbo,2\n",
    "long.csv": "r,c,v\nann,tart,1\nann,bun,2\nbo,tart,3\nbo,bum,4\n",
    "twice.csv": "r,c,v\nann,tart,1\nann,bun,2\nbo,tart,3\nbo,tart,4\n",
    "wide.csv": "r,tart,bun\nann,1,2\nbo,,-inf\n",
    "other.csv": "r,tart,bum\nann,1,2\ncy,,-inf\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables, most of them wrong."""
    found = tmp_path_factory.mktemp("tables")
    for name, text in TABLES.items():
        (found / name).write_text(text)
    return found


def told(text: str, folder: Path | None = None) -> list[str]:
    with pytest.raises((ScenarioError, DataError)) as caught:
        load_scenario(text, data_dir=folder)
    return [str(problem).removeprefix("<scenario>:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("{mass: {ann: 1, bo: -2}}", ["5:27 must be at least 0, found -2"]),
        ("{mass: {ann: 1, bo: .nan}}", ["5:27 must be a finite number, found nan"]),
        ("{mass: -1, names: [ann]}", ["5:14 must be a finite number of at least 0, found -1"]),
        ("{mass: true, names: [ann]}",
         ["5:14 must be a number, numbers by name, or a column of the table, found true"]),
        ("{condition: fxed, mass: {ann: 1}}",
         ["5:19 must be one of fixed, at_most, relaxed, free, with_outside_option, found 'fxed', "
          "did you mean 'fixed'?"]),
        ("{condition: relaxed, mass: {ann: 1}}",
         ["5:1 relaxed rows need `strength`, what leaving the masses costs, such as 1"]),
        ("{condition: relaxed, strength: 0, mass: {ann: 1}}", ["5:38 must be above 0, found 0"]),
        ("{names: [ann, bo]}",
         ["5:1 fixed rows need `mass`, masses by name, one number for all, or a column of the table"]),
        ("{mass: 1}", ["5:1 rows have no names, write masses by name, or `names`, or a `table`"]),
        ("{condition: free}", ["5:1 rows have no names, write `names`, or a `table`"]),
        ("{mass: weight}",
         ["5:14 mass must be numbers where there is no table, found 'weight', "
          "name the `table` that has such a column"]),
        ("{names: [ann, bo, ann], mass: 1}", ["5:25 row 'ann' occurs twice, keep one of them"]),
        ("{names: [ann, bo], mass: {ann: 1, boo: 2}}", ["5:41 unknown row 'boo', did you mean 'bo'?"]),
        ("{names: [ann, bo], mass: {ann: 1}}", ["5:26 row 'bo' has no mass, give it one"]),
        ("{mass: {ann: 1}, name: who}", ["5:24 `name` belongs to a table, name the `table`, too"]),
        ("{mass: {ann: 1, bo: 1}, attributes: {x: {ann: 1, boo: 2}, name: {ann: 1, bo: 2}}}",
         ["5:56 unknown row 'boo', did you mean 'bo'?", "5:65 there is always an attribute 'name', rename it"]),
        ("{mass: {ann: 1, bo: 1}, attributes: {x: {ann: 1, bo: two}}}",
         ["5:44 attribute 'x' must be all numbers or all text, mend it"]),
        ("[ann]", ["5:7 must be a mapping, found a list, such as {condition: fixed}"]),
        ("{table: nope.csv, name: who, mass: mass}",
         ["5:15 the table does not exist: 'nope.csv', check the path"]),
        ("{table: people.csv, mass: mass}", ["5:1 a table needs `name`, the column that names the places"]),
        ("{table: people.csv, name: wo, mass: mas}",
         ["5:33 unknown column 'wo', did you mean 'who'?", "5:43 unknown column 'mas', did you mean 'mass'?"]),
        ("{table: people.csv, name: who, mass: mass, names: [a]}",
         ["5:50 the table names the places, keep one of `table` and `names`"]),
        ("{table: people.csv, name: who, mass: mass, attributes: {x: {ann: 1, bo: 1}}}",
         ["5:63 the table has an attribute 'x', rename it"]),
        ("{table: bad.csv, name: who, mass: mass}",
         ["bad.csv:2 'mass' must be a number of at least 0, found -1",
          "bad.csv:3 'mass' must be a number of at least 0, found 'two'",
          "bad.csv:4 'mass' must be a number of at least 0, found nothing",
          "bad.csv:4 row 'ann' occurs twice, give each one row"]),
        ("{table: nameless.csv, name: who, mass: mass}", ["nameless.csv:2 a name is missing, fill it in"]),
    ],
)  # fmt: skip
def test_a_side_that_is_wrong(rows: str, expected: list[str], folder: Path) -> None:
    text = f"{HEAD}rows: {rows}\n{COLUMNS}utility: 0\ntemperature: 1\n"
    assert told(text, folder) == expected


@pytest.mark.parametrize(
    ("utility", "expected"),
    [
        ("{}", ["7:1 pairs need either values or a table, found neither, add one of them"]),
        ("{values: [[1, 2], [3]]}",
         ["7:28 there must be one entry for each of the 2 columns, found 1, columns are tart, bun"]),
        ("{values: [[1, 2]]}", ["7:19 there must be one entry for each of the 2 rows, found 1, rows are ann, bo"]),
        ("{values: {ann: {tart: 1, bum: 2}, boo: [1, 2]}}",
         ["7:35 unknown column 'bum', did you mean 'bun'?", "7:44 unknown row 'boo', did you mean 'bo'?"]),
        ("{values: {ann: [1, 2], bo: {tart: 1}}}",
         ["7:33 row 'bo' has no value for column 'bun', write it, or -.inf where the pair is forbidden"]),
        ("{values: [[1, .inf], [1, 2]]}", ["7:24 must be a number, or -.inf where a pair is forbidden, found inf"]),
        ("{values: [[1, .nan], [1, 2]]}", ["7:24 must be a number, or -.inf where a pair is forbidden, found nan"]),
        ("{values: [[1, 2], [1, 2]], row: r}", ["7:37 `row` belongs to a table, take it away"]),
        ("{values: [[1, 2], [1, 2]], table: long.csv}",
         ["7:1 pairs need either values or a table, found both, remove one of them"]),
        ("{table: long.csv, row: r, column: c, value: v}", ["long.csv:5 unknown column 'bum', did you mean 'bun'?"]),
        ("{table: twice.csv, row: r, column: c, value: v}",
         ["twice.csv:5 'bo' with 'tart' occurs twice, keep one of them"]),
        ("{table: long.csv, row: r, value: v}",
         ["7:1 a long table needs `column`, name the column that holds names of columns"]),
        ("{table: wide.csv}", ["wide.csv:3 'tart' must be a number, or -inf where a pair is forbidden, found nothing"]),
        ("{table: other.csv, missing: forbidden}",
         ["other.csv the table has no column for 'bun', did you mean 'bum'?", "other.csv:3 unknown row 'cy'"]),
        ("b * row_nme",
         ["7:10 unknown name 'b'\n    b * row_nme\n    ^",
          "7:14 unknown name 'row_nme', did you mean 'row_name'?\n    b * row_nme\n        ^"]),
        ("1 / 0",
         ["7:10 a formula must give a finite number, or minus infinity to forbid a pair, "
          "found inf for 'ann' and 'tart' and 3 more"]),
        ("row_name", ["7:10 the result of an expression must be numbers, found text\n    row_name\n    ^"]),
        ("b * row.x",
         ["7:17 an attribute ('.') is not allowed, an attribute of a side is written such as row_x\n"
          "    b * row.x\n           ^"]),
        ("{formula: 1}", ["7:10 a formula is the utility itself: write `utility: ...` without `formula:`"]),
        ("1 +", None),
        (".inf", None),
    ],
)  # fmt: skip
def test_a_utility_that_is_wrong(utility: str, expected: list[str] | None, folder: Path) -> None:
    found = told(BASE.replace("utility: 0", f"utility: {utility}"), folder)
    if expected is None:
        assert [problem.partition(":")[0] for problem in found] == ["7"]
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("rule: {type: sparsemax, temperature: 2}",
         ["9:7 an assignment has one temperature, its own: write `temperature:` beside `rule:`"]),
        ("rule: {type: entmax}",
         ["9:14 must be one of softmax, sparsemax, found 'entmax', did you mean 'softmax'?"]),
        ("total_mass: 1",
         ["9:13 total_mass is for two free sides; elsewhere the masses of the sides say it"]),
        ("temperatures: [1, -1]", ["9:19 must be at least 0, found -1"]),
        ("solver: {tolerance: 0}", ["9:21 must be above 0, found 0"]),
        ("solver: {max_iterations: 0}", ["9:26 must be at least 1, found 0"]),
        ("cross_check: pott", ["9:14 must be pot, found 'pott', did you mean 'pot'?"]),
        ("cross_check: {threshold: 0}", ["9:26 must be above 0, found 0"]),
        ("fit: {basis: {a: 1}, penalty: -1}", ["9:31 must be a finite number of at least 0, found -1"]),
        ("fit: {basis: {a: 1}, penalty: crossvalidated}",
         ["9:31 must be a number of at least 0, or cross-validated, found 'crossvalidated'"]),
        ("fit: {basis: {a: 1}, penalty: true}",
         ["9:31 must be a number of at least 0, or cross-validated, found true"]),
        ("fit: {basis: {a: 1}, penalty: cross-validated}",
         ["9:31 a cross-validated penalty needs at least 5 draws, which it divides into folds, found none: give draws, "
          "or the penalty as a number"]),
        ("fit:\n  basis:\n    ok: row_name == 'ann' and column_name == 'tart'\n    lost: row_name == 'ann'",
         ["12:5 basis functions must be told apart by what is observed, found that 'lost' is without effect on "
          "anything observed, under these conditions: leave 'lost' out"]),
        ("forbidden: [[an, tart], [bo, bum]]",
         ["9:14 unknown row 'an', did you mean 'ann'?", "9:30 unknown column 'bum', did you mean 'bun'?"]),
        ("forbidden: [[ann]]", ["9:13 must not be empty"]),
        ("pairs: {abs: {values: [[1, 2], [3, 4]]}}", ["9:9 'abs' is the name of a function, rename it"]),
        ("pairs: {x: {values: [[1, 2], [3, 4]]}}\ncoefficients: {x: 1, row_name: 2}",
         ["9:9 'x' stands for two things, rename one", "10:22 'row_name' stands for two things, rename one"]),
        ("fit: {basis: {a: row_x}}",
         ["9:18 unknown name 'row_x', did you mean 'row_name'?\n    row_x\n    ^"]),
        ("fit: {basis: {a: 1}, true_coefficients: {b: 1}}", ["9:42 unknown entry of the basis 'b', there are a"]),
        ("fit: {basis: {a: 1, c: 2}, true_coefficients: {a: 1}}",
         ["9:28 'c' has no true coefficient, write all of them or none"]),
        ("fit: {basis: {a: 1}}\nrule: {type: sparsemax}",
         ["9:1 a fit needs the rule softmax: under others pairs that are left empty do not tell their utility, "
          "change the rule, or take the fit away"]),
        ("fit: {basis: {}}", ["9:14 must not be empty"]),
        ("polcies: {}", ["9:1 unknown key 'polcies', did you mean 'policies'?"]),
    ],
)  # fmt: skip
def test_a_setting_that_is_wrong(extra: str, expected: list[str]) -> None:
    assert told(f"{BASE}{extra}\n") == expected


RELAXED = "{condition: relaxed, strength: 1, mass: {tart: 2, bun: 1}}"
FREE = "{condition: free, names: [tart, bun]}"


@pytest.mark.parametrize(
    ("columns", "extra", "expected"),
    [
        ("{mass: {tart: 1, bun: 1}}", "",
         ["5:1 two fixed sides must have the same total mass, found 3 in rows and 2 in columns: let the larger side be "
          "at_most, or one of them relaxed, or set `scale_masses: true`"]),
        ("{condition: at_most, mass: {tart: 1, bun: 1}}", "",
         ["6:1 the columns must have room for the fixed mass of the rows, found 2 for 3, 1 short: add capacity, or let "
          "the rows be at_most, relaxed or with_outside_option"]),
        ("{condition: at_most, mass: {tart: 0, bun: 0}}", "",
         ["6:1 some of the columns must have mass above 0, found 0 at all 2"]),
        (RELAXED, "temperatures: [1, 0]",
         ["9:19 relaxed has no exact answer at temperature 0: use a small temperature, or fixed, at_most or "
          "with_outside_option"]),
        (RELAXED, "policies: {cold: {temperature: 0}}",
         ["9:32 relaxed has no exact answer at temperature 0: use a small temperature, or fixed, at_most or "
          "with_outside_option"]),
        (RELAXED, "rule: {type: sparsemax}",
         ["9:7 the sparse rule serves fixed, at_most and free sides, found relaxed: use softmax"]),
        ("{condition: at_most, mass: {tart: 2, bun: 2}}", "rule: {type: sparsemax}\nreference: product",
         ["10:12 the sparse rule has no reference, found 'product': use 'counting', or the rule softmax"]),
        (FREE, "reference: product",
         ["9:12 the product reference needs masses on both sides, found free: use 'counting'"]),
    ],
)  # fmt: skip
def test_masses_and_settings_that_do_not_go_together(columns: str, extra: str, expected: list[str]) -> None:
    assert told(f"{HEAD}{ROWS}columns: {columns}\nutility: 0\ntemperature: 1\n{extra}\n") == expected


def test_pairs_that_leave_somebody_out_are_told_at_the_side() -> None:
    (found,) = told(f"{BASE}forbidden: [[ann, tart], [ann, bun]]\n")
    assert found.startswith("5:1 ")
    assert "'ann'" in found
    assert "at_most" in found


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("{utility_shifts: [{amount: 1, row: an, column: bum}]}",
         ["10:41 unknown row 'an', did you mean 'ann'?", "10:53 unknown column 'bum', did you mean 'bun'?"]),
        ("{utility_shifts: [{row: ann}]}", ["10:24 missing key 'amount', add it"]),
        ("{row_mass: {an: 1}, column_mass: {tart: {factor: -1}}}",
         ["10:18 unknown row 'an', did you mean 'ann'?", "10:55 must be at least 0, found -1"]),
        ("{move_row_mass: [{amount: 5, source: ann, target: bo}]}",
         ["10:7 cannot move a mass of 5 from the row 'ann', which has 1: move at most that"]),
        ("{move_row_mass: [{amount: 1, source: ann, target: ann}]}",
         ["10:23 mass must move from one place to another, found 'ann' as both"]),
        ("{move_column_mass: [{amount: 1, source: tat, target: bun}]}",
         ["10:46 unknown column 'tat', did you mean 'tart'?"]),
        ("{row_mass: {bo: 9}}",
         ["10:3 the columns must have room for the fixed mass of the rows, found 4 for 10, 6 short: add capacity, or "
          "let the rows be at_most, relaxed or with_outside_option"]),
        ("{temperature: -1}", ["10:20 must be at least 0, found -1"]),
        ("{new_rows: {cy: {}}}", ["10:18 new row 'cy' has no utility, write its `utility`, or whom it is `like`"]),
        ("{new_rows: {cy: {like: ann}}}",
         ["10:7 the new row 'cy' must have a mass, as the other rows have"]),
        ("{new_rows: {ann: {like: bo}}}", ["10:18 a new row needs a new name, 'ann' is there already, rename it"]),
        ("{new_rows: {cy: {like: anne}}}", ["10:29 unknown row 'anne', did you mean 'ann'?"]),
        ("{new_rows: {cy: {mass: 1, like: ann, utility: 2}}}",
         ["10:43 its utility follows from `like`, keep one of them"]),
        ("{new_rows: {cy: {mass: 1, utility: {tart: 1}}}}",
         ["10:32 there is no utility with column 'bun', write it, or -.inf where the pair is forbidden"]),
        ("{new_rows: {cy: {mass: 1, utility: {tart: 1, bum: 1}}}}",
         ["10:51 unknown column 'bum', did you mean 'bun'?"]),
        ("{new_columns: {pie: {mass: 1, attributes: {y: 1}}}}",
         ["10:36 the formula uses the attribute 'x', which it has not, add it, or say whom it is `like`",
          "10:49 unknown attribute 'y', there are x"]),
        ("{new_columns: {pie: {mass: 1, attributes: {x: big}}}}",
         ["10:52 attribute 'x' must be a number, found 'big'"]),
        ("{new_columns: {pie: {mass: 1, attributes: {x: 1}}}}",
         ["10:21 the formula uses the pairs 'z', which it has not, say whom it is `like`, or write its `utility`"]),
    ],
)  # fmt: skip
def test_a_policy_that_is_wrong(policy: str, expected: list[str]) -> None:
    attributes = "{condition: at_most, mass: {tart: 2, bun: 2}, attributes: {x: {tart: 1, bun: 2}}}"
    text = f"{HEAD}{ROWS}columns: {attributes}\nutility: column_x + z\npairs: {{z: {{values: [[1, 2], [3, 4]]}}}}\n"
    found = told(f"{text}policies: {{\n  p: {policy}}}\ntemperature: 1\n")
    assert found == expected


def test_a_policy_cannot_be_the_baseline_and_other_policies_are_still_looked_at() -> None:
    policies = "  baseline: {temperature: 2}\n  more: {row_mass: {bo: 9}}\n  less: {row_mass: {b: 0}}\n"
    text = f"{BASE}policies:\n{policies}"
    found = told(text)
    assert found[0] == "10:3 a policy cannot be called 'baseline', that is what it is compared with"
    assert [problem.partition(" ")[0] for problem in found] == ["10:3", "11:3", "12:21"]


def test_attributes_of_a_new_place_need_a_formula() -> None:
    text = BASE.replace("utility: 0", "utility: {values: [[1, 2], [3, 4]]}")
    found = told(f"{text}policies: {{p: {{new_rows: {{cy: {{mass: 1, attributes: {{}}}}}}}}}}\n")
    assert found == [
        "9:41 attributes say nothing where the utility is no formula, write its `utility`, or whom it is `like`"
    ]


def test_a_fit_at_temperature_0_is_refused() -> None:
    (found,) = told(BASE.replace("temperature: 1", "temperature: 0") + "fit: {basis: {a: row_name == 'ann'}}\n")
    assert found.startswith("9:1 a fit needs a temperature above 0")


def test_all_problems_are_told_at_once_and_none_twice() -> None:
    text = (
        f"{HEAD}rows: {{mass: {{ann: 1, bo: -2}}}}\ncolumns: {{condition: relaxd, mass: {{tart: 2, bun: 2}}}}\n"
        "utility: b * column_x\ncoefficients: {b: one}\ntemperature: warm\n"
        "policies: {p: {row_mass: {bo: 1, cy: 2}}}\nfit: {basis: {a: b * row_q}}\n"
    )
    places = [problem.partition(" ")[0] for problem in told(text)]
    assert places == ["5:27", "6:22", "7:14", "8:19", "9:14", "10:34", "11:22"]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("{table: people.csv, name: who, mass: mass}", 0),
        ("{table: people.csv, name: wo, mass: mass}", 2),
        ("{table: bad.csv, name: who, mass: mass}", 4),
        ("{mass: {ann: 9}}", 2),
    ],
)
def test_the_command_line_answers_with_the_right_exit_code(rows: str, code: int, folder: Path) -> None:
    path = folder / "tea.yaml"
    path.write_text(f"{HEAD}rows: {rows}\n{COLUMNS}utility: 0\ntemperature: 1\n")
    found = CliRunner().invoke(app, ["check", str(path)])
    assert (found.exit_code, "Traceback" in found.output) == (code, False)
