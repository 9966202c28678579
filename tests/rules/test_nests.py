"""Nests: what they are, what is wrong with them, their noise, and the loops that go through them."""

from __future__ import annotations

import copy
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest

from choicekit.errors import InvalidInputError
from choicekit.random import Draws, HeldDraws, Stage, alternative_words, gumbel_from_uniform, row_words
from choicekit.rules import CrossNestedLogit, Nest, NestedLogit, Softmax
from choicekit.rules.nests import nest_faults
from choicekit.rules.nests.kernels import fill_changes, fill_probabilities, fill_values
from choicekit.rules.nests.noise import noises, stable_logarithm
from choicekit.rules.nests.tree import NestTree, cross_nested_tree, nested_tree
from tests.problems import HARD_UTILITIES
from tests.tolerances import assert_monte_carlo

INF = math.inf
RAIL = Nest(["train", "tram"], dissimilarity=0.5)
MODES = ["car", "train", "tram", "bus"]


# ---------------------------------------------------------------- nests


def test_a_nest_keeps_what_it_was_given_and_says_so():
    nest = Nest(np.array([3, 1]), np.float64(0.5), {"inner": {"members": ["bus"], "dissimilarity": 0.25}})
    assert repr(nest) == "Nest([3, 1], dissimilarity=0.5, nests={'inner': Nest(['bus'], dissimilarity=0.25)})"
    assert nest == Nest([3, 1], 0.5, {"inner": Nest(["bus"], 0.25)})
    assert hash(nest) == hash(Nest([3, 1], 0.5, {"inner": Nest(["bus"], 0.25)}))
    assert nest != Nest([3, 1], 0.5)
    assert repr(Nest({"bus": 0.5})) == "Nest({'bus': 0.5}, dissimilarity=1.0)"


def test_a_nest_shows_also_what_cannot_be_one():
    assert repr(Nest(3)) == "Nest(3, dissimilarity=1.0)"
    assert repr(Nest("bus", 2)) == "Nest('bus', dissimilarity=2)"
    inside = "[Nest([1], dissimilarity=1.0)]"
    assert repr(Nest([0], 0.5, [Nest([1])])) == f"Nest([0], dissimilarity=0.5, nests={inside})"


def test_equal_numbers_make_equal_nests_whatever_their_type():
    assert Nest([0, 1], 1) == Nest([0, 1], 1.0) == Nest([0, 1], Fraction(1))
    assert hash(Nest([0, 1], 1)) == hash(Nest([0, 1], 1.0))
    assert Nest({0: 1, 1: Fraction(1, 2)}) == Nest({0: 1.0, 1: 0.5})
    halves = {"a": Nest({0: Fraction(1, 2), 1: 1}, 0.5), "b": Nest({0: Fraction(1, 2)}, 0.5)}
    floats = {"a": Nest({0: 0.5, 1: 1.0}, 0.5), "b": Nest({0: 0.5}, 0.5)}
    np.testing.assert_array_equal(
        CrossNestedLogit(halves).probabilities([0.0, 0.0]), CrossNestedLogit(floats).probabilities([0.0, 0.0])
    )


COPIED = [
    NestedLogit({"rail": RAIL}, temperature=np.array([0.5, 1.0])),
    NestedLogit({"public": Nest(["bus"], 0.5, {"rail": RAIL})}).for_alternatives(MODES),
    CrossNestedLogit({"rail": Nest({"train": 0.5, "tram": 1.0}, 0.5), "far": Nest({"train": 0.5, "car": 1.0}, 0.5)}),
]


def stored(rule: NestedLogit | CrossNestedLogit) -> NestedLogit | CrossNestedLogit:
    return pickle.loads(pickle.dumps(rule))  # noqa: S301  # what was written a moment ago


