"""The theory: choice rules, each a regularised maximum.

    value(u)         = max over q in the simplex of <q, u> - T * Omega(q)
    probabilities(u) = its gradient

One file a rule. A rule is a frozen dataclass derived from `RegularisedRule` and decorated with `register_rule`; its
fields become its settings in YAML, and the contract suite in ``tests/contracts`` runs over it.
"""

from choicekit.rules.cross_nested_logit import CrossNestedLogit
from choicekit.rules.entmax import Entmax
from choicekit.rules.gumbel_softmax import gumbel_softmax, gumbel_softmax_vjp
from choicekit.rules.hardmax import Hardmax
from choicekit.rules.nested_logit import NestedLogit
from choicekit.rules.nests import Nest
from choicekit.rules.operators import boltzmann, mellowmax, one_hot_argmax
from choicekit.rules.protocol import ChoiceRule
from choicekit.rules.registry import register_rule, registered_rules, rule_from_name
from choicekit.rules.regularised import RegularisedRule
from choicekit.rules.softmax import Softmax, inclusive_value, softmax
from choicekit.rules.sparsemax import Sparsemax

__all__ = [
    "ChoiceRule",
    "CrossNestedLogit",
    "Entmax",
    "Hardmax",
    "Nest",
    "NestedLogit",
    "RegularisedRule",
    "Softmax",
    "Sparsemax",
    "boltzmann",
    "gumbel_softmax",
    "gumbel_softmax_vjp",
    "inclusive_value",
    "mellowmax",
    "one_hot_argmax",
    "register_rule",
    "registered_rules",
    "rule_from_name",
    "softmax",
]
