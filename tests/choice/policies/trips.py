"""Small worlds for policies: trips by three modes, with every complication that can be asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from choicekit import ChoiceModel, Hardmax, PolicyComparison, Population, RegularisedRule, Softmax, compare_policies

MODES = ("walk", "bus", "car")
COEFFICIENTS = {"asc_bus": 0.5, "asc_car": 1.0, "b_cost": -0.5, "b_time": -0.25}
UTILITIES = {
    "walk": "b_time * time",
    "bus": "asc_bus + b_cost * cost + b_time * time",
    "car": "asc_car + b_cost * cost + b_time * time + 0.02 * age",
}
MODEL = ChoiceModel(UTILITIES, COEFFICIENTS)


def trips(n: int, *, seed: int = 5, weighted: bool = False, situations: int = 0, restricted: float = 0.0) -> Population:
    """Make n agents with so many situations each; each mode is unavailable to a part `restricted` of the rows."""
    rng = np.random.default_rng(seed)
    rows = n * max(situations, 1)
    return Population(
        agents=np.repeat(np.arange(n) * 7 + 3, max(situations, 1)),
        situations=np.tile(np.arange(situations), n) if situations else None,
        alternatives=MODES,
        columns={
            "cost": rng.uniform(0, 6, (rows, 3)).round(3),
            "time": rng.uniform(1, 9, (rows, 3)).round(3),
            "age": rng.integers(5, 70, rows).astype(float),
            "home": rng.choice(np.array(["city", "farm", "town"], dtype=object), rows),
        },
        weights=rng.choice([0.0, 0.5, 1.0, 2.0, 3.25], rows, p=[0.1, 0.2, 0.3, 0.2, 0.2]) + (np.arange(rows) == 0)
        if weighted
        else None,
        availability=rng.random((rows, 3)) >= restricted if restricted else None,
    )


def subset(population: Population, rows: np.ndarray) -> Population:
    """Return some rows of a population, in the order given."""

    def cut(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[rows]

    return Population(
        agents=population.agents[rows],
        situations=cut(population.situations),
        alternatives=population.alternatives,
        columns={name: values[rows] for name, values in population.columns.items()},
        weights=cut(population.weights),
        availability=cut(population.availability),
    )


def softmax_by_hand(utility: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities by the formula, with nothing clever."""
    weights = np.exp(utility / temperature)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def compared(
    policy: Any, *, model: ChoiceModel = MODEL, population: Population | None = None, **settings: Any
) -> PolicyComparison:
    """Compare one policy, called "it", with a baseline, quickly unless told otherwise."""
    people = trips(40) if population is None else population
    quick: dict[str, Any] = {"seed": 1, "replications": 20, "bootstrap": 0}
    return compare_policies(model, people, {"it": policy}, **{**quick, **settings})


@dataclass(frozen=True, kw_only=True)
class World:
    """A model, a population and the settings of a comparison."""

    model: ChoiceModel
    population: Population
    settings: dict[str, Any]


RULES: tuple[RegularisedRule, ...] = (Softmax(), Softmax(0.5), Softmax(3.0), Softmax(0.0), Hardmax())


@st.composite
def worlds(draw: st.DrawFn, most: int = 30) -> World:
    """Worlds of a few agents: rules, weights, panels, missing alternatives, conditions, segments, both samplings."""
    on_nothing = draw(st.sampled_from(["error", "skip", "outside"]))
    population = trips(
        draw(st.integers(1, most)),
        seed=draw(st.integers(0, 1000)),
        weighted=draw(st.booleans()),
        situations=draw(st.sampled_from([0, 1, 3])),
        restricted=0.0 if on_nothing == "error" else draw(st.sampled_from([0.2, 0.6])),
    )
    condition = {"car": "age > 18"} if draw(st.booleans()) else {}
    model = replace(MODEL, rule=draw(st.sampled_from(RULES)), availability=condition, on_no_alternative=on_nothing)
    if not model.available(population).any():
        model = replace(model, on_no_alternative="outside")
    settings = {
        "seed": draw(st.integers(0, 2**64 - 1)),
        "replications": draw(st.integers(1, 6)),
        "sampling": draw(st.sampled_from(["auto", "fast"])),
        "segments": draw(st.sampled_from([(), ("home",), ("home", "age")])),
    }
    return World(model=model, population=population, settings=settings)
