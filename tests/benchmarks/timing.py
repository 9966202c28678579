"""Timing of several ways to do one thing: in turns, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Work = Callable[[], object]


def seconds_of(works: Mapping[str, Work], runs: int = 5) -> dict[str, float]:
    """Median seconds of each, after one run of each that is not counted (it compiles)."""
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def median_seconds(work: Work, runs: int = 5) -> float:
    return seconds_of({"it": work}, runs)["it"]


def show_ratios(title: str, mine: Mapping[str, float], peers: Mapping[str, float], target: Mapping[str, float]) -> None:
    """Print ns of each and peer / choicekit, with the fastest peer's ratio beside its target."""
    fastest = min(peers, key=lambda name: peers[name])
    print(f"  {title:<15} peers: {', '.join(f'{name} {cost:.2f}' for name, cost in peers.items())}")
    for name, cost in mine.items():
        wanted = f" (target {target[name]:g})" if name in target else ""
        others = ", ".join(f"{peer} {peers[peer] / cost:.1f}x" for peer in peers if peer != fastest)
        print(f"{'':17} {name} {cost:.2f}: {peers[fastest] / cost:.2f}x {fastest}{wanted}{others and f'; {others}'}")
