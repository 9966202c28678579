"""Hostile YAML in, plain values and positions out, and nothing but ScenarioError besides."""

from __future__ import annotations

import math
import os
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from choicekit.errors import InvalidInputError, ScenarioError
from choicekit.scenario.document import Document, Position, excerpt_of, format_path, parse_path
from choicekit.scenario.scalars import MAX_DIGITS, resolve_plain, to_plain
from choicekit.scenario.source import MAX_BYTES, dump_document, parse_document, parse_value, read_document


def values_of(text: str) -> dict[str, Any]:
    return parse_document(text, file="a.yaml").values


def outcome_of(text: str) -> Document | ScenarioError:
    try:
        return parse_document(text, file="f")
    except ScenarioError as error:
        return error


def lines_of(text: str) -> list[str]:
    """Messages without excerpts."""
    with pytest.raises(ScenarioError) as caught:
        parse_document(text, file="a.yaml")
    return [str(problem).split("\n")[0] for problem in caught.value.problems]


def message_of(text: str) -> str:
    lines = lines_of(text)
    assert len(lines) == 1, lines
    return lines[0]


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None), ("nULL", "nULL"),
        ("true", True), ("True", True), ("TRUE", True), ("false", False), ("tRUE", "tRUE"),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("Y", "Y"),
        ("0", 0), ("-0", 0), ("+12", 12), ("007", 7), ("0o17", 15), ("0x1F", 31), ("-0x1F", "-0x1F"), ("0b1", "0b1"),
        ("1_000", "1_000"), ("1,000", "1,000"), ("12:30", "12:30"), ("2024-01-31", "2024-01-31"), ("1.2.3", "1.2.3"),
        (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("1E-3", 0.001), ("-1.5e+2", -150.0), (".", "."), ("e3", "e3"),
        (".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf), (".iNF", ".iNF"), ("inf", "inf"), ("nan", "nan"),
        ("asc + b * gc", "asc + b * gc"), ("-", "-"), ("+", "+"), ("٣", "٣"),
    ],
)  # fmt: skip
def test_unquoted_text_follows_the_core_schema(written: str, value: object) -> None:
    found = resolve_plain(written)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_read() -> None:
    assert all(math.isnan(number) for number in values_of("a: [.nan, .NaN, .NAN]")["a"])


def test_quoted_text_stays_text() -> None:
    assert values_of("""a: ["1", 'true', "~", "", '.5', "x\\ty"]""") == {"a": ["1", "true", "~", "", ".5", "x\ty"]}


def test_keys_keep_their_source_text() -> None:
    text = 'alternatives: {1: air, 1.0: train, true: bus, null: car, 0x1: ship, "": none, ~: foot}'
    assert list(values_of(text)["alternatives"]) == ["1", "1.0", "true", "null", "0x1", "", "~"]


def test_block_text_and_lists() -> None:
    text = "---\na: |\n  x\n  y\nb: >-\n  x\n  y\nc:\n- 1\n-\n  - d: 2\n    e: {}\n- []\n...\n"
    assert values_of(text) == {"a": "x\ny\n", "b": "x y", "c": [1, [{"d": 2, "e": {}}], []]}


def test_escaped_surrogate_pair_is_one_character() -> None:
    assert values_of(r'a: "\ud83d\ude00"') == {"a": "\U0001f600"}


def test_windows_line_ends_and_byte_order_mark() -> None:
    document = parse_document("\ufeffa: 1\r\nb: 2\rc: 3", file="a.yaml")
    assert document.values == {"a": 1, "b": 2, "c": 3}
    assert document.position(("a",), of="key") == Position("a.yaml", 1, 1)
    assert document.position(("c",)) == Position("a.yaml", 3, 4)


def test_yaml_1_2_directive_is_allowed_alone() -> None:
    assert values_of("# note\n\n%YAML 1.2 # yes\n---\na: yes") == {"a": "yes"}


# --- positions ------------------------------------------------------------------------------------------------------

POSITIONS = """\
name: "a b"
rule:
  type: softmax
  list:
  - x
  - {k: 'v w'}
empty:
text: |
  long
"""


