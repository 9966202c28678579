"""Print what choicekit costs beside what the obvious script costs: ``python -m tests.benchmarks``.

Ratios are peer / choicekit: above 1, choicekit is faster. Times are medians of a few runs on whatever this machine is
doing; the ratios are what to compare.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import choicekit as ck
from choicekit.kernels import engine
from tests.benchmarks.assignment import assignment_table
from tests.benchmarks.detection import detection_tables
from tests.benchmarks.kernels import kernel_tables, rule_table
from tests.benchmarks.matching import matching_tables
from tests.benchmarks.networks import network_tables
from tests.benchmarks.timing import median_seconds

ROOT = Path(__file__).parents[2]
UNWANTED = ("matplotlib", "numba", "pandas", "ot", "scipy.stats", "pydantic")


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
    print(f"Python {platform.python_version()}, numpy {np.__version__}, choicekit {ck.__version__}, {engine()}")
    kernel_tables()
    rule_table()
    command_table()
    study_table()
    policy_table()
    assignment_table()
    detection_tables()
    network_tables()
    matching_tables()
