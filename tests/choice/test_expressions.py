"""The expression language: what it means, what it refuses, and where it points."""

from __future__ import annotations

import ast
import math
import operator
import re
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from choicekit.choice.expressions import FUNCTIONS, Expression, fold, parse_expression
from choicekit.choice.expressions.tree import check_tree
from choicekit.errors import ExpressionError

COLUMNS = {
    "a": np.array([-2.0, 0.0, 0.5, 3.0]),
    "b": np.array([1.0, 2.0, -1.5, 0.0]),
    "n": np.array([1, 2, 3, 4]),
    "flag": np.array([True, False, True, False]),
    "mode": np.array(["air", "bus", "car", "air"]),
    "zone": np.array(["north", None, float("nan"), "air"], dtype=object),
    "c": 2.0,
}


def evaluate(text: str, **columns: object) -> np.ndarray:
    return parse_expression(text).evaluate({**COLUMNS, **columns})


def error_of(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    return caught.value


def evaluation_error_of(text: str, **columns: object) -> ExpressionError:
    expression = parse_expression(text)
    with pytest.raises(ExpressionError) as caught:
        expression.evaluate({**COLUMNS, **columns})
    return caught.value


def pointed(marked: str) -> tuple[str, int]:
    """Take the mark '¶' out of a text; it stands before the character the caret must point at."""
    assert marked.count("¶") == 1
    return marked.replace("¶", ""), marked.index("¶")


# --- meaning --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b", [-1.0, 2.0, -1.0, 3.0]),
        ("a - b * c", [-4.0, -4.0, 3.5, 3.0]),
        ("a / c", [-1.0, 0.0, 0.25, 1.5]),
        ("a // c", [-1.0, 0.0, 0.0, 1.0]),
        ("a % c", [0.0, 0.0, 0.5, 1.0]),
        ("-a ** 2", [-4.0, -0.0, -0.25, -9.0]),
        ("(-a) ** 2", [4.0, 0.0, 0.25, 9.0]),
        ("2 ** 3 ** 2", 512.0),
        ("n", [1.0, 2.0, 3.0, 4.0]),
        ("n / 2", [0.5, 1.0, 1.5, 2.0]),
        ("+a", [-2.0, 0.0, 0.5, 3.0]),
        ("flag + flag", [2.0, 0.0, 2.0, 0.0]),
        ("-flag", [-1.0, -0.0, -1.0, -0.0]),
        ("flag * 0.5", [0.5, 0.0, 0.5, 0.0]),
        ("exp(flag)", [math.e, 1.0, math.e, 1.0]),
        ("True + True", 2.0),
        ("a > 0", [False, False, True, True]),
        ("0 <= a < 3", [False, True, True, False]),
        ("a == b or a != b", [True, True, True, True]),
        ("not a", [False, True, False, False]),
        ("not a == 0", [True, False, True, True]),
        ("a and b", [True, False, True, False]),
        ("a if flag else b", [-2.0, 2.0, 0.5, 0.0]),
        ("1 if a < 0 else 2 if a < 1 else 3", [1.0, 2.0, 2.0, 3.0]),
        ("a > 0 if flag else False", [False, False, True, False]),
        ("where(a > 0, a, 0)", [0.0, 0.0, 0.5, 3.0]),
        ("min(a, b, 0)", [-2.0, 0.0, -1.5, 0.0]),
        ("max(a, b, 0)", [1.0, 2.0, 0.5, 3.0]),
        ("clip(a, -1, 1)", [-1.0, 0.0, 0.5, 1.0]),
        ("abs(a) + floor(a) + ceil(a)", [-2.0, 0.0, 1.5, 9.0]),
        ("round(n / 2)", [0.0, 1.0, 2.0, 2.0]),
        ("sqrt(n) ** 2 == n", [True, False, False, True]),
        ("log(exp(c)) + log1p(0)", 2.0),
        ("mode == 'air'", [True, False, False, True]),
        ("'air' != mode", [False, True, True, False]),
        ('mode in ("air", "bus")', [True, True, False, True]),
        ("mode not in ['air']", [False, True, True, False]),
        ("mode == zone", [False, False, False, True]),
        ("zone == zone", [True, False, False, True]),
        ("zone != 'north'", [False, True, True, True]),
        ("zone in ['north', 'air']", [True, False, False, True]),
        ("n in [1, +3, -4]", [True, False, True, False]),
        ("flag in (1,)", [True, False, True, False]),
        ("flag == True", [True, False, True, False]),
        ("1_000 + 007 + .5 + 5. + 1e3", 2012.5),
        ("max(1, 2,)", 2.0),
        ("log (1)", 0.0),
    ],
)
def test_value(text: str, expected: object) -> None:
    value = evaluate(text)
    np.testing.assert_allclose(value, expected, rtol=1e-15)
    assert value.dtype == (np.bool_ if np.asarray(expected).dtype == np.bool_ else np.float64)
    assert value.shape == np.shape(expected)


