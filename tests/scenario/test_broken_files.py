"""Broken scenario files: what exactly is said, where, and with which exit code.

Every case is a scenario with a fault; the messages are golden. All faults of a file are reported at once, in the order
of the file, and none of them twice under another name.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from choicekit import DataError, ScenarioError, load_scenario, registered_rules
from choicekit.choice.expressions import FUNCTIONS
from choicekit.cli import app
from choicekit.scenario.kinds import kinds

LUNCH = """\
choicekit: 1
kind: choice
name: lunch
seed: 1
agents:
  agent: who
  rows:
    - {who: ann, hunger: 2}
    - {who: bo, hunger: 0}
coefficients: {b: 0.5}
utility:
  soup: 1
  pizza: b * hunger
"""
PEOPLE = """\
choicekit: 1
kind: choice
name: lunch
seed: 1
agents:
  agent: who
  table: people.csv
coefficients: {b: 0.5}
utility:
  soup: 1
  pizza: b * hunger
"""
TRIPS = """\
choicekit: 1
kind: choice
name: trips
seed: 1
agents:
  table: trips.csv
  layout: long
  agent: id
  alternative: mode
  chosen: taken
coefficients: {b_cost: -1}
utility:
  bus: b_cost * cost
  car: 1 + b_cost * cost
