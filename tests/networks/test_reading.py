"""Webs from files, faults at their lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from choicekit import DataError, read_edges, read_network, read_traits
from tests.networks.webs import published


def written(folder: Path, text: str) -> Path:
    path = folder / "web.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_of_counts(tmp_path: Path) -> None:
    found = read_network(written(tmp_path, "plant;Apis;Bombus\nRosa;3;0\n\nSalix;0.5;2\n"), name="meadow")
    assert (found.row_names, found.column_names, found.name) == (("Rosa", "Salix"), ("Apis", "Bombus"), "meadow")
    np.testing.assert_array_equal(found.counts, [[3, 0], [0.5, 2]])


def test_every_fault_is_told_at_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "plant,Apis,Apis,Vespa\nRosa,-1,x,1\nRosa,1,2,3\nMalus,1,2\nSalix,1,,nan\n")
    with pytest.raises(DataError) as caught:
        read_network(path)
    said = [(problem.line, problem.message) for problem in caught.value.problems]
    assert said == [
        (1, "column 'Apis' occurs twice, first in line 1"),
        (3, "row 'Rosa' occurs twice, first in line 2"),
        (2, "a count must be a number of at least 0, found '-1' for 'Rosa' (column 'Apis')"),
        (2, "a count must be a number of at least 0, found 'x' for 'Rosa' (column 'Apis')"),
        (4, "this line has 3 cells where the header has 4"),
        (5, "a count must be a number of at least 0, found nothing for 'Salix' (column 'Apis')"),
        (5, "a count must be a number of at least 0, found 'nan' for 'Salix' (column 'Vespa')"),
    ]


def test_a_list_of_interactions_by_site(tmp_path: Path) -> None:
    text = "site,plant,animal,n\nspring,Rosa,Apis,2\nspring,Rosa,Apis,1\nautumn,Salix,Apis,4\nspring,Salix,Bombus,1\n"
    found = read_edges(written(tmp_path, text), row="plant", column="animal", count="n", site="site")
    assert list(found) == ["spring", "autumn"]
    np.testing.assert_array_equal(found["spring"].counts, [[3, 0], [0, 1]])
    whole = read_edges(written(tmp_path, text), row="plant", column="animal")[""]
    np.testing.assert_array_equal(whole.counts, [[2, 0], [1, 1]])
    with pytest.raises(DataError, match=r"unknown column 'plants', did you mean 'plant'"):
        read_edges(written(tmp_path, text), row="plants", column="animal")


def test_traits_in_the_order_of_species(tmp_path: Path) -> None:
    path = written(tmp_path, "plant,size,colour\nSalix,2,red\nRosa,1,\n")
    with pytest.raises(DataError, match=r"traits are missing for 'Ros', did you mean 'Rosa'"):
        read_traits(path, ["Ros"])
    with pytest.raises(DataError, match=r"the trait is missing for 'Rosa' \(column 'colour'\)"):
        read_traits(path, ["Rosa"])
    assert read_traits(path, ["Salix"]) == {"size": ["2"], "colour": ["red"]}


@pytest.mark.parametrize("text", ["", "plant\n", "plant,Apis\n"])
def test_what_is_no_table(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="must have a header with at least two cells, and rows"):
        read_network(written(tmp_path, text))
    with pytest.raises(DataError, match="does not exist"):
        read_network(tmp_path / "none.csv")


def test_published_webs_read_as_tables() -> None:
    frame = published("safariland").to_frame()
    assert frame.loc["Aristotelia chilensis", "Policana albopilosa"] == 673
