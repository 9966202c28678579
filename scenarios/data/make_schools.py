"""Make the neighbourhoods and schools of scenarios/school_choice.yaml: a made-up town, the same at every run.

Run it with: python scenarios/data/make_schools.py [FOLDER]. It writes neighbourhoods.csv and schools.csv.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

SEED, PUPILS, NEIGHBOURHOODS, SCHOOLS, SPARE = 20261124, 3_000, 24, 40, 1.06
ACROSS = 12.0  # kilometres
DISTRICTS = ("Harbour", "Old Town", "Hillside", "Meadows")


def main(folder: Path) -> None:
    """Write both tables."""
    rng = np.random.default_rng(SEED)
    corners = np.array([(0.25, 0.25), (0.55, 0.5), (0.75, 0.8), (0.3, 0.75)]) * ACROSS
    district = np.arange(NEIGHBOURHOODS) % len(DISTRICTS)
    where = corners[district] + rng.normal(scale=1.2, size=(NEIGHBOURHOODS, 2))
    shares = rng.dirichlet(np.full(NEIGHBOURHOODS, 6.0))
    pupils = rng.multinomial(PUPILS, shares)
    neighbourhoods = pd.DataFrame(
        {
            "neighbourhood": [f"{DISTRICTS[k]} {1 + place // len(DISTRICTS)}" for place, k in enumerate(district)],
            "district": [DISTRICTS[k] for k in district],
            "pupils": pupils,
            "x": where[:, 0].round(2),
            "y": where[:, 1].round(2),
        }
    )
    of_school = rng.choice(len(DISTRICTS), size=SCHOOLS, p=[0.2, 0.4, 0.25, 0.15])
    places = corners[of_school] + rng.normal(scale=1.3, size=(SCHOOLS, 2))
    # good schools stand where few pupils live: that is what the mechanisms have to share out
    quality = rng.normal(scale=0.8, size=SCHOOLS) + np.array([-0.3, 0.4, 0.5, -0.4])[of_school]
    seats = rng.multinomial(round(SPARE * PUPILS) - 30 * SCHOOLS, rng.dirichlet(np.full(SCHOOLS, 8.0))) + 30
    schools = pd.DataFrame(
        {
            "school": [f"School {number:02d}" for number in range(1, SCHOOLS + 1)],
            "district": [DISTRICTS[k] for k in of_school],
            "seats": seats,
            "quality": quality.round(2),
            "x": places[:, 0].round(2),
            "y": places[:, 1].round(2),
        }
    )
    neighbourhoods.to_csv(folder / "neighbourhoods.csv", index=False, lineterminator="\n")
    schools.to_csv(folder / "schools.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
