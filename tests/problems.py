"""Choice problems whose answers are known in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

INF = math.inf
LN2, LN3, LN4 = math.log(2), math.log(3), math.log(4)


@dataclass(frozen=True, kw_only=True)
class ChoiceProblem:
    """Utilities and a temperature of the softmax, with its probabilities and inclusive value."""

    name: str
    utility: tuple[float, ...]
    temperature: float
    probabilities: tuple[float, ...]
    value: float
    rtol: float = 1e-14
    """Relative precision to which the answers are given."""

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def _odds(name: str, weights: tuple[int, ...], temperature: float) -> ChoiceProblem:
    """Utilities T log(w): probabilities are w / sum(w) and the value is T log(sum(w))."""
    total = sum(weights)
    return ChoiceProblem(
        name=name,
        utility=tuple(temperature * math.log(weight) if weight else -INF for weight in weights),
        temperature=temperature,
        probabilities=tuple(weight / total for weight in weights),
        value=temperature * math.log(total),
    )


CLOSED_FORM = (
    ChoiceProblem(name="one alternative", utility=(-3.25,), temperature=2.0, probabilities=(1.0,), value=-3.25),
    ChoiceProblem(name="a coin", utility=(0.0, 0.0), temperature=1.0, probabilities=(0.5, 0.5), value=LN2),
    ChoiceProblem(
        name="four equal at 3", utility=(3.0,) * 4, temperature=2.0, probabilities=(0.25,) * 4, value=3 + 2 * LN4
    ),
    ChoiceProblem(name="odds of three", utility=(0.0, LN3), temperature=1.0, probabilities=(0.25, 0.75), value=LN4),
    _odds("odds 1 2 5", (1, 2, 5), 1.0),
    _odds("odds 1 2 5 at half the temperature", (1, 2, 5), 0.5),
    _odds("odds 7 1 at a large temperature", (7, 1), 1e6),
    _odds("odds with a zero mass", (3, 0, 1), 1.0),
    _odds("geometric", tuple(2**power for power in range(20)), 1.0),
    _odds("odds of a million", (999_999, 1), 1.0),
    ChoiceProblem(
        name="only one available", utility=(-INF, 4.0, -INF), temperature=0.5, probabilities=(0, 1, 0), value=4.0
    ),
    ChoiceProblem(
        name="a spread of 1e300", utility=(1e300, 0.0, -1e300), temperature=1.0, probabilities=(1, 0, 0), value=1e300
    ),
    ChoiceProblem(
        name="ties at 1e300", utility=(1e300, -1e300, 1e300), temperature=1.0, probabilities=(0.5, 0, 0.5), value=1e300
    ),
    ChoiceProblem(
        name="the largest spread a float holds",
        utility=(1.7e308, -1.7e308),
        temperature=1.0,
        probabilities=(1, 0),
        value=1.7e308,
    ),
    ChoiceProblem(
        name="tiny utilities are equal utilities",
        utility=(1e-300, 2e-300, 0.0),
        temperature=1.0,
        probabilities=(1 / 3,) * 3,
        value=LN3,
    ),
    ChoiceProblem(
        name="tiny utilities at their own temperature",
        utility=(0.0, 1e-300 * LN3),
        temperature=1e-300,
        probabilities=(0.25, 0.75),
        value=1e-300 * LN4,
        rtol=1e-13,
    ),
    ChoiceProblem(
        name="cold", utility=(1.0, 2.0, 3.0, 5.0, 5.0), temperature=1e-3, probabilities=(0, 0, 0, 0.5, 0.5),
        value=5 + 1e-3 * LN2,
    ),
    ChoiceProblem(
        name="colder", utility=(1.0, 2.0, 3.0, 5.0, 5.0), temperature=1e-12, probabilities=(0, 0, 0, 0.5, 0.5),
        value=5 + 1e-12 * LN2,
    ),
    ChoiceProblem(
        name="frozen", utility=(1.0, 2.0, 3.0, 5.0, 5.0), temperature=0.0, probabilities=(0, 0, 0, 0.5, 0.5), value=5.0
    ),
    ChoiceProblem(
        name="frozen without ties", utility=(-1.0, 2.0, -INF), temperature=0.0, probabilities=(0, 1, 0), value=2.0
    ),
    ChoiceProblem(
        name="hot", utility=(1.0, 2.0), temperature=1e300, probabilities=(0.5, 0.5), value=1e300 * LN2
    ),
)  # fmt: skip


HARD_UTILITIES: tuple[tuple[float, ...], ...] = (
    (0.0,),
    (-7.5,),
    (0.0, 0.0),
    (1.0, 2.0, 3.0, 5.0, 5.0),
    (4.0, 4.0, 4.0),
    (-INF, 1.0, -INF),
    (-INF, 2.0, 2.0, 1.0),
    (1e300, 0.0, -1e300),
    (1e300, 1e300, -1e300),
    (-1e300, -1e300),
    (1e-300, -1e-300, 0.0),
    (5e-324, 0.0, 5e-324),
    (700.0, -745.0, 0.0, 1e-3),
    (1e16, 1e16 + 2, 1e16 - 2),
    (-INF, -1e300),
)
"""Zero mass, a single available alternative, ties, huge and tiny utilities: every law is tried on each."""
