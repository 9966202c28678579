"""Scenarios that build on others, and values set from the command line."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choicekit.errors import ScenarioError
from choicekit.scenario.document import Document, Position
from choicekit.scenario.merging import apply_overrides, load_with_extends, merge_documents, merge_values
from choicekit.scenario.source import dump_document, parse_document


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / f"{next(iter(files))}.yaml"


def problems_of(path: Path) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_with_extends(path, file_label=path.name)
    return [str(problem).split("\n")[0] for problem in caught.value.problems]


# --- extends ----------------------------------------------------------------------------------------------------------


def test_mappings_merge_null_takes_away_and_the_rest_replaces(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        top="extends: base.yaml\nnew: 1\nrule: {temperature: 2, edges: [9], nests: 0}\nseed:\n",
        base="seed: 1\nrule:\n  type: softmax\n  edges: [1, 2]\n  nests: {a: 1}\n  temperature: 1\nlast: x\n",
    )
    document = load_with_extends(path, file_label="top.yaml")
    assert document.values == {
        "rule": {"type": "softmax", "edges": [9], "nests": 0, "temperature": 2},
        "last": "x",
        "new": 1,
    }
    assert list(document.values) == ["rule", "last", "new"]
    assert list(document.values["rule"]) == ["type", "edges", "nests", "temperature"]


def test_positions_and_origins_follow_the_file_of_each_value(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "base.yaml").write_text("rule:\n  type: 'soft max'\n  edges: [1, 2]\ntable: t.csv\n")
    path = write(tmp_path, top="extends: lib/base.yaml\nrule: {edges: [3]}\n")
    document = load_with_extends(path, file_label="top.yaml")
    base = "lib/base.yaml"
    assert document.position(("rule", "type")) == Position(base, 2, 9)
    assert document.position(("rule", "edges")) == Position("top.yaml", 2, 15)
    assert document.position(("rule", "edges", 0)) == Position("top.yaml", 2, 16)
    assert document.position(("rule", "edges", 1)) == Position("top.yaml", 2, 15)  # the base's second entry is gone
    assert document.position(("rule",), of="key") == Position("top.yaml", 2, 1)
    assert document.position(("table",), of="key") == Position(base, 4, 1)
    assert document.offset_position(("rule", "type"), 5) == Position(base, 2, 15)
    assert document.origin(("table",)) == tmp_path / "lib" / "base.yaml"
    assert document.origin(("rule", "edges")) == path
    assert ("extends",) not in document.key_positions
    assert ("extends",) not in document.value_positions
    assert (document.file, document.text) == ("top.yaml", path.read_text())


def test_labels_follow_the_label_of_the_extending_file(tmp_path: Path) -> None:
    path = write(tmp_path, top="extends: base.yaml\n", base="a: 1\n")
    assert load_with_extends(path, file_label="stories/top.yaml").position(("a",)).file == "stories/base.yaml"
    assert load_with_extends(path).position(("a",)).file == str(tmp_path / "base.yaml")


def test_later_bases_win_and_a_shared_base_is_fine(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        top="extends: [left.yaml, right.yaml]\nd: top",
        left="extends: root.yaml\nb: left\nc: left",
        right="extends: root.yaml\nc: right",
        root="a: root\nb: root\nc: root\nd: root",
    )
    # right brings root's b along, and it comes after left
    assert load_with_extends(path).values == {"a": "root", "b": "root", "c": "right", "d": "top"}


def test_base_paths_are_relative_to_the_file_that_says_them(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    write(tmp_path / "lib", mid="extends: ../root.yaml\n")
    path = write(tmp_path, top="extends: lib/mid.yaml\n", root="a: 1\n")
    document = load_with_extends(path, file_label="top.yaml")
    assert document.values == {"a": 1}
    assert document.position(("a",)).file == "lib/../root.yaml"


def test_circles_are_found(tmp_path: Path) -> None:
    path = write(tmp_path, a="x: 1\nextends: b.yaml", b="extends:\n- c.yaml\n- a.yaml", c="y: 1")
    assert problems_of(path) == [
        "b.yaml:3:3 'extends' goes in a circle: a.yaml -> b.yaml -> a.yaml, remove one of them"
    ]
    assert problems_of(write(tmp_path, me="extends: ./me.yaml")) == [
        "me.yaml:1:10 'extends' goes in a circle: me.yaml -> me.yaml, remove one of them"
    ]


def test_ten_levels_are_allowed_and_no_more(tmp_path: Path) -> None:
    for level in range(11):
        write(tmp_path, **{f"f{level}": f"extends: f{level + 1}.yaml\nk{level}: 1"})
    write(tmp_path, f11="k11: 1", f10="k10: 1")
    assert len(load_with_extends(tmp_path / "f0.yaml").values) == 11
    write(tmp_path, f10="extends: f11.yaml")
    assert problems_of(tmp_path / "f0.yaml") == [
        "f10.yaml:1:10 'extends' must not go deeper than 10 levels, put several files into one"
    ]


def test_many_files_are_refused_before_they_explode(tmp_path: Path) -> None:
    for level in range(9):
        names = ", ".join([f"f{level + 1}.yaml"] * 9)
        write(tmp_path, **{f"f{level}": f"extends: [{names}]\n"})
    write(tmp_path, f9="a: 1")
    found = problems_of(tmp_path / "f0.yaml")
    assert all("'extends' must name at most 50 files in all" in problem for problem in found)
    path = write(tmp_path, wide="extends: [" + "f9.yaml, " * 51 + "]")
    assert problems_of(path) == [
        "wide.yaml:1:10 'extends' must name 1 to 50 files, found 51, write 'extends: base.yaml'"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("extends:", "1:9 'extends' must name a file or a list of files, found nothing, write 'extends: base.yaml'"),
        ("extends: ''", "1:10 'extends' must name a file or a list of files, found text, write 'extends: base.yaml'"),
        ("extends: [x.yaml, 3]",
         "1:19 'extends' must name a file or a list of files, found a number, write 'extends: base.yaml'"),
        ("extends: {a: 1}",
         "1:10 'extends' must name a file or a list of files, found a mapping, write 'extends: base.yaml'"),
        ("extends: []", "1:10 'extends' must name 1 to 50 files, found 0, write 'extends: base.yaml'"),
        ("a: 1\nextends: none.yaml",
         "2:10 cannot extend 'none.yaml': there is no such file, check the name and the folder"),
        ("extends: .", "1:10 cannot extend '.': this is a folder, name the scenario file inside it"),
        ('extends: "a\\0b"', "1:10 cannot extend 'a\\x00b': this file cannot be read, check the name and the disk"),
    ],
)  # fmt: skip
def test_bad_extends_is_reported_where_it_stands(tmp_path: Path, text: str, problem: str) -> None:
    assert problems_of(write(tmp_path, top=text)) == [f"top.yaml:{problem}"]


def test_problems_of_several_bases_are_reported_together_and_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        top="extends: [one.yaml, none.yaml, two.yaml, one.yaml]",
        one="a: *x\nb: !t 1",
        two="a: 1\na: 2",
    )
    assert [problem.split(",")[0] for problem in problems_of(path)] == [
        "one.yaml:1:4 alias '*x' is not allowed",
        "one.yaml:2:4 tag '!t' is not allowed",
        "top.yaml:1:21 cannot extend 'none.yaml': there is no such file",
        "two.yaml:2:1 duplicate key 'a'",
    ]


def test_base_in_another_encoding_keeps_its_own_place(tmp_path: Path) -> None:
    path = write(tmp_path, top="extends: latin.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xe9")
    assert problems_of(path) == ["latin.yaml:2:4 the file must be UTF-8, byte 8 is 0xe9, save it again as UTF-8"]


# --- laws of merging -------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "c", "d"])
LEAVES = st.none() | st.integers(0, 3) | st.text("xy", max_size=2) | st.lists(st.integers(0, 3), max_size=3)
VALUES = st.dictionaries(
    KEYS, st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=8), max_size=4
)


def leaves(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Everything that is not a mapping with entries, by its path."""
    found: dict[tuple[str, ...], Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found |= leaves(value, (*path, key))
        else:
            found[(*path, key)] = value
    return found


@given(VALUES, VALUES)
def test_merging_laws(base: dict[str, Any], over: dict[str, Any]) -> None:
    before = copy.deepcopy((base, over))
    merged = merge_values(base, over)
    assert (base, over) == before
    assert merge_values({}, over) == over
    assert merge_values(base, {}) == base
    taken = {path for path, value in leaves(over).items() if value is None and path in entries(base)}
    if not any(value is None for value in leaves(over).values()):
        assert merge_values(merged, over) == merged
    assert [*merged] == [key for key in dict.fromkeys([*base, *over]) if (key,) not in taken]
    # every leaf of `over` is there, unless it takes away, or is an empty mapping that leaves what is below it
    found = leaves(merged)
    for path, value in leaves(over).items():
        assert value == {} or (path not in entries(merged) if path in taken else found[path] == value)
    # every other leaf comes from the base, or is what is left of a mapping whose entries are gone
    for path, value in found.items():
        if path not in leaves(over):
            assert value == {} or leaves(base)[path] == value


def entries(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Paths of all entries, mappings too."""
    own = {(*path, key) for key in values}
    return own.union(*(entries(value, (*path, key)) for key, value in values.items() if isinstance(value, dict)))


@settings(deadline=None)
@given(VALUES, VALUES)
def test_merged_positions_name_the_file_each_leaf_came_from(base: dict[str, Any], over: dict[str, Any]) -> None:
    first = parse_document(dump_document(base), file="base")
    second = parse_document(dump_document(over), file="over")
    merged = merge_documents(first, second)
    assert merged.value_positions.keys() == positions_in(merged)
    assert merged.key_positions.keys() == {path for path in positions_in(merged) if path and isinstance(path[-1], str)}
    for path in leaves(merged.values):
        source = second if path in second.value_positions else first
        assert merged.value_positions[path] == source.value_positions[path]


def positions_in(document: Document) -> set[tuple[str | int, ...]]:
    found: set[tuple[str | int, ...]] = {()}

    def walk(value: object, path: tuple[str | int, ...]) -> None:
        entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, entry in entries:
            found.add((*path, key))
            walk(entry, (*path, key))

    walk(document.values, ())
    return found


# --- overrides --------------------------------------------------------------------------------------------------------

TEXT = "seed: 1\nrule: {type: softmax, edges: [10, 20]}\nnull_block:\nlist: [{a: 1}, null]\n"


def document() -> Document:
    return parse_document(TEXT, file="a.yaml")


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("seed=2", ("seed",), 2),
        ("seed=a=b", ("seed",), "a=b"),
        ("seed= [1, {x: no}] ", ("seed",), [1, {"x": "no"}]),
        ("rule.type='1'", ("rule", "type"), "1"),
        ("rule.edges.1=3.5", ("rule", "edges", 1), 3.5),
        ("list.0.b=x", ("list", 0, "b"), "x"),
        ("list.1.b=x", ("list", 1, "b"), "x"),
        ("null_block.a.b=x", ("null_block", "a", "b"), "x"),
        ("new.1.deep=true", ("new", "1", "deep"), True),
        ('alternatives."a.b"=x', ("alternatives", "a.b"), "x"),
        ("alternatives.'a=b'.c=x", ("alternatives", "a=b", "c"), "x"),
        ('alternatives."a\\"b"=x', ("alternatives", 'a"b'), "x"),
        (" rule . type = x", ("rule", "type"), "x"),
        ("utility.air=asc - b * gc", ("utility", "air"), "asc - b * gc"),
    ],
)
def test_override_sets_one_value(override: str, path: tuple[str | int, ...], value: object) -> None:
    changed = apply_overrides(document(), [override])
    found: Any = changed.values
    for segment in path:
        found = found[segment]
    assert found == value
    assert type(found) is type(value)
    assert changed.position(path) == Position(f"--set {override}", None, None)
    assert changed.value_positions.keys() == positions_in(changed)
    assert changed.key_positions.keys() == {p for p in positions_in(changed) if p and isinstance(p[-1], str)}


@pytest.mark.parametrize("override", ["seed=", "rule.edges=null", "rule=null"])
def test_override_with_nothing_takes_an_entry_away(override: str) -> None:
    changed = apply_overrides(document(), [override])
    path = tuple(override.partition("=")[0].split("."))
    assert path not in entries(changed.values)
    assert changed.value_positions.keys() == positions_in(changed)
    assert changed.key_positions.keys() == {p for p in positions_in(changed) if p and isinstance(p[-1], str)}


def test_document_is_left_as_it_was() -> None:
    original = document()
    apply_overrides(original, ["rule.type=x", "rule.edges.0=1", "list.0={}", "z=1"])
    assert original == document()


def test_untouched_entries_keep_their_positions() -> None:
    changed = apply_overrides(document(), ["rule.edges=[1]", "new.x=1"])
    assert changed.position(("rule", "type")) == Position("a.yaml", 2, 14)
    assert changed.position(("rule", "edges"), of="key") == Position("a.yaml", 2, 23)  # the key stands in the file
    assert changed.position(("rule", "edges", 0)) == Position("--set rule.edges=[1]", None, None)
    assert changed.position(("new",), of="key") == Position("--set new.x=1", None, None)
    assert changed.origin(("rule", "edges")) == Path("a.yaml")
    assert changed.offset_position(("rule", "edges"), 1) == Position("--set rule.edges=[1]", None, None)


def test_later_overrides_win() -> None:
    assert apply_overrides(document(), ["seed=2", "seed=3"]).values["seed"] == 3
    changed = apply_overrides(document(), ["rule={a: 1}", "rule.b=2"])
    assert changed.values["rule"] == {"a": 1, "b": 2}
    assert changed.position(("rule", "a")).file == "--set rule={a: 1}"
    assert ("rule", "type") not in changed.value_positions


def test_mapping_of_python_values() -> None:
    value: dict[str, tuple[int, ...]] = {"edges": (1, 2)}
    changed = apply_overrides(document(), {"rule.extra": value, "seed": 5, 'a."b.c"': "x"})
    assert changed.values["rule"]["extra"] == {"edges": [1, 2]}
    assert changed.values["a"] == {"b.c": "x"}
    assert changed.position(("seed",)).file == "--set seed=5"
    assert changed.position(("rule", "extra", "edges")).file == '--set rule.extra={"edges": [1, 2]}'
    value["edges"] = (9,)
    assert changed.values["rule"]["extra"] == {"edges": [1, 2]}


def test_one_text_is_one_override() -> None:
    assert apply_overrides(document(), "seed=9").values["seed"] == 9


def test_problem_about_an_overridden_value_names_the_override() -> None:
    changed = apply_overrides(document(), ["rule.temperature=warm"])
    problem = changed.problem(("rule", "temperature"), "temperature must be a number")
    assert str(problem) == "--set rule.temperature=warm temperature must be a number"


def test_long_overrides_are_cut_in_labels() -> None:
    label = apply_overrides(document(), ["a=" + "x\n" * 500]).position(("a",)).file
    assert len(label) == len("--set ") + 100
    assert label.endswith("x…")
    assert "\n" not in label


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "'=' is missing, write path.to.key=value"),
        ("=1", "a part of the path is empty, write path.to.key=value"),
        ("", "a part of the path is empty, write path.to.key=value"),
        ("a..b=1", "a part of the path is empty, write path.to.key=value"),
        ('"a=1', "a quote in the path is not closed, write path.to.key=value"),
        ("'a'b=1", "quotes in a path go around a whole part, found ''a'b', write path.to.key=value"),
        ("seed.x=1", "'seed' is a number, nothing can be set inside it, check the path"),
        ("rule.type.x.y=1", "'rule.type' is text, nothing can be set inside it, check the path"),
        ("rule.edges.2=1", "'rule.edges' is a list, its entries are 0 to 1, found '2', check the path"),
        ("rule.edges.-1=1", "'rule.edges' is a list, its entries are 0 to 1, found '-1', check the path"),
        ("rule.edges.x.y=1", "'rule.edges' is a list, its entries are 0 to 1, found 'x', check the path"),
        ("seed=*a", "alias '*a' is not allowed, write the value out"),
        ("seed=!t 1", "tag '!t' is not allowed, write a plain value, or quote the text"),
        ("seed=a: b", "a value on one line is a scalar or stands in brackets, "
         "write lists as [1, 2] and mappings as {a: 1}, or quote the text"),
        ("seed=[1", "this '[' is never closed, add ']'\n    [1\n    ^"),
        ("seed=" + "[" * 50 + "]" * 50, "nesting is deeper than 50 levels, write path.to.key=value"),
        (".".join("a" * 51) + "=1", "nesting is deeper than 50 levels, check the path"),
    ],
)  # fmt: skip
def test_bad_overrides(override: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        apply_overrides(document(), [override])
    (problem,) = caught.value.problems
    label = f"--set {override}" if len(override) <= 100 else problem.file
    assert label.startswith("--set ")
    assert str(problem) == f"{label} {message}"


def test_all_bad_overrides_are_reported_together() -> None:
    with pytest.raises(ScenarioError) as caught:
        apply_overrides(document(), ["seed", "rule.type.x=1", "z=[*a, !t b]", "fine=1"])
    assert [problem.file for problem in caught.value.problems] == [
        "--set seed",
        "--set rule.type.x=1",
        "--set z=[*a, !t b]",
        "--set z=[*a, !t b]",
    ]
    assert caught.value.problems[1].path == "rule.type.x"


def test_values_that_are_no_scenario_values_are_refused() -> None:
    with pytest.raises(ScenarioError) as caught:
        apply_overrides(document(), {"seed": object(), "a..b": 1, "rule": {None: 1}})
    assert [str(problem) for problem in caught.value.problems] == [
        "--set seed=a Python object a value must be text, a number, true or false, nothing, a list or a mapping, "
        "found a Python object, write path.to.key=value",
        "--set a..b=1 a part of the path is empty, write path.to.key=value",
        "--set rule=a mapping a key must be text, found nothing, write path.to.key=value",
    ]


@settings(deadline=None)
@given(st.lists(st.text("ab.='\"[]{}:,0 1*", max_size=12), max_size=4))
def test_any_override_is_applied_or_refused(overrides: list[str]) -> None:
    try:
        changed = apply_overrides(document(), overrides)
    except ScenarioError:
        changed = document()
    assert changed.value_positions.keys() == positions_in(changed)
    assert parse_document(dump_document(changed.values), file="f").values == changed.values
