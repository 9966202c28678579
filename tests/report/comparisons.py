"""Results of small comparisons of policies, and their reports, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from choicekit.choice.model import ChoiceModel
from choicekit.choice.outcome import ChoiceOutcome
from choicekit.choice.policies import CoefficientCovariance, Policy, compare_policies
from choicekit.choice.population import Population
from choicekit.choice.segments import Segmentation
from choicekit.choice.simulation import simulate_choices
from choicekit.report.content import Report
from choicekit.report.kinds import build_report
from choicekit.rules import Softmax
from choicekit.scenario.result import StudyResult
from tests.report.studies import HOSTILE, by_thirds, mode_choice, result_of, travellers

POLICIES: Mapping[str, Any] = {
    "cheaper-train": {"change": {"train": {"cost": "0.8 * cost"}}},
    "no-bus": {"remove": ["bus"]},
    "night-train": {
        "description": "A train by night, for less.",
        "add": {"night_train": {"columns_like": "train", "change": {"cost": "0.6 * cost"}}},
    },
    "dearer": {"coefficients": {"b_cost": "1.2 * b_cost"}},
}

ERRORS = {"asc_air": 0.78, "asc_train": 0.44, "asc_bus": 0.45, "b_cost": 0.0044, "b_wait": 0.0104, "b_income": 0.0103}


def compared(
    outcome: ChoiceOutcome,
    policies: Mapping[str, Any],
    *,
    changes: Mapping[str, Any] | None = None,
    scenario: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> StudyResult:
    """Compare policies with the baseline of an outcome; `changes` are those of `result_of`."""
    study = outcome.study
    settings = {"bootstrap": 40, "parameter_draws": 40} | arguments
    comparison = compare_policies(
        study.model,
        study.population,
        policies,
        seed=outcome.seed,
        replications=outcome.replications,
        segments=study.segments,
        **settings,
    )
    blocks = {name: given for name, given in policies.items() if not isinstance(given, Policy)}
    written = {"policies": blocks} | dict(scenario or {})
    result = result_of(outcome, scenario=written, **dict(changes or {}))
    return replace(result, comparison=comparison, warnings=(*result.warnings, *comparison.warnings))


def mode_comparison(policies: Mapping[str, Any] = POLICIES, *, replications: int = 40, **arguments: Any) -> StudyResult:
    """Compare policies for Greene's travellers, in money and with uncertain coefficients."""
    given: dict[str, Any] = {
        "money": "b_cost",
        "covariance": CoefficientCovariance.from_standard_errors(ERRORS),
        "scenario": {
            "welfare": {"money": "b_cost", "unit": "$"},
            "labels": {"agents": "travellers", "choices": "trips"},
        },
    } | arguments
    outcome = given.pop("outcome", None) or mode_choice(replications=replications)
    return compared(outcome, policies, **given)


def constant_comparison(
    utilities: Mapping[str, str],
    policies: Mapping[str, Any],
    *,
    n: int = 60,
    replications: int = 20,
    segments: Sequence[Segmentation] = (),
    coefficients: Mapping[str, float] | None = None,
    sampling: str = "auto",
    weights: Any = None,
    **arguments: Any,
) -> StudyResult:
    """Compare policies for agents who differ in one column, x."""
    people = Population(agents=np.arange(n), columns={"x": np.linspace(-1, 1, n)}, weights=weights)
    model = arguments.pop("model", None) or ChoiceModel(utilities, coefficients or {})
    outcome = simulate_choices(
        model,
        people,
        seed=1,
        replications=replications,
        segments=segments,
        sampling=sampling,  # type: ignore[arg-type]
    )
    return compared(outcome, policies, sampling=sampling, **arguments)


