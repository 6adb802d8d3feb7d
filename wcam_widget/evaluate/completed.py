"""One complete attribution of a method that explains step by step."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.model import BlackBox


def completed(
    method: AbstractMethod, network: BlackBox, image: Tensor, target: Any, stream: int
) -> Attribution:
    """The last attribution of one image (C, H, W); versions of it with one ``stream`` get the same rows.

    Raises ValueError where the method gives none.

    >>> import torch
    >>> from wcam_widget import Sobol, Wcam
    >>> network = BlackBox(lambda images: images.mean((2, 3)))
    >>> completed(Wcam(Sobol(rows=2), levels=1, grid=2), network, torch.rand(1, 8, 8), 0, 0).complete
    True
    """
    last = None
    for last in method.steps(network, image, target, stream):  # noqa: B007 the last one is the result
        pass
    if last is None:
        raise ValueError(f"method: {type(method).__qualname__} gave no attribution")
    return last