@pytest.mark.parametrize(
    ("text", "expected"), [("1 / 0", np.inf), ("-1 / 0", -np.inf), ("0 / 0", np.nan), ("log(0)", -np.inf),
                           ("sqrt(-1)", np.nan), ("9**9**9**9", np.inf), ("1e308 * 10", np.inf), ("5 % 0", np.nan),
                           ("5 // 0", np.inf), ("(-1) ** 0.5", np.nan), ("0 ** -1", np.inf), ("exp(1000)", np.inf)]
)  # fmt: skip
def test_what_is_not_finite_comes_out_without_a_warning(text: str, expected: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_equal(evaluate(text), expected)


def test_columns_broadcast_and_are_never_changed_or_handed_out() -> None:
    a = np.array([1.0, 2.0])
    assert evaluate("a * b", a=a, b=np.ones((3, 1))).shape == (3, 2)
    result = evaluate("a", a=a)
    result += 1
    np.testing.assert_array_equal(a, [1.0, 2.0])


def test_whole_numbers_are_not_multiplied_as_integers() -> None:
    assert evaluate("n * n * n", n=np.array([2**40])) == 2.0**120
    assert evaluate("n - 2", n=np.array([1], dtype=np.uint8)) == -1.0


@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_pandas_columns(dtype: str) -> None:
    frame = pd.DataFrame({"mode": pd.Series(["air", None, "bus"]).astype(dtype), "cost": [1, 2, 3]})
    value = parse_expression("cost * (mode == 'air')").evaluate({name: frame[name] for name in frame})
    np.testing.assert_array_equal(value, [1.0, 0.0, 0.0])


def test_names_are_what_is_looked_up() -> None:
    expression = parse_expression("asc + b_cost * log(`travel time`) + where(flag, asc, `log`) + `class`")
    assert expression.names == {"asc", "b_cost", "travel time", "flag", "log", "class"}


def test_quoted_and_foreign_names_keep_their_spelling() -> None:
    # The parser would turn the ligature into 'fi' and the micro sign into a Greek letter.
    columns = {"ﬁ": 1.0, "µ": 2.0, "दूरी": 4.0, "travel time": 8.0, "in": 16.0, "__class__": 32.0}
    value = parse_expression("ﬁ + µ + दूरी + `travel time` + `in` + __class__").evaluate(columns)
    assert value == 63.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [("not`x`", False), ("`x`and`y`", False), ("1 if`x`else 2", 1.0), ("`x`in[3]", True), ("2*`x`if`y`else`x`", 3.0)],
)
def test_a_quoted_name_may_touch_a_word(text: str, expected: float) -> None:
    expression = parse_expression(text)
    assert expression.evaluate({"x": 3.0, "y": 0.0}) == expected
    for node in ast.walk(expression.tree):
        if isinstance(node, ast.Name):
            assert text[node.col_offset : node.end_col_offset] == f"`{node.id}`"


@pytest.mark.parametrize("value", ["it's", 'a "b"', "back\\slash", "été", "  ", "a # b", "{x}", "`", "\u2028"])
def test_texts_keep_their_characters(value: str) -> None:
    for quote in "'\"":
        literal = quote + value.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote
        np.testing.assert_array_equal(evaluate(f"mode == {literal}", mode=[value, value + "x"]), [True, False])


@pytest.mark.parametrize("blank", ["\n", "\r\n", "\t", "\u00a0", "\n\n   "])
def test_blanks_and_line_breaks_mean_nothing(blank: str) -> None:
    text = blank.join(["", "a", "*", "(", "b", "-", "1", ")", "if", "n", "not  in".replace("  ", blank), "[", "1", "]",
                       "else", "-", "1", ""])  # fmt: skip
    np.testing.assert_array_equal(evaluate(text), evaluate("a * (b - 1) if n not in [1] else -1"))


def test_expression_is_its_text() -> None:
    one, same, other = parse_expression("a + b"), parse_expression("a + b"), parse_expression("a+b")
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert str(one) == one.text == "a + b"
    assert repr(one) == "Expression(text='a + b')"
    with pytest.raises(AttributeError):
        one.text = "b"  # type: ignore[misc]