@pytest.mark.parametrize(
    ("path", "of", "line", "column"),
    [
        ((), "value", 1, 1),
        (("name",), "key", 1, 1),
        (("name",), "value", 1, 7),
        (("rule",), "key", 2, 1),
        (("rule",), "value", 3, 3),
        (("rule", "type"), "value", 3, 9),
        (("rule", "list"), "value", 5, 3),
        (("rule", "list", 0), "value", 5, 5),
        (("rule", "list", 0), "key", 5, 5),
        (("rule", "list", 1), "value", 6, 5),
        (("rule", "list", 1, "k"), "key", 6, 6),
        (("rule", "list", 1, "k"), "value", 6, 9),
        (("empty",), "value", 7, 7),
        (("text",), "value", 8, 7),
        # not there: the nearest entry around
        (("rule", "temperature"), "key", 2, 1),
        (("rule", "temperature"), "value", 3, 3),
        (("rule", "list", 7, "k"), "value", 5, 3),
        (("rules", "x"), "key", 1, 1),
    ],
)
def test_positions(path: tuple[str | int, ...], of: Any, line: int, column: int) -> None:
    document = parse_document(POSITIONS, file="a.yaml")
    assert document.position(path, of) == Position("a.yaml", line, column)


@pytest.mark.parametrize(
    ("text", "offset", "line", "column"),
    [
        ("a: b + c", 4, 1, 8),
        ("a: 'b + c'", 4, 1, 9),
        ('a: "b + c" # d', 0, 1, 5),
        ("a: b", 99, 1, 5),
        ("a: b", -1, 1, 4),
        ("a: 'it''s'", 4, 1, 4),  # an escape: columns would be off by one
        ('a: "b\\tc"', 2, 1, 4),
        ("a: b\n  c", 2, 1, 4),
        ('a: "b\n  c"', 2, 1, 4),
        ("a: |-\n  |", 0, 1, 4),
        ("a: 12", 1, 1, 4),
        ("a:", 1, 1, 3),
    ],
)
def test_offset_positions(text: str, offset: int, line: int, column: int) -> None:
    assert parse_document(text, file="f").offset_position(("a",), offset) == Position("f", line, column)


def test_offset_position_of_a_missing_entry_is_its_neighbour() -> None:
    assert parse_document("a: {b: c}", file="f").offset_position(("a", "x"), 1) == Position("f", 1, 4)


def test_problem_carries_place_and_path() -> None:
    document = parse_document("utility: {'a.b': x + y}", file="a.yaml")
    problem = document.problem(("utility", "a.b"), "unknown name 'y'", "add it", offset=4, excerpt=("x + y", "    ^"))
    assert str(problem) == "a.yaml:1:22 unknown name 'y', add it\n    x + y\n        ^"
    assert problem.path == 'utility."a.b"'


def test_origin_of_text_is_its_file() -> None:
    assert parse_document("a: 1", file="stories/a.yaml").origin(("a",)) == Path("stories/a.yaml")


