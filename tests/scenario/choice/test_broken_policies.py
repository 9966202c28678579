"""Broken policies, covariances and calibrations: what exactly is said, where, and with which exit code.

In the style of `test_broken_files`, and by its machinery: messages are golden, and all faults are reported at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit import DataError, ScenarioError, load_scenario
from tests.scenario.test_broken_files import (
    RULES,
    Case,
    changed,
    test_a_fault_is_told_in_our_words_at_its_place,
    test_the_command_line_says_the_same_with_its_exit_code,
    write_files,
)

__all__ = [  # these are collected here too, with the cases below
    "test_a_fault_is_told_in_our_words_at_its_place",
    "test_the_command_line_says_the_same_with_its_exit_code",
]

RIDES = """\
choicekit: 1
kind: choice
name: rides
seed: 1
agents:
  table: rides.csv
  layout: long
  agent: id
  alternative: mode
coefficients: {asc_bus: 0.5, b_cost: -1}
utility:
  bus: asc_bus + b_cost * cost
  car: b_cost * cost + 0.01 * income
policies:
  cheaper: {change: {bus: {cost: 0.8 * cost}}}
"""
RIDES_CSV = """\
id,mode,cost,time,income,home
1,bus,2,30,20,city
1,car,3,20,20,city
2,bus,4,35,40,farm
2,car,4,25,40,farm
"""
COVARIANCE_CSV = "name,asc_bus,b_cost\nasc_bus,0.04,0\nb_cost,0,0.01\n"
AGES_CSV = "id,mode,cost,income,age\n1,bus,2,20,{0}\n1,car,3,20,{0}\n2,bus,4,40,{1}\n2,car,4,40,{1}\n"
CHEAPER = "  cheaper: {change: {bus: {cost: 0.8 * cost}}}\n"
NO_NUMBER = "look for a logarithm or root of a negative number, a division by 0, an overflow"


def rides(name: str, says: str, *changes: tuple[str, str], end: str = "", code: int = 2, **files: str) -> Case:
    """A scenario with a fault somewhere; files are named by keywords, with an underscore for the dot."""
    tables = {"rides.csv": RIDES_CSV} | {file.replace("_", "."): text for file, text in files.items()}
    return Case(name, changed(RIDES, *changes, end=end), says, tables, code)


def policy(
    name: str, text: str, says: str, *changes: tuple[str, str], end: str = "", code: int = 2, **files: str
) -> Case:
    """A scenario whose one policy has a fault."""
    return rides(name, says, ("{change: {bus: {cost: 0.8 * cost}}}", text), *changes, end=end, code=code, **files)


def covariance(name: str, text: str, says: str, code: int = 2, **files: str) -> Case:
    """A scenario whose covariance has a fault; a file is its table."""
    return rides(name, says, end=f"covariance: {text}\n", code=code, **files)


FORM = [
    rides("policies that are a list",
         "s.yaml:14:11 must be a mapping, found a list, such as {cheaper-bus: {change: {bus: {fare: 0.8 * fare}}}}",
         ("policies:\n  cheaper: {change: {bus: {cost: 0.8 * cost}}}\n", "policies: [cheaper]\n")),
    rides("a policy that is a word",
         "s.yaml:15:12 must be a mapping, found 'half', such as {change: {bus: {fare: 0.8 * fare}}}",
         ("{change: {bus: {cost: 0.8 * cost}}}", "half")),
    rides("a policy that is nothing",
         "s.yaml:15:11 must be a mapping, found nothing, such as {change: {bus: {fare: 0.8 * fare}}}",
         (" {change: {bus: {cost: 0.8 * cost}}}", "")),
    policy("a misspelt key of a policy", "{chnage: {bus: {cost: 0.8 * cost}}}",
         "s.yaml:15:13 unknown key 'chnage', did you mean 'change'?"),
    policy("a change without an attribute", "{change: {bus: 0.8 * cost}}",
         "s.yaml:15:27 must be a mapping, found '0.8 * cost', such as {fare: 0.8 * fare}"),
    policy("a change that is a list", "{change: {bus: {cost: [1]}}}", "s.yaml:15:34 must be a formula, found a list"),
    policy("a change that is infinite", "{change: {bus: {cost: .inf}}}",
         "s.yaml:15:34 must be a formula or a finite number, found inf"),
    policy("a change that cannot be read", "{change: {bus: {cost: 0.8 * }}}",
         """\
         s.yaml:15:39 a value is missing after '*'
             0.8 *
                  ^"""),
    policy("a removal that is no list", "{remove: bus}", "s.yaml:15:21 must be a list, found 'bus', such as [bus]"),
    policy("a misspelt key of a new alternative", "{add: {tram: {column_like: bus}}}",
         "s.yaml:15:26 unknown key 'column_like', did you mean 'columns_like'?"),
    rides("a policy named baseline",
         "s.yaml:15:3 a policy cannot be called 'baseline', that is what policies are compared with",
         ("  cheaper:", "  baseline:")),
    rides("a policy of a name beyond measure",
         "s.yaml:16:5 must have at most 300 characters, found 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'",
         ("  cheaper:", f"  ? {'x' * 301}\n  :")),
    policy("an unknown type of rule in a policy", "{rule: {type: sofmax}}",
         f"s.yaml:15:26 must be one of {RULES}, found 'sofmax', did you mean 'softmax'?"),
    policy("a misspelt setting of a policy's rule", "{rule: {temprature: 2}}",
         "s.yaml:15:20 unknown key 'temprature', did you mean 'temperature'?"),
    policy("a misspelt type of a policy's rule", "{rule: {typ: softmax}}",
         "s.yaml:15:20 unknown key 'typ', did you mean 'type'?"),
    policy("a negative temperature in a policy", "{rule: {temperature: -1}}",
         "s.yaml:15:33 must be at least 0, found -1"),
    policy("a setting that the baseline's rule has not", "{rule: {temperature: 2}}",
         "s.yaml:15:20 the baseline's rule, hardmax, has no 'temperature', name the type of another rule",
         end="rule: {type: hardmax}\n"),
    policy("a policy's rule that is a word", "{rule: hardmax}",
         "s.yaml:15:19 must be a mapping, found 'hardmax', write {type: hardmax}"),
]  # fmt: skip

NAMES = [
    policy("a change of an unknown alternative", "{change: {bsu: {cost: 0.8 * cost}}}",
         "s.yaml:15:22 unknown alternative 'bsu', did you mean 'bus'?"),
    policy("a change of an unknown attribute", "{change: {bus: {csot: 0.8 * cost}}}",
         "s.yaml:15:28 unknown attribute 'csot', did you mean 'cost'?"),
    policy("a change of an attribute like no other", "{change: {bus: {zzz: 1}}}",
         "s.yaml:15:28 unknown attribute 'zzz', there are id, mode, cost, time, income, home"),
    policy("a coefficient among attributes", "{change: {bus: {b_cost: 2 * b_cost}}}",
         "s.yaml:15:28 'b_cost' is a coefficient, change it under `coefficients`"),
    policy("an unknown name in a change", "{change: {bus: {cost: 0.8 * csot}}}",
         """\
         s.yaml:15:40 unknown name 'csot', did you mean 'cost'?
             0.8 * csot
                   ^"""),
    policy("an unknown attribute for all", "{attributes: {incme: 1.1 * income}}",
         "s.yaml:15:26 unknown attribute 'incme', did you mean 'income'?"),
    policy("a coefficient among attributes for all", "{attributes: {b_cost: 2 * b_cost}}",
         "s.yaml:15:26 'b_cost' is a coefficient, change it under `coefficients`"),
    policy("a column among coefficients", "{coefficients: {cost: 0.8 * cost}}",
         "s.yaml:15:28 'cost' is a column, change it under `attributes`, or under `change` for one alternative"),
    policy("an unknown coefficient", "{coefficients: {b_csot: 2}}",
         "s.yaml:15:28 unknown coefficient 'b_csot', did you mean 'b_cost'?"),
    policy("a coefficient that becomes a column", "{coefficients: {b_cost: b_cost * income}}",
         """\
         s.yaml:15:45 'income' is a column, and a coefficient is the same for every agent, use coefficients and numbers
             b_cost * income
                      ^"""),
    policy("a coefficient that becomes infinite", "{coefficients: {b_cost: b_cost / 0}}",
         "s.yaml:15:36 coefficient 'b_cost' must be a finite number, found -inf, check the formula"),
    policy("a coefficient compared with text", "{coefficients: {b_cost: b_cost == 'x'}}",
         """\
         s.yaml:15:36 'b_cost' holds numbers and cannot be compared with text, write the number without quotes
             b_cost == 'x'
             ^"""),
    policy("a coefficient that becomes nothing known", "{coefficients: {b_cost: 2 * b_csot}}",
         """\
         s.yaml:15:40 unknown name 'b_csot', did you mean 'b_cost'?
             2 * b_csot
                 ^"""),
    policy("a policy's condition for an unknown alternative", "{availability: {bsu: income > 20}}",
         "s.yaml:15:28 unknown alternative 'bsu', did you mean 'bus'?"),
    policy("an unknown name in a policy's condition", "{availability: {bus: incme > 20}}",
         """\
         s.yaml:15:33 unknown name 'incme', did you mean 'income'?
             incme > 20
             ^"""),
    policy("a removal of an unknown alternative", "{remove: [car, bsu]}",
         "s.yaml:15:27 unknown alternative 'bsu', did you mean 'bus'?"),
    policy("a removal of an alternative twice", "{remove: [bus, bus]}",
         "s.yaml:15:27 alternative 'bus' is removed twice, drop one of them"),
    policy("a removal of everything", "{remove: [bus, car]}",
         "s.yaml:15:13 every alternative is removed, leave at least one"),
    policy("a removal of what is added", "{add: {tram: {columns_like: bus}}, remove: [tram]}",
         "s.yaml:15:56 alternative 'tram' is added and removed by the same policy, drop one of the two"),
    policy("a change of what is removed", "{change: {bus: {cost: 0.8 * cost}}, remove: [bus]}",
         "s.yaml:15:22 alternative 'bus' is removed by this policy, drop one of the two"),
    policy("a condition for what is removed", "{availability: {bus: income > 20}, remove: [bus]}",
         "s.yaml:15:28 alternative 'bus' is removed by this policy, drop one of the two"),
    policy("a change of what is added", "{change: {tram: {cost: 1}}, add: {tram: {columns_like: bus}}}",
         "s.yaml:15:22 alternative 'tram' is added by this policy, put it under `add`, in 'change' of 'tram'"),
    policy("a new alternative that exists", "{add: {bus: {columns_like: car}}}",
         "s.yaml:15:19 alternative 'bus' exists already, rename it, or change it under `change`"),
    policy("a new alternative of nothing", "{add: {tram: {availability: income > 20}}}",
         "s.yaml:15:19 new alternative 'tram' has neither a utility nor columns_like, name the alternative it is "
         "like, or give it a formula"),
    policy("a new alternative like an unknown one", "{add: {tram: {columns_like: bsu}}}",
         "s.yaml:15:40 unknown alternative 'bsu', did you mean 'bus'?"),
    policy("a new alternative like another new one", "{add: {tram: {columns_like: bus}, metro: {columns_like: tram}}}",
         "s.yaml:15:68 unknown alternative 'tram', there are bus, car"),
    policy("an unknown name in a new utility", "{add: {tram: {utility: b_csot * cost, columns_like: bus}}}",
         """\
         s.yaml:15:35 unknown name 'b_csot', did you mean 'b_cost'?
             b_csot * cost
             ^"""),
    policy("a coefficient among a new alternative's attributes",
         "{add: {tram: {columns_like: bus, change: {b_cost: 1}}}}",
         "s.yaml:15:54 'b_cost' is a coefficient, change it under `coefficients`"),
    policy("a new alternative without the columns it needs", "{add: {tram: {utility: b_cost * cost}}}",
         "s.yaml:15:35 under policy 'cheaper': column 'cost' differs by alternative, and 'tram' has none of its own, "
         "name an alternative whose columns it has: columns_like: bus"),
    policy("a filter of an unknown name", "{filter: incme > 20}",
         """\
         s.yaml:15:21 unknown name 'incme', did you mean 'income'?
             incme > 20
             ^"""),
    policy("a filter by what differs by alternative", "{filter: income > 20 and cost < 3}",
         """\
         s.yaml:15:37 'cost' differs by alternative, and a filter sorts agents, use attributes of agents
             income > 20 and cost < 3
                             ^"""),
    rides("every fault of several policies",
         """\
         s.yaml:15:40 unknown name 'csot', did you mean 'cost'?
             0.8 * csot
                   ^
         s.yaml:15:47 unknown alternative 'bsu', did you mean 'bus'?
         s.yaml:16:10 every alternative is removed, leave at least one
         s.yaml:16:46 a value is missing after '>'
             incme >
                    ^
         s.yaml:17:38 unknown alternative 'bsu', did you mean 'bus'?
         s.yaml:17:64 a value is missing after '**'
             0.8 **
                   ^
         s.yaml:17:90 must be a number, found 'warm'
         s.yaml:18:18 unknown name 'b_csot', did you mean 'b_cost'?
             b_csot
             ^
         s.yaml:19:16 unknown attribute 'csot', did you mean 'cost'?
         s.yaml:20:27 with `by`, shares are given for each group of 'incme', found a number, write group: \
{alternative: share}
         s.yaml:20:35 unknown segment 'incme', there are none
         s.yaml:21:32 unknown coefficient 'b_csot', did you mean 'b_cost'?""",
         (CHEAPER, "  cheaper: {change: {bus: {cost: 0.8 * csot}, bsu: {cost: 1}}}\n  none: {remove: [bus, car], \
filter: 'incme >'}\n  other: {add: {tram: {columns_like: bsu, change: {cost: 0.8 ** }}}, rule: {temperature: \
warm}}\n"),
         end="welfare: {money: b_csot}\nelasticities: [csot]\ncalibrate: {shares: {bsu: 1}, by: incme}\ncovariance: "
             "{standard_errors: {b_csot: 1}}\n"),
]  # fmt: skip

DATA = [
    policy("a filter that keeps nobody", "{filter: income > 1000}",
         "s.yaml:15:21 under policy 'cheaper': the filter 'income > 1000' keeps none of the 2 rows, choose another "
         "condition"),
    policy("a filter that compares text with a number", "{filter: home > 3}",
         """\
         s.yaml:15:21 'home' holds text and can only be compared, by '==', '!=' or 'in', with text, such as home == 'a'
             home > 3
             ^"""),
    policy("a utility that a policy makes nan", "{change: {bus: {cost: log(cost - 3)}}}",
         f"""\
         s.yaml:15:22 under policy 'cheaper': utility must be a number below infinity, found nan for agent 1, \
