"""Where a map is scored: the cells that are removed, and what a measure is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wcam_widget.evaluate.carried import Map, carried
from wcam_widget.evaluate.rankings import NULLS, Values
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.method import ensure_targets
from wcam_widget.explain.wcam.wcam import Wcam
from wcam_widget.model import (
    AbstractTarget,
    BlackBox,
    ImagesLike,
    Logit,
    Margin,
    ModelLike,
    Probability,
    TargetLike,
    TargetsLike,
    ensure_images,
)
from wcam_widget.perturb.baseline import Baseline
from wcam_widget.perturb.perturbation import Perturbation
from wcam_widget.perturb.probe import Probe
from wcam_widget.perturb.space import Space

SPACES = ("own", "pixels", "wavelet")
ACCEPTED = "one Attribution or map (H, W) per image"

if TYPE_CHECKING:
    AttributionsLike: TypeAlias = Sequence[Attribution | Map | Tensor] | np.ndarray | Tensor
    DomainLike: TypeAlias = "str | Wcam | Domain"
else:
    # Checks at run time are our own: their errors name the argument as the caller wrote it.
    AttributionsLike = DomainLike = Any


@dataclass(frozen=True, eq=False)
class Domain:
    """The cells a map is scored by, what stands in for those removed, and the null rankings beside it.

    Methods are compared on the same footing in one space other than "own".

    Args:
        space: "own" are the cells of each attribution, for plain maps the same as "pixels": single pixels
            (``mu_fidelity``: 9x9 cells); "wavelet" the cells of ``Wcam()``: Haar, 3 levels, 8x8 cells in
            every band, fewer on images under 64 pixels; a ``Wcam`` brings its basis, cells, baseline and
            clipping.
        baseline: As for ``Wcam``; None for that of the ``Wcam`` or of the measure.
        nulls: Rankings scored beside the map, of "energy", "random" and "centre".
        seed: Of the random ranking and of random subsets.
        beside: Maps of other methods by name, one per image, scored under the same removals and returned
            among ``null``: cheaper than one call each, as what is removed at random is scored once.

    Raises:
        ValueError: Naming ``domain``, ``nulls`` or ``beside``.

    Examples:
        >>> Domain("pixels", baseline="black").nulls
        ('energy', 'random', 'centre')
    """

    space: str | Wcam = "own"
    baseline: Baseline | None = None
    nulls: tuple[str, ...] = tuple(NULLS)
    seed: int = 0
    beside: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.space, Wcam) and self.space not in SPACES:
            raise ValueError(f"domain: found {self.space!r}; accepted are {', '.join(SPACES)} and a Wcam")
        unknown = [name for name in self.nulls if name not in NULLS]
        if unknown:
            raise ValueError(f"nulls: found {unknown[0]!r}; accepted are {', '.join(NULLS)}")
        taken = [name for name in self.beside if name in NULLS]
        if taken:
            raise ValueError(f"beside: found {taken[0]!r}, which names a null ranking; accepted are others")

    @classmethod
    def ensure(cls, domain: DomainLike, baseline: Baseline) -> Domain:
        """A ``Domain`` of what a caller may write.

        Args:
            domain: "own", "pixels", "wavelet", a ``Wcam`` or a ``Domain``.
            baseline: The measure's own, where none is given.

        Returns:
            A domain.
        """
        if not isinstance(domain, str | Wcam | Domain):
            raise TypeError(
                f"domain: found {type(domain).__qualname__}; accepted are {', '.join(SPACES)}, "
                "Wcam and Domain"
            )
        made = domain if isinstance(domain, Domain) else cls(domain)
        if made.baseline is not None:
            return made
        return replace(made, baseline=made.space.baseline if isinstance(made.space, Wcam) else baseline)

    def scoring_space(self, size: tuple[int, int], pixel_grid: int | None = None) -> Space:
        """The space whose cells are scored.

        Args:
            size: Height and width of the images in pixels.
            pixel_grid: Cells along each side where pixels are scored.

        Returns:
            A space.
        """
        if isinstance(self.space, Wcam):
            return self.space.space
        if self.space == "wavelet":
            return Space()
        if pixel_grid is None:
            return Space.per_coefficient("pixels")
        return Space("pixels", grid=min(pixel_grid, *size))


@dataclass(frozen=True, eq=False)
class Case:
    """One image, its probe, and the values of its cells by the map, by others beside it, by null rankings."""

    probe: Probe
    values: Values
    domain: Domain
    number: int
    others: Mapping[str, Values] = field(default_factory=dict)

    @property
    def flat(self) -> bool:
        """Whether all values are equal, so that the map ranks nothing."""
        return bool(self.values.min() == self.values.max())

    @cached_property
    def nulls(self) -> dict[str, Values]:
        """The values of the null rankings of the domain, then those of the maps beside."""
        nulls = {name: NULLS[name](self.probe, self.random("ranking")) for name in self.domain.nulls}
        return {**nulls, **self.others}

    @property
    def rankings(self) -> list[Values]:
        """The map's values, then those of the null rankings and of the maps beside."""
        return [self.values, *self.nulls.values()]

    def random(self, use: str) -> np.random.Generator:
        """Random numbers of this image for one use, the same in every run and for every map."""
        return np.random.default_rng([self.domain.seed, self.number, *use.encode()])

    @property
    def words(self) -> str:
        """The domain, for the result."""
        space = self.domain.space if isinstance(self.domain.space, str) else "as given"
        bands = [band.name for band in self.probe.cells.bands]
        where = bands[0] if len(bands) == 1 else f"{bands[0]} … {bands[-1]}"
        return f"{space}: {len(self.probe.cells)} cells, {where}"


