"""The rules of the Tsallis entropies: softmax (alpha = 1), sparsemax (alpha = 2) and what lies between and beyond."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.kernels import Kernel, over_rows
from choicekit.rules.few_kernels import fill_probabilities_of_few, fill_values_of_few
from choicekit.rules.products import row_products
from choicekit.rules.protocol import FloatArray, Names
from choicekit.rules.racing import temperatures_of
from choicekit.rules.tempered import TemperedRule
from choicekit.rules.tsallis_kernels import fill_threshold_probabilities, fill_threshold_values
from choicekit.rules.utilities import (
    hard_jacobian_product,
    hard_jacobian_sum,
    raise_for_disorder,
    row_sum,
    unchecked_utility,
)

__all__ = ["TsallisRule"]

_SQUARABLE = 1e150  # the square of what is below it is in range


class TsallisRule(TemperedRule):
    """Base of the rules with Omega(q) = (sum q^alpha - 1) / (alpha (alpha - 1)); at alpha = 1 its limit, sum q log q.

    A rule derived from it has an attribute `alpha`. At alpha = 1 it gives value, probabilities and conjugate itself.

    Notes
    -----
    Omega is a sum over alternatives, so the Jacobian of the probabilities is (diag(s) - s s' / sum s) / T, where
    s = 1 / omega''(q) = q^(2 - alpha) for what is chosen and 0 for the rest: the derivative as long as the set of the
    chosen stays the same.
    """

    alpha: float

    @property
    def sparse(self) -> bool:
        """Whether an alternative of finite utility may have probability 0 at T > 0."""
        return self.alpha > 1

    @property
    def why_not_coherent(self) -> str:
        """Why no additive noise makes these choices, in a few words."""
        return "no noise drawn for each alternative by itself gives these probabilities" if self.sparse else ""

    def value(
        self, utility: npt.ArrayLike, availability: npt.ArrayLike | None = None, *, alternatives: Names = None
    ) -> FloatArray:
        """Return the soft maximum of each row (inclusive value, "logsum"), in units of utility.

        See `RegularisedRule.value` for arguments, result and errors.
        """
        values = unchecked_utility(utility, availability)
        return self._over(alternatives, values)._value(values)[()]

    def probabilities(
        self, utility: npt.ArrayLike, availability: npt.ArrayLike | None = None, *, alternatives: Names = None
    ) -> FloatArray:
        """Return the choice probabilities, the gradient of `value`.

        See `RegularisedRule.probabilities` for arguments, result and errors.
        """
        values = unchecked_utility(utility, availability)
        return self._over(alternatives, values)._probabilities(values)

    def _value(self, utility: FloatArray) -> FloatArray:
        fill = fill_threshold_values if self.alpha <= 2 else fill_values_of_few
        return self._values_by(fill, utility, self.alpha)

    def _probabilities(self, utility: FloatArray) -> FloatArray:
        fill = fill_threshold_probabilities if self.alpha <= 2 else fill_probabilities_of_few
        return self._probabilities_by(fill, utility, self.alpha)

    def _values_by(self, fill: Kernel, utility: FloatArray, *settings: float) -> FloatArray:
        out = np.empty(utility.shape[:-1])
        self._fill(fill, utility, out.reshape(-1), settings)
        return out

    def _probabilities_by(self, fill: Kernel, utility: FloatArray, *settings: float) -> FloatArray:
        out = np.empty(utility.shape)
        self._fill(fill, utility, out.reshape(-1, utility.shape[-1]), settings)
        return out

    def _fill(self, fill: Kernel, utility: FloatArray, out: FloatArray, settings: tuple[float, ...]) -> None:
        """Have a kernel fill in what is asked of rows, (n,) or (n, J), where one that is not in order shows as nan."""
        table = np.ascontiguousarray(utility).reshape(-1, utility.shape[-1])
        temperatures = temperatures_of(self._fitted_temperature(utility))
        wrong = []

        def work(rows: slice) -> None:
            theirs = temperatures if temperatures.size == 1 else temperatures[rows]
            fill(table[rows], theirs, *settings, out[rows])
            if np.isnan(out[rows] if out.ndim == 1 else out[rows, 0]).any():
                wrong.append(rows)

        over_rows(work, len(table))
        if wrong:
            raise_for_disorder(utility)

    def _jacobian_product(self, utility: FloatArray, direction: FloatArray) -> FloatArray:
        p = self._probabilities(utility)
        most = np.where(p > 0, p if self.alpha <= 2 else -p, -np.inf).argmax(axis=-1)[..., None]  # s is largest there
        # what moves most is measured against the others, and they from it: so nothing is lost where it moves far more
        # than they do, nor to what lifts all alike
        ratios = self._weights(p / np.take_along_axis(p, most, axis=-1))
        top = np.broadcast_to(most, (*direction.shape[:-1], 1))
        step = direction - np.take_along_axis(direction, top, axis=-1)
        with np.errstate(over="ignore", invalid="ignore"):
            apart = step - (row_sum(ratios * step) / row_sum(ratios))[..., None]
            change = np.where(apart == 0, 0.0, self._weights(p) * apart)
            np.put_along_axis(change, top, 0.0, axis=-1)
            np.put_along_axis(change, top, -row_sum(change)[..., None], axis=-1)
        return self._per_temperature(change, utility)

    def _per_temperature(self, change: FloatArray, utility: FloatArray) -> FloatArray:
        temperature = np.asarray(self._fitted_temperature(utility))[..., None]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return np.where(temperature > 0, change / temperature, hard_jacobian_product(utility))

    def _jacobian_sum(self, utility: FloatArray, weights: FloatArray) -> FloatArray:
        temperature = np.broadcast_to(self._fitted_temperature(utility), weights.shape)
        soft, n_alternatives = temperature > 0, utility.shape[-1]
        coldest = temperature.min(initial=np.inf, where=soft)
        s = self._weights(self._probabilities(utility)).reshape(-1, n_alternatives)
        if not np.all(s < _SQUARABLE):
            return super()._jacobian_sum(utility, weights)
        with np.errstate(divide="ignore", invalid="ignore"):  # at T = 0 what is soft counts for nothing
            counts = np.where(soft, weights * (coldest / temperature), 0.0).reshape(-1, 1)
        pairs = row_products(counts * (s / row_sum(s)[:, None]), s)
        # the diagonal, sum w s (1 - s / sum s) / T, keeps its digits as a sum over the others; the 1 would lose them
        total = -(pairs + pairs.T) / 2
        np.fill_diagonal(total, 0.0)
        np.fill_diagonal(total, -total.sum(axis=1))
        with np.errstate(over="ignore"):
            total = np.asarray(total / coldest + 0.0)
        return total if soft.all() else total + hard_jacobian_sum(utility, np.where(soft, 0.0, weights))

    def _weights(self, p: FloatArray) -> FloatArray:
        """Return s = p^(2 - alpha), 0 where p is."""
        if self.alpha == 1:
            return p
        with np.errstate(over="ignore", divide="ignore"):
            return np.where(p > 0, p ** (2 - self.alpha), 0.0)

    def _conjugate(self, probabilities: FloatArray) -> FloatArray:
        temperature, beta = self._fitted_temperature(probabilities), self.alpha - 1
        chosen = np.where(probabilities > 0, probabilities, 1.0)
        # a sum of terms that are 0 for what is certain: sum q^alpha - 1 would be a difference of numbers near 1
        terms = np.where(probabilities > 0, probabilities * np.expm1(beta * np.log(chosen)), 0.0)
        return np.asarray(temperature * (terms.sum(axis=-1) / (self.alpha * beta)))

    def _largest_gap(self, n: int) -> float | FloatArray:
        beta = self.alpha - 1
        return np.asarray(self.temperature * (-np.expm1(-beta * np.log(n)) / (self.alpha * beta)))
