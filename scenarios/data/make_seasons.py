"""Make seasons.csv: visits in six seasons that share preferences, each with its own abundances.

Preferences are 1.2 * (match of tongue and flower depth) + 0.6 * (same colour), in units of temperature; see
scenarios/seasons.yaml, which learns them back. Run it with: python scenarios/data/make_seasons.py [TARGET]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from choicekit import couple

PLANTS = {
    "Achillea": (1, "white"), "Bellis": (1, "white"), "Campanula": (4, "blue"), "Digitalis": (6, "red"),
    "Echium": (4, "blue"), "Ficaria": (2, "yellow"), "Geranium": (3, "red"), "Hypericum": (2, "yellow"),
}  # fmt: skip
POLLINATORS = {
    "Apis": (3, "blue"), "Bombus hortorum": (6, "red"), "Bombus terrestris": (4, "blue"), "Eristalis": (2, "yellow"),
    "Lucilia": (1, "white"), "Osmia": (3, "yellow"), "Syrphus": (1, "white"), "Volucella": (2, "red"),
    "Vanessa": (5, "red"), "Xylocopa": (4, "blue"),
}  # fmt: skip
SEASONS = ("2019", "2020", "2021", "2022", "2023", "2024")
DEPTH, COLOUR, VISITS = 1.2, 0.6, 500


def preferences() -> np.ndarray:
    """Return the preferences of every plant and pollinator."""
    return np.array(
        [
            [DEPTH * -abs(depth - tongue) / 2 + COLOUR * (colour == liked) for tongue, liked in POLLINATORS.values()]
            for depth, colour in PLANTS.values()
        ]
    )


def main(target: Path) -> None:
    """Write the table."""
    rng, lines = np.random.default_rng(20241), ["season,plant,pollinator,visits"]
    for season in SEASONS:
        plants, pollinators = rng.gamma(2.0, size=len(PLANTS)), rng.gamma(2.0, size=len(POLLINATORS))
        pollinators[rng.integers(len(POLLINATORS))] = 0.0  # each year one is missing
        law = couple(preferences(), plants, pollinators).coupling.ravel()
        counts = rng.multinomial(VISITS, law / law.sum()).reshape(len(PLANTS), len(POLLINATORS))
        for plant, row in zip(PLANTS, counts, strict=True):
            lines += [
                f"{season},{plant},{pollinator},{count}"
                for pollinator, count in zip(POLLINATORS, row, strict=True)
                if count
            ]
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("seasons.csv"))
