"""How much of the web has been seen: links that are there but were not sampled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["chao_links", "coverage_of"]

FloatArray = npt.NDArray[np.float64]


def chao_links(counts: FloatArray) -> float:
    """Return the Chao1 estimate of all links, seen and unseen, from whole counts.

    Notes
    -----
    links + (N - 1) / N f1 (f1 - 1) / (2 (f2 + 1)), the bias-corrected form, with f1 and f2 the numbers of links seen
    once and twice. A lower bound where visits are independent.

    References
    ----------
    Chao (1984), "Nonparametric estimation of the number of classes in a population", Scandinavian Journal of Statistics
    11; Chao & Chiu (2016), "Species richness: estimation and comparison", eq. 7b. For links of webs: Chacoff et al.
    (2012), "Evaluating sampling completeness in a desert plant-pollinator network", Journal of Animal Ecology 81.

    Examples
    --------
    >>> chao_links(np.array([[5.0, 1.0], [1.0, 2.0]]))
    4.444444444444445
    """
    visits, once, twice = counts.sum(), np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
    return float(np.count_nonzero(counts) + (visits - 1) / visits * once * (once - 1) / (2 * (twice + 1)))


def coverage_of(counts: FloatArray) -> float:
    """Return the estimated share of visits that go to links already seen, from whole counts.

    Notes
    -----
    1 - f1 / N ((N - 1) f1 / ((N - 1) f1 + 2 f2)), with f1 and f2 the numbers of links seen once and twice; where no
    link was seen twice, 2 f2 gives way to 2 / (f1 - 1), as in the bias-corrected estimate of links.

    References
    ----------
    Chao & Jost (2012), "Coverage-based rarefaction and extrapolation", Ecology 93, eq. 4a.

    Examples
    --------
    >>> coverage_of(np.array([[5.0, 1.0], [1.0, 2.0]]))
    0.8024691358024691
    """
    visits, once, twice = float(counts.sum()), np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
    if once == 0:
        return 1.0
    if once == visits:
        return 0.0
    doubles = 2.0 * float(twice) if twice else 2.0 / max(float(once) - 1.0, 1.0)
    return float(1.0 - once / visits * ((visits - 1) * once / ((visits - 1) * once + doubles)))
