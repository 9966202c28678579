"""Scores streamed from Parquet beside reading the file, and metrics beside scikit-learn where it is installed."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import choicekit as ck
from tests.benchmarks.kernels import installed

ROWS, CLASSES, BLOCK = 300_000, 1_000, 50_000


def detection_tables(rows: int = ROWS) -> None:
    with tempfile.TemporaryDirectory() as folder:
        streaming_table(Path(folder) / "logits.parquet", rows)
    metrics_table()


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def write(path: Path, rows: int) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    names, rng = [f"u{place}" for place in range(CLASSES)], np.random.default_rng(0)
    schema = pa.schema([(name, pa.float32()) for name in names])
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for _ in range(0, rows, BLOCK):
            block = 3 * rng.standard_normal((CLASSES, BLOCK), dtype=np.float32)
            writer.write_table(pa.table(dict(zip(names, block, strict=True)), schema=schema))


def read(path: Path) -> int:
    from pyarrow import parquet

    return sum(batch.num_rows for batch in parquet.ParquetFile(path).iter_batches(batch_size=16_000))


def streaming_table(path: Path, rows: int) -> None:
    """Compare with reading the same file by the same batches, which is what scoring cannot do without."""
    write(path, rows)
    ck.score_table(np.zeros((2, 2), dtype=np.float32))  # compiled
    read(path)
    size = path.stat().st_size / 1e9
    print(f"\nscore_parquet, {rows:,} x {CLASSES:,} float32, {size:.1f} GB; target: 3 times the time of reading")
    reading = min(seconds(lambda: read(path)) for _ in range(3))
    print(f"  reading {reading:.2f} s")
    for title, methods in (
        ("energy", ["energy"]),
        ("all but gen", ["energy", "msp", "max_logit", "entropy"]),
        ("all", ["energy", "msp", "max_logit", "entropy", "gen"]),
    ):
        spent = min(seconds(lambda methods=methods: ck.score_parquet(path, "u", methods)) for _ in range(2))
        print(f"  {title}: {spent:.2f} s, {spent / reading:.1f}x the time of reading")
    print(f"  most memory so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")


def metrics_table() -> None:
    rng = np.random.default_rng(0)
    for n in (1_000_000, 10_000_000):
        out = rng.random(n) < 0.3
        scores = rng.normal(size=n) + out
        mine = min(seconds(lambda scores=scores, out=out: ck.evaluate_detection(scores, out)) for _ in range(2))
        beside = ""
        if installed("sklearn"):
            from sklearn.metrics import average_precision_score, roc_auc_score

            peer = seconds(lambda out=out, scores=scores: roc_auc_score(out, scores))
            peer += seconds(lambda out=out, scores=scores: average_precision_score(out, scores))
            beside = f"; scikit-learn's AUROC and average precision {peer:.2f} s, {peer / mine:.1f}x"
        print(f"evaluate_detection, {n:,} scores: {mine:.2f} s for all six{beside}")


if __name__ == "__main__":
    detection_tables()
