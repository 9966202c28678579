"""The theory: choice rules, each a regularised maximum.

    value(u)         = max over q in the simplex of <q, u> - T * Omega(q)
    probabilities(u) = its gradient

One file a rule. A rule is a frozen dataclass derived from `RegularisedRule` and decorated with `register_rule`; its
fields become its settings in YAML, and the contract suite in ``tests/contracts`` runs over it.
"""

from choicekit.rules.hardmax import Hardmax
from choicekit.rules.protocol import ChoiceRule
from choicekit.rules.registry import register_rule, registered_rules, rule_from_name
from choicekit.rules.regularised import RegularisedRule
from choicekit.rules.softmax import Softmax, inclusive_value, softmax

__all__ = [
    "ChoiceRule",
    "Hardmax",
    "RegularisedRule",
    "Softmax",
    "inclusive_value",
    "register_rule",
    "registered_rules",
    "rule_from_name",
    "softmax",
]