@pytest.mark.parametrize("rule", COPIED)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, stored])
def test_copied_and_stored_rules_are_the_same_rules(rule, copied):
    utility = np.array([[0.1, 0.5, -0.3, 0.0], [1.0, 0.0, 2.0, 0.5]])
    whole = rule.probabilities(utility, alternatives=MODES)  # what is kept for later calls does not travel
    again = copied(rule)
    assert again == rule
    assert hash(again) == hash(rule)
    np.testing.assert_array_equal(again.probabilities(utility, alternatives=MODES), whole)
    turned = [each.probabilities(utility, alternatives=MODES[::-1]) for each in (again, rule)]
    np.testing.assert_array_equal(*turned)


def test_a_nest_does_not_follow_later_changes_of_what_it_was_given():
    members, inner = [0, 1], {"inner": Nest([2])}
    rule = NestedLogit({"a": Nest(members, 0.5, inner)})
    members.append(7)
    inner["other"] = Nest([8])
    assert rule == NestedLogit({"a": Nest([0, 1], 0.5, {"inner": Nest([2])})})


@pytest.mark.parametrize("rule", [NestedLogit, CrossNestedLogit])
def test_plain_mappings_are_nests_too(rule):
    plain = {"rail": {"members": ["train", "tram"], "dissimilarity": 0.5}, "car": {"members": ["car"]}}
    assert rule(plain) == rule({"rail": RAIL, "car": Nest(["car"])})


def test_rules_with_equal_nests_are_equal_and_with_others_not():
    assert NestedLogit({"rail": RAIL}) == NestedLogit({"rail": Nest(("train", "tram"), 0.5)})
    assert hash(NestedLogit({"rail": RAIL})) == hash(NestedLogit({"rail": RAIL}))
    assert NestedLogit({"rail": RAIL}) != NestedLogit({"rail": Nest(["train", "tram"], 0.25)})
    assert NestedLogit({"rail": RAIL}) != NestedLogit({"rail": RAIL}, temperature=2.0)
    assert NestedLogit({"rail": RAIL}) != CrossNestedLogit({"rail": RAIL})


def test_a_rule_with_positions_that_were_found_is_not_the_one_with_numbers_that_may_be_names():
    rule = NestedLogit({"a": Nest([0, 1], 0.5)})
    found = rule.for_alternatives(["p", "q", "r"])
    by_name, by_place = (each.probabilities([0.0, 1.0, 2.0], alternatives=[2, 1, 0]) for each in (rule, found))
    assert not np.allclose(by_name, by_place)
    assert rule != found
    assert found == rule.for_alternatives(["p", "q", "r"])
    assert hash(found) == hash(rule.for_alternatives(["p", "q", "r"]))


@pytest.mark.parametrize("rule", [NestedLogit({"rail": RAIL}), Softmax()])
def test_names_of_alternatives_must_be_distinct(rule):
    with pytest.raises(InvalidInputError, match=r"alternatives must be distinct, found 'tram', 'tram'$"):
        rule.probabilities([0.0, 1.0, 2.0], alternatives=["train", "tram", "tram"])


@pytest.mark.parametrize("inner", [1e-150, 1e-170, 5e-174])
def test_dissimilarities_that_multiply_to_next_to_nothing_work(inner):
    rule = NestedLogit({"a": Nest([2], 1e-150, {"b": Nest([0, 1], inner)})})
    utility = np.array(
        [[0.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0], [1e300, 0.0, -1e300, -INF], [5e-324, 0.0, 0.0, 0.0]]
    )
    p = rule.probabilities(utility)
    np.testing.assert_allclose(p.sum(axis=-1), 1.0, rtol=1e-15)
    np.testing.assert_allclose(p[0], [0.0, math.e, 0.0, 1.0] / (1 + np.array(math.e)), atol=1e-15)
    assert np.all(np.isfinite(rule.value(utility)))
    assert np.all(np.isfinite(rule.conjugate(p)))
    change = rule.jacobian_product(utility[0], [3.0, 2.0, 1.0, -1.0])
    np.testing.assert_allclose(change, np.array([0.0, 3.0, 0.0, -3.0]) * p[0, 1] * p[0, 3], atol=1e-15)


# ---------------------------------------------------------------- names and positions


