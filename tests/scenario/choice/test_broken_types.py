"""Broken random coefficients and latent classes: what exactly is said, and where.

In the style of `test_broken_files`, and by its machinery: messages are golden, and all faults are reported at once.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.choice.test_broken_policies import rides
from tests.scenario.test_broken_files import (
    RULES,
    Case,
    test_a_fault_is_told_in_our_words_at_its_place,
    test_the_command_line_says_the_same_with_its_exit_code,
    write_files,
)

__all__ = [  # these are collected here too, with the cases below
    "test_a_fault_is_told_in_our_words_at_its_place",
    "test_the_command_line_says_the_same_with_its_exit_code",
]

COEFFICIENTS = "{asc_bus: 0.5, b_cost: -1}"
RANDOM = "{asc_bus: 0.5, b_cost: {distribution: normal, mean: -1, sd: 0.2}}"
DISTRIBUTIONS = "lognormal, normal, triangular, truncated_normal, uniform"


def random(name: str, text: str, says: str, *changes: tuple[str, str], end: str = "") -> Case:
    """A scenario whose coefficients, on line 10 from column 15, have a fault."""
    return rides(name, says, (COEFFICIENTS, text), *changes, end=end)


def classes(name: str, text: str, says: str, *changes: tuple[str, str], end: str = "") -> Case:
    """A scenario whose classes, on line 16 from column 10, have a fault."""
    return rides(name, says, *changes, end=f"classes: {text}\n{end}")


PARAMETERS = [
    random("misspelt distributions, whose parameters are looked at none the less",
         "{asc_bus: {distribution: norml, mean: x, sdd: 1}, b_cost: {distribution: lognormal, log_mean: 0, "
         "log_sd: -1}}",
         f"""\
         s.yaml:10:40 must be one of {DISTRIBUTIONS}, found 'norml', did you mean 'normal'?
         s.yaml:10:53 must be a number, found 'x'
         s.yaml:10:56 unknown key 'sdd', did you mean 'sd'?
         s.yaml:10:120 must be at least 0, found -1"""),
    random("distributions without their name",
         "{asc_bus: {distribtion: normal, mean: 1, sd: 1}, b_cost: {mean: 0, sd: 1}}",
         """\
         s.yaml:10:26 unknown key 'distribtion', did you mean 'distribution'?
         s.yaml:10:72 missing key 'distribution', add it; see `choicekit list`"""),
    random("bounds in the wrong order",
         "{asc_bus: {distribution: uniform, low: 2, high: 1}, b_cost: {distribution: triangular, low: 0, mode: 3, "
         "high: 1}}",
         """\
         s.yaml:10:54 low must be below high, found 2 and 1
         s.yaml:10:116 mode must lie from low to high, found 3 outside [0, 1]"""),
    random("no bounds and no spread",
         "{asc_bus: {distribution: truncated_normal, mean: 2, sd: 1}, b_cost: {distribution: normal, mean: 0}}",
         """\
         s.yaml:10:16 a truncated_normal coefficient needs low, high or both: without, make it normal
         s.yaml:10:75 the standard deviation of 'b_cost' is missing, give sd, or a covariance"""),
    random("a lognormal spread by the word of a normal one",
         "{asc_bus: 1, b_cost: {distribution: lognormal, log_mean: -1, sd: 0.5}}",
         "s.yaml:10:76 unknown key 'sd', did you mean 'log_sd'?"),
    random("the name of a distribution for a number", "{asc_bus: 1, b_cost: normal}",
         "s.yaml:10:36 must be a number, found 'normal', for a distribution write {distribution: normal, mean: ..., "
         "sd: ...}"),
    random("a mean that is missing", "{asc_bus: 1, b_cost: {distribution: normal, sd: 1}}",
         "s.yaml:10:28 missing key 'mean', add it"),
]  # fmt: skip

BOTH = "{asc_bus: {distribution: normal, mean: 2}, b_cost: {distribution: normal, mean: -1}}"
COVARIANCES = [
    random("a covariance that is not positive semidefinite", BOTH,
         "s.yaml:16:23 a covariance must be positive semidefinite, but the smallest eigenvalue of its correlations is "
         "-1: check its entries, and give them with all their digits",
         end="random_coefficients: {covariance: {asc_bus: {asc_bus: 1, b_cost: 2}, b_cost: {b_cost: 1}}}\n"),
    random("a covariance without a variance, and points that are no power of two", BOTH,
         """\
         s.yaml:16:23 a covariance must hold the variance of 'b_cost': add it to its own row
         s.yaml:16:79 the number of quasi-random points must be a power of two up to 2^32, found 50: try 64""",
         end="random_coefficients: {covariance: {asc_bus: {asc_bus: 4, b_cost: 2}}, points: 50}\n"),
    random("a covariance of an unknown name and of a number", "{asc_bus: {distribution: normal, mean: 2}, b_cost: -1}",
         """\
         s.yaml:16:59 the covariance names 'b_cost', which is the same for all agents, give it a normal or lognormal \
