"""Calibration: constants at which the expected shares of alternatives meet given ones.

::

    shares, constants ──▶ targets.py    what is to be met, and which coefficients may move
                              │
    population        ──▶ crowd.py      who chooses; shares, value and Jacobian at given constants, block by block
                              │
                          reachable.py  can the shares be met at all?
                              │
                          newton.py     move the constants until they are
                              │
                          calibrating.py  ──▶ Calibration (result.py)
"""

from choicekit.choice.calibration.calibrating import calibrate_constants
from choicekit.choice.calibration.result import Calibration

__all__ = ["Calibration", "calibrate_constants"]
