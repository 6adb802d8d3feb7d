"""Scale and orientation profiles of models over a data set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import tee
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from jaxtyping import Float
from torch import Tensor

from wcam_widget.evaluate.scale_profiles import Profiles
from wcam_widget.evaluate.stream import Item, StreamLike, items
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.loop import Failure, each
from wcam_widget.explain.method import AbstractMethod, MethodLike
from wcam_widget.explain.wcam.wcam import Wcam
from wcam_widget.model import BlackBox, ModelLike, TargetsLike
from wcam_widget.model.photograph import is_photograph
from wcam_widget.sensitivity.statistics.jackknife import Replicated

if TYPE_CHECKING:
    from typing import TypeAlias

    ModelsLike: TypeAlias = ModelLike | Mapping[str, ModelLike] | Sequence[ModelLike]
else:
    # Checks at run time are our own: their errors name the argument as the caller wrote it.
    ModelsLike = Any


class ProfileRow(NamedTuple):
    """What is kept of one image and one model: Shapley effects, totals and their variances, (g,) each."""

    shapley: Float[np.ndarray, " g"]
    total: Float[np.ndarray, " g"]
    shapley_noise: Float[np.ndarray, " g"]
    total_noise: Float[np.ndarray, " g"]


def profiles(
    models: ModelsLike,
    images: StreamLike,
    method: MethodLike = None,
    targets: TargetsLike = None,
    repeats: int = 1,
) -> Profiles:
    """Measure how much each scale and filter matters to one or several models, image by image.

    All models see the same random masks of an image, so that their differences are paired. Images are read
    one at a time, and of each only the numbers of its bands are kept.

    Args:
        models: A model, models by name, or a list of them: each a ``BlackBox``, a torch module or a callable.
        images: (B, C, H, W) in [0, 1], a list of images, or an iterable of images or batches; paths and
            images of PIL go through each model's own ``fit``.
        method: One that measures bands, as ``Wcam``, for all models alike; None for ``Wcam()``.
        targets: A class id, class name or target for all images or for each; None for each model's own top
            class.
        repeats: How often each image is explained, with other random masks, at least 1. Two or more tell the
            estimation error of the Shapley effects, too.

    Returns:
        Totals and Shapley effects of every model, image and band, with readings over the images.

    Raises:
        ValueError: Naming the argument that does not fit; ``method`` where it measures no bands.
        ModelError: Where a model fails.

    References:
        Kasmi et al. (2025), "Enhancing the reliability of deep learning for photovoltaic mapping", whose
        scale embedding this is, of Shapley effects, which add to 1, in place of sums of cells; Owen (2014),
        "Sobol' indices and Shapley value".

    Examples:
        >>> import torch
        >>> from wcam_widget import Derivative
        >>> net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 2))
        >>> measured = profiles(net, torch.rand(3, 3, 8, 8), Wcam(Derivative(4), levels=1, grid=1))
        >>> measured.names, measured.shapley.shape
        (('A1', 'LH1', 'HL1', 'HH1'), (1, 3, 4))
        >>> bool(np.allclose(measured.shapley.sum(2), 1.0))
        True
    """
    repeats = ensure_repeats(repeats)
    networks = ensure_models(models)
    chosen = ensure_method(method)
    first: list[Attribution] = []

    def task(number: int, together: tuple[Item, ...]) -> Iterator[list[ProfileRow]]:
        yield [
            profile_row(network, chosen, item, range(number * repeats, (number + 1) * repeats), first)
            for network, item in zip(networks.values(), together, strict=True)
        ]

    source: Any = images
    copies = tee(source, len(networks)) if _is_stream(source) else [source] * len(networks)
    streams = (
        items(network, one, chosen, targets) for network, one in zip(networks.values(), copies, strict=True)
    )
    rows = []
    for _, one in each(task, zip(*streams, strict=True)):
        if isinstance(one, Failure):
            raise one.error
        rows.append(one)
    if not rows:
        raise ValueError("images: found none; accepted is at least one image")
    return collected(tuple(networks), first[0], rows)


def collected(models: tuple[str, ...], one: Attribution, rows: list[list[ProfileRow]]) -> Profiles:
    """The rows of every image and model, with what ``one`` of the maps tells of the bands."""
    bands = one.profile()
    shapley, total, shapley_noise, total_noise = np.array(rows).transpose(2, 1, 0, 3)  # model, image, band
    return Profiles(
        models=models,
        names=bands.names,
        levels=bands.levels,
        orientations=bands.orientations,
        shapley=shapley,
        total=total,
        shapley_noise=shapley_noise,
        total_noise=total_noise,
        method=one.method,
    )


def ensure_method(method: MethodLike) -> AbstractMethod:
    """The method, or ``Wcam()`` for None; TypeError naming ``method`` for anything else."""
    chosen = Wcam() if method is None else method
    if not isinstance(chosen, AbstractMethod):
        raise TypeError(f"method: found {type(chosen).__qualname__}; accepted are None and a method, as Wcam")
    return chosen


def ensure_repeats(repeats: int) -> int:
    """How often each image is explained; ValueError naming ``repeats`` below 1."""
    if repeats < 1 or int(repeats) != repeats:
        raise ValueError(f"repeats: found {repeats!r}; accepted is an integer of at least 1")
    return int(repeats)


def ensure_models(models: ModelsLike) -> dict[str, BlackBox]:
    """Models by name; those of a list are numbered.

    >>> list(ensure_models([lambda images: images.mean((2, 3))] * 2))
    ['model 1', 'model 2']
    """
    if isinstance(models, Mapping):
        named = {str(name): one for name, one in models.items()}
    elif isinstance(models, list | tuple):
        named = {f"model {number}": one for number, one in enumerate(models, 1)}
    else:
        named = {"model": cast("ModelLike", models)}
    if not named:
        raise ValueError("models: found none; accepted is at least one")
    return {name: BlackBox.ensure(one, f"models[{name!r}]") for name, one in named.items()}


def profile_row(
    network: BlackBox, method: AbstractMethod, item: Item, streams: range, first: list[Attribution]
) -> ProfileRow:
    """The means of an image's runs, and how uncertain these are.

    Args:
        network: The model.
        method: One that measures bands.
        item: The image and its target.
        streams: Of the random rows, one for each run.
        first: Gets the first of all maps, for what it tells of the bands.

    Raises:
        ValueError: Naming ``method`` where it measures no bands.
    """
    runs = []
    for stream in streams:
        attribution = method.last(network, item.image, item.target, stream)
        groups = attribution.estimate.groups
        if not np.isfinite(groups.shapley).all():
            raise ValueError(
                f"method: {attribution.method} gives no Shapley effects of bands; accepted is a Wcam of "
                "Screened, Derivative, Refined or Sobol"
            )
        noise = Replicated(groups.total, groups.left_out).error ** 2
        runs.append((groups.shapley, groups.total, np.where(np.isfinite(noise), noise, np.nan)))
        first.extend([] if first else [attribution.alone()])
        _ensure_alike(attribution, first[0], streams.start // len(streams))
    shapley, total, noise = (np.array(part) for part in zip(*runs, strict=True))
    count = len(runs)
    if count == 1:
        return ProfileRow(shapley[0], total[0], np.full_like(shapley[0], np.nan), noise[0])
    return ProfileRow(
        shapley.mean(0), total.mean(0), shapley.var(0, ddof=1) / count, total.var(0, ddof=1) / count
    )


def _ensure_alike(one: Attribution, first: Attribution, number: int) -> None:
    """Raise ValueError naming an image whose size has other bands than the first has."""
    names, expected = one.profile().names, first.profile().names
    if names != expected:
        height, width = one.cells.image_size
        raise ValueError(
            f"images[{number}]: found {height}x{width} pixels, with bands {', '.join(names)}; the first has "
            f"{', '.join(expected)}; accepted are images with the same bands"
        )


def _is_stream(images: Any) -> bool:
    """Whether images are read from an iterable, which may do so only once."""
    fixed = isinstance(images, Tensor | np.ndarray | list | tuple) or is_photograph(images)
    return isinstance(images, Iterable) and not fixed