@dataclass(frozen=True, eq=False)
class MeasureInputs:
    """What every measure is called with; iterating checks it and gives one ``Case`` per image."""

    model: ModelLike
    images: ImagesLike
    attributions: AttributionsLike
    targets: TargetsLike
    domain: Domain
    pixel_grid: int | None = None

    def __iter__(self) -> Iterator[Case]:
        network = BlackBox.ensure(self.model)
        images = ensure_images(self.images, "images", network.fit)
        maps = ensure_maps(self.attributions, images)
        beside = {name: ensure_maps(each, images, "beside") for name, each in self.domain.beside.items()}
        wanted = ensure_targets(self.targets, len(images))
        logits = network.logits(images)
        place = self.domain.scoring_space((images.shape[2], images.shape[3]), self.pixel_grid)
        common = place.basis((images.shape[2], images.shape[3]))
        common_cells = place.cells(common)
        targets = [
            measured_target(target, given, row, network)
            for target, given, row in zip(wanted, maps, logits, strict=True)
        ]
        for number, (image, given, target) in enumerate(zip(images, maps, targets, strict=True)):
            basis, cells = common, common_cells
            if self.domain.space == "own" and isinstance(given, Attribution):
                basis, cells = given.basis, given.cells
            baseline = "mean" if self.domain.baseline is None else self.domain.baseline
            perturbation = Perturbation.from_image(
                image.to(network.device), basis, cells, baseline, place.clip
            )
            probe = Probe(network, target, perturbation, logits[number])
            others = {name: carried(each[number], basis, cells) for name, each in beside.items()}
            yield Case(probe, carried(given, basis, cells), self.domain, number, others)


def ensure_maps(
    attributions: Any, images: Float[Tensor, "b c h w"], argument: str = "attributions"
) -> list[Attribution | Map]:
    """One Attribution or float64 map per image; errors name ``argument`` and the place in it."""
    if isinstance(attributions, str) or not isinstance(attributions, Sequence | np.ndarray | torch.Tensor):
        raise TypeError(f"{argument}: found {type(attributions).__qualname__}; accepted are {ACCEPTED}")
    if len(attributions) != len(images):
        raise ValueError(
            f"{argument} has {len(attributions)} entries for {len(images)} images; accepted are {ACCEPTED}"
        )
    size = (images.shape[2], images.shape[3])
    return [_ensure_map(given, size, f"{argument}[{number}]") for number, given in enumerate(attributions)]


def _ensure_map(given: Any, size: tuple[int, int], where: str) -> Attribution | Map:
    if isinstance(given, Attribution):
        map_size, values = given.cells.image_size, given.values
    elif isinstance(given, np.ndarray | torch.Tensor):
        values = given.detach().cpu().numpy() if isinstance(given, torch.Tensor) else given
        values = values.astype(np.float64)
        map_size = values.shape
    else:
        raise TypeError(f"{where}: found {type(given).__qualname__}; accepted are {ACCEPTED}")
    if tuple(map_size) != size:
        raise ValueError(f"{where}: found a map of size {tuple(map_size)}; the images are of size {size}")
    if not np.isfinite(values).all():
        raise ValueError(f"{where}: found NaN or infinite values; accepted are finite ones")
    return given if isinstance(given, Attribution) else values


def measured_target(
    target: TargetLike, given: Attribution | Map, logits: Float[Tensor, " k"], model: BlackBox
) -> AbstractTarget:
    """The score that is measured: a target as it is; the probability of a class for anything else.

    Of a model that gives no probabilities it is the score of the class.

    None stands for the class the attribution explains, or for the top class where it is a plain map. Raises
    ValueError naming ``targets`` where an attribution explains no single class.
    """
    if isinstance(target, AbstractTarget):
        return model.target(target, logits)
    if target is None and isinstance(given, Attribution):
        classes = [index for index in range(len(logits)) if given.target in _labels(index, logits, model)]
        if len(classes) != 1:
            raise ValueError(
                f"targets: None does not do for an attribution of {given.target!r}, which is no class of "
                "this model; give one class or target per image"
            )
        target = classes[0]
    resolved = model.target(target, logits)
    return resolved.as_probability() if isinstance(resolved, Logit) else resolved


def _labels(index: int, logits: Float[Tensor, " k"], model: BlackBox) -> list[str]:
    """What the score, the probability and the margin of one class are called."""
    kinds: list[AbstractTarget] = [Logit(index)]
    if model.head.with_classes(len(logits)).bounded:
        kinds.append(Probability(index))
    if len(logits) > 1:
        kinds.append(Margin(index))
    return [model.target(kind, logits).label(model.class_names) for kind in kinds]