def test_tree_points_into_the_text() -> None:
    text = "\n  é * `x y` \n + log(z) if mode == 'ü' else w"
    for node in ast.walk(parse_expression(text).tree):
        if isinstance(node, ast.Name):
            assert text[node.col_offset : node.end_col_offset].strip("`") == node.id
        if isinstance(node, ast.Constant):
            assert text[node.col_offset : node.end_col_offset] == "'ü'"


def test_fold_gives_operands_from_left_to_right() -> None:
    written = fold(
        parse_expression("where(a - b < c, -d, e in [1]) ** f").tree,
        lambda node, parts: node.id if isinstance(node, ast.Name) else f"({' '.join(parts)})",
    )
    assert written == "((((a b) c) (d) (e)) f)"


def test_functions_are_listed() -> None:
    assert list(FUNCTIONS) == [function.name for function in FUNCTIONS.values()]
    assert all(function.description for function in FUNCTIONS.values())
    with pytest.raises(TypeError):
        FUNCTIONS["system"] = FUNCTIONS["log"]  # type: ignore[index]


# --- against an independent reading -----------------------------------------------------------------
#
# The strategy writes a text and, beside it, a function of one row that is put together from Python's own operators.
# Texts carry parentheses only where `strength` says that the grammar needs them, so precedence is tested too.

Row = dict[str, float]
Meaning = Callable[[Row], float]
Written = tuple[str, int, Meaning]
OR, AND, NOT, COMPARE, ADD, MULTIPLY, SIGN, POWER, ATOM = range(1, 10)


def bracket(written: Written, least: int) -> str:
    text, strength, _ = written
    return text if strength >= least else f"({text})"


def arithmetic(symbol: str, strength: int, apply: Callable[[float, float], float]) -> Callable[..., Written]:
    def join(left: Written, right: Written) -> Written:
        text = f"{bracket(left, strength)} {symbol} {bracket(right, strength + 1)}"
        return text, strength, lambda row: apply(left[2](row), right[2](row))

    return join


def power(left: Written, right: Written) -> Written:
    text = f"{bracket(left, ATOM)}**{bracket(right, SIGN)}"
    # NumPy squares and takes roots where one exponent serves the whole array; the last digit may then differ from that
    # of a power, and so may what a comparison makes of it.
    shape = 1 if re.search("[abn]", re.sub("[a-z]{2,}", "", right[0])) else ()
    return text, POWER, lambda row: np.power(np.full(1, left[2](row)), np.full(shape, right[2](row)))[0]


def minus(value: Written) -> Written:
    return f"-{bracket(value, SIGN)}", SIGN, lambda row: -value[2](row)


def call(name: str, apply: Callable[..., float]) -> Callable[..., Written]:
    def join(*parts: Written) -> Written:
        text = f"{name}({', '.join(part[0] for part in parts)})"
        return text, ATOM, lambda row: apply(*(part[2](row) for part in parts))

    return join


def choice(value: Written, condition: Written, other: Written) -> Written:
    text = f"{bracket(value, OR)} if {bracket(condition, OR)} else {other[0]}"
    return text, 0, lambda row: value[2](row) if condition[2](row) else other[2](row)


def chain(symbols: list[str], parts: list[Written]) -> Written:
    compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
               "!=": operator.ne}  # fmt: skip
    text = bracket(parts[0], COMPARE + 1)
    for symbol, part in zip(symbols, parts[1:], strict=True):
        text += f" {symbol} {bracket(part, COMPARE + 1)}"
    pairs = list(zip(symbols, parts[:-1], parts[1:], strict=True))
    return text, COMPARE, lambda row: all(compare[symbol](x[2](row), y[2](row)) for symbol, x, y in pairs)


def logical(word: str, strength: int, parts: list[Written]) -> Written:
    judge = all if word == "and" else any
    text = f" {word} ".join(bracket(part, strength + 1) for part in parts)
    return text, strength, lambda row: judge(part[2](row) for part in parts)


def denial(value: Written) -> Written:
    return f"not {bracket(value, NOT)}", NOT, lambda row: not value[2](row)


def nan_min(*values: float) -> float:
    return math.nan if any(map(math.isnan, values)) else min(values)


def minimum(*parts: Written) -> Written:
    # Which zero is the smaller one, 0 or -0, nobody says; the sum with 0 is 0 for both.
    return arithmetic("+", ADD, operator.add)(call("min", nan_min)(*parts), leaf_number("0"))


def leaf_name(name: str) -> Written:
    return name, ATOM, lambda row: np.float64(row[name])


def leaf_number(number: str) -> Written:
    return number, ATOM, lambda row: np.float64(number)


