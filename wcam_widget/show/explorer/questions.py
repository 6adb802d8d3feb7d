"""What a reader asks of a model: what does it say when only these cells are kept, or when they are gone?"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any, Literal, NamedTuple, final

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wcam_widget.basis import Cells
from wcam_widget.explain import Probe
from wcam_widget.show.frames import finite

Mode = Literal["keep", "remove"]
MODES: tuple[Mode, ...] = ("keep", "remove")
SHOWN = 5  # classes in one answer
TOGETHER = 4  # questions answered in one batch for saved pages


class Question(NamedTuple):
    """Cells, sorted, and what to do with them. No cells: everything is kept, in both modes."""

    selection: tuple[int, ...]
    mode: Mode

    @property
    def key(self) -> str:
        """The question in one word, equal for equal questions.

        >>> Question((0, 1, 2, 7), "keep").key, Question((), "remove").key
        ('keep:0-2,7-7', 'all')
        """
        if not self.selection:
            return "all"
        runs: list[list[int]] = []
        for cell in self.selection:
            if runs and cell == runs[-1][1] + 1:
                runs[-1][1] = cell
            else:
                runs.append([cell, cell])
        return f"{self.mode}:" + ",".join(f"{first}-{last}" for first, last in runs)

    def mask(self, count: int) -> Bool[np.ndarray, " d"]:
        """For each of ``count`` cells, whether it is kept.

        >>> Question((1,), "remove").mask(3)
        array([ True, False,  True])
        """
        kept = np.full(count, not self.selection or self.mode == "remove")
        kept[list(self.selection)] = self.mode == "keep"
        return kept


@final
class Inquiry:
    """The questions about one image, answered by the model itself.

    ``class_names`` name the scores; without them classes are called by their number. Answers are dictionaries
    that JSON can hold: ``key``; ``target`` with ``label``, ``original`` and ``reconstruction``, the explained
    score in its own unit; ``classes``, the at most five highest in either image, in ``unit``, such as
    "probability, softmax"; and ``seconds``.

    >>> from wcam_widget.explain import Wcam
    >>> from wcam_widget.model import BlackBox
    >>> probe = Wcam(levels=1, grid=1).probe(BlackBox(lambda x: x.mean((2, 3))), torch.rand(3, 8, 8))
    >>> inquiry = Inquiry(probe)
    >>> inquiry.answer([Question((), "keep")])[0]["key"]
    'all'
    """

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.known: dict[str, dict[str, Any]] = {}
        """Answers by their key, those that a page without a kernel will need; replaced, never changed."""

    def answer(self, questions: Sequence[Question]) -> list[dict[str, Any]]:
        """Ask the model all questions in one batch. Raises what the model raises."""
        started = time.perf_counter()
        masks = np.stack([question.mask(len(self.probe.cells)) for question in questions])
        logits = self.probe.logits(torch.from_numpy(masks).float())
        seconds = (time.perf_counter() - started) / len(questions)
        return [
            self._answer(question, row[None], seconds)
            for question, row in zip(questions, logits, strict=True)
        ]

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

    def rebuild(self, question: Question) -> Float[Tensor, "c h w"]:
        """The image the model is asked about, on the CPU."""
        mask = torch.from_numpy(question.mask(len(self.probe.cells))).float()
        with torch.no_grad():
            return self.probe.rebuild(mask).cpu()

    def _answer(self, question: Question, logits: Tensor, seconds: float) -> dict[str, Any]:
        model = self.probe.model
        before, after = model.probabilities(self._original)[0], model.probabilities(logits)[0]
        # The first class of each image is always there: where all of one are low, the other's hide it.
        either = torch.maximum(before, after)
        either[[int(before.argmax()), int(after.argmax())]] = torch.inf
        highest = either.topk(min(SHOWN, len(after))).indices.tolist()
        target = self.probe.target
        return {
            "key": question.key,
            "unit": model.unit,
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
        return self.probe.logits(torch.ones(1, len(self.probe.cells)))

    @cached_property
    def _labels(self) -> list[str]:
        return class_labels(self.probe.model.class_names, self._original.shape[1])


def class_labels(names: Sequence[str] | None, count: int) -> list[str]:
    """One label for each of ``count`` classes, all different, so that they can be keys.

    >>> class_labels(None, 2), class_labels(["crane", "cat", "crane"], 3)
    (['class 0', 'class 1'], ['crane (0)', 'cat', 'crane (2)'])
    """
    if names is None:
        return [f"class {index}" for index in range(count)]
    often = Counter(names)
    return [name if often[name] == 1 else f"{name} ({index})" for index, name in enumerate(names)]


def ensure_question(selection: Any, mode: Any, cells: Cells) -> Question:
    """A question from what a caller or a front end wrote.

    ``selection``: cell ids in any order, or one truth value per cell. Raises ValueError naming ``selection``
    or ``mode`` for anything else.
    """
    if mode not in MODES:
        raise ValueError(f"mode must be 'keep' or 'remove'; found {mode!r}")
    return Question(tuple(ensure_selection(selection, cells)), mode)


def ensure_selection(selection: Any, cells: Cells) -> list[int]:
    """Sorted, unique cell ids from ids in any order or one truth value per cell.

    Raises ValueError naming ``selection`` for anything else.
    """
    count = len(cells)
    accepted = f"accepted are cell ids, 0 to {count - 1}, or {count} truth values, one per cell"
    try:
        asked = np.asarray(list(selection) if isinstance(selection, AbstractSet) else selection)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"selection: {error}; {accepted}") from error
    if asked.dtype == bool and asked.shape == (count,):
        return [int(cell) for cell in np.flatnonzero(asked)]
    if asked.size == 0 and asked.ndim == 1:
        return []
    if asked.dtype.kind not in "iu" or asked.ndim != 1:
        raise ValueError(f"selection: found {asked.dtype} of shape {asked.shape}; {accepted}")
    outside = asked[(asked < 0) | (asked >= count)]
    if outside.size:
        raise ValueError(f"selection: there is no cell {outside[0]}; {accepted}")
    return [int(cell) for cell in np.unique(asked)]