# --- faults, each with its place -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # structure
        ("a: 1\nb:\n  c: 1\na: 2", "4:1 duplicate key 'a', first given on line 1, keep one of them"),
        ("x: {1: a, '1': b}", "1:11 duplicate key '1', first given on line 1, keep one of them"),
        ("a: *b", "1:4 alias '*b' is not allowed, write the value out"),
        ("*b : 1", "1:1 alias '*b' is not allowed, write the value out"),
        ("a: &b 1", "1:4 anchor '&b' is not allowed, write the value out where it is needed"),
        ("a: !!python/name:os.system x",
         "1:4 tag '!!python/name:os.system' is not allowed, write a plain value, or quote the text"),
        ("a: [!x 1]", "1:5 tag '!x' is not allowed, write a plain value, or quote the text"),
        ("a: !!str 1", "1:4 tag '!!str' is not allowed, write a plain value, or quote the text"),
        ("a: !q!y 5", "1:4 a tag, text that starts with '!', is not allowed, quote the text"),
        ("<<: {a: 1}", "1:1 merge key '<<' is not allowed, use 'extends' to build on another file"),
        ("? [a]\n: 1", "1:3 a key must be plain text, found a list, quote it if it is text"),
        ("{a: 1}: 1", "1:1 a key must be plain text, found a mapping, quote it if it is text"),
        ("a:\n  : x", "2:3 a key is missing before ':', write it, or quote the text"),
        ("a: {b:1}", "1:8 a space is missing after ':' in 'b:1', write '{key: value}', or quote the text"),
        ("b:1", "1:1 a space is missing after ':' in 'b:1', write 'key: value'"),
        ("a: 1\n---\nb: 1",
         "2:1 a file holds one document, here a second one starts, remove the line '---' or '...', or make two files"),
        ("- 1", "1:1 a scenario must be a mapping of keys to values, found a list, write 'key: value' lines"),
        ("hello", "1:1 a scenario must be a mapping of keys to values, found 'hello', write 'key: value' lines"),
        ("---\n", "2:1 a scenario must be a mapping of keys to values, found nothing, write 'key: value' lines"),
        ("%YAML 1.1\n---\na: 1", "1:1 the line '%YAML 1.1' is not allowed, files are YAML 1.2, remove it"),
        ("#\n%TAG ! x\n---\na: 1", "2:1 the line '%TAG ! x' is not allowed, files are YAML 1.2, remove it"),
        ("a: 1e999", "1:4 the number 1e999 is too large for a float, quote it if it is text"),
        ("a: " + "1" * 101, "1:4 a number has at most 100 digits, found 101, quote it if it is text"),
        ("a: 0x" + "1" * 101, "1:4 a number has at most 100 digits, found 101, quote it if it is text"),
        ("a: 0." + "1" * 101, "1:4 a number has at most 100 digits, found 102, quote it if it is text"),
        ('a: "\\ud83d"', "1:4 the text holds half of a surrogate pair, write the character itself"),
        # characters
        ("a: 1\nb: x\0", "2:5 the invisible character U+0000 is not allowed, delete it"),
        ("a: \u2028", "1:4 the invisible character U+2028 is not allowed, delete it"),
        ("a: x\ufeff", "1:5 the invisible character U+FEFF is not allowed, delete it"),
        ("a: \ud800", "1:4 the invisible character U+D800 is not allowed, delete it"),
        # syntax
        ("a:\n\tb: 1", "2:1 a tab must not be used for indentation, use spaces"),
        ("a:\t1", "1:3 a tab must not be used between a key and its value, use spaces"),
        ('a: "x', "1:4 this quote (\") is never closed, close it, or double a quote inside the text"),
        ("a: 'x\nb: 1\n", "1:4 this quote (') is never closed, close it, or double a quote inside the text"),
        ("a: [1, 2", "1:4 this '[' is never closed, add ']'"),
        ("a: [1, ", "1:4 this '[' is never closed, add ']'"),
        ("a: {b: 1\nc: 2\n", "1:4 this '{' is never closed, add '}'"),
        ("a: {b: [1}", "1:10 '}' does not close the '[' at 1:8, write ']'"),
        ("a: [1,,2]", "1:7 a value is missing before ',', write it"),
        ("a: [- 1]", "1:5 a list entry '- ' must not stand in brackets, remove the '-'"),
        ('a: ["x"\n  "y"]', "2:3 ',' or ']' is missing, to go on with the '[' at 1:4"),
        ("a: ]", "1:4 ']' closes nothing, quote it"),
        ("a: ,", "1:4 ',' separates nothing, quote it"),
        ("a: b: c", "1:5 ': ' is not allowed inside unquoted text, quote the text"),
        ("a: {b: c: d}", "1:9 ': ' is not allowed inside unquoted text, quote the text"),
        ("a:\n  b: 1\n   c: 2", "3:4 this key stands under a line that already has a value, "
         "align it with the keys it belongs to, or quote the text"),
        ("a:\n    b: 1\n  c: 2", "3:3 the indentation of this line fits no line above it, "
         "align it with the lines it belongs to"),
        ("kind: choice\nseed:7\nname: x", "2:5 a space is missing after ':', write 'key: value'"),
        ("kind: choice\nseed 7\nname: x",
         "2:1 ':' is missing after this key, write 'key: value', or quote text of several lines"),
        ("a: @x", "1:4 unquoted text must not start with '@', quote the text"),
        ("a: `x`", "1:4 unquoted text must not start with '`', quote the text"),
        ("a: %x", "1:4 unquoted text must not start with '%', quote the text"),
        ("a: *", "1:4 unquoted text must not start with '*', quote the text"),
        ("a: 'b' c", "1:8 nothing may follow the closing quote, "
         "quote the whole value; inside single quotes write '' for one"),
        ("a: [1] c", "1:8 nothing may follow the closing bracket, quote the whole value"),
        ("a: - b", "1:4 a list entry '- ' must not follow a key on its line, "
         "put it on a line of its own, or quote the text"),
        ("a: 1\n- b", "2:1 a list entry '- ' stands among keys, indent it under its key"),
        ("a:\n - b\n c: 1", "3:2 a key stands among list entries, "
         "start it with '- ', or align it with the keys it belongs to"),
        ('a: "\\d"', "1:5 '\\d' starts no escape that YAML knows, write \\\\ for a backslash, or use single quotes"),
        ('a: 1\nb: "\\U00110000"', "2:5 '\\U00110000' is no character, correct it"),
        ("a: |x\n  y", "1:4 text after '|' or '>' must start on the next line, evenly indented"),
        ("a: 5\n%x", "2:1 a line must not start with '%', remove the line, or quote the text"),
        ("a: ? b", "1:4 this line is not valid YAML, check its indentation, quotes and brackets"),
    ],
)  # fmt: skip
def test_every_fault_has_its_message_and_place(text: str, message: str) -> None:
    assert message_of(text) == f"a.yaml:{message}"