def test_members_are_names_where_they_are_and_positions_otherwise():
    utility = [0.5, 0.0, 0.25, -0.5]
    by_position = NestedLogit({"rail": Nest([1, 2], 0.5)}).probabilities(utility)
    for nests, names in (
        ({"rail": RAIL}, MODES),
        ({"rail": Nest([1, 2], 0.5)}, MODES),  # no names: positions
        ({"rail": Nest([20, 30], 0.5)}, [10, 20, 30, 40]),
        ({"rail": Nest([0, 1], 0.5)}, [3, 0, 1, 2]),  # names, though they could be positions
    ):
        rule = NestedLogit(nests)
        np.testing.assert_array_equal(rule.probabilities(utility, alternatives=names), by_position)
        once = rule.for_alternatives(names)
        assert once.for_alternatives(names) is once
        np.testing.assert_array_equal(once.probabilities(utility), by_position)
        np.testing.assert_array_equal(once.probabilities(utility, alternatives=names), by_position)


def test_names_need_alternatives_and_positions_need_columns():
    with pytest.raises(InvalidInputError, match=r"by name, such as 'train': pass alternatives=, the names of the 4"):
        NestedLogit({"rail": RAIL}).probabilities(np.zeros(4))
    with pytest.raises(InvalidInputError, match=r"nest 'a > b': positions of members must be from 0 to 2, found 3"):
        NestedLogit({"a": Nest([0], 0.5, {"b": Nest([3])})}).value(np.zeros(3))
    with pytest.raises(InvalidInputError, match=r"nest 'rail': unknown member 'trm', did you mean 'tram'\?"):
        NestedLogit({"rail": Nest(["train", "trm"])}).value(np.zeros(4), alternatives=MODES)


def test_among_drops_members_and_what_becomes_empty():
    rule = NestedLogit({"public": Nest(["bus"], 0.8, {"rail": RAIL}), "road": Nest(["car"])})
    assert rule.among(["car", "bus"]) == NestedLogit({"public": Nest(["bus"], 0.8), "road": Nest(["car"])})
    assert rule.among(["tram"]) == NestedLogit({"public": Nest([], 0.8, {"rail": Nest(["tram"], 0.5)})})
    assert rule.among(["ferry"]) == NestedLogit({})
    assert rule.among([*MODES, "ferry"]) == rule
    crossed = CrossNestedLogit({"a": Nest({"x": 0.5, "y": 1.0}), "b": Nest({"x": 0.5, "z": 1.0})})
    assert crossed.among(["x", "y"]) == CrossNestedLogit({"a": Nest({"x": 0.5, "y": 1.0}), "b": Nest({"x": 0.5})})
    placed = NestedLogit({"a": Nest([0, 1])})
    assert placed.among(["x"]) == placed


def test_a_rule_without_an_alternative_is_the_rule_with_it_unavailable():
    rule = NestedLogit({"public": Nest(["bus"], 0.8, {"rail": RAIL}), "road": Nest(["car"])})
    utility, kept = np.array([0.5, 0.0, 0.25, -0.5]), [0, 1, 3]
    whole = rule.probabilities(utility, [True, True, False, True], alternatives=MODES)
    names = [MODES[place] for place in kept]
    np.testing.assert_allclose(
        rule.among(names).probabilities(utility[kept], alternatives=names), whole[kept], atol=1e-15
    )


# ---------------------------------------------------------------- faults