LEAVES = st.one_of(
    st.sampled_from("abn").map(leaf_name), st.sampled_from(["0", "1", "2.5", ".5", "3.", "1e1"]).map(leaf_number)
)


def grow(numbers: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    compared = st.lists(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), min_size=1, max_size=2).flatmap(
        lambda symbols: st.builds(
            chain, st.just(symbols), st.lists(numbers, min_size=len(symbols) + 1, max_size=len(symbols) + 1)
        )
    )
    some = st.lists(compared, min_size=2, max_size=3)
    conditions = st.one_of(
        compared,
        compared.map(denial),
        st.builds(logical, st.just("and"), st.just(AND), some),
        st.builds(logical, st.just("or"), st.just(OR), some).map(denial),
        st.builds(logical, st.just("or"), st.just(OR), some),
    )
    return st.one_of(
        st.builds(arithmetic("+", ADD, operator.add), numbers, numbers),
        st.builds(arithmetic("-", ADD, operator.sub), numbers, numbers),
        st.builds(arithmetic("*", MULTIPLY, operator.mul), numbers, numbers),
        st.builds(arithmetic("/", MULTIPLY, operator.truediv), numbers, numbers),
        st.builds(arithmetic("//", MULTIPLY, operator.floordiv), numbers, numbers),
        st.builds(arithmetic("%", MULTIPLY, operator.mod), numbers, numbers),
        st.builds(power, numbers, numbers),
        st.builds(minus, numbers),
        st.builds(choice, numbers, conditions, numbers),
        st.builds(call("abs", abs), numbers),
        st.builds(minimum, numbers, numbers, numbers),
        st.builds(call("where", lambda c, x, y: x if c else y), conditions, numbers, numbers),
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(LEAVES, grow, max_leaves=12))
def test_agrees_with_an_independent_reading(written: Written) -> None:
    text, _, meaning = written
    columns = {"a": [-2.0, 0.0, 0.5, 3.0], "b": [1.0, 2.0, -1.5, 0.0], "n": [1.0, 2.0, 3.0, 4.0]}
    with np.errstate(all="ignore"):
        expected = [float(meaning({name: values[i] for name, values in columns.items()})) for i in range(4)]
    value = np.broadcast_to(parse_expression(text).evaluate(columns), 4)
    np.testing.assert_allclose(value, expected, rtol=1e-13, err_msg=text)


# --- refusals: each names its construct and points at it ----------------------------------------------

