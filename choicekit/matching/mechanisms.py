"""The mechanisms: deferred and immediate acceptance, serial dictatorship, the best and the entropic assignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from choicekit.assignment import AssignmentResult, AtMost, Fixed, WithOutsideOption, solve_assignment
from choicekit.assignment.sampling import sample_assignment
from choicekit.errors import InvalidInputError
from choicekit.kernels import Kernel
from choicekit.matching.kernels import accept_immediately, defer_acceptance, take_turns
from choicekit.matching.market import MatchingMarket
from choicekit.matching.matching import Matching
from choicekit.matching.twins import PROPOSALS, ROUNDS, TIES
from choicekit.random import Draws, Stage, check_seed, stream_key

__all__ = [
    "Side",
    "Ties",
    "deferred_acceptance",
    "entropic_assignment",
    "immediate_acceptance",
    "optimal_assignment",
    "serial_dictatorship",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint64]
Side = Literal["rows", "columns"]
Ties = Literal["single", "multiple"]

_MANY_PAIRS = 20_000  # above which an optimum is sought among few of them
_COLD = 1e-3  # of the range of utilities: a temperature at which hardly a pair has mass that the optimum has not
_FADED = 30.0  # temperatures below which a pair has no mass to speak of
_PAYS = 1e-9  # temperatures above which a pair beats prices by more than rounding
_ONE_FOR_ALL = np.zeros(1, dtype=np.uint64)


def deferred_acceptance(
    market: MatchingMarket, *, proposing: Side = "rows", seed: int = 0, ties: Ties = "single", replication: int = 0
) -> Matching:
    """Match by deferred acceptance: one side proposes, the other keeps its best so far.

    Parameters
    ----------
    market : MatchingMarket
        With a column utility.
    proposing : {"rows", "columns"}
        Columns propose to as many rows as they take.
    seed : int
        Of the lottery that breaks ties, in [0, 2^64).
    ties : {"single", "multiple"}
        Whether a row has one lottery number for all columns, or one for each.
    replication : int
        Of the lottery.

    Returns
    -------
    Matching
        Stable; of all stable matchings the one that each proposer likes best and each receiver least, where
        preferences are strict.

    Raises
    ------
    InvalidInputError
        For a market without a column utility, and arguments that break the above.

    Notes
    -----
    Columns rank sets of rows by their rows ("responsive" preferences). Ties are broken by lottery numbers addressed by
    names, equal for any order of rows; `Matching.n_ties_broken` says how often. Pairs that either side finds worse than
    nobody are never made.

    References
    ----------
    Gale & Shapley (1962), American Mathematical Monthly 69; Roth (1985), "The college admissions problem is not
    equivalent to the marriage problem", Journal of Economic Theory 36; Abdulkadiroglu, Pathak & Roth (2009),
    "Strategy-proofness versus efficiency in matching with indifferences", American Economic Review 99 (lotteries).

    Examples
    --------
    >>> market = MatchingMarket(
    ...     row_utility=[[3, 2, 1], [1, 3, 2], [2, 1, 3]], column_utility=[[1, 2, 3], [3, 1, 2], [2, 3, 1]]
    ... )
    >>> deferred_acceptance(market).assigned, deferred_acceptance(market, proposing="columns").assigned
    (array([0, 1, 2]), array([2, 0, 1]))
    """
    if proposing not in get_args(Side):
        raise InvalidInputError(f"proposing must be one of {', '.join(get_args(Side))}, found {proposing!r}")
    favours, lottery, tie_words = (
        _two_sided(market, "deferred acceptance"),
        _lottery(seed, replication),
        _tie_words(market, ties),
    )
    ones, floors = np.ones(market.shape[0], dtype=np.int64), (market.row_floors, market.column_floors)
    words = market.row_words, market.column_words
    mechanism = f"deferred acceptance, {proposing} propose"
    if proposing == "rows":
        tables, numbers = (market.row_utility, favours), (ones, market.seats)
        found = _proposals(defer_acceptance, tables, numbers, floors, (*words, words[0], tie_words), lottery)
        rows, columns = found.pairs()
    else:
        # numbers of a pair must not depend on who proposes: rows stay first in their address, and keys change places
        swapped = np.array([lottery[1], lottery[0], lottery[2], 0], dtype=np.uint64)
        tables = np.ascontiguousarray(favours.T), np.ascontiguousarray(market.row_utility.T)
        given = tie_words, words[0], words[1], words[0]
        found = _proposals(defer_acceptance, tables, (market.seats, ones), floors[::-1], given, swapped)
        columns, rows = found.pairs()
    return _matching(market, rows, columns, found.told, mechanism, seed, replication)


def immediate_acceptance(
    market: MatchingMarket, *, seed: int = 0, ties: Ties = "single", replication: int = 0
) -> Matching:
    """Match by immediate acceptance (the Boston mechanism): in round k rows apply to their k-th choice.

    Parameters
    ----------
    market, seed, ties, replication
        As in `deferred_acceptance`.

    Returns
    -------
    Matching
        Columns take the best applicants of each round for good; in general not stable.

    Raises
    ------
    InvalidInputError
        As `deferred_acceptance`.

    References
    ----------
    Abdulkadiroglu & Soenmez (2003), "School choice: a mechanism design approach", American Economic Review 93.

    Examples
    --------
    >>> market = MatchingMarket(row_utility=[[2.0, 1.0], [2.0, 1.0], [1.0, 2.0]], column_utility=[[1.0], [2.0], [0.0]])
    >>> immediate_acceptance(market).assigned
    array([-1,  0,  1])
    """
    favours, lottery = _two_sided(market, "immediate acceptance"), _lottery(seed, replication)
    tables = market.row_utility, favours
    numbers = np.ones(market.shape[0], dtype=np.int64), market.seats
    words = market.row_words, market.column_words, market.row_words, _tie_words(market, ties)
    found = _proposals(accept_immediately, tables, numbers, (market.row_floors, market.column_floors), words, lottery)
    rows, columns = found.pairs()
    return _matching(market, rows, columns, found.told, "immediate acceptance", seed, replication)


def serial_dictatorship(market: MatchingMarket, *, seed: int = 0, replication: int = 0) -> Matching:
    """Match by random serial dictatorship: in the order of a lottery, each row takes the best of what is left.

    Parameters
    ----------
    market : MatchingMarket
        A column utility counts only as far as columns must accept a row.
    seed, replication : int
        Of the lottery.

    Returns
    -------
    Matching
        Pareto-efficient for rows where their preferences are strict.

    Notes
    -----
    The order is that of the single lottery of `deferred_acceptance`: where columns are indifferent, both are the same.

    References
    ----------
    Abdulkadiroglu & Soenmez (1998), "Random serial dictatorship and the core from random endowments in house
    allocation problems", Econometrica 66.

    Examples
    --------
    >>> market = MatchingMarket(row_utility=[[2.0, 1.0], [3.0, 0.5]])
    >>> serial_dictatorship(market, seed=1)
    Matching(2 of 2 rows matched, serial dictatorship)
    """
    lottery = _lottery(seed, replication)
    order, told = lottery_order(market, seed, replication), np.zeros(3, dtype=np.int64)
    favours = np.zeros(market.shape) if market.column_utility is None else market.column_utility
    assigned = np.empty(market.shape[0], dtype=np.int64)
    take_turns(
        market.row_utility, favours, order, market.seats, np.ascontiguousarray(market.row_floors),
        np.ascontiguousarray(market.column_floors), market.row_words, market.column_words, lottery, assigned, told,
    )  # fmt: skip
    rows = np.flatnonzero(assigned >= 0)
    return _matching(market, rows, assigned[rows], told, "serial dictatorship", seed, replication)


def optimal_assignment(market: MatchingMarket) -> Matching:
    """Match so that the sum of both sides' utilities is the largest that capacities allow.

    Parameters
    ----------
    market : MatchingMarket
        Without a column utility only rows count.

    Returns
    -------
    Matching
        With outside utilities, nobody is matched at a loss to the pair; without, as many rows as can be are matched.

    Raises
    ------
    InfeasibleMassError
        Where rows must have a column and capacities are too few.

    Notes
    -----
    This is `solve_assignment` at temperature 0, whose optimum is whole where capacities are; with one place a column
    it equals `scipy.optimize.linear_sum_assignment`.

    Examples
    --------
    >>> optimal_assignment(MatchingMarket(row_utility=[[2.0, 1.0], [3.0, 0.5]])).assigned
    array([1, 0])
    """
    if not market.acceptable.any():
        return _nobody(market, "optimal assignment")
    result = _best(market)
    # a vertex is whole but for rounding; an optimum between ties may not be one, and is rounded to one of equal worth
    sample = sample_assignment(result, seed=0, method="dependent")
    return Matching(assigned=sample.positions[0], market=market, mechanism="optimal assignment")


def entropic_assignment(market: MatchingMarket, *, temperature: float, seed: int = 0, replication: int = 0) -> Matching:
    """Match by drawing whole places from the entropic assignment at a temperature.

    Parameters
    ----------
    market : MatchingMarket
        Without a column utility only rows count.
    temperature : float
        In units of utility, above 0.
    seed, replication : int
        Of the draw.

    Returns
    -------
    Matching
        Exact capacities, and each pair with its mass in the coupling as probability, by dependent rounding.

    Raises
    ------
    InfeasibleMassError
        Where rows must have a column and capacities are too few.
    InvalidInputError
        For a temperature that is not above 0.

    Examples
    --------
    >>> market = MatchingMarket(row_utility=[[2.0, 1.0], [3.0, 0.5]])
    >>> entropic_assignment(market, temperature=0.5, seed=1)
    Matching(2 of 2 rows matched, entropic assignment)
    """
    if not temperature > 0:
        raise InvalidInputError(f"temperature must be above 0, found {temperature!r}: for 0 take optimal_assignment")
    if not market.acceptable.any():
        return _nobody(market, "entropic assignment")
    return sampled_matching(market, soft_assignment(market, temperature), seed=seed, replication=replication)


def soft_assignment(market: MatchingMarket, temperature: float) -> AssignmentResult:
    """Return the coupling of a market whose pairs are worth the sum of both utilities, less those of being without.

    Rows go without only where that has a utility, or where places are too few for all: then all places are filled.
    """
    return _solved(market, net_worth(market), temperature)


def _solved(market: MatchingMarket, worth: FloatArray, temperature: float) -> AssignmentResult:
    seats, rows = market.seats.astype(np.float64), np.ones(market.shape[0])
    if np.isfinite(market.row_floors).any() or np.isfinite(market.column_floors).any():
        return solve_assignment(worth, WithOutsideOption(rows), AtMost(seats), temperature=temperature)
    if seats.sum() >= rows.size:
        return solve_assignment(worth, Fixed(rows), AtMost(seats), temperature=temperature)
    return solve_assignment(worth, AtMost(rows), Fixed(seats), temperature=temperature)


def _best(market: MatchingMarket) -> AssignmentResult:
    """Return the best assignment; of large markets by solving for the pairs that matter, and proving that they do.

    Pairs that have mass at a low temperature are nearly all that the optimum can use. If at the prices of the optimum
    over these some other pair would pay, such pairs are added and it is solved again: none left proves the optimum.
    """
    worth = net_worth(market)
    allowed = np.isfinite(worth)
    if worth.size < _MANY_PAIRS:
        return _solved(market, worth, 0.0)
    temperature = max(float(np.ptp(worth[allowed])), np.finfo(float).tiny) * _COLD
    soft = _solved(market, worth, temperature)
    tried = allowed & (_left(worth, soft) >= -_FADED * temperature)
    while True:
        result = _solved(market, np.where(tried, worth, -np.inf), 0.0)
        paying = allowed & ~tried & (_left(worth, result) > _PAYS * temperature)
        if not paying.any():
            return result
        tried |= paying


def _left(worth: FloatArray, result: AssignmentResult) -> FloatArray:
    """Return what pairs are worth beyond the prices of both sides."""
    with np.errstate(invalid="ignore"):
        return worth + result.row_potential[:, None] + result.column_potential


def sampled_matching(market: MatchingMarket, result: AssignmentResult, *, seed: int, replication: int = 0) -> Matching:
    """Return one matching drawn from a coupling of a market by dependent rounding."""
    sample = sample_assignment(result, seed=seed, method="dependent", first_replication=replication)
    return Matching(
        assigned=sample.positions[0], market=market, mechanism="entropic assignment", seed=seed, replication=replication
    )


def net_worth(market: MatchingMarket) -> FloatArray:
    """Return what pairs are worth to both sides more than being without, minus infinity where one may not be."""
    worth = market.row_utility - _zero_where_none(market.row_floors)[:, None]
    if market.column_utility is not None:
        worth = worth + (market.column_utility - _zero_where_none(market.column_floors))
    return np.where(market.acceptable, worth, -np.inf)


def lottery_order(market: MatchingMarket, seed: int, replication: int = 0) -> IntArray:
    """Return the rows in the order of their lottery numbers, the best first."""
    words = Draws(seed=seed, stage=Stage.LOTTERY, rows=market.row_words, alternatives=_ONE_FOR_ALL)
    return np.lexsort((market.row_words, -words.uniforms(replication)[:, 0]))


def _nobody(market: MatchingMarket, mechanism: str) -> Matching:
    return Matching(assigned=np.full(market.shape[0], -1), market=market, mechanism=mechanism)


def _zero_where_none(floors: FloatArray) -> FloatArray:
    return np.where(np.isfinite(floors), floors, 0.0)


def _two_sided(market: MatchingMarket, mechanism: str) -> FloatArray:
    if market.column_utility is None:
        raise InvalidInputError(
            f"{mechanism} needs what rows are worth to columns: give the market a column_utility, such as priorities; "
            "a column of zeros leaves everything to the lottery"
        )
    return market.column_utility


def _lottery(seed: int, replication: int) -> UIntArray:
    """Keys of rows' and of columns' ties, which half of a draw to take, and that rows come first in its address."""
    if isinstance(replication, bool) or not isinstance(replication, int | np.integer) or replication < 0:
        raise InvalidInputError(f"replication must be a whole number of at least 0, found {replication!r}")
    pair, seed = int(replication) // 2, check_seed(seed)
    keys = stream_key(seed, Stage.TIE, pair), stream_key(seed, Stage.LOTTERY, pair)
    return np.array([*keys, int(replication) % 2, 1], dtype=np.uint64)


def _tie_words(market: MatchingMarket, ties: str) -> UIntArray:
    """Words of columns in the lottery that breaks their ties: one for all gives each row one number."""
    if ties not in get_args(Ties):
        raise InvalidInputError(f"ties must be one of {', '.join(get_args(Ties))}, found {ties!r}")
    return np.repeat(_ONE_FOR_ALL, market.shape[1]) if ties == "single" else market.column_words


def _proposals(
    run: Kernel,
    tables: tuple[FloatArray, FloatArray],
    numbers: tuple[IntArray, IntArray],
    floors: tuple[FloatArray, FloatArray],
    words: tuple[UIntArray, UIntArray, UIntArray, UIntArray],
    lottery: UIntArray,
) -> _Held:
    """Let proposers propose; each pair is (of proposers, of receivers), words are (of wishes, of ties)."""
    (wishes, favours), (quotas, seats) = tables, numbers
    seats = np.minimum(seats, len(quotas) if len(quotas) else 0)
    starts = np.concatenate([[0], np.cumsum(seats)[:-1]]).astype(np.int64)
    held, sizes = np.full(max(1, int(seats.sum())), -1, dtype=np.int64), np.zeros(len(seats), dtype=np.int64)
    # memory that is never written to is never taken: lists are filled in only as far as they are needed
    wanted, told = np.empty((len(quotas), len(seats)), dtype=np.int32), np.zeros(3, dtype=np.int64)
    run(
        wishes, favours, quotas, seats, *(np.ascontiguousarray(each) for each in floors), *words, lottery, wanted,
        starts, held, sizes, told,
    )  # fmt: skip
    return _Held(held=held, starts=starts, sizes=sizes, told=told)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Held:
    """Whom receivers hold, and what it took."""

    held: IntArray
    starts: IntArray
    sizes: IntArray
    told: IntArray

    def pairs(self) -> tuple[IntArray, IntArray]:
        """Return proposers and receivers of all pairs."""
        receivers = np.repeat(np.arange(len(self.sizes)), self.sizes)
        offsets = np.arange(len(receivers)) - np.repeat(np.cumsum(self.sizes) - self.sizes, self.sizes)
        return self.held[self.starts[receivers] + offsets], receivers


def _matching(
    market: MatchingMarket,
    rows: IntArray,
    columns: IntArray,
    told: IntArray,
    mechanism: str,
    seed: int,
    replication: int,
) -> Matching:
    assigned = np.full(market.shape[0], -1, dtype=np.int64)
    assigned[rows] = columns
    return Matching(
        assigned=assigned,
        market=market,
        mechanism=mechanism,
        n_proposals=int(told[PROPOSALS]),
        n_rounds=int(told[ROUNDS]),
        n_ties_broken=int(told[TIES]),
        seed=seed,
        replication=replication,
    )
