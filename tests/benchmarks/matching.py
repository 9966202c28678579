"""Deferred acceptance on many pupils, sampled matchings, and prices of capacities beside plain passes."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

import choicekit as ck
from choicekit.choice.calibration.crowd import Crowd


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def matching_tables() -> None:
    rng = np.random.default_rng(0)
    n, m = 100_000, 500
    tastes, favours = rng.gumbel(size=(n, m)), rng.normal(size=(n, m))
    print(f"\nmatching; {n:,} rows, {m} columns with {n // m} places each")
    for words, common in (("tastes alone", 0.0), ("half in common", 1.0), ("mostly in common", 3.0)):
        utility = tastes + common * rng.normal(size=m)
        market = ck.MatchingMarket(row_utility=utility, column_utility=favours, capacity=np.full(m, n // m))
        ck.deferred_acceptance(ck.MatchingMarket(row_utility=utility[:9], column_utility=favours[:9]))  # compiled
        spent = seconds(lambda market=market: ck.deferred_acceptance(market))
        print(f"  deferred acceptance, {words} {spent:.1f} s; target: below 5 s")
    small = ck.MatchingMarket(row_utility=tastes[:3000, :40], capacity=np.full(40, 80))
    result = ck.solve_assignment(small.row_utility, np.ones(3000), ck.AtMost(small.seats), temperature=0.5)
    ck.sample_assignment(result, seed=1)
    spent = seconds(lambda: ck.sample_assignment(result, seed=1, replications=10)) / 10
    print(f"  one sampled matching of 3,000 x 40 {1000 * spent:.0f} ms; best assignment ", end="")
    print(f"{seconds(lambda: ck.optimal_assignment(small)):.2f} s")
    _prices(rng)


def _prices(rng: np.random.Generator) -> None:
    n, m = 1_000_000, 20
    names = [f"a{place}" for place in range(m)]
    people = ck.Population(agents=np.arange(n), columns={"cost": rng.gamma(2.0, size=(n, m))}, alternatives=names)
    constants = {f"c_{name}": float(value) for name, value in zip(names, rng.normal(size=m), strict=True)}
    model = ck.ChoiceModel({name: f"c_{name} - 0.5 * cost" for name in names}, constants)
    crowd = Crowd(model=model, population=people)
    free = crowd.answer(np.zeros(m)).demand
    one = seconds(lambda: crowd.answer(np.zeros(m)))
    print(f"prices of capacities; {n:,} agents, {m} alternatives, one pass {one:.2f} s")
    halved = {name: float(max(0.7 * demand, 1.05 * n / m)) for name, demand in zip(names[::2], free[::2], strict=True)}
    for words, capacity in (
        ("half limited", halved),
        ("all limited, 2 % to spare", dict.fromkeys(names, 1.02 * n / m)),
    ):
        spent = seconds(lambda capacity=capacity: ck.price_capacities(model, people, capacity))
        print(f"  {words}: {spent:.1f} s, {spent / one:.1f} passes; target: at most 12")
