"""A snapshot: all there is to show of an explained image at one moment, whoever draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
from jaxtyping import Float
from torch import Tensor

from wcam_widget.basis import AbstractBasis, Cells
from wcam_widget.evaluate.carried import carried
from wcam_widget.explain import AbstractMethod, Attribution, Probe
from wcam_widget.model import AbstractTarget
from wcam_widget.perturb.perturbation import Perturbation
from wcam_widget.sensitivity import GroupEstimate, Kind
from wcam_widget.show.code import explore_code
from wcam_widget.show.curve import RetentionCurve
from wcam_widget.show.heat import heat_map
from wcam_widget.show.progress import Progress
from wcam_widget.show.summary import Subject, sentence, subject_of

Answer = Mapping[str, Any]
"""What a model says of an image that is rebuilt from some of its cells, in values that JSON has words for."""

LONGEST_ABOUT = 200  # characters; a target of a caller's own may have any name

CARRIED = "mean over the cell's place (the map itself tells no scales)"
SPREAD = "spread from the map's own cells over these, band by band"


@final
@dataclass(frozen=True, eq=False)
class Picture:
    """What every snapshot of a run shares.

    Args:
        run: a name that no other run has.
        image: the image that is explained, in [0, 1].
        perturbation: the image taken apart into cells, and put together again from some of them.
        subject: what is explained, a class by its probability.
        label: the explained score in words, such as "logit of cat".
        target: the explained score.
        score: that of the image.
        classes: how many there are.
        code: how Python explains it so.
        method: the name of the method in lists of maps.
        own_cells: whether the method's numbers belong to these cells, or have to be carried over to them.
    """

    run: str
    image: Float[Tensor, "c h w"]
    perturbation: Perturbation
    subject: Subject
    label: str
    target: AbstractTarget
    score: float
    classes: int
    code: str
    method: str
    own_cells: bool

    @classmethod
    def of(cls, probe: Probe, image: Float[Tensor, "c h w"], method: AbstractMethod, run: str) -> Picture:
        """The picture of an image, of which a method explains the score of a probe."""
        return cls(
            run=run,
            image=image,
            perturbation=probe.perturbation,
            subject=subject_of(probe),
            label=probe.target.label(probe.model.class_names),
            target=probe.target,
            score=probe.score,
            classes=len(probe.image_logits),
            code=explore_code(method, probe.target),
            method=method.title,
            own_cells=method.space is not None,
        )

    @property
    def about(self) -> str:
        """The target in one word, which maps and answers carry: those of another one are not to be shown.

        A run may go on with another target; its name stays.
        """
        return about(self.target)


@final
@dataclass(frozen=True, eq=False)
class Layer:
    """One map over the image.

    Args:
        name: what a reader calls it.
        attribution: the map so far; None before the first step.
        error: what ended it too early; empty otherwise.
        details: where the error came from; empty otherwise.
        main: whether it stands in for the map of the run's own cells, where the method has none.
        ended: whether nothing more comes of it.
    """

    name: str
    attribution: Attribution | None = None
    error: str = ""
    details: str = ""
    main: bool = False
    ended: bool = False

    @cached_property
    def heat(self) -> Float[np.ndarray, "h w"] | None:
        """The map over the image, worked out once however often it is sent; None where there is none."""
        return None if self.attribution is None else heat_map(self.attribution).astype(np.float32)


@final
@dataclass(frozen=True, eq=False)
class Snapshot:
    """All there is to show of an explained image at one moment; it knows no model, no thread and no widget.

    Laws, which tests/contracts/test_snapshots.py checks:

    - A snapshot alone is enough to draw everything: none needs an earlier one.
    - The one with the larger ``number`` is the later one, and replaces the earlier; any may be left out.
    - It never changes.
    - What is shown live, in a saved page, as a still picture and by ``plot`` has the same numbers: those of
      ``on_cells``.

    Args:
        number: counts the snapshots of a session.
        picture: what all of them share.
        progress: how far the run is.
        attribution: the map of the run so far; None before the first step.
        extra: further maps over the image, in the order they were added.
        known: answers that a page without a kernel needs, by the key of their question.
        latest: the answer to the latest question; None before the first.
        curve: the score when only the most important cells are kept; None until there is some.
    """

    number: int
    picture: Picture
    progress: Progress
    attribution: Attribution | None
    extra: tuple[Layer, ...]
    known: Mapping[str, Answer]
    latest: Answer | None
    curve: RetentionCurve | None = None

    @cached_property
    def on_cells(self) -> Attribution | None:
        """The map of the run on the cells of the picture."""
        space = self.picture.perturbation
        return None if self.attribution is None else on_cells(self.attribution, space.basis, space.cells)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """All maps over the image; the run's own first, where its method has no cells of its own."""
        if self.picture.own_cells or self.attribution is None:
            return self.extra
        return (Layer(self.picture.method, self.attribution, main=True), *self.extra)

    @cached_property
    def answer(self) -> str:
        """Where and at which scale the model looks, and whether that is enough, as far as it is known."""
        known = self.known if self.picture.own_cells else None
        return sentence(self.attribution, self.picture.subject, self.progress.state, known)


def about(target: AbstractTarget) -> str:
    """A target in one word.

    >>> from wcam_widget.model import Margin
    >>> about(Margin(3, other=5))
    'Margin(class_id=3, other=5)'
    """
    return repr(target)[:LONGEST_ABOUT]


def on_cells(attribution: Attribution, basis: AbstractBasis, cells: Cells) -> Attribution:
    """An attribution with values at these cells: itself where they are its own, else what ``carried`` makes.

    Args:
        attribution: a map of the same image.
        basis: the basis of the cells.
        cells: where values are wanted.

    Returns:
        The attribution on ``cells``. Of values that come from other cells there are no intervals and slopes,
        and of a map over the image no totals of bands either: they are NaN.
    """
    if np.array_equal(attribution.cells.rectangles, cells.rectangles):
        return attribution
    values = carried(attribution, basis, cells)
    unknown = np.full(len(values), np.nan)
    same_bands = [band.name for band in attribution.cells.bands] == [band.name for band in cells.bands]
    groups = attribution.estimate.groups if same_bands else GroupEstimate.unknown(len(cells.bands))
    estimate = replace(
        attribution.estimate,
        value=values,
        low=unknown,
        high=unknown,
        kind=np.full(len(values), Kind.ESTIMATED, np.int8),
        error=unknown,
        first=unknown,
        slope=unknown,
        left_out=np.zeros((0, len(values))),
        groups=groups,
    )
    return replace(
        attribution,
        estimate=estimate,
        cells=cells,
        basis=basis,
        unit=f"{attribution.unit}, {SPREAD if same_bands else CARRIED}",
    )