REFUSED = [
    # attributes, items, functions of one's own
    ("()¶.__class__", "attribute"),
    ("a¶.b", "attribute"),
    ("(a)¶.b", "attribute"),
    ("'x'¶.upper()", "attribute"),
    ("¶... + 1", "'.'"),
    ("a¶[0]", "subscript"),
    ("log(a)¶[0]", "subscript"),
    ("¶lambda x: x", "lambda"),
    ("¶__import__('os')", "unknown function '__import__'"),
    ("1 + ¶open('x')", "unknown function 'open'"),
    ("¶eval('1')", "unknown function 'eval'"),
    ("¶a(2)", "unknown function 'a'"),
    ("`log`¶(a)", "operator is missing before '('"),
    ("log(a)¶(b)", "operator is missing before '('"),
    ("2¶(a)", "operator is missing before '('"),
    # arguments
    ("log(x¶=1)", "keyword argument"),
    ("max(a, x¶=1)", "keyword argument"),
    ("max(¶*a)", "starred"),
    ("max(1, ¶**a)", "starred"),
    ("¶*a", "starred"),
    ("a in [¶*b]", "starred"),
    ("1 + ¶log()", "'log' takes 1 argument, found 0"),
    ("¶log(a, b)", "'log' takes 1 argument, found 2"),
    ("¶min(a)", "'min' takes at least 2 arguments, found 1"),
    ("¶clip(a, 1)", "'clip' takes 3 arguments, found 2"),
    ("1 + ¶log", "'log' is a function"),
    ("¶max + 1", "'max' is a function"),
    # statements, comprehensions, other kinds of text and number
    ("[x ¶for x in y]", "comprehension"),
    ("max(x ¶for x in y)", "comprehension"),
    ("x ¶:= 1", "assignment"),
    ("x ¶= 1", "'=' does not compare"),
    ("x +¶= 1", "'=' does not compare"),
    ("a ==¶= b", "'=' does not compare"),
    ("¶await a", "'await' is a reserved word"),
    ("¶yield", "'yield' is a reserved word"),
    ("¶import os", "'import' is a reserved word"),
    ("¶class + 1", "'class' is a reserved word"),
    ("a ¶is b", "'is'"),
    ("a == ¶None", "'None'"),
    ("mode == ¶f'{a}'", "formatted text"),
    ("mode == ¶rf'{a}'", "formatted text"),
    ("mode == ¶b'x'", "bytes"),
    ("mode == ¶r'x'", "prefix"),
    ("mode == ''¶'x'''", "two texts"),
    ("mode == 'x' ¶'y'", "two texts"),
    ("mode == ¶'x", "no closing quote"),
    ("mode == ¶'x\ny'", "no closing quote"),
    ("mode == 'a¶\\n'", "backslash"),
    ("`x` + ¶`y", "no closing backtick"),
    ("1 + ¶``", "empty"),
    ("1 + ¶3j", "complex"),
    ("1 + ¶0x10", "'0x10' is neither"),
    ("1 + ¶2a", "'2a' is neither"),
    ("¶1__0", "neither"),
    ("1 + ¶1e999", "below 1.8e308"),
    ("1 + ¶" + "9" * 400, "below 1.8e308"),
    # operators
    ("a ¶& b", "bit operation"),
    ("a ¶| b", "bit operation"),
    ("a ¶^ 2", "bit operation"),
    ("¶~a", "bit operation"),
    ("a ¶<< 2", "bit shift"),
    ("a ¶>> 2", "bit shift"),
    ("a ¶@ b", "matrix product"),
    ("a ¶&& b", "'&&'"),
    ("a ¶|| b", "'||'"),
    ("¶!a", "'!'"),
    ("a ¶<> b", "'<>'"),
    ("a ¶=< b", "'=<'"),
    ("a ¶? b : c", "'?'"),
    ("a ¶; b", "';'"),
    ("a ¶# b", "comment"),
    ("a ¶\\\n + b", "backslash"),
    ("¶{1: 2}", "dictionary"),
    ("a in ¶{1, 2}", "dictionary"),
    ("a¶−b", "minus"),
    ("2¶×a", "'×'"),
    ("2 ¶× a", "'×'"),
    ("a¶²", "'²'"),
    ("mode == ¶“air”", "not a quote"),
    ("a + ¶\x00", "'\\x00'"),
    ("a + ¶\ud800", "'\\ud800'"),
    ("a + ¶$b", "'$'"),
    # grammar
    ("a ¶b", "operator is missing before 'b'"),
    ("a ¶2", "operator is missing before '2'"),
    ("a ¶AND b", "operator is missing before 'AND'"),
    ("(a) ¶b", "operator is missing"),
    ("a ¶not b", "operator is missing before 'not'"),
    ("a +¶", "value is missing after '+'"),
    ("a not in¶  ", "value is missing after 'not in'"),
    ("a + ¶* b", "value is missing before '*'"),
    ("¶and a", "value is missing before 'and'"),
    ("(a + ¶)", "value is missing before ')'"),
    ("log(¶, a)", "value is missing before ','"),
    ("a == ¶not b", "'not' cannot follow '=='"),
    ("a + ¶not b", "'not' cannot follow '+'"),
    ("b + ¶(a", "'(' is never closed"),
    ("b + (a ¶]", "must be closed by ')'"),
    ("a¶)", "never opened"),
    ("a¶) + (b", "never opened"),
    ("a ¶if b", "no 'else'"),
    ("(a ¶if b) + 1", "no 'else'"),
    ("max(a ¶if b, c)", "no 'else'"),
    ("max(a ¶if b, c else d)", "no 'else'"),
    ("a ¶else b", "no 'if'"),
    ("a if b ¶if c else d else e", "condition of another"),
    ("a¶, b", "',' is only allowed"),
    ("1¶,5 * a", "',' is only allowed"),
    # lists and texts
    ("¶(a, b)", "after 'in'"),
    ("1 + ¶[1]", "after 'in'"),
    ("¶()", "after 'in'"),
    ("a == ¶(1, 2)", "after 'in'"),
    ("a in ¶b", "followed by a list"),
    ("a in ¶[]", "followed by a list"),
    ("a in (¶1)", "followed by a list"),
    ("a in ¶'air'", "followed by a list"),
    ("a in [1, ¶b]", "plain numbers or texts"),
    ("a in [1, ¶1 + 1]", "plain numbers or texts"),
    ("a in [1, ¶[2]]", "plain numbers or texts"),
    ("a in ['x', ¶2]", "numbers only or texts only"),
    ("a in ¶[1] == b", "any further"),
    ("¶'air'", "beside '=='"),
    ("a + ¶'air'", "beside '=='"),
    ("a < ¶'air'", "beside '=='"),
    ("a == ¶'air' < b", "beside '=='"),
    ("log(¶'air')", "beside '=='"),
    ("where(a == 1, ¶'x', 'y') == mode", "beside '=='"),
    ("not ¶'air'", "beside '=='"),
    # limits
    ("(" * 50 + "¶(" + "a" + ")" * 51, "50 levels"),
    ("-" * 50 + "¶-" + "a", "50 levels"),
    ("a+" * 250 + "¶a", "500 names"),
    ("a" * 2000 + "¶a", "2,000 characters, found 2,001"),
]


