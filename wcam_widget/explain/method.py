"""What every method of explanation is: parameters, and a call on a model and images."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias, final

import numpy as np
from jaxtyping import Float
from torch import Tensor

from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.loop import Failure, each
from wcam_widget.model import (
    AbstractTarget,
    BlackBox,
    ImageLike,
    ImagesLike,
    ModelLike,
    TargetLike,
    TargetsLike,
    ensure_images,
)
from wcam_widget.model.condition import Condition
from wcam_widget.model.device import ordinary, ordinary_tensors
from wcam_widget.perturb.probe import Probe
from wcam_widget.perturb.space import Space
from wcam_widget.perturb.steadiness import unresolved

Steps = Callable[..., Iterator[Attribution]]

MOST_TRACES = 16  # images of one call whose class scores are kept: they must not pile up over a data set


class AbstractMethod(ABC):
    """Parameters of a method; ``method(model, images, targets)`` explains, ``steps`` streams one image.

    Laws, which every method keeps (tests/contracts/test_methods.py):

    - Equal inputs and seed give equal outputs, whatever the batch size: to 1e-6 of the largest value, but for
      what the network itself rounds otherwise in batches of another size.
    - The model is as it was before: modes, hooks, gradients and values, also after an exception, an interrupt
      or a stream that was not read to its end.
    - A map of a constant score is zeros, and ``stop`` says so.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "steps" in vars(cls):
            cls.steps = _guarded(cls.steps)  # type: ignore[method-assign]

    @property
    def title(self) -> str:
        """The method's short name, for lists of methods."""
        return type(self).__name__

    @property
    def space(self) -> Space | None:
        """Where the method's cells lie; None for methods that give a map over the image."""
        return None

    def probe(self, model: ModelLike, image: ImageLike, target: TargetLike = None) -> Probe:
        """The score of one image as a function of the weights of its cells.

        They are the cells of ``space``, or of ``Space()`` where the method has none of its own, so that every
        map can be taken apart.

        Args:
            model: A ``BlackBox``, a torch module or a callable.
            image: (C, H, W) in [0, 1], a path, or an image of PIL, which goes through ``BlackBox.fit``.
            target: A class id, a class name or a target; None for the top class.

        Returns:
            A function of weights (n, d) in [0, 1]; weights of 1 give the score of the image itself.

        Raises:
            ValueError: Naming what does not fit the image.
            ModelError: Where the model fails on the image.
        """
        space = Space() if self.space is None else self.space
        return space.probe(model, image, target)

    @abstractmethod
    def steps(
        self, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        """Attributions of one image, one per block of work; stop iterating to cancel.

        Args:
            model: A ``BlackBox``, a torch module or a callable.
            image: (C, H, W) in [0, 1], a path, or an image of PIL, which goes through ``BlackBox.fit``.
            target: A class id, a class name or a target; None for the top class.
            stream: Separates the random rows of several images, at least 0.

        Yields:
            The map so far; the last one is complete.

        Raises:
            ValueError: Naming the argument that does not fit.
            ModelError: Where the model fails, or lacks what the method needs.
        """

    def rounds(
        self, model: BlackBox, images: Float[Tensor, "n c h w"], targets: Sequence[TargetLike]
    ) -> Iterator[tuple[int, Attribution]]:
        """Attributions of several images; methods that send them through the network together override this.

        Args:
            model: The model.
            images: (n, C, H, W) in [0, 1].
            targets: One for each image.

        Yields:
            The place of an image and its map so far; a later one of a place replaces an earlier one.
        """

        def task(place: int, item: tuple[Tensor, TargetLike]) -> Iterator[Attribution]:
            return self.steps(model, *item, place)

        for place, one in each(task, zip(images, targets, strict=True)):
            if isinstance(one, Failure):
                raise one.error
            yield place, one

    @final
    def last(
        self, model: BlackBox, image: Float[Tensor, "c h w"], target: TargetLike, stream: int = 0
    ) -> Attribution:
        """The last attribution of one image.

        Args:
            model: The model.
            image: (C, H, W) in [0, 1].
            target: A class id, a class name or a target; None for the top class.
            stream: Of the random rows: versions of an image with one ``stream`` get the same.

        Raises:
            ValueError: Where ``steps`` gives none.

        Examples:
            >>> import torch
            >>> from wcam_widget import Sobol, Wcam
            >>> network = BlackBox(lambda images: images.mean((2, 3)))
            >>> Wcam(Sobol(rows=2), levels=1, grid=2).last(network, torch.rand(1, 8, 8), 0).complete
            True
        """
        latest = None
        for latest in self.steps(model, image, target, stream):  # noqa: B007 the last one is the result
            pass
        if latest is None:
            raise ValueError(f"method: {type(self).__qualname__} gave no attribution")
        return latest

    @final
    @ordinary
    def __call__(
        self, model: ModelLike, images: ImagesLike, targets: TargetsLike = None
    ) -> list[Attribution]:
        """One attribution for each image.

        Up to 16 images keep the class scores of their runs, for ``Attribution.for_target`` and
        ``Wcam.resume``. A keyboard interrupt ends the work: what was done until then is returned, with a
        warning, the last map partial.

        Args:
            model: A ``BlackBox``, a torch module or a callable.
            images: (B, C, H, W) in [0, 1], or a list of images of one size, of paths, or of images of PIL,
                which go through ``BlackBox.fit``.
            targets: One class id, class name or target for all images, or one for each; None for the top
                class.

        Returns:
            One attribution an image, in their order.

        Raises:
            ValueError: Naming ``images`` or ``targets`` for what does not fit.
            ModelError: Where the model fails, or lacks what the method needs.
        """
        network = BlackBox.ensure(model)
        batch, wanted = ensure_batch(images, targets, network)
        done: dict[int, Attribution] = {}
        try:
            for place, one in self.rounds(network, batch, wanted):
                done[place] = one if len(batch) <= MOST_TRACES else replace(one, traces=())
        except KeyboardInterrupt:
            if not done:
                raise
            warnings.warn(f"interrupted: {len(done)} of {len(batch)} images are returned", stacklevel=2)
            reason = "interrupted: call again for the complete map"
            return [done[place].stopped(reason) for place in sorted(done)]
        return [done[place] for place in sorted(done)]


def ensure_batch(
    images: ImagesLike, targets: TargetsLike, model: BlackBox
) -> tuple[Float[Tensor, "b c h w"], list[TargetLike]]:
    """Images (B, C, H, W) in float32 and a target for each; ValueError naming the argument that is wrong.

    Args:
        images: A batch, or a list of images of one size; paths and images of PIL go through ``model.fit``.
        targets: One for all images, or a sequence, array or tensor of one each; None is the top class.
        model: The model that takes the images.

    >>> import torch
    >>> ensure_batch(torch.rand(2, 3, 4, 4), 7, BlackBox.ensure(torch.nn.Identity()))[1]
    [7, 7]
    """
    batch = ensure_images(images, "images", model.fit)
    return batch, ensure_targets(targets, len(batch))


def ensure_targets(targets: TargetsLike, count: int) -> list[TargetLike]:
    """One target for each of ``count`` images; TypeError or ValueError naming ``targets`` where not.

    >>> ensure_targets("cat", 2), ensure_targets(np.array([3, 5]), 2)
    (['cat', 'cat'], [3, 5])
    """
    if isinstance(targets, Tensor | np.ndarray):
        if targets.ndim > 1:
            raise ValueError(
                f"targets: found shape {tuple(targets.shape)}; accepted are class ids, one for each image"
            )
        targets = targets.tolist()
    if targets is None or isinstance(targets, str | SupportsIndex | AbstractTarget):
        return [targets] * count
    if not isinstance(targets, Iterable) or isinstance(targets, Mapping | AbstractSet):
        raise TypeError(
            f"targets: found {type(targets).__qualname__}; accepted are None, a class id, a class name, a "
            "target, and a sequence of one for each image"
        )
    wanted = list(targets)
    if len(wanted) != count:
        raise ValueError(f"targets has {len(wanted)} entries for {count} images; one each is needed")
    return wanted


if TYPE_CHECKING:
    MethodLike: TypeAlias = AbstractMethod | None
else:
    MethodLike = Any  # checked where it is used, with an error in the caller's words


def _guarded(steps: Steps) -> Steps:
    """The ``steps`` of a method, each made of ordinary tensors also inside ``torch.inference_mode``.

    Where the parameters or buffers of the network changed meanwhile, a map that is complete says so, and
    no cell of it is resolved.
    """

    @wraps(steps)
    def guarded(
        self: Any, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        network = BlackBox.ensure(model)
        condition = Condition.now(network.net)
        inner = steps(self, network, image, target, stream)
        try:
            while True:
                with ordinary_tensors():
                    step = next(inner, None)
                if step is None:
                    return
                yield _compared(step, condition)
        finally:
            close = getattr(inner, "close", None)
            if close is not None:
                close()

    return guarded


def _compared(step: Attribution, condition: Condition) -> Attribution:
    # Runs that keep their scores look for themselves.
    if not step.complete or step.traces or not (words := condition.words()):
        return step
    stop = f"{step.stop}; {words}: the map mixes both; explain again"
    return replace(step, stop=stop, estimate=unresolved(step.estimate))
