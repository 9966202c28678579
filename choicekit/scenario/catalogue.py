"""What there is to name in a scenario: kinds, rules, functions."""

from __future__ import annotations

from choicekit.choice.expressions import FUNCTIONS
from choicekit.rules import registered_rules
from choicekit.scenario.kinds import kind_named, kinds

__all__ = ["catalogue"]


def catalogue() -> dict[str, dict[str, str]]:
    """Return every name a scenario may use, by sort, with a line on each.

    Examples
    --------
    >>> list(catalogue())
    ['kinds', 'rules', 'functions in formulas']
    """
    return {
        "kinds": {name: kind_named(name).description for name in kinds()},
        "rules": {
            name: (rule.__doc__ or "").strip().split("\n")[0] for name, rule in sorted(registered_rules().items())
        },
        "functions in formulas": {name: function.description for name, function in FUNCTIONS.items()},
    }