@pytest.mark.parametrize(("marked", "message"), REFUSED, ids=[text[:30] for text, _ in REFUSED])
def test_refusal_names_the_fault_and_points_at_it(marked: str, message: str) -> None:
    text, offset = pointed(marked)
    error = error_of(text)
    assert message in error.message
    assert error.offset == offset
    assert error.expression == text


# A start that takes any faulty value after it. Limits are about the whole text, and a star means something else here.
PREFIX = "`名 🚗` + ünïcödé\n  * भाषा > 0\r\n and "
MOVABLE = [(marked, message) for marked, message in REFUSED[:-4] if marked != "¶*a"]


@pytest.mark.parametrize(("marked", "message"), MOVABLE, ids=[text[:30] for text, _ in MOVABLE])
def test_caret_stands_below_the_fault_after_other_alphabets_and_lines(marked: str, message: str) -> None:
    text, offset = pointed(PREFIX + marked)
    error = error_of(text)
    assert message in error.message
    assert error.offset == offset
    if offset < len(text):
        line, caret = error.excerpt
        shown = "·" if text[offset] in "\x00\ud800" else text[offset]
        assert line[caret.index("^")] == shown


@pytest.mark.parametrize(("text", "hint"), [("a & b", "use 'and'"), ("a ^ 2", "use '**' for a power"),
                                            ("lo(a)", "did you mean 'log'?"), ("a OR b", "write 'or' in small letters"),
                                            ("class", "write `class`, in backticks"),
                                            ("1,5", "such as 1.5")])  # fmt: skip
def test_hint_shows_the_way_out(text: str, hint: str) -> None:
    assert hint in error_of(text).hint


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_empty(text: str) -> None:
    assert "empty" in error_of(text).message


@pytest.mark.parametrize("value", [1, 1.5, None, True, b"a", ["a"]])
def test_only_text_is_read(value: object) -> None:
    with pytest.raises(ExpressionError, match=f"must be text, found {type(value).__name__}"):
        parse_expression(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["a.b", "a[0]", "lambda: 1", "f(x=1)", "log(x=1)", "log(a, x=1)", "log(*a)", "[x for x in y]",
     "f'{a}'", "b'x'", "3j",
     "a & b", "a ^ b", "~a", "a is b", "{1}", "{1: 2}", "(x := 1)", "a @ b", "...", "None", "(yield)", "1", "'x'",
     "a == (1, 2)"],
)  # fmt: skip
def test_last_gate_refuses_what_the_first_ones_would_let_through(text: str) -> None:
    tree = ast.parse(text, mode="eval").body
    with pytest.raises(ExpressionError):
        check_tree(text, tree)


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\x9b", "\u202a", "\u202e", "\u2066", "\u2069"])
def test_errors_show_control_characters_and_do_not_obey_them(character: str) -> None:
    error = evaluation_error_of(f"`{character}[2J` + 1", **{f"{character}[2J": np.array(["air"])})
    shown = character.encode("unicode_escape").decode()
    assert character in error.hint
    assert str(error).splitlines() == [
        f"'{shown}[2J' holds text and can only be compared, by '==', '!=' or 'in', with text, "
        f"such as `{shown}[2J` == 'a'",
        "    `·[2J` + 1",
        "    ^",
    ]
    after = error_of(f"'{character}' == a $")
    assert after.excerpt == ("'·' == a $", "         ^")


# --- limits and hostile input -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["+".join(["a"] * 250), "a if b else " * 49 + "c", "(" * 50 + "a" + ")" * 50, "a and " * 300 + "a",
     "**".join(["a"] * 50), "-" * 49 + "a", "+".join(["-a"] * 60), "log(" * 49 + "a" + ")" * 49, "a" * 2000],
)  # fmt: skip
def test_just_within_the_limits(text: str) -> None:
    parse_expression(text).evaluate({"a": 1.0, "b": 0.0, "c": 2.0, "a" * 2000: 1.0})


