"""Alternatives that take only so many: prices that make demand fit, and rationing by priority or lottery."""

from __future__ import annotations

from choicekit.choice.capacity.prices import CapacityPrices, price_capacities
from choicekit.choice.capacity.rationing import RationedChoices, ration_choices

__all__ = ["CapacityPrices", "RationedChoices", "price_capacities", "ration_choices"]