@pytest.mark.parametrize("text", ["", "\n\n", "# only a note\n", "\ufeff"])
def test_empty_file(text: str) -> None:
    assert message_of(text) == (
        "a.yaml the file is empty, it must hold a mapping of keys to values, start with 'kind: choice'"
    )


def test_syntax_fault_shows_the_line_and_a_caret() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_document("seed: 1\nfare: a: b", file="a.yaml")
    assert caught.value.problems[0].excerpt == ("fare: a: b", "       ^")
    assert (caught.value.line, caught.value.column) == (2, 8)


def test_long_lines_are_cut_in_excerpts() -> None:
    line, caret = excerpt_of("x" * 500 + "!" + "y" * 500, 501)
    assert len(line) <= 82
    assert line[caret.index("^")] == "!"


def test_all_problems_are_reported_in_the_order_of_the_file() -> None:
    text = "a: 1\nb: *x\na: {c: !t 2, d: &y 3}\ne: [*z]\n<<: 4\nf: g: h\nb: 5"
    assert [line.split(",")[0] for line in lines_of(text)] == [
        "a.yaml:2:4 alias '*x' is not allowed",
        "a.yaml:3:1 duplicate key 'a'",
        "a.yaml:3:8 tag '!t' is not allowed",
        "a.yaml:3:17 anchor '&y' is not allowed",
        "a.yaml:4:5 alias '*z' is not allowed",
        "a.yaml:5:1 merge key '<<' is not allowed",
        "a.yaml:6:5 ': ' is not allowed inside unquoted text",
    ]


def test_problem_names_the_entry() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_document("rule: {types: [a, *b]}", file="a.yaml")
    assert caught.value.path == "rule.types.1"


def test_the_first_of_two_equal_keys_is_reported_once_each() -> None:
    assert [line.split(" ")[0] for line in lines_of("a: 1\na: 2\na: 3")] == ["a.yaml:2:1", "a.yaml:3:1"]


def test_after_fifty_problems_the_rest_is_left_out() -> None:
    lines = lines_of("".join(f"k{i}: *a\n" for i in range(200)))
    assert len(lines) == 51
    assert lines[-1] == "a.yaml:51:6 there are more than 50 problems, correct these first"


# --- limits ---------------------------------------------------------------------------------------------------------


