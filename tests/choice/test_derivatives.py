"""Slopes of expressions against hand-made ones and finite differences, and the terms of a sum."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choicekit.choice.expressions import FUNCTIONS, derivative, own_terms, parse_expression
from choicekit.choice.expressions.evaluation import evaluate
from choicekit.errors import ExpressionError
from tests.choice.test_expressions import LEAVES, Written, call, grow
from tests.tolerances import ALGEBRA

COLUMNS = {
    "x": np.array([-2.0, -0.7, 0.0, 1.0, 3.0]),
    "y": np.array([0.5, 2.0, 1.0, -1.5, 3.0]),
    "p": np.array([0.5, 1.0, 2.0, 2.5, 4.0]),
    "n": np.array([1, 2, 3, 4, 5]),
    "flag": np.array([True, False, True, False, True]),
    "mode": np.array(["air", "bus", "car", "air", "bus"]),
    "c": 2.0,
}
X, Y, P = COLUMNS["x"], COLUMNS["y"], COLUMNS["p"]
nan, inf = math.nan, math.inf


def slope(text: str, name: str = "x", **columns: object) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return derivative(parse_expression(text), name, {**COLUMNS, **columns})


# --- by hand --------------------------------------------------------------------------------------

OF_FUNCTIONS = {
    "log": ("log(p)", 1 / P),
    "log1p": ("log1p(p)", 1 / (1 + P)),
    "exp": ("exp(p)", np.exp(P)),
    "sqrt": ("sqrt(p)", 0.5 / np.sqrt(P)),
    "abs": ("abs(p - 2)", [-1, -1, 0, 1, 1]),
    "min": ("min(p, 2, 3)", [1, 1, 0.5, 0, 0]),
    "max": ("max(0, p, 2)", [0, 0, 0.5, 1, 1]),
    "where": ("where(p > 1, 3 * p, -p)", [-1, -1, 3, 3, 3]),
    "clip": ("clip(p, 1, 2.5)", [0, 0.5, 1, 0.5, 0]),
    "floor": ("p * floor(p)", np.floor(P)),
    "ceil": ("p * ceil(p)", np.ceil(P)),
    "round": ("p * round(p)", np.rint(P)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_slope_by_hand(name: str) -> None:
    text, expected = OF_FUNCTIONS[name]
    np.testing.assert_allclose(slope(text, "p"), expected, rtol=ALGEBRA)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_takes_slopes_in_all_arguments(name: str) -> None:
    # A function that is added without a rule fails here, whatever its number of arguments.
    arguments = ", ".join(["p", "2 * p", "3 * p"][: max(FUNCTIONS[name].arity[0], 1)])
    assert np.isfinite(slope(f"{name}({arguments})", "p")).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", 1.0),
        ("(x)", 1.0),
        ("+x - -x", 2.0),
        ("3 - x", -1.0),
        ("x * y", Y),
        ("x * x * x", 3 * X**2),
        ("y * -x", -Y),
        ("x / y", 1 / Y),
        ("y / (x + 5)", -Y / (X + 5) ** 2),
        ("x // y + x", 1.0),
        ("(x + 0.1) % c", 1.0),
        ("7 % p", 0.0),
        ("x ** 2", 2 * X),
        ("x ** 1", 1.0),
        ("x ** 0", 0.0),
        ("-x ** 2", -2 * X),
        ("c ** x", 2**X * math.log(2)),
        ("exp(c * x)", 2 * np.exp(2 * X)),
        ("exp(x + max(x - 2, 0))", np.exp(X + np.maximum(X - 2, 0)) * (1 + (X > 2))),
        ("exp(max(x - 2, 0) + x)", np.exp(X + np.maximum(X - 2, 0)) * (1 + (X > 2))),
        ("x > 0", 0.0),
        ("0 < x < 5 and not x or x in [1, 2]", 0.0),
        ("not x", 0.0),
        ("x * (x > 0)", X > 0),
        ("x * (mode == 'air')", [1, 0, 0, 1, 0]),
        ("x if mode in ['air', 'bus'] else x * x", [1, 1, 0, 1, 1]),
        ("2 * x if x < 0 else 3 * x if x < 2 else 4 * x", [2, 2, 3, 3, 4]),
        ("x * n + n", [1, 2, 3, 4, 5]),
        ("x * flag", [1, 0, 1, 0, 1]),
        ("y + c", 0.0),
    ],
)
def test_slope_by_hand(text: str, expected: object) -> None:
    value = slope(text)
    np.testing.assert_allclose(value, np.broadcast_to(expected, value.shape), rtol=ALGEBRA, atol=ALGEBRA)
    assert value.dtype == np.float64
    assert value.shape == parse_expression(text).evaluate(COLUMNS).shape


def test_power_moves_in_both_parts() -> None:
    np.testing.assert_allclose(slope("p ** p", "p"), P**P * (np.log(P) + 1), rtol=ALGEBRA)
    np.testing.assert_allclose(slope("7 % p", "p"), -(7 // P), rtol=ALGEBRA)


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("x ** 2", 0.0, 0.0),
        ("x ** c", 0.0, 0.0),
        ("x ** 0", 0.0, 0.0),
        ("x ** 1", 0.0, 1.0),
        ("x ** 0.5", 0.0, inf),
        ("0 ** x", 2.0, 0.0),
        ("x ** x", 1.0, 1.0),
        ("(-2) ** x", 2.0, nan),
        ("(-2) ** 3 * x", 2.0, -8.0),
        ("sqrt(x)", 0.0, inf),
        ("-sqrt(x)", 0.0, -inf),
        ("log(x)", 0.0, inf),
        ("log(x)", -1.0, nan),
        ("x + log(-1)", 1.0, nan),
        ("y + log(-1)", 1.0, 0.0),
        ("exp(x)", 1e3, inf),
        ("x", nan, nan),
        ("x + 1", inf, 1.0),
    ],
)
def test_slope_at_the_edges(text: str, at: float, expected: float) -> None:
    np.testing.assert_equal(slope(text, x=at, y=1.0), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abs(x)", 0.0),
        ("abs(x) + x", 1.0),
        ("abs(-3 * x)", 0.0),
        ("abs(abs(x))", 0.0),
        ("abs(x ** 3)", 0.0),
        ("min(x, 0)", 0.5),
        ("max(x, 0)", 0.5),
        ("max(x, x)", 1.0),
        ("min(x, 3 * x, 2 * x)", 2.0),
        ("min(x, 0, -5 * x, 7)", -2.0),
        ("max(abs(x), -x)", 0.0),
        ("max(x, 0) - max(-x, 0)", 1.0),
        ("clip(x, 0, 1)", 0.5),
        ("clip(x, -1, 0)", 0.5),
        ("clip(x, 0, 0)", 0.0),
        ("clip(x, 1, 0)", 0.0),
        ("clip(0.5, x, 1)", 0.0),
        ("clip(0, x, x + 1)", 0.5),
        ("clip(5, 0, x)", 1.0),
        ("floor(x) + ceil(x) + round(x + 0.5)", 0.0),
        ("x // 2", 0.0),
        ("exp(max(x, 0))", 0.5),
        ("x if x > 0 else 3 * x", 3.0),
    ],
)
def test_slope_at_a_kink_is_the_mean_of_the_one_sided_ones(text: str, expected: float) -> None:
    assert slope(text, x=0.0) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("log(x) if x > 0 else 0", [0, 0, 0, 1, 1 / 3]),
        ("where(x > 0, sqrt(x), x)", [1, 1, 1, 0.5, 0.5 / math.sqrt(3)]),
        ("where(x <= 0, x, 1 / x)", [1, 1, 1, -1, -1 / 9]),
        ("sqrt(max(x - 0.5, 0))", [0, 0, 0, 0.5 / math.sqrt(0.5), 0.5 / math.sqrt(2.5)]),
        ("sqrt(clip(x, 0, 2) * (x > 0) if x > 0 else 0)", [0, 0, 0, 0.5, 0]),
        ("sqrt(floor(x / 100) + 1)", [0, 0, 0, 0, 0]),
        ("min(x, log(x) if x > 0 else x)", [1, 1, 1, 1, 1 / 3]),
        ("x + 0 * sqrt(y * 0)", [1, 1, 1, 1, 1]),
    ],
)
def test_nothing_leaks_from_what_is_not_taken_or_stands_still(text: str, expected: list[float]) -> None:
    np.testing.assert_allclose(slope(text), expected, rtol=ALGEBRA)


# --- shapes, kinds, errors --------------------------------------------------------------------------


def test_slopes_broadcast() -> None:
    x, b = np.arange(3.0), np.array([[1.0], [2.0]])
    np.testing.assert_array_equal(slope("b * x", "x", x=x, b=b), [[1, 1, 1], [2, 2, 2]])
    np.testing.assert_array_equal(slope("b * x", "b", x=x, b=b), [[0, 1, 2], [0, 1, 2]])
    np.testing.assert_array_equal(slope("x + b", "x", x=x, b=b), np.ones((2, 3)))
    assert slope("x * 3", x=1).shape == ()
    assert isinstance(slope("x * 3", x=1), np.ndarray)
    assert slope("x * y", x=np.ones(0), y=1.0).shape == (0,)


def test_columns_are_not_changed_and_the_slope_is_ones_own() -> None:
    x, y = np.ones(2), np.array([1.0, 2.0])
    result = slope("x * y", x=x, y=y)
    result += 1
    np.testing.assert_array_equal(y, [1.0, 2.0])


@pytest.mark.parametrize("text", ["y", "mode == 'air'", "c", "y * log(y)"])
def test_a_name_that_is_not_used_has_slope_0(text: str) -> None:
    result = slope(text, "x")
    np.testing.assert_array_equal(result, np.zeros(parse_expression(text).evaluate(COLUMNS).shape))


def test_text_flags_and_quoted_names_have_slopes_too() -> None:
    np.testing.assert_array_equal(slope("x * (mode == 'air')", "mode"), np.zeros(5))
    np.testing.assert_array_equal(slope("2 * flag", "flag"), np.full(5, 2.0))
    np.testing.assert_array_equal(slope("flag", "flag"), np.ones(5))
    np.testing.assert_array_equal(slope("`log` * log(`log`)", "log", log=1.0), 1.0)


@pytest.mark.parametrize("name", ["x", "unused"])
@pytest.mark.parametrize(
    ("text", "columns"),
    [("x + zz", {}), ("x + mode", {}), ("x * q", {"q": np.ones(7)}), ("mode + 0 * x", {}), ("x == 'a'", {})],
)
def test_errors_are_those_of_evaluation(name: str, text: str, columns: Mapping[str, object]) -> None:
    expression = parse_expression(text)
    with pytest.raises(ExpressionError) as of_value:
        expression.evaluate({**COLUMNS, **columns})
    with pytest.raises(ExpressionError) as of_slope:
        derivative(expression, name, {**COLUMNS, **columns})
    assert str(of_slope.value) == str(of_value.value)


def test_long_sums_need_no_recursion() -> None:
    assert slope("+".join(["x"] * 250), x=1.0) == 250.0


# --- against finite differences ---------------------------------------------------------------------

POINTS = {
    "a": np.array([-1.83, -0.41, 0.37, 0.92, 2.71]),
    "b": np.array([0.57, 1.31, -0.88, 2.13, 1.77]),
    "n": np.array([1.19, 0.63, 2.41, 3.07, 1.03]),
}
STEP = 1e-5
TRUSTED = 1e-7
"""How far two differences of one formula, with steps 1 and 2, may lie apart for both to be believed."""


def grow_all(numbers: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    def function(name: str, count: int) -> st.SearchStrategy[Written]:
        return st.builds(call(name, min), *[numbers] * count)

    return st.one_of(grow(numbers), *(function(name, max(FUNCTIONS[name].arity[0], 1)) for name in FUNCTIONS))


FORMULAS = st.recursive(LEAVES, grow_all, max_leaves=8).map(lambda written: written[0])


def differences(text: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Central differences, and where they can be believed: no kink, jump, pole, root of 0 or cancellation near."""
    expression = parse_expression(text)

    def central(step: float) -> np.ndarray:
        sides = [expression.evaluate({**POINTS, name: POINTS[name] + way}).astype(float) for way in (step, -step)]
        return np.broadcast_to((sides[0] - sides[1]) / (2 * step), 5)

    with np.errstate(all="ignore"):
        one, two = central(STEP), central(2 * STEP)
        calm = np.abs(one - two) <= TRUSTED * (1 + np.abs(one))
    for node in ast.walk(expression.tree):
        if isinstance(node, ast.expr) and not (isinstance(node, ast.Name) and node.id in FUNCTIONS):
            with np.errstate(all="ignore"):
                calm = calm & (np.abs(evaluate(text, node, POINTS).astype(float)) < 1e3)
                edge = root_of(node)
                if edge is not None:  # a root has no slope at 0, though what stands still there has differences
                    calm = calm & (evaluate(text, edge, POINTS).astype(float) != 0)
    return one, calm


