"""The traits of an explorer of a scene's image, with a map that a method made."""

from __future__ import annotations

import base64
from typing import Any

import torch

from tests.browser.scene import Scene, state_of
from wcam_widget.explain import AbstractMethod
from wcam_widget.perturb.probe import Probe
from wcam_widget.show.frames import attribution_frame, picture_frame


def mean_colour(images: torch.Tensor) -> torch.Tensor:
    """A model of three classes."""
    return images.mean((2, 3))


def state_of_map(scene: Scene, method: AbstractMethod) -> tuple[dict[str, Any], Probe]:
    """The traits, and what the method asked."""
    image = torch.from_numpy(scene.image).permute(2, 0, 1) / 255
    (attribution,) = method(mean_colour, image[None], [0])
    probe = method.probe(mean_colour, image, 0)
    frames = {
        "_picture": picture_frame(probe.perturbation, image, "run-1"),
        "_frame": attribution_frame(attribution, "run-1", 1),
    }
    encoded = {name: base64.b64encode(data).decode() for name, data in frames.items()}
    return state_of(scene, _scores={}, **encoded), probe
