"""A prepared formula gives what the formula gives, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit import ExpressionError
from choicekit.choice.expressions import parse_expression
from choicekit.choice.expressions.preparing import prepared

COLUMNS = {"t": np.linspace(0, 3, 7), "mode": np.array(list("abcabca"), dtype=object), "asc": 1.5}


@pytest.mark.parametrize(
    "text",
    [
        "asc + b * t + 0.3 * log(1 + t) * (mode == 'a')",
        "b",
        "where(mode in ['a', 'b'], b * t, asc) if b > 0.1 else -1",
        "max(b, t, asc) ** 2 % 0.7",
        "not b",
        "1 / b - exp(b * t) + clip(t, 0, b)",
        "0.1 < b <= t",
        "asc + t * 3",
    ],
)
@pytest.mark.parametrize("value", [0.3, -1, 0.0, np.linspace(-1, 1, 7), np.linspace(-1, 1, 21).reshape(3, 7)])
def test_a_prepared_formula_is_the_formula(text: str, value: float) -> None:
    formula = parse_expression(text)
    known = {name: COLUMNS[name] for name in formula.names - {"b"}}
    ready = prepared(formula, known, {"b", "other"})
    assert ready.waits == ("b" in formula.names)
    for _ in range(2):
        np.testing.assert_array_equal(
            ready.evaluate({"b": value, "other": 1.0}), formula.evaluate({**known, "b": value})
        )


def test_faults_are_those_of_the_formula() -> None:
    with pytest.raises(ExpressionError, match="can only be compared"):
        prepared(parse_expression("b + mode * 2"), {"mode": COLUMNS["mode"]}, {"b"})
