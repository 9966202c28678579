"""Are the situations of a choice study like those of a reference population: by segment and policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.detection.thresholds import RetentionThreshold
from choicekit.report.content import Block, Cell, Column, Figure, Prose, Section, Table
from choicekit.report.figures.histograms import Histogram, draw_histograms
from choicekit.report.kinds.choice.view import ChoiceView
from choicekit.report.numbers import NOTHING, THIN, count, described, p_value, percent, significant
from choicekit.report.text import capitalise, clean, in_sentence, join_words, shorten
from choicekit.scenario.choice.situations import SituationDetection

__all__ = ["FAMILIARITY_KEYS", "familiarity_section", "familiarity_summary", "familiarity_tables"]

BoolArray = npt.NDArray[np.bool_]

_MOST_LISTED = 10
_MOST_GROUPS = 60
_LEVEL = 0.95
_CAUTION = (
    "The level of utility is not identified by choices alone: the same constant added to all utilities leaves every "
    "choice as it is and moves every energy. What a level means rests on how utilities are normalised, and an energy "
    "compares situations only as far as that is the same for all. So a flag is a prompt to look, not a verdict."
)

FAMILIARITY_KEYS = {
    "detection.reference_rows": "situations of the reference population; only where detection was asked for",
    "detection.rows": "situations that are judged",
    "detection.nominal": "share of situations like the reference's that is flagged, on average",
    "detection.threshold": "energy above which a situation is flagged",
    "detection.flagged_share": "share of judged situations flagged by energy",
    "detection.distant_share": "share flagged by the distance of their attributes, or null",
    "detection.policies.<policy>": "share flagged by energy under a policy",
}


def familiarity_section(view: ChoiceView) -> tuple[Section, ...]:
    """Return the section; none where nobody asked."""
    found: SituationDetection | None = view.result.detection
    if found is None or not found.rows.size:
        return ()
    blocks: list[Block] = [Prose(_prose(found)), _figure(found), _groups(found)]
    if found.policies:
        blocks.append(_policies(found))
    blocks += [_rows(found), Prose(_CAUTION)]
    return (Section(key="familiarity", title="Are these situations like anything known?", blocks=tuple(blocks)),)


def _prose(found: SituationDetection) -> str:
    threshold, n = found.reference.threshold, found.rows.size
    lower, upper = _expected(threshold, n)
    who = "little or much" if found.reference.sides == "both" else "little"
    like, often = described(n, "situations"), percent(threshold.expected_rate)
    text = (
        f"The energy of a situation is minus its inclusive value: it is high where {'' if who == 'little' else 'too '}"
        f"little on offer is worth anything. Situations with as {who} to choose from as hardly any of the "
        f"{count(threshold.n)} reference situations have are flagged. Of {like} like the reference's {often} would be "
        f"flagged on average, and with a probability of 95{THIN}% between {percent(lower)} and {percent(upper)}."
    )
    if found.scores.distances is None:
        return text
    names = join_words([in_sentence(clean(name)) for name in found.plan.attributes[:8]])
    return f"{text} The distance is Mahalanobis's, over {names}, from the mean of the reference."


def _expected(threshold: RetentionThreshold, n: int) -> tuple[float, float]:
    from scipy.stats import betabinom

    lower, upper = betabinom.interval(_LEVEL, n, *threshold.beta)
    return float(lower) / n, float(upper) / n


def _figure(found: SituationDetection) -> Figure:
    flagged, nominal = float(found.scores.flagged.mean()), found.reference.threshold.expected_rate
    finding = f"{percent(flagged)} of situations are flagged, where {percent(nominal)} are expected"
    sets = [
        Histogram(
            name="reference",
            below=described(found.reference.energies.size, "situations"),
            values=found.reference.energies,
            colour="#009E73",
        ),
        Histogram(
            name="judged",
            below=described(found.rows.size, "situations"),
            values=found.scores.energies,
            colour="#0072B2",
        ),
    ]
    for name, scores in list(found.policies.items())[:4]:
        energies = scores.energies[np.isfinite(scores.energies)]
        sets.append(Histogram(name=clean(name).replace("-", " "), below="policy", values=energies, colour="#8A5FA8"))
    return Figure(
        name="familiarity",
        finding=finding,
        note="energies; each histogram adds up to all situations of its set; dashed: the threshold",
        svg=draw_histograms(
            "familiarity",
            sets,
            label=f"Histograms of energies of situations. {finding}.",
            axis="energy, in units of utility; larger = less on offer",
            line=found.reference.threshold.value,
            line_name=f"threshold {significant(found.reference.threshold.value, 4)}",
        ),
        table="familiarity-groups",
    )


def _groups(found: SituationDetection) -> Table:
    rows = []
    for segment, label, own in list(found.groups())[:_MOST_GROUPS]:
        n = int(own.sum())
        name = "everybody" if segment == "all" else label
        lower, upper = _expected(found.reference.threshold, n) if n else (np.nan, np.nan)
        distant = NOTHING if found.scores.distant is None or not n else percent(float(found.scores.distant[own].mean()))
        share = float(found.scores.flagged[own].mean()) if n else np.nan
        rows.append(
            (
                Cell(text=shorten(capitalise(clean(name)), 40), below="" if segment == "all" else clean(segment)),
                Cell(text=count(n)),
                Cell(text=percent(share) if n else NOTHING, style="strong"),
                Cell(text=f"{percent(lower)} to {percent(upper)}" if n else NOTHING),
                Cell(text=distant),
            )
        )
    return Table(
        name="familiarity-groups",
        caption="Situations that are flagged, by segment",
        columns=(
            Column(title="who", numeric=False),
            Column(title="situations"),
            Column(title="flagged by energy"),
            Column(title="expected of situations like the reference"),
            Column(title="flagged by distance"),
        ),
        rows=tuple(rows),
        note="Expected: for 95 in 100 pairs of a reference and as many situations like it.",
    )


def _policies(found: SituationDetection) -> Table:
    base = float(found.scores.flagged.mean())
    rows = []
    for name, scores in found.policies.items():
        share = float(scores.flagged.mean())
        moved = int(np.count_nonzero(scores.flagged != found.scores.flagged))
        rows.append(
            (
                Cell(text=shorten(capitalise(clean(name).replace("-", " ")), 40)),
                Cell(text=percent(share), style="strong", below=f"baseline {percent(base)}"),
                Cell(text=count(moved)),
            )
        )
    return Table(
        name="familiarity-policies",
        caption="Situations flagged by energy under each policy",
        columns=(
            Column(title="policy", numeric=False),
            Column(title="flagged"),
            Column(title="situations flagged now, or no more"),
        ),
        rows=tuple(rows),
        note="Under a policy situations are judged by their energy alone, against the reference as it was.",
    )


def _rows(found: SituationDetection) -> Table:
    frame = _frame(found).sort_values("energy", ascending=False, kind="stable").head(_MOST_LISTED)
    rows = []
    for record in frame.to_dict("records"):
        named = [Cell(text=shorten(clean(str(record["agent"])), 40))]
        if "situation" in record:
            named.append(Cell(text=shorten(clean(str(record["situation"])), 40)))
        distance = record.get("distance")
        rows.append(
            (
                *named,
                Cell(text=significant(float(record["energy"]), 4), style="strong"),
                Cell(text=p_value(float(record["p_value"])), aside="flagged" if record["flagged"] else ""),
                Cell(text=NOTHING if distance is None else significant(float(distance), 3)),
            )
        )
    heads = ["agent", *(["situation"] if "situation" in frame else [])]
    return Table(
        name="familiarity-rows",
        caption="The situations with the highest energies",
        columns=(
            *(Column(title=head, numeric=False) for head in heads),
            Column(title="energy"),
            Column(title="p-value"),
            Column(title="distance"),
        ),
        rows=tuple(rows),
        note="All are in tables/situations.csv.",
    )


def _frame(found: SituationDetection) -> pd.DataFrame:
    population = found.plan.study.population
    columns: dict[str, Any] = {"agent": np.asarray(population.agents)[found.rows]}
    if population.situations is not None:
        columns["situation"] = np.asarray(population.situations)[found.rows]
    columns |= {"energy": found.scores.energies, "p_value": found.scores.p_values, "flagged": found.scores.flagged}
    if found.scores.distances is not None:
        columns |= {"distance": found.scores.distances, "distant": found.scores.distant}
    return pd.DataFrame(columns)


def familiarity_tables(view: ChoiceView) -> dict[str, pd.DataFrame]:
    """Return every situation that is judged, and shares by segment and policy; nothing where nobody asked."""
    found: SituationDetection | None = view.result.detection
    if found is None or not found.rows.size:
        return {}
    frame = _frame(found)
    for name, scores in found.policies.items():
        frame[f"energy: {name}"], frame[f"flagged: {name}"] = scores.energies, scores.flagged
    groups = [
        {
            "segment": segment,
            "group": label,
            "situations": int(own.sum()),
            "flagged_share": _mean(found.scores.flagged, own),
            "distant_share": np.nan if found.scores.distant is None else _mean(found.scores.distant, own),
            "expected_share": found.reference.threshold.expected_rate,
            **{f"flagged_share: {name}": _mean(scores.flagged, own) for name, scores in found.policies.items()},
        }
        for segment, label, own in found.groups()
    ]
    return {"situations": frame, "familiarity": pd.DataFrame(groups)}


def _mean(flagged: BoolArray, own: BoolArray) -> float:
    return float(flagged[own].mean()) if own.any() else float("nan")


def familiarity_summary(view: ChoiceView) -> dict[str, Any]:
    """Return what the summary says, under `FAMILIARITY_KEYS`."""
    found: SituationDetection | None = view.result.detection
    if found is None or not found.rows.size:
        return {}
    distant = found.scores.distant
    return {
        "detection": {
            "reference_rows": int(found.reference.energies.size),
            "rows": int(found.rows.size),
            "nominal": found.reference.threshold.expected_rate,
            "threshold": found.reference.threshold.value,
            "flagged_share": float(found.scores.flagged.mean()),
            "distant_share": None if distant is None else float(distant.mean()),
            "policies": {name: float(scores.flagged.mean()) for name, scores in found.policies.items()},
        }
    }
