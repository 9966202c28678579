"""What a report consists of, before it is a page: a verdict, facts, and sections made of a few kinds of blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

__all__ = [
    "Block",
    "Cell",
    "Code",
    "Column",
    "Details",
    "Diff",
    "Fact",
    "Figure",
    "Formula",
    "Formulas",
    "Heading",
    "Items",
    "Prose",
    "Report",
    "Section",
    "Table",
]


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One entry of the strip below the lead: ``replications: 200``."""

    name: str
    value: str


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    kind: ClassVar[str] = "prose"
    text: str


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Items:
    """A list of short texts, such as warnings."""

    kind: ClassVar[str] = "items"
    items: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """Text to be copied: a command, a scenario, LaTeX."""

    kind: ClassVar[str] = "code"
    text: str
    label: str


@dataclass(frozen=True)
class Diff:
    """Lines with a sign each: ``"+"`` for what is added, ``"-"`` for what is taken away, a space for the rest."""

    kind: ClassVar[str] = "diff"
    lines: tuple[tuple[str, str], ...]
    label: str


@dataclass(frozen=True, kw_only=True)
class Formula:
    """The utility of one alternative: as MathML, or as text where there is none."""

    name: str
    mathml: Markup | None
    text: str


@dataclass(frozen=True)
class Formulas:
    """One formula a line."""

    kind: ClassVar[str] = "formulas"
    formulas: tuple[Formula, ...]
    label: str


@dataclass(frozen=True, kw_only=True)
class Column:
    """Head of a column; numbers are set flush right. `mark` is our own drawing before the title."""

    title: str
    numeric: bool = True
    mark: Markup | None = None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell of a table.

    Attributes
    ----------
    text, below : str
        What it says, and a smaller line under that.
    aside : str
        A few words right after the text, set smaller, such as how much it differs.
    style : str
        ``"strong"``, ``"none"`` (nothing to say), ``"quiet"``, ``"good"``, ``"bad"``, ``"code"`` or empty.
    mark : Markup, optional
        Our own drawing before the text: the marker of an alternative.
    """

    text: str
    below: str = ""
    aside: str = ""
    style: str = ""
    mark: Markup | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; the first cell of a row names it.

    Attributes
    ----------
    name : str
        HTML id without its prefix.
    note : str
        Said below, such as where the rows that are left out can be found.
    """

    kind: ClassVar[str] = "table"
    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure whose caption is a finding.

    Attributes
    ----------
    name : str
        File name without ending.
    finding, note : str
        The caption, and a smaller line on how to read the figure.
    svg : Markup
        Our own drawing, with every text escaped.
    table : str
        Name of the table on the page that holds the numbers.
    """

    kind: ClassVar[str] = "figure"
    name: str
    finding: str
    note: str
    svg: Markup
    table: str


@dataclass(frozen=True, kw_only=True)
class Details:
    """Blocks that only some readers want, folded away."""

    kind: ClassVar[str] = "details"
    summary: str
    blocks: tuple[Block, ...]
    is_open: bool = False


Block: TypeAlias = Prose | Heading | Items | Code | Diff | Formulas | Table | Figure | Details


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page with a heading of its own.

    Attributes
    ----------
    key : str
        Anchor.
    title : str
    blocks : tuple of Block
    """

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything a run directory holds but what every kind has in common.

    Attributes
    ----------
    kind, name : str
    template : str
        Page template of the kind.
    kicker, title, status, lead, description : str
        Heading of the page; `title` is the finding in a sentence.
    passed : bool
        Whether every check holds.
    facts : tuple of Fact
    sections : tuple of Section
    tables : mapping of str to DataFrame
        By file name without ending.
    summary : mapping
        Content of ``summary.json``.
    bulk : mapping of str to callable
        By file name in ``data/``: writes one large file to the path it is called with.

    Examples
    --------
    >>> report = Report(kind="choice", name="trips", template="choice.html.j2", kicker="", title="", status="", lead="",
    ...     description="", passed=True, facts=(), sections=(), tables={}, summary={})
    >>> report.figures
    {}
    """

    kind: str
    name: str
    template: str
    kicker: str
    title: str
    status: str
    lead: str
    description: str
    passed: bool
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    tables: Mapping[str, pd.DataFrame]
    summary: Mapping[str, Any]
    bulk: Mapping[str, Callable[[Path], None]] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, str]:
        """Drawings by file name without ending, in the order of the page."""
        blocks = (block for section in self.sections for block in _walk(section.blocks))
        return {block.name: str(block.svg) for block in blocks if isinstance(block, Figure)}


def _walk(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for block in blocks:
        yield block
        if isinstance(block, Details):
            yield from _walk(block.blocks)
