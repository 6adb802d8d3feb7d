"""`BlackBox`: the user's network is left as it was found, and real architectures are scored."""

import threading

import pytest
import torch
from transformers import (
    ConvNextConfig,
    ConvNextForImageClassification,
    ResNetConfig,
    ResNetForImageClassification,
    SwinConfig,
    SwinForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)

from tests.model.networks import Counting, images_of
from wcam_widget.model import BlackBox, ModelError


def training_flags(net):
    return {name: module.training for name, module in net.named_modules()}


@pytest.mark.parametrize("raises", [False, True])
def test_modes_and_statistics_are_put_back_each_submodule_its_own(raises):
    net = Counting(capacity=0 if raises else 99, error=ValueError("broken"))
    net.train()
    net.norm.eval()
    flags, statistics = training_flags(net), net.norm.running_mean.clone()
    if raises:
        with pytest.raises(ModelError):
            BlackBox(net).logits(images_of(4))
    else:
        first, second = (BlackBox(net).logits(images_of(4)) for _ in range(2))
        assert torch.equal(first, second)  # no dropout
    assert training_flags(net) == flags
    assert net.training
    assert not net.norm.training
    assert torch.equal(net.norm.running_mean, statistics)


def test_a_network_in_train_mode_scores_as_in_eval_mode():
    net = Counting()
    expected = BlackBox(net.eval()).logits(images_of(4))
    assert torch.equal(BlackBox(net.train()).logits(images_of(4)), expected)


def test_an_overridden_train_method_is_never_called():
    class Stubborn(Counting):
        def train(self, mode=True):
            if mode != self.training:
                raise AssertionError("train() was called")
            return self

    net = Stubborn()
    BlackBox(net).logits(images_of(2))
    assert net.training


def test_gradients_leave_parameters_hooks_and_modes_alone():
    net = Counting()
    net.head.weight.requires_grad_(False)
    net.head.bias.grad = torch.full((4,), 7.0)
    BlackBox(net).gradients(images_of(5), lambda batch: batch, 2)
    assert [parameter.grad is None for parameter in net.parameters()] == [True, True, True, False]
    assert net.head.bias.grad.tolist() == [7.0] * 4
    assert not net.head.weight.requires_grad
    assert net.head.bias.requires_grad
    assert all(not module._forward_hooks and not module._backward_hooks for module in net.modules())
    assert net.training


def test_scores_are_ordinary_tensors_and_grad_mode_is_kept():
    net = Counting()
    scores = BlackBox(net).logits(images_of(3))
    assert not scores.is_inference()
    assert not scores.requires_grad
    assert torch.is_grad_enabled()
    with torch.inference_mode():
        assert BlackBox(net).logits(images_of(3)).shape == (3, 4)
        assert BlackBox(net).gradients(images_of(3), lambda batch: batch, 0)[1].shape == (3, 3, 6, 6)


def test_threads_share_one_model_one_batch_at_a_time():
    inside, most = [], []

    def net(images):
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.001)
        inside.pop()
        return images.mean(dim=(2, 3))

    model, answers = BlackBox(net, batch_size=2), {}

    def ask(number):
        answers[number] = model.logits(torch.full((10, 1, 2, 2), float(number)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert all(torch.equal(answers[number], torch.full((10, 1), float(number))) for number in range(4))


ARCHITECTURES = {
    "ResNet": lambda: ResNetForImageClassification(
        ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], num_labels=5)
    ),
    "ViT": lambda: ViTForImageClassification(
        ViTConfig(
            image_size=32,
            patch_size=8,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_labels=5,
        )
    ),
    "ConvNeXt": lambda: ConvNextForImageClassification(
        ConvNextConfig(hidden_sizes=[8, 16, 16, 16], depths=[1, 1, 1, 1], num_labels=5)
    ),
    "Swin": lambda: SwinForImageClassification(
        SwinConfig(
            image_size=32,
            patch_size=2,
            embed_dim=8,
            depths=[1, 1],
            num_heads=[1, 2],
            window_size=4,
            num_labels=5,
        )
    ),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures_of_transformers_are_scored_and_differentiated_in_any_batching(name):
    torch.manual_seed(0)
    net = ARCHITECTURES[name]().train()
    images = torch.rand(5, 3, 32, 32)
    with torch.inference_mode():
        expected = net.eval()(images).logits
    net.train()
    model = BlackBox(net, batch_size=2)
    torch.testing.assert_close(model.logits(images), expected.clone(), rtol=1e-4, atol=1e-5)
    scores, slopes = model.gradients(images, lambda batch: batch, 3)
    torch.testing.assert_close(scores, expected[:, 3].clone(), rtol=1e-4, atol=1e-5)
    assert bool((slopes.abs().flatten(1).amax(dim=1) > 0).all())
    assert net.training


@pytest.mark.gpu
def test_on_cuda_bfloat16_is_near_float32_and_the_result_is_on_the_cpu():
    net = Counting().to("cuda").eval()
    exact = BlackBox(net, precision="float32").logits(images_of(300))
    fast = BlackBox(net).logits(images_of(300))
    assert exact.device.type == "cpu"
    torch.testing.assert_close(
        exact, BlackBox(Counting().eval()).logits(images_of(300)), rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(fast, exact, rtol=0.05, atol=0.02)
    assert float((fast - exact).abs().max()) > 0
