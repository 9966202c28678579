"""Ecological interaction networks: who interacts with whom, what they prefer, and what if."""

from choicekit.networks.community import Community
from choicekit.networks.cross_validation import PreferenceValidation, cross_validate_preferences
from choicekit.networks.ensembles import CouplingFit, centred, couple, coupling_fit, neutral_coupling
from choicekit.networks.extinctions import ExtinctionCurve, extinction_curve
from choicekit.networks.metrics import NetworkMetrics, describe_network
from choicekit.networks.modularity import Modules, find_modules, modularity_of
from choicekit.networks.network import InteractionNetwork
from choicekit.networks.null_models import NullComparison, compare_with_null, sample_network
from choicekit.networks.preferences import PreferenceFit, fit_preferences
from choicekit.networks.reading import read_edges, read_network, read_traits
from choicekit.networks.species import describe_species
from choicekit.networks.what_if import CommunityChange, compare_communities

__all__ = [
    "Community",
    "CommunityChange",
    "CouplingFit",
    "ExtinctionCurve",
    "InteractionNetwork",
    "Modules",
    "NetworkMetrics",
    "NullComparison",
    "PreferenceFit",
    "PreferenceValidation",
    "centred",
    "compare_communities",
    "compare_with_null",
    "couple",
    "coupling_fit",
    "cross_validate_preferences",
    "describe_network",
    "describe_species",
    "extinction_curve",
    "find_modules",
    "fit_preferences",
    "modularity_of",
    "neutral_coupling",
    "read_edges",
    "read_network",
    "read_traits",
    "sample_network",
]
