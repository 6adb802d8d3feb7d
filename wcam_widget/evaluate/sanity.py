"""Sanity checks: a map that does not change when a network forgets what it learned explains no network."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, final

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from wcam_widget.evaluate.measures import rank_correlation
from wcam_widget.evaluate.similarity import SSIM, Ssim, constant
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.method import AbstractMethod, ensure_batch
from wcam_widget.model import AbstractTarget, BlackBox, ImagesLike, ModelError, ModelLike, TargetsLike
from wcam_widget.model.module_outputs import looked_into
from wcam_widget.model.randomise import Randomisation
from wcam_widget.sensitivity.statistics.jackknife import CONFIDENCE, replicated

MEASURES = ("spearman", "ssim")
KINDS = ("signed", "absolute")
EVERY_LAYER = Randomisation()
THRESHOLD = 0.2  # mean rank correlation below which maps have nothing to do with each other


class Mean(NamedTuple):
    """The mean over images after each layer, with 95 % limits."""

    value: Float[np.ndarray, " l"]
    low: Float[np.ndarray, " l"]
    high: Float[np.ndarray, " l"]


@final
@dataclass(frozen=True, eq=False)
class Sanity:
    """How alike maps of a randomised network are to those of the network itself.

    Attributes:
        layers: Names, in the order they were randomised.
        spearman: Rank correlation over pixels, signed maps first, then their absolute values, after each
            layer, of each image, (2, l, n).
        ssim: Structural similarity, likewise.
        empty: Maps that are constant, clean ones first, (2, 1 + l, n); a comparison with one counts as 0.
        method: How the maps were made.
        randomisation: Which layers were randomised, and how.
        complete: False where the work was interrupted.
    """

    layers: tuple[str, ...]
    spearman: Float[np.ndarray, "2 l n"]
    ssim: Float[np.ndarray, "2 l n"]
    empty: Bool[np.ndarray, "2 m n"]
    method: str
    randomisation: Randomisation
    complete: bool = True

    def __repr__(self) -> str:
        constant_maps = int(self.empty[0].sum())
        flagged = f", {constant_maps} of {self.empty[0].size} maps constant" if constant_maps else ""
        images = "1 image" if self.empty.shape[2] == 1 else f"{self.empty.shape[2]} images"
        done = "" if self.complete else ", interrupted"
        return f"<Sanity of {self.method}, {images}{flagged}{done}: {self.verdict}>"

    def mean(self, measure: str = "spearman", kind: str = "signed", confidence: float = CONFIDENCE) -> Mean:
        """The mean over the images whose clean map is not constant, with Student limits; 0 where all are.

        Args:
            measure: "spearman" or "ssim".
            kind: "signed" or "absolute".
            confidence: Of the limits, in (0, 1).

        Returns:
            The mean and its limits, which are -1 and 1 for one image.

        Raises:
            ValueError: Naming ``measure`` or ``kind`` for another one.
        """
        for name, value, accepted in (("measure", measure, MEASURES), ("kind", kind, KINDS)):
            if value not in accepted:
                raise ValueError(f"{name}: found {value!r}; accepted are {' and '.join(accepted)}")
        number = KINDS.index(kind)
        values = (self.spearman, self.ssim)[MEASURES.index(measure)][number][:, ~self.empty[number, 0]]
        if values.shape[1] == 0:
            nothing = np.zeros(len(self.layers))
            return Mean(nothing, nothing - 1.0, nothing + 1.0)
        over_images = replicated(lambda kept: values[:, kept].mean(1), values.shape[1])
        low, high = over_images.symmetric_interval(confidence)
        return Mean(over_images.value, np.clip(low, -1.0, 1.0), np.clip(high, -1.0, 1.0))

    @property
    def verdicts(self) -> tuple[str, ...]:
        """After each layer: "changed", "kept" or "undecided".

        Changed: the mean rank correlation lies below 0.2 with all of its limits, signed and absolute. Kept:
        one of the two lies above. The publications judge by eye; the threshold is this package's own.
        """
        both = [self.mean("spearman", kind) for kind in KINDS]
        lowest, highest = (np.max(each, 0) for each in ([m.low for m in both], [m.high for m in both]))
        words = np.where(highest < THRESHOLD, "changed", np.where(lowest >= THRESHOLD, "kept", "undecided"))
        return tuple(words.tolist())

    @property
    def since(self) -> str | None:
        """The layer from which on maps are changed, in a cascade; None where they are not in the end.

        A map that rests on all a network learned is changed from its logits on (Jalwana et al. 2021).
        """
        if self.randomisation.order != "cascading":
            return None
        first = None
        for name, word in zip(reversed(self.layers), reversed(self.verdicts), strict=True):
            if word != "changed":
                break
            first = name
        return first

    @property
    def verdict(self) -> str:
        """In words: does a cascade pass (Adebayo et al. 2018), and which layers leave the map as it was."""
        words = self.verdicts
        if self.randomisation.order == "independent":
            rest = "".join(
                f"; {word}: {', '.join(names)}"
                for word in ("kept", "undecided")
                if (names := [name for name, each in zip(self.layers, words, strict=True) if each == word])
            )
            return f"changed by {words.count('changed')} of {len(words)} layers, one at a time{rest}"
        result = {"changed": "passes", "kept": "fails"}.get(words[-1], "undecided")
        signed, absolute = (self.mean("spearman", kind) for kind in KINDS)
        numbers = " and ".join(
            f"{kind} {mean.value[-1]:.2f} ({mean.low[-1]:.2f} to {mean.high[-1]:.2f})"
            for kind, mean in zip(KINDS, (signed, absolute), strict=True)
        )
        since = "" if self.since is None else f", changed from {self.since} on"
        return f"{result}: Spearman {numbers} after {len(self.layers)} layers{since}"


def sanity(
    model: ModelLike,
    method: AbstractMethod,
    images: ImagesLike,
    targets: TargetsLike = None,
    randomisation: Randomisation = EVERY_LAYER,
    ssim: Ssim = SSIM,
) -> Sanity:
    """Randomise layers of a copy of the network, explain again, and measure how alike the maps still are.

    Every image keeps the random rows of its clean map. The network is read and never changed. A keyboard
    interrupt ends the work: the layers done until then are returned, with a warning.

    Args:
        model: A ``BlackBox`` or a torch module.
        method: Any that spreads over the image; a layer it was given as a module is looked up by its name in
            the copies.
        images: (n, c, h, w) in [0, 1], sides of at least the window of ``ssim``.
        targets: One class id, class name or target for all images or for each; None stands for the top class
            of the network as it is, also once it is randomised.
        randomisation: Which layers, in which order.
        ssim: Settings of the similarity.

    Returns:
        Rank correlation and similarity after each layer, of each image, and the verdict.

    Raises:
        ValueError: Naming ``images``, ``targets`` or ``layers[i]`` for what does not fit.
        ModelError: Where the network is a plain callable, cannot be copied or cannot be explained with a
            layer randomised.

    References:
        Adebayo et al. (2018), "Sanity Checks for Saliency Maps", section 3.

    Examples:
        >>> from wcam_widget import GradCam
        >>> pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), pool, nn.Linear(4, 2))
        >>> checked = sanity(net, GradCam("1"), torch.rand(2, 3, 16, 16))
        >>> checked.layers, checked.spearman.shape
        (('3', '0'), (2, 2, 2))
    """
    network = BlackBox.ensure(model)
    batch, given = ensure_batch(images, targets, network)
    if min(batch.shape[2:]) < ssim.width:
        raise ValueError(
            f"images: found {batch.shape[2]}x{batch.shape[3]} pixels; with ssim of sigma={ssim.sigma} "
            f"accepted are sides of at least {ssim.width}"
        )
    names = randomisation.names(network)
    wanted = _fixed(given, network.logits(batch), network)
    portable = _by_names(method, network)

    def explained(box: BlackBox) -> _Maps:
        return _Maps.collect(portable.last(box, image, wanted[i], i) for i, image in enumerate(batch))

    maps, done = explained(network), list[_Compared]()
    try:
        for name, copied in randomisation.copies(network):
            with _naming(name):
                done.append(maps.compared(explained(copied), ssim))
    except KeyboardInterrupt:
        if not done:
            raise
        warnings.warn(f"interrupted: {len(done)} of {len(names)} layers are returned", stacklevel=2)
    return Sanity(
        layers=names[: len(done)],
        spearman=np.stack([each.spearman for each in done], 1),
        ssim=np.stack([each.ssim for each in done], 1),
        empty=np.stack([maps.empty, *(each.empty for each in done)], 1),
        method=maps.method,
        randomisation=randomisation,
        complete=len(done) == len(names),
    )


class _Compared(NamedTuple):
    """Maps after one layer against the clean ones, and which of them are constant."""

    spearman: Float[np.ndarray, "2 n"]
    ssim: Float[np.ndarray, "2 n"]
    empty: Bool[np.ndarray, "2 n"]


@final
@dataclass(frozen=True, eq=False)
class _Maps:
    """The maps of some images, signed and absolute, which of them are constant, and how they were made."""

    values: Float[np.ndarray, "2 n h w"]
    empty: Bool[np.ndarray, "2 n"]
    method: str

    @classmethod
    def collect(cls, attributions: Iterable[Attribution]) -> _Maps:
        """The maps of attributions as they come; nothing else of them is kept."""
        signed, method = [], ""
        for one in attributions:
            signed.append(one.spatial())
            method = one.method
        values = np.stack([signed, np.abs(signed)])
        return cls(values, np.stack([constant(torch.from_numpy(each)).numpy() for each in values]), method)

    def compared(self, other: _Maps, ssim: Ssim) -> _Compared:
        """Rank correlation and similarity to ``other``, 0 where either map is constant."""
        count = self.values.shape[1]
        correlation = np.array(
            [
                [rank_correlation(one[i].ravel(), two[i].ravel()) for i in range(count)]
                for one, two in zip(self.values, other.values, strict=True)
            ]
        )
        similarity = np.stack([ssim(one, two) for one, two in zip(self.values, other.values, strict=True)])
        nothing = self.empty | other.empty
        return _Compared(np.where(nothing, 0.0, correlation), np.where(nothing, 0.0, similarity), other.empty)


@contextmanager
def _naming(layer: str) -> Iterator[None]:
    """Name the randomised layer in what a network raises."""
    try:
        yield
    except ModelError as error:
        raise ModelError(f"with {layer!r} randomised: {error}") from error


def _fixed(targets: Sequence[Any], logits: Float[Tensor, "n k"], model: BlackBox) -> list[AbstractTarget]:
    """Targets that stay what they are when class scores change; errors say which does not fit."""
    fixed = []
    for number, (target, row) in enumerate(zip(targets, logits, strict=True)):
        try:
            fixed.append(model.target(target, row))
        except (TypeError, ValueError) as error:
            raise type(error)(f"targets[{number}]: {str(error).removeprefix('target: ')}") from None
    return fixed


def _by_names(method: Any, network: BlackBox) -> Any:
    """The method with modules of the network, among its parameters, replaced by their names."""
    names = {id(module): name for name, module in looked_into(network).named_modules() if name}

    def named(value: Any) -> Any:
        if isinstance(value, list | tuple) and any(isinstance(each, nn.Module) for each in value):
            return tuple(named(each) for each in value)
        return names.get(id(value), value) if isinstance(value, nn.Module) else value

    given = {name: getattr(method, name) for name in getattr(method, "__dataclass_fields__", ())}
    changed = {name: named(value) for name, value in given.items() if named(value) is not value}
    return replace(method, **changed) if changed else method
