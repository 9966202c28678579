"""Simulations: the same bytes however they are run, sums that add up, and answers known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from choicekit import (
    ChoiceModel,
    ChoiceOutcome,
    DataError,
    Hardmax,
    InvalidInputError,
    NoAvailableAlternativeError,
    Population,
    Segmentation,
    ShapeError,
    Softmax,
    choose,
    segment_by_edges,
    simulate_choices,
)
from choicekit.choice.tally import replication_chunks
from choicekit.execution import BLOCK_SIZE
from tests.tolerances import assert_counts_follow, assert_monte_carlo

MODEL = ChoiceModel(
    {"walk": "0", "bus": "1 - b * cost", "car": "asc + 0.1 * age"},
    {"b": 0.5, "asc": -1.0},
    availability={"car": "age > 18"},
)
SEVERAL_BLOCKS = 3 * BLOCK_SIZE + 17


def people(n: int, *, weighted: bool = False, seed: int = 5) -> Population:
    rng = np.random.default_rng(seed)
    return Population(
        agents=np.arange(n) * 7 + 3,
        alternatives=("walk", "bus", "car"),
        columns={
            "cost": rng.uniform(0, 6, n).round(3),
            "age": rng.integers(5, 30, n).astype(float),
            "home": rng.choice(np.array(["city", "farm", "town"], dtype=object), n),
        },
        weights=rng.uniform(0, 3, n) if weighted else None,
        chosen=rng.integers(-1, 3, n),
    )


def subset(population: Population, rows: np.ndarray) -> Population:
    def cut(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[rows]

    return Population(
        agents=population.agents[rows],
        situations=cut(population.situations),
        alternatives=population.alternatives,
        columns={name: values[rows] for name, values in population.columns.items()},
        weights=cut(population.weights),
        chosen=cut(population.chosen),
    )


def bytes_of(outcome: ChoiceOutcome) -> dict[str, bytes]:
    return {field.name: getattr(outcome.tally, field.name).tobytes() for field in fields(outcome.tally)}


def simulate(population: Population, model: ChoiceModel = MODEL, **arguments: Any) -> ChoiceOutcome:
    return simulate_choices(model, population, **{"seed": 1, "replications": 5, **arguments})


# --- the same however it is run -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampling", ["coherent", "fast"])
def test_any_number_of_workers_gives_the_same_bytes(sampling: str) -> None:
    crowd = people(SEVERAL_BLOCKS, weighted=True)
    runs = [
        bytes_of(simulate(crowd, workers=workers, sampling=sampling, segments=["home"], replications=3))
        for workers in (1, 2, 5)
    ]
    assert len(runs[0]) == 20
    assert runs[0] == runs[1] == runs[2]


def test_the_order_of_rows_moves_no_choice() -> None:
    crowd = people(BLOCK_SIZE + 100)
    order = np.random.default_rng(0).permutation(crowd.n_rows)
    straight, shuffled = simulate(crowd, segments=["home"]), simulate(subset(crowd, order), segments=["home"])
    np.testing.assert_array_equal(straight.tally.count, shuffled.tally.count)
    np.testing.assert_array_equal(straight.tally.observed, shuffled.tally.observed)
    np.testing.assert_array_equal(straight.choices[:, order], shuffled.choices)
    np.testing.assert_allclose(straight.tally.probability, shuffled.tally.probability, rtol=1e-12)


def test_leaving_agents_out_moves_no_choice_of_the_others() -> None:
    crowd = people(60)
    kept = np.arange(0, 60, 3)
    np.testing.assert_array_equal(simulate(subset(crowd, kept)).choices, simulate(crowd).choices[:, kept])


def test_more_replications_begin_with_the_same_ones() -> None:
    crowd = people(40)
    np.testing.assert_array_equal(
        simulate(crowd, replications=3).choices, simulate(crowd, replications=40).choices[:3]
    )  # fmt: skip


def test_adding_an_alternative_moves_agents_only_to_it() -> None:
    crowd = Population(agents=np.arange(3000), columns={"x": np.linspace(-1, 1, 3000)})
    before = simulate(crowd, ChoiceModel({"a": "x", "b": "0"})).choices
    after = simulate(crowd, ChoiceModel({"a": "x", "c": "0.5", "b": "0"})).choices
    names_before, names_after = np.array(["a", "b"])[before], np.array(["a", "c", "b"])[after]
    assert 0 < np.mean(names_after == "c") < 1
    assert np.all((names_after == names_before) | (names_after == "c"))


def test_another_seed_gives_other_choices_and_the_same_expectation() -> None:
    crowd = people(500)
    one, other = simulate(crowd, seed=1), simulate(crowd, seed=2)
    assert np.any(one.choices != other.choices)
    np.testing.assert_array_equal(one.tally.probability, other.tally.probability)


# --- what is counted ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampling", ["coherent", "fast"])
@pytest.mark.parametrize("replications", [1, 2, 33])
def test_choices_made_again_are_those_that_were_counted(sampling: str, replications: int) -> None:
    crowd = people(BLOCK_SIZE + 50, weighted=True)
    outcome = simulate(crowd, sampling=sampling, replications=replications)
    chosen = outcome.choices
    assert chosen.shape == (replications, crowd.n_rows)
    assert crowd.weights is not None
    for replication in range(replications):
        counts = np.bincount(chosen[replication], minlength=3)
        np.testing.assert_array_equal(counts, outcome.tally.count[replication, 0])
    weighed = np.bincount(chosen[0], weights=crowd.weights, minlength=3)
    np.testing.assert_allclose(weighed, outcome.tally.weighted_count[0, 0], rtol=1e-12)
    blocks = list(outcome.iter_choices())
    runs = replication_chunks(replications)
    assert [(rows.start, run) for rows, run, _ in blocks] == [(start, run) for start in (0, BLOCK_SIZE) for run in runs]
    for rows, run, part in blocks:
        assert part.shape == (len(run), rows.stop - rows.start)
        np.testing.assert_array_equal(part, chosen[run.start : run.stop, rows])


def test_a_simulation_draws_what_choose_draws() -> None:
    crowd = people(30)
    outcome = simulate(crowd, replications=4)
    utility = np.where(MODEL.available(crowd), MODEL.utility(crowd), -np.inf)
    drawn = choose(utility, seed=1, agents=crowd.agents, alternatives=["walk", "bus", "car"], replications=4)
    np.testing.assert_array_equal(outcome.choices, drawn)


def test_an_unavailable_alternative_is_never_chosen() -> None:
    outcome = simulate(people(400), replications=20)
    young = outcome.study.population.columns["age"] <= 18
    assert young.any()
    assert not np.any(outcome.choices[:, young] == 2)
    assert np.any(outcome.choices[:, ~young] == 2)


@pytest.mark.parametrize("weighted", [False, True])
def test_segments_add_up_to_everybody(weighted: bool) -> None:
    crowd = people(SEVERAL_BLOCKS, weighted=weighted)
    by_age = segment_by_edges("age", crowd.columns["age"], [12, 18, 25])
    outcome = simulate(crowd, segments=["home", by_age], replications=2)
    groups = {name: [g.position for g in outcome.groups if g.segment == name] for name in ("home", "age")}
    assert [len(places) for places in groups.values()] == [3, 4]
    for field in fields(outcome.tally):
        if field.name == "largest_gap":
            continue
        array = getattr(outcome.tally, field.name)
        array = np.moveaxis(array, 1, 0) if field.name in {"count", "weighted_count"} else array
        for places in groups.values():
            np.testing.assert_allclose(array[places].sum(axis=0), array[0], rtol=1e-12, err_msg=field.name)
    assert outcome.tally.rows[0] == SEVERAL_BLOCKS


def test_counts_of_one_replication_are_the_rows_that_choose() -> None:
    outcome = simulate(people(1000))
    np.testing.assert_array_equal(outcome.tally.count.sum(axis=2)[:, 0], 1000)


# --- weights --------------------------------------------------------------------------------------------------------


def test_a_weight_of_2_counts_as_two_agents_in_what_is_expected() -> None:
    crowd = people(50)
    double = Population(
        agents=crowd.agents, alternatives=crowd.alternatives, columns=dict(crowd.columns),
        weights=np.where(np.arange(50) < 20, 2.0, 1.0), chosen=crowd.chosen,
    )  # fmt: skip
    rows = np.concatenate([np.arange(50), np.arange(20)])
    assert crowd.chosen is not None
    twins = Population(
        agents=np.arange(70),
        alternatives=crowd.alternatives,
        columns={name: values[rows] for name, values in crowd.columns.items()},
        chosen=crowd.chosen[rows],
    )
    weighted, repeated = simulate(double), simulate(twins)
    np.testing.assert_allclose(weighted.expected_shares, repeated.expected_shares, rtol=1e-14)
    np.testing.assert_allclose(weighted.inclusive_value, repeated.inclusive_value, rtol=1e-14)
    np.testing.assert_allclose(weighted.observed_shares, repeated.observed_shares, rtol=1e-14)


def test_equal_weights_change_no_share() -> None:
    crowd = people(300)
    weighted = Population(
        agents=crowd.agents, alternatives=crowd.alternatives, columns=dict(crowd.columns), weights=np.full(300, 2.5)
    )
    one, other = simulate(crowd), simulate(weighted)
    np.testing.assert_allclose(one.expected_shares, other.expected_shares, rtol=1e-13)
    np.testing.assert_allclose(one.simulated_shares, other.simulated_shares, rtol=1e-13)


def test_an_agent_of_weight_0_counts_for_nothing_but_as_a_row() -> None:
    crowd = Population(agents=[1, 2], columns={"x": [0.0, 99.0]}, weights=[1.0, 0.0])
    outcome = simulate(crowd, ChoiceModel({"a": "0", "b": "x"}))
    assert outcome.expected_shares.tolist() == [0.5, 0.5]
    np.testing.assert_allclose(outcome.expected_by_group(weighted=False)[0], [0.25, 0.75])


# --- nothing available ----------------------------------------------------------------------------------------------

IDLE = Population(
    agents=np.arange(10), columns={"open": [1.0] * 6 + [0.0] * 4, "sex": np.array(list("mf") * 5, object)}
)


def nothing(then: str) -> ChoiceModel:
    return ChoiceModel(
        {"a": "0", "b": "1"}, availability={"a": "open", "b": "open"}, on_no_alternative=then  # type: ignore[arg-type]
    )  # fmt: skip


def test_nothing_available_is_an_error_by_default() -> None:
    with pytest.raises(NoAvailableAlternativeError, match=r"^agent 6 has nothing available, set on_no_alternative"):
        simulate(IDLE, nothing("error"))


def test_rows_with_nothing_available_can_be_skipped() -> None:
    outcome = simulate(IDLE, nothing("skip"), segments=["sex"])
    assert outcome.n_idle == 4
    assert outcome.tally.idle.tolist() == [4, 2, 2]
    assert outcome.tally.rows.tolist() == [6, 3, 3]
    np.testing.assert_allclose(outcome.expected_shares, [1 / (1 + np.e), np.e / (1 + np.e)])
    assert np.all(outcome.choices[:, 6:] == -1)
    assert np.all(outcome.choices[:, :6] >= 0)
    assert outcome.inclusive_value == pytest.approx(np.log(1 + np.e))


def test_rows_with_nothing_available_can_count_as_an_outside_option() -> None:
    outcome = simulate(IDLE, nothing("outside"))
    assert outcome.alternatives == ("a", "b", "outside_option")
    assert outcome.n_idle == 4
    assert outcome.expected_shares["outside_option"] == pytest.approx(0.4, abs=1e-15)
    assert np.all(outcome.choices[:, 6:] == 2)
    assert not np.any(outcome.choices[:, :6] == 2)
    assert outcome.inclusive_value == pytest.approx(0.6 * np.log(1 + np.e))


@pytest.mark.parametrize("n", [4, 2 * BLOCK_SIZE])
def test_a_whole_block_may_have_nothing_available(n: int) -> None:
    open_ = np.zeros(n)
    open_[BLOCK_SIZE:] = 1
    crowd = Population(agents=np.arange(n), columns={"open": open_})
    outcome = simulate(crowd, nothing("skip"), replications=2)
    assert outcome.n_idle == min(n, BLOCK_SIZE)
    assert outcome.tally.rows[0] == n - min(n, BLOCK_SIZE)
    assert np.isnan(outcome.expected_shares).all() == (n == 4)


# --- situations -----------------------------------------------------------------------------------------------------


def test_situations_are_drawn_apart_and_addressed_by_their_name() -> None:
    days = Population(agents=[5] * 400, situations=np.arange(400))
    model = ChoiceModel({"a": "0", "b": "0"})
    outcome = simulate(days, model, replications=1)
    assert outcome.n_agents == 1
    assert 100 < outcome.tally.count[0, 0, 0] < 300
    backwards = Population(agents=[5] * 400, situations=np.arange(400)[::-1])
    np.testing.assert_array_equal(simulate(backwards, model).choices[:, ::-1], simulate(days, model).choices)


# --- laws and answers known beforehand ------------------------------------------------------------------------------


def test_the_inclusive_value_is_the_one_by_hand() -> None:
    crowd = Population(agents=[1, 2], columns={"x": [0.0, 1.0]})
    model = ChoiceModel({"a": "x", "b": "2 * x", "c": "-x"}, rule=Softmax(temperature=2.0))
    by_hand = (2 * np.log(3) + 2 * np.log(np.exp(0.5) + np.exp(1) + np.exp(-0.5))) / 2
    assert simulate(crowd, model).inclusive_value == pytest.approx(by_hand, rel=1e-15)


def test_a_hard_maximum_is_certain() -> None:
    outcome = simulate(people(50), ChoiceModel({"walk": "0", "bus": "cost + 1"}, rule=Hardmax()))
    assert outcome.expected_shares.tolist() == [0, 1]
    assert np.all(outcome.choices == 1)
    assert outcome.agreement == 1.0


@pytest.mark.parametrize("sampling", ["coherent", "fast"])
def test_simulated_counts_follow_the_probabilities(sampling: str) -> None:
    outcome = simulate(people(2000), sampling=sampling, replications=50)
    assert outcome.sampling == sampling
    assert outcome.agreement > 1e-6
    estimate = outcome.estimate_by_group()
    assert_monte_carlo(estimate.share[0], outcome.expected_shares, estimate.standard_error[0])


@pytest.mark.parametrize("sampling", ["coherent", "fast"])
def test_each_agent_follows_its_own_law(sampling: str) -> None:
    model = ChoiceModel({"a": "0", "b": "1", "c": "-1"})
    outcome = simulate(Population(agents=["ann"]), model, replications=4000, sampling=sampling)
    count = np.bincount(outcome.choices[:, 0], minlength=3)
    assert_counts_follow(count, 4000 * outcome.expected_shares.to_numpy())


def test_auto_is_coherent_where_the_rule_is() -> None:
    assert simulate(people(5)).sampling == "coherent"


# --- progress and arguments -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("crowd", "replications"), [(SEVERAL_BLOCKS, 1), (100, 100)])
def test_progress_runs_from_0_to_all_choices_also_within_a_block(crowd: int, replications: int) -> None:
    told: list[tuple[str, int, int]] = []
    simulate(people(crowd), replications=replications, workers=2, progress=lambda *step: told.append(step))
    done = [step[1] for step in told]
    assert done == sorted(set(done))
    assert (done[0], done[-1], len(done)) == (0, crowd * replications, 5)
    assert {(name, total) for name, _, total in told} == {("simulating choices", crowd * replications)}


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"seed": -1}, InvalidInputError, "seed must be a whole number"),
        ({"seed": 1.0}, InvalidInputError, "seed must be a whole number"),
        ({"seed": 2**64}, InvalidInputError, "seed must be a whole number"),
        ({"replications": 0}, InvalidInputError, "replications must be a whole number of at least 1"),
        ({"replications": 1.5}, InvalidInputError, "replications must be a whole number of at least 1"),
        ({"replications": True}, InvalidInputError, "replications must be a whole number of at least 1"),
        ({"sampling": "quick"}, InvalidInputError, "sampling must be one of auto, coherent, fast"),
        ({"workers": 0}, InvalidInputError, "workers must be a whole number of at least 1"),
        ({"segments": ["hom"]}, InvalidInputError, "unknown column 'hom', did you mean 'home'"),
        ({"segments": ["price"]}, InvalidInputError, "varies by alternative"),
        ({"segments": "home"}, InvalidInputError, r"segments must be a list: give \['home'\]"),
        (
            {"segments": Segmentation(name="s", labels=("x",), codes=np.zeros(4, dtype=np.int64))},
            InvalidInputError,
            r"segments must be a list: give \[segment\]",
        ),
        ({"segments": [5]}, InvalidInputError, "a segment must be a Segmentation or the name of a column, found 5"),
        (
            {"segments": [Segmentation(name="s", labels=("x",), codes=np.zeros(3, dtype=np.int64))]},
            ShapeError,
            "3 codes for 4 rows",
        ),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    crowd = people(4).with_columns({"price": np.arange(12.0).reshape(4, 3)})
    with pytest.raises(kind, match=message):
        simulate(crowd, **arguments)


def test_a_population_without_rows_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="there are no rows to work on"):
        simulate(Population(agents=[]), ChoiceModel({"a": "0"}))


@pytest.mark.parametrize("names", [("a",), ("a", "b")])
def test_one_alternative_is_chosen_always(names: Sequence[str]) -> None:
    model = ChoiceModel(dict.fromkeys(names, "0"), availability=dict.fromkeys(names[1:], "0"))
    outcome = simulate(Population(agents=[1, 2]), model)
    assert np.all(outcome.choices == 0)
    assert outcome.expected_shares.iloc[0] == 1
    assert outcome.inclusive_value == 0


def test_an_alternative_named_like_a_problem_is_not_one() -> None:
    crowd = Population(agents=[1], columns={"x": [-1.0]})
    model = ChoiceModel({"a stop that has nothing available": "log(x)"})
    with pytest.raises(DataError, match="utility must be a number below infinity"):
        simulate_choices(model, crowd, seed=1)


def test_studies_and_tallies_show_themselves_in_short() -> None:
    outcome = simulate(people(40), replications=3, segments=["home"])
    assert repr(outcome.tally) == "ChoiceTally(40 rows that choose, 4 groups, 3 alternatives, 3 replications)"
    assert repr(outcome.study) == (
        f"ChoiceStudy({outcome.study.population!r}, 3 alternatives, 3 replications, coherent draws, seed 1)"
    )
    assert len(repr(outcome.study.sampler)) < 200