@pytest.mark.parametrize(
    "text",
    ["+".join(["a"] * 10_000), "+".join(["a"] * 251), "a if b else " * 50 + "c", "(" * 51 + "a" + ")" * 51, "(" * 1000,
     "**".join(["a"] * 51), "-" * 50 + "a", "-" * 1999 + "a", "not " * 499 + "a", "2**-" * 499 + "2",
     "log(" * 50 + "a" + ")" * 50, "-(a*" * 26 + "a" + ")" * 26, "[" * 2000, "'" * 1999, "`" * 1999, "a" * 2001,
     "1_" * 1000, "9" * 2000, "𝒳" * 2001, "\\" * 2000, "a<" * 999 + "a", "lambda:" * 200 + "1"],
)  # fmt: skip
def test_beyond_the_limits_is_refused_at_once(text: str) -> None:
    start = time.process_time()
    error_of(text)
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    "text", ["(" * 51 + "a" + ")" * 51, "-" * 51 + "a", "not " * 51 + "a", "a+" * 500 + "a", "a" * 2001]
)
def test_limits_hold_before_the_parser_is_asked(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise AssertionError("the parser saw it")

    monkeypatch.setattr("choicekit.choice.expressions.expression.build_tree", fail)
    assert " at most " in error_of(text).message


def test_digits_are_not_counted_by_the_parser() -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert evaluate("0" * 1500 + "7") == 7.0
    finally:
        sys.set_int_max_str_digits(before)


def test_power_tower_is_done_in_floating_point() -> None:
    start = time.perf_counter()
    assert evaluate("**".join(["9"] * 45)) == np.inf
    assert time.perf_counter() - start < 0.5


def test_long_sum_needs_no_recursion() -> None:
    expression = parse_expression("+".join(["a"] * 250))

    def descend(levels: int) -> np.ndarray:
        return descend(levels - 1) if levels else expression.evaluate({"a": 1.0})

    assert descend(700) == 250.0


PIECES = st.sampled_from(
    ["a", "b", "log", "min", "1", "2.5", "'x'", '"', "`q r`", "é", "+", "-", "*", "**", "/", "//", "%", "(", ")", "[",
     "]", ",", "==", "!=", "<", "<=", "in", "not", "not in", "and", "or", "if", "else", "True", "=", ":", ":=", ".",
     "&", "lambda", "for", "None", "is", "#", "\\", "\n", "{", "}", "f'", "1j", "\x00", "...", "->", "await", "\u00a0",
     "\ufeff", "²"]
)  # fmt: skip


def attempt(work: Callable[[], object]) -> tuple[object, ExpressionError | None]:
    try:
        return work(), None
    except ExpressionError as error:
        return None, error


def assert_read_or_refused(text: str) -> None:
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expression, error = attempt(lambda: parse_expression(text))
        if isinstance(expression, Expression):
            assert_evaluated_or_refused(expression)
    if error is not None:
        assert error.offset is not None
        assert 0 <= error.offset <= len(text)
        # The walk over the tokens finds every fault of grammar; the parser's own answer is never needed.
        assert error.message not in ("this is not an expression", "this is not allowed in an expression")
    assert time.perf_counter() - start < 1.0


def assert_evaluated_or_refused(expression: Expression) -> None:
    columns = {name: np.array([0.5, -1.0]) for name in expression.names}
    assert expression.check(columns) == []
    value, error = attempt(lambda: expression.evaluate(columns))
    if error is not None:
        assert "text" in error.message
    else:
        assert isinstance(value, np.ndarray)
        assert value.dtype in (np.float64, np.bool_)
        assert value.shape in ((), (2,))


@settings(max_examples=1000, deadline=None)
@given(st.lists(PIECES, max_size=14), st.sampled_from(["", " "]))
def test_scrambled_tokens_raise_nothing_else(pieces: list[str], blank: str) -> None:
    assert_read_or_refused(blank.join(pieces))


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=[]), max_size=60))
@example("\ud800")
@example("'\ud800' == a")
@example("`\ud800` + 1")
@example("\ufeffa")
@example("a\u2028+ b")
@example("a if b else c")
@example("1if a else 2")
@example("0_0")
def test_arbitrary_text_raises_nothing_else(text: str) -> None:
    assert_read_or_refused(text)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["a", "(", "-", "not ", "[", "**", "+", "1", "if ", "`", "'"]), min_size=1, max_size=4))
def test_repeated_text_is_fast(pieces: list[str]) -> None:
    unit = "".join(pieces)
    assert_read_or_refused((unit * 2000)[:2000])


