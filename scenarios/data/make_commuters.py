"""Make commuters.csv, the travellers of scenarios/transit_crowding.yaml: a made-up line, the same at every run.

Run it with: python scenarios/data/make_commuters.py [TARGET]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

SEED, PEOPLE = 20261125, 1_500


def main(target: Path) -> None:
    """Write the table."""
    rng = np.random.default_rng(SEED)
    shift = rng.choice(3, size=PEOPLE, p=[0.2, 0.6, 0.2])
    wanted = np.array([420.0, 475.0, 520.0])[shift] + rng.normal(scale=14.0, size=PEOPLE)
    commuters = pd.DataFrame(
        {
            "person": np.arange(1, PEOPLE + 1),
            "wanted": wanted.round(),  # minutes after midnight at which they would like to leave
            "work": np.array(["early", "office", "late"])[shift],
            "fare": 3,
            "car": (rng.random(PEOPLE) < 0.55).astype(int),
            "season_ticket": (rng.random(PEOPLE) < np.array([0.3, 0.6, 0.4])[shift]).astype(int),
        }
    )
    commuters.to_csv(target, index=False, lineterminator="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("commuters.csv"))
