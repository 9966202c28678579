"""Generated scenario files and formulas: read or refused in our own words, at once, and nothing in them is ever run.

The slow tests try 100,000 examples together; the quick ones are the same on a few hundred.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from choicekit import ChoicekitError, load_scenario
from choicekit.choice.expressions import FUNCTIONS, parse_expression
from choicekit.errors import ExpressionError

BASE = """\
choicekit: 1
kind: choice
name: generated
title: a title
description: some words
seed: 1
labels:
  agents: travellers
  choices: trips
  inclusive_value: hours
agents:
  layout: wide
  agent: who
  weight: w
  chosen: took
  attributes:
    cost: {bus: cost_bus, car: cost_car}
  rows:
    - {who: ann, w: 1, took: 1, cost_bus: 2, cost_car: 3, home: city}
    - {who: bo, w: 2, took: 2, cost_bus: 2, cost_car: 4, home: farm}
    - {who: cy, w: 1, took: 1, cost_bus: 1, cost_car: 8, home: farm}
alternatives: {1: bus, 2: car}
coefficients:
  b_cost: -1
  asc: 0.5
utility:
  bus: b_cost * cost
  car: asc + where(home == 'city', 1, 2) + b_cost * cost
availability:
  car: cost < 9
on_no_alternative: error
rule:
  type: softmax
  temperature: 1.5
segments:
  h:
    column: w
    edges: [1.5]
    labels: [light, heavy]
  k:
    column: home
simulation:
  replications: 3
  sampling: coherent
  save_choices: true
checks:
  agreement: 0
  half_width: 0.9
  observed_shares: 0.9
policies:
  half-fare:
    description: at half fare
    change:
      bus:
        cost: 0.5 * cost
  no-cars:
    remove: [car]
    filter: w > 0
  bike:
    add:
      bike:
        utility: asc - 1
        columns_like: bus
        availability: cost < 3
    coefficients:
      b_cost: 0.5 * b_cost
    attributes:
      cost: 2 * cost
    rule:
      temperature: 2
    availability:
      car: cost < 8
welfare:
  money: b_cost
  unit: $
elasticities: [cost]
covariance:
  standard_errors:
    b_cost: 0.1
    asc: 0.2
uncertainty:
  bootstrap: 20
  parameter_draws: 20
calibrate:
  shares:
    bus: 0.4
    car: 0.6
