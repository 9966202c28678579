"""Policies: something is changed, and the same agents choose again under the same draws.

`policy` says what may be changed and `faults` what is wrong with it; `applying` makes a plain choice model of it.
`building` puts a `study` together, of `cases` on one axis of alternatives, and `compare` runs it: `paired_tally` holds
simulated choices, `row_sums` what every resample of the agents (`bootstrap`) or draw of the coefficients (`covariance`)
comes to. The answer is a `comparison` of one `policy_outcome` each, with `estimates` of every error, `welfare` and
`elasticities`; `trust` says what makes a number mean less than it seems to.
"""

from choicekit.choice.policies.building import build_comparison
from choicekit.choice.policies.compare import compare_policies, run_comparison
from choicekit.choice.policies.comparison import PolicyComparison
from choicekit.choice.policies.covariance import CoefficientCovariance
from choicekit.choice.policies.policy import NewAlternative, Policy
from choicekit.choice.policies.policy_outcome import PolicyOutcome

__all__ = [
    "CoefficientCovariance",
    "NewAlternative",
    "Policy",
    "PolicyComparison",
    "PolicyOutcome",
    "build_comparison",
    "compare_policies",
    "run_comparison",
]
