"""What was found, in sentences."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Fact
from choicekit.report.kinds.network.view import NetworkView
from choicekit.report.numbers import NOTHING, count, described, fixed, p_value, percent, significant
from choicekit.report.text import capitalise, clean, in_sentence
from choicekit.report.verdict import failure

__all__ = ["ensemble_words", "facts", "lead", "metric_text", "model_name", "title"]

_TINY = 1e-300  # what rounds to 0 is not 0
_SMALL = 0.05  # of the divergence that abundances leave: less is a small gain


def ensemble_words(view: NetworkView) -> dict[str, str]:
    """Return what each ensemble fixes, in words."""
    return {
        "both": "both sides",
        "rows": f"{view.rows} only",
        "columns": f"{view.columns} only",
        "none": "neither side",
    }


def model_name(model: str) -> str:
    """Write a null model's name."""
    return model.replace("_", " ")


def metric_text(value: float) -> str:
    """Write a metric; nan as nothing known."""
    if not np.isfinite(value):
        return NOTHING
    return fixed(value, 4) if abs(value) < 10 else significant(value, 5)


def title(view: NetworkView) -> str:
    """State the finding; a failed check goes before everything else."""
    if not view.result.passed:
        return failure(view.result.checks)
    fit, outcome = view.outcome.fit, view.outcome
    if fit is not None:
        if not fit.names:
            return _of_free_table(view)
        own, neutral = _divergences(view)
        gain = (neutral - own) / neutral if neutral > 0 else 0.0
        what = clean(" and ".join(fit.names).replace("_", " "))
        amount = "little" if gain < _SMALL else ("part" if gain < 0.5 else "most")
        verb = "explains" if len(fit.names) == 1 else "explain"
        return (
            f"{capitalise(in_sentence(what))} {verb} {amount} of who interacts with whom: {percent(gain)} of what "
            "abundances leave open"
        )
    if outcome.nulls and outcome.metrics is not None:
        model, found = next(iter(outcome.nulls.items()))
        z = found.z_score("h2_continuous")
        if np.isfinite(z):
            side = "more" if z > 0 else "less"
            sure = "" if found.p_value("h2_continuous") < 0.05 else ", within what chance explains"
            return (
                f"The web is {side} specialised (H2' {fixed(outcome.metrics.h2_continuous, 3)}) than webs of "
                f"{model_name(model)} (mean {fixed(float(found.values['h2_continuous'].mean()), 3)}){sure}"
            )
    if outcome.changes:
        return _largest_change(view)
    n, m = len(view.study.row_names), len(view.study.column_names)
    if outcome.metrics is not None:
        return (
            f"{count(outcome.metrics.links)} of {count(n * m)} pairs of {view.rows} and {view.columns} interact "
            f"(connectance {fixed(outcome.metrics.connectance, 3)})"
        )
    return f"A community of {count(n)} {view.rows} and {count(m)} {view.columns}"


def _of_free_table(view: NetworkView) -> str:
    """State how well a free table predicts, which describes what it was fitted to all too well."""
    table, gain = view.outcome.ensembles, float("nan")
    if table is not None:
        own = table[table["ensemble"] == view.study.ensemble]
        if len(own):
            gain = float(own["held_out_log_likelihood"].iloc[0] - own["held_out_neutral_log_likelihood"].iloc[0])
    if not np.isfinite(gain):
        return f"Preferences of {view.columns} for {view.rows} are learnt for every pair"
    better = "better" if gain > 0 else "no better"
    amount = f", by {fixed(gain, 3)} nats each" if gain > 0 else ""
    return f"Preferences predict {view.visits} left out {better} than abundance alone{amount}"


def _divergences(view: NetworkView) -> tuple[float, float]:
    table = view.outcome.ensembles
    if table is None:
        return float("nan"), float("nan")
    fit = view.outcome.fit
    by_site = None if fit is None else fit.by_site()
    if by_site is None:
        return float("nan"), float("nan")
    weights = by_site["visits"]
    return (
        float(np.average(by_site["kl_divergence"], weights=weights)),
        float(np.average(by_site["neutral_kl_divergence"], weights=weights)),
    )


def _largest_change(view: NetworkView) -> str:
    best, words = -1.0, ""
    for name, change in view.outcome.changes.items():
        species = change.species()
        species = species[(species["before"] > 0) & (species["after"] > 0)]
        if not len(species):
            continue
        place = int(species["change"].abs().to_numpy().argmax())
        row = species.iloc[place]
        if abs(row["change"]) > best:
            best = abs(float(row["change"]))
            verb = "gains" if row["change"] > 0 else "loses"
            words = (
                f"Under {in_sentence(clean(name))} {clean(row['species'])} {verb} most: from "
                f"{count(round(row['before']))} to {count(round(row['after']))} {view.visits}"
            )
    return words or "No policy changes anybody's visits"


def lead(view: NetworkView) -> str:
    """Say in a paragraph what was seen and what explains it."""
    found, outcome = view.outcome.metrics, view.outcome
    sentences = []
    if found is None:
        sentences.append(
            f"Abundances and preferences of {described(len(view.study.row_names), view.rows)} and "
            f"{described(len(view.study.column_names), view.columns)} are given; who interacts with whom follows from "
            f"them at temperature {significant(outcome.community.temperature)}."
        )
    else:
        sites = f" at {described(len(view.study.networks), 'sites')}" if len(view.study.networks) > 1 else ""
        sentences.append(
            f"{count(found.visits)} {view.visits} between {described(found.n_rows, view.rows)} and "
            f"{described(found.n_columns, view.columns)}{sites} make {described(found.links, 'links')}."
        )
        if np.isfinite(found.coverage):
            sentences.append(
                f"By Chao's estimate there are at least {count(round(found.estimated_links))} links, and "
                f"{percent(found.coverage)} of {view.visits} go to those that were seen."
            )
    fit = outcome.fit
    if fit is not None:
        own, neutral = _divergences(view)
        test = fit.likelihood_ratio
        sure = ""
        if np.isfinite(test.p_value):
            verdict = "more than noise" if test.p_value < 0.05 else "no more than noise"
            p = p_value(max(test.p_value, _TINY))
            sure = f" (likelihood ratio {significant(test.statistic, 4)}, p {p}: {verdict})"
        sentences.append(
            f"Preferences bring the divergence from what was seen, KL(P || Q), from {fixed(neutral, 4)} by abundance "
            f"alone to {fixed(own, 4)}{sure}."
        )
    return " ".join(sentences)


def facts(view: NetworkView) -> tuple[Fact, ...]:
    """Sizes and settings for the strip below the lead."""
    found = view.outcome.metrics
    facts = [
        Fact(name=view.rows, value=count(len(view.study.row_names))),
        Fact(name=view.columns, value=count(len(view.study.column_names))),
    ]
    if found is not None:
        facts += [
            Fact(name="links", value=count(found.links)),
            Fact(name=view.visits, value=count(found.visits)),
            Fact(name="connectance", value=fixed(found.connectance, 4)),
        ]
    if len(view.study.networks) > 1:
        facts.append(Fact(name="sites", value=count(len(view.study.networks))))
    return (*facts, Fact(name="seed", value=str(view.result.seed)))
