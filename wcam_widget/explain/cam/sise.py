"""SISE: maps of several blocks of a network, each scored as a mask on the image, fused shallow to deep."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.cam.fusion import CUTS, cascade
from wcam_widget.explain.cam.pixel_maps import map_attribution, pixel_info
from wcam_widget.explain.cam.scored_masks import ADAPTIVE, Block, MaskedScorer, Threshold
from wcam_widget.explain.method import AbstractMethod
from wcam_widget.model import (
    AbstractTarget,
    BlackBox,
    Custom,
    ImageLike,
    Logit,
    ModelLike,
    Probability,
    TargetLike,
    ensure_image,
)
from wcam_widget.model.blocks import block_layers
from wcam_widget.model.layers import AUTO, LayerCapture, capture_all, find_layer
from wcam_widget.model.positions import Layer
from wcam_widget.perturb.baseline import Baseline

SELECTING = ("score", "logit")

Layers = str | nn.Module | Sequence[str | nn.Module]


@dataclass(frozen=True, eq=False)
class _Run:
    """One image on its way: its blocks, shallow to deep, and the cost so far."""

    masked: MaskedScorer
    score: float
    blocks: tuple[Block, ...]
    seconds: float

    @property
    def left(self) -> int:
        """Masks that are not scored yet."""
        return sum(block.left for block in self.blocks)

    def step(self, chunk: int) -> _Run:
        """The run with the next masks scored, those of the deepest block that has any left."""
        started = time.perf_counter()
        place = max(at for at, block in enumerate(self.blocks) if block.left)
        blocks = list(self.blocks)
        blocks[place] = blocks[place].grown(self.masked, chunk)
        seconds = self.seconds + time.perf_counter() - started
        return replace(self, blocks=tuple(blocks), seconds=seconds)


@final
@dataclass(frozen=True, eq=False)
class Sise(AbstractMethod):
    """SISE: the score of the image under masks made of a network's own maps, block by block.

    Of every block the maps that raise the score are chosen by their gradients; each is stretched over the
    image and to [0, 1], and multiplies it; the block's map is the mean of the masks, each over its sum, times
    the scores. The maps of the blocks, each in [0, 1], are fused from shallow to deep; values are the fused
    map, in [0, number of blocks]. ``Sise.adaptive()`` is Ada-SISE.

    The score is the probability of the class, unless a target is given. Its gradient is taken through the
    log-odds, which choose the same maps and do not vanish where the network is certain. Constant maps show no
    place and are left out, as are blocks of which no map is left; ``stop`` says how many maps were scored in
    which block. A map that is 0 everywhere says so there. Not counted is the one pass in which each layer, or
    all blocks together, are looked for.

    Args:
        layers: "auto", the last layer of each block (see ``wcam_widget.model.blocks``), or modules of the
            network or their names, shallow to deep.
        threshold: A map is chosen where the sum of its gradients is above this share of the layer's largest,
            in [0, 1): 0 takes all that raise the score, 0.3 is about four times faster at nearly the same
            quality (the paper's figure); "otsu" computes it layer by layer.
        fusion: "hard", as in the paper, or "soft", as in its authors' code (see
            ``wcam_widget.explain.cam.fusion``).
        select_on: Whose gradient chooses, the "score" itself or the "logit" of its class.
        baseline: What hidden pixels show: "mean", "black", "blurred", or an image (C, H, W) in [0, 1].
        chunk: Masks scored between two results, at least 1.

    Raises:
        ValueError: Naming the argument for parameters that are not among the above; when called, naming
            ``layers``, with the candidates, for a layer that does not exist, has no positions or is given
            twice, and for ``select_on="logit"`` with a target that is of no class.
        ModelError: When called, for a network that is a plain callable or gives no gradients.

    References:
        Sattarzadeh et al. (2021), "Explaining Convolutional Neural Networks through Attribution-Based Input
        Sampling and Block-Wise Feature Aggregation"; Sudhakar et al. (2021), "Ada-SISE".

    Examples:
        >>> net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, padding=1))
        >>> net = nn.Sequential(net, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> (attribution,) = Sise()(net, torch.rand(1, 3, 16, 16), [2])
        >>> attribution.method, attribution.target
        ('Sise · 2 layers, 0.0 (16x16) to 0 (8x8)', 'probability of class 2')
    """

    layers: Layers = AUTO
    threshold: Threshold = 0.0
    fusion: str = "hard"
    select_on: str = "score"
    baseline: Baseline = "mean"
    chunk: int = 128

    def __post_init__(self) -> None:
        if not isinstance(self.layers, Sequence | nn.Module):
            raise TypeError(
                f"layers: found {type(self.layers).__qualname__}; accepted are 'auto', a layer and several"
            )
        if isinstance(self.layers, Sequence) and not len(self.layers):
            raise ValueError("layers is empty; accepted are 'auto', a layer and several")
        if isinstance(self.threshold, str):
            if self.threshold != ADAPTIVE:
                raise ValueError(f"threshold={self.threshold!r} is unknown; a number or 'otsu' is accepted")
        elif not 0 <= self.threshold < 1:
            raise ValueError(f"threshold={self.threshold!r} must be 'otsu' or a share in [0, 1)")
        for name, value, known in (
            ("fusion", self.fusion, CUTS),
            ("select_on", self.select_on, SELECTING),
        ):
            if value not in known:
                raise ValueError(f"{name}={value!r} is unknown; {', '.join(known)} are known")
        if int(self.chunk) != self.chunk or self.chunk < 1:
            raise ValueError(f"chunk={self.chunk!r} must be a positive number of masks")

    @classmethod
    def adaptive(cls, layers: Layers = AUTO, fusion: str = "hard") -> Sise:
        """Ada-SISE: the threshold of every layer is Otsu's, over the gradients that are positive.

        Args:
            layers: As for ``Sise``.
            fusion: As for ``Sise``.

        References:
            Sudhakar et al. (2021), "Ada-SISE: Adaptive Semantic Input Sampling for Efficient Explanation of
            Convolutional Neural Networks".

        Examples:
            >>> Sise.adaptive().threshold
            'otsu'
        """
        return cls(layers, ADAPTIVE, fusion)

    @property
    @override
    def title(self) -> str:
        """The method's own name, or its adaptive variant's."""
        return "AdaSise" if self.threshold == ADAPTIVE else "Sise"

    @override
    def steps(
        self, model: ModelLike, image: ImageLike, target: TargetLike = None, stream: int = 0
    ) -> Iterator[Attribution]:
        # The map of one image (C, H, W) after every chunk of masks, the deepest block first. Blocks
        # of which nothing is known yet are left out of the fusion. ``stream`` has no effect:
        # nothing is drawn.
        del stream
        network = BlackBox.ensure(model)
        run = self._begun(network, ensure_image(image, "image", network.fit), target)
        if not run.left:
            yield self._attribution(network, run)
        while run.left:
            run = run.step(self.chunk)
            yield self._attribution(network, run)

    def _begun(self, model: BlackBox, image: Float[Tensor, "c h w"], target: TargetLike) -> _Run:
        layers, started = self._layers_of(model, image), time.perf_counter()
        image_logits = model.logits(image[None])[0]
        explained = model.target(target, image_logits)
        if isinstance(explained, Logit) and not isinstance(target, AbstractTarget):
            explained = explained.as_probability()
        masked = MaskedScorer.from_image(model, explained, image, self.baseline)
        blocks: list[Block] = []

        def choose(captured: list[LayerCapture]) -> None:
            blocks[:] = [
                Block.from_layer(layer, each, self.threshold)
                for layer, each in zip(layers, captured, strict=True)
            ]

        capture_all(model, layers, image[None], [self._selecting(explained)], choose)
        score, seconds = float(explained(image_logits[None])[0]), time.perf_counter() - started
        return _Run(masked, score, tuple(blocks), seconds)

    def _layers_of(self, model: BlackBox, image: Float[Tensor, "c h w"]) -> list[Layer]:
        if isinstance(self.layers, str) and self.layers == AUTO:
            return block_layers(model, image)
        given = [self.layers] if isinstance(self.layers, str | nn.Module) else self.layers
        layers = [find_layer(model, each, image, "layers") for each in given]
        names = [layer.name for layer in layers]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"layers: {twice!r} is given twice")
        return layers

    def _selecting(self, target: AbstractTarget) -> AbstractTarget:
        """What the gradients that choose are of."""
        if self.select_on == "logit":
            if not isinstance(class_id := getattr(target, "class_id", None), int):
                raise ValueError(f"select_on='logit' needs a class; {target.label(None)!r} has none")
            return Logit(class_id)
        return _log_odds(target) if isinstance(target, Probability) else target

    def _attribution(self, model: BlackBox, run: _Run) -> Attribution:
        maps = [block.over(run.masked.view) for block in run.blocks]
        known = [each for each in maps if each is not None]
        heat = cascade(known, self.fusion) if known else torch.zeros(run.masked.view.size)
        first, last, count = run.blocks[0].layer, run.blocks[-1].layer, len(run.blocks)
        over = f"{first}" if count == 1 else f"{count} layers, {first} to {last}"
        # Before any mask come the image's own scores, and the pass with gradients that chooses.
        evaluations = 2 + sum(block.scored for block in run.blocks)
        info = pixel_info(
            (heat.shape[0], heat.shape[1]),
            f"{self.title} · {over}",
            run.masked.target.label(model.class_names),
            run.score,
            planned=evaluations + 2 + run.left,
            unit=f"{self.title}: sum of the layers' maps, each in [0, 1]",
        )
        stop = "" if run.left else _ended(run.blocks, [each is None for each in maps])
        return map_attribution(heat, replace(info, model=model), (evaluations, 1), run.seconds, stop)


def _log_odds(target: Probability) -> AbstractTarget:
    """The log-odds of a class: their gradient is the probability's times p (1 - p), which may be lost."""
    wanted = torch.tensor([int(target.class_id)])
    head = target.head
    return Custom(lambda logits: head.log_odds(logits, wanted.expand(len(logits))), "log-odds")


def _ended(blocks: Sequence[Block], flat: Sequence[bool]) -> str:
    """How many maps were scored, block by block, and which blocks show no place."""
    scored, count = sum(block.scored for block in blocks), sum(block.count for block in blocks)
    parts = ", ".join(f"{block.layer.name} {block.scored} of {block.count}" for block in blocks)
    empty = [block.layer.name for block, none in zip(blocks, flat, strict=True) if none]
    words = f"{scored} of {count} maps scored: {parts}"
    return f"{words}; no place in {', '.join(empty)}" if empty else words
