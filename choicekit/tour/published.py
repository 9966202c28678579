"""Numbers that stand in print about rows of utilities, and the rows they are about."""

from __future__ import annotations

import numpy as np

from choicekit.tour.claims import FloatArray, Published

__all__ = ["PRINTED", "printed_about"]

PRINTED: dict[tuple[float, ...], dict[str, tuple[str, tuple[str, ...]]]] = {
    (0, 1, -4, 2, 7): {
        "softmax": ("softmax at T = 1", (".00090272", ".00245386", ".00001653", ".00667028", ".98995661")),
        "maximum": ("maximum", ("7",)),
        "inclusive_value": ("log-sum-exp", ("7.01009416490667",)),
    },
    (1, 2, 3, 4, 5): {
        "boltzmann": ("inner product of softmax and utilities", ("4.4519",)),
        "rounded_first": ("inner product where softmax is rounded first", ("4.46",)),
    },
    (1, 2, 3, 5, 5): {
        "softmax": ("softmax at T = 1", (".00831", ".02260", ".06142", ".45383", ".45383")),
        "by_value": ("exp((u - lse) / T) of the tied best at T = 1e-12", (".50018", ".50018")),
        "by_maximum": ("the same with the maximum subtracted", (".5", ".5")),
    },
    (1, 1, 2, 3.4, -0.1, 3, 1.6): {
        "softmax": ("softmax at T = 1", (".0395", ".0395", ".1075", ".4359", ".0132", ".2922", ".0721")),
    },
}
"""By utilities: what is printed of them. The tour's examples; every digit is held against what we compute."""

_CUT = {((1, 2, 3, 5, 5), "softmax")}
"""Where the print has cut digits: .453836... stands there as .45383."""


def printed_about(utility: FloatArray, **computed: FloatArray | float) -> tuple[Published, ...]:
    """Return what is printed about a row of utilities beside what was computed; nothing for other rows.

    Parameters
    ----------
    utility : ndarray (J,)
    **computed : ndarray or float
        What was computed, by the names in `PRINTED`.

    Examples
    --------
    >>> [entry.printed for entry in printed_about(np.array([0.0, 1, -4, 2, 7]), maximum=7.0)]
    [('7',)]
    >>> printed_about(np.array([0.0, 1.0]), maximum=1.0)
    ()
    """
    row = tuple(utility.tolist())
    known = PRINTED.get(row, {})
    return tuple(
        Published(
            name=name,
            quantity=known[name][0],
            printed=known[name][1],
            computed=np.atleast_1d(value),
            cut=(row, name) in _CUT,
        )
        for name, value in computed.items()
        if name in known
    )
