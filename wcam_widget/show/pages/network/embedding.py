"""The network of an explorer for its page: exported, rounded as far as its scores allow, and checked."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.explain import Probe
from wcam_widget.model import BlackBox
from wcam_widget.model.batches import uncompiled
from wcam_widget.model.engines.build import in_words
from wcam_widget.model.engines.eligibility import private_copy
from wcam_widget.model.engines.graph import graph_of
from wcam_widget.model.head import SIGMOID
from wcam_widget.model.outputs import class_scores
from wcam_widget.model.targets import AbstractTarget
from wcam_widget.show.pages.network.evaluation import evaluate
from wcam_widget.show.pages.network.plan import Plan
from wcam_widget.show.pages.network.reading import REMEDY, plan_of
from wcam_widget.show.snapshot import about
from wcam_widget.show.words import class_labels

TOLERANCE = 1e-3  # of probabilities; of scores, as a share of the largest of them where that is above 1
CHECKED = 8  # images that the plan and the model score


@final
@dataclass(frozen=True)
class PageNetwork:
    """A network as a page holds it.

    Args:
        data: base64 text.
        parameters: how many weights it has.
        bits: of each of the large ones.
        difference: how far its scores are from the model's at most, as a share of what is allowed.
    """

    data: str
    parameters: int
    bits: int
    difference: float

    def __str__(self) -> str:
        size = f"{len(self.data) / 1e6:.2f} MB, {self.parameters:,} weights of {self.bits} bits"
        return f"{size}, scores equal to the model's to {self.difference * TOLERANCE:.1g}"


class _Answers(nn.Module):
    """What a page shows of an image: probabilities of all classes, and the explained score after them."""

    def __init__(self, model: BlackBox, target: AbstractTarget) -> None:
        super().__init__()
        net: Any = uncompiled(model.net)
        self.net = private_copy(net).cpu() if isinstance(net, nn.Module) else net
        self.prepare, self.choice = model.preprocess, model.output
        self.probabilities, self.target = model.probabilities, target

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n m"]:
        rows = images if self.prepare is None else self.prepare(images)
        scores = class_scores(self.net(rows), self.choice).float()
        logits = scores[:, None] if scores.ndim == 1 else scores
        return _joined(logits, self.probabilities, self.target)


def _joined(logits: Tensor, probabilities: Callable[[Tensor], Tensor], target: AbstractTarget) -> Tensor:
    return torch.cat([probabilities(logits), target(logits)[:, None]], dim=1)


def page_network(probe: Probe, sides: int = 1) -> PageNetwork:
    """The network that scores an explorer's images in its page.

    Args:
        probe: the explained score of the image.
        sides: how many are compared; a page can have the network of one.

    Raises:
        ImportError: where a package is not installed.
        ValueError: naming ``model``, where the network cannot be exported, has operators that pages cannot
            run, or scores images otherwise than the model does.
    """
    if sides > 1:
        raise ValueError(
            f"model: found {sides} sides that are compared; a page runs the network of one explorer"
        )
    masks = _masks(probe)
    images = torch.cat([probe.images(mask[None]).cpu() for mask in masks])
    expected = _joined(probe.logits(masks), probe.model.probabilities, probe.target)
    plan = _exported(probe, images[:1])
    difference = torch.inf
    for candidate, bits in ((plan.rounded(), 16), (plan, 32)):
        difference = _difference(candidate, images, expected)
        if difference <= 1:
            answers = _answers(probe, expected[0])
            data = base64.b64encode(plan.encoded(answers, bits)).decode("ascii")
            made = PageNetwork(data, plan.parameters, bits, difference)
            logging.getLogger("wcam_widget").info("to_html: the network adds %s", made)
            return made
    raise ValueError(
        f"model: the network as pages run it gives scores that differ by {difference * TOLERANCE:.1g} from "
        f"the model's, more than {TOLERANCE:g}; {REMEDY}"
    )


def _masks(probe: Probe) -> Float[Tensor, "n d"]:
    """The image, the baseline, and bands alone and removed in turn, from the coarsest on."""
    groups = torch.from_numpy(probe.groups)
    rows = [torch.ones(len(groups)), torch.zeros(len(groups))]
    for band in range(len(probe.cells.bands)):
        alone = (groups == band).float()
        rows.append(1 - alone if band % 2 else alone)
    return torch.stack(rows[:CHECKED])


def _exported(probe: Probe, image: Float[Tensor, "1 c h w"]) -> Plan:
    try:
        graph = graph_of(_Answers(probe.model, probe.target).eval(), image)
    except ImportError as error:
        raise ImportError(f"to_html(model=True): {error}") from error
    except Exception as error:  # of a network, an exporter or a runtime: any
        raise ValueError(
            f"model: no page can run the network: {in_words('export', error)}; {REMEDY}"
        ) from error
    return plan_of(graph, tuple(image.shape))


def _difference(plan: Plan, images: Float[Tensor, "n c h w"], expected: Float[Tensor, "n m"]) -> float:
    """How far a plan's numbers are from the model's at most, as a share of what is allowed."""
    gaps = (torch.cat([evaluate(plan, image[None]) for image in images]) - expected).abs()
    allowed = TOLERANCE * expected.abs().amax(dim=0).clamp(min=1.0)
    largest = float((gaps / allowed).max())
    return largest if largest == largest else float("inf")  # noqa: PLR0124 NaN is not equal to itself


def _answers(probe: Probe, image: Float[Tensor, " m"]) -> dict[str, Any]:
    """What a page says of the numbers, as JSON."""
    model, target = probe.model, probe.target
    head = model.head.with_classes(len(image) - 1)
    return {
        "about": about(target),
        "label": target.label(model.class_names),
        "class_id": getattr(target, "class_id", None),
        "labels": class_labels(model.class_names, len(image) - 1),
        "unit": model.unit,
        "bounded": head.bounded,
        "each": head.bounded and head.activation == SIGMOID,
        "clip": probe.perturbation.clip,
        "tolerance": TOLERANCE,
        "image": [float(f"{value:.7g}") for value in image.tolist()],
    }
