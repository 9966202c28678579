"""Agents who differ: random coefficients, latent classes, mixtures of rules."""

from choicekit.choice.heterogeneity.classes import LatentClass
from choicekit.choice.heterogeneity.correlation import RandomCovariance
from choicekit.choice.heterogeneity.distributions import (
    CoefficientDistribution,
    Lognormal,
    Normal,
    Triangular,
    TruncatedNormal,
    Uniform,
    register_distribution,
    registered_distributions,
)
from choicekit.choice.heterogeneity.integration import Integration
from choicekit.choice.heterogeneity.quasi_random import QuasiRandomNodes, standard_error

__all__ = [
    "CoefficientDistribution",
    "Integration",
    "LatentClass",
    "Lognormal",
    "Normal",
    "QuasiRandomNodes",
    "RandomCovariance",
    "Triangular",
    "TruncatedNormal",
    "Uniform",
    "register_distribution",
    "registered_distributions",
    "standard_error",
]
