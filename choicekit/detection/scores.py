"""How unlike anything known a situation is, by its logits: one sign everywhere, larger = more out-of-distribution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.detection.kernels import COLUMNS, fill_scores, fill_scores_of_singles
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.kernels import over_rows
from choicekit.rules import RegularisedRule
from choicekit.rules.utilities import as_floats
from choicekit.suggestions import suggest

if TYPE_CHECKING:
    from choicekit.detection.matching import KLReference

__all__ = [
    "SCORES",
    "Score",
    "check_gen",
    "check_method",
    "check_temperature",
    "checked_logits",
    "energy",
    "ood_score",
    "score_table",
]

FloatArray = npt.NDArray[np.float64]
AnyFloat = npt.NDArray[np.float64] | npt.NDArray[np.float32]

POWER, TOP = 0.1, 100


@dataclass(frozen=True, kw_only=True)
class Score:
    """One way to score a row of logits; larger = more out-of-distribution.

    Attributes
    ----------
    name : str
        As in YAML.
    title : str
        As in reports.
    meaning : str
        The formula in words.
    needs_reference : bool
        Whether it compares with a `KLReference`.
    """

    name: str
    title: str
    meaning: str
    needs_reference: bool = False


_ALL = (
    Score(name="energy", title="energy", meaning="minus T log sum exp(logit / T): minus the inclusive value"),
    Score(name="msp", title="max softmax probability", meaning="probability of all classes but the likeliest"),
    Score(name="max_logit", title="max logit", meaning="minus the largest logit"),
    Score(name="entropy", title="entropy", meaning="Shannon's entropy of the probabilities, in nats"),
    Score(name="gen", title="generalised entropy", meaning="sum over the likeliest 100 classes of (p (1 - p))^0.1"),
    Score(
        name="kl_matching",
        title="KL matching",
        meaning="smallest divergence from the mean probabilities of any class of known rows",
        needs_reference=True,
    ),
    Score(name="value", title="value of the rule", meaning="minus the soft maximum of another rule than softmax"),
)
SCORES: Mapping[str, Score] = MappingProxyType({score.name: score for score in _ALL})
"""Every score by name, in the order of reports."""


def energy(logits: npt.ArrayLike, temperature: float = 1.0) -> FloatArray:
    """Return the energy of each row: larger = more out-of-distribution.

    Parameters
    ----------
    logits : array_like (..., J)
        Of at least two classes, all finite; float32 is read as it is and computed with in float64.
    temperature : float
        At 0 the energy is minus the largest logit.

    Returns
    -------
    ndarray (...)
        In units of the logits.

    Raises
    ------
    InvalidInputError
        For a logit that is not finite (the row is named), or a temperature that is not finite or below 0.
    ShapeError
        For fewer than two classes.

    Notes
    -----
    ``-T log sum_j exp(u_j / T)``, which is minus the inclusive value. Normalised probabilities have thrown it away:
    adding c to all logits takes c off the energy and changes no probability.

    References
    ----------
    Liu, Wang, Owens & Li (2020), "Energy-based out-of-distribution detection", NeurIPS 33, equation 4.

    Examples
    --------
    >>> energy([[2.0, 0.0], [5.0, 3.0]]).round(4)  # the same probabilities, one situation is more familiar
    array([-2.1269, -5.1269])
    """
    return ood_score(logits, "energy", temperature=temperature)


def ood_score(
    logits: npt.ArrayLike,
    method: str = "energy",
    *,
    temperature: float = 1.0,
    rule: RegularisedRule | None = None,
    reference: KLReference | None = None,
    power: float = POWER,
    top: int = TOP,
) -> FloatArray:
    """Return how unlike anything known each row is: larger = more out-of-distribution.

    Parameters
    ----------
    logits : array_like (..., J)
        See `energy`.
    method : {"energy", "msp", "max_logit", "entropy", "gen", "kl_matching", "value"}
        See `SCORES`, and Notes.
    temperature : float
        Of the softmax; not used by ``"max_logit"`` and ``"value"``.
    rule : RegularisedRule, optional
        For ``"value"``: at its own temperature.
    reference : KLReference, optional
        For ``"kl_matching"``.
    power, top : float, int
        For ``"gen"``: the exponent, and over how many of the likeliest classes it adds up.

    Returns
    -------
    ndarray (...)

    Raises
    ------
    InvalidInputError
        As `energy`; also for an unknown method, one whose rule or reference is missing, a power outside (0, 1], or a
        top below 1.
    ShapeError
        For fewer than two classes.

    Notes
    -----
    With p = softmax(u / T): ``"msp"`` is 1 - max p, computed as the sum of the *other* probabilities, so that it tells
    rows apart where max p rounds to 1; ``"max_logit"`` is -max u; ``"entropy"`` is -sum p log p; ``"gen"`` is the sum
    of (p (1 - p))^power over the `top` likeliest; ``"value"`` is minus the rule's soft maximum. A probability that
    underflows makes no nan.

    References
    ----------
    Hendrycks & Gimpel (2017), "A baseline for detecting misclassified and out-of-distribution examples in neural
    networks", ICLR (msp). Hendrycks et al. (2022), "Scaling out-of-distribution detection for real-world settings",
    ICML (max logit, KL matching). Liu, Lochman & Zach (2023), "GEN: pushing the limits of softmax-based
    out-of-distribution detection", CVPR, equation 3.

    Examples
    --------
    >>> ood_score([[2.0, 0.0], [40.0, 0.0]], "msp")
    array([1.19202922e-01, 4.24835426e-18])
    """
    values = checked_logits(logits)
    check_method(method)
    if method == "value":
        if rule is None:
            raise InvalidInputError("the score 'value' needs a rule, such as rule=Sparsemax()")
        return -rule.value(values.astype(np.float64, copy=False))
    if method == "kl_matching":
        if reference is None:
            raise InvalidInputError("the score 'kl_matching' needs a reference: KLReference.fit(known_logits)")
        return reference.divergence(values, temperature=temperature)
    table = values.reshape(-1, values.shape[-1])
    found = score_table(table, [method], temperature=temperature, power=power, top=top)[method]
    return found.reshape(values.shape[:-1])


def score_table(
    logits: npt.ArrayLike,
    methods: Iterable[str] = COLUMNS,
    *,
    temperature: float = 1.0,
    power: float = POWER,
    top: int = TOP,
) -> dict[str, FloatArray]:
    """Return several scores of a table, computed in one pass: larger = more out-of-distribution.

    Parameters
    ----------
    logits : array_like (N, J)
        See `energy`.
    methods : iterable of str
        Of "energy", "msp", "max_logit", "entropy" and "gen".
    temperature, power, top
        As `ood_score`.

    Returns
    -------
    dict of str to ndarray (N,)
        In the order of `methods`.

    Raises
    ------
    InvalidInputError, ShapeError
        As `ood_score`.

    Examples
    --------
    >>> found = score_table([[2.0, 0.0], [1.0, 1.0]], ["entropy", "max_logit"])
    >>> found["entropy"].round(4), found["max_logit"]
    (array([0.3653, 0.6931]), array([-2., -1.]))
    """
    values = checked_logits(logits)
    if values.ndim != 2:
        raise ShapeError(f"a table of logits must have rows and classes, (N, J), found shape {values.shape}")
    names = list(methods)
    for name in names:
        check_method(name, COLUMNS)
    t = check_temperature(temperature)
    check_gen(power, top)
    out = np.empty((len(values), len(COLUMNS)))
    if t == 0:
        _fill_hard(values.astype(np.float64, copy=False), power, top, out)
    else:
        work = fill_scores if values.dtype == np.float64 else fill_scores_of_singles
        wanted = top if "gen" in names else 0
        over_rows(lambda part: work(values[part], t, float(power), wanted, out[part]), *values.shape)
    return {name: np.ascontiguousarray(out[:, COLUMNS.index(name)]) for name in names}


def _fill_hard(logits: FloatArray, power: float, top: int, out: FloatArray) -> None:
    """Fill in the scores of the hard maximum, which tied classes share."""
    highest = logits.max(axis=1)
    ties = np.count_nonzero(logits == highest[:, None], axis=1)
    out[:, 0] = out[:, 2] = -highest
    out[:, 1] = 1.0 - 1.0 / ties
    out[:, 3] = np.log(ties)
    out[:, 4] = np.minimum(ties, top) * (out[:, 1] / ties) ** power


def checked_logits(logits: npt.ArrayLike) -> AnyFloat:
    """Return logits as float64, or as float32 where they are, C-contiguous.

    Raises
    ------
    InvalidInputError
        For anything but finite real numbers; the first row and class that are not are named, counted from 0.
    ShapeError
        For fewer than two classes.
    """
    given = np.asarray(logits)
    values = given if given.dtype == np.float32 else as_floats(given, "logits")
    if values.ndim == 0 or values.shape[-1] < 2:
        raise ShapeError(f"logits must have at least two classes on their last axis, found shape {values.shape}")
    values = np.ascontiguousarray(values)
    table = values.reshape(-1, values.shape[-1])
    step = max(1, 1_000_000 // table.shape[1])
    for start in range(0, len(table), step):
        wrong = ~np.isfinite(table[start : start + step])
        if wrong.any():
            row, place = (int(index) for index in np.argwhere(wrong)[0])
            raise InvalidInputError(
                f"logits must be finite, found {table[start + row, place]} in row {start + row}, class {place} "
                "(counted from 0): leave the row out, or give a class that cannot be chosen a very low logit"
            )
    return values


def check_temperature(temperature: float) -> float:
    """Return a temperature as a float.

    Raises
    ------
    InvalidInputError
        Unless it is one finite number of at least 0.
    """
    found = np.asarray(temperature)
    if found.ndim != 0 or found.dtype.kind not in "iuf" or not np.isfinite(found) or found < 0:
        raise InvalidInputError(f"temperature must be one finite number of at least 0, found {temperature!r}")
    return float(found)


def check_method(method: str, known: Iterable[str] = SCORES) -> None:
    """Raise for a score that is not known.

    Raises
    ------
    InvalidInputError
        With the nearest name that is.
    """
    names = list(known)
    if method not in names:
        raise InvalidInputError(
            f"unknown score {method!r}, {suggest(str(method), names) or 'there are ' + ', '.join(names)}"
        )


def check_gen(power: float, top: int) -> None:
    """Raise for settings of ``"gen"`` that make no sense.

    Raises
    ------
    InvalidInputError
    """
    if not 0 < power <= 1:
        raise InvalidInputError(f"power must be above 0 and at most 1, found {power!r}")
    if isinstance(top, bool) or top != int(top) or top < 1:
        raise InvalidInputError(f"top must be a whole number of at least 1, found {top!r}")
