"""Make digits_logits.parquet: logits of a multinomial logit on scikit-learn's digits, classes 7 to 9 held out.

The model is fitted to every other image of the classes 0 to 6, in file order ("training"). The other images of these
classes are in turn "calibration" and "test": the model has seen neither, so that they are alike. Images of 7, 8 and 9
are "held_out_7", "held_out_8" and "held_out_9". Made with scikit-learn 1.9.1; the file's metadata say so, too.

    python scenarios/data/make_digits.py        (needs scikit-learn, part of the `dev` extra)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sklearn
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

KNOWN = 7  # classes 0 to 6


def main() -> None:
    """Fit the model and write the table beside this script."""
    pixels, digits = load_digits(return_X_y=True)
    known = np.flatnonzero(digits < KNOWN)
    model = LogisticRegression(C=10, max_iter=200).fit(pixels[known[::2]] / 16, digits[known[::2]])
    part = np.array([f"held_out_{digit}" for digit in digits], dtype=object)
    part[known[::2]] = "training"
    part[known[1::2][::2]] = "calibration"
    part[known[1::2][1::2]] = "test"
    logits = model.decision_function(pixels / 16)
    columns: dict[str, pa.Array] = {
        "image": pa.array(np.arange(digits.size, dtype=np.int16)),
        "digit": pa.array([str(digit) for digit in digits]),
        "part": pa.array(part.tolist()),
    }
    columns |= {f"logit_{place}": pa.array(logits[:, place]) for place in range(KNOWN)}
    columns |= {f"pixel_{place:02d}": pa.array(pixels[:, place].astype(np.int8)) for place in range(pixels.shape[1])}
    table = pa.table(columns).replace_schema_metadata({"made with": f"scikit-learn {sklearn.__version__}"})
    pq.write_table(table, Path(__file__).with_name("digits_logits.parquet"), compression="zstd")


if __name__ == "__main__":
    main()