distribution
         s.yaml:16:80 the covariance names an unknown coefficient 'b_csot', did you mean 'b_cost'?""",
         end="random_coefficients: {covariance: {asc_bus: {asc_bus: 4}, b_cost: {b_cost: 1}, b_csot: {b_csot: 1}}}\n"),
    random("a spread that is given twice", "{asc_bus: {distribution: normal, mean: 2, sd: 1}, b_cost: -1}",
         "s.yaml:16:36 the standard deviation of 'asc_bus' is given twice, 1 and 2 by covariance, leave it out of the "
         "distribution", end="random_coefficients: {covariance: {asc_bus: {asc_bus: 4}}}\n"),
    random("a covariance and its factor", BOTH,
         "s.yaml:16:1 random coefficients have a covariance or its cholesky factor, found both, keep one of them",
         end="random_coefficients: {covariance: {asc_bus: {asc_bus: 4}}, cholesky: {asc_bus: {asc_bus: 2}}}\n"),
    random("a factor that is not triangular", BOTH,
         "s.yaml:16:23 a Cholesky factor must be lower triangular, found 'b_cost' in the row of 'asc_bus', before its "
         "own row: put it into the later of the two rows",
         end="random_coefficients: {cholesky: {asc_bus: {b_cost: 1}, b_cost: {b_cost: 1}}}\n"),
    random("a covariance that is a list", RANDOM, "s.yaml:16:35 must be a mapping, found a list, such as "
         "{b_time: {b_time: 0.25}}", end="random_coefficients: {covariance: [1]}\n"),
    random("more points than fit", RANDOM,
         "s.yaml:16:31 points times shifts must be at most 1,048,576, found 4,294,967,296 x 8: the error falls nearly "
         "as 1 / points, so a few hundred points are plenty", end="random_coefficients: {points: 4294967296}\n"),
    random("more shifts than fit", RANDOM,
         "s.yaml:16:31 points times shifts must be at most 1,048,576, found 64 x 65,536: the error falls nearly as "
         "1 / points, so a few hundred points are plenty", end="random_coefficients: {shifts: 65536}\n"),
    random("points and shifts that do not fit together", RANDOM,
         "s.yaml:16:45 points times shifts must be at most 1,048,576, found 65,536 x 1,024: the error falls nearly as "
         "1 / points, so a few hundred points are plenty",
         end="random_coefficients: {shifts: 1024, points: 65536}\n"),
    random("too few shifts", RANDOM, "s.yaml:16:31 must be at least 8, found 3",
         end="random_coefficients: {shifts: 3}\n"),
]  # fmt: skip

CLASSES = [
    classes("shares that do not sum to one, and a misspelt rule",
         "{a: {share: 0.7}, b: {share: 0.2, rule: {type: sparsmax}}}",
         f"""\
         s.yaml:16:1 the shares of classes must sum to 1, found 0.9, change one of them
         s.yaml:16:57 must be one of {RULES}, found 'sparsmax', did you mean 'sparsemax'?"""),
    classes("shares that do not sum to one, and what cannot be read",
         "{a: {share: 0.9, coefficients: {b_cost: x}}, b: {share: 0.5, rule: {type: magic}}}",
         f"""\
         s.yaml:16:1 the shares of classes must sum to 1, found 1.4, change one of them
         s.yaml:16:50 must be a number, found 'x'
         s.yaml:16:84 must be one of {RULES}, found 'magic'"""),
    classes("a class without a share", "{a: {share: 0.7}, b: {share: 0.3}, c: {rule: {temperature: 2}}}",
         "s.yaml:16:45 class 'c' has neither a share nor a membership, give one: share: 0.3"),
    classes("shares and memberships, and names that there are not",
         "{a: {share: 0.7, coefficients: {b_csot: 1, asc_bus: {distribution: normal, mean: 1}}}, "
         "b: {membership: 0.1 * incme + b_cost}}",
         """\
         s.yaml:16:1 all classes have a share or all a membership, found a share for 'a' and a membership for 'b', \
