"""What is wrong with a network scenario is told at its line, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from choicekit import DataError, ScenarioError, load_scenario

HEAD = "choicekit: 1\nkind: network\nname: web\nseed: 1\n"
WEB = "web: {counts: {Rosa: {Apis: 3, Bombus: 1}, Salix: {Bombus: 2}}}\n"


def said(text: str, folder: Path | None = None) -> list[str]:
    """Load a scenario and return its problems as line and message."""
    with pytest.raises((ScenarioError, DataError)) as caught:
        load_scenario(HEAD + text, data_dir=folder)
    return [f"{problem.line}: {problem.message}" for problem in caught.value.problems]


def test_a_sound_one_loads() -> None:
    assert load_scenario(HEAD + WEB).name == "web"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web: {}\n", "5: a web needs a `table`"),
        ("web: {table: a.csv, edges: b.csv}\n", "5: `table` and `edges` exclude each other"),
        ("web: {edges: b.csv}\n", "5: edges need `row`"),
        ("web: {table: none.csv}\n", "5: the file does not exist: 'none.csv'"),
        ("web: {counts: {Rosa: {Apis: 0}}}\n", "5: counts must hold at least one interaction, found zeros only"),
        ("", "1: without a `web`, rows need `abundance` by name"),
        (WEB + "rows: {attributes: {depth: {Rosa: 1}}}\n", "6: row 'Salix' has no depth"),
        (WEB + "rows: {attributes: {depth: {Rosa: 1, Salx: 2}}}\n", "6: unknown row 'Salx'"),
        (WEB + "rows: {abundance: {Rosa: 0, Salix: 2}}\n", "6: 'Rosa' has 4 interactions and an abundance of 0"),
        (WEB + "columns: {abundance: {Apis: 0, Bombus: 0}}\n", "6: abundances of columns must hold at least one"),
        (WEB + "preferences: {basis: {match: row_dept}}\n", "6: unknown name 'row_dept'"),
        (WEB + "preferences: {basis: {one: 1}, coefficients: {two: 1}}\n", "6: unknown formula of the basis 'two'"),
        (WEB + "preferences: {penalty: 0}\n", "6: a free table needs a penalty above 0"),
        (WEB + "temperatures: [1]\npreferences: {penalty: 1}\n", "6: a scan of temperatures needs a basis"),
        (WEB + "extinctions: {orders: [[Rosa, Rose]]}\n", "6: unknown row 'Rose'"),
        (WEB + "policies: {gone: {extinct_rows: [Rose]}}\n", "6: unknown row 'Rose'"),
        (WEB + "policies: {all: {extinct_columns: [Apis, Bombus]}}\n", "6: no column with any mass would be left"),
        (
            WEB + "policies: {new: {invaders: {Vespa: {side: columns, abundance: 1}}}}\n",
            "6: what an invader prefers must follow from its traits",
        ),
        (WEB + "null_models: {models: [swap]}\n", "6: "),
    ],
)
def test_every_fault_is_told_where_it_stands(text: str, expected: str, tmp_path: Path) -> None:
    assert any(line.startswith(expected) for line in said(text, tmp_path)), said(text, tmp_path)


def test_faults_of_files_are_told_at_their_lines(tmp_path: Path) -> None:
    (tmp_path / "web.csv").write_text("plant,Apis,Bombus\nRosa,1,-2\nRosa,x,1\n")
    found = said("web: {table: web.csv}\n", tmp_path)
    assert sorted(found) == sorted(
        [
            "3: row 'Rosa' occurs twice, first in line 2",
            "2: a count must be a number of at least 0, found '-2' for 'Rosa' (column 'Bombus')",
            "3: a count must be a number of at least 0, found 'x' for 'Rosa' (column 'Apis')",
        ]
    )
    (tmp_path / "good.csv").write_text("plant,Apis,Bombus\nRosa,1,2\nSalix,0.5,1\n")
    (tmp_path / "traits.csv").write_text("plant,depth\nRosa,1\n")
    traits = said("web: {table: good.csv}\nrows: {traits: traits.csv}\n", tmp_path)
    assert any("traits are missing for 'Salix'" in line for line in traits)
    nulls = said("web: {table: good.csv}\nnull_models: {}\n", tmp_path)
    assert nulls == ["6: whole counts are needed, found 0.5 for 'Salix' and 'Apis'"]


def test_sites_without_common_species_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("plant,Apis\nRosa,1\n")
    (tmp_path / "two.csv").write_text("plant,Bombus\nSalix,2\n")
    found = said("web: {tables: {north: one.csv, south: two.csv}}\n", tmp_path)
    assert len(found) == 1
    assert "site north has no row in common" in found[0]


def test_an_invader_needs_the_traits_that_formulas_use() -> None:
    text = (
        WEB + "columns: {attributes: {tongue: {Apis: 1, Bombus: 2}}}\npreferences: {basis: {long: column_tongue}}\n"
        "ensemble: rows\npolicies: {new: {invaders: {Vespa: {side: columns, abundance: 1, traits: {tonge: 1}}}}}\n"
    )
    assert any("unknown trait 'tonge'" in line for line in said(text))
    assert any("'Vespa' has no tongue" in line for line in said(text.replace("tonge: 1", "")))
