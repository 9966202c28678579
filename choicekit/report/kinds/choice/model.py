"""The model behind a choice study: rule, utilities as formulas, coefficients, availability."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from choicekit.choice.expressions import Expression
from choicekit.choice.model import ChoiceModel
from choicekit.choice.notation import to_latex, to_mathml
from choicekit.report.content import (
    Block,
    Cell,
    Code,
    Column,
    Details,
    Formula,
    Formulas,
    Heading,
    Prose,
    Section,
    Table,
)
from choicekit.report.kinds.choice.calibration import calibration_blocks
from choicekit.report.kinds.choice.rules import nest_blocks, regulariser_formula, rule_claim, rule_words
from choicekit.report.kinds.choice.types import type_blocks
from choicekit.report.kinds.choice.view import ChoiceView
from choicekit.report.numbers import MINUS
from choicekit.report.text import capitalise, clean
from choicekit.rules import ChoiceRule

__all__ = ["model_section"]

_MOST_MARKUP = 300_000  # characters of MathML on one page; beyond, formulas are shown as they were written
_MOST_FORMULAS = 100
_MOST_OPEN = 12
_MOST_COEFFICIENTS = 300

_LEFT_OUT = {
    "skip": "Rows with nothing available are left out.",
    "outside": "Rows with nothing available count as choosing the outside option, at utility 0.",
}


def model_section(view: ChoiceView) -> Section:
    """Rule, formulas with their LaTeX, coefficients and conditions."""
    model = view.outcome.study.model
    blocks: list[Block] = [Prose(_rule(view))]
    rules = [view.rule] if not model.classes else list(dict.fromkeys(model.rules))
    for rule in rules:
        regulariser = regulariser_formula(rule)
        blocks += [*([regulariser] if regulariser else []), *nest_blocks(rule)]
    blocks += _utilities(view)
    if model.coefficients:
        blocks.append(_coefficients(model))
    blocks += type_blocks(view)
    blocks += calibration_blocks(view)
    if model.conditions:
        blocks += [Heading("Availability"), Prose("An alternative is available where its condition holds.")]
        blocks.append(_formulas(view, model.conditions, "Availability conditions"))
    return Section(key="model", title="Model", blocks=tuple(blocks))


def _rule(view: ChoiceView) -> str:
    rules = dict.fromkeys(view.outcome.study.model.rules)
    said = " ".join(f"{capitalise(rule_words(rule))}{_claim(rule)}." for rule in rules)
    drawn = {
        "coherent": "one perturbation a choice and alternative: improving an alternative moves agents only to it",
        "fast": "one uniform number a choice, through the inverse distribution",
    }[view.outcome.sampling]
    idle = _LEFT_OUT.get(view.outcome.study.model.on_no_alternative, "")
    return f"{said} Choices are drawn by {drawn}. {idle}".strip()


def _claim(rule: ChoiceRule) -> str:
    claim = clean(rule_claim(rule))
    return f": {claim[:1].lower()}{claim[1:].removesuffix('.')}" if claim else ""


def _utilities(view: ChoiceView) -> list[Block]:
    model = view.outcome.study.model
    if isinstance(model.utilities, str):
        formulas = {"every alternative": next(iter(model.formulas(view.outcome.study.population).values()))}
    else:
        formulas = dict(model.formulas(view.outcome.study.population))
    shown: Block = _formulas(view, formulas, "Utilities")
    latex = Code(_latex(formulas), "LaTeX source of the utilities")
    if len(formulas) > _MOST_OPEN:
        shown = Details(summary=f"Utilities of the {len(formulas)} alternatives", blocks=(shown,))
    return [Heading("Utilities"), shown, Details(summary="LaTeX source", blocks=(latex,))]


def _formulas(view: ChoiceView, formulas: Mapping[str, Expression], label: str) -> Formulas:
    shown = dict(zip(view.outcome.alternatives, view.names, strict=True))
    left, lines = _MOST_MARKUP, []
    for name, formula in list(formulas.items())[:_MOST_FORMULAS]:
        markup = to_mathml(formula)
        left -= len(markup)
        mathml = Markup(markup) if left >= 0 else None  # noqa: S704 - written by our own notation, which escapes
        lines.append(Formula(name=shown.get(name, clean(name)), mathml=mathml, text=clean(formula)))
    return Formulas(tuple(lines), label)


def _latex(formulas: Mapping[str, Expression]) -> str:
    lines = [rf"u_{{\text{{{_escaped(name)}}}}} &= {to_latex(formula)}" for name, formula in formulas.items()]
    body = " \\\\\n".join(lines[:_MOST_FORMULAS])
    return f"\\begin{{align*}}\n{body}\n\\end{{align*}}"


def _escaped(name: str) -> str:
    plain = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(plain.get(c, f"\\{c}" if c in "#$%&_{}" else c) for c in clean(name))


def _coefficients(model: ChoiceModel) -> Table:
    means = "; the mean of those that differ among agents" if model.random_coefficients else ""
    return Table(
        name="coefficients",
        caption=f"Coefficients, as given{means}",
        columns=(Column(title="coefficient", numeric=False), Column(title="value")),
        rows=tuple(
            (
                Cell(text=clean(name), style="code"),
                Cell(
                    text=f"{value:.10g}".replace("-", MINUS),
                    below="mean" if name in model.random_coefficients else "",
                ),
            )
            for name, value in list(model.coefficients.items())[:_MOST_COEFFICIENTS]
        ),
        note="More are in tables/coefficients.csv." if len(model.coefficients) > _MOST_COEFFICIENTS else "",
    )
