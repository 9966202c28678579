"""choicekit: choices, assignments and familiarity from one regularised maximum.

Every public name is importable from here and resolved when it is first used, so that ``import choicekit`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from choicekit._version import __version__

if TYPE_CHECKING:
    from choicekit.assignment import (
        AssignmentComparison,
        AssignmentFit,
        AssignmentPath,
        AssignmentPolicy,
        AssignmentProblem,
        AssignmentResult,
        AssignmentSample,
        AtMost,
        CrossCheck,
        Fixed,
        Free,
        MassMove,
        NewPlace,
        Relaxed,
        ScaledMass,
        UtilityShift,
        WithOutsideOption,
        assignment_path,
        compare_assignments,
        coupling_derivatives,
        cross_check,
        fit_assignment,
        sample_assignment,
        solve_assignment,
        solve_assignments,
    )
    from choicekit.choice import (
        Calibration,
        CapacityPrices,
        ChoiceModel,
        ChoiceOutcome,
        CoefficientCovariance,
        Integration,
        LatentClass,
        Lognormal,
        NewAlternative,
        Normal,
        Policy,
        PolicyComparison,
        PolicyOutcome,
        Population,
        RandomCovariance,
        RationedChoices,
        Segmentation,
        Triangular,
        TruncatedNormal,
        Uniform,
        calibrate_constants,
        choose,
        compare_policies,
        inclusion_probabilities,
        price_capacities,
        rank_choices,
        ration_choices,
        segment_by_edges,
        segment_by_value,
        simulate_choices,
    )
    from choicekit.detection import (
        DetectionMetrics,
        EnergyDetector,
        EnergyMargins,
        energy,
        evaluate_detection,
        fit_temperature,
        margin_loss,
        ood_score,
        read_logits,
        score_parquet,
        score_table,
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
    from choicekit.matching import (
        Matching,
        MatchingMarket,
        MechanismComparison,
        blocking_pairs,
        compare_mechanisms,
        deferred_acceptance,
        entropic_assignment,
        immediate_acceptance,
        optimal_assignment,
        serial_dictatorship,
    )
    from choicekit.networks import (
        Community,
        CommunityChange,
        CouplingFit,
        ExtinctionCurve,
        InteractionNetwork,
        Modules,
        NetworkMetrics,
        NullComparison,
        PreferenceFit,
        PreferenceValidation,
        centred,
        compare_communities,
        compare_with_null,
        couple,
        coupling_fit,
        cross_validate_preferences,
        describe_network,
        describe_species,
        extinction_curve,
        find_modules,
        fit_preferences,
        modularity_of,
        neutral_coupling,
        read_edges,
        read_network,
        read_traits,
        sample_network,
    )
    from choicekit.report import write_report
    from choicekit.rules import (
        ChoiceRule,
        CrossNestedLogit,
        Entmax,
        Hardmax,
        Nest,
        NestedLogit,
        RegularisedRule,
        Softmax,
        Sparsemax,
        boltzmann,
        gumbel_softmax,
        gumbel_softmax_vjp,
        inclusive_value,
        mellowmax,
        one_hot_argmax,
        register_rule,
        registered_rules,
        softmax,
    )
    from choicekit.scenario import Check, Scenario, StudyResult, load_scenario, run_scenario

_ROOMS = {
    "choicekit.assignment": (
        "AssignmentComparison AssignmentFit AssignmentPath AssignmentPolicy AssignmentProblem "
        "AssignmentResult AssignmentSample AtMost CrossCheck Fixed Free MassMove NewPlace Relaxed ScaledMass "
        "UtilityShift WithOutsideOption assignment_path compare_assignments coupling_derivatives cross_check "
        "fit_assignment sample_assignment solve_assignment solve_assignments"
    ),
    "choicekit.choice": (
        "Calibration CapacityPrices ChoiceModel ChoiceOutcome CoefficientCovariance Integration LatentClass "
        "Lognormal NewAlternative Normal Policy PolicyComparison PolicyOutcome Population RandomCovariance "
        "RationedChoices Segmentation Triangular TruncatedNormal Uniform calibrate_constants choose "
        "compare_policies inclusion_probabilities price_capacities rank_choices ration_choices "
        "segment_by_edges segment_by_value simulate_choices"
    ),
    "choicekit.detection": (
        "DetectionMetrics EnergyDetector EnergyMargins energy evaluate_detection fit_temperature margin_loss "
        "ood_score read_logits score_parquet score_table"
    ),
    "choicekit.errors": (
        "ChoicekitError ChoicekitWarning ConvergenceError DataError ExpressionError IdentificationError "
        "InfeasibleMassError InvalidInputError MissingExtraError NoAvailableAlternativeError OutputError "
        "Problem ScenarioError ShapeError UnreachableShareError"
    ),
    "choicekit.matching": (
        "Matching MatchingMarket MechanismComparison blocking_pairs compare_mechanisms deferred_acceptance "
        "entropic_assignment immediate_acceptance optimal_assignment serial_dictatorship"
    ),
    "choicekit.networks": (
        "Community CommunityChange CouplingFit ExtinctionCurve InteractionNetwork Modules NetworkMetrics "
        "NullComparison PreferenceFit PreferenceValidation centred compare_communities compare_with_null "
        "couple coupling_fit cross_validate_preferences describe_network describe_species extinction_curve "
        "find_modules fit_preferences modularity_of neutral_coupling read_edges read_network read_traits "
        "sample_network"
    ),
    "choicekit.report": "write_report",
    "choicekit.rules": (
        "ChoiceRule CrossNestedLogit Entmax Hardmax Nest NestedLogit RegularisedRule Softmax Sparsemax "
        "boltzmann gumbel_softmax gumbel_softmax_vjp inclusive_value mellowmax one_hot_argmax register_rule "
        "registered_rules softmax"
    ),
    "choicekit.scenario": "Check Scenario StudyResult load_scenario run_scenario",
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names.split()}

__all__ = [
    "AssignmentComparison",
    "AssignmentFit",
    "AssignmentPath",
    "AssignmentPolicy",
    "AssignmentProblem",
    "AssignmentResult",
    "AssignmentSample",
    "AtMost",
    "Calibration",
    "CapacityPrices",
    "Check",
    "ChoiceModel",
    "ChoiceOutcome",
    "ChoiceRule",
    "ChoicekitError",
    "ChoicekitWarning",
    "CoefficientCovariance",
    "Community",
    "CommunityChange",
    "ConvergenceError",
    "CouplingFit",
    "CrossCheck",
    "CrossNestedLogit",
    "DataError",
    "DetectionMetrics",
    "EnergyDetector",
    "EnergyMargins",
    "Entmax",
    "ExpressionError",
    "ExtinctionCurve",
    "Fixed",
    "Free",
    "Hardmax",
    "IdentificationError",
    "InfeasibleMassError",
    "Integration",
    "InteractionNetwork",
    "InvalidInputError",
    "LatentClass",
    "Lognormal",
    "MassMove",
    "Matching",
    "MatchingMarket",
    "MechanismComparison",
    "MissingExtraError",
    "Modules",
    "Nest",
    "NestedLogit",
    "NetworkMetrics",
    "NewAlternative",
    "NewPlace",
    "NoAvailableAlternativeError",
    "Normal",
    "NullComparison",
    "OutputError",
    "Policy",
    "PolicyComparison",
    "PolicyOutcome",
    "Population",
    "PreferenceFit",
    "PreferenceValidation",
    "Problem",
    "RandomCovariance",
    "RationedChoices",
    "RegularisedRule",
    "Relaxed",
    "ScaledMass",
    "Scenario",
    "ScenarioError",
    "Segmentation",
    "ShapeError",
    "Softmax",
    "Sparsemax",
    "StudyResult",
    "Triangular",
    "TruncatedNormal",
    "Uniform",
    "UnreachableShareError",
    "UtilityShift",
    "WithOutsideOption",
    "__version__",
    "assignment_path",
    "blocking_pairs",
    "boltzmann",
    "calibrate_constants",
    "centred",
    "choose",
    "compare_assignments",
    "compare_communities",
    "compare_mechanisms",
    "compare_policies",
    "compare_with_null",
    "couple",
    "coupling_derivatives",
    "coupling_fit",
    "cross_check",
    "cross_validate_preferences",
    "deferred_acceptance",
    "describe_network",
    "describe_species",
    "energy",
    "entropic_assignment",
    "evaluate_detection",
    "extinction_curve",
    "find_modules",
    "fit_assignment",
    "fit_preferences",
    "fit_temperature",
    "gumbel_softmax",
    "gumbel_softmax_vjp",
    "immediate_acceptance",
    "inclusion_probabilities",
    "inclusive_value",
    "load_scenario",
    "margin_loss",
    "mellowmax",
    "modularity_of",
    "neutral_coupling",
    "one_hot_argmax",
    "ood_score",
    "optimal_assignment",
    "price_capacities",
    "rank_choices",
    "ration_choices",
    "read_edges",
    "read_logits",
    "read_network",
    "read_traits",
    "register_rule",
    "registered_rules",
    "run_scenario",
    "sample_assignment",
    "sample_network",
    "score_parquet",
    "score_table",
    "segment_by_edges",
    "segment_by_value",
    "serial_dictatorship",
    "simulate_choices",
    "softmax",
    "solve_assignment",
    "solve_assignments",
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
