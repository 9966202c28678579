"""Populations: the same agents from any table, and every cell that cannot be used named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from choicekit import ChoiceModel, DataError, InvalidInputError, Population, ShapeError, run_scenario, simulate_choices
from choicekit.choice.tables import read_table
from choicekit.random import row_words

WIDE = pd.DataFrame({"who": ["ann", "bo"], "age": [30.0, 40.0], "fare_bus": [2.0, 3.0], "fare_car": [5.0, 6.0]})
LONG = pd.DataFrame(
    {
        "id": [1, 1, 2, 2],
        "mode": ["bus", "car", "bus", "car"],
        "cost": [2.0, 5.0, 3.0, 6.0],
        "age": [30.0, 30.0, 40.0, 40.0],
        "taken": [1, 0, 0, 1],
        "w": [1.5, 1.5, 2.0, 2.0],
    }
)


def long(frame: pd.DataFrame = LONG, **arguments: Any) -> Population:
    return Population.from_frame(frame, **{"layout": "long", "agent": "id", "alternative": "mode", **arguments})


def refused(folder: Path, text: str, **arguments: Any) -> list[str]:
    (folder / "t.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        Population.from_frame(read_table(folder / "t.csv", name="t.csv"), **arguments)
    return str(caught.value).split("\n")


def assert_same(one: Population, other: Population) -> None:
    assert one.alternatives == other.alternatives
    np.testing.assert_array_equal(one.agents, other.agents)
    np.testing.assert_array_equal(row_words(one.agents, one.situations), row_words(other.agents, other.situations))
    assert one.columns.keys() == other.columns.keys()
    for name in one.columns:
        np.testing.assert_array_equal(one.columns[name], other.columns[name])
    for name in ("weights", "availability", "chosen", "situations"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


# --- layouts --------------------------------------------------------------------------------------------------------


def test_a_long_table_tells_attributes_of_agents_from_those_of_alternatives() -> None:
    people = long(chosen="taken", weight="w")
    assert people.alternatives == ("bus", "car")
    assert people.agents.tolist() == [1, 2]
    assert people.columns["age"].tolist() == [30, 40]
    assert people.columns["cost"].tolist() == [[2, 5], [3, 6]]
    assert people.weights is not None
    assert people.weights.tolist() == [1.5, 2]
    assert people.chosen is not None
    assert people.chosen.tolist() == [0, 1]
    assert people.availability is None
    assert set(people.columns) == {"age", "cost"}


def test_a_wide_table_stacks_attributes_by_alternative() -> None:
    people = Population.from_frame(
        WIDE, agent="who", alternatives=["bus", "car"], attributes={"fare": {"car": "fare_car", "bus": "fare_bus"}}
    )
    assert people.columns["fare"].tolist() == [[2, 5], [3, 6]]
    assert people.columns["age"].tolist() == [30, 40]


def test_a_wide_table_without_an_agent_column_counts_its_rows() -> None:
    assert Population.from_frame(WIDE).agents.tolist() == [0, 1]


def test_rows_of_a_long_table_may_come_in_any_order() -> None:
    shuffled = long(LONG.iloc[[3, 0, 2, 1]], alternatives=["bus", "car"])
    assert shuffled.agents.tolist() == [2, 1]
    assert shuffled.columns["cost"].tolist() == [[3, 6], [2, 5]]


def test_csv_parquet_and_pandas_give_the_same_population(tmp_path: Path) -> None:
    frame = LONG.assign(home=["city", "city", None, None], day=[1, 1, 2, 2])
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "t.parquet")
    shape: dict[str, Any] = {
        "layout": "long", "agent": "id", "alternative": "mode", "chosen": "taken", "weight": "w", "situation": "day",
    }  # fmt: skip
    expected = Population.from_frame(frame, **shape)
    assert_same(Population.from_csv(tmp_path / "t.csv", **shape), expected)
    assert_same(Population.from_csv(tmp_path / "t.tsv", **shape), expected)
    assert_same(Population.from_parquet(tmp_path / "t.parquet", **shape), expected)


@pytest.mark.parametrize("labels", [[1, 2, 1, 2], [1.0, 2.0, 1.0, 2.0], ["1", "2", "1", "2"]])
@pytest.mark.parametrize("names", [{1: "air", 2: "train"}, {"1": "air", "2": "train"}])
def test_labels_are_the_same_as_whole_numbers_floats_and_text(labels: list[Any], names: dict[Any, str]) -> None:
    assert long(LONG.assign(mode=labels), alternatives=names).alternatives == ("air", "train")
    assert long(LONG.assign(mode=labels)).alternatives == ("1", "2")


@pytest.mark.parametrize("ids", [[1, 1, 2, 2], [1.0, 1.0, 2.0, 2.0], pd.array([1, 1, 2, 2], dtype="Int64")])
def test_whole_identifiers_address_the_same_draws_whatever_their_type(ids: Any) -> None:
    np.testing.assert_array_equal(row_words(long(LONG.assign(id=ids)).agents), row_words(np.array([1, 2])))


def test_identifiers_that_are_not_all_whole_are_text() -> None:
    assert long(LONG.assign(id=[1.5, 1.5, 2.0, 2.0])).agents.tolist() == ["1.5", "2"]
    assert long(LONG.assign(id=[np.inf, np.inf, 2.0, 2.0])).agents.tolist() == ["inf", "2"]
    assert long(LONG.assign(id=[1e20, 1e20, 2.0, 2.0])).agents.tolist() == ["100000000000000000000", "2"]


def test_situations_let_an_agent_choose_more_than_once() -> None:
    people = Population.from_frame(WIDE.assign(who="ann", day=[1, 2]), agent="who", situation="day")
    assert people.n_rows == 2
    assert people.n_agents == 1


def test_the_index_of_a_frame_does_not_matter() -> None:
    assert_same(long(LONG.set_index(pd.Index([9, 9, 9, 9]))), long())


# --- availability and missing rows ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [[1, 0, 1, 1], [True, False, True, True], [1.0, 0.0, 1.0, 1.0], ["1", "0", "1", "1"]])
def test_an_availability_column_says_what_is_available(cells: list[Any]) -> None:
    people = long(LONG.assign(there=cells), availability="there")
    assert people.availability is not None
    assert people.availability.tolist() == [[True, False], [True, True]]


def test_a_missing_row_is_an_error_unless_it_means_unavailable() -> None:
    with pytest.raises(DataError, match=r"^row 3: agent 2 has no row for alternative 'car', add it, or set"):
        long(LONG.iloc[:3])
    people = long(LONG.iloc[:3], missing_rows="unavailable")
    assert people.availability is not None
    assert people.availability.tolist() == [[True, True], [True, False]]
    np.testing.assert_array_equal(people.columns["cost"], [[2, 5], [3, np.nan]])
    assert people.columns["age"].tolist() == [30, 40]


def test_a_missing_row_and_an_availability_of_0_are_both_unavailable() -> None:
    frame = LONG.iloc[:3].assign(there=[0, 1, 1])
    people = long(frame, availability="there", missing_rows="unavailable")
    assert people.availability is not None
    assert people.availability.tolist() == [[False, True], [True, False]]


def test_text_and_truth_values_survive_missing_rows() -> None:
    frame = LONG.iloc[:3].assign(colour=["red", "blue", "green"], fast=[True, False, True])
    people = long(frame, missing_rows="unavailable")
    assert people.columns["colour"].tolist() == [["red", "blue"], ["green", ""]]
    np.testing.assert_array_equal(people.columns["fast"], [[1, 0], [1, np.nan]])


# --- messages -------------------------------------------------------------------------------------------------------

LONG_ARGUMENTS: dict[str, Any] = {"layout": "long", "agent": "id", "alternative": "mode"}


@pytest.mark.parametrize(
    ("text", "arguments", "messages"),
    [
        ("id,mode,x\n1,bus,2\n1,bus,3\n", LONG_ARGUMENTS,
         ["t.csv:3 agent 1, alternative bus occurs a second time, remove one of the rows"]),
        ("id,day,mode\n1,mo,bus\n1,mo,bus\n", {**LONG_ARGUMENTS, "situation": "day"},
         ["t.csv:3 agent 1, situation mo, alternative bus occurs a second time, remove one of the rows"]),
        ("id,x\n1,2\n1,3\n", {"agent": "id"},
         ["t.csv:3 agent 1 occurs a second time, name a `situation` column if agents choose more than once"]),
        ("id,mode\n1,bus\n1,car\n2,bus\n3,car\n", LONG_ARGUMENTS,
         ["t.csv:4 agent 2 has no row for alternative 'car', add it, or set missing_rows to 'unavailable'",
          "t.csv:5 agent 3 has no row for alternative 'bus', add it, or set missing_rows to 'unavailable'"]),
        ("id,mode\n1,bus\n,car\n", LONG_ARGUMENTS, ["t.csv:3 column 'id': an identifier is missing, fill it in"]),
        ("id,mode\n1,bus\n1,\n", LONG_ARGUMENTS, ["t.csv:3 column 'mode': an alternative is missing, fill it in"]),
        ("id,mode\n1,bus\n1,caar\n2,caar\n", {**LONG_ARGUMENTS, "alternatives": ["bus", "car"]},
         ["t.csv:3 column 'mode': unknown alternative 'caar', did you mean 'car'?"]),
        ("id,mode\n1,bus\n1,ship\n", {**LONG_ARGUMENTS, "alternatives": ["bus", "car"]},
         ["t.csv:3 column 'mode': unknown alternative 'ship', known labels are 'bus', 'car'"]),
        ("id,mode,c\n1,bus,1\n1,car,1\n2,bus,0\n2,car,0\n", {**LONG_ARGUMENTS, "chosen": "c"},
         ["t.csv:3 column 'c': exactly one alternative must be marked as chosen, found 2 (agent 1)",
          "t.csv:5 column 'c': exactly one alternative must be marked as chosen, found 0 (agent 2)"]),
        ("id,mode,c\n1,bus,1\n1,car,2\n", {**LONG_ARGUMENTS, "chosen": "c"},
         ["t.csv:3 column 'c': must be 1 (chosen) or 0 (not), found '2'"]),
        ("id,mode,a\n1,bus,1\n1,car,yes\n", {**LONG_ARGUMENTS, "availability": "a"},
         ["t.csv:3 column 'a': must be 1 (available) or 0 (not), found 'yes'"]),
        ("id,c\n1,bus\n2,caar\n", {"agent": "id", "chosen": "c", "alternatives": ["bus", "car"]},
         ["t.csv:3 column 'c': unknown alternative 'caar' (agent 2), did you mean 'car'?"]),
        ("id,w\n1,1\n2,-1\n3,inf\n4,\n5,heavy\n", {"weight": "w"},
         ["t.csv:3 column 'w': must be a finite number of at least 0, found '-1'",
          "t.csv:4 column 'w': must be a finite number of at least 0, found 'inf'",
          "t.csv:5 column 'w': must be a finite number of at least 0, found ''",
          "t.csv:6 column 'w': must be a finite number of at least 0, found 'heavy'"]),
        ("id,w\n1,0\n2,0\n", {"weight": "w"}, ["t.csv column 'w': weights must not all be 0"]),
        ("id,mode,w\n1,bus,1\n1,car,2\n", {**LONG_ARGUMENTS, "weight": "w"},
         ["t.csv:2 column 'w': a weight must be the same in all rows of an agent's situation "
          "(agent 1, alternative bus)"]),
        ("id,mode\n1,bus\n", {**LONG_ARGUMENTS, "alternative": "mod", "weight": "w"},
         ["t.csv:1 unknown column 'mod', did you mean 'mode'?"]),
        ("id,x\n1,2\n", {"weight": "w", "columns": ["y"]},
         ["t.csv:1 unknown column 'w', the table has id, x", "t.csv:1 unknown column 'y', the table has id, x"]),
        ('id,x\n"a\nb",2\n\n"a\nb",3\n', {"agent": "id"},
         ["t.csv:5 agent a\\nb occurs a second time, name a `situation` column if agents choose more than once"]),
    ],
)  # fmt: skip
def test_a_bad_cell_is_named_with_file_and_line(
    tmp_path: Path, text: str, arguments: dict[str, Any], messages: list[str]
) -> None:
    assert refused(tmp_path, text, **arguments) == messages


def test_many_problems_of_one_sort_are_summed_up(tmp_path: Path) -> None:
    text = "id,mode\n" + "".join(f"{agent},bus\n" for agent in range(9)) + "0,car\n"
    messages = refused(tmp_path, text, **LONG_ARGUMENTS)
    assert len(messages) == 5
    assert messages[-1].endswith("(and 3 more like it)")


def test_a_problem_carries_file_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,w\n1,1\n2,-1\n")
    with pytest.raises(DataError) as caught:
        Population.from_csv(tmp_path / "t.csv", weight="w")
    assert (Path(caught.value.file).name, caught.value.row, caught.value.column) == ("t.csv", 3, "w")


@pytest.mark.parametrize("layout", [{}, LONG_ARGUMENTS])
def test_a_table_without_rows_is_refused(layout: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="the table has no rows, a population needs at least one agent"):
        Population.from_frame(LONG.iloc[:0], **layout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layout": "tall"}, "layout must be 'wide' or 'long', found 'tall'"),
        ({"layout": "long", "agent": "id"}, "long layout needs the names of"),
        ({**LONG_ARGUMENTS, "attributes": {"x": {"bus": "cost"}}}, "`attributes` belong to wide layout"),
        ({"availability": "w"}, "belong to long layout"),
        ({**LONG_ARGUMENTS, "missing_rows": "unavail"}, "missing_rows must be 'error' or 'unavailable'"),
        ({"chosen": "mode"}, "a wide table with a `chosen` column needs `alternatives`"),
        ({"alternatives": ["a", "b"], "attributes": {"x": {"a": "cost"}}}, r"missing \['b'\], unknown \[\]"),
        ({**LONG_ARGUMENTS, "alternatives": {"bus": "x", "car": "x"}}, "alternatives must be distinct"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Population.from_frame(LONG, **arguments)


# --- made in memory -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"agents": [1, 1]}, InvalidInputError, "agent 1 occurs twice"),
        ({"agents": [1, 1], "situations": [2, 2]}, InvalidInputError, "occurs twice"),
        ({"agents": [1.5, 2.0]}, InvalidInputError, "whole numbers or text"),
        ({"agents": [1, 2], "columns": {"x": [1]}}, ShapeError, r"column 'x' must be \(N,\) or \(N, J\)"),
        ({"agents": [1, 2], "weights": [1]}, ShapeError, "weights must have shape"),
        ({"agents": [1, 2], "weights": [1, np.nan]}, InvalidInputError, "weights must be finite"),
        ({"agents": [1, 2], "weights": [0, 0]}, InvalidInputError, "not all 0"),
        ({"agents": [1, 2], "weights": ["a", "b"]}, InvalidInputError, "weights must be numbers"),
        ({"agents": [1, 2], "alternatives": ("a", "a")}, InvalidInputError, "alternatives must be distinct"),
        ({"agents": [1, 2], "alternatives": ("a",), "chosen": [0, 1]}, InvalidInputError, "chosen must hold positions"),
        ({"agents": [1, 2], "availability": [[True]]}, ShapeError, "availability must have shape"),
        ({"agents": [1, 2], "weights": [1, 10**400]}, InvalidInputError, "weights must be numbers"),
        ({"agents": [1, 2], "columns": {"x": [[1], [1, 2]]}}, InvalidInputError, "column 'x' must have one shape"),
        ({"agents": [1, 2], "alternatives": ("a", "b"), "chosen": [[0], [1, 0]]}, InvalidInputError, "one shape"),
        ({"agents": [1], "alternatives": ("a", "b"), "availability": [[1], [1, 0]]}, InvalidInputError, "one shape"),
    ],
)
def test_a_population_validates_itself(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        Population(**arguments)


def test_an_unknown_column_gets_a_suggestion() -> None:
    people = Population(agents=[1], columns={"age": [3.0]})
    with pytest.raises(InvalidInputError, match="unknown column 'agee', did you mean 'age'"):
        people.column("agee")
    assert people.with_columns({"height": [1.7]}).column("height").tolist() == [1.7]
    assert people.columns.keys() == {"age"}


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ([0.9, 1.7], "0.9"),
        ([0, np.nan], "nan"),
        (["x", "y"], "'x'"),
        ([0, None], "None"),
        ([True, False], "True"),
        (np.array([0, 2**63], dtype=np.uint64), "9223372036854775808"),
        ([0, 10**400], "1000"),
        ([0, -2], "-2"),
    ],
)
def test_a_choice_must_be_a_position(chosen: Any, found: str) -> None:
    with pytest.raises(InvalidInputError, match=f"chosen must hold positions in the 2 alternatives.*found {found}"):
        Population(agents=[1, 2], alternatives=("a", "b"), chosen=chosen)


@pytest.mark.parametrize("chosen", [[1, -1], [1.0, -1.0], np.array([1, -1], dtype=object), pd.array([1, -1])])
def test_positions_may_be_of_any_whole_type(chosen: Any) -> None:
    people = Population(agents=[1, 2], alternatives=("a", "b"), chosen=chosen)
    assert people.chosen is not None
    assert people.chosen.dtype == np.int64
    assert people.chosen.tolist() == [1, -1]


@pytest.mark.parametrize(
    ("availability", "found"),
    [([[np.nan, 0.3]], "nan"), ([[1, 0.3]], "0.3"), ([["no", ""]], "'no'"), ([[True, None]], "None"), ([[2, 1]], "2")],
)
def test_availability_must_be_true_or_false(availability: Any, found: str) -> None:
    with pytest.raises(InvalidInputError, match=f"availability must hold True or False .*found {found}"):
        Population(agents=[1], alternatives=("a", "b"), availability=availability)


@pytest.mark.parametrize("availability", [[[True, False]], [[1, 0]], [[1.0, 0.0]], np.array([[True, 0]], dtype=object)])
def test_availability_may_be_written_as_1_and_0(availability: Any) -> None:
    people = Population(agents=[1], alternatives=("a", "b"), availability=availability)
    assert people.availability is not None
    assert people.availability.dtype == np.bool_
    assert people.availability.tolist() == [[True, False]]


def test_a_choice_of_what_is_not_available_is_refused() -> None:
    given: dict[str, Any] = {"agents": ["ann", "bo"], "alternatives": ("bus", "car"), "availability": [[1, 1], [1, 0]]}
    with pytest.raises(InvalidInputError, match="must be available, but agent bo chose 'car', which is not"):
        Population(**given, chosen=[1, 1])
    with pytest.raises(InvalidInputError, match="agent bo, situation 7 chose 'car'"):
        Population(**given, chosen=[1, 1], situations=[6, 7])
    Population(**given, chosen=[1, -1])


def test_a_choice_in_a_table_of_what_is_not_available_is_named_with_its_line(tmp_path: Path) -> None:
    text = "id,mode,there,c\n1,bus,1,1\n1,car,1,0\n2,bus,1,0\n2,car,0,1\n"
    assert refused(tmp_path, text, **LONG_ARGUMENTS, availability="there", chosen="c") == [
        "t.csv:5 column 'c': what is chosen must be available, found one that is not (agent 2, alternative car), "
        "correct the choice or the availability"
    ]


@pytest.mark.parametrize(
    ("frame", "way_out"), [({"x": [1]}, r"pandas.DataFrame\(...\)"), ("t.csv", "from_csv"), (None, "DataFrame")]
)
def test_a_frame_must_be_a_frame(frame: Any, way_out: str) -> None:
    with pytest.raises(InvalidInputError, match=f"frame must be a pandas DataFrame, found .*{way_out}"):
        Population.from_frame(frame)


# --- replaced columns -----------------------------------------------------------------------------------------------


def test_a_problem_of_a_replaced_column_does_not_blame_the_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,cost,age\n1,2,30\n2,3,\n")
    people = Population.from_csv(tmp_path / "t.csv", agent="id").with_columns({"cost": [1, np.nan]})
    replaced, kept = (str(people.cell_problem("bad", row=1, position=None, column=c)) for c in ("cost", "age"))
    assert replaced == "column 'cost': bad (agent 2)"
    assert kept.endswith("t.csv:3 column 'age': bad (agent 2)")
    again = people.with_columns({"height": [1.0, 2.0]})
    assert str(again.cell_problem("bad", row=1, position=None, column="cost")) == replaced
    found = ChoiceModel({"a": "cost"}).check(people)
    assert [str(problem) for problem in found] == [
        "column 'cost': the number is missing (agent 2), fill it in, or make the alternative unavailable there"
    ]


def test_a_problem_in_memory_names_the_situation() -> None:
    people = Population(agents=[1, 1], situations=["mo", "tu"], columns={"x": [1.0, 2.0]})
    assert str(people.cell_problem("bad", row=1, position=None, column="x")) == (
        "column 'x': bad (agent 1, situation tu)"
    )


# --- identifiers as they are written --------------------------------------------------------------------------------


def agents_of(folder: Path, *cells: str) -> list[Any]:
    (folder / "t.csv").write_text("id,x\n" + "".join(f"{cell},1\n" for cell in cells))
    return list(Population.from_csv(folder / "t.csv", agent="id").agents.tolist())


def test_identifiers_keep_their_leading_zeros(tmp_path: Path) -> None:
    assert agents_of(tmp_path, "007", "008") == ["007", "008"]
    assert agents_of(tmp_path, "007", "ab") == ["007", "ab"]
    assert agents_of(tmp_path, "007", "7") == ["007", 7]
    assert agents_of(tmp_path, "7", "8.0") == [7, "8.0"]


def test_identifiers_written_as_whole_numbers_are_whole_numbers(tmp_path: Path) -> None:
    assert agents_of(tmp_path, "7", "-8", "0") == [7, -8, 0]
    assert agents_of(tmp_path, str(2**64 - 1)) == [2**64 - 1]
    assert agents_of(tmp_path, str(2**64)) == [str(2**64)]
    # in memory a text is a text: it addresses other draws than the number
    assert Population.from_frame(WIDE.assign(who=["7", "8"]), agent="who").agents.tolist() == ["7", "8"]


def test_another_row_does_not_move_the_draws_of_others(tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        row_words(agents_of(tmp_path, "007", "008")), row_words(agents_of(tmp_path, "007", "008", "ab"))[:2]
    )


def test_situations_are_taken_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,day\n1,01\n1,1\n")
    people = Population.from_csv(tmp_path / "t.csv", agent="id", situation="day")
    assert people.situations is not None
    assert people.situations.tolist() == ["01", 1]


@pytest.mark.parametrize(("written", "names"), [("1", {1: "air"}), ("01", {"01": "air"})])
def test_labels_are_compared_as_they_are_written(tmp_path: Path, written: str, names: dict[Any, str]) -> None:
    (tmp_path / "long.csv").write_text(f"id,mode\n5,{written}\n")
    (tmp_path / "wide.csv").write_text(f"id,taken\n5,{written}\n")
    long_one = Population.from_csv(tmp_path / "long.csv", **LONG_ARGUMENTS, alternatives=names)
    wide_one = Population.from_csv(tmp_path / "wide.csv", agent="id", chosen="taken", alternatives=names)
    assert long_one.alternatives == wide_one.alternatives == ("air",)
    other = {"1" if written == "01" else "01": "air"}
    with pytest.raises(DataError, match=f"unknown alternative '{written}'"):
        Population.from_csv(tmp_path / "long.csv", **LONG_ARGUMENTS, alternatives=other)
    with pytest.raises(DataError, match=f"unknown alternative '{written}'"):
        Population.from_csv(tmp_path / "wide.csv", agent="id", chosen="taken", alternatives=other)


def test_marks_of_a_long_table_are_still_numbers(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,mode,c\n1,bus,1.0\n1,car,0.0\n")
    people = Population.from_csv(tmp_path / "t.csv", **LONG_ARGUMENTS, chosen="c")
    assert people.chosen is not None
    assert people.chosen.tolist() == [0]


@pytest.mark.parametrize("role", ["agent", "situation", "chosen"])
def test_a_missing_column_of_identifiers_is_unknown(tmp_path: Path, role: str) -> None:
    (tmp_path / "t.csv").write_text("id,x\n1,2\n")
    with pytest.raises(DataError, match=r"t.csv:1 unknown column 'who', the table has id, x"):
        Population.from_csv(tmp_path / "t.csv", **{"agent": "id", role: "who", "alternatives": ["a"]})


def test_an_unknown_alternative_has_no_position() -> None:
    people = Population(agents=[1], alternatives=("bus", "car"))
    assert people.position("car") == 1
    with pytest.raises(InvalidInputError, match="unknown alternative 'cat', did you mean 'car'"):
        people.position("cat")


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_a_scenario_takes_identifiers_and_labels_as_they_are_written(tmp_path: Path, layout: str) -> None:
    (tmp_path / "wide.csv").write_text("id,day,taken\n007,01,1\n7,01,02\n")
    (tmp_path / "long.csv").write_text("id,day,mode,taken\n007,01,1,1\n007,01,02,0\n7,01,1,0\n7,01,02,1\n")
    (tmp_path / "s.yaml").write_text(
        "choicekit: 1\nkind: choice\nname: written\nseed: 1\nalternatives: {'1': bus, '02': car}\n"
        f"agents: {{table: {layout}.csv, layout: {layout}, agent: id, situation: day, chosen: taken"
        f"{', alternative: mode' if layout == 'long' else ''}}}\nutility: {{bus: 0, car: 0}}\n"
    )
    people = run_scenario(tmp_path / "s.yaml").outcome.study.population
    assert people.agents.tolist() == ["007", 7]
    assert people.situations.tolist() == ["01", "01"]
    assert people.chosen.tolist() == [0, 1]


def test_one_more_agent_with_a_text_for_a_name_moves_no_other_draw(tmp_path: Path) -> None:
    model = ChoiceModel({"a": "x", "b": "1"})
    rows = [f"{agent},1" for agent in range(300)]
    chosen = []
    for table in (rows, [*rows, "z,1"]):
        (tmp_path / "t.csv").write_text("\n".join(["id,x", *table]) + "\n")
        people = Population.from_csv(tmp_path / "t.csv", agent="id")
        chosen.append(simulate_choices(model, people, seed=1, replications=2).choices[:, :300])
    np.testing.assert_array_equal(*chosen)


def test_what_is_wrong_with_a_long_table_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,mode,x\n1,bus,1\n,car,1\n2,bus,1\n2,cra,1\n")
    with pytest.raises(DataError) as caught:
        Population.from_csv(
            tmp_path / "t.csv", layout="long", agent="id", alternative="mode", alternatives=["bus", "car"]
        )
    assert [problem.line for problem in caught.value.problems] == [3, 5]
    (tmp_path / "t.csv").write_text("id,mode,x\n1,bus,1\n1,bus,1\n2,bus,1\n2,car,1\n")
    with pytest.raises(DataError) as caught:
        Population.from_csv(
            tmp_path / "t.csv", layout="long", agent="id", alternative="mode", alternatives=["bus", "car"]
        )
    assert [problem.line for problem in caught.value.problems] == [3, 3]