def test_depth_limit_is_fifty() -> None:
    assert values_of("a: " + "[" * 49 + "]" * 49)
    assert message_of("a: " + "[" * 50 + "]" * 50) == "a.yaml:1:53 nesting is deeper than 50 levels, make it flatter"
    assert message_of("a: " + "[" * 200 + "]" * 200) == "a.yaml:1:53 nesting is deeper than 50 levels, make it flatter"
    block = "".join(" " * level + "a:\n" for level in range(60))
    assert message_of(block) == "a.yaml:51:51 nesting is deeper than 50 levels, make it flatter"


def test_number_of_entries_is_limited() -> None:
    few = "a: [" + "1," * 29_000 + "]"
    assert len(values_of(few)["a"]) == 29_000
    many = "a: [" + "1," * 30_000 + "]"
    assert message_of(many) == "a.yaml:1:59999 the file has more than 30,000 entries, move data to a table file"


def test_brackets_inside_brackets_are_limited_but_not_one_after_another() -> None:
    assert len(values_of("a: [" + "[1]," * 9_000 + "]")["a"]) == 9_000
    deep = "a: [" + ("[" * 47 + "]" * 47 + ",") * 400 + "]"
    assert message_of(deep).endswith(" the file has too many brackets inside brackets, move data to a table file")