give every class a formula, of which one may be 0
         s.yaml:16:42 class 'a' names an unknown coefficient 'b_csot', did you mean 'b_cost'?
         s.yaml:16:53 the standard deviation of 'asc_bus' is missing, give sd, or a covariance
         s.yaml:16:119 unknown name 'incme', did you mean 'income'?
             0.1 * incme + b_cost
                   ^"""),
    classes("a membership that cannot be read", "{a: {membership: 0.1 * income +}, b: {membership: 0}}",
         """\
         s.yaml:16:41 a value is missing after '+'
             0.1 * income +
                           ^"""),
    classes("a membership that differs by alternative", "{a: {membership: 0.1 * income}, b: {membership: cost}}",
         "s.yaml:16:58 a membership needs attributes of agents, but 'cost' differs by alternative, use attributes of "
         "agents"),
    classes("classes of other forms", "{a: {share: 1.5}, b: {share: 0.5, membership: 1}, c: 0.7}",
         """\
         s.yaml:16:22 must be at most 1, found 1.5
         s.yaml:16:28 a class has a share or a membership, found both: drop one of them
         s.yaml:16:63 must be a mapping, found 0.7, such as {share: 0.7}"""),
    classes("a setting that the model's rule has not",
         "{a: {share: 0.5}, b: {share: 0.5, rule: {temperature: 2}}}",
         "s.yaml:16:51 the baseline's rule, hardmax, has no 'temperature', name the type of another rule",
         end="rule: {type: hardmax}\n"),
    classes("nests of a class", "{a: {share: 0.5}, b: {share: 0.5, rule: {type: nested_logit, nests: {n: {members: "
         "[bus]}}}}}",
         "s.yaml:16:71 alternative 'car' is in no nest, give it a nest of its own: `car: {members: [car]}`"),
]  # fmt: skip

TOGETHER = [
    classes("coherent draws of a class that has none", "{a: {share: 0.5}, b: {share: 0.5, rule: {type: sparsemax}}}",
         "s.yaml:16:50 Sparsemax has no additive-noise law, so coherent draws do not exist (no noise drawn for each "
         "alternative by itself gives these probabilities): use sampling 'fast' or 'auto'",
         end="simulation: {sampling: coherent}\n"),
    random("money that may be worth nothing", RANDOM,
         "s.yaml:16:18 welfare in money divides by 'b_cost', whose normal distribution reaches 0, so that its mean "
         "does not exist: make it lognormal (negative, for a cost), or give it bounds on one side of 0; welfare in "
         "units of utility needs no money", end="welfare: {money: b_cost}\n"),
    random("the covariance of a coefficient that is random", RANDOM,
         "s.yaml:16:32 coefficient 'b_cost' differs among agents, and a covariance is of those that all share, leave "
         "it out", end="covariance: {standard_errors: {b_cost: 0.1}}\n"),
]  # fmt: skip

CASES = [*PARAMETERS, *COVARIANCES, *CLASSES, *TOGETHER]


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A broken scenario, written to the working directory."""
    found: Case = request.param
    write_files(found, tmp_path)
    monkeypatch.chdir(tmp_path)
    return found
