"""How finely expectations are taken: what is refused."""

from __future__ import annotations

import pytest

from choicekit.choice.heterogeneity import Integration
from choicekit.errors import InvalidInputError


@pytest.mark.parametrize(("points", "shifts"), [(2**32, 8), (64, 2**20), (65_536, 1_024)])
def test_more_nodes_than_fit_are_refused_before_they_are_made(points: int, shifts: int) -> None:
    with pytest.raises(InvalidInputError, match=f"at most 1,048,576, found {points:,} x {shifts:,}"):
        Integration(points=points, shifts=shifts)


def test_as_many_nodes_as_there_may_be() -> None:
    assert Integration(points=65_536, shifts=16).nodes == 2**20
