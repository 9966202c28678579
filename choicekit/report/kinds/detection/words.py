"""What was found, in sentences."""

from __future__ import annotations

import numpy as np

from choicekit.detection.scores import SCORES
from choicekit.report.content import Fact
from choicekit.report.kinds.detection.view import DetectionView
from choicekit.report.numbers import THIN, count, described, fixed, percent, significant
from choicekit.report.text import capitalise
from choicekit.report.verdict import failure

__all__ = ["facts", "guarantee", "lead", "metric_text", "title"]


def metric_text(value: float) -> str:
    """Write a metric; nan as nothing known."""
    return "–" if not np.isfinite(value) else fixed(value, 4)


def title(view: DetectionView) -> str:
    """State the finding; a failed check goes before everything else."""
    if not view.result.passed:
        return failure(view.result.checks)
    found = view.outcome.monitoring
    if found is not None:
        few = found.share <= found.interval[1]
        verdict = "no more than chance explains" if few else f"where {percent(found.nominal)} are expected"
        return f"{percent(found.share)} of {described(found.n, 'rows')} are unlike anything known, {verdict}"
    if view.compares:
        auroc = view.outcome.metrics[view.study.score].auroc
        caught, false = percent(_mean(view.flagged_out)), percent(_mean(view.flagged_in))
        name = capitalise(SCORES[view.study.score].title)
        return (
            f"{name} catches {caught} of out-of-distribution rows and flags {false} of the others (AUROC "
            f"{fixed(auroc, 3)})"
        )
    n = view.outcome.flagged.size
    return f"{percent(_mean(view.outcome.flagged))} of {described(n, 'rows')} are unlike the calibration rows"


def _mean(flagged: np.ndarray) -> float:
    return float(flagged.mean()) if flagged.size else float("nan")


def lead(view: DetectionView) -> str:
    """Say in a paragraph what was scored, and what the threshold promises."""
    table = view.study.table
    n, n_classes = table.logits.shape
    sentences = [
        f"{described(n, 'rows')} of logits of {described(n_classes, 'classes')} are scored at temperature "
        f"{significant(view.outcome.temperature)}; larger means more out-of-distribution.",
        guarantee(view),
    ]
    best = _best(view)
    if best is not None:
        sentences.append(best)
    sentences.append(_discovered(view))
    return " ".join(sentences)


def _discovered(view: DetectionView) -> str:
    n, rate = int(view.outcome.discoveries.sum()), percent(view.study.false_discovery_rate)
    if n == 0:
        return f"As a batch, no row stands out at a rate of false discoveries of {rate}."
    verb = "stands" if n == 1 else "stand"
    return (
        f"As a batch, {described(n, 'rows')} {verb} out, of which at most {rate} are expected to be false discoveries."
    )


def guarantee(view: DetectionView) -> str:
    """Say what the threshold promises, in words."""
    threshold = view.outcome.threshold
    lower, upper = threshold.rate_interval()
    return (
        f"Of rows like the {count(threshold.n)} calibration rows {percent(threshold.expected_rate)} are flagged on "
        f"average over calibration sets; for 95{THIN}% of sets of this size the share is between {percent(lower)} and "
        f"{percent(upper)}."
    )


def _best(view: DetectionView) -> str | None:
    known = {name: found.auroc for name, found in view.outcome.metrics.items() if not found.note}
    if len(known) < 2:
        return None
    best = max(known, key=lambda name: known[name])
    auroc = fixed(known[best], 4)
    return f"Of {described(len(known), 'scores')} {SCORES[best].title} ranks rows best, with an AUROC of {auroc}."


def facts(view: DetectionView) -> tuple[Fact, ...]:
    """Sizes and settings for the strip below the lead."""
    study = view.study
    found = [Fact(name=one.name, value=count(one.n)) for one in view.sets]
    found += [
        Fact(name="classes", value=count(len(study.table.classes))),
        Fact(name="score", value=SCORES[study.score].title),
        Fact(name="threshold", value=significant(view.outcome.threshold.value, 4)),
        Fact(name="temperature", value=significant(view.outcome.temperature)),
        Fact(name="seed", value=str(view.result.seed)),
    ]
    return tuple(found)
