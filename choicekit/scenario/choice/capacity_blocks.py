"""The block of a choice scenario that says how many its alternatives take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from choicekit.scenario.blocks import Block, Name

__all__ = ["CapacityBlock"]

Places = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class CapacityBlock(Block):
    """Alternatives that take only so many: prices that make expected demand fit, or rationing of what is chosen."""

    limits: Annotated[dict[Name, Places], Field(min_length=1, max_length=1_000)] = Field(
        description="How many each takes, in the units of weights; alternatives that are left out take everybody."
    )
    regimes: Annotated[list[Literal["prices", "rationing"]], Field(min_length=1, max_length=2)] = Field(
        default=["prices", "rationing"],
        description="prices: full alternatives get a price at which demand fits. rationing: they turn away who comes "
        "last, and those choose again among what is left.",
    )
    priority: Name | None = Field(
        default=None,
        description="rationing: column by which full alternatives choose, larger first; by default a lottery.",
    )
    policies: dict[Name, Annotated[dict[Name, Places], Field(min_length=1, max_length=1_000)]] = Field(
        default_factory=dict, description="Other limits under a policy, by its name."
    )
