"""Plain values as JSON that every reader takes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["json_bytes"]


def json_bytes(values: Mapping[str, Any]) -> bytes:
    r"""Write values as JSON in UTF-8, null for what is no number.

    Parameters
    ----------
    values : mapping
        Numbers, text, truth values, None, and lists and mappings of these; NumPy's scalars too.

    Returns
    -------
    bytes

    Raises
    ------
    TypeError
        For a value of any other type: guessing how to write it would hide a mistake.

    Examples
    --------
    >>> json_bytes({"rows": np.int64(5), "share": float("nan")})
    b'{\n  "rows": 5,\n  "share": null\n}\n'
    """
    text = json.dumps(_plain(values), ensure_ascii=False, indent=2, allow_nan=False)
    # Half a surrogate pair has no UTF-8; escaped, it is JSON.
    return f"{text}\n".encode("utf-8", "backslashreplace")


def _plain(value: Any) -> Any:
    """Return the value with null for what is no number: JSON has no nan and no infinity."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
