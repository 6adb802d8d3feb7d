"""What one side of a comparison tells in Python of what its reader has chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from wcam_widget.explain import Attribution
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.selection import Question


@final
@dataclass(frozen=True, eq=False)
class SideReadout:
    """One side, with the selection of the moment.

    Args:
        name: what a reader calls it.
        session: what runs.
        question: the selection, and what is done with it.
    """

    name: str
    session: Session
    question: Question

    def __repr__(self) -> str:
        return f"<side {self.name!r}: {self.session.picture.label}>"

    @property
    def selection(self) -> list[int]:
        """Sorted ids of cells."""
        return list(self.question.selection)

    @property
    def attribution(self) -> Attribution | None:
        """The latest attribution; None before the first."""
        return self.session.attribution

    @property
    def mask(self) -> Bool[np.ndarray, " d"]:
        """For each cell, whether it is kept."""
        return self.question.mask(len(self.session.probe.cells))

    @property
    def reconstruction(self) -> Float[Tensor, "c h w"]:
        """The image of the kept cells, float32 on the CPU, not clamped to [0, 1]."""
        return self.session.inquiry.rebuild(self.question)

    @property
    def scores(self) -> dict[str, tuple[float, float]]:
        """Probabilities of the highest classes by name, of the image and of the reconstruction.

        The model is evaluated, and waited for, where the answer is not known.
        """
        classes = self.session.answer(self.question)["classes"]
        return {one["label"]: (one["original"], one["reconstruction"]) for one in classes}
