"""Latent classes: kinds of agent that differ in coefficients or in how they choose, and nobody knows who is which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from choicekit.choice.expressions import parse_expression
from choicekit.choice.heterogeneity.coefficients import read_coefficients
from choicekit.choice.heterogeneity.distributions import CoefficientDistribution
from choicekit.choice.sampling import check_rule
from choicekit.errors import InvalidInputError
from choicekit.rules import ChoiceRule

__all__ = ["LatentClass"]


@dataclass(frozen=True, eq=False)
class LatentClass:
    """A kind of agent among several, and how large a part of the agents it is.

    Parameters
    ----------
    share : float, optional
        Part of the agents that are of this class, in [0, 1]; those of all classes of a model sum to one.
    membership : str, optional
        In place of the share: a formula over attributes of agents and coefficients. An agent is of each class with the
        probabilities that softmax at temperature 1 gives these formulas: a logit model of who is what.
    coefficients : mapping of str to (float or distribution)
        Coefficients that are others in this class than in the model.
    rule : ChoiceRule, optional
        How this class chooses, where that is not the model's rule.

    Raises
    ------
    ExpressionError
        For a membership that cannot be read.
    InvalidInputError
        For a share that is no number in [0, 1], a share and a membership, coefficients that are neither finite numbers
        nor distributions, a rule that is none.

    Notes
    -----
    A mixture of rules are classes that differ by their rule alone. An agent is of one class in all its situations.

    References
    ----------
    Train (2009), "Discrete choice methods with simulation", section 14.2 (latent classes); Greene & Hensher (2003), "A
    latent class model for discrete choice analysis", Transportation Research B 37.

    Examples
    --------
    >>> from choicekit.choice.heterogeneity import Normal
    >>> LatentClass(share=0.3, coefficients={"b_cost": -2.0, "b_time": Normal(-1, 0.5)}).coefficients["b_cost"]
    -2.0
    """

    share: float | None = None
    membership: str | None = None
    coefficients: Mapping[str, float | CoefficientDistribution] = field(default_factory=dict)
    rule: ChoiceRule | None = None

    def __post_init__(self) -> None:
        if self.share is not None and self.membership is not None:
            raise InvalidInputError("a class has a share or a membership, found both: drop one of them")
        if self.share is not None:
            object.__setattr__(self, "share", _share(self.share))
        if self.membership is not None:
            text = self.membership if isinstance(self.membership, str) else f"{self.membership!r}"
            parse_expression(text)
            object.__setattr__(self, "membership", text)
        object.__setattr__(self, "coefficients", MappingProxyType(read_coefficients(self.coefficients)))
        if self.rule is not None:
            check_rule(self.rule)


def _share(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | np.integer | np.floating) or not 0 <= given <= 1:
        raise InvalidInputError(f"the share of a class must be a number from 0 to 1, found {given!r}")
    return float(given)
