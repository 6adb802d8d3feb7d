"""Answers to a reader's questions: the model's scores where only some cells are kept, or are removed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.explain import Attribution, Probe
from wcam_widget.show.curve import RetentionCurve
from wcam_widget.show.frames import finite
from wcam_widget.show.retention_search import RetentionSearch
from wcam_widget.show.score_memory import ScoreMemory
from wcam_widget.show.selection import MODES, Question
from wcam_widget.show.snapshot import about, on_cells
from wcam_widget.show.summary import subject_of
from wcam_widget.show.verdict import verdict
from wcam_widget.show.words import class_labels

SHOWN = 5  # classes in one answer
LISTED = 50  # classes that a list to choose from begins with, with their scores
TOGETHER = 4  # questions answered in one batch for saved pages


@final
class Inquiry:
    """The questions about one image, answered by the model itself.

    ``class_names`` name the scores; without them classes are called by their number. Answers are dictionaries
    that JSON can hold: ``key``; ``about``, the target in one word; ``target`` with ``label``, ``original``
    and ``reconstruction``, the explained score in its own unit; ``classes``, the at most five highest in
    either image, in ``unit``, such as "probability, softmax"; ``verdict``, what became of the decision; and
    ``seconds``.

    Args:
        probe: the score of the image.
        earlier: the answers for another target, whose class scores answer for this one too.

    >>> from wcam_widget.explain import Wcam
    >>> from wcam_widget.model import BlackBox
    >>> probe = Wcam(levels=1, grid=1).probe(BlackBox(lambda x: x.mean((2, 3))), torch.rand(3, 8, 8))
    >>> inquiry = Inquiry(probe)
    >>> inquiry.answer([Question((), "keep")])[0]["key"]
    'all'
    """

    def __init__(self, probe: Probe, earlier: Inquiry | None = None) -> None:
        self.probe = probe
        self.memory: ScoreMemory = ScoreMemory() if earlier is None else earlier.memory
        """The class scores of the latest questions."""
        self.known: dict[str, dict[str, Any]] = {}
        """Answers by their key, those that a page without a kernel will need; replaced, never changed."""
        self.latest: dict[str, Any] | None = None
        """The answer that was given last."""
        self.curve: RetentionCurve | None = None
        """What is left of the score when only the most important cells are kept; replaced, never changed."""
        if earlier is not None:
            remembered = {key: self._remembered(key) for key in earlier.known}
            self.known = {key: answer for key, answer in remembered.items() if answer is not None}
            self.latest = None if earlier.latest is None else self._remembered(earlier.latest["key"])

    def one(self, question: Question) -> dict[str, Any]:
        """The answer to one question, known or from the model. Raises what the model raises."""
        known = self.known.get(question.key) or self._remembered(question.key)
        self.latest = known or self.answer([question])[0]
        return self.latest

    def answer(self, questions: Sequence[Question]) -> list[dict[str, Any]]:
        """Ask the model all questions in one batch. Raises what the model raises."""
        started = time.perf_counter()
        masks = np.stack([question.mask(len(self.probe.cells)) for question in questions])
        logits = self.probe.logits(torch.from_numpy(masks).float())
        seconds = (time.perf_counter() - started) / len(questions)
        for question, row in zip(questions, logits, strict=True):
            self.memory.keep(question.key, row[None].clone(), seconds)
        return [
            self._answer(question.key, row[None], seconds)
            for question, row in zip(questions, logits, strict=True)
        ]

    def _remembered(self, key: str) -> dict[str, Any] | None:
        """The answer from class scores that are kept; None where they are not."""
        kept = self.memory.recall(key)
        return None if kept is None else self._answer(key, *kept)

    def classes(self) -> dict[str, Any]:
        """All ``names`` in the order of their ids, and the ``top`` ids with their probability or score."""
        scores = self.probe.model.probabilities(self.probe.image_logits[None])[0]
        top = scores.topk(min(LISTED, len(scores)))
        values = [round(value, 4) for value in top.values.tolist()]
        return {"names": self._labels, "top": list(zip(top.indices.tolist(), values, strict=True))}

    def bands(self) -> list[Question]:
        """The questions a page without a kernel can answer: all, and each band kept and removed."""
        groups = range(len(self.probe.cells.bands))
        cells = [tuple(np.flatnonzero(self.probe.cells.groups == group).tolist()) for group in groups]
        return [Question((), "keep"), *(Question(one, mode) for one in cells for mode in MODES)]

    def prepare(self) -> Iterator[None]:
        """Answer ``bands`` into ``known``, a few at a time, so that a reader's question never waits long."""
        questions = [question for question in self.bands() if question.key not in self.known]
        for start in range(0, len(questions), TOGETHER):
            answers = self.answer(questions[start : start + TOGETHER])
            self.known = {**self.known, **{answer["key"]: answer for answer in answers}}
            yield

    def retain(self, attribution: Attribution) -> Iterator[None]:
        """Compute ``curve`` for a map, a few points at a time; the earlier one stays until there are some."""
        shown = on_cells(attribution, self.probe.basis, self.probe.cells)
        for curve in RetentionSearch(self.probe, shown, subject_of(self.probe), self.memory).steps():
            self.curve = curve
            yield

    def rebuild(self, question: Question) -> Float[Tensor, "c h w"]:
        """The image that a question is about, on the CPU."""
        mask = torch.from_numpy(question.mask(len(self.probe.cells))).float()
        with torch.no_grad():
            return self.probe.rebuild(mask).cpu()

    def _answer(self, key: str, logits: Tensor, seconds: float) -> dict[str, Any]:
        model = self.probe.model
        before, after = model.probabilities(self._original)[0], model.probabilities(logits)[0]
        # The first class of each image is always there (where all of one are low, the other's hide it), and
        # the one that is explained.
        either = torch.maximum(before, after)
        explained = getattr(self.probe.target, "class_id", None)
        always = [before.argmax(), after.argmax(), *([] if explained is None else [explained])]
        either[[int(one) for one in always]] = torch.inf
        highest = either.topk(min(SHOWN, len(after))).indices.tolist()
        target = self.probe.target
        return {
            "key": key,
            "about": about(target),
            "unit": model.unit,
            "verdict": verdict(self._labels, self.probe.model.head.with_classes(len(after)), before, after),
            "target": {
                "label": target.label(model.class_names),
                "original": finite(target(self._original)[0]),
                "reconstruction": finite(target(logits)[0]),
            },
            "classes": [
                {
                    "label": self._labels[index],
                    "original": finite(before[index]),
                    "reconstruction": finite(after[index]),
                }
                for index in sorted(highest, key=lambda index: -float(before[index]))
            ],
            "seconds": seconds,
        }

    @cached_property
    def _original(self) -> Float[Tensor, "1 k"]:
        everything = Question((), "keep").key
        if (kept := self.memory.recall(everything)) is None:
            kept = self.probe.logits(torch.ones(1, len(self.probe.cells))), 0.0
            self.memory.keep(everything, *kept)
        return kept[0]

    @cached_property
    def _labels(self) -> list[str]:
        return class_labels(self.probe.model.class_names, len(self.probe.image_logits))