def hostile_comparison() -> StudyResult:
    """Every text a user can write is hostile."""
    names = {name: f"x * {place} / 9" for place, name in enumerate(HOSTILE)}
    policies: dict[str, Any] = {
        HOSTILE[0]: {"description": "<img src=x onerror=alert(3)>", "remove": [HOSTILE[1]]},
        HOSTILE[1]: {"attributes": {"x": "2 * x"}},
        HOSTILE[4]: {"add": {"</script><b>new</b>": {"utility": "1 + x"}}},
        HOSTILE[5]: {"change": {HOSTILE[5]: {"x": "x + 1"}}},
        HOSTILE[6]: Policy(rule=Softmax(temperature=2.0)),
    }
    labels = {"agents": "<i>agents</i>", "choices": "</title>", "inclusive_value": "<u>u</u>"}
    return constant_comparison(
        names,
        policies,
        segments=[by_thirds(HOSTILE[0], HOSTILE[:6])],
        scenario={"labels": labels, "welfare": {"money": "1", "unit": "<$>"}},
    )


def many_comparison(n_policies: int = 50, n_alternatives: int = 60) -> StudyResult:
    """Many policies over many alternatives."""
    utilities = {f"mode_{place:02d}": f"b * x * {place + 1} / 9 - {place} / 30" for place in range(n_alternatives)}
    policies = {
        f"policy-{number:02d}": {
            "change": {f"mode_{number % n_alternatives:02d}": {"x": f"x + {0.1 * (number + 1):.1f}"}}
        }
        for number in range(n_policies)
    }
    segments = [by_thirds(f"by {place}", [f"group {g}" for g in range(place + 2)]) for place in range(2)]
    return constant_comparison(
        utilities, policies, coefficients={"b": 1.0}, segments=segments, replications=4, bootstrap=5, elasticities=["x"]
    )


def half_available() -> StudyResult:
    """Some have nothing to choose and count as choosing the outside option; weights, and a policy that filters."""
    available = np.ones((210, 4), dtype=bool)
    available[:20] = False
    available[20:60, 2] = False
    people = travellers(availability=available, weights=np.linspace(0.5, 3, 210))
    outcome = mode_choice(replications=10, population=people, on_no_alternative="outside")
    policies = {
        **POLICIES,
        "rich-only": {"filter": "income > 40"},
        "no-air-for-some": {"availability": {"air": "income > 30"}},
    }
    return mode_comparison(policies, outcome=outcome)


def nothing_changes() -> StudyResult:
    """Policies that are equal to the baseline."""
    return mode_comparison({"as-ever": {"change": {"train": {"cost": "1 * cost"}}}, "the-same": {}}, replications=10)


RESULTS = {
    "usual": mode_comparison,
    "hostile": hostile_comparison,
    "many": many_comparison,
    "two": lambda: constant_comparison(
        {"a": "0", "b": "x"}, {"more": {"change": {"b": {"x": "x + 1"}}}}, replications=1
    ),
    "fast": lambda: constant_comparison(
        {"a": "0", "b": "x", "c": "1"}, {"more": {"change": {"b": {"x": "x + 1"}}}}, sampling="fast", bootstrap=0
    ),
    "outside": half_available,
    "nothing": nothing_changes,
    "certain": lambda: constant_comparison(
        {}, {"up": {"change": {"a": {"x": "x + 5"}}}}, model=ChoiceModel({"a": "x", "b": "0.01"}, rule=Softmax(0.0))
    ),
    "bare": lambda: mode_comparison(replications=4, covariance=None, bootstrap=0, money=None, scenario={}),
    "nobody": lambda: mode_comparison(
        {"cheap": {"change": {"car": {"cost": "1"}}}},
        outcome=mode_choice(
            replications=3,
            population=travellers(availability=np.zeros((210, 4), dtype=bool)),
            on_no_alternative="skip",
        ),
        covariance=None,
    ),
    "one left": lambda: constant_comparison({"a": "0", "b": "x"}, {"only-a": {"remove": ["b"]}}),
}
"""Results by name, each made when it is asked for."""


@cache
def result_on(name: str) -> StudyResult:
    """Return one of the results, worked out once."""
    return RESULTS[name]()


@cache
def report_on(name: str) -> Report:
    """Return the report of one of the results, built once."""
    return build_report(result_on(name))
