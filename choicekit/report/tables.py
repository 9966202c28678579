"""Tables as CSV files: numbers that read back exactly, text that no spreadsheet takes for a formula."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["csv_bytes"]

_QUOTED = re.compile('[",\r\n]')
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_bytes(frame: pd.DataFrame) -> bytes:
    r"""Write a table as CSV in UTF-8, without its index.

    Parameters
    ----------
    frame : DataFrame
        Numbers, truth values and text; nan and None become empty cells.

    Returns
    -------
    bytes

    Notes
    -----
    Floats are written with the fewest digits that read back as the same number. Text that starts with ``= + - @``, a
    tab or a line break gets an apostrophe in front: spreadsheets would run it otherwise (CWE-1236).

    Examples
    --------
    >>> import pandas as pd
    >>> csv_bytes(pd.DataFrame({"mode": ["air", "=1+1"], "share": [0.1, -2.0]}))
    b"mode,share\nair,0.1\n'=1+1,-2.0\n"
    """
    head = [_text(str(name)) for name in frame.columns]
    columns = [frame[name].tolist() for name in frame.columns]
    rows = ([_cell(value) for value in row] for row in zip(*columns, strict=True))
    return "".join(f"{','.join(row)}\n" for row in (head, *rows)).encode("utf-8", "replace")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else repr(float(value))
    return _text(str(value))


def _text(text: str) -> str:
    safe = f"'{text}" if text.startswith(_FORMULA_STARTS) else text
    # Python's csv module leaves a lone carriage return bare where lines end in line feeds; readers break the row there.
    return f'"{safe.replace(chr(34), chr(34) * 2)}"' if _QUOTED.search(safe) else safe
