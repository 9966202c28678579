"""Many agents choosing: utilities, availability, populations, outcomes."""

from choicekit.choice.model import ChoiceModel
from choicekit.choice.outcome import ChoiceOutcome
from choicekit.choice.population import Population
from choicekit.choice.sampling import choose
from choicekit.choice.segments import Segmentation, segment_by_edges, segment_by_value
from choicekit.choice.simulation import simulate_choices

__all__ = [
    "ChoiceModel",
    "ChoiceOutcome",
    "Population",
    "Segmentation",
    "choose",
    "segment_by_edges",
    "segment_by_value",
    "simulate_choices",
]
