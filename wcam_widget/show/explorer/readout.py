"""What an explorer tells in Python of what its reader has chosen."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from wcam_widget.explain import Attribution
from wcam_widget.show.explorer.lifetime import Lifetime
from wcam_widget.show.explorer.session import Session
from wcam_widget.show.scale import Colours
from wcam_widget.show.selection import Question
from wcam_widget.show.snapshot import Answer
from wcam_widget.show.traits import PageTraits


class Readout(Lifetime, PageTraits):
    """The half of an explorer that reads the reader's choices."""

    @property
    def attribution(self) -> Attribution | None:
        """The latest attribution; partial while the run goes on, None before its first step."""
        session = self._session
        return self._last if session is None else session.attribution

    @property
    def attributions(self) -> tuple[Attribution | None, ...]:
        """The latest attribution of every side that is compared; of one, where none is."""
        return (self.attribution,)

    @property
    def layers(self) -> dict[str, Attribution]:
        """The maps over the image so far, by name; those under way are partial."""
        layers = self._open_session.snapshot().layers
        return {layer.name: layer.attribution for layer in layers if layer.attribution is not None}

    @property
    def mask(self) -> Bool[np.ndarray, " d"]:
        """For each cell, whether it is kept.

        Returns:
            One truth value per cell; all are true while nothing is selected.

        Raises:
            RuntimeError: when the explorer is closed.
        """
        return self._question.mask(len(self._open_session.probe.cells))

    @property
    def reconstruction(self) -> Float[Tensor, "c h w"]:
        """The image of the kept cells.

        Returns:
            Channels, height and width of the image, float32 on the CPU, not clamped to [0, 1].

        Raises:
            RuntimeError: when the explorer is closed.
        """
        return self._open_session.inquiry.rebuild(self._question)

    @property
    def scores(self) -> dict[str, tuple[float, float]]:
        """Probabilities of the highest classes, of the image and of the reconstruction.

        The model is evaluated, and waited for, where the answer is not known.

        Returns:
            Of each class by its name, the probability for the image and that for the reconstruction.

        Raises:
            RuntimeError: when the explorer is closed.
            ModelError: where the model fails.
        """
        question = self._question
        answer: Answer | None = self._scores if self._scores.get("key") == question.key else None
        if answer is None:
            answer = self._open_session.answer(question)
        return {one["label"]: (one["original"], one["reconstruction"]) for one in answer["classes"]}

    def select_band(self, name: str) -> None:
        """Select all cells of one band.

        Args:
            name: the band, for instance "HL2": level 2, high frequencies along x.

        Raises:
            KeyError: for another name, with the bands there are.
            RuntimeError: when the explorer is closed.
        """
        self.selection = self._open_session.probe.cells.in_band(name).tolist()

    @property
    def _open_session(self) -> Session:
        if self._session is None:
            raise RuntimeError("the explorer is closed: explore the image again")
        return self._session

    @property
    def _question(self) -> Question:
        with self._guard:
            return Question(tuple(self.selection), self.mode)

    def _colours(self) -> Colours:
        return Colours(str(self.colormap), str(self.scale))
