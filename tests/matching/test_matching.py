"""Markets and matchings: what is refused, ranks, envy, welfare, blocking pairs."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit import InvalidInputError, Matching, MatchingMarket, ShapeError, blocking_pairs, deferred_acceptance
from tests.matching.markets import random_market

WISHES = np.array([[3.0, 2.0, 1.0], [3.0, 1.0, 2.0], [2.0, 2.0, -np.inf]])
FAVOURS = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 1.0], [3.0, 3.0, 2.0]])


def blocking_by_definition(matching: Matching) -> list[list[int]]:
    """Return blocking pairs, written as the definition reads."""
    market, found = matching.market, []
    for row in range(market.shape[0]):
        for column in range(market.shape[1]):
            has = matching.assigned[row]
            own = market.row_floors[row] if has < 0 else market.row_utility[row, has]
            wants = market.acceptable[row, column] and market.row_utility[row, column] > own
            there = np.flatnonzero(matching.assigned == column)
            room = len(there) < market.seats[column]
            if wants and (room or (market.column_utility[row, column] > market.column_utility[there, column]).any()):
                found.append([row, column])
    return found


@pytest.mark.parametrize("seed", range(30))
def test_blocking_pairs_are_those_of_the_definition(seed: int) -> None:
    market = random_market(seed, 7, 4, levels=3 if seed % 2 else None, outside=seed % 3 == 0, forbidden=0.2)
    rng, assigned, left = np.random.default_rng(seed), np.full(7, -1), market.seats.copy()
    for row in rng.permutation(7):
        allowed = np.flatnonzero((left > 0) & market.acceptable[row])
        if allowed.size and rng.random() < 0.8:
            assigned[row] = rng.choice(allowed)
            left[assigned[row]] -= 1
    matching = Matching(assigned=assigned, market=market)
    assert blocking_pairs(matching).tolist() == blocking_by_definition(matching)
    assert matching.stable == (not blocking_by_definition(matching))


def test_ranks_envy_and_welfare_by_hand() -> None:
    market = MatchingMarket(row_utility=WISHES, column_utility=FAVOURS, capacity=[1, 1, 1])
    matching = Matching(assigned=[0, 2, 1], market=market)
    assert matching.rank.tolist() == [1, 2, 1]
    assert matching.envious.tolist() == [False, True, False]
    assert (matching.row_welfare, matching.column_welfare, matching.welfare) == (7.0, 5.0, 12.0)
    assert matching.blocking.tolist() == [[1, 0]]
    assert not matching.stable
    assert matching.filled.tolist() == [1, 1, 1]


def test_going_without_counts_as_its_utility() -> None:
    market = MatchingMarket(row_utility=[[1.0], [2.0]], column_utility=[[1.0], [1.0]], row_outside=0.25)
    matching = Matching(assigned=[-1, 0], market=market)
    assert matching.row_utilities.tolist() == [0.25, 2.0]
    assert matching.rank.tolist() == [0, 1]
    assert matching.unassigned == 1
    frame = matching.to_frame()
    assert frame["column"].isna().tolist() == [True, False]
    assert frame["rank"].isna().tolist() == [True, False]


def test_a_pair_that_one_would_rather_be_without_is_not_stable() -> None:
    market = MatchingMarket(row_utility=[[-1.0]], column_utility=[[1.0]], row_outside=0.0)
    matching = Matching(assigned=[0], market=market)
    assert matching.unacceptable.tolist() == [0]
    assert not matching.stable
    assert deferred_acceptance(market).assigned.tolist() == [-1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"row_utility": [[np.nan]]}, "found nan at row 0, column 0"),
        ({"row_utility": [[np.inf]]}, "numbers below infinity, found inf"),
        ({"row_utility": "text"}, "row_utility must be a table of numbers"),
        ({"row_utility": [[1.0]], "capacity": [-1]}, "whole numbers of at least 0, found -1 for column 0"),
        ({"row_utility": [[1.0]], "capacity": [1.5], "column_names": ["east"]}, "found 1.5 for 'east'"),
        ({"row_utility": [[1.0]], "row_outside": np.inf}, "row_outside must be numbers below infinity"),
        ({"row_utility": [[1.0], [1.0]], "row_names": [1, 1]}, "1"),
    ],
)
def test_what_a_market_refuses(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        MatchingMarket(**arguments)


def test_what_does_not_fit_together() -> None:
    with pytest.raises(ShapeError, match="column_utility must have the shape of row_utility"):
        MatchingMarket(row_utility=np.zeros((3, 2)), column_utility=np.zeros((2, 2)))
    with pytest.raises(ShapeError, match="capacity must be one number a column, 2"):
        MatchingMarket(row_utility=np.zeros((3, 2)), capacity=[1])
    market = MatchingMarket(row_utility=np.zeros((3, 2)))
    with pytest.raises(ShapeError, match="one column a row, 3"):
        Matching(assigned=[0], market=market)
    with pytest.raises(InvalidInputError, match="column 0 has 2 rows but takes 1"):
        Matching(assigned=[0, 0, 1], market=market)
    with pytest.raises(InvalidInputError, match="row 1 has column 2: there are 2"):
        Matching(assigned=[0, 2, 1], market=market)
    with pytest.raises(InvalidInputError, match="give column_utility"):
        blocking_pairs([0, 1, -1], np.zeros((3, 2)))
    with pytest.raises(InvalidInputError, match="a Matching knows its market"):
        blocking_pairs(Matching(assigned=[0, 1, -1], market=market), np.zeros((3, 2)))
