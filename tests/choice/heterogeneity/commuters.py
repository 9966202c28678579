"""Commuters who differ: a small population and models of it, for the tests of heterogeneity."""

from __future__ import annotations

from typing import Any

import numpy as np

from choicekit import ChoiceModel, Population

MODES = ("bus", "car", "walk")
UTILITIES = {
    "bus": "asc_bus + b_cost * cost + b_time * time",
    "car": "b_cost * cost + b_time * time",
    "walk": "b_time * time",
}
COEFFICIENTS = {"asc_bus": 0.4, "b_cost": -0.8, "b_time": -0.5}


def commuters(n_agents: int, *, situations: int = 1, weighted: bool = False, seed: int = 5) -> Population:
    rng = np.random.default_rng(seed)
    n = n_agents * situations
    return Population(
        agents=np.repeat(np.arange(n_agents), situations),
        situations=np.tile(np.arange(situations), n_agents) if situations > 1 else None,
        alternatives=MODES,
        columns={
            "cost": rng.gamma(3.0, 0.6, (n, 3)),
            "time": rng.gamma(3.0, 0.7, (n, 3)),
            "age": np.repeat(rng.uniform(20, 70, n_agents), situations),
        },
        weights=rng.uniform(0.5, 2.0, n) if weighted else None,
    )


def model(coefficients: dict[str, Any] | None = None, **settings: Any) -> ChoiceModel:
    return ChoiceModel(UTILITIES, {**COEFFICIENTS, **(coefficients or {})}, **settings)


def utilities(people: Population, **coefficients: Any) -> np.ndarray:
    """Utilities by hand, coefficients (...) giving (..., N, J)."""
    values = {**COEFFICIENTS, **coefficients}
    asc, b_cost, b_time = (np.asarray(values[name])[..., None] for name in ("asc_bus", "b_cost", "b_time"))
    cost, time = people.columns["cost"], people.columns["time"]
    bus = asc + b_cost * cost[:, 0] + b_time * time[:, 0]
    car = b_cost * cost[:, 1] + b_time * time[:, 1]
    return np.stack([bus, car, np.broadcast_to(b_time * time[:, 2], bus.shape)], axis=-1)
