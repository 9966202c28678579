"""How work is run: blocks of rows, passes over them, local threads. Knows nothing of choices."""

from choicekit.execution.blocks import BLOCK_SIZE, Block, blocks_of
from choicekit.execution.local import LocalThreads, available_workers
from choicekit.execution.passes import Executor, Mergeable, Pass, Progress, run_pass, run_passes

__all__ = [
    "BLOCK_SIZE",
    "Block",
    "Executor",
    "LocalThreads",
    "Mergeable",
    "Pass",
    "Progress",
    "available_workers",
    "blocks_of",
    "run_pass",
    "run_passes",
]
