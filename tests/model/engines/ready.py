"""A network that can be exported and fused, and waiting for an engine made ready in another thread."""

import torch
from torch import nn

from tests.model.networks import images_of
from wcam_widget.model import BlackBox
from wcam_widget.model.engines.samples import TOLERANCE


class Net(nn.Module):
    """Convolution, normalisation, a mean: what can be exported and fused."""

    def __init__(self, classes=3):
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Dropout()
        self.head = nn.Linear(8, classes)
        nn.init.uniform_(self.norm.running_mean, -0.2, 0.2)

    def forward(self, images):
        return self.head(self.drop(torch.relu(self.norm(self.conv(images)))).mean((2, 3)))


def builds(model: BlackBox):
    """The engines that are made, or were, for the network of a model."""
    kept = list(model._batches.state.forwards.values())
    return [forwards.build for forwards in kept if forwards.build is not None]


def wait(model: BlackBox) -> BlackBox:
    """The model, once no engine is in the making."""
    for build in builds(model):
        build.thread.join()
    return model


def close(scores, expected):
    spread = float(expected.max() - expected.min())
    torch.testing.assert_close(scores, expected, rtol=0, atol=spread * TOLERANCE)


def of_onnx(net, **options):
    """A BlackBox of a network, once ONNX Runtime, or what is taken instead, runs it."""
    model = BlackBox(net, engine="onnx", **options)
    for seed in range(3):
        model.logits(images_of(4, seed=seed))
    wait(model)
    model.logits(images_of(2))
    return model
