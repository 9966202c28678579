"""Agents who differ: what the model section, the tables and the summary say of random coefficients and classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.heterogeneity.classes import LatentClass
from choicekit.choice.heterogeneity.distributions import CoefficientDistribution
from choicekit.choice.model import ChoiceModel
from choicekit.report.content import Block, Cell, Column, Figure, Heading, Prose, Table
from choicekit.report.figures.densities import Density, draw_densities
from choicekit.report.kinds.choice.rules import plain_settings, rule_name, rule_words
from choicekit.report.kinds.choice.view import ChoiceView
from choicekit.report.numbers import MINUS, NOTHING, count, error_in_points, percent, real_minus, significant
from choicekit.report.text import clean, in_sentence

__all__ = ["TYPE_KEYS", "integration_text", "type_blocks", "type_summary", "type_tables"]

FloatArray = npt.NDArray[np.float64]

_MOST_DRAWN = 8
_MOST_ROWS = 100
_ENDS = (0.05, 0.95)

TYPE_KEYS = {
    "random_coefficients.<coefficient>.distribution": "how it differs among agents",
    "random_coefficients.<coefficient>.mean": "its mean",
    "random_coefficients.<coefficient>.standard_deviation": "its standard deviation",
    "random_coefficients.<coefficient>.lower": "what 5 % of agents are below",
    "random_coefficients.<coefficient>.upper": "what 5 % of agents are above",
    "random_coefficients.<coefficient>.above_zero": "part of the agents for whom it is above 0",
    "classes.<class>.share": "part of the rows that are expected to be of the class",
    "classes.<class>.rule": "how it chooses",
    "classes.<class>.coefficients.<coefficient>": "what is another number, or on average one, in this class",
    "integration.points": "quasi-random points of each shift, where coefficients are random",
    "integration.shifts": "independent shifts, which tell the error",
    "inclusive_value.integration_error": "standard error of the mean, where coefficients are random",
    "shares.<alternative>.integration_error": "standard error of the expected share, where coefficients are random",
    "policies.<policy>.shares.<alternative>.integration_error": "standard error of share_change, likewise",
}
"""Keys of ``summary.json`` that agents who differ add, and what they mean."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Spread:
    """A random coefficient in numbers."""

    mean: float
    deviation: float
    lower: float
    upper: float
    above: float

    @classmethod
    def of(cls, distribution: CoefficientDistribution) -> _Spread:
        lower, upper = distribution.values(np.array(_ENDS))
        # by bisection in the probability: any distribution has its quantiles, and these rise
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            if 0 < middle < 1 and distribution.values(np.array([middle]))[0] > 0:
                high = middle
            else:
                low = middle
        above = 1.0 if distribution.support[0] >= 0 else 0.0 if distribution.support[1] <= 0 else 1 - high
        return cls(
            mean=float(distribution.expectation),
            deviation=float(distribution.standard_deviation),
            lower=float(lower),
            upper=float(upper),
            above=above,
        )


def type_blocks(view: ChoiceView) -> list[Block]:
    """Return what is said of random coefficients and classes; nothing where all agents are alike."""
    model = view.outcome.study.model
    blocks: list[Block] = []
    if model.random_coefficients:
        blocks += [Heading("Random coefficients"), Prose(_random_prose(view)), _random_table(model), *_figure(model)]
        if model.random_covariance is not None:
            blocks.append(_correlations(model))
    if model.classes:
        blocks += [Heading("Classes of agents"), Prose(_class_prose(view)), _class_table(view)]
    return blocks


def integration_text(view: ChoiceView) -> str:
    """Say how large the integration error of expected shares is; empty where they are exact."""
    if not view.outcome.study.types.n_shifts:
        return ""
    setting = view.outcome.study.model.integration
    error = float(np.nanmax(view.integration[0], initial=0.0))
    return (
        f"Expected shares are means over random coefficients, taken at {count(setting.points)} quasi-random points in "
        f"each of {count(setting.shifts)} independent shifts; as the shifts differ, their standard error is at most "
        f"{error_in_points(error)} points."
    )


def _random_prose(view: ChoiceView) -> str:
    occasions = ", the same in all its situations" if view.outcome.study.population.situations is not None else ""
    return (
        f"Every agent has coefficients of its own{occasions}, drawn once a replication. {integration_text(view)}"
    ).strip()


