"""The nearest known name to one that is not known, for the hint of an error message."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterable

__all__ = ["nearest", "suggest"]

_MAX_LENGTH = 60
_MAX_CANDIDATES = 200


def suggest(name: str, candidates: Iterable[str]) -> str:
    """Return a hint naming the candidate nearest to `name`, or nothing where none is near.

    Parameters
    ----------
    name : str
        What was written.
    candidates : iterable of str
        What could have been meant; `name` itself is passed over.

    Returns
    -------
    str
        ``"did you mean 'x'?"``, or ``""``.

    Notes
    -----
    A candidate that differs in upper and lower case only comes first; then the highest
    Ratcliff-Obershelp similarity of the case-folded names, at least 0.6. Ties go to the name that
    sorts first, so that the answer does not depend on the order of `candidates`. Names above 60
    characters get no suggestion, and of many candidates the 200 nearest in length are compared:
    a hostile input costs milliseconds.

    Examples
    --------
    >>> suggest("tme_car", ["time_car", "time_bus", "cost"])
    "did you mean 'time_car'?"
    >>> suggest("COST", ["costs", "cost"])
    "did you mean 'cost'?"
    >>> suggest("speed", ["time", "cost"])
    ''
    """
    found = nearest(name, candidates)
    return f"did you mean {found!r}?" if found is not None else ""


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate nearest to `name`, or None where none is near; see `suggest`.

    Examples
    --------
    >>> nearest("tme_car", ["time_car", "cost"])
    'time_car'
    """
    if len(name) > _MAX_LENGTH:
        return None
    candidates = {candidate for candidate in candidates if candidate != name}
    folded = name.casefold()
    same = [candidate for candidate in candidates if candidate.casefold() == folded]
    if same:
        return min(same)
    shortlist = heapq.nsmallest(
        _MAX_CANDIDATES,
        (candidate for candidate in candidates if len(candidate) <= _MAX_LENGTH),
        key=lambda candidate: (abs(len(candidate) - len(name)), candidate),
    )
    # Sorted before the dictionary is filled: of names equal but for case the first one is kept.
    originals: dict[str, str] = {}
    for candidate in sorted(shortlist):
        originals.setdefault(candidate.casefold(), candidate)
    matches = difflib.get_close_matches(folded, sorted(originals), n=len(originals) or 1, cutoff=0.6)
    if not matches:
        return None
    best = _similarity(folded, matches[0])
    return min(originals[match] for match in matches if _similarity(folded, match) == best)


def _similarity(name: str, candidate: str) -> float:
    # get_close_matches puts the candidate first; the ratio is not symmetric.
    return difflib.SequenceMatcher(None, candidate, name).ratio()
