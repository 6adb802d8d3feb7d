"""The retention curve of an image, computed a few points at a time so that no question waits long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wcam_widget.evaluate.depth_search import stepwise
from wcam_widget.evaluate.measures import decisions, ranks
from wcam_widget.evaluate.rankings import Values, at_random, energy
from wcam_widget.explain import Attribution, Probe
from wcam_widget.show.curve import ENERGY, OWN, RANDOM, Line, RetentionCurve, coarse_to_fine, log_spaced
from wcam_widget.show.scale import cut_shares
from wcam_widget.show.score_memory import ScoreMemory
from wcam_widget.show.selection import Question
from wcam_widget.show.summary import Subject
from wcam_widget.show.words import class_labels

POINTS = 16  # of each order, before the search for the depth adds its own
TOGETHER = 4  # points in one batch
SIGNS = ("not above 0", "above 0")  # what a single score decides


@final
class OrderedCells:
    """Cells in the order of their values, and the model's class scores where the first of them are kept."""

    def __init__(self, probe: Probe, values: Values, memory: ScoreMemory) -> None:
        self._probe, self._memory = probe, memory
        self._places = ranks(values)
        self.order: Int[np.ndarray, " d"] = np.argsort(self._places)
        sizes = probe.cells.rectangles[:, 3] * probe.cells.rectangles[:, 4]
        self._shares = np.concatenate([[0], np.cumsum(sizes[self.order])]) / sizes.sum()
        self._logits: dict[int, Float[Tensor, " k"]] = {}

    def measure(self, counts: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
        """Class scores where so many cells are kept; those that are known are not computed again."""
        unknown = [count for count in dict.fromkeys(counts.tolist()) if count not in self._logits]
        keys = {count: self._question(count).key for count in unknown}
        for count, key in keys.items():
            if (kept := self._memory.recall(key)) is not None:
                self._logits[count] = kept[0][0]
        if new := [count for count in unknown if count not in self._logits]:
            started = time.perf_counter()
            masks = torch.from_numpy(self._places < np.array(new)[:, None]).float()
            logits = self._probe.logits(masks)
            seconds = (time.perf_counter() - started) / len(new)
            for count, row in zip(new, logits, strict=True):
                self._logits[count] = row
                self._memory.keep(keys[count], row[None].clone(), seconds)
        return np.stack([self._logits[count].double().numpy() for count in counts.tolist()])

    def _question(self, count: int) -> Question:
        """What a reader asks who keeps the first cells."""
        if count in (0, len(self.order)):
            return Question(tuple(range(len(self.order))) if count == 0 else (), "remove")
        return Question(tuple(np.sort(self.order[:count]).tolist()), "keep")

    def known(self) -> tuple[Int[np.ndarray, " p"], Float[np.ndarray, " p"], Float[Tensor, "p k"]]:
        """Numbers of cells, ascending, the shares of coefficients they hold, and their class scores."""
        counts = np.array(sorted(self._logits))
        return counts, self._shares[counts], torch.stack([self._logits[count] for count in counts.tolist()])


@final
class RetentionSearch:
    """The curve of one map, from its first points to the smallest set of cells that keeps the decision.

    Args:
        probe: what scores cells.
        attribution: the map, on the probe's cells.
        subject: what is explained.
        memory: class scores that are kept from one curve to the next, whatever it is of.
    """

    def __init__(
        self, probe: Probe, attribution: Attribution, subject: Subject, memory: ScoreMemory | None = None
    ) -> None:
        self._probe, self._subject = probe, subject
        self._memory = ScoreMemory() if memory is None else memory
        values = cut_shares(attribution.values.astype(np.float32), attribution.unit)
        self._orders = {OWN: OrderedCells(probe, values, self._memory)}
        names = class_labels(probe.model.class_names, len(probe.image_logits))
        self._names = list(SIGNS) if len(probe.image_logits) == 1 else names
        decided = int(decisions(probe.image_logits[None].cpu().numpy())[0])
        self._decided = decided
        self._curve = RetentionCurve(
            order=self._orders[OWN].order,
            passes=attribution.done,
            subject=subject.name,
            unit="" if subject.kind == "score" else probe.model.unit,
            original=subject.value,
            classes=(self._names[decided],),
        )

    def steps(self) -> Iterator[RetentionCurve]:
        """The curve after each batch. Raises what the model raises."""
        grid = coarse_to_fine(log_spaced(len(self._probe.cells), POINTS))
        yield from self._along(OWN, grid)
        search = stepwise(len(self._probe.cells), [True])
        _, counts = next(search)
        while self._curve.depth is None:
            yield from self._along(OWN, counts)
            held = decisions(self._orders[OWN].measure(counts)) == self._decided
            try:
                _, counts = search.send(held)
            except StopIteration as end:
                (depth,) = end.value
                # Where the image taken apart and put together decides otherwise, only rounding does.
                self._curve = replace(self._curve, depth=depth.depth or len(self._probe.cells))
        yield self._curve
        for name, values in ((ENERGY, energy), (RANDOM, at_random)):
            self._orders[name] = OrderedCells(self._probe, values(self._probe), self._memory)
            yield from self._along(name, grid)
        self._curve = replace(self._curve, complete=True)
        yield self._curve

    def _along(self, name: str, counts: Int[np.ndarray, " n"]) -> Iterator[RetentionCurve]:
        for start in range(0, len(counts), TOGETHER):
            self._orders[name].measure(counts[start : start + TOGETHER])
            self._curve = self._with_line(name)
            yield self._curve

    def _with_line(self, name: str) -> RetentionCurve:
        """The curve with all points of an order that are known by now."""
        counts, shares, logits = self._orders[name].known()
        says = [self._names[int(one)] for one in decisions(logits.cpu().numpy())]
        classes = tuple(dict.fromkeys([*self._curve.classes, *says]))
        line = Line(counts, shares, self._scores(logits), np.array([classes.index(one) for one in says]))
        return replace(self._curve, classes=classes, lines={**self._curve.lines, name: line})

    def _scores(self, logits: Float[Tensor, "n k"]) -> Float[np.ndarray, " n"]:
        target, model = self._probe.target, self._probe.model
        class_id = getattr(target, "class_id", None)
        of_class = self._subject.kind != "score" and class_id is not None
        scores = model.probabilities(logits)[:, int(class_id)] if of_class else target(logits)  # type: ignore[arg-type]
        return np.asarray(scores.double().cpu().numpy())
