"""Many agents choosing: utilities, availability, populations, policies, outcomes."""

from choicekit.choice.calibration import Calibration, calibrate_constants
from choicekit.choice.capacity import CapacityPrices, RationedChoices, price_capacities, ration_choices
from choicekit.choice.heterogeneity import (
    Integration,
    LatentClass,
    Lognormal,
    Normal,
    RandomCovariance,
    Triangular,
    TruncatedNormal,
    Uniform,
)
from choicekit.choice.model import ChoiceModel
from choicekit.choice.outcome import ChoiceOutcome
from choicekit.choice.policies import (
    CoefficientCovariance,
    NewAlternative,
    Policy,
    PolicyComparison,
    PolicyOutcome,
    compare_policies,
)
from choicekit.choice.population import Population
from choicekit.choice.ranking import inclusion_probabilities, rank_choices
from choicekit.choice.sampling import choose
from choicekit.choice.segments import Segmentation, segment_by_edges, segment_by_value
from choicekit.choice.simulation import simulate_choices

__all__ = [
    "Calibration",
    "CapacityPrices",
    "ChoiceModel",
    "ChoiceOutcome",
    "CoefficientCovariance",
    "Integration",
    "LatentClass",
    "Lognormal",
    "NewAlternative",
    "Normal",
    "Policy",
    "PolicyComparison",
    "PolicyOutcome",
    "Population",
    "RandomCovariance",
    "RationedChoices",
    "Segmentation",
    "Triangular",
    "TruncatedNormal",
    "Uniform",
    "calibrate_constants",
    "choose",
    "compare_policies",
    "inclusion_probabilities",
    "price_capacities",
    "rank_choices",
    "ration_choices",
    "segment_by_edges",
    "segment_by_value",
    "simulate_choices",
]
