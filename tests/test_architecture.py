"""The shape of the house: who may import whom, what is public, and what no file may hold."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

import choicekit

PACKAGE = Path(choicekit.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

BELOW_EVERYTHING = {"random", "errors", "suggestions", "counting", "kernels", "_version"}
LOW = {"rules", "execution"}
ROOMS = {"choice", "tour", "networks", "matching", "detection", "relaxation", "estimation"}
MAY_IMPORT = {
    **dict.fromkeys(BELOW_EVERYTHING, BELOW_EVERYTHING),
    **{room: BELOW_EVERYTHING | {room} for room in LOW},
    "assignment": BELOW_EVERYTHING | LOW | {"assignment"},
    **{room: BELOW_EVERYTHING | LOW | {"assignment", room} for room in ROOMS},
    "scenario": BELOW_EVERYTHING | LOW | ROOMS | {"assignment", "scenario"},
    "report": BELOW_EVERYTHING | LOW | ROOMS | {"assignment", "scenario", "report"},
    "cli": BELOW_EVERYTHING | LOW | ROOMS | {"assignment", "scenario", "report", "cli"},
    "__main__": {"cli"},
}
"""Design section 2: imports go down only, and siblings do not import each other."""

ONLY_IN = {
    "pydantic": "scenario", "pydantic_core": "scenario", "ruamel": "scenario",
    "matplotlib": "report", "jinja2": "report", "markupsafe": "report",
    "typer": "cli", "rich": "cli", "click": "cli",
}  # fmt: skip
NEVER_AT_THE_TOP = {"ot", "matplotlib.pyplot", "numba", "scipy.stats"}
NEVER = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
FORBIDDEN_CALLS = {"print", "eval", "exec", "compile", "__import__", "breakpoint", "input"}
LONGEST_FILE = 450
LONGEST_FUNCTION = 60  # without its docstring


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    parts = ("choicekit", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imported(node: ast.stmt, path: Path) -> list[str]:
    """Modules an import statement names; for `from a import b` both a and a.b, which may be one."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        here = name_of(path).split(".")
        here = here if path.name == "__init__.py" else here[:-1]
        base = ".".join([*here[: len(here) - node.level + 1], *([base] if base else [])])
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every import of a file, inside functions and under TYPE_CHECKING too, with its line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.stmt):
            for module in imported(node, path):
                yield module, node.lineno


def top_level(path: Path) -> Iterator[tuple[str, int]]:
    """Imports that run when the file is imported."""

    def walk(statements: list[ast.stmt]) -> Iterator[tuple[str, int]]:
        for node in statements:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                yield from walk(node.orelse)
                continue
            yield from ((module, node.lineno) for module in imported(node, path))
            for block in ("body", "orelse", "finalbody"):
                yield from walk(getattr(node, block, []))
            for handler in getattr(node, "handlers", []):
                yield from walk(handler.body)

    return walk(tree(path).body)


