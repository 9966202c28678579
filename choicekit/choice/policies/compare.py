"""Comparing policies with a baseline: the public function, and running a comparison that has been built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.checking import NOTHING_AVAILABLE
from choicekit.choice.model import ChoiceModel
from choicekit.choice.policies.building import build_comparison
from choicekit.choice.policies.cases import BASELINE
from choicekit.choice.policies.comparison import PolicyComparison
from choicekit.choice.policies.covariance import CoefficientCovariance
from choicekit.choice.policies.elasticities import Elasticities, response_sums, responses_of
from choicekit.choice.policies.estimates import Replicates, replicates_of
from choicekit.choice.policies.paired_tally import PairedTally
from choicekit.choice.policies.policy import Policy
from choicekit.choice.policies.policy_outcome import PolicyOutcome
from choicekit.choice.policies.row_sums import RowSums
from choicekit.choice.policies.study import ComparisonStudy
from choicekit.choice.policies.trust import money_is_uncertain, money_problems, warnings_after, warnings_before
from choicekit.choice.population import Population
from choicekit.choice.sampling import Sampling
from choicekit.choice.segments import Segmentation
from choicekit.errors import DataError, InvalidInputError, NoAvailableAlternativeError, Problem
from choicekit.execution import Block, LocalThreads, Pass, Progress, run_passes
from choicekit.execution.passes import silent

__all__ = ["compare_policies", "run_comparison"]

_AT_ONCE = 64  # resamples or draws in one pass
_RESAMPLES_AT_ONCE = 512  # where expectations cost more than their sums


def compare_policies(
    model: ChoiceModel,
    population: Population,
    policies: Mapping[str, Policy | Mapping[str, Any]],
    *,
    seed: int,
    replications: int = 200,
    sampling: Sampling = "auto",
    segments: Sequence[Segmentation | str] = (),
    money: str | None = None,
    elasticities: Sequence[str] | None = None,
    covariance: CoefficientCovariance | pd.DataFrame | None = None,
    bootstrap: int = 500,
    parameter_draws: int = 500,
    workers: int = 1,
    progress: Progress = silent,
) -> PolicyComparison:
    """Compare policies with a baseline: who moves where, what it is worth to whom, and how sure that is.

    Parameters
    ----------
    model : ChoiceModel
        The baseline.
    population : Population
    policies : mapping of str to Policy
        By name; a mapping of a policy's fields will do.
    seed : int
        In [0, 2^64). The baseline and all policies use the same draws.
    replications : int
        Number R of simulated repetitions, at least 1.
    sampling : {"auto", "coherent", "fast"}
        See `choose`. With coherent draws agents move only where something they face has changed; fast ones mix noise
        into switches.
    segments : sequence of Segmentation or str
        Groups to break results down by, as in `simulate_choices`.
    money : str, optional
        A formula over coefficients and attributes of agents whose value is minus the utility of a unit of money:
        mostly the name of the cost coefficient. Changes of welfare are then given in money, too.
    elasticities : sequence of str, optional
        Attributes whose elasticities are wanted; by default those that policies change, where there are at most 30
        alternatives.
    covariance : CoefficientCovariance or DataFrame, optional
        Of the coefficients' estimates, for the parameter error. A table has their names on both axes.
    bootstrap : int
        Resamples of the agents for the sampling error; 0 for none.
    parameter_draws : int
        Draws of the coefficients, where there is a covariance.
    workers : int
        Threads; the result does not depend on their number.
    progress : callable
        Called with (name, done, total), one call at a time.

    Returns
    -------
    PolicyComparison

    Raises
    ------
    InvalidInputError
        For a policy that names what there is not, with every such name; for settings of another form; for money whose
        utility is not positive.
    DataError
        For cells that are needed and are not finite numbers, and utilities of nan or plus infinity.
    NoAvailableAlternativeError
        Where an agent has nothing available in the baseline or under a policy, unless the model says what to do then.

    Notes
    -----
    Three errors are told apart. *Simulation error* is what more replications remove; paired on common draws it is
    many times smaller than for independent ones. *Sampling error* is how results differ with other agents: a bootstrap
    by agent. *Parameter error* is how they differ with other estimates of the coefficients: Krinsky-Robb draws. Each
    interval is that of the aggregate itself.

    Agents who differ by random coefficients or classes are of the same type in the baseline and under every policy, in
    all their situations. A gain in money is the mean over types of the gain over what money is worth to each. With
    random coefficients expected changes have an integration error, which baseline and policy largely share; every draw
    of the coefficients integrates anew, over one shift of the points. `covariance` is that of coefficients that are one
    number for all. A policy's rule replaces that of every class, and who belongs to which class stays.

    Examples
    --------
    >>> people = Population(agents=[1, 2, 3, 4], columns={"cost": [1.0, 2.0, 3.0, 4.0]})
    >>> model = ChoiceModel({"walk": "0", "ride": "1 - b * cost"}, {"b": 0.5})
    >>> found = compare_policies(model, people, {"no rides": {"remove": ["ride"]}}, seed=1, money="-b")
    >>> found.welfare_change.round(3).loc["no rides", ["mean", "money_mean", "lose_share"]].to_dict()
    {'mean': -0.614, 'money_mean': -1.227, 'lose_share': 1.0}
    """
    study = build_comparison(
        model,
        population,
        policies,
        seed=seed,
        replications=replications,
        sampling=sampling,
        segments=segments,
        money=money,
        elasticities=elasticities,
        covariance=covariance,
        bootstrap=bootstrap,
        parameter_draws=parameter_draws,
    )
    _raise_for({case.name: case.model.check(population, case.kept) for case in study.cases})
    problems = money_problems(study)
    if problems:
        raise InvalidInputError(problems[0])
    return run_comparison(study, workers=workers, progress=progress)


def run_comparison(study: ComparisonStudy, *, workers: int = 1, progress: Progress = silent) -> PolicyComparison:
    """Run a comparison whose inputs have been checked; see `compare_policies`."""
    n_rows, executor = study.population.n_rows, LocalThreads(workers)
    # first what may fail: a draw of the coefficients may leave the domain of a utility
    draws = 0 if study.covariance is None else study.parameter_draws
    parameters = _sums("drawing coefficients", study.redrawn, draws, n_rows, executor, progress)
    costly = not study.baseline.types.lone
    agents = _sums("resampling agents", study.resampled, study.bootstrap, n_rows, executor, progress, costly=costly)
    tally: PairedTally = run_passes([_simulation(study, progress)], n_rows, executor=executor)
    outcomes = {
        name: PolicyOutcome(
            name=name,
            policy=policy,
            before=tally.cases[0],
            after=tally.cases[place],
            pair=tally.pairs[place - 1],
            agents=_replicates(study, agents, place, tally.pairs[place - 1].rows),
            parameters=_replicates(study, parameters, place),
            study=study,
            position=place,
        )
        for place, (name, policy) in enumerate(study.policies.items(), start=1)
    }
    return PolicyComparison(
        study=study,
        policies=MappingProxyType(outcomes),
        tally=tally,
        responses=_responses(study, executor, progress),
        money_is_uncertain=money_is_uncertain(study, parameters),
        warnings=(*study.warnings, *warnings_before(study), *warnings_after(study, tally, parameters)),
    )


def _raise_for(problems: Mapping[str, Sequence[Problem]]) -> None:
    """Raise what keeps cases from being simulated, all at once; a policy is not blamed for what the baseline has."""
    seen = set(problems[BASELINE])
    told = list(problems[BASELINE])
    for name, found in problems.items():
        for problem in found:
            if problem not in seen:
                told.append(replace(problem, message=f"under policy {name!r}: {problem.message}"))
    if told and all(problem.code == NOTHING_AVAILABLE for problem in told):
        raise NoAvailableAlternativeError("\n".join(str(problem) for problem in told))
    if told:
        raise DataError(told)


def _simulation(study: ComparisonStudy, progress: Progress) -> Pass[PairedTally]:
    total, done, counting = study.population.n_rows * study.replications * len(study.cases), 0, Lock()

    def drawn(number: int) -> None:
        nonlocal done
        with counting:
            done += number
            progress("comparing policies", done, total)

    progress("comparing policies", 0, total)
    return Pass[PairedTally](
        name="comparing policies",
        outcome=lambda block, _: study.tally(block, drawn),
        finish=lambda merged, _: merged,
    )


def _sums(
    name: str,
    function: Callable[[Block, range], RowSums],
    count: int,
    n_rows: int,
    executor: LocalThreads,
    progress: Progress,
    *,
    costly: bool = False,
) -> RowSums | None:
    """Sum up so many resamples or draws, some in each pass: what a block leaves behind stays small."""
    if not count:
        return None
    most = _RESAMPLES_AT_ONCE if costly else _AT_ONCE
    portions = [range(start, min(start + most, count)) for start in range(0, count, most)]
    found: list[RowSums] = []
    for portion in portions:

        def told(name: str, done: int, total: int, portion: range = portion) -> None:
            progress(name, total * portion.start + done * len(portion), total * count)

        work = Pass[RowSums](
            name=name,
            outcome=lambda block, _, portion=portion: function(block, portion),  # type: ignore[misc]
            finish=lambda merged, _: merged,
        )
        found.append(run_passes([work], n_rows, executor=executor, progress=told))
    return RowSums(totals=np.concatenate([sums.totals for sums in found]))


def _replicates(
    study: ComparisonStudy, sums: RowSums | None, place: int, rows: npt.NDArray[np.int64] | None = None
) -> Replicates | None:
    if sums is None:
        return None
    return replicates_of(sums, place - 1, study.layout, money=study.money is not None, rows=rows)


def _responses(study: ComparisonStudy, executor: LocalThreads, progress: Progress) -> Elasticities:
    baseline = study.baseline
    responses = tuple(responses_of(baseline, study.alternatives, study.attributes))
    work = Pass[Any](
        name="computing elasticities",
        outcome=lambda block, _: response_sums(baseline, responses, study.weights(block.rows), block.rows),
        finish=lambda merged, _: merged,
    )
    return Elasticities(
        alternatives=study.alternatives,
        responses=tuple((response.attribute, response.alternative) for response in responses),
        sums=run_passes([work], study.population.n_rows, executor=executor, progress=progress),
    )