@pytest.mark.parametrize(
    "failure", [SyntaxError("x"), ValueError("x"), MemoryError(), RecursionError(), OverflowError()]
)
def test_every_failure_of_the_parser_is_ours(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(ast, "parse", fail)
        error = error_of("a + b")
    assert error.message in ("this is not an expression", "an expression is nested at most 50 levels deep")
    assert error.__cause__ is None
    assert error.__suppress_context__


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_any_name_can_be_quoted(name: str) -> None:
    if re.search(r"[`\r\n]", name):
        return
    expression = parse_expression(f"2 * `{name}`")
    assert expression.names == {name}
    assert expression.evaluate({name: 3.0}) == 6.0


# --- names and columns --------------------------------------------------------------------------------


def test_unknown_names_are_all_reported_once_with_suggestions() -> None:
    text = "é * asc_cr + b_cst * `travel tme` + b_cst + gc"
    errors = parse_expression(text).check(["é", "asc_car", "b_cost", "travel time", "gc"])
    assert [(error.message, error.hint, error.offset) for error in errors] == [
        ("unknown name 'asc_cr'", "did you mean 'asc_car'?", text.index("asc_cr")),
        ("unknown name 'b_cst'", "did you mean 'b_cost'?", text.index("b_cst")),
        ("unknown name 'travel tme'", "did you mean '`travel time`'?", text.index("`travel")),
    ]
    assert parse_expression(text).check(parse_expression(text).names) == []


def test_evaluation_reports_the_first_unknown_name() -> None:
    error = evaluation_error_of("a + zz * yy + b")
    assert (error.message, error.offset) == ("unknown name 'zz'", 4)


def test_checking_against_many_names_is_fast() -> None:
    expression = parse_expression("+".join(f"cl_{number}" for number in range(240)))
    start = time.perf_counter()
    assert len(expression.check({f"col_{number}" for number in range(20_000)})) == 240
    assert time.perf_counter() - start < 2.0


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ("a + ¶mode", "'mode' holds text"),
        ("2 * ¶mode * x", "'mode' holds text"),
        ("-¶mode", "'mode' holds text"),
        ("log(¶mode)", "'mode' holds text"),
        ("a < ¶mode", "'mode' holds text"),
        ("not ¶mode", "'mode' holds text"),
        ("a and ¶mode", "'mode' holds text"),
        ("1 if ¶mode else 2", "'mode' holds text"),
        ("where(a > 1, ¶mode, a)", "'mode' holds text"),
        ("¶mode in [1, 2]", "'mode' holds text"),
        ("¶mode", "must be numbers, found text"),
        ("1 + (¶mode)", "'mode' holds text"),
        ("¶n == 'air'", "'n' holds numbers and cannot be compared with text"),
        ("'air' != ¶flag", "'flag' holds numbers"),
        ("¶n in ['air']", "'n' holds numbers"),
        ("mode == ¶n", "'n' holds numbers and cannot be compared with text, as 'mode' holds text"),
        ("mode == ¶1", "this is a number and cannot be compared with text, as 'mode' holds text"),
        ("mode == 'air' != ¶n", "'n' holds numbers"),
        ("¶`mode` + 1", "'mode' holds text"),
    ],
)
def test_text_and_numbers_do_not_mix(marked: str, message: str) -> None:
    text, offset = pointed(marked)
    error = evaluation_error_of(text, x=1.0)
    assert message in error.message
    assert error.offset == offset


def test_text_column_in_arithmetic_says_what_to_do() -> None:
    error = evaluation_error_of("a * mode")
    assert "'mode' holds text and can only be compared" in error.message
    assert error.hint == "such as mode == 'a'"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "found datetime64[D]"),
        (np.array([1j]), "found complex128"),
        (np.array([b"x"]), "found |S1"),
        (np.array([1, "x"], dtype=object), "found int"),
        ([[1], [1, 2]], "no common shape"),
    ],
)
def test_unusable_columns_are_named(value: object, message: str) -> None:
    error = evaluation_error_of("1 + odd", odd=value)
    assert error.message.startswith("'odd' ")
    assert message in error.message
    assert error.offset == 4


def test_shapes_that_do_not_fit_are_named() -> None:
    error = evaluation_error_of("c + x * y", x=np.ones(3), y=np.ones((2, 2)))
    assert error.message == "'y' has shape (2, 2), which must fit the shape (3,) of the names before it"
    assert error.offset == 8


def test_messages_are_our_own() -> None:
    foreign = re.compile(r"invalid syntax|perhaps you forgot|EOL|unterminated|f-string|ufunc|operands could not", re.I)
    for marked, _ in REFUSED:
        assert not foreign.search(str(error_of(marked.replace("¶", ""))))
