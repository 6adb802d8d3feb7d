"""How far explanations move under attack: NISSIM, MOD and VID, over the image and band by band."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wcam_widget.evaluate.similarity import SSIM, Maps, Ssim, constant
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.method import AbstractMethod, Pixels
from wcam_widget.model import BlackBox, ensure_images
from wcam_widget.sensitivity.statistics.jackknife import CONFIDENCE, replicated
from wcam_widget.stress import Attack, Threat, fgsm

SPATIAL = "spatial"
EPSILONS = (0.01, 0.05, 0.075, 0.1)  # the attack levels of the publication, in the [0, 1] scale
EXPLAINED = ("own", "clean", "label")


def nissim(first: Maps, second: Maps, ssim: Ssim = SSIM) -> Float[np.ndarray, " n"]:
    """Normalised inverse structural similarity of pairs of maps: (1 - SSIM) / 2, 0 same to 1 opposite.

    first, second: maps (n, h, w), finite. Two constant maps are the same. Source: Chakraborty et al. (2022),
    "Generalizing Adversarial Explanations with Grad-CAM".

    >>> heat = torch.rand(2, 16, 16)
    >>> nissim(heat, heat).tolist()
    [0.0, 0.0]
    """
    return np.clip((1.0 - ssim(first, second)) / 2.0, 0.0, 1.0)


@final
@dataclass(frozen=True, eq=False)
class Mod:
    """Mean observed dissimilarity at each attack level: ``value``, with 95 % limits over images."""

    value: Float[np.ndarray, " e"]
    low: Float[np.ndarray, " e"]
    high: Float[np.ndarray, " e"]


@final
@dataclass(frozen=True, eq=False)
class Vid:
    """Variation of dissimilarity, in the three readings of its definition; standard deviations, ddof = 0.

    model: over attack levels, of their means over images, with 95 % limits ``low`` and ``high`` over images;
    the reading to report by default. per_image: over attack levels, of each image. per_level: over images, at
    each attack level.
    """

    model: float
    low: float
    high: float
    per_image: Float[np.ndarray, " n"]
    per_level: Float[np.ndarray, " e"]


def mod(values: Float[np.ndarray, "e n"], confidence: float = CONFIDENCE) -> Mod:
    """Mean NISSIM over images at each attack level, with Student limits; of one image nothing limits it.

    values: NISSIM (levels, images), 0 to 1. Raises ValueError for anything else.

    >>> mod(np.array([[0.1, 0.3], [0.2, 0.4]])).value.round(2).tolist()
    [0.2, 0.3]
    """
    asked = _ensure_values(values, levels=1)
    low, high = replicated(lambda kept: asked[:, kept].mean(1), asked.shape[1]).symmetric_interval(confidence)
    return Mod(asked.mean(1), np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0))


def vid(values: Float[np.ndarray, "e n"], confidence: float = CONFIDENCE) -> Vid:
    """How much dissimilarity varies with the strength of the attack, in all three readings.

    values: NISSIM (levels, images), 0 to 1, of at least two levels. Raises ValueError for anything else.

    >>> found = vid(np.array([[0.1, 0.1], [0.1, 0.5]]))
    >>> round(found.model, 3), found.per_image.round(3).tolist(), found.per_level.round(3).tolist()
    (0.1, [0.0, 0.2], [0.0, 0.2])
    """
    asked = _ensure_values(values, levels=2)
    found = replicated(lambda kept: asked[:, kept].mean(1).std(keepdims=True), asked.shape[1])
    low, high = found.symmetric_interval(confidence)
    # The deviation of numbers from 0 to 1 is at most a half.
    limits = float(np.clip(low[0], 0.0, 0.5)), float(np.clip(high[0], 0.0, 0.5))
    return Vid(float(found.value[0]), *limits, per_image=asked.std(0), per_level=asked.std(1))


@final
@dataclass(frozen=True)
class Protocol:
    """How explanations are shifted and compared.

    attack: ``fgsm``, ``pgd`` or any function of a model, images, targets, epsilon and threat that returns an
    ``Attack``. threat: its norm, aim and bands. explained: the class of the attacked maps, "own" for each
    image's own top class, which mixes a change of class with a shift of the map, "clean" for the clean
    image's top class, "label" for the class that is attacked; the clean map explains the same, for "own" its
    top class. ssim: settings of the similarity. Raises ValueError for another ``explained``.
    """

    attack: Callable[[BlackBox, Tensor, Any, float, Threat], Attack] = fgsm
    threat: Threat = field(default_factory=Threat)
    explained: str = "own"
    ssim: Ssim = SSIM

    def __post_init__(self) -> None:
        if self.explained not in EXPLAINED:
            raise ValueError(f"explained: found {self.explained!r}; accepted are {', '.join(EXPLAINED)}")

    def target(self, attack: Attack, number: int) -> int | None:
        """The class that the maps of one image explain; None for each image's own top class."""
        if self.explained == "own":
            return None
        classes = attack.classes_before if self.explained == "clean" else attack.labels
        return int(classes[number])


