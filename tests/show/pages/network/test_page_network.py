import base64
import json
import logging
import zlib

import numpy as np
import pytest
import torch
from torch import nn

from wcam_widget import Margin, Probability
from wcam_widget.explain import Wcam
from wcam_widget.model import BlackBox
from wcam_widget.model.engines.graph import graph_of
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.explorer.explore import explore
from wcam_widget.show.frame import decode
from wcam_widget.show.pages.network import embedding, page_network
from wcam_widget.show.pages.network.evaluation import evaluate
from wcam_widget.show.pages.network.reading import plan_of

SIZE = 16


class Squeezed(nn.Module):
    """A block with squeeze and excitation, a split, a transposition and a sum."""

    def __init__(self):
        super().__init__()
        self.wide, self.gate = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8), nn.Conv2d(8, 8, 1)

    def forward(self, data):
        gate = nn.functional.hardsigmoid(self.gate(data.mean((2, 3), keepdim=True)))
        one, other = (self.wide(data) * gate).chunk(2, dim=1)
        shuffled = torch.cat([other, one], 1).reshape(-1, 2, 4, *data.shape[2:]).transpose(1, 2).flatten(1, 2)
        return data + nn.functional.hardswish(shuffled)


NETS = {
    "plain": lambda: nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU6(),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Flatten(),
        nn.Linear(128, 4),
    ),
    "block": lambda: nn.Sequential(
        nn.BatchNorm2d(3),
        nn.Conv2d(3, 8, 1),
        nn.SiLU(),
        Squeezed(),
        nn.ZeroPad2d((0, 1, 1, 0)),
        nn.AvgPool2d(2),
        nn.LeakyReLU(0.2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Tanh(),
        nn.Linear(8, 4, bias=False),
    ),
}


def made(name):
    torch.manual_seed(3)
    net = NETS[name]()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return net.eval()


def probe_of(model, target=None):
    image = torch.rand(3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    return Wcam(levels=2, grid=2).probe(BlackBox.ensure(model), image, target)


def opened(network):
    frame = decode(zlib.decompress(base64.b64decode(network.data)))
    texts = {name: json.loads(bytes(frame.sections[name])) for name in ("plan", "answers")}
    return frame, texts["plan"], texts["answers"]


@pytest.mark.parametrize("name", NETS)
def test_a_plan_gives_what_the_network_does(name):
    net, image = made(name), torch.rand(1, 3, SIZE, SIZE)
    plan = plan_of(graph_of(net, image), tuple(image.shape))
    with torch.no_grad():
        torch.testing.assert_close(evaluate(plan, image), net(image), atol=1e-4, rtol=1e-4)


def test_normalisation_is_part_of_the_convolution_before_it():
    net, image = made("plain"), torch.rand(1, 3, SIZE, SIZE)
    plan = plan_of(graph_of(net, image), tuple(image.shape))
    assert [step.operator for step in plan.steps] == ["conv", "clip", "max_pool", "reshape", "linear"]


@pytest.mark.parametrize("target", [None, Probability(2), Margin(1)])
def test_a_page_has_probabilities_and_the_explained_score(target):
    probe = probe_of(BlackBox(made("plain"), preprocess=lambda x: (x - 0.5) / 0.25), target)
    network = page_network(probe)
    _, _, answers = opened(network)
    expected = [*probe.model(probe.images(torch.ones(1, 28)))[0].tolist(), probe.score]
    np.testing.assert_allclose(answers["image"], expected, atol=1e-6)
    assert answers["labels"] == ["class 0", "class 1", "class 2", "class 3"]
    assert answers["class_id"] == getattr(target, "class_id", int(probe.image_logits.argmax()))
    assert network.difference <= 1


def test_large_weights_have_sixteen_bits_where_scores_allow_that(monkeypatch):
    probe = probe_of(nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 4)))
    network = page_network(probe)
    frame, plan, _ = opened(network)
    assert (network.bits, [one["brief"] for one in plan["constants"]]) == (16, [True, False])
    high, low = frame.sections["brief"].reshape(2, -1)
    whole = (high.astype(np.int32) << 8 | low).astype(np.uint16).view(np.int16)
    weights = whole.reshape(4, -1) * frame.sections["scales"][:, None]
    np.testing.assert_allclose(weights, probe.model.net[1].weight.detach(), atol=1e-6)
    monkeypatch.setattr(embedding, "TOLERANCE", 1e-9)
    with pytest.raises(ValueError, match=r"^model: .* scores that differ by"):
        page_network(probe)


def test_operators_that_pages_cannot_run_are_named():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.Flatten(), nn.LayerNorm(784), nn.Linear(784, 2))
    with pytest.raises(
        ValueError, match=r"^model: the network has the operators (Gelu|Erf).*pages cannot run.*bands"
    ):
        page_network(probe_of(net))


def test_what_no_exporter_takes_is_an_error():
    def count(images):
        return torch.from_numpy(images.detach().numpy().sum((2, 3)) % 1.7)

    with pytest.raises(ValueError, match=r"^model: "):
        page_network(probe_of(count))


def test_a_network_with_other_scores_is_refused(monkeypatch):
    monkeypatch.setattr(embedding, "evaluate", lambda plan, image: evaluate(plan, image) + 0.01)
    with pytest.raises(ValueError, match=r"^model: .* differ by 0.01"):
        page_network(probe_of(made("plain")))


def test_a_report_says_the_size_first_and_keeps_the_network_as_it_was(tmp_path, caplog):
    net = made("plain").train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    path = tmp_path / "page.html"
    with explore(net, torch.rand(3, SIZE, SIZE), method=Wcam(Sobol(rows=2), levels=1, grid=2)) as explorer:
        explorer.wait()
        with caplog.at_level(logging.INFO, "wcam_widget"):
            explorer.to_html(path, model=True)
        bare = explorer.to_html(tmp_path / "bare.html")
    (said,) = [one.getMessage() for one in caplog.records if "to_html" in one.getMessage()]
    assert "the network adds" in said
    assert "MB" in said
    assert path.stat().st_size > bare.stat().st_size
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_comparison_has_no_network(tmp_path):
    images = [torch.rand(3, SIZE, SIZE) for _ in range(2)]
    method = Wcam(Sobol(rows=2), levels=1, grid=2)
    with explore(made("plain"), images, method=method) as explorer:
        explorer.wait()
        with pytest.raises(ValueError, match=r"^model: found 2 sides"):
            explorer.to_html(tmp_path / "pair.html", model=True)
    assert not list(tmp_path.iterdir())