alternative bus, {NO_NUMBER}
             asc_bus + b_cost * (log(cost - 3))"""),
    policy("a new utility that is infinite", "{add: {tram: {utility: 1 / (income - 20)}}}",
         f"""\
         s.yaml:15:35 under policy 'cheaper': utility must be a number below infinity, found inf for agent 1, \
alternative tram, {NO_NUMBER}
             1 / (income - 20)"""),
    policy("nothing available under a policy", "{remove: [bus], availability: {car: income > 25}}",
         "s.yaml:15:3 under policy 'cheaper': agent 1 has nothing available, set on_no_alternative to 'skip' or "
         "'outside', or check availability"),
    policy("nothing available under a new condition", "{availability: {bus: income > 90, car: income > 25}}",
         "s.yaml:15:3 under policy 'cheaper': agent 1 has nothing available, set on_no_alternative to 'skip' or "
         "'outside', or check availability"),
    policy("a bad cell that a policy alone needs", "{change: {bus: {cost: cost + time}}}",
         "rides.csv:4 under policy 'cheaper': column 'time': 'long' is not a finite number (agent 2, alternative bus)",
         code=4, rides_csv=RIDES_CSV.replace("4,35", "4,long")),
    rides("a bad cell that two policies need",
         "rides.csv:4 under policy 'cheaper': column 'time': 'long' is not a finite number (agent 2, alternative bus)",
         (CHEAPER, "  cheaper: {change: {bus: {cost: cost + time}}}\n  slower: {change: {bus: {cost: cost - \
time}}}\n"),
         code=4, rides_csv=RIDES_CSV.replace("4,35", "4,long")),
    policy("a filter by a missing number", "{filter: age > 18}",
         "rides.csv:5 in the filter of policy 'cheaper': column 'age': the number is missing (agent 2), fill it in",
         code=4, rides_csv=AGES_CSV.format(17, "")),
    policy("a filter by a word among numbers", "{filter: age > 18 and age < 90}",
         "rides.csv:3 in the filter of policy 'cheaper': column 'age': 'old' is not a finite number (agent 1)",
         code=4, rides_csv=AGES_CSV.format("old", 30)),
    rides("a missing number that the filters of two policies need",
         "rides.csv:5 in the filter of policy 'cheaper': column 'age': the number is missing (agent 2), fill it in",
         (CHEAPER, "  cheaper: {filter: age > 18, remove: [bus]}\n  dearer: {filter: age < 90, remove: [car]}\n"),
         code=4, rides_csv=AGES_CSV.format(17, "NA")),
    policy("a filter by many missing numbers", "{filter: age > 18}",
         "\n".join(
             f"rides.csv:{2 * agent + 1} in the filter of policy 'cheaper': column 'age': the number is missing "
             f"(agent {agent}), fill it in" for agent in range(1, 6)) + " (and 1 more like it)",
         code=4, rides_csv="id,mode,cost,income,age\n" + "".join(
             f"{agent},bus,2,20,{age}\n{agent},car,3,20,{age}\n" for agent, age in enumerate(["NA"] * 6 + ["40"], 1))),
    policy("text where a policy needs a number", "{change: {bus: {cost: cost * home}}}",
         """\
         s.yaml:15:22 under policy 'cheaper': column 'home' must hold numbers here, found only text such as 'city', \
