"""What many policies share: the first are shown in full, more are folded away, the rest is left to the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from choicekit.report.content import Block, Details, Prose
from choicekit.report.kinds.choice.comparison.view import ComparisonView, PolicyView

__all__ = ["in_full", "shown_policies"]

_MOST_OPEN = 4
_MOST_SHOWN = 12
_LONG = 10  # figures of more alternatives than this are large, so that fewer of them make a page


def shown_policies(compared: ComparisonView) -> tuple[PolicyView, ...]:
    """Return the policies that get figures of their own: those with the largest effects, in the order given."""
    ranked = compared.ranked[: _MOST_SHOWN if len(compared.names) <= _LONG else _MOST_OPEN]
    return tuple(policy for policy in compared.policies if policy in ranked)


def in_full(compared: ComparisonView, blocks_of: Callable[[PolicyView], Sequence[Block]], what: str) -> list[Block]:
    """Show blocks for each policy: open for the four with the largest effects, folded for some more.

    Parameters
    ----------
    compared : ComparisonView
    blocks_of : callable
        Returns the blocks of a policy.
    what : str
        What the blocks show, for the heads of what is folded.
    """
    leading: tuple[PolicyView, ...] = compared.ranked[:_MOST_OPEN]
    blocks: list[Block] = []
    for policy in shown_policies(compared):
        if policy in leading:
            blocks += blocks_of(policy)
    for policy in shown_policies(compared):
        if policy not in leading:
            blocks.append(Details(summary=f"{policy.short}: {what}", blocks=tuple(blocks_of(policy))))
    left = len(compared.policies) - len(shown_policies(compared))
    if left > 0:
        noun = "policy" if left == 1 else "policies"
        blocks.append(Prose(f"For {left} more {noun}, with smaller effects, {what} is in tables/ only."))
    return blocks
