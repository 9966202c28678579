"""Formulas in the place of names: the text they give, and that it means what was meant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from choicekit.choice.expressions import MAX_CHARACTERS, MAX_DEPTH, MAX_NODES, parse_expression, substituted
from choicekit.errors import ExpressionError
from tests.choice.test_expressions import ATOM, LEAVES, Written, call, grow

COLUMNS = {
    "a": np.array([-2.0, 0.0, 0.5, 3.0]),
    "b": np.array([1.0, 2.0, -1.5, 0.0]),
    "n": np.array([1, 2, 3, 4]),
    "flag": np.array([True, False, True, False]),
    "mode": np.array(["air", "bus", "car", "air"]),
    "log": np.array([1.0, 2.0, 4.0, 8.0]),
    "travel time": np.array([5.0, 6.0, 7.0, 8.0]),
}


def replaced(text: str, **replacements: str) -> str:
    return replaced_by(text, replacements)


def replaced_by(text: str, replacements: dict[str, str]) -> str:
    given = {name: parse_expression(replacement) for name, replacement in replacements.items()}
    return substituted(parse_expression(text), given).text


@pytest.mark.parametrize(
    ("text", "gc", "expected"),
    [
        ("asc + b * gc", "0.8 * gc", "asc + b * (0.8 * gc)"),
        ("gc + gc", "gc + 1", "(gc + 1) + (gc + 1)"),
        ("-gc ** 2", "x - y", "-(x - y) ** 2"),
        ("-gc ** 2", "-5", "-(-5) ** 2"),
        ("2 ** gc ** 2", "x ** y", "2 ** (x ** y) ** 2"),
        ("gc", "0.8 * gc", "(0.8 * gc)"),
        ("b*gc", "x", "b*x"),
        ("b*gc", "12.5", "b*12.5"),
        ("-gc", "5", "-5"),
        ("-gc", "+5", "-(+5)"),
        ("gc + 1", "`travel time`", "`travel time` + 1"),
        ("gc * 2", " x\n", "x * 2"),
        ("gc * 2", "(x)", "(x) * 2"),
        ("gc * 2", "x + y", "(x + y) * 2"),
        ("gc * 2", "log(x)", "(log(x)) * 2"),
        ("gc * 2", "True", "True * 2"),
        ("`gc` * 2 + gc", "x / 3", "(x / 3) * 2 + (x / 3)"),
        ("1 if`gc`else 2", "x", "1 if(x)else 2"),
        ("1 if`gc`else 2", "`x y`", "1 if(`x y`)else 2"),
        ("1 if`gc`else 2", "7", "1 if(7)else 2"),
        ("1 if gc else 2", "x > 1", "1 if (x > 1) else 2"),
        ("0 < gc < 5", "x < y", "0 < (x < y) < 5"),
        ("not gc in [1, 2]", "x + 1", "not (x + 1) in [1, 2]"),
        ("gc and x", "x or y", "(x or y) and x"),
        ("x if gc else y", "1 if x else 0", "x if (1 if x else 0) else y"),
        ("gc2 + gc_ + a_gc + gc", "x", "gc2 + gc_ + a_gc + x"),
        ("(mode == 'gc') * gc", "x", "(mode == 'gc') * x"),
        ('mode in ["gc", "\\"gc"] or gc', "x", 'mode in ["gc", "\\"gc"] or x'),
        ("log(gc) + min(gc, 1)", "x", "log(x) + min(x, 1)"),
        ("é * gc +\n  `🚗 gc` + gc", "x * y", "é * (x * y) +\n  `🚗 gc` + (x * y)"),
    ],
)
def test_text_of_a_replacement(text: str, gc: str, expected: str) -> None:
    assert replaced(text, gc=gc) == expected


def test_functions_keep_their_names() -> None:
    assert replaced("log(x) + `log` * min(x, `log`)", log="y") == "log(x) + y * min(x, y)"
    assert replaced("x + y", x="`log`") == "`log` + y"


def test_all_names_are_replaced_at_once_and_only_once() -> None:
    assert replaced("a - b", a="b", b="a") == "b - a"
    assert replaced("a + b", a="b + 1", b="2 * a") == "(b + 1) + (2 * a)"
    assert replaced_by("`travel time` + a", {"travel time": "a", "a": "`travel time`"}) == "a + `travel time`"


@pytest.mark.parametrize("replacements", [{}, {"gc": "0.8 * gc"}, {"log": "1"}])
def test_nothing_to_replace_gives_the_same_object(replacements: dict[str, str]) -> None:
    expression = parse_expression("log(x) * (mode == 'gc')")
    given = {name: parse_expression(text) for name, text in replacements.items()}
    assert substituted(expression, given) is expression


def test_later_errors_point_into_the_new_text() -> None:
    expression = substituted(parse_expression("asc + `gc` * gc"), {"gc": parse_expression("0.8 * gcc")})
    error = expression.check({"asc", "gc"})[0]
    assert error.expression == expression.text
    assert str(error).splitlines() == [
        "unknown name 'gcc', did you mean 'gc'?",
        "    asc + (0.8 * gcc) * (0.8 * gcc)",
        "                 ^",
    ]


def test_a_text_column_may_stand_in_for_another() -> None:
    expression = substituted(parse_expression("(kind == 'air') * 2"), {"kind": parse_expression("mode")})
    np.testing.assert_array_equal(expression.evaluate(COLUMNS), [2.0, 0.0, 0.0, 2.0])


# --- meaning --------------------------------------------------------------------------------------


def grow_all(numbers: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    # Names in backticks, and a function that shares its name with a column. The meaning in third place is not used.
    quoted = numbers.map(lambda part: (f"(1 if `travel time` in [5] else {part[0]})", ATOM, part[2]))
    logs = numbers.map(lambda part: (f"(`log`*log({part[0]}))", ATOM, part[2]))
    return st.one_of(grow(numbers), quoted, logs, st.builds(call("max", max), numbers, numbers))


FORMULAS = st.recursive(LEAVES, grow_all, max_leaves=6).map(lambda written: written[0])
NAMES = st.sampled_from(["a", "b", "n", "travel time", "log"])


@settings(max_examples=400)
@given(FORMULAS, st.dictionaries(NAMES, FORMULAS, max_size=4))
@example("-a ** 2", {"a": "-a"})
@example("a ** a", {"a": "-2"})
@example("a < b < n", {"b": "a < n"})
@example("a - b", {"b": "a - n", "a": "b"})
def test_means_the_same_as_replaced_columns(text: str, replacements: dict[str, str]) -> None:
    expression = parse_expression(text)
    given = {name: parse_expression(replacement) for name, replacement in replacements.items()}
    columns = {**COLUMNS, **{name: replacement.evaluate(COLUMNS) for name, replacement in given.items()}}
    expected, found = expression.evaluate(columns), substituted(expression, given).evaluate(COLUMNS)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    # Which of two zeros or of two nans is meant can be seen in the bytes.
    assert found.tobytes() == expected.tobytes()


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "x", "limit"),
    [
        ("x + " * 20 + "x", "a" * 200, f"{MAX_CHARACTERS:,} characters, found 4,260"),
        ("x + " * 50 + "x", "+".join(["a"] * 10), f"{MAX_NODES} names, numbers and operators"),
        ("(" * 30 + "x" + ")" * 30, "(" * 30 + "a+1" + ")" * 30, f"{MAX_DEPTH} levels deep"),
        ("-" * 30 + "x", "-" * 30 + "x", f"{MAX_DEPTH} levels deep"),
    ],
)
def test_a_formula_that_grows_too_large_says_what_made_it_large(text: str, x: str, limit: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        replaced(text, x=x)
    error = caught.value
    assert error.message.startswith("with its changes the formula is too large: an expression ")
    assert error.message.endswith(limit)
    assert error.hint == "shorten the formula or its changes"
    assert len(error.expression) > len(text)
    assert error.offset is not None
    assert error.__suppress_context__


def test_a_formula_may_grow_up_to_the_limits() -> None:
    assert len(replaced("x" + " + 1" * 10, x="`" + "a" * (MAX_CHARACTERS - 42) + "`")) == MAX_CHARACTERS
