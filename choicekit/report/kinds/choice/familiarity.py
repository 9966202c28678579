"""Are the situations of a choice study like those of a reference population: by segment and policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.policies.cases import BASELINE
from choicekit.detection.situations import SituationScores
from choicekit.detection.thresholds import RetentionThreshold
from choicekit.report.content import Block, Cell, Column, Figure, Prose, Section, Table
from choicekit.report.figures.histograms import Histogram, draw_histograms
from choicekit.report.kinds.choice.view import ChoiceView
from choicekit.report.numbers import NOTHING, THIN, count, described, p_value, percent, significant
from choicekit.report.text import capitalise, clean, in_sentence, join_words, shorten
from choicekit.scenario.choice.situations import AttributeColumn, SituationDetection

__all__ = [
    "FAMILIARITY_KEYS",
    "familiarity_files",
    "familiarity_section",
    "familiarity_summary",
    "familiarity_tables",
]

BoolArray = npt.NDArray[np.bool_]

_MOST_LISTED = 10
_MOST_GROUPS = 60
_MOST_DRAWN = 4  # policies
_MOST_NAMED = 8  # attributes
_LEVEL = 0.95
_CAUTION = (
    "The level of utility is not identified by choices alone: the same constant added to all utilities leaves every "
    "choice as it is and moves every energy. What a level means rests on how utilities are normalised, and an energy "
    "compares situations only as far as that is the same for all. So a flag is a prompt to look, not a verdict."
)
_SHARES = {
    "situations": "situations judged",
    "flagged_share": "share of them flagged by energy",
    "distant_share": "share flagged by the distance of their attributes, or null",
}

FAMILIARITY_KEYS = {
    "detection.reference_rows": "situations of the reference population; only where detection was asked for",
    "detection.nominal": "share of situations like the reference's that is flagged by energy, on average",
    "detection.expected_lower": "least share that chance explains, at 95 %",
    "detection.expected_upper": "largest share that chance explains, at 95 %",
    "detection.threshold": "energy above which a situation is flagged",
    "detection.lower_threshold": "energy below which it is flagged, too; null where sides is upper",
    "detection.distance_nominal": "share of situations like the reference's flagged by distance, on average, or null",
    "detection.distance_threshold": "distance above which a situation is flagged, or null",
    **{f"detection.{key}": text for key, text in _SHARES.items()},
    **{f"detection.segments.<segment>.<group>.{key}": text for key, text in _SHARES.items()},
    **{f"detection.policies.<policy>.{key}": f"{text}, under a policy" for key, text in _SHARES.items()},
}
"""Keys of ``summary.json`` that `detection:` adds, and what they mean."""


def familiarity_section(view: ChoiceView) -> tuple[Section, ...]:
    """Return the section; none where nobody asked."""
    found = _detection(view)
    if found is None:
        return ()
    blocks: list[Block] = [Prose(_prose(found)), Prose(_CAUTION)]
    if found.reference.attributes is not None:
        blocks.append(Prose(_distance_prose(found)))
    blocks += [_figure(found), _groups(found)]
    if found.policies:
        blocks.append(_policies(found))
    blocks += _rows(found)
    return (Section(key="familiarity", title="Are these situations like anything known?", blocks=tuple(blocks)),)


def _detection(view: ChoiceView) -> SituationDetection | None:
    found: SituationDetection | None = view.result.detection
    return None if found is None or not found.rows.size else found


# --- words ----------------------------------------------------------------------------------------------------------


def _prose(found: SituationDetection) -> str:
    threshold, n = found.reference.threshold, found.rows.size
    lower, upper = _expected(threshold, n)
    where = "above" if found.reference.sides == "upper" else "above or below"
    text = (
        "The energy of a situation is minus its inclusive value: the less on offer is worth, the higher it is, and "
        f"larger means more out-of-distribution. A situation is flagged where its energy is {where} those of nearly "
        f"all of the {count(threshold.n)} reference situations. Of {described(n, 'situations')} like these "
        f"{percent(threshold.expected_rate)} would be flagged on average, and with a probability of 95{THIN}% between "
        f"{percent(lower)} and {percent(upper)}."
    )
    population = found.plan.study.population
    if population.n_agents < population.n_rows:
        text += " Situations of one agent are alike, so that chance explains more than this range says."
    if population.weights is not None:
        text += " Shares here are of situations, not weighted."
    return text


def _distance_prose(found: SituationDetection) -> str:
    threshold = found.reference.distance_threshold
    n_unknown = 0 if found.scores.distances is None else int(np.isnan(found.scores.distances).sum())
    rate = "" if threshold is None else f"; {percent(threshold.expected_rate)} would be flagged by it"
    text = (
        f"Beside it stands the Mahalanobis distance of attributes from their mean in the reference, over "
        f"{_listed(found.plan.attributes)}: it knows nothing of utilities{rate}."
    )
    if found.plan.left_out:
        text += (
            f" Left out of it, for being the same in the whole reference or not known for all of it: "
            f"{_listed(found.plan.left_out)}."
        )
    if n_unknown:
        have = "has" if n_unknown == 1 else "have"
        text += f" {capitalise(described(n_unknown, 'situations'))} with an attribute that is not known {have} none."
    return text


def _listed(columns: tuple[AttributeColumn, ...]) -> str:
    named = [in_sentence(clean(str(column))) for column in columns[:_MOST_NAMED]]
    if len(columns) > _MOST_NAMED:
        named.append(f"{len(columns) - _MOST_NAMED} more")
    return join_words(named)


def _expected(threshold: RetentionThreshold, n: int) -> tuple[float, float]:
    """Return between which shares of n situations chance flags, over references and situations like them."""
    from scipy.stats import betabinom

    if not n:
        return np.nan, np.nan
    lower, upper = betabinom.interval(_LEVEL, n, *threshold.beta)
    return float(lower) / n, float(upper) / n


def _finding(found: SituationDetection) -> str:
    share, threshold = found.scores.flagged_share(), found.reference.threshold
    lower, upper = _expected(threshold, found.rows.size)
    if lower <= share <= upper:
        verdict = "no more than chance explains" if share > threshold.expected_rate else "which chance explains"
    else:
        verdict = f"where {percent(threshold.expected_rate)} are expected"
    return f"{percent(share)} of situations are flagged by energy, {verdict}"


# --- figure and tables ----------------------------------------------------------------------------------------------


def _figure(found: SituationDetection) -> Figure:
    finding, threshold = _finding(found), found.reference.threshold
    known = found.reference.energies
    below = described(known.size, "situations")
    sets = [Histogram(name="reference", below=below, values=known, colour="#009E73")]
    drawn = {"judged": found.scores} | dict(list(found.policies.items())[:_MOST_DRAWN])
    for place, (name, scores) in enumerate(drawn.items()):
        values = scores.energies[scores.judged]
        below = described(values.size, "situations") if place == 0 else "policy"
        title = name if place == 0 else clean(name).replace("-", " ")
        sets.append(Histogram(name=title, below=below, values=values, colour="#8A5FA8" if place else "#0072B2"))
    both = bool(np.isfinite(threshold.lower))
    lines = "thresholds" if both else "threshold"
    return Figure(
        name="familiarity",
        finding=finding,
        note=f"energies; each histogram adds up to all situations of its set; dashed: the {lines}",
        svg=draw_histograms(
            "familiarity",
            sets,
            label=f"Histograms of energies of situations. {finding}.",
            axis="energy, in units of utility; larger = less on offer",
            line=threshold.value,
            line_name=f"threshold {significant(threshold.value, 4)}",
            lower=threshold.lower if both else None,
        ),
        table="familiarity-groups",
    )


def _groups(found: SituationDetection) -> Table:
    groups = list(found.groups())
    rows = []
    for segment, label, own in groups[:_MOST_GROUPS]:
        everybody = segment == "all"
        rows.append(
            (
                Cell(
                    text="Everybody" if everybody else shorten(capitalise(clean(label)), 40),
                    below="" if everybody else clean(segment),
                ),
                *_share_cells(found, found.scores, own),
            )
        )
    left = f" The first {_MOST_GROUPS} of {count(len(groups))}; all are in tables/familiarity.csv."
    return Table(
        name="familiarity-groups",
        caption="Situations that are flagged, by segment",
        columns=(Column(title="who", numeric=False), *_share_columns()),
        rows=tuple(rows),
        note="Expected: for 95 in 100 pairs of a reference and as many situations like it."
        + (left if len(groups) > _MOST_GROUPS else ""),
    )


def _share_columns() -> Iterator[Column]:
    for title in ("situations", "flagged by energy", "expected of situations like the reference"):
        yield Column(title=title)
    yield Column(title="flagged by distance")


def _share_cells(found: SituationDetection, scores: SituationScores, own: BoolArray) -> Iterator[Cell]:
    n = int((own & scores.judged).sum())
    lower, upper = _expected(found.reference.threshold, n)
    yield Cell(text=count(n))
    yield Cell(text=_percent(scores.flagged_share(own)), style="strong")
    yield Cell(text=f"{percent(lower)} to {percent(upper)}" if n else NOTHING)
    yield Cell(text=_percent(scores.distant_share(own)))


def _percent(share: float) -> str:
    return percent(share) if np.isfinite(share) else NOTHING


def _policies(found: SituationDetection) -> Table:
    everybody = np.ones(found.rows.size, dtype=bool)
    rows = [(Cell(text="Baseline"), *_share_cells(found, found.scores, everybody), Cell(text=NOTHING))]
    for name, scores in found.policies.items():
        moved = int(np.count_nonzero((scores.flagged != found.scores.flagged) & scores.judged))
        title = Cell(text=shorten(capitalise(clean(name).replace("-", " ")), 40))
        rows.append((title, *_share_cells(found, scores, everybody), Cell(text=count(moved))))
    return Table(
        name="familiarity-policies",
        caption="Situations that are flagged under each policy, against the reference as it was",
        columns=(
            Column(title="policy", numeric=False),
            *_share_columns(),
            Column(title="flagged by energy now, or no more"),
        ),
        rows=tuple(rows),
        note="An alternative that a policy adds lowers energies, and one that it removes raises them; distances are of "
        "attributes of the baseline's alternatives, as the policy changes them.",
    )


def _rows(found: SituationDetection) -> Iterator[Table]:
    """Yield the least familiar situations by energy, and by distance where there is one."""
    frame = _frame(found)
    by_energy = frame.sort_values("energy", ascending=False, kind="stable")
    title = "The situations with the highest energies"
    if found.reference.sides == "both":
        middle = float(np.median(found.reference.energies))
        away = frame.assign(away=(frame["energy"] - middle).abs())
        by_energy = away.sort_values(["p_value", "away"], ascending=[True, False], kind="stable")
        title = "The situations with the least usual energies"
    yield _row_table("familiarity-rows", title, by_energy)
    if "distance" in frame and frame["distance"].notna().any():
        by_distance = frame.dropna(subset="distance").sort_values("distance", ascending=False, kind="stable")
        yield _row_table("familiarity-distances", "The situations with the largest distances", by_distance)


def _row_table(name: str, caption: str, frame: pd.DataFrame) -> Table:
    keys = [key for key in ("agent", "situation") if key in frame]
    rows = []
    for record in frame.head(_MOST_LISTED).to_dict("records"):
        cells = [Cell(text=shorten(clean(str(record[key])), 40)) for key in keys]
        energy, distance = float(record["energy"]), float(record.get("distance", np.nan))
        cells.append(Cell(text=significant(energy, 4), aside="flagged" if record["flagged"] else ""))
        cells.append(Cell(text=p_value(float(record["p_value"]))))
        shown = significant(distance, 3) if np.isfinite(distance) else NOTHING
        cells.append(Cell(text=shown, aside="flagged" if record.get("distant", False) else ""))
        rows.append(tuple(cells))
    heads = ("energy", "p-value of the energy", "distance")
    return Table(
        name=name,
        caption=f"{caption}; larger = more out-of-distribution",
        columns=(*(Column(title=key, numeric=False) for key in keys), *(Column(title=head) for head in heads)),
        rows=tuple(rows),
        note="All are in data/situations.parquet.",
    )


# --- files ----------------------------------------------------------------------------------------------------------


def _frame(found: SituationDetection) -> pd.DataFrame:
    population, scores = found.plan.study.population, found.scores
    columns: dict[str, Any] = {"agent": np.asarray(population.agents)[found.rows]}
    if population.situations is not None:
        columns["situation"] = np.asarray(population.situations)[found.rows]
    columns |= {"energy": scores.energies, "p_value": scores.p_values, "flagged": scores.flagged}
    if scores.distances is not None:
        columns |= {"distance": scores.distances, "distant": scores.distant}
    return pd.DataFrame(columns)


def familiarity_files(view: ChoiceView) -> dict[str, Callable[[Path], None]]:
    """Return the writer of every situation that is judged; none where nobody asked."""
    found = _detection(view)
    return {} if found is None else {"situations.parquet": partial(_write_situations, found)}


def _write_situations(found: SituationDetection, path: Path) -> None:
    frame = _frame(found)
    for name, scores in found.policies.items():
        frame[f"energy: {name}"], frame[f"flagged: {name}"] = scores.energies, scores.flagged
        if scores.distances is not None:
            frame[f"distance: {name}"], frame[f"distant: {name}"] = scores.distances, scores.distant
    frame.to_parquet(path, index=False)


def familiarity_tables(view: ChoiceView) -> dict[str, pd.DataFrame]:
    """Return shares by policy and segment; nothing where nobody asked."""
    found = _detection(view)
    if found is None:
        return {}
    groups = [
        {"policy": policy, "segment": segment, "group": label}
        | _shares(scores, own)
        | {"expected_share": found.reference.threshold.expected_rate}
        for policy, scores in ({BASELINE: found.scores} | dict(found.policies)).items()
        for segment, label, own in found.groups()
    ]
    return {"familiarity": pd.DataFrame(groups)}


def _shares(scores: SituationScores, own: BoolArray) -> dict[str, Any]:
    """Return what is under the keys of `_SHARES`."""
    n = int((own & scores.judged).sum())
    return dict(zip(_SHARES, (n, scores.flagged_share(own), scores.distant_share(own)), strict=True))


def familiarity_summary(view: ChoiceView) -> dict[str, Any]:
    """Return what the summary says, under `FAMILIARITY_KEYS`."""
    found = _detection(view)
    if found is None:
        return {}
    threshold, distance = found.reference.threshold, found.reference.distance_threshold
    lower, upper = _expected(threshold, found.rows.size)
    (_, _, everybody), *groups = found.groups()
    segments: dict[str, dict[str, Any]] = {}
    for segment, label, own in groups:
        segments.setdefault(segment, {})[label] = _shares(found.scores, own)
    return {
        "detection": {
            "reference_rows": int(found.reference.energies.size),
            "nominal": threshold.expected_rate,
            "expected_lower": lower,
            "expected_upper": upper,
            "threshold": threshold.value,
            "lower_threshold": threshold.lower,
            "distance_nominal": None if distance is None else distance.expected_rate,
            "distance_threshold": None if distance is None else distance.value,
            **_shares(found.scores, everybody),
            "segments": segments,
            "policies": {name: _shares(scores, everybody) for name, scores in found.policies.items()},
        }
    }
