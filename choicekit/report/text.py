"""Words of users made fit to print: cleaned, shortened, isolated, joined."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

__all__ = [
    "capitalise",
    "clean",
    "display_names",
    "display_width",
    "distinct",
    "in_sentence",
    "join_words",
    "plain",
    "shorten",
    "singular",
    "slug",
]

# Not allowed in XML, or able to reorder or hide the text around them.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT = frozenset({"R", "AL", "RLE", "RLO"})
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
LONGEST_IN_SENTENCE = 40
SHORTEST = 16
"""Characters that figures and heads of tables leave of a name, at least."""


def clean(text: object) -> str:
    r"""Replace characters that no XML file may hold, or that would reorder the text around them.

    Examples
    --------
    >>> clean("night\x0btrain")
    'night�train'
    """
    return _UNFIT.sub("\ufffd", str(text))


def shorten(text: str, length: int) -> str:
    """Cut text to at most `length` characters, keeping its end, where long names tend to differ.

    Examples
    --------
    >>> shorten("the night train to the far north", 16)
    'the night…north'
    >>> shorten("train", 16)
    'train'
    """
    flat = " ".join(text.split())
    if len(flat) <= length:
        return flat
    tail = length // 3
    return f"{flat[: length - tail - 1].rstrip()}…{flat[len(flat) - tail :]}"


def in_sentence(text: str, length: int = LONGEST_IN_SENTENCE) -> str:
    """Make a name fit for the middle of a sentence: cleaned, shortened, and isolated where it runs right to left.

    Examples
    --------
    >>> in_sentence("train")
    'train'
    """
    short = shorten(clean(text), length)
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in short):
        return f"{_ISOLATE}{short}{_END_ISOLATE}"
    return short


def plain(sentence: str) -> str:
    r"""Return a sentence for terminals and programs: ordinary spaces, no marks of direction.

    Examples
    --------
    >>> plain("30.0\u202f% of \u2068trips\u2069")
    '30.0 % of trips'
    """
    return re.sub(f"[{_ISOLATE}{_END_ISOLATE}]", "", sentence.replace("\u202f", " ").replace("\u00a0", " "))


def capitalise(sentence: str) -> str:
    """Begin with a capital, leaving all else as written.

    Examples
    --------
    >>> capitalise("train is chosen most")
    'Train is chosen most'
    """
    return sentence[:1].upper() + sentence[1:]


def join_words(words: Sequence[str]) -> str:
    """Join with commas and a last "and".

    Examples
    --------
    >>> join_words(["air", "train", "car"])
    'air, train and car'
    """
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def singular(noun: str) -> str:
    """Return the singular of a regular English plural; words of other forms as they are.

    Examples
    --------
    >>> [singular(noun) for noun in ("trips", "choices", "lunches", "cities", "buses", "classes", "houses")]
    ['trip', 'choice', 'lunch', 'city', 'bus', 'class', 'house']
    >>> [singular(noun) for noun in ("Reisen", "bus", "class")]
    ['Reisen', 'bus', 'class']
    """
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    if re.search("(ch|sh|x|ss|[^aeiou]us)es$", noun):
        return noun[:-2]
    return noun[:-1] if re.search("[^su]s$", noun) else noun


def distinct(names: Sequence[str], length: int = SHORTEST) -> tuple[str, ...]:
    """Add a number to names that would look alike once shortened: their place in the list.

    Parameters
    ----------
    names : sequence of str
    length : int
        Of the shortest form in which they are shown, at least 16.

    Returns
    -------
    tuple of str
        As given where all stay apart. The number stands at the end, which `shorten` keeps, so that a name has the same
        one wherever it is shown and however short.

    Examples
    --------
    >>> distinct(["night train by the coast to Rome", "day train", "night train by the river to Rome"])
    ('night train by the coast to Rome (1)', 'day train', 'night train by the river to Rome (3)')
    """
    times = Counter(shorten(name, length) for name in names)
    alike = [times[shorten(name, length)] > 1 for name in names]
    found = _numbered(names, alike)
    if len({shorten(name, length) for name in found}) < len(found):  # a name looks like another one's number
        return _numbered(names, [True] * len(names))
    return found


def _numbered(names: Sequence[str], which: Sequence[bool]) -> tuple[str, ...]:
    places = enumerate(zip(names, which, strict=True), start=1)
    return tuple(f"{name} ({place})" if numbered else name for place, (name, numbered) in places)


def display_names(names: Sequence[str]) -> tuple[str, ...]:
    """Write names with spaces for underscores, unless two would then look alike; number those that do anyway.

    Examples
    --------
    >>> display_names(["train", "night_train"])
    ('train', 'night train')
    >>> display_names(["a_b", "a b"])
    ('a_b', 'a b')
    """
    spaced = tuple(clean(name).replace("_", " ").strip() or clean(name) for name in names)
    return distinct(spaced if len(set(spaced)) == len(spaced) else tuple(clean(name) for name in names))


def display_width(text: str) -> float:
    """Estimate the width of text in multiples of the font size, on the safe side.

    Examples
    --------
    >>> display_width("train") < display_width("train to Rome")
    True
    """
    return sum(1.1 if unicodedata.east_asian_width(character) in "WF" else 0.6 for character in text)


def slug(text: str, taken: Sequence[str] = ()) -> str:
    """Make a name fit for a file and an HTML id, different from those taken.

    Examples
    --------
    >>> slug("Income, k$"), slug("<script>"), slug("дом"), slug("income", taken=["income"])
    ('income-k', 'script', 'group', 'income-2')
    """
    plain = (
        re.sub(r"[^a-z0-9]+", "-", unicodedata.normalize("NFKD", text).lower()).strip("-")[:40].strip("-") or "group"
    )
    found, number = plain, 2
    while found in taken:
        found, number = f"{plain}-{number}", number + 1
    return found
