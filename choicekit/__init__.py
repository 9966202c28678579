"""choicekit: choices, assignments and familiarity from one regularised maximum.

Every public name is importable from here and resolved when it is first used, so that ``import choicekit`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from choicekit._version import __version__

if TYPE_CHECKING:
    from choicekit.choice import (
        Calibration,
        ChoiceModel,
        ChoiceOutcome,
        CoefficientCovariance,
        NewAlternative,
        Policy,
        PolicyComparison,
        PolicyOutcome,
        Population,
        Segmentation,
        calibrate_constants,
        choose,
        compare_policies,
        segment_by_edges,
        segment_by_value,
        simulate_choices,
    )
    from choicekit.errors import (
        ChoicekitError,
        ChoicekitWarning,
        ConvergenceError,
        DataError,
        ExpressionError,
        IdentificationError,
        InfeasibleMassError,
        InvalidInputError,
        MissingExtraError,
        NoAvailableAlternativeError,
        OutputError,
        Problem,
        ScenarioError,
        ShapeError,
        UnreachableShareError,
    )
    from choicekit.report import write_report
    from choicekit.rules import (
        ChoiceRule,
        Hardmax,
        RegularisedRule,
        Softmax,
        inclusive_value,
        register_rule,
        registered_rules,
        softmax,
    )
    from choicekit.scenario import Check, Scenario, StudyResult, load_scenario, run_scenario

_ROOMS = {
    "choicekit.choice": (
        "Calibration",
        "ChoiceModel",
        "ChoiceOutcome",
        "CoefficientCovariance",
        "NewAlternative",
        "Policy",
        "PolicyComparison",
        "PolicyOutcome",
        "Population",
        "Segmentation",
        "calibrate_constants",
        "choose",
        "compare_policies",
        "segment_by_edges",
        "segment_by_value",
        "simulate_choices",
    ),
    "choicekit.errors": (
        "ChoicekitError",
        "ChoicekitWarning",
        "ConvergenceError",
        "DataError",
        "ExpressionError",
        "IdentificationError",
        "InfeasibleMassError",
        "InvalidInputError",
        "MissingExtraError",
        "NoAvailableAlternativeError",
        "OutputError",
        "Problem",
        "ScenarioError",
        "ShapeError",
        "UnreachableShareError",
    ),
    "choicekit.report": ("write_report",),
    "choicekit.rules": (
        "ChoiceRule",
        "Hardmax",
        "RegularisedRule",
        "Softmax",
        "inclusive_value",
        "register_rule",
        "registered_rules",
        "softmax",
    ),
    "choicekit.scenario": ("Check", "Scenario", "StudyResult", "load_scenario", "run_scenario"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Calibration",
    "Check",
    "ChoiceModel",
    "ChoiceOutcome",
    "ChoiceRule",
    "ChoicekitError",
    "ChoicekitWarning",
    "CoefficientCovariance",
    "ConvergenceError",
    "DataError",
    "ExpressionError",
    "Hardmax",
    "IdentificationError",
    "InfeasibleMassError",
    "InvalidInputError",
    "MissingExtraError",
    "NewAlternative",
    "NoAvailableAlternativeError",
    "OutputError",
    "Policy",
    "PolicyComparison",
    "PolicyOutcome",
    "Population",
    "Problem",
    "RegularisedRule",
    "Scenario",
    "ScenarioError",
    "Segmentation",
    "ShapeError",
    "Softmax",
    "StudyResult",
    "UnreachableShareError",
    "__version__",
    "calibrate_constants",
    "choose",
    "compare_policies",
    "inclusive_value",
    "load_scenario",
    "register_rule",
    "registered_rules",
    "run_scenario",
    "segment_by_edges",
    "segment_by_value",
    "simulate_choices",
    "softmax",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'choicekit' has no attribute {name!r}")
    value = getattr(import_module(_ROOM_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
