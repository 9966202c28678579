"""The verdict of a comparison, for every situation, and the paragraph below it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from choicekit.choice.heterogeneity import Normal
from choicekit.choice.model import ChoiceModel
from choicekit.choice.policies import CoefficientCovariance, Policy
from choicekit.report.kinds import build_report, headline
from choicekit.report.kinds.choice.comparison.findings import change_finding, worth_finding
from choicekit.report.kinds.choice.comparison.verdict import comparison_lead, comparison_verdict
from choicekit.report.kinds.choice.comparison.view import ComparisonView, comparison_of
from choicekit.report.kinds.choice.comparison.words import winners
from choicekit.report.kinds.choice.comparison.worth import worth_section
from choicekit.report.kinds.choice.view import view_of
from choicekit.report.numbers import significant
from choicekit.rules import Softmax
from choicekit.scenario.result import StudyResult
from tests.report.comparisons import constant_comparison, mode_comparison, result_on
from tests.report.studies import by_thirds


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ").replace("−", "-")


def seen(result: StudyResult) -> ComparisonView:
    found = comparison_of(view_of(result))
    assert found is not None
    return found


def verdict(policies: dict[str, Any], **arguments: Any) -> str:
    return plain(comparison_verdict(seen(mode_comparison(policies, **arguments))))


def test_the_largest_effect_is_the_title_with_the_interval_of_the_coefficients() -> None:
    result = mode_comparison(
        {
            "dearer-bus": {"change": {"bus": {"cost": "1.01 * cost"}}},
            "cheaper-train": {"change": {"train": {"cost": "0.8 * cost"}}},
        }
    )
    outcome = result.comparison.policies["cheaper-train"]
    before, after = 100 * result.comparison.baseline_shares[0, 1], 100 * outcome.shares[0, 1]
    lower, upper = (100 * ends[0, 1] for ends in outcome.interval_over_parameters())
    expected = (
        f"Cheaper train raises the share of train from {before:.1f} to {after:.1f} % of trips "
        f"(+{after - before:.1f} points; 95 % interval {lower:.1f} to {upper:.1f} from the coefficients)"
    )
    assert plain(build_report(result).title) == expected
    assert plain(headline(result)) == expected


@pytest.mark.parametrize(
    ("arguments", "source"),
    [
        ({}, "from the coefficients)"),
        ({"covariance": None}, "from resampled travellers)"),
    ],
)
def test_the_source_of_the_interval_is_named(arguments: dict[str, Any], source: str) -> None:
    found = verdict({"cheaper": {"change": {"train": {"cost": "0.8 * cost"}}}}, **arguments)
    assert found.endswith(source)


def test_the_interval_of_the_simulation_stands_beside_the_simulated_change() -> None:
    policies = {"cheaper": {"change": {"train": {"cost": "0.8 * cost"}}}}
    result = mode_comparison(policies, covariance=None, bootstrap=0, replications=4)
    outcome = result.comparison.policies["cheaper"]
    estimate = outcome.estimate()
    exact, simulated, lower, upper = (
        100 * float(change[0, 1]) for change in (outcome.share_change, estimate.change, estimate.lower, estimate.upper)
    )
    assert f"{exact:.1f}" != f"{simulated:.1f}"
    expected = f"({exact:+.1f} points; {simulated:+.1f} as simulated, 95 % interval {lower:.1f} to {upper:.1f})"
    assert plain(comparison_verdict(seen(result))).endswith(expected)


def test_welfare_says_which_error_it_has() -> None:
    policies = {"up": {"change": {"b": {"x": "x + 1"}}}}
    alone = seen(constant_comparison({"a": "0", "b": "b * x"}, policies, coefficients={"b": 1.0}))
    text = worth_section(alone).blocks[0].text  # type: ignore[union-attr]
    assert text.count("it has no simulation error.") == 1
    model = ChoiceModel({"a": "0", "b": "b * x"}, {}, random_coefficients={"b": Normal(1.0, 0.5)})
    mixed = seen(constant_comparison({}, policies, model=model))
    text = worth_section(mixed).blocks[0].text  # type: ignore[union-attr]
    assert "no simulation error" not in text
    error = significant(float(mixed.policies[0].worth.integration_error[0]), 2)
    assert f"have an integration error (that of the means has a standard error of at most {error})." in text


def test_an_interval_with_zero_in_it_makes_a_may() -> None:
    unsure = CoefficientCovariance.from_standard_errors({"b_cost": 0.05})
    found = verdict({"cheaper": {"change": {"train": {"cost": "0.8 * cost"}}}}, covariance=unsure, money=None)
    assert found.startswith("Cheaper may raise the share of train from")


def test_simulation_alone_never_makes_a_may() -> None:
    # The change is exact; that it was simulated too few times to be seen takes nothing from it.
    result = constant_comparison(
        {"a": "0", "b": "x"}, {"touch": {"change": {"b": {"x": "x + 0.01"}}}}, bootstrap=0, replications=3, n=9
    )
    estimate = result.comparison.policies["touch"].estimate()
    assert estimate.lower[0, 1] <= 0 <= estimate.upper[0, 1]
    assert plain(comparison_verdict(seen(result))).startswith("Touch raises the share of b from")


def test_a_fall_is_told_as_one() -> None:
    found = verdict({"dearer-car": {"change": {"car": {"cost": "cost + 40"}}}})
    assert found.startswith("Dearer car lowers the share of car from")


def test_removal_says_where_they_go() -> None:
    result = constant_comparison({"a": "3", "b": "x", "c": "0"}, {"no-b": {"remove": ["b"]}})
    found = plain(comparison_verdict(seen(result)))
    assert found.startswith("Without b, most of its choices go to a, whose share rises from ")
    apart = constant_comparison({"a": "0", "b": "x", "c": "0", "d": "0"}, {"no-b": {"remove": ["b"]}})
    assert plain(comparison_verdict(seen(apart))).startswith("Without b, the share of a rises from ")
    uneven = constant_comparison({"a": "0.1", "b": "x", "c": "0", "d": "0"}, {"no-b": {"remove": ["b"]}})
    assert "Without b, more of its choices go to a than to any other, whose" in plain(comparison_verdict(seen(uneven)))
    two = constant_comparison({"a": "3", "b": "x", "c": "0", "d": "0"}, {"rest": {"remove": ["b", "c"]}})
    assert plain(comparison_verdict(seen(two))).startswith("Without b and c, most of their choices go to a")
    last = constant_comparison({"a": "3", "b": "x"}, {"no-b": {"remove": ["b"]}})
    assert plain(comparison_verdict(seen(last))).startswith("Without b, all of its choices go to a")


def test_a_removal_with_other_changes_is_told_as_a_change() -> None:
    result = constant_comparison(
        {"a": "3", "b": "x", "c": "0"}, {"mixed": {"remove": ["b"], "change": {"c": {"x": "1"}}, "description": "both"}}
    )
    assert plain(comparison_verdict(seen(result))).startswith("Mixed raises the share of a from")


def test_what_is_new_draws_from_others() -> None:
    policies = {"night-train": {"add": {"night_train": {"columns_like": "train"}}}}
    found = verdict(policies)
    assert found.startswith("Night train would draw ")
    assert found.endswith(" from the coefficients), most of them from train")
    assert " % of trips (95 % interval " in found
    even = constant_comparison({"a": "0", "b": "0", "c": "0"}, {"d": {"add": {"d": {"utility": "0"}}}})
    assert plain(comparison_verdict(seen(even))).startswith("D would draw 25.0 % of choices (")
    assert verdict({"rails": policies["night-train"]}).startswith("Under rails, night train would draw")


def test_the_interval_follows_the_number_it_belongs_to() -> None:
    policies = {"d": {"add": {"d": {"utility": "0"}}}}
    result = constant_comparison({"a": "0.1", "b": "0", "c": "0"}, policies, n=9, bootstrap=0)
    estimate = result.comparison.policies["d"].estimate()
    ends = f"{100 * estimate.lower[0, 3]:.1f} to {100 * estimate.upper[0, 3]:.1f}"
    share = f"{100 * result.comparison.policies['d'].shares[0, 3]:.1f}"
    simulated = f"{100 * estimate.change[0, 3]:.1f}"
    assert simulated != share
    assert plain(comparison_verdict(seen(result))) == (
        f"D would draw {share} % of choices ({simulated} % as simulated, 95 % interval {ends}), more of them from a "
        "than from any other"
    )


def test_nothing_is_told_as_nothing() -> None:
    compared = seen(result_on("nothing"))
    assert comparison_verdict(compared) == "None of the 2 policies changes any share of trips"
    assert comparison_lead(compared).endswith("Nobody’s probabilities change, and nobody is better or worse off.")
    alone = seen(mode_comparison({"as-ever": {}}, replications=4))
    assert comparison_verdict(alone) == "As ever changes nothing: every share of trips stays as it is"


def test_a_filter_is_no_effect_where_there_is_another() -> None:
    policies = {"rich-only": {"filter": "income > 60"}, "touch": {"change": {"train": {"cost": "0.999 * cost"}}}}
    assert verdict(policies).startswith("Touch ")
    alone = verdict({"rich-only": policies["rich-only"]})
    assert alone.startswith("Among those that rich only counts (")
    assert "where it has" in alone


def test_small_effects_get_the_decimals_they_need() -> None:
    found = verdict({"touch": {"change": {"train": {"cost": "0.999 * cost"}}}})
    assert "(+0.0 points" not in found
    tiny = seen(mode_comparison({"tiny": {"change": {"train": {"cost": "0.99999 * cost"}}}}, replications=3))
    assert "Under tiny nobody is seen to switch in 3 replications." in comparison_lead(tiny)


def test_the_lead_answers_who_switches_who_gains_and_how_sure() -> None:
    result = mode_comparison({"cheaper-train": {"change": {"train": {"cost": "0.8 * cost"}}}})
    outcome, lead = result.comparison.policies["cheaper-train"], plain(build_report(result).lead)
    worth = outcome.money_welfare
    assert f"Under cheaper train {100 * outcome.switched_share[0]:.1f} % of trips switch, all to train" in lead
    assert f"It is worth {worth.mean[0]:.2f} $ a trip on average (median {worth.median[0]:.2f}" in lead
    assert "all travellers are better off" in lead
    lower, upper = outcome.interval_over_agents()
    assert f"{100 * lower[0, 1]:.1f} to {100 * upper[0, 1]:.1f} from resampled travellers" in lead
    means = worth.mean[1:]
    assert f"By income, the mean runs from {means.min():+.2f} $" in lead
    assert f"to {means.max():+.2f} $" in lead


def test_what_costs_is_told_in_positive_numbers() -> None:
    result = mode_comparison({"no-bus": {"remove": ["bus"]}})
    worth = result.comparison.policies["no-bus"].money_welfare
    lead = plain(build_report(result).lead)
    assert f"It costs {-worth.mean[0]:.2f} $ a trip on average (median {-worth.median[0]:.2f}" in lead


def test_winners_and_losers() -> None:
    compared = seen(result_on("usual"))
    everyone = {
        (1.0, 0.0): "all travellers are better off",
        (0.0, 1.0): "all travellers are worse off",
        (0.0, 0.0): "nobody is better or worse off",
        (0.4, 0.0): "40 % of travellers are better off and nobody is worse off",
        (0.0, 0.4): "40 % of travellers are worse off and nobody is better off",
        (0.7, 0.3): "70 % of travellers are better off, 30 % worse off",
    }
    for (gain, lose), text in everyone.items():
        assert plain(winners(compared, gain, lose)) == text


def test_captions_name_those_that_read_the_same() -> None:
    even = constant_comparison(
        {"a": "0", "b": "0", "c": "1"},
        {"more-c": {"attributes": {"x": "x"}, "change": {"c": {"x": "x"}}, "coefficients": {"k": 2.0}}},
        coefficients={"k": 1.0},
    )
    assert comparison_verdict(seen(even)).startswith("More c changes nothing")
    result = constant_comparison(
        {"a": "0", "b": "0", "c": "k"}, {"more-c": {"coefficients": {"k": 2.0}}}, coefficients={"k": 1.0}
    )
    compared = seen(result)
    found = plain(change_finding(compared, compared.policies[0]))
    change = 100 * result.comparison.policies["more-c"].share_change[0]
    assert found == f"More c: c alone gains, {change[2]:+.1f} points; a and b lose, {change[0]:+.1f} points each"


def test_worth_finding_tells_the_best_and_the_worst() -> None:
    compared = seen(result_on("usual"))
    means = {policy.title: policy.worth.mean[0] for policy in compared.policies}
    best, worst = max(means, key=lambda name: means[name]), min(means, key=lambda name: means[name])
    assert plain(worth_finding(compared)) == (
        f"On average {best} is worth most, {means[best]:+.2f} $, and {worst} costs most, {means[worst]:+.2f} $"
    )


def noisier(policies: dict[str, Any]) -> StudyResult:
    given = {"noisier": Policy(rule=Softmax(temperature=4.0)), **policies}
    return constant_comparison({"a": "0.5", "b": "x"}, given, segments=[by_thirds("home", ["city", "country"])])


def test_welfare_on_another_scale_is_not_compared() -> None:
    change = {"change": {"b": {"x": "x + 0.01"}}}
    result = noisier({"touch": change, "more": {"change": {"b": {"x": "x + 0.02"}}}})
    compared = seen(result)
    means = {name: outcome.welfare.mean[0] for name, outcome in result.comparison.policies.items()}
    assert means["noisier"] > means["more"] > means["touch"]
    assert [policy.rescaled for policy in compared.policies] == [True, False, False]
    assert plain(worth_finding(compared)).startswith("On average more is worth most, ")
    lead = comparison_lead(seen(noisier({})))
    assert "Its welfare is not compared: under another rule or temperature it is on another scale." in lead
    assert "It is worth" not in lead
    assert "the mean runs from" not in lead
    assert means["noisier"] > 1  # which would leave too few decimals for the others
    assert compared.worth_decimals == 5
    even = constant_comparison({"a": "0", "b": "x"}, {"noisier": Policy(rule=Softmax(temperature=4.0))})
    assert comparison_lead(seen(even)).endswith(" No share changes.")


def test_small_groups_make_no_finding() -> None:
    labels = by_thirds("home", ["city", "country"])
    codes = labels.codes.copy()
    codes[59] = 2
    lonely = type(labels)(name="home", labels=("city", "country", "island"), codes=codes)
    result = constant_comparison({"a": "0", "b": "x"}, {"up": {"change": {"b": {"x": "x + 1"}}}}, segments=[lonely])
    assert np.isfinite(result.comparison.policies["up"].welfare.mean).all()
    assert "island" not in build_report(result).lead


def test_too_few_agents_to_resample_leave_the_interval_to_the_simulation() -> None:
    found = constant_comparison({"a": "0", "b": "x"}, {"dearer": {"change": {"b": {"x": "x - 1"}}}}, n=4, bootstrap=200)
    text = plain(comparison_verdict(seen(found)))
    few = found.comparison is not None and int(found.comparison.policies["dearer"].rows[0]) < 10
    assert few
    assert " as simulated, 95 % interval " in text
    assert "–" not in text
