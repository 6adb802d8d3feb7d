"""Where to sample: rows of weights, uniform on [0, 1] and seeded."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.stats import qmc

KINDS = ("auto", "sobol", "latin", "random")
FEWEST_SOBOL_ROWS = 64
FEWEST_PAIRED_ROWS = 4


def ensure_kind(design: str) -> None:
    """Raise ValueError naming ``design`` unless it is one of ``KINDS``."""
    if design not in KINDS:
        raise ValueError(f"design={design!r} is unknown; {', '.join(KINDS)} are known")


def draw(
    rows: int, dimensions: int, seed: np.random.SeedSequence, kind: str = "auto"
) -> Float[np.ndarray, "n d"]:
    """``rows`` points in the unit cube of ``dimensions``, float32.

    ``sobol`` is a scrambled Sobol' sequence, ``latin`` a Latin hypercube, ``random`` independent points.
    ``auto`` takes Sobol' from 64 rows on and where scipy has enough dimensions, else Latin: with fewer rows
    than dimensions, columns of a Sobol' design are often nearly equal.

    >>> draw(4, 3, np.random.SeedSequence(0)).shape
    (4, 3)
    """
    generator = np.random.default_rng(seed)
    if kind == "auto":
        enough = rows >= FEWEST_SOBOL_ROWS and dimensions <= qmc.Sobol.MAXDIM
        kind = "sobol" if enough else "latin"
    if kind == "sobol":
        sampler = qmc.Sobol(dimensions, scramble=True, rng=generator)
        # Whole powers of two keep the sequence balanced; what is left over is not used.
        points = sampler.random_base2(max(rows - 1, 0).bit_length())[:rows]
    elif kind == "latin":
        # scipy's sampler goes dimension by dimension; with one weight per coefficient there are thousands.
        strata = generator.permuted(np.tile(np.arange(rows)[:, None], dimensions), axis=0)
        points = (strata + generator.random(strata.shape)) / rows
    else:
        points = generator.random((rows, dimensions))
    return np.asarray(points, np.float32)


def pairs(
    rows: int, dimensions: int, seed: np.random.SeedSequence, kind: str = "auto"
) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n d"]]:
    """Two independent designs A and B of ``rows`` points each, the halves of one of twice the dimensions.

    >>> a, b = pairs(4, 3, np.random.SeedSequence(0), "random")
    >>> a.shape == b.shape == (4, 3)
    True
    """
    if kind == "auto" and rows < FEWEST_PAIRED_ROWS:
        # Two strata make the distances between A and B of both rows alike, which is worse than none.
        kind = "random"
    both = draw(rows, 2 * dimensions, seed, kind)
    return both[:, :dimensions], both[:, dimensions:]