def test_size_limit_counts_bytes() -> None:
    assert values_of("a: " + "x" * (MAX_BYTES - 3))
    message = "a.yaml a scenario has at most 262,144 bytes, this one has 262,145, move data to a table file"
    assert message_of("a: " + "x" * (MAX_BYTES - 2)) == message
    assert message_of("a: " + "é" * (MAX_BYTES // 2 - 1)) == message


K = MAX_BYTES
HOSTILE = {
    "open brackets": "a: " + "[" * (K - 3),
    "deep brackets": "a: [" + ("[" * 47 + "]" * 47 + ",") * (K // 96),
    "bracket keys": "a: [" + "[ ? " * 20 + "1," * (K // 3),
    "flow list": "a: [" + "1," * (K // 2 - 4),
    "pairs": "a: [" + "[a: 1]," * (K // 8),
    "duplicates": "a: 1\n" * (K // 5),
    "aliases": "a: [" + "*a," * (K // 3 - 4),
    "tags": "a: [" + "!x 1," * (K // 5 - 4),
    "long tag": "a: !" + "%41" * (K // 3 - 4),
    "directives": "%a\n" * (K // 3),
    "documents": "---\n" * (K // 4),
    "open quote": 'a: "' + "x\n" * (K // 2 - 4),
    "blank lines in quotes": "a: '" + "\n" * (K - 6) + "'",
    "block text": "a: |\n" + "   \n" * (K // 4 - 4) + "  x",
    "spaces after bar": "a: |" + " " * (K - 4),
    "digits": "a: " + "9" * (K - 3),
    "comments": "#\n" * (K // 2),
    "dashes": "a:\n" + "- " * (K // 2 - 4),
    "question marks": "? " * (K // 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_cheap(name: str) -> None:
    started = time.process_time()
    found = outcome_of(HOSTILE[name])
    assert isinstance(found, Document) or (len(found.problems) <= 51 and len(str(found)) < 50_000)
    # About a second on an idle machine; without the limits some of these take minutes.
    assert time.process_time() - started < 5


# --- files ----------------------------------------------------------------------------------------------------------


def file_message(path: Path, label: str | None = "a.yaml") -> str:
    with pytest.raises(ScenarioError) as caught:
        read_document(path, file_label=label)
    return str(caught.value)


def test_file_is_read_under_its_label(tmp_path: Path) -> None:
    path = tmp_path / "long name.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: Z\xc3\xbcrich")
    document = read_document(path, file_label="short.yaml")
    assert document.values == {"name": "Zürich"}
    assert document.text == "name: Zürich"
    assert document.position(("name",)) == Position("short.yaml", 1, 7)
    assert document.origin(("name",)) == path
    assert read_document(path).file == str(path)


def test_unusable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = "a.yaml there is no such file, check the name and the folder"
    (tmp_path / "file").write_text("a: 1")
    assert file_message(tmp_path / "none.yaml") == missing
    assert file_message(tmp_path / "file" / "none.yaml") == missing
    assert file_message(tmp_path) == "a.yaml this is a folder, name the scenario file inside it"
    assert file_message(Path("a\0b")) == "a.yaml this file cannot be read, check the name and the disk"
    assert file_message(Path("x" * 10_000)) == "a.yaml this file cannot be read, check the name and the disk"

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    assert file_message(tmp_path / "file") == (
        "a.yaml you have no permission to read this file, change its permissions"
    )


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert file_message(tmp_path / "pipe") == "a.yaml this is not a regular file, save the scenario to a file"


def test_large_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as stream:
        stream.truncate(10**10)  # sparse

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the file was opened")

    monkeypatch.setattr(Path, "open", refuse)
    assert "this one has 10,000,000,000" in file_message(path)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "grows.yaml"
    path.write_text("a: " + "x" * MAX_BYTES)
    small = path.parent.joinpath("small.yaml")
    small.write_text("a: 1")
    status = small.stat()
    monkeypatch.setattr(Path, "stat", lambda *_, **__: status)
    assert "this one has 262,145" in file_message(path)


def test_other_encodings_are_refused_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("a: é\r\nname: Zürich".encode("latin-1"))
    assert file_message(path) == "a.yaml:1:4 the file must be UTF-8, byte 3 is 0xe9, save it again as UTF-8"
    path.write_bytes("a: é\r\nname: Zü".encode() + b"\xff")
    assert file_message(path) == "a.yaml:2:9 the file must be UTF-8, byte 16 is 0xff, save it again as UTF-8"
    path.write_bytes("a: 1".encode("utf-16"))
    assert file_message(path).startswith("a.yaml:1:1 the file must be UTF-8, byte 0 is 0xff")


# --- values on the command line -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [("", None), ("2", 2), ("[1, {a: no}]", [1, {"a": "no"}]), ("'1'", "1"), ("a * b", "a * b"), ("{}", {})],
)
def test_single_values(text: str, value: object) -> None:
    assert parse_value(text, file="--set x") == value


def test_single_value_must_not_be_a_block() -> None:
    with pytest.raises(ScenarioError, match="a value on one line is a scalar or stands in brackets"):
        parse_value("a: b", file="--set x")


# --- paths ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=8), min_size=1, max_size=4).map(tuple))
def test_a_written_path_reads_back(path: tuple[str, ...]) -> None:
    assert parse_path(format_path(path)) == path


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", '"a', "'a", '"a"b', 'a"b"', "a=b", "a. .b"])
def test_bad_paths(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_path(text)


# --- writing --------------------------------------------------------------------------------------------------------

SCALARS = (
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=30)
    | st.integers(min_value=-(10**MAX_DIGITS) + 1, max_value=10**MAX_DIGITS - 1)
    | st.sampled_from([
        "yes", "null", "~", "1e3", "- a", "a: b", "a #b", "a:", "<<", "x\ny\n", "x\n\ny", " x\n", "x\n ", "\n",
        "x\r\ny", "\x85", "\u2028", "\ufeff", "\t", "a\tb\nc", "---", "---\na", "...", "[a", "{a", "*a", "&a",
        "!a", "|", ">", "%a", "@a", "`a", "'a'", '"a"', "?", "? a", ",", "asc_air + b_cost * gc",
        "é", "\U0001f600", "\xa0", "\xad", "0x1F",
        "x\n---\ny", "x\n...\n", "# a\nb", "a\n# b", "x" * 2000, "a\n\n\nb\n", "a\n\n", "a  \nb  ",
    ])
)  # fmt: skip
KEYS = st.text(max_size=10) | st.sampled_from(["<<", "1", "true", "null", "a b", "a: b", "", "x" * 1500, "-", "? a"])
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, PLAIN, max_size=5))
@settings(max_examples=300, deadline=None)
def test_what_is_written_reads_back(values: dict[str, Any]) -> None:
    again = values_of(dump_document(values))
    # repr also tells 1 from 1.0 and True, 0.0 from -0.0, and the order of keys
    assert repr(again) == repr(values)


def test_not_a_number_is_written() -> None:
    assert dump_document({"a": math.nan}) == "a: .nan\n"


def test_written_form() -> None:
    values = {
        "name": "x",
        "1": "air",
        "true": True,
        "rule": {"edges": [20, 0.1, [1, []], {"a": 1, "b": {}}], "on": "no"},
        "utility": {"air": "asc_air + b * gc", "bus": "-b * gc", "z": "it's: #1"},
        "note": "first\n\nsecond\n",
    }
    expected = """\
name: x
1: air
"true": true
rule:
  edges:
    - 20
    - 0.1
    - - 1
      - []
    - a: 1
      b: {}
  on: "no"
utility:
  air: asc_air + b * gc
  bus: "-b * gc"
  z: "it's: #1"
note: |
  first

  second
"""
    assert dump_document(values) == expected
    assert values_of(expected) == values
    assert values_of(dump_document({})) == {}


@pytest.mark.parametrize(
    "value", [object(), b"x", {1, 2}, 10**MAX_DIGITS, "\ud800", {None: 1}, {True: 1}, {1: 1, "1": 2}, {"\ud800": 1}]
)
def test_values_without_a_yaml_form_are_refused(value: object) -> None:
    with pytest.raises(InvalidInputError):
        dump_document({"a": value})


def test_endless_values_are_refused() -> None:
    values: list[Any] = []
    values.append(values)
    with pytest.raises(InvalidInputError, match="nesting is deeper than 50 levels"):
        to_plain(values)


def test_deepest_document_reads_back() -> None:
    values: dict[str, Any] = {}
    for _ in range(49):
        values = {"a": values}
    assert values_of(dump_document(values)) == values
    with pytest.raises(InvalidInputError):
        dump_document({"a": values})


# --- any text ------------------------------------------------------------------------------------------------------

INDICATORS = st.text(alphabet=" \n\t\r:-?,[]{}#&*!|>'\"%@`\\~<=abU019.x\ufeff\u2028é", max_size=60)
PIECES = st.lists(
    st.sampled_from([
        "a: ", "b:", "\n", "  ", "- ", "[", "]", "{", "}", ", ", "'", '"', "|\n", ">-\n", "*a ", "&a ", "!t ",
        "!<x> ", "? ", "# c\n", "---\n", "...\n", "%YAML 1.2\n", "<<: ", "\\U0011", "\\ud800", "\\x", "1e999",
        "0x", "\t", "\r", "text",
    ]),
    max_size=25,
).map("".join)  # fmt: skip


@given(st.text(max_size=60) | INDICATORS | PIECES)
@example('a: "\\UFFFFFFFF"')
@example("%YAML 1.9\n---\na: 1")
@example("a: \udcff")
@example("\ufeff\ufeffa: 1")
@settings(max_examples=1000, deadline=None)
def test_any_text_is_a_document_or_a_scenario_error(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = outcome_of(text)
    if isinstance(found, Document):
        assert_whole(found)
        # whatever was read can be written and reads as the same
        assert repr(values_of(dump_document(found.values))) == repr(found.values)
        return
    assert found.problems
    for problem in found.problems:
        assert problem.message
        assert problem.file == "f"
        # no wording of the library's, but for what the text itself says
        foreign = [word for word in ("expected", "while ", "<block end>") if word in problem.message]
        assert all(word in text for word in foreign)


def assert_whole(document: Document) -> None:
    """Every entry is plain and has a position; no position is left over."""
    keys: set[tuple[str | int, ...]] = set()
    entries: set[tuple[str | int, ...]] = set()

    def walk(value: object, path: tuple[str | int, ...]) -> None:
        entries.add(path)
        assert type(value) in {dict, list, str, int, float, bool, type(None)}
        pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, entry in pairs:
            if isinstance(value, dict):
                assert type(key) is str
                keys.add((*path, key))
            walk(entry, (*path, key))

    walk(document.values, ())
    assert document.key_positions.keys() == keys
    assert document.value_positions.keys() == entries
    lines = document.sources["f"].lines
    for place in (*document.key_positions.values(), *document.value_positions.values()):
        assert place.line is not None
        assert place.column is not None
        assert 1 <= place.column <= len(lines[place.line - 1]) + 1
