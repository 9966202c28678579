"""How kernels are compiled, kept on disk, renewed, and replaced by their twins."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from choicekit.kernels import compiling, engine, inlined, kernel, over_rows

with_numba = pytest.mark.skipif(engine() == "numpy", reason="no compiled loops here")


def twice_by_numpy(values, out):
    out[:] = 2 * values + 1000  # told apart from the loop


@inlined
def _two():
    return 2.0


def twice(values, out):
    for place in range(values.size):
        out[place] = _two() * values[place]


def run(made, values) -> list[float]:
    out = np.empty(len(values))
    made(np.asarray(values, dtype=np.float64), out)
    return out.tolist()


@pytest.fixture
def made():
    return kernel("const float64[1]", "float64[1]", twin=twice_by_numpy)(twice)


@with_numba
def test_a_kernel_runs_its_loop_and_says_once_that_it_compiles_where_that_takes_a_while(made, caplog, monkeypatch):
    monkeypatch.setattr(compiling, "_PATIENCE", 0.0)
    monkeypatch.setattr(compiling, "_say_compiling", cache(compiling._say_compiling.__wrapped__))
    with caplog.at_level(logging.INFO, logger="choicekit"):
        assert run(made, [1.0, 3.0]) == [2.0, 6.0]
        assert run(made, [1.0, 3.0]) == [2.0, 6.0]
    assert [record.getMessage() for record in caplog.records] == [
        "compiling loops for this machine: some seconds, once"
    ]


@with_numba
def test_nothing_is_said_where_it_takes_no_time(made, caplog, monkeypatch):
    monkeypatch.setattr(compiling, "_PATIENCE", 60.0)
    with caplog.at_level(logging.INFO, logger="choicekit"):
        run(made, [1.0])
    assert not caplog.records


def test_without_numba_the_twin_runs(made, monkeypatch):
    monkeypatch.setattr(compiling, "_numba", lambda: None)
    assert run(made, [1.0, 3.0]) == [1002.0, 1006.0]
    assert engine() == "numpy"
    assert made.twin is twice_by_numpy


@with_numba
def test_the_engine_is_named_with_its_version():
    import numba

    assert engine() == f"numba {numba.__version__}"


@with_numba
def test_threads_that_need_a_kernel_at_once_compile_it_once(made, caplog):
    found = []
    threads = [threading.Thread(target=lambda: found.append(run(made, [1.0]))) for _ in range(4)]
    with caplog.at_level(logging.DEBUG, logger="choicekit"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [[2.0]] * 4
    assert sum("is made ready" in record.getMessage() for record in caplog.records) == 1


@with_numba
def test_a_kernel_reads_arrays_that_may_not_be_written(made):
    values = np.array([1.0, 3.0])
    values.setflags(write=False)
    assert run(made, values) == [2.0, 6.0]


@with_numba
@pytest.mark.parametrize(
    "values", [np.arange(6.0)[::2], np.arange(3), np.zeros((2, 2))], ids=["strided", "whole", "table"]
)
def test_a_kernel_refuses_arrays_of_another_kind(made, values):
    with pytest.raises(TypeError):
        made(values, np.empty(3))


@with_numba
def test_a_type_that_is_none_is_refused():
    with pytest.raises(ValueError, match="a type such as"):
        kernel("array of floats", twin=twice_by_numpy)(twice).compiled()


@with_numba
def test_a_kernel_is_compiled_also_where_nothing_can_be_kept(made, monkeypatch, caplog):
    def refuse(function):
        raise OSError("read-only file system")

    monkeypatch.setattr(compiling, "_stamped", refuse)
    with caplog.at_level(logging.DEBUG, logger="choicekit"):
        assert run(made, [1.0]) == [2.0]
    assert "without being kept on disk (read-only file system)" in caplog.text


PACKAGE = {
    "choicekit/__init__.py": "",
    "choicekit/caller_kernels.py": """
from choicekit.helper_kernels import amount
from choicekit.kernels import kernel

@kernel("float64[1]", twin=None)
def fill(out):
    for place in range(out.size):
        out[place] = amount()
""",
    "choicekit/helper_kernels.py": """
from choicekit.kernels import inlined

@inlined
def amount():
    return 1.0
""",
}
PROBE = """
import json, sys
import numpy as np
from choicekit.caller_kernels import fill
out = np.empty(1)
fill(out)
hits = sum(fill._compiled.stats.cache_hits.values())
print(json.dumps([out[0], hits]))
"""


@with_numba
@pytest.mark.slow
def test_what_is_kept_on_disk_is_renewed_when_a_function_of_another_file_changes(tmp_path):
    source = Path(compiling.__file__).parent
    for name, text in PACKAGE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "choicekit" / "kernels").mkdir()
    for file in source.glob("*.py"):
        (tmp_path / "choicekit" / "kernels" / file.name).write_bytes(file.read_bytes())

    def probe() -> list[float]:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        ran = subprocess.run(
            [sys.executable, "-c", PROBE], check=True, capture_output=True, text=True, cwd=tmp_path, env=environment
        )
        return json.loads(ran.stdout)

    assert probe() == [1.0, 0]  # compiled
    assert probe() == [1.0, 1]  # taken from disk
    helper = tmp_path / "choicekit" / "helper_kernels.py"
    helper.write_text(helper.read_text().replace("1.0", "2.0"))
    assert probe() == [2.0, 0]
    assert probe() == [2.0, 1]


# ---------------------------------------------------------------- threads


@pytest.mark.parametrize("n_rows", [0, 1, 65_535, 65_536, 200_001])
def test_many_rows_are_done_in_portions_each_once(n_rows):
    done = np.zeros(n_rows, dtype=np.int64)

    def work(rows: slice) -> None:
        done[rows] += 1

    over_rows(work, n_rows)
    assert np.all(done == 1)


def test_an_error_in_one_portion_is_raised():
    def work(rows: slice) -> None:
        if rows.start:
            raise RuntimeError("the second portion")

    with pytest.raises(RuntimeError, match="the second portion"):
        over_rows(work, 100_000 if (os.cpu_count() or 1) > 1 else 0) or work(slice(1, 2))
