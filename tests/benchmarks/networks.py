"""Webs described, compared with chance, and preferences learnt: seconds, beside what is asked of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np

import choicekit as ck


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def network_tables() -> None:
    rng = np.random.default_rng(0)
    web = rng.poisson(0.1 * np.outer(rng.lognormal(0, 1.5, 100), rng.lognormal(0, 1.5, 300))).astype(float)
    ck.describe_network(web[:5])  # compiled
    print(f"\nnetworks; a web of 100 x 300 with {np.count_nonzero(web):,} links and {web.sum():,.0f} visits")
    print(f"  all metrics {seconds(lambda: ck.describe_network(web)):.3f} s; target: below 1 s")
    print(f"  modules, 20 restarts {seconds(lambda: ck.find_modules(web, seed=1)):.3f} s")
    workers, webs = min(2, os.cpu_count() or 1), 1000
    for model in ("equiprobable", "fixed_marginals", "connectance"):
        spent = seconds(
            lambda model=model: ck.compare_with_null(web, model, seed=1, replications=webs, workers=workers)
        )
        print(f"  {webs:,} null webs, {model}, all metrics, {workers} threads {spent:.1f} s; target: below 60 s")
    preferences, sites = rng.normal(size=(41, 125)), []
    for _ in range(17):
        rows, columns = (rng.gamma(1.0, size=size) * (rng.random(size) < 0.8) for size in preferences.shape)
        law = ck.couple(preferences, rows, columns).coupling.reshape(-1)
        counts = rng.multinomial(2000, law / law.sum()).reshape(preferences.shape)
        sites.append(ck.InteractionNetwork(counts=counts))
    spent = seconds(lambda: ck.fit_preferences(sites, penalty=1.0))
    print(f"  a free table of 41 x 125 over 17 sites {spent:.1f} s; target: seconds")