@final
@dataclass(frozen=True, eq=False)
class Dissimilarity:
    """NISSIM of every map, attack level and image: ``nissim`` (m, e, n) in the order of ``maps``.

    maps: "spatial", then the bands where the method has several. epsilons (e,): attack levels. empty
    (m, 1 + e, n): maps that are constant, clean ones first; they are kept, as constant 0. fooled (e, n):
    attacks that reached their aim. method and protocol say how all of it was made.
    """

    maps: tuple[str, ...]
    epsilons: Float[np.ndarray, " e"]
    nissim: Float[np.ndarray, "m e n"]
    empty: Bool[np.ndarray, "m l n"]
    fooled: Bool[np.ndarray, "e n"]
    method: str
    protocol: Protocol

    def values(self, name: str = SPATIAL) -> Float[np.ndarray, "e n"]:
        """NISSIM (levels, images) of one map; ValueError naming ``name`` where there is no such map."""
        if name not in self.maps:
            raise ValueError(f"name: found {name!r}; accepted are {', '.join(self.maps)}")
        found: Float[np.ndarray, "e n"] = self.nissim[self.maps.index(name)]
        return found

    def mod(self, name: str = SPATIAL) -> Mod:
        """Mean observed dissimilarity of one map, a curve over ``epsilons``."""
        return mod(self.values(name))

    def vid(self, name: str = SPATIAL) -> Vid:
        """Variation of dissimilarity of one map, over two or more ``epsilons``."""
        return vid(self.values(name))


def dissimilarity(
    model: Any,
    method: AbstractMethod,
    images: Pixels,
    targets: Any = None,
    epsilons: Sequence[float] = EPSILONS,
    protocol: Protocol = Protocol(),
) -> Dissimilarity:
    """Attack images at every level, explain them before and after, and measure how far the maps moved.

    method: any that spreads over the image; where it has several bands, each is compared too, its cells
    spread over the image. targets: as of the attack, None for the top classes. Every image keeps the random
    rows of its clean map, so that at epsilon 0 nothing moves. Of maps only NISSIM is kept. The model is left
    as found. Raises ValueError naming what does not fit, ``epsilons[i]`` too.

    >>> from wcam_widget import Sobol, Wcam
    >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(768, 2))
    >>> wcam = Wcam(Sobol(rows=2), levels=1, grid=2)
    >>> found = dissimilarity(net, wcam, torch.rand(2, 3, 16, 16), epsilons=(0.0, 0.1))
    >>> found.maps, found.nissim.shape, float(found.mod("HL1").value[0])
    (('spatial', 'A1', 'LH1', 'HL1', 'HH1'), (5, 2, 2), 0.0)
    """
    network = BlackBox.ensure(model)
    asked = ensure_images(images, "images", network.fit)
    levels = _ensure_epsilons(epsilons, protocol.threat, asked)
    attacks = [protocol.attack(network, asked, targets, each, protocol.threat) for each in levels]
    rows = []
    for number, image in enumerate(asked):
        target = protocol.target(attacks[0], number)
        versions = [image, *(attack.images[number] for attack in attacks)]
        found = [method.last(network, each, target, number) for each in versions]
        rows.append(_Row.of(found, protocol.ssim))
    return Dissimilarity(
        maps=rows[0].maps,
        epsilons=np.array(levels),
        nissim=np.stack([row.nissim for row in rows], -1),
        empty=np.stack([row.empty for row in rows], -1),
        fooled=np.array([attack.fooled for attack in attacks]),
        method=rows[0].method,
        protocol=protocol,
    )


def map_names(attribution: Attribution) -> tuple[str, ...]:
    """The names of what ``maps_of`` gives."""
    bands = tuple(band.name for band in attribution.cells.bands)
    return (SPATIAL, *bands) if len(bands) > 1 else (SPATIAL,)


def maps_of(attribution: Attribution) -> Float[np.ndarray, "m h w"]:
    """The map over the image and, where there are several bands, that of each band alone."""
    maps = [attribution.spatial()]
    for band in range(len(map_names(attribution)) - 1):
        alone = np.where(attribution.cells.groups == band, attribution.values, 0.0)
        maps.append(attribution.cells.spatial(alone))
    return np.stack(maps)


@final
@dataclass(frozen=True, eq=False)
class _Row:
    """What is kept of one image: names of its maps, how they were made, their NISSIM, which are constant."""

    maps: tuple[str, ...]
    method: str
    nissim: Float[np.ndarray, "m e"]
    empty: Bool[np.ndarray, "m l"]

    @classmethod
    def of(cls, found: Sequence[Attribution], ssim: Ssim) -> _Row:
        """Of the attribution of the clean image, followed by those of the attacked ones."""
        stacks = [maps_of(each) for each in found]
        return cls(
            map_names(found[0]),
            found[0].method,
            np.stack([nissim(stacks[0], stack, ssim) for stack in stacks[1:]], 1),
            np.stack([constant(torch.from_numpy(stack)).numpy() for stack in stacks], 1),
        )


def _ensure_values(values: Float[np.ndarray, "e n"], levels: int) -> Float[np.ndarray, "e n"]:
    found = np.asarray(values, dtype=float)
    fits = found.ndim == 2 and found.shape[0] >= levels and found.shape[1] >= 1
    if not fits or not ((found >= 0) & (found <= 1)).all():
        raise ValueError(
            f"values: found shape {found.shape}; accepted is NISSIM (levels, images) from 0 to 1, "
            f"of at least {levels} attack level{'s' if levels > 1 else ''} and one image"
        )
    return found


def _ensure_epsilons(epsilons: Sequence[float], threat: Threat, images: Tensor) -> list[float]:
    if len(epsilons) == 0:
        raise ValueError("epsilons: found none; accepted is at least one attack level")
    levels = []
    for number, epsilon in enumerate(epsilons):
        try:
            levels.append(threat.ensure_epsilon(epsilon, images))
        except ValueError as error:
            raise ValueError(str(error).replace("epsilon:", f"epsilons[{number}]:", 1)) from None
    return levels