FAULTS = [
    (
        {"a": Nest([0, 1]), "b": Nest([1])},
        ("b", "members", 0),
        "nest 'b': nests must not overlap, found member 1 in nest",
    ),
    ({"a": Nest([0], 1, {"b": Nest([0])})}, ("a", "nests", "b", "members", 0), "nest 'a > b': nests must not overlap"),
    ({"a": Nest(["x", "x"])}, ("a", "members", 1), "nest 'a': a nest must name each member once, found 'x' again"),
    ({"a": Nest([])}, ("a",), "nest 'a': a nest must have members, found none, leave it out"),
    ({"a": Nest([0], nests={"b": Nest([])})}, ("a", "nests", "b"), "nest 'a > b': a nest must have members"),
    (
        {"a": Nest([0], 1.5)},
        ("a", "dissimilarity"),
        "dissimilarity must be above 0 and at most 1, found 1.5: above 1, ",
    ),
    (
        {"a": Nest([0], 0)},
        ("a", "dissimilarity"),
        "found 0.0: above 1, making an alternative better could make another of",
    ),
    ({"a": Nest([0], -0.5)}, ("a", "dissimilarity"), "at 0 or below itself less probable, which agents who maximise"),
    ({"a": Nest([0], math.nan)}, ("a", "dissimilarity"), "found nan"),
    ({"a": Nest([0], True)}, ("a", "dissimilarity"), "found True"),
    ({"a": Nest([0], 10**400)}, ("a", "dissimilarity"), "found 1000"),
    (
        {"a": Nest([0], 1e-200, {"b": Nest([1], 1e-200, {"c": Nest([2], 0.5)})})},
        ("a", "nests", "b", "dissimilarity"),
        "nest 'a > b': the dissimilarities from the top must multiply to more than 0, found a product below the",
    ),
    (
        {"a": {"members": [0], "dissimilarity": 1e-200, "nests": {"b": {"members": [1], "dissimilarity": 1e-200}}}},
        ("a", "nests", "b", "dissimilarity"),
        "smallest float, 1e-200 * 1e-200, raise one",
    ),
    ({"a": Nest([0], "much")}, ("a", "dissimilarity"), "found 'much'"),
    (
        {"a": {"members": [0], "disimilarity": 1}},
        ("a", "disimilarity"),
        "unknown key 'disimilarity', did you mean 'diss",
    ),
    ({"a": Nest([0], 1, {"b": {"members": [1], "size": 2}})}, ("a", "nests", "b", "size"), "nest 'a > b': unknown key"),
    ({"a": Nest("train")}, ("a", "members"), "members must be a list of alternatives, found 'train'"),
    ({"a": Nest([0.5])}, ("a", "members", 0), "a member must be the name or the position of an alternative, found 0.5"),
    ({"a": Nest([True])}, ("a", "members", 0), "found True"),
    ({"a": Nest({"x": 0.5})}, ("a", "members"), "members must be a list, found allocations, use cross-nested logit"),
    ({"a": 3}, ("a",), "nest 'a': a nest must have members, found 3"),
    ({"a": Nest([0], 1, 7)}, ("a", "nests"), "nest 'a': nests must be a mapping of names to nests, found 7"),
    ({1: Nest([0])}, (1,), "the name of a nest must be text, found 1"),
    ([Nest([0])], (), "nests must be a mapping of names to nests"),
]
CROSSED_FAULTS = [
    (
        {"a": Nest({"x": 0.5}), "b": Nest({"x": 0.4})},
        ("a", "members", "x"),
        "must sum to 1, found 0.9 for 'x' (0.5 in 'a'",
    ),
    ({"a": Nest({"x": 1.5})}, ("a", "members", "x"), "nest 'a': the allocation of 'x' must be from 0 to 1, found 1.5"),
    ({"a": Nest({"x": -0.5})}, ("a", "members", "x"), "found -0.5"),
    ({"a": Nest({"x": "half"})}, ("a", "members", "x"), "found 'half'"),
    ({"a": Nest(["x"]), "b": Nest(["x"])}, ("a", "members", 0), "must sum to 1, found 2 for 'x' (1 in 'a' + 1 in 'b')"),
    ({"a": Nest(["x", "x"])}, ("a", "members", 1), "a nest must name each member once"),
    ({"a": Nest(["x"], 1, {"b": Nest(["y"])})}, ("a", "nests"), "nests of cross-nested logit must not hold nests"),
]


@pytest.mark.parametrize(("nests", "place", "message"), FAULTS)
def test_every_fault_has_its_place_and_stops_the_rule(nests, place, message):
    found = nest_faults(nests)
    assert [fault.place for fault in found] == [place]
    assert message in str(found[0])
    with pytest.raises(InvalidInputError) as caught:
        NestedLogit(nests)
    assert str(caught.value) == str(found[0])


