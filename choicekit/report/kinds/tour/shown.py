"""How the numbers of a tour are written and named, the same at every station."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.report.content import Cell, Column, Table
from choicekit.report.figures.style import Mark, mark_svg, marks_for
from choicekit.report.numbers import MINUS, THIN, fixed, significant
from choicekit.report.text import clean, display_names

__all__ = [
    "Alternatives",
    "FloatArray",
    "alternatives_of",
    "claimed",
    "number",
    "number_table",
    "probability",
    "utilities",
]

FloatArray = npt.NDArray[np.float64]

_MOST_LISTED = 8


@dataclass(frozen=True, kw_only=True)
class Alternatives:
    """The alternatives of a station as they are shown, each by its utility."""

    names: tuple[str, ...]
    marks: tuple[Mark, ...]


def alternatives_of(utility: FloatArray, names: Sequence[str] | None = None) -> Alternatives:
    """Return the alternatives of a row of utilities as they are shown.

    Examples
    --------
    >>> alternatives_of(np.array([0.0, -4.0, 7.0])).names
    ('0', '−4', '7')
    >>> alternatives_of(np.array([0.5]), ["night_train"]).names
    ('night train, 0.5',)
    """
    shown = tuple(number(float(value)) for value in utility)
    if names is not None:
        shown = tuple(f"{name}, {text}" for name, text in zip(display_names(names), shown, strict=True))
    return Alternatives(names=shown, marks=marks_for(shown))


def claimed(text: str) -> str:
    """Write the hyphens of formulas in a claim as minus signs, those within words as they are.

    Examples
    --------
    >>> claimed("lowest, -W0(1/e), at x = -1 - W0(1/e)"), claimed("log-sum-exp - max at T = 1e-12")
    ('lowest, −W0(1/e), at x = −1 − W0(1/e)', 'log-sum-exp − max at T = 1e-12')
    """
    return re.sub(r"(?<![\w-])-(?=\s?[\w(|])", MINUS, clean(text))


def number(value: float, digits: int = 6) -> str:
    """Write a number plainly, without trailing zeros.

    Examples
    --------
    >>> number(-0.1), number(7.0), number(7.01009416490667, 15), number(1e-12)
    ('−0.1', '7', '7.01009416490667', '10⁻¹²')
    """
    return significant(value, digits)


def utilities(values: FloatArray) -> str:
    """Write a row of utilities in brackets, cut short where it is long.

    Examples
    --------
    >>> utilities(np.array([0.0, 1.0, -4.0]))
    '[0, 1, −4]'
    >>> utilities(np.arange(30.0))
    '[0, 1, 2, 3, 4, 5, 6, 7, …] (30 utilities)'
    """
    shown = ", ".join(number(float(value)) for value in values[:_MOST_LISTED])
    return f"[{shown}]" if values.size <= _MOST_LISTED else f"[{shown}, …] ({values.size} utilities)"


def probability(value: float, decimals: int = 4) -> str:
    r"""Write a probability: a bare 0 or 1 only where it is exactly that.

    Examples
    --------
    >>> probability(0.0), probability(1e-7), probability(0.25), probability(1.0), probability(1 - 1e-9)
    ('0', '<\u202f0.0001', '0.2500', '1', '>\u202f0.9999')
    >>> probability(float("nan"))
    'nan'
    """
    if not np.isfinite(value):
        return "nan" if np.isnan(value) else f"{MINUS if value < 0 else ''}∞"
    if value in (0.0, 1.0):
        return f"{value:g}"
    shown = fixed(value, decimals)
    if float(shown.replace(MINUS, "-")) == 0:
        return f"<{THIN}{10.0**-decimals:.{decimals}f}"
    if 0 < value < 1 and float(shown) == 1:
        return f">{THIN}{1 - 10.0**-decimals:.{decimals}f}"
    return shown


def number_table(
    name: str,
    caption: str,
    first: str,
    rows: Sequence[tuple[str, Sequence[str]]],
    columns: Sequence[str],
    *,
    marks: Sequence[Mark] | None = None,
    strong: int | None = None,
    note: str = "",
) -> Table:
    """Make a table of numbers written already.

    Parameters
    ----------
    name, caption : str
    first : str
        Head of the column that names the rows.
    rows : sequence of (str, sequence of str)
    columns : sequence of str
    marks : sequence of Mark, optional
        One a row, before its name; rows after the last have none.
    strong : int, optional
        The row that stands out.
    note : str
        Said below.
    """
    drawn = [mark_svg(mark) for mark in marks or ()]
    return Table(
        name=name,
        caption=caption,
        columns=(Column(title=first, numeric=False), *(Column(title=title) for title in columns)),
        rows=tuple(
            (
                Cell(text=head, mark=drawn[place] if place < len(drawn) else None),
                *(Cell(text=text, style=_style(text, stands_out=place == strong)) for text in texts),
            )
            for place, (head, texts) in enumerate(rows)
        ),
        note=note,
    )


def _style(text: str, *, stands_out: bool) -> str:
    if text == "nan":
        return "bad"
    return "strong" if stands_out else "quiet" if text == "0" else ""
