"""What there is to name in a scenario: kinds, rules, conditions, distributions, scores, null models, mechanisms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from choicekit.choice.expressions import FUNCTIONS
from choicekit.choice.heterogeneity.distributions import registered_distributions
from choicekit.detection.scores import SCORES
from choicekit.matching.comparison import MECHANISM_CLAIMS
from choicekit.networks.extinctions import ORDERS
from choicekit.networks.null_models import NULL_MODELS
from choicekit.rules import registered_rules
from choicekit.scenario.assignment.sides import CONDITIONS
from choicekit.scenario.detection.blocks import ScoreName
from choicekit.scenario.kinds import kind_named, kinds

__all__ = ["catalogue"]


def catalogue() -> dict[str, dict[str, str]]:
    """Return every name a scenario may use, by sort, with a line on each.

    Examples
    --------
    >>> list(catalogue())[:4]
    ['kinds', 'rules', 'conditions of rows and columns', 'distributions of coefficients']
    """
    return {
        "kinds": {name: kind_named(name).description for name in kinds()},
        "rules": _claims(registered_rules()),
        "conditions of rows and columns": _claims(CONDITIONS),
        "distributions of coefficients": _claims(registered_distributions()),
        "scores of logits": {name: SCORES[name].meaning for name in get_args(ScoreName)},
        "null models of webs": dict(NULL_MODELS),
        "orders of extinction": dict(ORDERS),
        "mechanisms of matching": dict(MECHANISM_CLAIMS),
        "functions in formulas": {name: function.description for name, function in FUNCTIONS.items()},
    }


def _claims(registered: Mapping[str, type]) -> dict[str, str]:
    return {name: (kind.__doc__ or "").strip().split("\n")[0] for name, kind in sorted(registered.items())}
