"""What was found, in sentences."""

from __future__ import annotations

from choicekit.report.content import Fact
from choicekit.report.kinds.matching.view import MatchingView
from choicekit.report.numbers import count, described, fixed, percent, significant
from choicekit.report.text import capitalise
from choicekit.report.verdict import failure

__all__ = ["facts", "lead", "title"]


def title(view: MatchingView) -> str:
    """State the finding; a failed check goes before everything else."""
    if not view.result.passed:
        return failure(view.result.checks)
    names = view.compared.mechanisms
    best = max(names, key=lambda name: view.estimate("first_choice", name).mean)
    share = percent(view.estimate("first_choice", best).mean)
    said = f"{capitalise(view.name(best))} gives {share} of {view.rows} their first choice"
    stable = [
        name for name in names if view.two_sided and not view.values("blocking_pairs")[:, names.index(name)].any()
    ]
    if best in stable:
        return f"{said}, and nobody has a claim to another place"
    if stable:
        own = percent(view.estimate("first_choice", stable[0]).mean)
        unfair = percent(view.estimate("unfair", best).mean)
        return (
            f"{said}, {view.name(stable[0])} {own}; but {unfair} of {view.rows} could then claim a place that it "
            "denies them"
        )
    if len(names) == 1:
        return said
    worst = min(names, key=lambda name: view.estimate("first_choice", name).mean)
    return f"{said}, {view.name(worst)} {percent(view.estimate('first_choice', worst).mean)}"


def lead(view: MatchingView) -> str:
    """Say in a paragraph what was matched, and how sure it is."""
    study, compared = view.study, view.compared
    n, m = study.market.shape
    seats = int(study.market.seats.sum())
    said = [
        f"{described(n, view.rows)} and {described(m, view.columns)} with {count(seats)} places are matched by "
        f"{described(len(compared.mechanisms), 'mechanisms')}, {described(study.draws, 'times')}: each time with other "
        f"tastes and lottery numbers, and with the same ones for every mechanism and policy.",
        "Intervals (95 %) say how far means over so many draws may be off.",
    ]
    if view.two_sided and compared.values[..., -1].any():
        kind = "one lottery number for all" if study.ties == "single" else "a lottery number for each of the"
        said.append(
            f"Where {view.columns} like two {view.rows} equally, a lottery decides: each has {kind} {view.columns}."
        )
    said.append("Everybody is taken to state what they want truthfully; who gains by doing otherwise would do so.")
    return " ".join(said)


def facts(view: MatchingView) -> tuple[Fact, ...]:
    """Sizes and settings for the strip below the lead."""
    study = view.study
    n, m = study.market.shape
    return (
        Fact(name=view.rows, value=count(n)),
        Fact(name=view.columns, value=count(m)),
        Fact(name="places", value=count(int(study.market.seats.sum()))),
        Fact(name="draws", value=count(study.draws)),
        Fact(name=f"taste of {view.rows}", value=significant(study.row_taste)),
        Fact(name="temperature", value=significant(study.temperature)),
        Fact(name="policies", value=count(len(study.policies))),
        Fact(name="seed", value=str(view.result.seed)),
    )


def utility_text(value: float) -> str:
    """Write a mean utility."""
    return fixed(value, 3)