@pytest.mark.parametrize(("nests", "place", "message"), CROSSED_FAULTS)
def test_every_fault_of_crossed_nests_has_its_place_and_stops_the_rule(nests, place, message):
    found = nest_faults(nests, crossed=True)
    assert place in [fault.place for fault in found]
    assert any(message in str(fault) for fault in found)
    with pytest.raises(InvalidInputError):
        CrossNestedLogit(nests)


def test_all_faults_are_found_at_once_and_the_error_says_so():
    nests = {"a": Nest(["x", "trm"], 2.0), "b": Nest(["x"], 0.0), "c": Nest([])}
    found = nest_faults(nests, ["x", "tram"], complete=True)
    assert [fault.place for fault in found] == [
        ("a", "dissimilarity"), ("b", "dissimilarity"), ("c",), ("b", "members", 0), ("a", "members", 1), (),
    ]  # fmt: skip
    assert found[-1].message == "alternative 'tram' is in no nest"
    assert found[-1].hint == "give it a nest of its own: `tram: {members: [tram]}`"
    with pytest.raises(InvalidInputError, match=r"nest 'a': .*; nest 'b': .*; nest 'c'"):
        NestedLogit(nests)
    many = {f"n{place}": Nest([]) for place in range(8)}
    with pytest.raises(InvalidInputError, match=r"; 3 more faults$"):
        NestedLogit(many)


def test_without_faults_there_are_none():
    assert nest_faults({"rail": RAIL, "rest": Nest(["car", "bus"])}, MODES, complete=True) == []
    assert nest_faults({"rail": Nest([1, 2]), "rest": Nest([0, 3])}, MODES, complete=True) == []
    thirds = {name: Nest({"x": 1 / 3}) for name in "abc"}
    assert nest_faults(thirds, ["x"], crossed=True, complete=True) == []
    assert [fault.message for fault in nest_faults({"rail": Nest([1, 2])}, MODES, complete=True)] == [
        "alternative 'car' is in no nest",
        "alternative 'bus' is in no nest",
    ]


# ---------------------------------------------------------------- noise


@pytest.mark.parametrize("index", [0.05, 0.3, 0.5, 0.9, 0.999])
def test_stable_numbers_have_their_laplace_transform(index):
    generator = np.random.default_rng(5)
    numbers = np.exp(stable_logarithm(index, *uniform_and_gumbel(generator, 200_000)) / index)
    for s in (0.01, 0.3, 1.0, 5.0):
        seen = np.exp(-s * numbers)
        assert_monte_carlo(seen.mean(), np.exp(-(s**index)), seen.std() / np.sqrt(seen.size))


