"""Make camera_trap.csv and camera_trap_second.csv: synthetic logits of a species classifier, as camera traps give.

Ten species at eight sites. A classifier gives an image of a species it knows a large logit for that species. Two
species that it has never seen, raccoon dog and golden jackal, arrive at some sites; they look a little like species
that it knows, and get lower logits. The first file holds labelled images of two seasons ("calibration" and "test") and
of the new species ("new"). The second is a later batch that nobody has labelled, with the new species among it.

    python scenarios/data/make_camera_trap.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

SPECIES = ("red_fox", "badger", "roe_deer", "red_deer", "wild_boar", "brown_hare", "pine_marten", "red_squirrel",
           "domestic_dog", "wild_cat")  # fmt: skip
SITES = ("beech", "brook", "clearing", "hide", "larch", "marsh", "quarry", "ridge")
ARRIVALS = {"raccoon_dog": (("marsh", "brook", "quarry"), (1, 0)), "golden_jackal": (("ridge", "quarry"), (0, 8))}
SEED = 11


def logits_of(looks: list[tuple[int, float]], rng: np.random.Generator) -> list[str]:
    """Return the logits of an image that looks so much like some species."""
    logits = rng.normal(0.0, 1.5, len(SPECIES))
    for species, much in looks:
        logits[species] += much
    return [f"{logit:.3f}" for logit in logits]


def images(count: int, new: int, rng: np.random.Generator) -> list[list[str]]:
    """Return rows of (site, species, logits) of known and new species; dark sites give lower logits."""
    light, shares = np.linspace(0.4, -0.4, len(SITES)), rng.dirichlet(np.full(len(SPECIES), 3.0), len(SITES))
    rows = []
    for _ in range(count):
        site = int(rng.integers(len(SITES)))
        species = int(rng.choice(len(SPECIES), p=shares[site]))
        alike = (species + 1) % len(SPECIES)  # what it is sometimes taken for
        looks = [(species, float(rng.normal(8.5 + light[site], 1.6))), (alike, float(rng.normal(2.0, 1.5)))]
        rows.append([SITES[site], SPECIES[species], *logits_of(looks, rng)])
    for _ in range(new):
        name = str(rng.choice(list(ARRIVALS)))
        sites, like = ARRIVALS[name]
        looks = [(species, float(rng.normal(2.0, 1.5))) for species in like]
        rows.append([str(rng.choice(sites)), name, *logits_of(looks, rng)])
    return rows


def write(name: str, header: list[str], rows: list[list[str]]) -> None:
    """Write a table beside this script."""
    with Path(__file__).with_name(name).open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])


def main() -> None:
    """Write both tables."""
    rng = np.random.default_rng(SEED)
    logit_names = [f"logit_{species}" for species in SPECIES]
    rows = images(1_600, 160, rng)
    part = ["calibration", "test"] * 800 + ["new"] * 160
    labelled = [[f"a{place:04d}", season, *row] for place, (season, row) in enumerate(zip(part, rows, strict=True))]
    write("camera_trap.csv", ["image", "part", "site", "species", *logit_names], labelled)
    batch = images(570, 30, rng)
    order = rng.permutation(len(batch))
    unlabelled = [[f"b{place:04d}", batch[row][0], *batch[row][2:]] for place, row in enumerate(order)]
    write("camera_trap_second.csv", ["image", "site", *logit_names], unlabelled)


if __name__ == "__main__":
    main()
