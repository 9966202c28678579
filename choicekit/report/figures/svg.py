"""Drawing to SVG text: the same bytes for the same figure, text kept as text, ids that meet no other figure's."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from markupsafe import Markup

from choicekit.report.figures.style import FONTS, STYLE
from choicekit.report.text import clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["WIDTH", "draw_svg"]

WIDTH = 600.0
"""Width of every figure, in SVG units; about CSS pixels on a desk."""

_POINTS_AN_INCH = 72.0
_SVG = "http://www.w3.org/2000/svg"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"'DejaVu Sans'(?:, *sans-serif)?")
_NOT_STYLE = frozenset({"backend", "backend_fallback", "interactive", "toolbar", "timezone"})


def draw_svg(name: str, label: str, height: float, draw: Callable[[Figure], None]) -> Markup:
    """Draw a figure and return it as one SVG element.

    Parameters
    ----------
    name : str
        Begins every id in it; letters, digits and hyphens.
    label : str
        What the figure shows, for those who cannot see it.
    height : float
        In SVG units; the width is always 600.
    draw : callable
        Draws onto an empty Matplotlib figure.

    Returns
    -------
    Markup
        Safe to place in a page: every text in it is escaped.

    Examples
    --------
    >>> svg = draw_svg("title", "nothing but a title", 40, lambda figure: figure.text(0.5, 0.5, "cost < $x$"))
    >>> "cost &lt; $x$" in svg
    True
    """
    from matplotlib.figure import Figure as Canvas

    with _own_style(), warnings.catch_warnings():
        # Names may use scripts that the font does not have; the reader's browser has others.
        warnings.filterwarnings("ignore", message=".*[Gg]lyph.*missing")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support.*")
        figure = Canvas(figsize=(WIDTH / _POINTS_AN_INCH, height / _POINTS_AN_INCH), dpi=_POINTS_AN_INCH)
        draw(figure)
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, dpi=_POINTS_AN_INCH)
    return Markup(_tidy(stream.getvalue(), name, clean(label)))  # noqa: S704 - serialised from a tree, so escaped


@contextmanager
def _own_style() -> Iterator[None]:
    """Matplotlib's defaults and our style, whatever the user's own settings; both are put back."""
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore", mpl.MatplotlibDeprecationWarning)
        settings = dict(mpl.rcParamsDefault) | STYLE
        mpl.rcParams.update({key: settings[key] for key in mpl.rcParams if key not in _NOT_STYLE})
        yield


def _tidy(content: bytes, name: str, label: str) -> str:
    """Strip what browsers do not need and make every id the figure's own."""
    root = ElementTree.fromstring(content)  # noqa: S314 - written by Matplotlib a moment ago
    for parent in root.iter():
        for child in list(parent):
            if child.tag == f"{{{_SVG}}}metadata":
                parent.remove(child)
    used = _referenced_ids(root)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        attributes = dict(element.attrib)
        element.attrib.clear()
        for key, value in attributes.items():
            kept = _attribute(key.rpartition("}")[2], value, name, used)
            if kept is not None:
                element.set(*kept)
    view = root.get("viewBox", "")
    root.attrib.clear()
    for key, value in (("xmlns", _SVG), ("viewBox", view), ("role", "img"), ("aria-label", label)):
        root.set(key, value)
    return ElementTree.tostring(root, encoding="unicode")


def _referenced_ids(root: ElementTree.Element) -> frozenset[str]:
    found = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            found.update(_REFERENCE.findall(value))
            if key.endswith("href") and value.startswith("#"):
                found.add(value[1:])
    return frozenset(found)


def _attribute(key: str, value: str, name: str, used: frozenset[str]) -> tuple[str, str] | None:
    if key == "id":
        return (key, f"{name}-{value}") if value in used else None
    if key == "href" and value.startswith("#"):
        return key, f"#{name}-{value[1:]}"
    if key == "style":
        value = _FONT.sub(FONTS, value)
    return key, _REFERENCE.sub(rf"url(#{name}-\1)", value)
