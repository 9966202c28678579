"""Temperatures, margins, heads and distances: against grids, finite differences and other solvers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from choicekit.detection.distance import AttributeReference
from choicekit.detection.head import train_head
from choicekit.detection.margins import EnergyMargins, margin_loss
from choicekit.detection.scores import energy
from choicekit.detection.temperature import fit_temperature
from choicekit.errors import IdentificationError, InvalidInputError, ShapeError
from tests.tolerances import FINITE_DIFFERENCE, MONTE_CARLO


def labelled(n: int, j: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, j)) * 2
    return logits, (logits / temperature + rng.gumbel(size=(n, j))).argmax(axis=1)


def log_likelihood(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    scaled = logits / temperature
    return float(np.sum(scaled[np.arange(len(labels)), labels] + energy(scaled)))


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1.0, 1e6, 1e200])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
def test_the_fitted_temperature_is_the_best(temperature: float, scale: float) -> None:
    logits, labels = labelled(400, 5, temperature)
    fit = fit_temperature(logits * scale, labels)
    best = optimize.minimize_scalar(
        lambda log_t: -log_likelihood(logits, labels, np.exp(log_t)), bounds=(-4, 5), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    assert fit.converged
    assert fit.temperature == pytest.approx(
        np.exp(best.x) * scale, rel=1e-6
    )  # a minimum is known to a root of rounding
    assert fit.log_likelihood == pytest.approx(-best.fun, rel=1e-12)
    if scale == 1:
        assert fit.log_likelihood_at_1 == pytest.approx(log_likelihood(logits, labels, 1.0), rel=1e-12)


def test_the_standard_error_is_that_of_estimates() -> None:
    fits = [fit_temperature(*labelled(500, 4, 1.5, seed)) for seed in range(200)]
    estimates = np.array([fit.temperature for fit in fits])
    spread, stated = estimates.std(ddof=1), np.mean([fit.standard_error for fit in fits])
    assert abs(spread / stated - 1) < MONTE_CARLO / np.sqrt(2 * len(fits))
    assert abs(estimates.mean() - 1.5) < MONTE_CARLO * spread / np.sqrt(len(fits)) + 0.01  # and a bias of 1 / n


@pytest.mark.parametrize(
    ("logits", "labels", "error", "message"),
    [
        ([[1.0, 0.0], [0.0, 3.0]], [0, 1], IdentificationError, "every label has the largest logit"),
        ([[1.0, 0.0], [0.0, 3.0]], [1, 0], IdentificationError, "no higher logits than other classes"),
        ([[1.0, 1.0], [3.0, 3.0]], [1, 0], IdentificationError, "no higher logits than other classes"),
        ([[1.0, 0.0]], [2], InvalidInputError, "labels must be classes from 0 to 1"),
        ([[1.0, 0.0]], [0.5], InvalidInputError, "labels must be classes"),
        ([[1.0, 0.0]], [0, 1], ShapeError, "one class a row"),
        (np.empty((0, 2)), [], ShapeError, "table of logits with rows"),
    ],
)
def test_what_has_no_temperature_is_told(logits: object, labels: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fit_temperature(logits, labels)


# --- margins --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("margins", [EnergyMargins(-3.0, -2.0), EnergyMargins(-23.0, 5.0), EnergyMargins(-1.0, 0.0)])
def test_the_gradient_of_the_loss_is_exact(temperature: float, margins: EnergyMargins) -> None:
    rng = np.random.default_rng(1)
    known, other, labels = rng.normal(size=(6, 4)) * 2, rng.normal(size=(5, 4)), np.array([0, 1, 2, 3, 0, 1])

    def value(a: np.ndarray, b: np.ndarray) -> float:
        return margin_loss(a, labels, b, margins, weight=0.3, temperature=temperature).value

    found = margin_loss(known, labels, other, margins, weight=0.3, temperature=temperature)
    step = 1e-6
    for table, gradient, at in ((known, found.gradient, 0), (other, found.ood_gradient, 1)):
        for place in np.ndindex(table.shape):
            moved = np.zeros_like(table)
            moved[place] = step
            ends = [
                value(*(known + sign * moved, other) if at == 0 else (known, other + sign * moved)) for sign in (1, -1)
            ]
            assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(gradient[place], abs=FINITE_DIFFERENCE)


def test_the_loss_is_what_the_paper_writes() -> None:
    known, other = np.array([[4.0, 0.0], [0.5, 0.0]]), np.array([[2.0, 2.0], [-3.0, -3.0]])
    found = margin_loss(known, [0, 1], other, EnergyMargins(-3.0, -1.0))
    inside, outside = energy(known), energy(other)
    penalty = np.mean(np.maximum(inside + 3, 0) ** 2) + np.mean(np.maximum(-1 - outside, 0) ** 2)
    entropy = np.mean(np.log1p(np.exp([-4.0, 0.5])))
    assert found.penalty == pytest.approx(penalty, rel=1e-14)
    assert found.cross_entropy == pytest.approx(entropy, rel=1e-14)
    assert found.value == pytest.approx(entropy + 0.1 * penalty, rel=1e-14)


def test_margins_that_cannot_be_are_refused() -> None:
    assert EnergyMargins.from_quantiles([-9.0, -8.0, -7.0], [-3.0, -2.0, -1.0], 1.0) == EnergyMargins(-7.0, -3.0)
    for ends in ((-1.0, -1.0), (0.0, -1.0), (np.nan, 1.0), (-np.inf, 1.0)):
        with pytest.raises(InvalidInputError, match="inside below outside"):
            EnergyMargins(*ends)
    with pytest.raises(InvalidInputError, match="inside below outside"):
        EnergyMargins.from_quantiles([1.0], [0.0])
    with pytest.raises(InvalidInputError, match="found none of one"):
        EnergyMargins.from_quantiles([], [0.0])
    with pytest.raises(InvalidInputError, match="quantile must be"):
        EnergyMargins.from_quantiles([0.0], [1.0], 2.0)
    with pytest.raises(ShapeError, match="same classes"):
        margin_loss([[1.0, 2.0]], [0], [[1.0, 2.0, 3.0]], EnergyMargins(0, 1))
    with pytest.raises(InvalidInputError, match="weight must be"):
        margin_loss([[1.0, 2.0]], [0], [[1.0, 2.0]], EnergyMargins(0, 1), weight=-1.0)


# --- heads ----------------------------------------------------------------------------------------------------------


def blobs(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 300)
    centres = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 3.0]])
    return centres[labels] + rng.normal(size=(300, 2)), labels, rng.normal(size=(150, 2)) * 0.7 + [0.0, -4.0]


def test_without_margins_it_is_the_multinomial_logit() -> None:
    features, labels, _ = blobs()
    head = train_head(features, labels, penalty=0.01)

    def loss(flat: np.ndarray) -> float:
        table = flat.reshape(3, 3)
        logits = features @ table[:, :2].T + table[:, 2]
        fit = np.mean(-energy(logits) - logits[np.arange(300), labels])
        return fit + 0.005 * np.sum(table[:, :2] ** 2)

    other = optimize.minimize(loss, np.zeros(9), method="BFGS", options={"gtol": 1e-8})
    assert head.converged
    assert head.loss == pytest.approx(other.fun, abs=1e-9)
    np.testing.assert_allclose(head.coefficients, other.x.reshape(3, 3)[:, :2], atol=1e-4)
    assert np.mean(head.logits(features).argmax(axis=1) == labels) > 0.9


def test_margins_pull_energies_apart() -> None:
    features, labels, strange = blobs()
    before = train_head(features, labels)
    margins = EnergyMargins.from_quantiles(energy(before.logits(features)), energy(before.logits(strange)) + 10)
    after = train_head(features, labels, ood_features=strange, margins=margins, weight=1.0, start=before)

    def gap(head) -> float:
        return float(energy(head.logits(strange)).mean() - energy(head.logits(features)).mean())

    assert after.converged
    assert gap(after) > gap(before) + 2
    assert np.mean(after.logits(features).argmax(axis=1) == labels) > 0.9


def test_heads_refuse_what_they_cannot_be_trained_on() -> None:
    features, labels, strange = blobs()
    with pytest.raises(InvalidInputError, match="give both or none"):
        train_head(features, labels, ood_features=strange)
    with pytest.raises(ShapeError, match="same for all rows, found 2 and 1"):
        train_head(features, labels, ood_features=strange[:, :1], margins=EnergyMargins(0, 1))
    with pytest.raises(InvalidInputError, match="penalty must be"):
        train_head(features, labels, penalty=0.0)
    with pytest.raises(InvalidInputError, match="found nan in row 3, column 1"):
        train_head(np.where(np.arange(600).reshape(300, 2) == 7, np.nan, features), labels)
    with pytest.raises(ShapeError, match="table with rows and columns"):
        train_head(features[0], labels)


# --- distances ------------------------------------------------------------------------------------------------------


def test_distances_do_not_depend_on_units() -> None:
    rng = np.random.default_rng(2)
    known = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 3))
    new = rng.normal(size=(10, 3))
    turn = np.diag([1e-6, 1.0, 1e9])
    one = AttributeReference.fit(known).distance(new)
    other = AttributeReference.fit(known @ turn + 5).distance(new @ turn + 5)
    np.testing.assert_allclose(one, other, rtol=1e-6)  # 5 beside 1e-6 leaves ten digits
    gap = new - known.mean(axis=0)
    expected = np.sqrt(np.einsum("ni,ij,nj->n", gap, np.linalg.inv(np.cov(known.T)), gap))
    np.testing.assert_allclose(one, expected, rtol=1e-9)


def test_attributes_that_determine_each_other_are_named() -> None:
    rng = np.random.default_rng(3)
    table = rng.normal(size=(50, 3))
    table[:, 2] = 2 * table[:, 0] - 1
    with pytest.raises(IdentificationError, match="found that 'a', 'c' do: leave one of them out"):
        AttributeReference.fit(table, ["a", "b", "c"])
    table[:, 1] = 7.0
    with pytest.raises(IdentificationError, match="found constant 'b'"):
        AttributeReference.fit(table, ["a", "b", "c"])
    with pytest.raises(InvalidInputError, match="needs at least 4 reference rows, found 3"):
        AttributeReference.fit(table[:3])
    with pytest.raises(ShapeError, match="one name an attribute"):
        AttributeReference.fit(table, ["a"])
    with pytest.raises(InvalidInputError, match="found inf in row 0, column 0"):
        AttributeReference.fit([[np.inf], [1.0], [2.0]])
    with pytest.raises(ShapeError, match="the reference has 1 attributes"):
        AttributeReference.fit([[0.0], [1.0]]).distance([[1.0, 2.0]])