def root_of(node: ast.expr) -> ast.expr | None:
    """What a root is taken of, by function or by power; None where the node is no root."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sqrt":
        return node.args[0]
    return node.left if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) else None


def test_agrees_with_finite_differences() -> None:
    believed: list[float] = []

    @settings(max_examples=400)
    @given(FORMULAS, st.sampled_from("abn"))
    def compare(text: str, name: str) -> None:
        expected, calm = differences(text, name)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = np.broadcast_to(derivative(parse_expression(text), name, POINTS), 5)
        np.testing.assert_allclose(found[calm], expected[calm], rtol=10 * TRUSTED, atol=10 * TRUSTED, err_msg=text)
        if name in parse_expression(text).names:
            believed.append(float(calm.mean()))

    compare()
    assert len(believed) > 100
    assert np.mean(believed) > 0.6


@pytest.mark.parametrize("text", ["sqrt(a - a)", "sqrt(a ** 2)", "(0 * a) ** 0.5"])
def test_a_slope_of_nothing_that_meets_one_without_bound_is_not_known(text: str) -> None:
    assert np.isnan(derivative(parse_expression(text), "a", {"a": [0.0]})).all()


@settings(max_examples=100)
@given(FORMULAS)
def test_slopes_add_up(text: str) -> None:
    both = parse_expression(f"2.5 * ({text}) + a")
    found = np.broadcast_to(derivative(both, "a", POINTS), 5)
    alone = np.broadcast_to(derivative(parse_expression(text), "a", POINTS), 5)
    finite = np.isfinite(alone) & np.isfinite(found)
    np.testing.assert_allclose(found[finite], 2.5 * alone[finite] + 1.0, rtol=ALGEBRA, atol=ALGEBRA)


# --- terms ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("asc + b * x", {"asc"}),
        ("asc - b", {"asc"}),
        ("b - asc", {"b"}),
        ("asc", {"asc"}),
        ("(asc + b * x)", {"asc"}),
        ("b * x + (y * 2 + (asc))", {"asc"}),
        ("+asc + base", {"asc", "base"}),
        ("-(asc)", set()),
        ("-(b - asc)", {"asc"}),
        ("x - (b - asc)", {"x", "asc"}),
        ("x + asc * 1", {"x"}),
        ("asc + asc", set()),
        ("asc + asc * x", set()),
        ("asc - asc", set()),
        ("asc + log(x) * x", {"asc"}),
        ("asc * (x + y)", set()),
        ("asc if x > 0 else y", set()),
        ("max(asc, 0)", set()),
        ("asc > 0", set()),
        ("`asc car` + b * x", {"asc car"}),
        ("`log` + log(x)", {"log"}),
        ("1 + 2", set()),
        ("asc + (mode == 'asc') * x", {"asc"}),
    ],
)
def test_own_terms(text: str, expected: set[str]) -> None:
    assert own_terms(parse_expression(text)) == expected


@given(FORMULAS, st.booleans())
def test_own_terms_have_slope_1(text: str, first: bool) -> None:
    expression = parse_expression(f"b - ({text})" if first else f"{text} + n")
    for name in own_terms(expression):
        found = derivative(expression, name, POINTS)
        np.testing.assert_array_equal(found[~np.isnan(found)], 1.0)
