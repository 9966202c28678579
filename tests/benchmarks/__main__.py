"""Print what choicekit costs beside what the obvious script costs: ``python -m tests.benchmarks``.

Ratios are peer / choicekit: above 1, choicekit is faster. Times are medians of a few runs on whatever this machine is
doing; the ratios are what to compare.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.special import logsumexp, softmax

import choicekit as ck

ROOT = Path(__file__).parents[2]
SIZES = ((1_000_000, 4), (1_000_000, 10), (100_000, 100))
UNWANTED = ("matplotlib", "numba", "pandas", "ot", "scipy.stats", "pydantic")


def median_seconds(work: Callable[[], object], runs: int = 5) -> float:
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def peers_of_choice(utility: np.ndarray) -> dict[str, Callable[[], object]]:
    rng = np.random.default_rng(1)
    peers: dict[str, Callable[[], object]] = {
        "numpy gumbel + argmax": lambda: (utility + rng.gumbel(size=utility.shape)).argmax(axis=1),
        "numpy inverse": lambda: (softmax(utility, axis=1).cumsum(1) > rng.random((len(utility), 1))).argmax(axis=1),
    }
    if importlib.util.find_spec("jax"):
        import jax

        jax.config.update("jax_enable_x64", True)
        array, key = jax.numpy.asarray(utility), jax.random.PRNGKey(0)
        categorical = jax.jit(lambda k, u: jax.random.categorical(k, u, axis=1))
        peers["jax categorical"] = lambda: categorical(key, array).block_until_ready()
    return peers


def choice_table() -> None:
    print("\nOne choice an agent, ns per utility (both modes; eight = eight replications, per draw)")
    for n_agents, n_alternatives in SIZES:
        utility = np.random.default_rng(0).normal(size=(n_agents, n_alternatives))
        names = [f"a{place}" for place in range(n_alternatives)]
        ids = np.arange(n_agents)

        def ours(
            replications: int = 1,
            utility: np.ndarray = utility,
            ids: np.ndarray = ids,
            names: list[str] = names,
            **how: str,
        ) -> Callable[[], object]:
            return lambda: ck.choose(utility, seed=1, agents=ids, alternatives=names, replications=replications, **how)

        scale = 1e9 / utility.size
        peers = {name: median_seconds(work, 3) * scale for name, work in peers_of_choice(utility).items()}
        mine = {
            "coherent": median_seconds(ours()) * scale,
            "fast": median_seconds(ours(sampling="fast")) * scale,
            "eight": median_seconds(ours(8), 3) * scale / 8,
        }
        script = peers["numpy gumbel + argmax"]
        shown = ", ".join(f"{name} {cost:.1f}" for name, cost in {**peers, **mine}.items())
        ratios = ", ".join(f"{name} {script / cost:.2f}" for name, cost in mine.items())
        print(f"  {n_agents:>9,} x {n_alternatives:<3}  {shown}\n{'':17}ratio to numpy gumbel + argmax: {ratios}")


def value_table() -> None:
    print("\nInclusive value of a row, ns per utility")
    for n_agents, n_alternatives in SIZES:
        utility = np.random.default_rng(0).normal(size=(n_agents, n_alternatives))
        scale = 1e9 / utility.size
        peer = median_seconds(lambda u=utility: logsumexp(u, axis=1), 3) * scale
        mine = median_seconds(lambda u=utility: ck.inclusive_value(u), 3) * scale
        size = f"{n_agents:>9,} x {n_alternatives:<3}"
        print(f"  {size}  scipy logsumexp {peer:.1f}, choicekit {mine:.1f}, ratio {peer / mine:.2f}")


def command_table() -> None:
    command = [sys.executable, "-m", "choicekit.cli"]
    help_seconds = median_seconds(lambda: subprocess.run([*command, "--help"], check=True, capture_output=True))
    probe = (
        "import sys, choicekit.cli as c\ntry: c.app(['--help'])\nexcept SystemExit: pass\nprint(sorted(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout
    unwanted = [name for name in UNWANTED if f"'{name}'" in loaded]
    print(
        f"\nchoicekit --help: {help_seconds:.2f} s; of {', '.join(UNWANTED)} it imports {', '.join(unwanted) or 'none'}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in ("quickstart", "mode_choice"):
            run = [*command, "run", str(ROOT / "scenarios" / f"{name}.yaml"), "--quiet", "--out", f"{folder}/{name}"]
            seconds = median_seconds(lambda run=run: subprocess.run(run, check=True, capture_output=True), 3)
            size = (Path(folder) / name / "report.html").stat().st_size / 1e3
            print(f"choicekit run {name}.yaml: {seconds:.2f} s warm, report {size:,.0f} kB")


def study_table() -> None:
    print("\nsimulate_choices, 1,000,000 agents x 10 alternatives, 10 replications, shares and inclusive values")
    n_agents, names = 1_000_000, [f"a{place}" for place in range(10)]
    rng = np.random.default_rng(0)
    people = ck.Population(
        agents=np.arange(n_agents), alternatives=names, columns={"x": rng.normal(size=(n_agents, len(names)))}
    )
    model = ck.ChoiceModel("b * x", {"b": 1.0})
    for workers in (1, 2):
        seconds = median_seconds(
            lambda workers=workers: ck.simulate_choices(model, people, seed=1, replications=10, workers=workers), 1
        )
        print(f"  workers {workers}: {seconds:.1f} s, {seconds / (n_agents * 10) * 1e9:.0f} ns per choice")


def policy_table() -> None:
    n_agents, n_alternatives, replications = 200_000, 10, 10
    print(f"\nFour policies, {n_agents:,} agents x {n_alternatives} alternatives, {replications} replications, seconds")
    names, cost = [f"a{place}" for place in range(n_alternatives)], np.random.default_rng(0).exponential
    table = cost(size=(n_agents, n_alternatives))
    people = ck.Population(agents=np.arange(n_agents), alternatives=names, columns={"cost": table})
    model = ck.ChoiceModel("b * cost", {"b": -1.0})
    policies = {f"cheaper {name}": {"change": {name: {"cost": "0.8 * cost"}}} for name in names[:4]}

    def script() -> list[np.ndarray]:
        """Shares and switches only, with common draws, as one would write it once."""
        rng, found = np.random.default_rng(1), [np.zeros((n_alternatives, n_alternatives)) for _ in policies]
        for _ in range(replications):
            noise = rng.gumbel(size=table.shape)
            before = (noise - table).argmax(axis=1)
            for place, total in enumerate(found):
                cheaper = table.copy()
                cheaper[:, place] *= 0.8
                after = (noise - cheaper).argmax(axis=1)
                cells = before * n_alternatives + after
                total += np.bincount(cells, minlength=total.size).reshape(total.shape)
        return found

    def ours(bootstrap: int) -> object:
        return ck.compare_policies(
            model, people, policies, seed=1, replications=replications, bootstrap=bootstrap, elasticities=()
        )

    peer, mine = median_seconds(script, 1), median_seconds(lambda: ours(0), 1)
    print(f"  numpy, shares and switches {peer:.1f}, compare_policies {mine:.1f}, ratio {peer / mine:.2f}")
    print(f"  the same with 500 resamples of the agents {median_seconds(lambda: ours(500), 1):.1f}")


if __name__ == "__main__":
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {cpus} cores")
    print(f"Python {platform.python_version()}, numpy {np.__version__}, choicekit {ck.__version__}")
    command_table()
    choice_table()
    value_table()
    study_table()
    policy_table()