"""
"""A scenario that uses every block; blocks added here are mutated with the rest."""

MARKER = "choicekit-was-here"
LONGEST = 1.0  # seconds of work that any example may take
WAITING = 20  # times as long by the clock: the machine may be busy with something else

CODE = [
    f"__import__('os').system('touch {MARKER}')", f"open('{MARKER}', 'w')", f"os.system('touch {MARKER}')",
    f"!!python/object/apply:os.system ['touch {MARKER}']", f"!!python/object/apply:builtins.open ['{MARKER}', w]",
    "!!python/name:os.system", "!!python/module:os", f"eval(\"open('{MARKER}', 'w')\")", f"`touch {MARKER}`",
    f"$(touch {MARKER})", f"{{{{ open('{MARKER}', 'w') }}}}", f"(lambda: open('{MARKER}', 'w'))()",
    "().__class__.__bases__[0].__subclasses__()", f"[open('{MARKER}', 'w') for x in (1,)]", "cost.__class__",
    f"f\"{{open('{MARKER}', 'w')}}\"",
]  # fmt: skip
SCALARS = [
    "", "~", "null", "true", "no", "-1", "0", "1.5", "1e999", "-.inf", ".nan", "0x_1", "0o8", "1_000", "2001-01-01",
    "9" * 400, "''", '"\\0"', '"\\ud800"', '"\\x1b[2J"', "'a''b'", '"unclosed', "'unclosed", "|", ">-", "? a", ": b",
    "[", "]", "{", "}", "[]", "{}", "[1, [2, {a: b}]]", "{a: {b: [c]}}", "{1: 2, 1: 3}", "*a", "&a b", "&a", "!t x",
    "!!str 1", "!!binary x", "<<: {a: b}", "@x", "%x", "`x`", "a: b: c", "a #b", "#", "---", "...", "%YAML 1.1", "\t",
    "\\", "é", "ß" * 90, "🚆", "قطار", "\u202e", "\ufeff", "\u2028", "\x00", "\x07", "home", "cost", "cost_bus", "bus",
    "car", "outside_option", "who", "softmax", "../../etc/passwd", "/dev/stdin", "[" * 60, "[" * 900, "{a: " * 60,
    "- " * 80, "((((" * 30, "x" * 900, "1+" * 900 + "1", "long", "skip", "unavailable", "choice", "a.b", "a b",
    "=1+1", "<b>", "cost < ", "log(cost", "9**9**9**9", "1/0", "log(-1)",
]  # fmt: skip
KEYS = [
    "utility", "agents", "rows", "table", "extends", "rule", "type", "seed", "sede", "output", "bus", "1", "<<", "''",
    "[a]", "{a: b}",
]  # fmt: skip
LINES = len(BASE.splitlines())


# --- examples -------------------------------------------------------------------------------------------------------


def _set_value(lines: list[str], place: int, piece: str) -> None:
    key, colon, _ = lines[place].partition(":")
    lines[place] = f"{key}{colon} {piece}" if colon else piece


def _set_key(lines: list[str], place: int, piece: str) -> None:
    found = re.match(r"( *)[^:]*(.*)", lines[place], re.DOTALL)
    lines[place] = f"{found[1]}{piece}{found[2]}" if found else piece


def _delete(lines: list[str], place: int, piece: str) -> None:
    del lines[place]


def _repeat(lines: list[str], place: int, piece: str) -> None:
    lines.insert(place, lines[place])


def _insert(lines: list[str], place: int, piece: str) -> None:
    lines.insert(place, f"{' ' * (len(piece) % 5)}{piece}")


def _into(lines: list[str], place: int, piece: str) -> None:
    middle = len(lines[place]) * (len(piece) % 7) // 7
    lines[place] = f"{lines[place][:middle]}{piece}{lines[place][middle:]}"


def _indent(lines: list[str], place: int, piece: str) -> None:
    lines[place] = f"{' ' * (1 + len(piece) % 4)}{lines[place]}"


def _cut(lines: list[str], place: int, piece: str) -> None:
    del lines[place + 1 :]
    lines[place] = lines[place][: len(lines[place]) // 2]


def _formula(lines: list[str], place: int, piece: str) -> None:
    formulas = [at for at, line in enumerate(lines) if "cost" in line and ": " in line]
    if formulas:
        _set_value(lines, formulas[place % len(formulas)], json.dumps(piece))


EDITS: list[Callable[[list[str], int, str], None]] = [
    _set_value, _set_value, _set_value, _set_key, _delete, _repeat, _insert, _into, _indent, _cut, _formula,
]  # fmt: skip


def mutated(edits: list[tuple[Callable[[list[str], int, str], None], int, str]]) -> str:
    lines = BASE.splitlines()
    for edit, place, piece in edits:
        edit(lines, place % max(len(lines), 1), piece) if lines else lines.append(piece)
    return "\n".join(lines) + "\n"


PIECES = st.sampled_from([*SCALARS, *KEYS, *CODE]) | st.text(max_size=8)
CHANGED = st.tuples(st.sampled_from(EDITS), st.integers(0, LINES - 1), PIECES)
MUTATED = st.lists(CHANGED, min_size=1, max_size=4).map(mutated)
JOINTS = ["\n", "\n  ", "- ", ": ", ", ", "kind: choice\n", "choicekit: 1\n", "a: "]
RAW = st.text(max_size=40) | st.lists(st.sampled_from([*SCALARS, *CODE, *JOINTS]), max_size=12).map("".join)

NAMES = ["cost", "b", "home", "`travel time`", "x" * 50, "é", "nobody", "and", "lambda", "__import__", "os"]
ATOMS = st.sampled_from([*NAMES, "1", "0", "2.5e3", "1e999", "'city'", '"farm"', "True", "9" * 30, ".5", "1_0", "0x1f"])
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "<", "<=", "==", "!=", ">", "and", "or", "in"]
FORMULAS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(OPERATORS), inner),
        st.builds("{}({}, {})".format, st.sampled_from([*FUNCTIONS, "eval", "open"]), inner, inner),
        st.builds("{}({})".format, st.sampled_from([*FUNCTIONS, "not ", "-", "+", "~"]), inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("{} in [{}, {}]".format, inner, ATOMS, ATOMS),
        st.builds("({})".format, inner),
    ),
    max_leaves=12,
)  # fmt: skip
BITS = [
    *"()[]{}'\"`,;:.=<>!@#$%^&*|~\\ \t\n", "**", "//", "==", "!=", "<=", ":=", "->", "lambda x: ", " if ", " else ",
    " for ", "not ", "in ", "is ", "await ", "yield ", "f'", "b'", "r'", "u'", "\x00", "\ud800", "\u202e", "é", "²",
    "١", "🚆", "((" * 60, "-" * 300, "not " * 90, "a+" * 300, "a if a else " * 60, "1e", "0b1", "1j", "...",
    "__class__", "*args", "**k",
]  # fmt: skip


def _spoilt(text: str, changes: list[tuple[int, int, str]]) -> str:
    for start, length, piece in changes:
        at = start % (len(text) + 1)
        text = f"{text[:at]}{piece}{text[at + length :]}"
    return text


CHANGES = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 5), st.sampled_from([*BITS, *CODE])), max_size=3)
EXPRESSIONS = st.one_of(
    FORMULAS,
    st.builds(_spoilt, FORMULAS, CHANGES),
    st.text(max_size=40),
    st.lists(st.sampled_from([*BITS, *NAMES, *CODE, "1", "log(", "min("]), max_size=14).map("".join),
)
COLUMNS: dict[str, Any] = {
    "cost": np.array([1.0, -2.0, np.nan]),
    "b": 0.5,
    "home": np.array(["city", "farm", ""], dtype=object),
    "travel time": np.array([0.0, 1e308, 3.0]),
    "x" * 50: np.array([True, False, True]),
    "é": 0.0,
}


# --- what must hold -------------------------------------------------------------------------------------------------


class Watch:
    """Notes whatever a process does that reading a text must not: commands, connections, files written, code run."""

    def __init__(self) -> None:
        self.is_on = False
        self.seen: list[str] = []
        sys.addaudithook(self.notice)  # there is no way to take a hook away: it sleeps between tests

    def notice(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.is_on and (event.startswith(FORBIDDEN) or _writes(event, arguments) or _is_ours_run(event, arguments)):
            self.seen.append(f"{event} {arguments!r}"[:200])


FORBIDDEN = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.remove", "os.rename", "os.mkdir", "os.rmdir",
    "os.chmod", "os.link", "os.symlink", "os.truncate", "os.kill", "subprocess.", "pty.", "socket.", "urllib.",
    "ftplib.", "smtplib.", "shutil.", "ctypes.", "pickle.", "marshal.", "webbrowser.",
)  # fmt: skip
DANGEROUS = {"__import__", "system", "open", "popen", "__subclasses__"}


def _writes(event: str, arguments: tuple[Any, ...]) -> bool:
    if event != "open":
        return False
    path, mode = arguments[:2]
    return MARKER in str(path) or bool(set(str(mode or "")) & set("wax+"))


def _is_ours_run(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether a piece of a text under test has become running code."""
    code = arguments[0] if event == "exec" else None
    own = not Path(getattr(code, "co_filename", "")).is_absolute()  # modules that are imported have a file
    return own and bool(DANGEROUS & set(getattr(code, "co_names", ())))


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture
def harmless(watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """An empty working directory, and a watch that must have seen nothing when the test is done."""
    monkeypatch.chdir(tmp_path)
    load_scenario(BASE)  # what is imported late is imported now
    watch.seen.clear()
    yield watch
    assert watch.seen == []
    assert list(tmp_path.iterdir()) == []


def told(watch: Watch, read: Callable[[str], object], text: str) -> str:
    """Read a text under the watch, in less than a second; say how it ended."""
    for attempt in (1, 2):
        start, clock = time.thread_time(), time.perf_counter()
        watch.is_on = True
        try:
            read(text)
            outcome = "read"
        except ChoicekitError as error:
            outcome = "refused" if str(error).strip() else "refused without a word"
        finally:
            watch.is_on = False
        taken = max(time.thread_time() - start, (time.perf_counter() - clock) / WAITING)
        if taken < LONGEST:
            return outcome
        assert attempt == 1, f"took {taken:.1f} s: {text!r}"
    raise AssertionError


def read_formula(text: str) -> None:
    formula = parse_expression(text)
    if not formula.check(COLUMNS.keys()):
        value = formula.evaluate(COLUMNS)
        assert value.dtype.kind in "fb"


def both_ends(found: Counter[str], least: int) -> None:
    """Examples that are all refused, or all read, would try little."""
    assert found.total() >= least
    assert found.keys() == {"read", "refused"}
    assert min(found["read"], found["refused"]) > least / 100, found


# --- tests ----------------------------------------------------------------------------------------------------------


def try_all(
    watch: Watch, read: Callable[[str], object], texts: st.SearchStrategy[str], n: int, start: int
) -> Counter[str]:
    """Read n different texts, those that `start` leads to; count how they ended."""
    found: Counter[str] = Counter()

    @seed(start)
    @settings(max_examples=n, deadline=None, phases=[Phase.generate], verbosity=Verbosity.quiet)
    @given(texts)
    def trial(text: str) -> None:
        found[told(watch, read, text)] += 1

    trial()
    return found


def test_the_base_is_whole() -> None:
    told = [warning.split(" (")[0] for warning in load_scenario(BASE).warnings]
    assert told == [
        "<scenario>:50:1 another rule or temperature changes what the same utilities are worth",
        "<scenario>:50:1 what money is worth changes with 'b_cost'",
        "<scenario>:82:3 bootstrap is 20, but the ends of a 95 % interval need at least 100: take the intervals for "
        "rough, or raise it",
        "<scenario>:83:3 parameter_draws is 20, but the ends of a 95 % interval need at least 100: take the intervals "
        "for rough, or raise it",
    ]


def test_generated_scenarios(harmless: Watch) -> None:
    both_ends(try_all(harmless, load_scenario, MUTATED, 120, 1), 120)


def test_generated_texts(harmless: Watch) -> None:
    found = try_all(harmless, lambda text: load_scenario(f"{text}\n"), RAW, 100, 2)
    assert found.keys() == {"refused"}


def test_generated_formulas(harmless: Watch) -> None:
    both_ends(try_all(harmless, read_formula, EXPRESSIONS, 300, 3), 300)


@pytest.mark.slow
def test_a_hundred_thousand_generated_texts(harmless: Watch) -> None:
    total = 0
    for start in range(10):
        scenarios = try_all(harmless, load_scenario, MUTATED, 300, 10 + start)
        texts = try_all(harmless, lambda text: load_scenario(f"{text}\n"), RAW, 1_200, 30 + start)
        formulas = try_all(harmless, read_formula, EXPRESSIONS, 8_500, 50 + start)
        both_ends(scenarios, 300)
        both_ends(formulas, 8_000)
        total += scenarios.total() + texts.total() + formulas.total()
    assert total >= 100_000


@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("entry", ["seed", "title", "utility", "kind", "agents", "rule"])
def test_code_is_never_run(harmless: Watch, code: str, entry: str) -> None:
    text = re.sub(rf"^{entry}:.*\n(?:[ -].*\n)*", lambda _: f"{entry}: {code}\n", BASE, count=1, flags=re.MULTILINE)
    assert code in text
    told(harmless, load_scenario, text)
    told(harmless, read_formula, code)


@pytest.mark.parametrize(
    "deed",
    [
        lambda: __import__("os").system("true"),
        lambda: Path(MARKER).touch(),
        lambda: Path(MARKER).write_text(""),
        lambda: __import__("subprocess").run(["true"], check=False),
        lambda: eval(CODE[1]),  # noqa: S307
    ],
)
def test_the_watch_sees_what_must_not_be(
    watch: Watch, deed: Callable[[], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    watch.seen.clear()
    told(watch, lambda _: deed(), "")
    assert watch.seen


def test_a_slow_text_is_noticed(watch: Watch) -> None:
    def work(_: str) -> None:
        start = time.thread_time()
        while time.thread_time() < start + LONGEST:
            pass

    with pytest.raises(AssertionError, match="took 1"):
        told(watch, work, "")


def test_another_error_is_noticed(watch: Watch) -> None:
    with pytest.raises(ZeroDivisionError):
        told(watch, lambda _: 1 / 0, "")
    with pytest.raises(ExpressionError):
        parse_expression("1 +")
