"""Whether shares can be met at all, whatever the constants: the limits that availability sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.choice.calibration.crowd import Choosers, Crowd
from choicekit.choice.calibration.targets import Targets
from choicekit.errors import UnreachableShareError

__all__ = ["Reach", "check_reachable", "reach_of"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_FEW = 12  # alternatives up to which every set of them is looked at: 4,096 sets
_SAME = 1e-12  # what two ways to write the same share may differ by
_ROUNDING = 1e-14  # relative, of a sum of weights: a share this close to a limit is at it


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Reach:
    """Who has what available, by weight.

    Attributes
    ----------
    weight, idle_weight : float
        Of the rows that choose, and of those with nothing available.
    sets : tuple of ndarray
        Sets of alternatives, as positions, the small ones first.
    captive, free : ndarray (S,)
        Parts of the choosing weight that have nothing outside a set available, and that have something inside and
        something outside.
    """

    weight: float
    idle_weight: float
    sets: tuple[IntArray, ...]
    captive: FloatArray
    free: FloatArray


def reach_of(crowd: Crowd, n_alternatives: int) -> Reach:
    """Sum up who has what available, for all sets of up to 12 alternatives, else for single ones.

    Parameters
    ----------
    crowd : Crowd
    n_alternatives : int

    Returns
    -------
    Reach
    """
    few = n_alternatives <= _FEW
    count = _patterns if few else _singles
    weight, idle, table = crowd.sums(
        "looking at availability",
        lambda choosers: (np.asarray(choosers.weights.sum()), np.asarray(choosers.idle_weight), count(choosers)),
    )
    part = table / weight if weight > 0 else table
    if not few:
        captive, free = part
        singles = tuple(np.array([place]) for place in range(n_alternatives))
        return Reach(weight=float(weight), idle_weight=float(idle), sets=singles, captive=captive, free=free)
    seen = np.flatnonzero(part)
    codes = np.array(sorted(range(1, 2**n_alternatives - 1), key=int.bit_count), dtype=np.int64)
    inside = np.array([part[seen[seen & ~code == 0]].sum() for code in codes])
    across = np.array([part[seen[(seen & code != 0) & (seen & ~code != 0)]].sum() for code in codes])
    sets = tuple(np.flatnonzero(code >> np.arange(n_alternatives) & 1) for code in codes)
    return Reach(weight=float(weight), idle_weight=float(idle), sets=sets, captive=inside, free=across)


def _patterns(choosers: Choosers) -> FloatArray:
    """Weight by what is available, a bit an alternative."""
    n_alternatives = choosers.utility.shape[1]
    code = (choosers.utility > -np.inf) @ (1 << np.arange(n_alternatives))
    return np.bincount(code, weights=choosers.weights, minlength=2**n_alternatives).astype(np.float64)


def _singles(choosers: Choosers) -> FloatArray:
    """Weight that has each alternative alone, and beside others, (2, J)."""
    available = choosers.utility > -np.inf
    alone = available.sum(axis=1, keepdims=True) == 1
    return np.stack([((available & kind) * choosers.weights[:, None]).sum(axis=0) for kind in (alone, ~alone)])


def check_reachable(reach: Reach, targets: Targets, shares: FloatArray, *, scale: float = 1.0, where: str = "") -> None:
    """Make sure that some constants meet the shares of all given alternatives together.

    Parameters
    ----------
    reach : Reach
    targets : Targets
    shares : ndarray (A,)
        Of the rows that choose.
    scale : float
        What a share of the rows that choose is as a share of all.
    where : str
        Group, for messages.

    Raises
    ------
    UnreachableShareError
        Naming the alternatives whose share is out of reach.

    Notes
    -----
    Shares t can be met where every set S of alternatives takes more than the weight that has nothing else available
    and less than the weight that has any of it available: where c(S) < t(S) < c(S) + f(S), or t(S) = c(S) where nobody
    has something inside as well as outside S (f(S) = 0). This is Hall's condition for the weights of rows to be split
    among what is available to them; since softmax leaves no available alternative without probability, the limits
    themselves are out of reach. With more than 12 alternatives single ones are looked at only.

    References
    ----------
    P. Hall (1935), "On representatives of subsets", Journal of the London Mathematical Society 10.
    """
    wanted = np.zeros(len(targets.alternatives))
    wanted[targets.given] = shares
    is_given = np.isin(np.arange(len(wanted)), targets.given)
    for members, captive, free in zip(reach.sets, reach.captive, reach.free, strict=True):
        if not np.all(is_given[members]):
            continue
        share = wanted[members].sum()
        above, below = share > captive * (1 + _ROUNDING), share < (captive + free) * (1 - _ROUNDING)
        if not (above and below if free > 0 else abs(share - captive) <= _SAME):
            names = tuple(targets.alternatives[place] for place in members)
            raise _unreachable(names, scale * share, scale * captive, scale * free, where)
    if not targets.complete and not shares.sum() < 1:  # where there are many, sets of them are not looked at
        raise _unreachable(targets.names, scale * shares.sum(), 0.0, scale, where)


def _unreachable(names: tuple[str, ...], share: float, captive: float, free: float, where: str) -> Exception:
    who = repr(names[0]) if len(names) == 1 else f"{', '.join(map(repr, names[:-1]))} and {names[-1]!r} together"
    it = "it is" if len(names) == 1 else "one of them is"
    if share > captive + free / 2:
        why = f"{it} available to {captive + free:.6g} of the weight only, and the share must stay below that"
        way_out = "lower it, or make more available"
    else:
        nothing_else = f"{captive:.6g} of the weight has nothing else available"
        why = f"{nothing_else}, and the share must be above that"
        way_out = "raise it, or make something else available"
    if free == 0:
        why, way_out = (
            f"{captive:.6g} of the weight has only that available, and no other has it at all",
            "give that share",
        )
    return UnreachableShareError(
        f"share {share:.6g} of {who} cannot be reached{where}: {why}; {way_out}", alternatives=names
    )