"""
RULES = ", ".join(sorted(registered_rules()))
KINDS = ", ".join(kinds())
PEOPLE_CSV = "who,hunger,home\nann,2,city\nbo,0,farm\n"
TRIPS_CSV = "id,mode,cost,taken\n1,bus,2,1\n1,car,3,0\n2,bus,2,0\n2,car,4,1\n"
ROWS = "  rows:\n    - {who: ann, hunger: 2}\n    - {who: bo, hunger: 0}\n"


def changed(text: str, *changes: tuple[str, str], end: str = "") -> str:
    for old, new in changes:
        assert text.count(old) == 1, (old, text)
        text = text.replace(old, new)
    return text + end


def lunch(*changes: tuple[str, str], end: str = "") -> str:
    return changed(LUNCH, *changes, end=end)


def people(*changes: tuple[str, str], end: str = "") -> str:
    return changed(PEOPLE, *changes, end=end)


def trips(*changes: tuple[str, str], end: str = "") -> str:
    return changed(TRIPS, *changes, end=end)


@dataclass(frozen=True)
class Case:
    """A scenario with a fault and what is said about it."""

    name: str
    text: str
    says: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    code: int = 2
    overrides: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def of_people(name: str, table: str | bytes, says: str, *changes: tuple[str, str], code: int = 4) -> Case:
    return Case(name, people(*changes), says, {"people.csv": table}, code)


def of_trips(name: str, table: str, says: str, *changes: tuple[str, str], code: int = 4) -> Case:
    return Case(name, trips(*changes), says, {"trips.csv": table}, code)


# --- names ----------------------------------------------------------------------------------------------------------

NAMES = [
    Case("a misspelt required key is not also missing", lunch(("seed: 1", "sede: 1")),
         "s.yaml:4:1 unknown key 'sede', did you mean 'seed'?"),
    Case("a misspelt block is read on", lunch(("utility:", "utilty:"), ("hunger\n", "hungr\n")),
         """\
         s.yaml:11:1 unknown key 'utilty', did you mean 'utility'?
         s.yaml:13:14 unknown name 'hungr', did you mean 'hunger'?
             b * hungr
                 ^"""),
    Case("a misspelt key in a misspelt block", trips(("agents:", "agnets:"), ("layout: long", "layuot: lnog")),
         """\
         s.yaml:5:1 unknown key 'agnets', did you mean 'agents'?
         s.yaml:7:3 unknown key 'layuot', did you mean 'layout'?
         s.yaml:7:11 must be one of wide, long, found 'lnog', did you mean 'long'?""", {"trips.csv": TRIPS_CSV}),
    Case("a misspelt nested key", lunch(("  agent: who", "  agnet: who")),
         "s.yaml:6:3 unknown key 'agnet', did you mean 'agent'?"),
    Case("a misspelt key of a rule", lunch(end="rule: {type: softmax, temprature: 2}\n"),
         "s.yaml:14:23 unknown key 'temprature', did you mean 'temperature'?"),
    Case("a misspelt type of a rule", lunch(end="rule: {typ: softmax, temperature: 2}\n"),
         "s.yaml:14:8 unknown key 'typ', did you mean 'type'?"),
    Case("a misspelt kind key", lunch(("kind: choice", "knd: choice")),
         "s.yaml:2:1 unknown key 'knd', did you mean 'kind'?"),
    Case("an unknown key like no other", lunch(end="zzz: 1\n"),
         "s.yaml:14:1 unknown key 'zzz', known keys are choicekit, kind, name, title, description, seed, labels, "
         "agents, alternatives, coefficients, random_coefficients, classes, utility, availability, "
         "on_no_alternative, segments, simulation, policies, calibrate, welfare, elasticities, covariance, "
         "uncertainty, detection, capacity, checks, rule"),
    Case("a misspelt column in a formula", lunch(("b * hunger", "b * hungr")),
         """\
         s.yaml:13:14 unknown name 'hungr', did you mean 'hunger'?
             b * hungr
                 ^"""),
    Case("a misspelt coefficient", lunch(("b: 0.5", "b_cost: 0.5"), ("b * hunger", "b_cst * hunger")),
         """\
         s.yaml:13:10 unknown name 'b_cst', did you mean 'b_cost'?
             b_cst * hunger
             ^"""),
    Case("a misspelt function", lunch(("b * hunger", "b * lgo(hunger)")),
         """\
         s.yaml:13:14 unknown function 'lgo', did you mean 'log'?
             b * lgo(hunger)
                 ^"""),
    Case("a misspelt column of agents", lunch(("agent: who", "agent: whoo")),
         "s.yaml:6:10 unknown column 'whoo', did you mean 'who'?"),
    Case("a misspelt alternative",
         lunch(("utility:", "alternatives: [soup, pizza]\nutility:"), ("  pizza:", "  piza:")),
         "s.yaml:14:3 unknown alternative 'piza', did you mean 'pizza'?"),
    Case("a condition for an unknown alternative", lunch(end="availability: {piza: hunger > 0}\n"),
         "s.yaml:14:16 unknown alternative 'piza', did you mean 'pizza'?"),
    Case("an alternative without a utility", lunch(("utility:", "alternatives: [soup, pizza, fish]\nutility:")),
         "s.yaml:12:1 alternative 'fish' has no utility, add a formula for it"),
    Case("an alternative named twice", lunch(("utility:", "alternatives: [soup, pizza, soup]\nutility:")),
         "s.yaml:11:29 alternative 'soup' occurs twice, rename one"),
    Case("an alternative of a reserved name",
         lunch(("soup: 1", "outside_option: 1"), end="on_no_alternative: outside\n"),
         "s.yaml:12:19 'outside_option' is what agents with nothing available choose, rename the alternative"),
    Case("a coefficient named like a column", lunch(("b: 0.5", "b: 0.5, hunger: 1")),
         "s.yaml:10:24 'hunger' is both a column and a coefficient, rename one"),
    Case("a coefficient named like a function", lunch(("b: 0.5", "b: 0.5, log: 1")),
         "s.yaml:10:24 'log' is the name of a function, rename it"),
    Case("an unknown kind", lunch(("kind: choice", "kind: chioce")),
         "s.yaml:2:7 unknown kind 'chioce', did you mean 'choice'?"),
    Case("a kind that is no text", lunch(("kind: choice", "kind: [choice]")),
         f"s.yaml:2:7 unknown kind a list, kinds are {KINDS}"),
    Case("an unknown rule", lunch(end="rule: {type: sofmax}\n"),
         f"s.yaml:14:14 must be one of {RULES}, found 'sofmax', did you mean 'softmax'?"),
    Case("an output directory", lunch(end="output: ../../etc\n"),
         "s.yaml:14:1 unknown key 'output', where results go is said on the command line, with --out"),
]  # fmt: skip

# --- form -----------------------------------------------------------------------------------------------------------

FORM = [
    Case("an empty file", "",
         "s.yaml the file is empty, it must hold a mapping of keys to values, start with 'kind: choice'"),
    Case("a list", "- 1\n",
         "s.yaml:1:1 a scenario must be a mapping of keys to values, found a list, write 'key: value' lines"),
    Case("a missing key", lunch(("seed: 1\n", "")), "s.yaml:1:1 missing key 'seed', add it"),
    Case("all keys missing", "kind: choice\n",
         """\
         s.yaml:1:1 missing key 'choicekit', add it
         s.yaml:1:1 missing key 'name', add it
         s.yaml:1:1 missing key 'seed', add it
         s.yaml:1:1 missing key 'agents', add it
         s.yaml:1:1 missing key 'utility', add it"""),
    Case("a missing kind", lunch(("kind: choice\n", "")), f"s.yaml:1:1 missing key 'kind', add it; kinds are {KINDS}"),
    Case("a rule that is a word", lunch(end="rule: softmax\n"),
         "s.yaml:14:7 must be a mapping, found 'softmax', write {type: softmax}"),
    Case("a duplicate key", lunch(("seed: 1\n", "seed: 1\nseed: 2\n")),
         "s.yaml:5:1 duplicate key 'seed', first given on line 4, keep one of them"),
    Case("a file of a later format", lunch(("choicekit: 1", "choicekit: 2")), "s.yaml:1:12 must be 1, found 2"),
    Case("agents that are a number", "choicekit: 1\nkind: choice\nname: x\nseed: 1\nagents: 5\nutility: {a: 1}\n",
         "s.yaml:5:9 must be a mapping, found 5, such as {table: people.csv}"),
    Case("agents that are nothing", "choicekit: 1\nkind: choice\nname: x\nseed: 1\nagents:\nutility: {a: 1}\n",
         "s.yaml:5:8 must be a mapping, found nothing, such as {table: people.csv}"),
    Case("coefficients that are a list", lunch(("{b: 0.5}", "[b]")),
         "s.yaml:10:15 must be a mapping, found a list, such as {b_cost: -0.5}"),
    Case("a coefficient of text", lunch(("b: 0.5", "b: half")), "s.yaml:10:19 must be a number, found 'half'"),
    Case("a coefficient in quotes", lunch(("b: 0.5", "b: '0.5'")),
         "s.yaml:10:19 must be a number, found '0.5', take away the quotes"),
    Case("a coefficient of nan", lunch(("b: 0.5", "b: .nan")), "s.yaml:10:19 must be a finite number, found nan"),
    Case("an infinite coefficient", lunch(("b: 0.5", "b: -.inf")), "s.yaml:10:19 must be a finite number, found -inf"),
    Case("a formula that is a list", lunch(("soup: 1", "soup: [1, 2]")), "s.yaml:12:9 must be a formula, found a list"),
    Case(
        "the only formula that is wrong",
        lunch(("  soup: 1\n  pizza: b * hunger\n", "  soup: [1]\n"), ("{b: 0.5}", "{}")),
        "s.yaml:12:9 must be a formula, found a list",
    ),
    Case("a formula that is nothing", lunch(("soup: 1", "soup:")), "s.yaml:12:8 must be a formula, found nothing"),
    Case("an infinite formula", lunch(("soup: 1", "soup: .inf")),
         "s.yaml:12:9 must be a formula or a finite number, found inf"),
    Case("no formulas", lunch(("  soup: 1\n  pizza: b * hunger\n", ""), ("utility:", "utility: {}")),
         "s.yaml:11:10 must not be empty"),
    Case("alternatives that are numbers", lunch(("utility:", "alternatives: [1, 2]\nutility:")),
         """\
         s.yaml:11:16 must be text, found 1, put it in quotes
         s.yaml:11:19 must be text, found 2, put it in quotes"""),
    Case("one formula for alternatives without names", lunch(("\n  soup: 1\n  pizza: b * hunger", " b * hunger")),
         "s.yaml:11:1 one formula for all alternatives needs their names, add `alternatives`"),
    Case("a tab", "choicekit: 1\n\tkind: choice\n",
         """\
         s.yaml:2:1 a tab must not be used for indentation, use spaces
              kind: choice
             ^"""),
    Case("an open bracket", "choicekit: 1\nagents: {rows: [1\n",
         """\
         s.yaml:2:16 this '[' is never closed, add ']'
             agents: {rows: [1
                            ^"""),
    Case("an alias bomb", "a: &a [x, x]\nb: &b [*a, *a]\n",
         """\
         s.yaml:1:4 anchor '&a' is not allowed, write the value out where it is needed
         s.yaml:2:4 anchor '&b' is not allowed, write the value out where it is needed
         s.yaml:2:8 alias '*a' is not allowed, write the value out
         s.yaml:2:12 alias '*a' is not allowed, write the value out"""),
    Case("a tag", lunch(("seed: 1", "seed: !!python/object/apply:os.system ['id']")),
         "s.yaml:4:7 tag '!!python/object/apply:os.system' is not allowed, write a plain value, or quote the text"),
    Case("300 kB", lunch(end="# " + "x" * 300_000),
         "s.yaml a scenario has at most 262,144 bytes, this one has 300,194, move data to a table file"),
    Case("200 nested lists", "a: " + "[" * 200 + "]" * 200 + "\n",
         "s.yaml:1:53 nesting is deeper than 50 levels, make it flatter"),
    Case("extending a file that is not there", "extends: base.yaml\n" + LUNCH,
         "s.yaml:1:10 cannot extend 'base.yaml': there is no such file, check the name and the folder"),
    Case("a fault in the file that is extended", "extends: base.yaml\nseed: 2\n",
         "base.yaml:13:14 unknown name 'hungr', did you mean 'hunger'?\n             b * hungr\n                 ^",
         {"base.yaml": lunch(("b * hunger", "b * hungr"))}),
]  # fmt: skip

# --- values ---------------------------------------------------------------------------------------------------------

VALUES = [
    *(Case(f"a temperature of {value}", lunch(end=f"rule: {{type: softmax, temperature: {value}}}\n"),
           f"s.yaml:14:36 {says}")
      for value, says in [("-1", "must be at least 0, found -1"), (".nan", "must be a finite number, found nan"),
                          (".inf", "must be a finite number, found inf"), ("warm", "must be a number, found 'warm'"),
                          ("true", "must be a number, found true")]),
    *(Case(f"a seed of {value}", lunch(("seed: 1", f"seed: {value}")), f"s.yaml:4:7 {says}")
      for value, says in [("-1", "must be at least 0, found -1"), ("1.5", "must be a whole number, found 1.5"),
                          ("x", "must be a whole number, found 'x'"), ("true", "must be a whole number, found true"),
                          ("'7'", "must be a whole number, found '7', take away the quotes"),
                          ("18446744073709551616",
                           "must be below 18446744073709551616, found 18446744073709551616")]),
    *(Case(f"a name of {value}", lunch(("name: lunch", f"name: {value}")),
           f"s.yaml:3:7 must be lower-case letters, digits and single hyphens, found {shown}, such as 'mode-choice-2'")
      for value, shown in [("../../etc", "'../../etc'"), ("''", "''"), ("Lunch Time", "'Lunch Time'"),
                           ("a/b", "'a/b'"), (".", "'.'"), ('"lunch\\n"', r"'lunch\n'")]),
    Case("a name of a number", lunch(("name: lunch", "name: 5")), "s.yaml:3:7 must be text, found 5, put it in quotes"),
    Case("no replications", lunch(end="simulation: {replications: 0}\n"), "s.yaml:14:28 must be at least 1, found 0"),
    Case("replications that are not whole", lunch(end="simulation: {replications: 1.5}\n"),
         "s.yaml:14:28 must be a whole number, found 1.5"),
    Case("an unknown sampling", lunch(end="simulation: {sampling: coherrent}\n"),
         "s.yaml:14:24 must be one of auto, coherent, fast, found 'coherrent', did you mean 'coherent'?"),
    Case("a half-width of 2", lunch(end="checks: {half_width: 2}\n"), "s.yaml:14:22 must be below 1, found 2"),
    Case("a check of shares nobody observed", lunch(end="checks: {observed_shares: 0.1}\n"),
         "s.yaml:14:10 the agents have no observed choices to compare with, name the column `chosen` in agents"),
    Case("edges that do not increase", lunch(end="segments: {h: {column: hunger, edges: [2, 1.5]}}\n"),
         "s.yaml:14:39 edges must increase, found 2, 1.5, sort them"),
    Case("edges that are not numbers", lunch(end="segments: {h: {column: hunger, edges: [a], labels: [x, y]}}\n"),
         "s.yaml:14:40 must be a number, found 'a'"),
    Case("too many labels", lunch(end="segments: {h: {column: hunger, edges: [1], labels: [a, b, c]}}\n"),
         "s.yaml:14:52 1 edge makes 2 groups, found 3 labels, give one label a group"),
    Case("labels without edges", lunch(end="segments: {h: {column: hunger, labels: [a]}}\n"),
         "s.yaml:14:40 labels name the groups between edges, add edges or drop labels"),
    Case("equal labels", lunch(end="segments: {h: {column: hunger, edges: [1], labels: [a, a]}}\n"),
         "s.yaml:14:52 labels must be distinct, rename one"),
    Case("segments of an unknown and of no column", lunch(end="segments: {a: {edges: [1]}, b: {column: hungr}}\n"),
         """\
         s.yaml:14:12 missing key 'column', add it
         s.yaml:14:41 unknown column 'hungr', did you mean 'hunger'?"""),
    Case("edges for a column of text", people(end="segments: {h: {column: home, edges: [1]}}\n"),
         "s.yaml:12:24 column 'home' holds text, drop edges: each value is then a group", {"people.csv": PEOPLE_CSV}),
    Case("a segment that differs between alternatives", trips(end="segments: {h: {column: cost}}\n"),
         "s.yaml:15:24 column 'cost' differs between alternatives, a segment needs an attribute of agents",
         {"trips.csv": TRIPS_CSV}),
]  # fmt: skip

# --- formulas -------------------------------------------------------------------------------------------------------

HOSTILE = "look for a logarithm or root of a negative number, a division by 0, an overflow"
FORMULAS = [
    Case("an attribute", lunch(("b * hunger", "hunger.__class__")),
         """\
         s.yaml:13:16 an attribute ('.') is not allowed
             hunger.__class__
                   ^"""),
    Case("an import", lunch(("b * hunger", "__import__('os')")),
         f"""\
         s.yaml:13:10 unknown function '__import__', functions are {", ".join(FUNCTIONS)}
             __import__('os')
             ^"""),
    Case("a function definition", lunch(("b * hunger", "(lambda x)(1)")),
         """\
         s.yaml:13:11 a function definition ('lambda') is not allowed, use the functions there are
             (lambda x)(1)
              ^"""),
    Case("10,000 terms", lunch(("b * hunger", " + ".join(["b"] * 10_000))),
         """\
         s.yaml:13:2010 an expression has at most 2,000 characters, found 39,997, split it into several expressions
             …b + b + b + b + b + b + b + b + b + b + b + b + b + b + b + b + b + b + b + b + …
                                                      ^"""),
    Case("a power tower", lunch(("b * hunger", "9**9**9**9")),
         f"""\
         s.yaml:13:10 utility must be a number below infinity, found inf for agent ann, alternative pizza, {HOSTILE}
             9**9**9**9"""),
    Case("a logarithm of a negative number", lunch(("b * hunger", "b * log(hunger - 1)")),
         f"""\
         s.yaml:13:10 utility must be a number below infinity, found nan for agent bo, alternative pizza, {HOSTILE}
             b * log(hunger - 1)"""),
    Case("numbers compared with text", lunch(("b * hunger", "b * (hunger == 'x')")),
         """\
         s.yaml:13:15 'hunger' holds numbers and cannot be compared with text, write the number without quotes
             b * (hunger == 'x')
                  ^"""),
    Case("a condition that compares numbers with text", lunch(end="availability: {pizza: hunger == 'x'}\n"),
         """\
         s.yaml:14:23 'hunger' holds numbers and cannot be compared with text, write the number without quotes
             hunger == 'x'
             ^"""),
    Case("an alternative whose name is no path", lunch(("soup: 1", "'a.b=c': log(0 - 1)")),
         f"""\
         s.yaml:12:12 utility must be a number below infinity, found nan for agent ann, alternative a.b=c, {HOSTILE}
             log(0 - 1)"""),
    Case("nothing available", lunch(end="availability: {soup: hunger > 5, pizza: hunger > 1}\n"),
         "s.yaml:14:15 agent bo has nothing available, set on_no_alternative to 'skip' or 'outside', "
         "or check availability"),
]  # fmt: skip

# --- tables and rows ------------------------------------------------------------------------------------------------

MISSING = "fill it in, or make the alternative unavailable there"
TABLES = [
    Case("a missing table", PEOPLE, "s.yaml:7:10 the table does not exist: 'people.csv', check the path"),
    Case("a table that is a directory", people(("people.csv", "folder.csv")),
         "s.yaml:7:10 the table is a directory: 'folder.csv', name the file inside it", {"folder.csv/": ""}),
    Case("a table of an unknown type", people(("people.csv", "people.xlsx")),
         "s.yaml:7:10 a table must end in .csv, .tsv, .txt, .parquet or .pq, found '.xlsx': 'people.xlsx', "
         "save it as one of these", {"people.xlsx": "x"}),
    Case("both table and rows", lunch(("  agent: who", "  table: x.csv\n  agent: who")),
         "s.yaml:5:1 agents need either a table or rows, found both, remove one of them"),
    Case("neither table nor rows", people(("  table: people.csv\n", "")),
         "s.yaml:5:1 agents need either a table or rows, found neither, add one of them"),
    Case("no rows in the scenario", lunch((ROWS, "  rows: []\n")), "s.yaml:7:9 must not be empty"),
    Case("a row that is a number", lunch(("{who: bo, hunger: 0}", "5")), "s.yaml:9:7 must be a mapping, found 5"),
    Case("a cell that is a list", lunch(("{who: bo, hunger: 0}", "{who: bo, hunger: [1]}")),
         "s.yaml:9:25 must be text, a number, true or false, found a list"),
    Case("rows with different keys", lunch(("{who: bo, hunger: 0}", "{who: bo, thirst: 0}")),
         """\
         s.yaml:9:7 this row has no 'hunger', which the first row has, give every row the same keys
         s.yaml:9:17 this row has 'thirst', which the first row has not, give every row the same keys"""),
    Case("an agent twice in rows", lunch(("who: bo", "who: ann")),
         "s.yaml:9 agent ann occurs a second time, name a `situation` column if agents choose more than once"),
    of_trips("an unknown layout", TRIPS_CSV,
             "s.yaml:7:11 must be one of wide, long, found 'lnog', did you mean 'long'?",
             ("layout: long", "layout: lnog"), code=2),
    of_trips("a long layout without an alternative", TRIPS_CSV,
             "s.yaml:7:11 long layout needs `alternative`, name the column of the alternative",
             ("  alternative: mode\n", ""), code=2),
    of_trips("a wide layout with an alternative", TRIPS_CSV,
             "s.yaml:9:3 `alternative` belongs to long layout, set layout to long", ("layout: long", "layout: wide"),
             code=2),
    of_people("attributes of unknown alternatives and columns", PEOPLE_CSV,
              """\
              s.yaml:7:30 unknown column 'hungr', did you mean 'hunger'?
              s.yaml:7:37 unknown alternative 'piza', did you mean 'pizza'?""",
              ("  table:", "  attributes: {price: {soup: hungr, piza: hunger}}\n  table:"), code=2),
    of_people("a separator of two characters", PEOPLE_CSV, "s.yaml:7:14 must have at most 1 character, found ';;'",
              ("  table:", "  separator: ';;'\n  table:"), code=2),
    of_people("a separator that does not occur", PEOPLE_CSV,
              "people.csv:1 the separator ';' does not occur in the header, did you mean ','?",
              ("  table:", "  separator: ';'\n  table:")),
    of_people("a table without rows", "who,hunger\n",
              "people.csv:1 the table has a header but no rows, add data below it"),
    of_people("an empty table", "", "people.csv:1 the table is empty, give a header and rows"),
    of_people("a column twice", "who,hunger,hunger\nann,1,2\n",
              "people.csv:1 column 'hunger' occurs twice, rename one"),
    of_people("a ragged row", "who,hunger\nann,2\nbo,0,7\n",
              "people.csv:3 this line has 3 cells where the header has 2, put text that holds the separator in quotes"),
    of_people("a table in another encoding", b"who,hunger\nann,2\nb\xf6,0\n",
              "people.csv:3 text must be UTF-8, found other bytes, save it as UTF-8"),
    of_people("a number that is nan", "who,hunger\nann,2\nbo,nan\n",
              f"people.csv:3 column 'hunger': the number is missing (agent bo), {MISSING}"),
    of_people("a number that is infinite", "who,hunger\nann,2\n\nbo,inf\n",
              "people.csv:4 column 'hunger': 'inf' is not a finite number (agent bo)"),
    of_people("a word among numbers", "who,hunger\nann,2\nbo,lots\n",
              "people.csv:3 column 'hunger': 'lots' is not a finite number (agent bo)"),
    of_people("words among numbers in cells that nobody needs", "who,hunger,open\nann,-,0\nbo,2,1\ncy,abc,0\n",
              """\
              people.csv:2 column 'hunger': '-' is not a finite number (agent ann), leave cells empty that nobody needs
              people.csv:4 column 'hunger': 'abc' is not a finite number (agent cy), leave cells empty that nobody \
needs""", ("coefficients:", "availability: {pizza: open}\ncoefficients:")),
    of_people("words among numbers in cells of which one is needed", "who,hunger,open\nann,-,0\nbo,x,1\ncy,2,1\n",
              """\
              people.csv:2 column 'hunger': '-' is not a finite number (agent ann), leave cells empty that nobody needs
              people.csv:3 column 'hunger': 'x' is not a finite number (agent bo)""",
              ("coefficients:", "availability: {pizza: open}\ncoefficients:")),
    of_people("words instead of numbers", "who,hunger\nann,much\nbo,lots\n",
              """\
              s.yaml:11:14 column 'hunger' must hold numbers here, found only text such as 'much', text can only be \
compared with text, by == or in
                  b * hunger
                      ^""", code=2),
    of_people("a text for a number in a condition and a utility", "who,hunger,home\nann,2,city\nbo,0,farm\n",
              """\
              s.yaml:11:14 column 'home' must hold numbers here, found only text such as 'city', text can only be \
compared with text, by == or in
                  b + home * hunger
                      ^""", ("b * hunger", "b + home * hunger"), code=2),
    of_people("more bad cells than are listed", "who,hunger\nann,1\n" + "".join(f"b{n},x\n" for n in range(7)),
              "\n".join(f"people.csv:{line} column 'hunger': 'x' is not a finite number (agent b{line - 3})"
                        for line in range(3, 8)) + ", and 2 more like it"),
    of_people("more bad weights than are listed", "who,hunger,w\n" + "".join(f"b{n},1,-1\n" for n in range(9)),
              "\n".join(f"people.csv:{line} column 'w': must be a finite number of at least 0, found '-1'"
                        for line in range(2, 7)) + ", and 4 more like it", ("  table:", "  weight: w\n  table:")),
    of_people("an agent twice", "who,hunger\nann,2\nann,3\n",
              "people.csv:3 agent ann occurs a second time, name a `situation` column if agents choose more than once"),
    of_people("an agent without a name", "who,hunger\nann,2\n,3\n",
              "people.csv:3 column 'who': an identifier is missing, fill it in"),
    of_people("a negative weight", "who,hunger,w\nann,2,1\nbo,1,-1\n",
              "people.csv:3 column 'w': must be a finite number of at least 0, found '-1'",
              ("  table:", "  weight: w\n  table:")),
    of_trips("an agent, situation and alternative twice", TRIPS_CSV + "2,car,5,0\n",
             "trips.csv:6 agent 2, alternative car occurs a second time, remove one of the rows"),
    of_trips("an agent without a row for an alternative", TRIPS_CSV.replace("1,car,3,0\n", ""),
             "trips.csv:2 agent 1 has no row for alternative 'car', add it, or set missing_rows to 'unavailable'"),
    of_trips("a label that is no alternative", TRIPS_CSV.replace("2,car", "2,caar"),
             "trips.csv:5 column 'mode': unknown alternative 'caar', did you mean 'car'?"),
    of_trips("nothing chosen", TRIPS_CSV.replace("2,1\n", "2,0\n"),
             "trips.csv:3 column 'taken': exactly one alternative must be marked as chosen, found 0 (agent 1)"),
    of_trips("two chosen", TRIPS_CSV.replace("3,0\n", "3,1\n"),
             "trips.csv:3 column 'taken': exactly one alternative must be marked as chosen, found 2 (agent 1)"),
    of_trips("chosen by another number", TRIPS_CSV.replace("3,0\n", "3,2\n"),
             "trips.csv:3 column 'taken': must be 1 (chosen) or 0 (not), found '2'"),
    Case("no Parquet", people(("people.csv", "people.parquet")),
         "people.parquet this is not a readable Parquet file, write it again as Parquet, or as CSV",
         {"people.parquet": "x"}, 4),
]  # fmt: skip

# --- several faults, and overrides ----------------------------------------------------------------------------------

SEVERAL = [
    Case("many unrelated faults",
         lunch(("name: lunch", "name: Lunch!"), ("seed: 1", "sede: 1"), ("agent: who", "agent: whom"),
               ("b: 0.5", "b: half"), ("soup: 1", "soup: 1 +"), ("b * hunger", "b * hungr"),
               end="rule: {type: sofmax}\nsimulation: {replications: 0}\n"
                   "segments: {h: {column: hungr, edges: [2, 1]}}\n"),
         f"""\
         s.yaml:3:7 must be lower-case letters, digits and single hyphens, found 'Lunch!', such as 'mode-choice-2'
         s.yaml:4:1 unknown key 'sede', did you mean 'seed'?
         s.yaml:6:10 unknown column 'whom', did you mean 'who'?
         s.yaml:10:19 must be a number, found 'half'
         s.yaml:12:12 a value is missing after '+'
             1 +
                ^
         s.yaml:13:14 unknown name 'hungr', did you mean 'hunger'?
             b * hungr
                 ^
         s.yaml:14:14 must be one of {RULES}, found 'sofmax', did you mean 'softmax'?
         s.yaml:15:28 must be at least 1, found 0
         s.yaml:16:24 unknown column 'hungr', did you mean 'hunger'?
         s.yaml:16:38 edges must increase, found 2, 1, sort them"""),
    Case("faults of the scenario come before those of its table",
         people(("seed: 1", "seed: -1")),
         """\
         s.yaml:4:7 must be at least 0, found -1
         people.csv:1 the table is empty, give a header and rows""", {"people.csv": ""}),
    Case("an override without a path", LUNCH,
         """\
         --set rule..x=1 a part of the path is empty, write path.to.key=value
         --set seed '=' is missing, write path.to.key=value""", overrides=("rule..x=1", "seed")),
    Case("an override of a wrong value", LUNCH, "--set seed=warm must be a whole number, found 'warm'",
         overrides=("seed=warm",)),
    Case("an override of an unreadable value", LUNCH,
         """\
         --set seed=[1 this '[' is never closed, add ']'
             [1
             ^""", overrides=("seed=[1",)),
    Case("an override of an unknown key", LUNCH, "--set sede=2 unknown key 'sede', known keys are choicekit, kind, "
         "name, title, description, seed, labels, agents, alternatives, coefficients, random_coefficients, classes, "
         "utility, availability, on_no_alternative, segments, simulation, policies, calibrate, welfare, elasticities, "
         "covariance, uncertainty, detection, capacity, checks, rule", overrides=("sede=2",)),
    Case("an override below a number", LUNCH,
         "--set seed.x=1 'seed' is a number, nothing can be set inside it, check the path", overrides=("seed.x=1",)),
    Case("a fault in the file and one in an override", lunch(("seed: 1", "seed: -1")),
         """\
         s.yaml:4:7 must be at least 0, found -1
         --set simulation.replications=0 must be at least 1, found 0""", overrides=("simulation.replications=0",)),
]  # fmt: skip

CASES = [*NAMES, *FORM, *VALUES, *FORMULAS, *TABLES, *SEVERAL]

FOREIGN = re.compile(
    r"pydantic|ruamel|pandas|pyarrow|numpy|typer|Input should|valid (string|integer|number|dictionary)|Extra inputs|"
    r"Field required|tokeniz|dtype|NoneType|<class|Error:|Errno|Traceback|could not convert|Expected|discriminator|"
    r"found character|while (scanning|parsing)|mapping values|<unicode string>|__root__|\bdict\b|\bstr\b|\bint\b",
    re.IGNORECASE,
)


def said(case: Case) -> list[str]:
    """Lines of the golden text without the indentation of the source."""
    first, *rest = case.says.split("\n")
    indent = len(first) - len(first.lstrip()) or (9 if case not in TABLES else 14)
    return [first.lstrip(), *(line[indent:] if line[:indent].strip() == "" else line for line in rest)]


def write_files(case: Case, folder: Path) -> None:
    for name, content in case.files.items():
        if name.endswith("/"):
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "s.yaml").write_text(case.text)


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A broken scenario, written to the working directory."""
    found: Case = request.param
    write_files(found, tmp_path)
    monkeypatch.chdir(tmp_path)
    return found


def test_a_fault_is_told_in_our_words_at_its_place(case: Case) -> None:
    kind: type[ScenarioError | DataError] = ScenarioError if case.code == 2 else DataError
    with pytest.raises(kind) as caught:
        load_scenario("s.yaml", overrides=case.overrides)
    assert str(caught.value).split("\n") == said(case)
    assert not FOREIGN.search(str(caught.value))


def test_the_command_line_says_the_same_with_its_exit_code(case: Case) -> None:
    arguments = ["check", "s.yaml"] + [word for override in case.overrides for word in ("--set", override)]
    result = CliRunner().invoke(app, arguments)
    count = len([line for line in said(case) if not line.startswith(" ")])
    count += sum(int(more) for more in re.findall(r"\band (\d+) more like it", case.says))
    assert result.stderr.split("\n")[:-1] == [
        *said(case), f"{count} problem{'s' if count > 1 else ''}, nothing was run"
    ]  # fmt: skip
    assert (result.exit_code, result.stdout) == (case.code, "")


def test_the_cases_are_different() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 35
    assert len({(case.text, *map(str, case.files.items()), case.overrides) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("text", [LUNCH, PEOPLE, TRIPS], ids=["lunch", "people", "trips"])
def test_the_scenarios_that_are_broken_here_are_whole_without_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE_CSV)
    (tmp_path / "trips.csv").write_text(TRIPS_CSV)
    assert load_scenario(text, data_dir=tmp_path).warnings == ()


@pytest.mark.parametrize("name", ["a misspelt column in a formula", "a word among numbers", "a tag"])
def test_a_real_process_shows_no_traceback(name: str, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == name)
    for file, content in case.files.items():
        (tmp_path / file).write_text(str(content))
    (tmp_path / "s.yaml").write_text(case.text)
    command = [sys.executable, "-m", "choicekit.cli", "run", "s.yaml", "--out", "out"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (case.code, "")
    lines = [line for line in found.stderr.split("\n") if not line.startswith("compiling loops")]  # told once a machine
    assert lines[: len(said(case))] == said(case)
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "out").exists()