def _random_table(model: ChoiceModel) -> Table:
    rows = []
    for name, distribution in list(model.random_coefficients.items())[:_MOST_ROWS]:
        spread = _Spread.of(distribution)
        numbers = (spread.mean, spread.deviation)
        rows.append(
            (
                Cell(text=clean(name), style="code"),
                Cell(text=_word(distribution), below=_parameters(distribution)),
                *(Cell(text=_number(number)) for number in numbers),
                Cell(text=f"{_number(spread.lower)} to {_number(spread.upper)}"),
                Cell(text=percent(spread.above, 1), style="none" if spread.above in (0.0, 1.0) else ""),
            )
        )
    return Table(
        name="random-coefficients",
        caption="Coefficients that differ among agents: mean and standard deviation of the coefficient itself, where "
        "90 % of agents are, and for how many it is above 0",
        columns=(
            Column(title="coefficient", numeric=False),
            Column(title="distribution", numeric=False),
            Column(title="mean"),
            Column(title="standard deviation"),
            Column(title="5 to 95 % of agents"),
            Column(title="above 0"),
        ),
        rows=tuple(rows),
        note="More are in tables/random_coefficients.csv." if len(model.random_coefficients) > _MOST_ROWS else "",
    )


def _word(distribution: CoefficientDistribution) -> str:
    return clean(distribution.name or type(distribution).__name__.lower()).replace("_", " ")


def _parameters(distribution: CoefficientDistribution) -> str:
    found = plain_settings(distribution).items()
    return ", ".join(
        f"{name.replace('_', ' ')}" if value is True else f"{name.replace('_', ' ')}\u00a0=\u00a0{_number(value)}"
        for name, value in found
        if value is not False
    )


def _number(value: Any) -> str:
    return significant(float(value), 4) if isinstance(value, int | float) else clean(value)


def _figure(model: ChoiceModel) -> list[Block]:
    shown = list(model.random_coefficients.items())[:_MOST_DRAWN]
    densities = tuple(_density(name, distribution) for name, distribution in shown)
    mixed = [(name, _Spread.of(distribution)) for name, distribution in shown]
    mixed = [(name, spread) for name, spread in mixed if 0 < spread.above < 1]
    finding = "Every random coefficient has one sign for all agents"
    if mixed:
        name, spread = max(mixed, key=lambda entry: min(entry[1].above, 1 - entry[1].above))
        sign, part = ("above", spread.above) if spread.mean <= 0 else ("below", 1 - spread.above)
        finding = f"{clean(name)} is {sign} 0 for {percent(part, 1)} of agents, unlike its mean"
    note = "how each random coefficient differs among agents; each on an axis of its own"
    if len(shown) < len(model.random_coefficients):
        note += f"; the first {len(shown)}"
    svg = draw_densities("random-coefficients", densities, label=f"Densities of random coefficients. {finding}.")
    return [Figure(name="random-coefficients", finding=finding, note=note, svg=svg, table="random-coefficients")]


def _density(name: str, distribution: CoefficientDistribution) -> Density:
    probability = np.linspace(0.0005, 0.9995, 800)
    return Density(
        name=clean(name),
        below=_word(distribution),
        quantiles=distribution.values(probability),
        part=float(probability[1] - probability[0]),
        mean=float(distribution.expectation),
    )


def _correlations(model: ChoiceModel) -> Table:
    covariance = model.random_covariance
    names, matrix = ((), np.zeros((0, 0))) if covariance is None else (tuple(covariance.names), covariance.matrix)
    deviations = np.sqrt(np.diag(matrix))
    with np.errstate(divide="ignore", invalid="ignore"):
        table = matrix / deviations / deviations[:, None]
    logs = any(value.name == "lognormal" for value in model.random_coefficients.values())
    return Table(
        name="correlations",
        caption=f"Correlations of random coefficients{', of the logarithm of lognormal ones' if logs else ''}",
        columns=(Column(title="coefficient", numeric=False), *(Column(title=clean(name)) for name in names)),
        rows=tuple(
            (
                Cell(text=clean(name), style="code"),
                *(
                    Cell(text=real_minus(f"{float(value):.3f}") if np.isfinite(value) else NOTHING)
                    for value in table[place]
                ),
            )
            for place, name in enumerate(names)
        ),
    )


# --- classes --------------------------------------------------------------------------------------------------------


def _class_shares(view: ChoiceView) -> dict[str, FloatArray]:
    """Probability of each class for every row."""
    study = view.outcome.study
    shares = study.types.of(slice(None)).shares
    rows = study.population.n_rows
    return {
        name: np.broadcast_to(np.asarray(share), (rows,))
        for name, share in zip(study.model.classes, shares, strict=True)
    }


