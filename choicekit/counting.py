"""Numbers of things in words that fit: one agent, two agents."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """Say how many there are of something, in the singular for one.

    Parameters
    ----------
    number : int
    noun : str
        In the singular, with a plural in s.

    Returns
    -------
    str
        Thousands are set apart by commas.

    Examples
    --------
    >>> counted(1, "row"), counted(0, "row"), counted(12_000, "row")
    ('1 row', '0 rows', '12,000 rows')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
