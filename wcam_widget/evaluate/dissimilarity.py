"""How far explanations move under attack: NISSIM, MOD and VID, over the image and band by band."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wcam_widget.evaluate.nissim import Mod, Vid, mod, nissim, vid
from wcam_widget.evaluate.similarity import SSIM, Ssim, constant
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.model import BlackBox, ImagesLike, ModelLike, TargetsLike, ensure_images
from wcam_widget.stress import Attack, Threat, fgsm

SPATIAL = "spatial"
EPSILONS = (0.01, 0.05, 0.075, 0.1)  # the attack levels of the publication, in the [0, 1] scale
EXPLAINED = ("own", "clean", "label")


@final
@dataclass(frozen=True)
class Protocol:
    """How explanations are shifted and compared.

    Args:
        attack: ``fgsm``, ``pgd`` or any function of a model, images, targets, epsilon and threat that returns
            an ``Attack``.
        threat: Its norm, aim and bands.
        explained: The class of the attacked maps: "own" for each image's own top class, which mixes a change
            of class with a shift of the map, "clean" for the clean image's top class, "label" for the class
            that is attacked. The clean map explains the same, for "own" its top class.
        ssim: Settings of the similarity.

    Raises:
        ValueError: For another ``explained``.
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

    Attributes:
        maps: "spatial", then the bands where the method has several.
        epsilons: Attack levels, (e,).
        nissim: (m, e, n), 0 same to 1 opposite.
        empty: Maps that are constant, clean ones first, (m, 1 + e, n); they are kept, as constant 0.
        fooled: Attacks that reached their aim, (e, n).
        method: How the maps were made.
        protocol: How images were attacked and maps compared.
    """

    maps: tuple[str, ...]
    epsilons: Float[np.ndarray, " e"]
    nissim: Float[np.ndarray, "m e n"]
    empty: Bool[np.ndarray, "m l n"]
    fooled: Bool[np.ndarray, "e n"]
    method: str
    protocol: Protocol

    def values(self, name: str = SPATIAL) -> Float[np.ndarray, "e n"]:
        """NISSIM of one map, level by level and image by image.

        Args:
            name: The map's name.

        Returns:
            (levels, images), in [0, 1].

        Raises:
            ValueError: Naming ``name`` where there is no such map.
        """
        if name not in self.maps:
            raise ValueError(f"name: found {name!r}; accepted are {', '.join(self.maps)}")
        values: Float[np.ndarray, "e n"] = self.nissim[self.maps.index(name)]
        return values

    def mod(self, name: str = SPATIAL) -> Mod:
        """Mean observed dissimilarity of one map, a curve over ``epsilons``.

        Args:
            name: The map's name.

        Returns:
            (levels,), in [0, 1].
        """
        return mod(self.values(name))

    def vid(self, name: str = SPATIAL) -> Vid:
        """Variation of dissimilarity of one map, over two or more ``epsilons``.

        Args:
            name: The map's name.

        Returns:
            A number of at least 0.
        """
        return vid(self.values(name))


def dissimilarity(
    model: ModelLike,
    method: AbstractMethod,
    images: ImagesLike,
    targets: TargetsLike = None,
    epsilons: Sequence[float] = EPSILONS,
    protocol: Protocol = Protocol(),
) -> Dissimilarity:
    """Attack images at every level, explain them before and after, and measure how far the maps moved.

    Every image keeps the random rows of its clean map, so that at epsilon 0 nothing moves. Of maps only
    NISSIM is kept. The model is left as it was.

    Args:
        model: A ``BlackBox``, a torch module or a callable that has gradients.
        method: Any that spreads over the image; where it has several bands, each is compared too, its cells
            spread over the image.
        images: (n, c, h, w) in [0, 1], or a list of images.
        targets: As of the attack; None for the top classes.
        epsilons: Attack levels, in the [0, 1] scale and the norm of the threat, at least one.
        protocol: The attack, its threat, the class that is explained, and the similarity.

    Returns:
        NISSIM of every map, attack level and image, with its readings ``mod`` and ``vid``.

    Raises:
        ValueError: Naming what does not fit, ``epsilons[i]`` too.
        ModelError: Where the model has no gradients.

    References:
        Chakraborty et al. (2022), "Generalizing Adversarial Explanations with Grad-CAM", section 3.

    Examples:
        >>> from wcam_widget import Sobol, Wcam
        >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(768, 2))
        >>> wcam = Wcam(Sobol(rows=2), levels=1, grid=2)
        >>> moved = dissimilarity(net, wcam, torch.rand(2, 3, 16, 16), epsilons=(0.0, 0.1))
        >>> moved.maps, moved.nissim.shape, float(moved.mod("HL1").value[0])
        (('spatial', 'A1', 'LH1', 'HL1', 'HH1'), (5, 2, 2), 0.0)
    """
    network = BlackBox.ensure(model)
    batch = ensure_images(images, "images", network.fit)
    levels = _ensure_epsilons(epsilons, protocol.threat, batch)
    attacks = [protocol.attack(network, batch, targets, each, protocol.threat) for each in levels]
    rows = []
    for number, image in enumerate(batch):
        target = protocol.target(attacks[0], number)
        versions = [image, *(attack.images[number] for attack in attacks)]
        attributions = [method.last(network, each, target, number) for each in versions]
        rows.append(_Row.compared(attributions, protocol.ssim))
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
    def compared(cls, attributions: Sequence[Attribution], ssim: Ssim) -> _Row:
        """The attribution of the clean image, which comes first, with those of the attacked ones."""
        stacks = [maps_of(each) for each in attributions]
        return cls(
            map_names(attributions[0]),
            attributions[0].method,
            np.stack([nissim(stacks[0], stack, ssim) for stack in stacks[1:]], 1),
            np.stack([constant(torch.from_numpy(stack)).numpy() for stack in stacks], 1),
        )


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