text can only be compared with text, by == or in
             asc_bus + b_cost * (cost * home)
                                        ^"""),
    policy("changes that make a formula too long", '{change: {bus: {cost: "' + " + ".join(["cost"] * 200) + '"}}}',
         "s.yaml:15:3 under policy 'cheaper': with its changes the formula is too large: an expression has at most "
         "2,000 characters, found 4,224, shorten the formula or its changes",
         ("asc_bus + b_cost * cost", "asc_bus + b_cost * (cost + cost * cost)")),
]  # fmt: skip

WORTH = [
    rides("welfare without money", "s.yaml:16:1 missing key 'money', add it", end="welfare: {unit: $}\n"),
    rides("money of an unknown name",
         """\
         s.yaml:16:18 unknown name 'b_csot', did you mean 'b_cost'?
             b_csot
             ^""",
         end="welfare: {money: b_csot}\n"),
    rides("money that cannot be read",
         """\
         s.yaml:16:26 a value is missing after '*'
             b_cost *
                     ^""",
         end="welfare: {money: b_cost *}\n"),
    rides("money that is a number",
         "s.yaml:16:18 money must name the coefficient of cost, found '-0.5', coefficients are asc_bus, b_cost",
         end="welfare: {money: -0.5}\n"),
    rides("money that is a column",
         "s.yaml:16:18 money must name the coefficient of cost, found 'income', coefficients are asc_bus, b_cost",
         end="welfare: {money: income}\n"),
    rides("money that is a benefit",
         "s.yaml:16:18 money must be worth something: minus 'asc_bus' must be above 0, found -0.5 for agent 1; name "
         "the coefficient of a cost, which is below 0, or put a minus before it",
         end="welfare: {money: asc_bus}\n"),
    rides("money that is a benefit to some",
         "s.yaml:16:18 money must be worth something: minus 'b_cost + 0.03 * income' must be above 0, found -0.2 for "
         "agent 2; name the coefficient of a cost, which is below 0, or put a minus before it",
         end="welfare: {money: b_cost + 0.03 * income}\n"),
    rides("money that differs by alternative",
         "s.yaml:16:18 money must be the same for every alternative, but 'cost' differs by alternative, use "
         "coefficients and attributes of agents",
         end="welfare: {money: b_cost * cost}\n"),
    rides("money of text",
         """\
         s.yaml:16:27 'home' holds text and can only be compared, by '==', '!=' or 'in', with text, such as home == 'a'
             b_cost * home
                      ^""",
         end="welfare: {money: b_cost * home}\n"),
    rides("elasticities that are a word", "s.yaml:16:15 must be a list, found 'cost', such as [cost]",
         end="elasticities: cost\n"),
    rides("elasticities to an unknown attribute", "s.yaml:16:16 unknown attribute 'csot', did you mean 'cost'?",
         end="elasticities: [csot]\n"),
    rides("elasticities to a coefficient",
         "s.yaml:16:16 'b_cost' is a coefficient, elasticities are those to attributes: name a column",
         end="elasticities: [b_cost]\n"),
    rides("elasticities to an attribute that nothing uses",
         "s.yaml:16:22 no utility of the baseline uses 'time', attributes in use are cost, income",
         end="elasticities: [cost, time]\n"),
    policy("elasticities to an attribute of an added alternative",
         "{add: {tram: {utility: 0.1 * time, columns_like: bus}}}",
         "s.yaml:16:16 no utility of the baseline uses 'time', attributes in use are cost, income",
         end="elasticities: [time]\n"),
    rides("elasticities to text that a utility compares",
         "s.yaml:16:16 elasticities are those to numbers, and 'home' holds text such as 'city', name a column of "
         "numbers only",
         ("0.01 * income", "(home == 'city')"), end="elasticities: [home]\n"),
    rides("elasticities to numbers with a word among them",
         "s.yaml:16:22 elasticities are those to numbers, and 'time' holds text such as 'long', name a column of "
         "numbers only",
         ("0.01 * income", "(time == 'long')"), end="elasticities: [cost, time]\n",
         rides_csv=RIDES_CSV.replace("bus,2,30", "bus,2,long")),
    rides("elasticities beside a utility that cannot be read",
         """\
         s.yaml:13:30 a value is missing after '*'
             b_cost * cost + 0.01 *
                                   ^""",
         ("0.01 * income", "0.01 *"), end="elasticities: [income]\n"),
    rides("elasticities to an attribute twice", "s.yaml:16:22 attribute 'cost' occurs twice, drop one of them",
         end="elasticities: [cost, cost]\n"),
    rides("a negative number of resamples", "s.yaml:16:26 must be at least 0, found -1",
         end="uncertainty: {bootstrap: -1}\n"),
    rides("too many draws of coefficients", "s.yaml:16:32 must be at most 100000, found 1000000",
         end="uncertainty: {parameter_draws: 1000000}\n"),
]  # fmt: skip

COVARIANCE = [
    covariance("a covariance of nothing", "{}",
         "s.yaml:16:1 a covariance is one of table, matrix and standard_errors, found nothing, add one of them"),
    covariance("a covariance given twice", "{standard_errors: {b_cost: 0.1}, table: cov.csv}",
         "s.yaml:16:1 a covariance is one of table, matrix and standard_errors, found `table` and `standard_errors`, "
         "keep one of them",
         cov_csv=COVARIANCE_CSV),
    covariance("the standard error of an unknown coefficient", "{standard_errors: {b_csot: 0.1}}",
         "s.yaml:16:32 unknown coefficient 'b_csot', did you mean 'b_cost'?"),
    covariance("a negative standard error", "{standard_errors: {b_cost: -0.1}}",
         "s.yaml:16:40 must be at least 0, found -0.1"),
    covariance("a standard error beyond measure", "{standard_errors: {b_cost: 1e200}}",
         "s.yaml:16:40 the square of a standard error must be a finite number, found 1e+200, check its power of ten"),
    covariance("a covariance that is nan", "{matrix: {b_cost: {b_cost: .nan}}}",
         "s.yaml:16:40 must be a finite number, found nan"),
    covariance("the covariance of an unknown coefficient",
         "{matrix: {b_csot: {b_csot: 1}, b_cost: {b_cost: 1, asc_bsu: 0}}}",
         """\
         s.yaml:16:23 unknown coefficient 'b_csot', did you mean 'b_cost'?
         s.yaml:16:64 unknown coefficient 'asc_bsu', did you mean 'asc_bus'?"""),
    covariance("a covariance without a variance", "{matrix: {b_cost: {asc_bus: 0.1}}}",
         """\
         s.yaml:16:23 'b_cost' has no variance, add 'b_cost' to its own row
         s.yaml:16:32 'asc_bus' has no variance, add a row for 'asc_bus'"""),
    covariance("a covariance that is not symmetric",
         "{matrix: {b_cost: {b_cost: 1, asc_bus: 0.1}, asc_bus: {b_cost: 0.2, asc_bus: 1}}}",
         "s.yaml:16:76 a covariance must be symmetric, found 0.2 here and 0.1 for the same pair above, give the pair "
         "once"),
    covariance("a covariance that is not positive semidefinite",
         "{matrix: {b_cost: {b_cost: 1, asc_bus: 2}, asc_bus: {asc_bus: 1}}}",
         "s.yaml:16:14 a covariance must be positive semidefinite, but the smallest eigenvalue of its correlations "
         "is -1: check its entries, and give them with all their digits"),
    covariance("a negative variance", "{matrix: {b_cost: {b_cost: -1}}}",
         "s.yaml:16:14 the variance of 'b_cost' must be at least 0, found -1"),
    covariance("a covariance table that is missing", "{table: cov.csv}",
         "s.yaml:16:21 the table does not exist: 'cov.csv', check the path"),
    covariance("a covariance table that is a directory", "{table: cov.csv}",
         "s.yaml:16:21 the table is a directory: 'cov.csv', name the file inside it",
         **{"cov.csv/": ""}),
    covariance("a covariance table of an unknown type", "{table: cov.xls}",
         "s.yaml:16:21 a table must end in .csv, .tsv, .txt, .parquet or .pq, found '.xls': 'cov.xls', save it as "
         "one of these",
         cov_xls="x"),
    covariance("a covariance table that is empty", "{table: cov.csv}",
         "cov.csv:1 the table is empty, give a header and rows",
         code=4, cov_csv=""),
    covariance("a covariance table of unknown coefficients", "{table: cov.csv}",
         """\
         cov.csv:1 unknown coefficient 'b_csot' in the header, did you mean 'b_cost'?
         cov.csv:3 unknown coefficient 'b_csot' in the first column, did you mean 'b_cost'?""",
         code=4, cov_csv="name,asc_bus,b_csot\nasc_bus,1,0\nb_csot,0,1\n"),
    covariance("a covariance table with a row too few", "{table: cov.csv}",
         "cov.csv:1 a covariance has the same coefficients in its first column and header, 'b_cost' has no row, add "
         "one",
         code=4, cov_csv="name,asc_bus,b_cost\nasc_bus,1,0\n"),
    covariance("a covariance table with a row too many", "{table: cov.csv}",
         "cov.csv:3 a covariance has the same coefficients in its first column and header, 'b_cost' has no column, "
         "add one",
         code=4, cov_csv="name,asc_bus\nasc_bus,1\nb_cost,0\n"),
    covariance("a covariance table with a row twice", "{table: cov.csv}",
         "cov.csv:4 coefficient 'b_cost' has a second row, remove one",
         code=4, cov_csv="name,asc_bus,b_cost\nasc_bus,1,0\nb_cost,0,1\nb_cost,0,1\n"),
    covariance("a covariance table of 1,000 rows", "{table: cov.csv}",
         "\n".join(f"cov.csv:{line} unknown coefficient 'x{line}' in the first column, there are asc_bus, b_cost"
                   for line in range(3, 8)) + " (and 994 more like it)", code=4,
         cov_csv="name,asc_bus\nasc_bus,1\n" + "".join(f"x{line},0\n" for line in range(3, 1002))),
    covariance("a covariance table with a blank label", "{table: cov.csv}",
         "cov.csv:3 unknown coefficient '' in the first column, there are asc_bus, b_cost", code=4,
         cov_csv=",asc_bus,b_cost\nasc_bus,1,0\n,,\nb_cost,0,1\n"),
    covariance("a covariance table with a label beyond measure", "{table: cov.csv}",
         f"cov.csv:3 unknown coefficient '{'x' * 37}…' in the first column, there are asc_bus, b_cost", code=4,
         cov_csv=f",asc_bus\nasc_bus,1\n{'x' * 140_000},0\n"),
    covariance("a covariance table with a cell beyond measure", "{table: cov.csv}",
         f"cov.csv:2 column 'b_cost': must be a finite number, found '{'x' * 37}…'", code=4,
         cov_csv=f",asc_bus,b_cost\nasc_bus,1,{'x' * 140_000}\nb_cost,0,1\n"),
    covariance("a covariance table with a word", "{table: cov.csv}",
         "cov.csv:2 column 'b_cost': must be a finite number, found 'none of it'",
         code=4, cov_csv="name,asc_bus,b_cost\nasc_bus,1,none of it\nb_cost,0,1\n"),
    covariance("a covariance table with an empty cell", "{table: cov.csv}",
         "cov.csv:3 column 'asc_bus': the number is missing",
         code=4, cov_csv="name,asc_bus,b_cost\nasc_bus,1,0\nb_cost,,1\n"),
    covariance("a covariance table that is not symmetric", "{table: cov.csv}",
         "cov.csv:3 column 'asc_bus': a covariance must be symmetric, found 0.2 for 'b_cost' here and 0.1 the other "
         "way round, give both with all their digits",
         code=4, cov_csv=",asc_bus,b_cost\nasc_bus,1,0.1\nb_cost,0.2,1\n"),
    covariance("a covariance table that is not positive semidefinite", "{table: cov.csv}",
         "cov.csv a covariance must be positive semidefinite, but the smallest eigenvalue of its correlations is -1: "
         "check its entries, and give them with all their digits",
         code=4, cov_csv="name,asc_bus,b_cost\nasc_bus,1,2\nb_cost,2,1\n"),
]  # fmt: skip

CALIBRATE = [
    rides("a calibration without shares", "s.yaml:16:1 missing key 'shares', add it",
         end="calibrate: {constants: {bus: asc_bus}}\n"),
    rides("a calibration of an unknown alternative", "s.yaml:16:22 unknown alternative 'bsu', did you mean 'bus'?",
         end="calibrate: {shares: {bsu: 30, car: 70}}\n"),
    rides("a calibration to a share of 0", "s.yaml:16:27 must be above 0, found 0",
         end="calibrate: {shares: {bus: 0, car: 1}}\n"),
    rides("a calibration to a share of nan", "s.yaml:16:27 must be a finite number, found nan",
         end="calibrate: {shares: {bus: .nan, car: 1}}\n"),
    rides("a calibration to shares that leave nothing",
         "s.yaml:16:1 shares of some of the alternatives must be fractions that sum to less than 1, found 1.5: leave "
         "something for 'car', or give every alternative a total",
         end="calibrate: {shares: {bus: 1.5}}\n"),
    rides("a calibration to a share out of reach",
         "s.yaml:17:27 share 0.6 of 'bus' cannot be reached: it is available to 0.5 of the weight only, and the "
         "share must stay below that; lower it, or make more available",
         end="availability: {bus: income > 25}\ncalibrate: {shares: {bus: 60, car: 40}}\n"),
    rides("a calibration of an unknown constant", "s.yaml:16:56 unknown coefficient 'asc_bsu', did you mean 'asc_bus'?",
         end="calibrate: {shares: {bus: 1, car: 1}, constants: {bus: asc_bsu}}\n"),
    rides("a calibration of a constant of several",
         "s.yaml:16:1 constant 'b_cost' must be a term of its own in the utility of 'bus' and be used nowhere else: "
         "moving it would move something else as well",
         end="calibrate: {shares: {bus: 1, car: 1}, constants: {bus: b_cost}}\n"),
    rides("a calibration without constants",
         "s.yaml:16:1 a constant of its own is missing in the utilities of 'bus', 'car': all but one need it, the "
         "reference; add a coefficient to each, such as 'asc + ...', or say which to move: constants: {bus: asc}",
         ("asc_bus + b_cost * cost", "asc_bus * cost + b_cost * cost"),
         end="calibrate: {shares: {bus: 1, car: 1}}\n"),
    rides("a calibration by an unknown segment", "s.yaml:17:17 unknown segment 'welth', did you mean 'wealth'?",
         end="segments: {wealth: {column: income, edges: [25]}}\ncalibrate: {by: welth, shares: {under 25: {bus: 1, "
             "car: 1}}}\n"),
    rides("a calibration of an unknown group", "s.yaml:17:34 unknown group 'under 52', did you mean 'under 25'?",
         end="segments: {wealth: {column: income, edges: [25]}}\ncalibrate: {by: wealth, shares: {under 52: {bus: 1, "
             "car: 1}}}\n"),
    rides("a calibration by group with a number",
         "s.yaml:17:39 with `by`, shares are given for each group of 'wealth', found a number, write group: "
         "{alternative: share}",
         end="segments: {wealth: {column: income, edges: [25]}}\ncalibrate: {by: wealth, shares: {bus: 1, under 25: "
             "{bus: 1, car: 1}}}\n"),
    rides("a calibration with groups of no segment",
         "s.yaml:16:22 shares for groups need the segment they belong to, add `by`",
         end="calibrate: {shares: {under 25: {bus: 1, car: 1}}}\n"),
    rides("a calibration by group with constants",
         "s.yaml:17:63 constants cannot be named where shares are given by group: each group gets its own, drop "
         "constants",
         end="segments: {wealth: {column: income, edges: [25]}}\ncalibrate: {by: wealth, shares: {under 25: {bus: 1, "
             "car: 1}}, constants: {bus: asc_bus}}\n"),
    rides("a calibration by group of a formula without room",
         "s.yaml:17:1 the utility of 'bus' has no room for its calibrated constant: an expression has at most 2,000 "
         "characters, found 2,010; shorten it",
         ("asc_bus + b_cost * cost", f"asc_bus + b_cost * cost * 1.{'0' * 1961}"),
         end="segments: {wealth: {column: income, edges: [25]}}\ncalibrate: {by: wealth, shares: {under 25: {bus: 1, "
             "car: 1}, 25 and over: {bus: 1, car: 1}}}\n"),
    rides("a calibration of the hard maximum",
         "s.yaml:17:1 calibration needs a rule with a positive temperature, found Hardmax(): shares that jump from "
         "one value to another meet no given ones, take a rule such as Softmax(temperature=1.0)",
         end="rule: {type: hardmax}\ncalibrate: {shares: {bus: 1, car: 1}}\n"),
    rides("a calibration at temperature 0",
         "s.yaml:17:1 calibration needs a rule with a positive temperature, found Softmax(temperature=0.0): shares "
         "that jump from one value to another meet no given ones, take a rule such as Softmax(temperature=1.0)",
         end="rule: {temperature: 0}\ncalibrate: {shares: {bus: 1, car: 1}}\n"),
]  # fmt: skip

CASES = [*FORM, *NAMES, *DATA, *WORTH, *COVARIANCE, *CALIBRATE]


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A broken scenario, written to the working directory."""
    found: Case = request.param
    write_files(found, tmp_path)
    monkeypatch.chdir(tmp_path)
    return found