def _mean(view: ChoiceView, shares: FloatArray) -> float:
    weights = view.outcome.study.population.weights
    return float(np.average(shares, weights=weights)) if shares.size else float("nan")


def _class_prose(view: ChoiceView) -> str:
    model, population = view.outcome.study.model, view.outcome.study.population
    occasions = " and is the same in all its situations" if population.situations is not None else ""
    text = (
        f"Nobody knows who is of which class: every one of the {in_sentence(view.agents)} is of each with some "
        f"probability, {'the softmax of the formulas of membership' if model.memberships else 'the same for all'}. "
        f"An agent’s class is drawn once a replication{occasions}."
    )
    return f"{text} Shares are means over the {in_sentence(view.agents)}." if model.memberships else text


def _class_table(view: ChoiceView) -> Table:
    model, shares = view.outcome.study.model, _class_shares(view)
    by_formula = bool(model.memberships)
    columns = [Column(title="class", numeric=False), Column(title="share, %")]
    columns += [Column(title="membership", numeric=False)] if by_formula else []
    columns += [Column(title="rule", numeric=False), Column(title="coefficients that differ", numeric=False)]
    rows = []
    for (name, kind), rule in list(zip(model.classes.items(), model.rules, strict=True))[:_MOST_ROWS]:
        each = shares[name]
        spread = f"{percent(float(each.min()), 1)} to {percent(float(each.max()), 1)}" if by_formula else ""
        cells = [Cell(text=clean(name)), Cell(text=percent(_mean(view, each), 1), below=spread, style="strong")]
        cells += [Cell(text=clean(kind.membership or ""), style="code")] if by_formula else []
        others = ", ".join(_changed(key, value) for key, value in kind.coefficients.items())
        cells += [Cell(text=rule_words(rule)), Cell(text=others or "none", style="code" if others else "none")]
        rows.append(tuple(cells))
    return Table(
        name="classes",
        caption=f"Classes: expected part of {view.choices}{', from least to most likely member below' * by_formula}",
        columns=tuple(columns),
        rows=tuple(rows),
        note="More are in tables/classes.csv." if len(model.classes) > _MOST_ROWS else "",
    )


def _changed(name: str, value: float | CoefficientDistribution) -> str:
    if isinstance(value, CoefficientDistribution):
        return f"{clean(name)}: {_word(value)} ({_parameters(value)})"
    return f"{clean(name)} = {value:.10g}".replace("-", MINUS)


# --- files ----------------------------------------------------------------------------------------------------------


def type_tables(view: ChoiceView) -> dict[str, pd.DataFrame]:
    """Return random coefficients and classes as tables by file name; none where all agents are alike."""
    summary, tables = type_summary(view), {}
    if "random_coefficients" in summary:
        records = [{"coefficient": name, **found} for name, found in summary["random_coefficients"].items()]
        tables["random_coefficients"] = pd.DataFrame(records)
    if "classes" in summary:
        found = summary["classes"].items()
        records = [{"class": name, "share": kind["share"], "rule": kind["rule"]} for name, kind in found]
        tables["classes"] = pd.DataFrame(records)
    return tables


def type_summary(view: ChoiceView) -> dict[str, Any]:
    """Return what is under the keys of `TYPE_KEYS`; nothing where all agents are alike."""
    model, found = view.outcome.study.model, dict[str, Any]()
    if model.random_coefficients:
        found["random_coefficients"] = {
            name: _record(distribution) for name, distribution in model.random_coefficients.items()
        }
    if model.classes:
        shares = _class_shares(view)
        found["classes"] = {
            name: {"share": _mean(view, shares[name]), "rule": rule_name(rule)} | _means(kind)
            for (name, kind), rule in zip(model.classes.items(), model.rules, strict=True)
        }
    if view.outcome.study.types.n_shifts:
        found["integration"] = {"points": model.integration.points, "shifts": model.integration.shifts}
    return found


def _record(distribution: CoefficientDistribution) -> dict[str, Any]:
    spread = _Spread.of(distribution)
    return {
        "distribution": distribution.name,
        "mean": spread.mean,
        "standard_deviation": spread.deviation,
        "lower": spread.lower,
        "upper": spread.upper,
        "above_zero": spread.above,
    }


def _means(kind: LatentClass) -> dict[str, Any]:
    found = {
        name: value.expectation if isinstance(value, CoefficientDistribution) else float(value)
        for name, value in kind.coefficients.items()
    }
    return {"coefficients": found} if found else {}
