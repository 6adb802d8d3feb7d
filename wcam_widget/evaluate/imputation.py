"""What stands for coefficients that were removed, where a constant would show which they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse
from scipy.sparse import linalg

from wcam_widget.basis.bands import Band

EDGE, CORNER = 1 / 6, 1 / 12  # weights of the four nearest and of the four diagonal neighbours


@dataclass(frozen=True, eq=False)
class NoisyLinear:
    """Noisy linear imputation: every removed coefficient is a weighted mean of its eight neighbours.

    Edge neighbours weigh 1/6, diagonal ones 1/12, less those beyond the band's border. Removed neighbours
    count with what they are given themselves, so that one sparse linear system is solved for each band; all
    channels share its factors. Where all of a band is removed no neighbour is left, and ``baseline``
    stands for it. ``noise`` is added to whatever was removed. On the one band of the pixels this is the
    published imputation.

    Args:
        bands: The bands of the picture.
        picture: Packed coefficients, (C, Hp, Wp), float64.
        baseline: What stands for bands without a neighbour left, (C, Hp, Wp), float64.
        noise: Added to what is imputed, (C, Hp, Wp), float64.

    References:
        Rong et al. (2022), "A Consistent and Efficient Evaluation Strategy for Attribution Methods",
        section 4.

    >>> ramp, nothing = np.arange(25.0).reshape(1, 5, 5), np.zeros((1, 5, 5))
    >>> removed = np.zeros((5, 5), bool)
    >>> removed[1:4, 1:4] = True
    >>> filled = NoisyLinear((Band("pixels", 0, "A", 0, 0, 5, 5, 1),), ramp, nothing, nothing)(removed)
    >>> bool(np.allclose(filled, ramp))
    True
    """

    bands: Sequence[Band]
    picture: Float[np.ndarray, "c hp wp"]
    baseline: Float[np.ndarray, "c hp wp"]
    noise: Float[np.ndarray, "c hp wp"]

    def __call__(self, removed: Bool[np.ndarray, "hp wp"]) -> Float[np.ndarray, "c hp wp"]:
        """The picture with what is ``removed`` imputed."""
        filled = np.where(removed, self.baseline, self.picture)
        for band in self.bands:
            here = (slice(None), *band.slices)
            filled[here] = interpolated(filled[here], removed[band.slices])
        return filled + np.where(removed, self.noise, 0.0)


def interpolated(
    values: Float[np.ndarray, "c h w"], removed: Bool[np.ndarray, "h w"]
) -> Float[np.ndarray, "c h w"]:
    """Values of one band, the removed ones solved for; as they are where nothing or everything is removed.

    >>> interpolated(np.array([[[0.0, 7.0, 2.0]]]), np.array([[False, True, False]]))
    array([[[0., 1., 2.]]])
    """
    if removed.all() or not removed.any():
        return values
    gone = removed.ravel()
    flat = values.reshape(len(values), -1)
    rows = laplacian(*removed.shape)[gone]
    known = -(rows[:, ~gone] @ flat[:, ~gone].T)
    # Positive definite, as a band hangs together: no pivoting is needed, and the factors stay sparse.
    factors = linalg.splu(
        rows[:, gone].tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    filled = flat.copy()
    filled[:, gone] = factors.solve(known).T
    return filled.reshape(values.shape)


@lru_cache(maxsize=8)  # bands of one image come in a few sizes
def laplacian(height: int, width: int) -> sparse.csr_array:
    """The weighted Laplacian (h w, h w) of a grid: the sum of a place's weights, less each neighbour's.

    Its rows are the equations of the imputation, and it is symmetric: dividing a row by its diagonal would
    make the weights add up to 1 at the border too.

    >>> laplacian(1, 3).toarray().round(3) + 0.0
    array([[ 0.167, -0.167,  0.   ],
           [-0.167,  0.333, -0.167],
           [ 0.   , -0.167,  0.167]])
    """
    down, along = _beside(height), _beside(width)
    edges = sparse.kron(down, sparse.eye_array(width)) + sparse.kron(sparse.eye_array(height), along)
    weights = EDGE * edges + CORNER * sparse.kron(down, along)
    return sparse.csr_array(sparse.diags_array(weights.sum(1)) - weights)


def _beside(length: int) -> sparse.dia_array:
    """1 where two places on a line are neighbours."""
    return sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(length, length))