def named(module: str, names: set[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


# --- imports --------------------------------------------------------------------------------------------------------


def test_every_file_belongs_to_a_room() -> None:
    assert len(FILES) > 40
    assert {room_of(name_of(path)) for path in FILES} - {""} <= MAY_IMPORT.keys()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_down_only(path: Path) -> None:
    room = room_of(name_of(path))
    if not room:
        pytest.skip("the public door names every room")
    wrong = [
        f"{path.name}:{line} {module}"
        for module, line in imports(path)
        if module.startswith("choicekit.") and room_of(module) not in MAY_IMPORT[room] | {"__version__"}
    ]
    assert wrong == []


def test_the_rule_of_imports_can_be_broken() -> None:
    assert "scenario" not in MAY_IMPORT["choice"]
    assert "networks" not in MAY_IMPORT["choice"]
    assert "rules" not in MAY_IMPORT["execution"]
    assert "execution" not in MAY_IMPORT["random"]
    relative = ast.parse("from ..scenario import run\nimport choicekit.report").body
    path = PACKAGE / "choice" / "model.py"
    assert [imported(node, path) for node in relative] == [
        ["choicekit.scenario", "choicekit.scenario.run"], ["choicekit.report"],
    ]  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_one_room_knows_a_library(path: Path) -> None:
    room = room_of(name_of(path))
    wrong = [
        f"{path.name}:{line} {module}"
        for module, line in imports(path)
        if ONLY_IN.get(module.split(".")[0], room) != room
    ]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_slow_libraries_are_imported_where_they_are_used(path: Path) -> None:
    assert [f"{path.name}:{line} {module}" for module, line in top_level(path) if named(module, NEVER_AT_THE_TOP)] == []


@pytest.mark.parametrize(
    ("code", "arguments"),
    [("import choicekit", []), ("import choicekit.cli as c\ntry: c.main()\nexcept SystemExit: pass", ["--help"])],
    ids=["import choicekit", "choicekit --help"],
)
def test_the_door_is_light(code: str, arguments: list[str]) -> None:
    heavy = ["matplotlib", "numba", "pandas", "ot", "scipy.stats", "pydantic", "ruamel.yaml", "jinja2", "pyarrow"]
    shown = f"import sys\n{code}\nprint('loaded', [name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", shown, *arguments], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "loaded []"
    assert bool(arguments) == ("Usage:" in found.stdout)


# --- what no file may hold ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_print_assert_eval_or_pickle(path: Path) -> None:
    wrong = [f"{path.name}:{line} {module}" for module, line in imports(path) if named(module, NEVER)]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Assert):
            wrong.append(f"{path.name}:{node.lineno} assert")
        if isinstance(node, ast.Call) and ast.unparse(node.func) in FORBIDDEN_CALLS:
            wrong.append(f"{path.name}:{node.lineno} {ast.unparse(node.func)}")
        if isinstance(node, ast.Attribute) and node.attr in {"read_pickle", "to_pickle"}:
            wrong.append(f"{path.name}:{node.lineno} {node.attr}")
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_annotations_are_not_evaluated_on_import(path: Path) -> None:
    definitions = [node for node in tree(path).body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)]
    only_names = all(isinstance(node, ast.Assign) for node in definitions)
    futures = [
        alias.name
        for node in tree(path).body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for alias in node.names
    ]
    assert only_names or futures == ["annotations"]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
        if node.end_lineno - node.lineno + 1 - documented_lines(node) > LONGEST_FUNCTION
    ]
    assert long == []


def documented_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if ast.get_docstring(node) is None or first.end_lineno is None:
        return 0
    return first.end_lineno - first.lineno + 1


# --- the public door ------------------------------------------------------------------------------------------------


def under_type_checking() -> dict[str, str]:
    block = next(node for node in tree(PACKAGE / "__init__.py").body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    return {
        alias.name: str(node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname is None
    }


def assigned(name: str) -> Any:
    for node in tree(PACKAGE / "__init__.py").body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    pytest.fail(f"{name} is not assigned a literal")


def test_the_three_lists_of_public_names_agree() -> None:
    lazy = {name: room for room, names in assigned("_ROOMS").items() for name in names.split()}
    assert lazy == under_type_checking()
    assert sorted(lazy) == sorted(set(assigned("__all__")) - {"__version__"})
    assert assigned("__all__") == list(dict.fromkeys(assigned("__all__")))
    assert all(names.split() == sorted(names.split()) for names in assigned("_ROOMS").values())


@pytest.mark.parametrize("name", choicekit.__all__)
def test_every_public_name_resolves_to_what_its_room_gives(name: str) -> None:
    value = getattr(choicekit, name)
    assert name in dir(choicekit)
    if name != "__version__":
        room = importlib.import_module(under_type_checking()[name])
        assert value is getattr(room, name)
        assert name in room.__all__
        assert inspect.getdoc(value)


def test_dir_lists_the_public_names_and_nothing_else() -> None:
    assert dir(choicekit) == sorted(choicekit.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'choicekit' has no attribute 'Sofmax'"):
        choicekit.Sofmax  # noqa: B018
    assert not hasattr(choicekit, "_nothing")


# --- docstrings -----------------------------------------------------------------------------------------------------


def modules() -> list[ModuleType]:
    return [importlib.import_module(name_of(path)) for path in FILES]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_what_a_module_makes_public_exists_and_is_documented(module: ModuleType) -> None:
    assert (module.__doc__ or "").strip()
    for name in getattr(module, "__all__", []):
        value = getattr(module, name)
        if isinstance(value, type | FunctionType):
            assert inspect.getdoc(value), f"{name} has no docstring"
            assert (inspect.getdoc(value) or "").split("\n")[0].endswith((".", "::")), f"{name}: first line"
        if isinstance(value, type) and value.__module__ == module.__name__:
            for method, body in vars(value).items():
                function = body.fget if isinstance(body, property) else getattr(body, "__func__", body)
                if not method.startswith("_") and isinstance(function, FunctionType):
                    assert inspect.getdoc(getattr(value, method)), f"{name}.{method} has no docstring"


def test_every_module_says_what_it_makes_public() -> None:
    silent = [
        name_of(path)
        for path in FILES
        if any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree(path).body)
        if not any(
            isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__" for node in tree(path).body
        )
    ]
    assert silent == []