def test_the_cases_are_different() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 45
    assert len({(case.text, *case.files.items()) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("end", ["", "covariance: {table: cov.csv}\n"], ids=["bare", "with a covariance"])
def test_the_scenario_that_is_broken_here_is_whole_without_it(end: str, tmp_path: Path) -> None:
    (tmp_path / "rides.csv").write_text(RIDES_CSV)
    (tmp_path / "cov.csv").write_text(COVARIANCE_CSV)
    assert load_scenario(RIDES + end, data_dir=tmp_path).warnings == ()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tables are; what is generated below changes nothing there."""
    found = tmp_path_factory.mktemp("rides")
    (found / "rides.csv").write_text(RIDES_CSV)
    (found / "cov.csv").write_text(COVARIANCE_CSV)
    return found


WORDS = ["bus", "car", "tram", "cost", "income", "home", "b_cost", "asc_bus", "wealth", "poor", "nothing", "", "x y"]
FORMULAS = [
    "0.8 * cost",
    "b_cost",
    "b_cost / 0",
    "home == 'city'",
    "home",
    "cost > 'a'",
    "log(0 - income)",
    "0",
    "(",
    "1e999",
]
words, formulas = st.sampled_from(WORDS), st.sampled_from([*FORMULAS, *WORDS])
numbers = st.sampled_from([-1, 0, 0.5, 1, 2, 1e308, float("nan"), float("inf"), True, None])
leaves = formulas | numbers
changes = st.dictionaries(words, leaves, max_size=2)
odd = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2), max_leaves=5
)
additions = st.fixed_dictionaries({}, optional={
    "utility": formulas, "columns_like": words, "change": changes, "availability": formulas,
})  # fmt: skip
policies = st.fixed_dictionaries({}, optional={
    "change": st.dictionaries(words, changes, max_size=2), "attributes": changes, "coefficients": changes,
    "availability": changes, "add": st.dictionaries(words, additions, max_size=2),
    "remove": st.lists(words, max_size=3), "filter": leaves,
    "rule": st.fixed_dictionaries({}, optional={"type": st.just("hardmax"), "temperature": numbers}),
})  # fmt: skip
entries = st.fixed_dictionaries({"policies": st.dictionaries(words, policies | odd, max_size=3)}, optional={
    "welfare": st.fixed_dictionaries({"money": formulas}) | odd,
    "elasticities": st.lists(words, max_size=2) | odd,
    "covariance": st.fixed_dictionaries({}, optional={
        "table": st.sampled_from(["cov.csv", "rides.csv", ".", ""]), "standard_errors": st.dictionaries(words, numbers),
        "matrix": st.dictionaries(words, st.dictionaries(words, numbers, max_size=3), max_size=3),
    }) | odd,
    "calibrate": st.fixed_dictionaries(
        {"shares": st.dictionaries(words, numbers | st.dictionaries(words, numbers, max_size=2), max_size=2)},
        optional={"by": words, "constants": st.dictionaries(words, words, max_size=2)},
    ) | odd,
    "uncertainty": st.fixed_dictionaries({}, optional={"bootstrap": numbers, "parameter_draws": numbers}) | odd,
    "segments": st.just({"wealth": {"column": "income", "edges": [30], "labels": ["poor", "rich"]}}),
    "on_no_alternative": st.sampled_from(["error", "skip", "outside"]),
})  # fmt: skip


@given(overrides=entries)
def test_whatever_policies_say_ends_in_a_study_or_in_problems(folder: Path, overrides: dict[str, Any]) -> None:
    try:
        found = load_scenario(RIDES, overrides=overrides, data_dir=folder)
    except (ScenarioError, DataError) as error:
        assert error.problems  # noqa: PT017
        assert all(problem.file for problem in error.problems)  # noqa: PT017
    else:
        assert (found.prepared.study.comparison is not None) == bool(found.specification.policies)
