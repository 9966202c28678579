"""Value, probabilities and choices of many rows beside numpy, scipy and, where they are installed, jax and torch."""

from __future__ import annotations

import importlib.util
from functools import partial

import numpy as np
from scipy.special import logsumexp, softmax

import choicekit as ck
from choicekit.rules import Nest, registered_rules
from tests.benchmarks.timing import Work, seconds_of, show_ratios

SIZES = ((1_000_000, 4), (1_000_000, 10), (100_000, 100))
TARGETS = {"value": 1, "probabilities": 1, "coherent": 2.5, "coherent, eight": 4, "fast": 4}
RULE_TARGETS = {"sparsemax": 6, "entmax 1.5": 6, "nested_logit": 3}
GENERAL_TARGET = 20  # entmax of any other alpha


def installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def kernel_tables() -> None:
    print(
        "\nns per utility (eight = eight replications, per draw); ratios are peer / choicekit, beside the fastest peer"
    )
    for n_agents, n_alternatives in SIZES:
        utility = np.random.default_rng(0).normal(size=(n_agents, n_alternatives))
        print(f" {n_agents:,} x {n_alternatives}")
        compare_values(utility)
        compare_probabilities(utility)
        compare_choices(utility)


def compare_values(utility: np.ndarray) -> None:
    peers: dict[str, Work] = {"scipy logsumexp": lambda: logsumexp(utility, axis=1), **jax_works(utility, "value")}
    if installed("torch"):
        import torch

        tensor = torch.from_numpy(utility)
        peers["torch"] = lambda: torch.logsumexp(tensor, dim=1)
    compare("value", {"value": lambda: ck.inclusive_value(utility)}, peers, utility.size)


def compare_probabilities(utility: np.ndarray) -> None:
    peers: dict[str, Work] = {"scipy softmax": lambda: softmax(utility, axis=1), **jax_works(utility, "probabilities")}
    if installed("torch"):
        import torch

        tensor = torch.from_numpy(utility)
        peers["torch"] = lambda: torch.softmax(tensor, dim=1)
    compare("probabilities", {"probabilities": lambda: ck.softmax(utility)}, peers, utility.size)


def compare_choices(utility: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    peers: dict[str, Work] = {
        "numpy gumbel": lambda: (utility + rng.gumbel(size=utility.shape)).argmax(axis=1),
        "numpy race": lambda: (utility - np.log(rng.standard_exponential(utility.shape))).argmax(axis=1),
        "numpy inverse": lambda: (softmax(utility, axis=1).cumsum(1) > rng.random((len(utility), 1))).argmax(axis=1),
        **jax_works(utility, "choice"),
    }
    names, ids = [f"a{place}" for place in range(utility.shape[1])], np.arange(len(utility))

    def ours(replications: int = 1, **how: str) -> Work:
        return lambda: ck.choose(utility, seed=1, agents=ids, alternatives=names, replications=replications, **how)

    mine = {"coherent": ours(), "coherent, eight": ours(8), "fast": ours(sampling="fast")}
    compare("choice", mine, peers, utility.size)


def jax_works(utility: np.ndarray, what: str) -> dict[str, Work]:
    if not installed("jax"):
        return {}
    import jax

    jax.config.update("jax_enable_x64", True)
    array, key = jax.numpy.asarray(utility), jax.random.PRNGKey(0)
    functions = {
        "value": lambda u: jax.scipy.special.logsumexp(u, axis=1),
        "probabilities": lambda u: jax.nn.softmax(u, axis=1),
        "choice": lambda u: jax.random.categorical(key, u, axis=1),
    }
    function = jax.jit(functions[what])
    return {"jax": lambda: function(array).block_until_ready()}


def compare(title: str, mine: dict[str, Work], peers: dict[str, Work], size: int) -> None:
    found = seconds_of({**peers, **{f"our {name}": work for name, work in mine.items()}})
    draws = {name: 8 if name.endswith("eight") else 1 for name in mine}
    costs = {name: found[f"our {name}"] * 1e9 / size / draws[name] for name in mine}
    show_ratios(title, costs, {name: found[name] * 1e9 / size for name in peers}, TARGETS)


# --- rules beside softmax -------------------------------------------------------------------------------------------


def rule_table() -> None:
    print("\nProbabilities of every rule relative to our softmax in the same run (ns per utility)")
    for n_agents, n_alternatives in SIZES:
        utility = np.random.default_rng(0).normal(size=(n_agents, n_alternatives))
        rules = rules_of(n_alternatives)
        works: dict[str, Work] = {name: partial(rule.probabilities, utility) for name, rule in rules.items()}
        found = seconds_of({**works, **entmax_works(utility)}, runs=3)
        print(f" {n_agents:,} x {n_alternatives}")
        for name, seconds in found.items():
            target = RULE_TARGETS.get(name, GENERAL_TARGET if name.startswith("entmax") else None)
            wanted = "" if target is None else f" (target at most {target})"
            print(
                f"   {name:<20} {seconds * 1e9 / utility.size:8.2f}  {seconds / found['softmax']:6.1f}x softmax{wanted}"
            )


def rules_of(n_alternatives: int) -> dict[str, ck.RegularisedRule]:
    """Every registered rule; those that need nests get two, of the even and of the odd places."""
    places = range(n_alternatives)
    halves = {"even": list(places[::2]), "odd": list(places[1::2])}
    settings = {
        "nested_logit": {"nests": {name: Nest(members, 0.5) for name, members in halves.items()}},
        "cross_nested_logit": {
            "nests": {name: Nest(dict.fromkeys(places, 0.5), 0.5) for name in halves}  # each half in both
        },
    }
    rules = {"softmax": ck.Softmax()}
    for name, rule in registered_rules().items():
        if name == "entmax":
            rules |= {f"entmax {alpha:g}": rule(alpha=alpha) for alpha in (1.25, 1.5, 3.0)}
        elif name != "softmax":
            rules[name] = rule(**settings.get(name, {}))
    return rules


def entmax_works(utility: np.ndarray) -> dict[str, Work]:
    """What the package entmax takes, where it is installed with torch."""
    if not (installed("entmax") and installed("torch")):
        return {}
    import entmax
    import torch

    tensor = torch.from_numpy(utility)
    return {
        "(package) sparsemax": lambda: entmax.sparsemax(tensor, dim=1),
        "(package) entmax15": lambda: entmax.entmax15(tensor, dim=1),
        "(package) bisect": lambda: entmax.entmax_bisect(tensor, alpha=1.25, dim=1),
    }