def uniform_and_gumbel(generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return generator.random(n), gumbel_from_uniform(generator.random(n))


@pytest.mark.parametrize("index", [0.1, 0.5, 0.8])
def test_a_stable_number_and_a_gumbel_number_make_a_gumbel_number(index):
    generator = np.random.default_rng(6)
    uniform, gumbel = uniform_and_gumbel(generator, 200_000)
    total = stable_logarithm(index, uniform, gumbel) + index * gumbel_from_uniform(generator.random(200_000))
    for t in (-0.5, 0.3):  # the moments of a standard Gumbel number: E exp(t g) = Gamma(1 - t)
        seen = np.exp(t * total)
        assert_monte_carlo(seen.mean(), math.gamma(1 - t), seen.std() / np.sqrt(seen.size))


def test_stable_numbers_are_finite_at_the_ends_of_everything():
    ends = np.array([2.0**-53, 0.5, 1 - 2.0**-53])
    for index in (5e-324, 1e-300, 1e-12, 0.5, 1 - 2.0**-53):
        for gumbel in (-3.6, 36.7):
            assert np.all(np.isfinite(stable_logarithm(index, ends, np.full(3, gumbel))))
    # log S -> log(a) + (1 / a - 1) log(1 - a) as U -> 0, where S is smallest
    near = stable_logarithm(0.5, np.array([1e-12]), np.zeros(1))[0]
    assert near == pytest.approx(0.5 * math.log(0.5) + 0.5 * math.log(0.5), abs=1e-9)


def draws_of(names: list[str], n: int = 50, kind: type[Draws] = Draws) -> Draws:
    rows, alternatives = row_words(np.arange(n)), alternative_words(names)
    return kind(seed=3, stage=Stage.CHOICE, rows=rows, alternatives=alternatives)


def noise_of(tree: NestTree, names: list[str], kind: type[Draws] = Draws) -> np.ndarray:
    return np.array([noise for _, noise in noises(tree, draws_of(names, kind=kind), range(3))])


def test_noise_of_an_alternative_does_not_depend_on_other_alternatives_nests_or_order():
    whole = noise_of(
        nested_tree({"a": Nest([0, 1], 0.5), "b": Nest([2], 0.25, {"c": Nest([3, 4], 0.5)})}, 6), [*"uvwxyz"]
    )
    less = noise_of(nested_tree({"a": Nest([0], 0.5), "b": Nest([], 0.25, {"c": Nest([1], 0.5)})}, 2), [*"vy"])
    np.testing.assert_array_equal(less, whole[..., [1, 4]])
    turned = noise_of(nested_tree({"b": Nest([3], 0.25), "new": Nest([0], 0.7), "a": Nest([2, 1], 0.5)}, 4), [*"ovuw"])
    np.testing.assert_array_equal(turned[..., 1:], whole[..., [1, 0, 2]])
    renamed = noise_of(
        nested_tree({"a": Nest([0, 1], 0.5), "B": Nest([2], 0.25, {"c": Nest([3, 4], 0.5)})}, 6), [*"uvwxyz"]
    )
    np.testing.assert_array_equal(renamed[..., [0, 1, 5]], whole[..., [0, 1, 5]])
    assert np.all(renamed[..., 2:5] != whole[..., 2:5])


def test_noise_of_crossed_nests_does_not_depend_on_other_alternatives_or_nests():
    nests = {
        "a": Nest({0: 0.5, 1: 1.0}, 0.5),
        "b": Nest({0: 0.5, 2: 1.0}, 0.25),
        "c": Nest({3: 0.5}),
        "d": Nest({3: 0.5}),
    }
    tree = cross_nested_tree(nests, 5)
    whole = noise_of(tree, [*"vwxyz"])
    other = cross_nested_tree({"new": Nest({1: 1.0}, 0.7), "b": Nest({0: 0.4}, 0.25), "a": Nest({0: 0.6}, 0.5)}, 2)
    # leaves are in the order of the nests
    np.testing.assert_array_equal(noise_of(other, ["v", "o"])[..., [2, 1]], whole[..., [0, 2]])
    assert np.unique(whole).size == whole.size


def test_no_two_numbers_of_nests_have_one_address():
    addresses: list[int] = []

    class Watched(Draws):
        def at(self, stage: Stage, alternatives: np.ndarray) -> Draws:
            assert stage is Stage.NEST
            addresses.extend(alternatives.tolist())
            return super().at(stage, alternatives)

    inner = {"x": Nest([], 0.5, {"y": Nest([2], 0.5)})}
    nests = {"x": Nest([0], 0.5, inner), "y": Nest([1], 0.5, {"x": Nest([3], 0.5)}), "x,1:y": Nest([4], 0.5)}
    noise_of(nested_tree(nests, 5), [*"vwxyz"], kind=Watched)
    assert len(addresses) == 12  # two for each nest
    shared = {name: Nest({0: 0.5, 1: 0.5}, scale) for name, scale in (("x", 0.5), ("z", 1.0))}
    noise_of(cross_nested_tree(shared, 2), ["v", "w"], kind=Watched)
    assert len(addresses) == 12 + 2 + 4
    assert len(set(addresses)) == 12 + 4  # those of the outer nest x are its own in both


def test_an_alternative_that_shares_no_nest_has_the_noise_of_softmax():
    gumbels = np.array([draws_of([*"vwxyz"]).gumbels(replication) for replication in range(3)])
    nests = {"a": Nest([0, 1]), "b": Nest([2], 1.0, {"c": Nest([3, 4], 1.0)})}
    np.testing.assert_array_equal(noise_of(nested_tree(nests, 5), [*"vwxyz"]), gumbels)
    alone = {name: Nest({place: 1.0}) for place, name in enumerate("abc")}
    np.testing.assert_array_equal(noise_of(cross_nested_tree(alone, 5), [*"vwxyz"])[..., :5], gumbels)


@pytest.mark.parametrize(
    "tree", [nested_tree({"a": Nest([0, 1], 0.5)}, 3), cross_nested_tree({"a": Nest([0, 1], 0.5)}, 3)]
)
def test_held_draws_make_the_same_noise_as_often_as_asked(tree):
    held, fresh = draws_of([*"abc"], kind=HeldDraws), noise_of(tree, [*"abc"])
    for _ in range(2):
        np.testing.assert_array_equal([noise for _, noise in noises(tree, held, range(3))], fresh)


# ---------------------------------------------------------------- loops

TREES = {
    "nested": nested_tree({"a": Nest([0, 1], 0.5), "b": Nest([2], 0.25, {"c": Nest([3, 4], 0.5)})}, 6),
    "lone nests": nested_tree({"a": Nest([0], 0.5), "b": Nest([1, 2, 3, 4, 5], 1e-3)}, 6),
    "no nests": nested_tree({}, 6),
    "crossed": cross_nested_tree(
        {"a": Nest({0: 0.5, 1: 1}, 0.5), "b": Nest({0: 0.5, 2: 1}), "c": Nest({3: 1}, 0.1)}, 6
    ),
}
every_tree = pytest.mark.parametrize("tree", TREES.values(), ids=TREES.keys())


def hard_rows() -> np.ndarray:
    generator = np.random.default_rng(8)
    rows = [np.resize(case, 6) for case in HARD_UTILITIES]
    table = np.concatenate([rows, generator.normal(size=(1_500, 6)) * generator.choice([1e-3, 1, 50], 1_500)[:, None]])
    table[generator.random(table.shape) < 0.2] = -INF
    table[~np.any(table > -INF, axis=1)] = 0.0
    return table


@every_tree
@pytest.mark.parametrize("temperature", [1.0, 0.5, 1e-12, 1e300, 0.0, None])
def test_compiled_loops_do_what_their_twins_do(tree, temperature):
    table = hard_rows()
    generator = np.random.default_rng(9)
    t = generator.choice([1.0, 0.0, 1e-12, 7.0], len(table)) if temperature is None else np.array([temperature])
    step = generator.uniform(-1, 1, table.shape) * (table > -INF)
    size = np.maximum(np.abs(np.where(table > -INF, table, 0)).max(axis=1), np.maximum(t, 1e-300))
    steepest = 1 / min(branch.scale for branch in tree.branches)
    for kernel, inputs, shape, unit in (
        (fill_values, (), (len(table),), size),
        (fill_probabilities, (), table.shape, 1.0),
        (fill_changes, (step,), table.shape, steepest),
    ):
        found, wanted = np.empty(shape), np.empty(shape)
        kernel(table, t, *inputs, *tree.arrays, found)
        kernel.twin(table, t, *inputs, *tree.arrays, wanted)
        np.testing.assert_allclose(found / unit, wanted / unit, rtol=0, atol=1e-13)


@every_tree
def test_a_row_has_the_same_answers_alone_as_among_others(tree):
    table = hard_rows()[:300]
    t, step = np.array([0.7]), np.random.default_rng(9).uniform(-1, 1, (300, 6)) * (table > -INF)
    for kernel, inputs, shape in (
        (fill_values, (), (300,)),
        (fill_probabilities, (), table.shape),
        (fill_changes, (step,), table.shape),
    ):
        for run in (kernel, kernel.twin):
            together = np.empty(shape)
            run(table, t, *inputs, *tree.arrays, together)
            for row in (slice(0, 1), slice(7, 8), slice(100, 103), slice(299, 300)):
                alone = np.empty((row.stop - row.start, *shape[1:]))
                run(table[row], t, *(each[row] for each in inputs), *tree.arrays, alone)
                np.testing.assert_array_equal(alone, together[row])
