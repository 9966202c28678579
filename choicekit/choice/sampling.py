"""Drawing choices: the two sampling modes, and the function `choose`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError, ShapeError
from choicekit.kernels import over_rows
from choicekit.random import Draws, HeldDraws, Identifiers, Stage
from choicekit.rules import ChoiceRule, Softmax
from choicekit.rules.addressing import addressed_utility, check_replications
from choicekit.rules.drawing import refuse_coherent

__all__ = ["Sampler", "Sampling", "choose", "common_sampling", "resolve_sampling"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint64]

Sampling = Literal["auto", "coherent", "fast"]


def resolve_sampling(rule: ChoiceRule, sampling: str) -> Literal["coherent", "fast"]:
    """Return the sampling mode that `sampling` means for a rule.

    Parameters
    ----------
    rule : ChoiceRule
    sampling : {"auto", "coherent", "fast"}
        ``"auto"`` is coherent where the rule has it, else fast.

    Raises
    ------
    InvalidInputError
        For an unknown mode, or ``"coherent"`` with a rule that has no additive-noise law.

    Examples
    --------
    >>> resolve_sampling(Softmax(), "auto")
    'coherent'
    """
    if sampling not in get_args(Sampling):
        raise InvalidInputError(f"sampling must be one of {', '.join(get_args(Sampling))}, found {sampling!r}")
    if sampling == "coherent" and not rule.supports_coherent:
        refuse_coherent(rule)
    return "coherent" if rule.supports_coherent and sampling != "fast" else "fast"


def common_sampling(rules: Sequence[ChoiceRule], sampling: str) -> Literal["coherent", "fast"]:
    """Return the sampling mode that `sampling` means for agents some of whom choose by one rule, some by another.

    Raises
    ------
    InvalidInputError
        As `resolve_sampling`, where any of the rules has no additive-noise law.

    Examples
    --------
    >>> common_sampling([Softmax(), Softmax(2.0)], "auto")
    'coherent'
    """
    modes = {resolve_sampling(rule, sampling) for rule in rules}
    return "coherent" if modes == {"coherent"} else "fast"


def check_rule(rule: object) -> ChoiceRule:
    """Return what is given as a rule, if it is one.

    Raises
    ------
    InvalidInputError
        For anything else, such as the name of a rule or its class.

    Examples
    --------
    >>> check_rule(Softmax)
    Traceback (most recent call last):
    choicekit.errors.InvalidInputError: rule must be a rule such as Softmax(), found the class Softmax: add ()
    """
    if isinstance(rule, type):  # a class has every method its objects have
        raise InvalidInputError(f"rule must be a rule such as Softmax(), found the class {rule.__name__}: add ()")
    if not isinstance(rule, ChoiceRule):
        raise InvalidInputError(
            f"rule must be a rule such as Softmax() or Hardmax(), found {rule!r}: make one of these, or derive one "
            "from RegularisedRule"
        )
    return rule


def check_rule_fits(rule: ChoiceRule, n_rows: int) -> None:
    """Make sure that a rule with settings that differ by row has them for `n_rows` rows.

    Raises
    ------
    ShapeError
        Where it has them for another number of rows.
    """
    if rule.n_rows not in (None, n_rows):
        raise ShapeError(f"{type(rule).__name__} has settings for {rule.n_rows} rows, but there are {n_rows}")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Sampler:
    """Draws choices of rows under a rule, by address.

    Attributes
    ----------
    rule : ChoiceRule
        With settings by position, not by name.
    seed : int
    rows : ndarray (n,) of uint64
        Words of (agent, situation).
    alternatives : ndarray (J,) of uint64
        Words of the alternatives.
    sampling : {"coherent", "fast"}
        ``"coherent"``: one perturbation per agent and alternative, so improving one alternative moves agents only to
        it. ``"fast"``: one uniform per agent inverts the distribution in the order of the alternatives.
    """

    rule: ChoiceRule
    seed: int
    rows: UIntArray
    alternatives: UIntArray
    sampling: Literal["coherent", "fast"]

    def __repr__(self) -> str:
        return (
            f"Sampler({self.rule!r}, {self.rows.size} rows, {self.alternatives.size} alternatives, "
            f"{self.sampling} draws, seed {self.seed})"
        )

    def held(self, rows: slice | IntArray) -> HeldDraws:
        """Return the perturbations of some rows, to be shared by several samplers of the same seed."""
        return HeldDraws(seed=self.seed, stage=Stage.CHOICE, rows=self.rows[rows], alternatives=self.alternatives)

    def choices(
        self, utility: FloatArray, rows: slice | IntArray, replications: range, draws: Draws | None = None
    ) -> IntArray:
        """Return the positions chosen by some rows, shape (R, n).

        Parameters
        ----------
        utility : ndarray (n, J)
            Utilities of these rows, as `choicekit.rules.utilities.available_utility` returns them.
        rows : slice or ndarray (n,) of int64
            Which of the sampler's rows they are.
        replications : range
            Consecutive replications.
        draws : Draws, optional
            The perturbations of these rows, where they have been made already; only coherent choices use them.
        """
        if self.sampling == "coherent":
            if draws is None:
                draws = Draws(seed=self.seed, stage=Stage.CHOICE, rows=self.rows[rows], alternatives=self.alternatives)
            return self.rule.for_rows(rows).coherent_choices(utility, draws, replications)
        one_word = np.zeros(1, dtype=np.uint64)
        draws = Draws(seed=self.seed, stage=Stage.INVERSE, rows=self.rows[rows], alternatives=one_word)
        return self.rule.for_rows(rows).fast_choices(utility, draws, replications)


def choose(
    utility: npt.ArrayLike,
    *,
    rule: ChoiceRule | None = None,
    seed: int,
    agents: Identifiers | None = None,
    alternatives: Identifiers | None = None,
    situations: Identifiers | None = None,
    availability: npt.ArrayLike | None = None,
    replications: int = 1,
    sampling: Sampling = "auto",
) -> IntArray:
    """Draw what each agent chooses.

    Parameters
    ----------
    utility : array_like (J,) or (N, J)
        Systematic utility; one row for all agents, or one an agent. Minus infinity means unavailable.
    rule : ChoiceRule, optional
        Defaults to ``Softmax()``.
    seed : int
        In [0, 2^64).
    agents : array_like (N,), optional
        Identifiers (integers, text, UUIDs) that address the draws; default 0..N-1.
    alternatives : array_like (J,), optional
        Names that address the draws; default 0..J-1.
    situations : array_like (N,), optional
        Identifiers of the choice situations of an agent who chooses more than once.
    availability : array_like of bool (J,) or (N, J), optional
        True = available.
    replications : int
        Number R of independent repetitions, at least 1.
    sampling : {"auto", "coherent", "fast"}
        ``"coherent"`` perturbs each alternative of each agent, so improving one alternative moves agents only *to* it
        and the order of alternatives does not matter; ``"fast"`` inverts the distribution with one uniform per agent,
        in the order of the columns. Both have the same law. ``"auto"`` is coherent where the rule has it.

    Returns
    -------
    ndarray of int64
        Positions in the columns of `utility`: (N,) for one replication, else (R, N).

    Raises
    ------
    InvalidInputError, NoAvailableAlternativeError, ShapeError
        For arguments that break the above; the message names agent and alternative.

    Notes
    -----
    A draw is a pure function of (seed, replication, agent, situation, alternative): the answer does not depend on the
    order of rows, and adding, removing or renaming one alternative moves no other draw.

    Examples
    --------
    >>> choose([[0.0, 1.0, 2.0], [3.0, 1.0, -1.0]], seed=1)
    array([2, 0])
    >>> choose([0.0, 1.0, 2.0], seed=1, agents=["ann", "bo"], replications=3).shape
    (3, 2)
    """
    rule = Softmax() if rule is None else check_rule(rule)
    mode = resolve_sampling(rule, sampling)
    n_replications = check_replications(replications)
    table = addressed_utility(
        utility, seed=seed, agents=agents, alternatives=alternatives, situations=situations, availability=availability
    )
    check_rule_fits(rule, len(table.utility))
    sampler = Sampler(rule=rule, seed=table.seed, rows=table.rows, alternatives=table.alternatives, sampling=mode)
    if alternatives is not None:
        sampler = replace(sampler, rule=rule.for_alternatives(list(alternatives)))  # type: ignore[arg-type]
    chosen = _choices_by_portion(sampler, table.utility, n_replications)
    return chosen[0] if n_replications == 1 else chosen


def _choices_by_portion(sampler: Sampler, values: FloatArray, replications: int) -> IntArray:
    chosen = np.empty((replications, len(values)), dtype=np.int64)

    def fill(rows: slice) -> None:
        chosen[:, rows] = sampler.choices(values[rows], rows, range(replications))

    over_rows(fill, *values.shape)
    return chosen
