"""A choice rule in words: any rule, by its name, its settings, what it claims and what it costs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from choicekit.choice.expressions import parse_expression
from choicekit.choice.notation import to_mathml
from choicekit.errors import ExpressionError
from choicekit.report.content import Block, Cell, Column, Formula, Formulas, Heading, Table
from choicekit.report.numbers import NOTHING, percent, significant
from choicekit.report.text import clean, join_words
from choicekit.rules import ChoiceRule

__all__ = [
    "NEST_KEYS",
    "nest_blocks",
    "nest_summary",
    "nest_tables",
    "plain_settings",
    "regulariser_formula",
    "rule_claim",
    "rule_name",
    "rule_settings",
    "rule_words",
]

NEST_KEYS = {
    "rule.nests.<nest>.members": "what is in a nest, by its path such as `public > rail`, where the rule has nests",
    "rule.nests.<nest>.dissimilarity": "its temperature relative to that around it",
    "rule.nests.<nest>.temperature": "its temperature in units of utility",
}
"""Keys of ``summary.json`` that nests add, and what they mean."""

_SYMBOLS = {"temperature": "T"}
_MOST_NESTS = 200
_STEP = "\u00a0\u00a0\u00a0"


def rule_name(rule: ChoiceRule) -> str:
    """Return the name of a rule, as a scenario calls it; that of its class where it is not registered.

    Examples
    --------
    >>> from choicekit.rules import Hardmax
    >>> rule_name(Hardmax())
    'hardmax'
    """
    return str(getattr(rule, "name", "") or type(rule).__name__.lower())


def rule_settings(rule: ChoiceRule) -> dict[str, Any]:
    """Return the settings of a rule as a scenario writes them: numbers, words, lists and mappings by name.

    Examples
    --------
    >>> from choicekit.rules import Softmax
    >>> rule_settings(Softmax(temperature=0.5))
    {'temperature': 0.5}
    """
    return plain_settings(rule)


def plain_settings(made: object) -> dict[str, Any]:
    """Return the fields of a dataclass as a scenario writes them."""
    settings = _plain(made)
    return settings if isinstance(settings, dict) else {}


def _plain(value: Any) -> Any:
    """Return a value as YAML would hold it; None where it has no form there, as one number a row has."""
    if is_dataclass(value) and not isinstance(value, type):
        given = [item for item in fields(value) if item.init and item.metadata.get("yaml", item.type) is not None]
        found = {item.name: _plain(getattr(value, item.name)) for item in given}
        return {name: part for name, part in found.items() if part is not None and part != {}}
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.item() if value.size == 1 else None
    return value if isinstance(value, bool | int | float | str) else None


def rule_words(rule: ChoiceRule) -> str:
    r"""Return a rule with its numbers, such as "softmax with T = 1".

    Examples
    --------
    >>> from choicekit.rules import Hardmax, Softmax
    >>> rule_words(Softmax()), rule_words(Hardmax())
    ('softmax with T\xa0=\xa01', 'hardmax')
    """
    name, settings = clean(rule_name(rule)).replace("_", " "), []
    for setting, value in rule_settings(rule).items():
        if isinstance(value, dict | list):
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        shown = significant(float(value), 4) if number else clean(value)
        settings.append(f"{_SYMBOLS.get(setting, clean(setting).replace('_', ' '))}\u00a0=\u00a0{shown}")
    return f"{name} with {join_words(settings)}" if settings else name


def rule_claim(rule: ChoiceRule) -> str:
    """Return what a rule says of itself: the first line of its docstring, empty where it has none.

    Examples
    --------
    >>> from choicekit.rules import Hardmax
    >>> rule_claim(Hardmax())
    'Choose the best alternative; tied maxima share 1/m.'
    """
    # what a class inherits from object says nothing of it
    return (inspect.getdoc(type(rule)) or "").split("\n")[0] if type(rule).__doc__ else ""


def regulariser_formula(rule: ChoiceRule) -> Formulas | None:
    """Return the regulariser of a rule as a formula; None where it does not offer one.

    Notes
    -----
    A rule whose regulariser is a sum over alternatives may offer its term, a formula of one probability `q` and of
    its own settings: ``regulariser: ClassVar[str] = "q * log(q)"``. Nothing else is needed of it. What is no formula is
    shown as it is.
    """
    term = getattr(rule, "regulariser", "")
    if not term:
        return None
    try:
        written = to_mathml(parse_expression(term))
        inside = written[written.index(">") + 1 : written.rindex("</math>")]
    except ExpressionError:
        inside = f"<mtext>{escape(term)}</mtext>"
    inside = inside.replace('<mi mathvariant="normal">alpha</mi>', "<mi>α</mi>")
    q = "<msub><mi>q</mi><mi>j</mi></msub>"
    markup = (
        '<math xmlns="http://www.w3.org/1998/Math/MathML" displaystyle="true"><mi>Ω</mi>'
        '<mo form="prefix">(</mo><mi>q</mi><mo form="postfix">)</mo><mo>=</mo>'
        '<munder><mo movablelimits="false">∑</mo><mi>j</mi></munder>'
        f"{inside.replace('<mi>q</mi>', q)}</math>"
    )
    line = Formula(name="regulariser", mathml=Markup(markup), text=f"sum of {term}")  # noqa: S704 - our own notation
    return Formulas((line,), "Regulariser of the rule")


# --- nests ----------------------------------------------------------------------------------------------------------


def nest_blocks(rule: ChoiceRule) -> list[Block]:
    """Return the tree of nests of a rule as a table; nothing where it has none."""
    found = _nests(rule)
    if not found:
        return []
    rows = tuple(
        (
            Cell(text=f"{_STEP * nest.depth}{clean(nest.path[-1])}"),
            Cell(text=nest.members),
            Cell(text=significant(nest.dissimilarity, 4)),
            Cell(text=significant(nest.temperature, 4) if np.isfinite(nest.temperature) else NOTHING, style="strong"),
        )
        for nest in found[:_MOST_NESTS]
    )
    table = Table(
        name="nests",
        caption="Nests: alternatives in one stand in for each other, the more so the lower its temperature, which is "
        "the dissimilarity times that of the nest around it",
        columns=(
            Column(title="nest", numeric=False),
            Column(title="members", numeric=False),
            Column(title="dissimilarity"),
            Column(title="temperature inside"),
        ),
        rows=rows,
        note="More are in tables/nests.csv." if len(found) > _MOST_NESTS else "",
    )
    return [Heading("Nests"), table]


def nest_tables(rule: ChoiceRule) -> dict[str, pd.DataFrame]:
    """Return the nests of a rule as a table by file name; none where it has none."""
    found = nest_summary(rule).get("nests", {})
    return {"nests": pd.DataFrame([{"nest": name, **nest} for name, nest in found.items()])} if found else {}


def nest_summary(rule: ChoiceRule) -> dict[str, Any]:
    """Return what is under the keys of `NEST_KEYS`; nothing where the rule has no nests."""
    found = {
        " > ".join(nest.path): {
            "members": nest.members,
            "dissimilarity": nest.dissimilarity,
            "temperature": nest.temperature,
        }
        for nest in _nests(rule)
    }
    return {"nests": found} if found else {}


@dataclass(frozen=True, kw_only=True)
class _Nest:
    """A nest as it is shown: its path from the root, its members, its temperature in units of utility."""

    path: tuple[str, ...]
    members: str
    dissimilarity: float
    temperature: float

    @property
    def depth(self) -> int:
        return len(self.path) - 1


def _nests(rule: ChoiceRule) -> list[_Nest]:
    temperature = np.asarray(getattr(rule, "temperature", np.nan))
    outer = float(temperature) if temperature.ndim == 0 else np.nan
    return list(_below(rule_settings(rule).get("nests"), (), outer))


def _below(nests: Any, path: tuple[str, ...], outer: float) -> Iterator[_Nest]:
    for name, nest in nests.items() if isinstance(nests, Mapping) else ():
        inner, members = outer * nest.get("dissimilarity", 1.0), nest.get("members", [])
        if isinstance(members, Mapping):
            listed = [f"{clean(member)} ({percent(float(part), 0)})" for member, part in members.items()]
        else:
            listed = [clean(member) for member in members]
        yield _Nest(
            path=(*path, str(name)),
            members=", ".join(listed),
            dissimilarity=float(nest.get("dissimilarity", 1.0)),
            temperature=inner,
        )
        yield from _below(nest.get("nests"), (*path, str(name)), inner)
