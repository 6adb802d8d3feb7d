"""FGSM and PGD: closed forms on linear networks, networks left as found, the demo really fooled."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.model.networks import Counting
from wcam_widget.basis import WaveletBasis
from wcam_widget.demo import load_demo
from wcam_widget.model import BlackBox, Logit, ModelError
from wcam_widget.stress import Schedule, Threat, fgsm, pgd


def linear(classes=2, pixels=3 * 8 * 8, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(pixels, classes))


def grey(count=2, side=8):
    return torch.full((count, 3, side, side), 0.5)


def margin_slope(net, label):
    """The gradient of what the other class is ahead of ``label`` by, as an image."""
    weight = net[1].weight.detach()
    return (weight[1 - label] - weight[label]).reshape(3, 8, 8)


def test_of_two_linear_classes_fgsm_in_linf_is_the_sign_of_the_weights():
    net = linear()
    attack = fgsm(net, grey(), [0, 1], 0.05)
    for image, label in zip(attack.images, (0, 1), strict=True):
        torch.testing.assert_close(image, 0.5 + 0.05 * margin_slope(net, label).sign())
    np.testing.assert_allclose(attack.linf, 0.05, rtol=1e-5)
    np.testing.assert_allclose(attack.l2, 0.05 * np.sqrt(192), rtol=1e-5)


@pytest.mark.parametrize("attack_of", [fgsm, pgd])
def test_of_two_linear_classes_the_l2_attack_goes_along_the_weights(attack_of):
    net = linear()
    attack = attack_of(net, grey(), [0, 1], 0.5, Threat("l2"))
    for image, label in zip(attack.images, (0, 1), strict=True):
        slope = margin_slope(net, label)
        torch.testing.assert_close(image, 0.5 + 0.5 * slope / slope.norm(), rtol=0, atol=1e-5)
    np.testing.assert_allclose(attack.l2, 0.5, rtol=1e-5)
    gain = torch.stack([attack.after[i, 1 - i] - attack.after[i, i] for i in range(2)])
    was = torch.stack([attack.before[i, 1 - i] - attack.before[i, i] for i in range(2)])
    torch.testing.assert_close(gain - was, 0.5 * margin_slope(net, 0).norm().expand(2), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("targeted", [False, True])
def test_fgsm_is_the_sign_of_the_gradient_of_the_cross_entropy(targeted):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.SELU(), nn.Flatten(), nn.Linear(288, 4)).double().eval()
    images = 0.25 + torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(2)) / 2
    labels = torch.tensor([3, 0, 1])
    leaf = images.double().requires_grad_()
    nn.functional.cross_entropy(net(leaf), labels, reduction="sum").backward()
    step = (-0.1 if targeted else 0.1) * leaf.grad.sign()
    attack = fgsm(BlackBox(net), images, labels, 0.1, Threat(targeted=targeted))
    torch.testing.assert_close(attack.images, images + step.float())


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_network_that_is_certain_still_shows_the_way(norm):
    net = linear()
    with torch.no_grad():
        net[1].bias.copy_(torch.tensor([500.0, 0.0]))  # its cross-entropy has no gradient in single precision
    sure, fair = (fgsm(each, grey(1), [0], 0.1, Threat(norm)) for each in (net, linear()))
    torch.testing.assert_close(sure.images, fair.images)
    assert getattr(sure, norm) == pytest.approx(0.1, rel=1e-5)


def test_a_targeted_attack_on_two_classes_is_the_untargeted_one_on_the_other():
    net = linear()
    away = fgsm(net, grey(), [0, 1], 0.1)
    toward = fgsm(net, grey(), [1, 0], 0.1, Threat(targeted=True))
    assert torch.equal(away.images, toward.images)
    np.testing.assert_array_equal(away.fooled, toward.fooled)
    assert (toward.scores_after > toward.scores_before).all()
    assert (away.scores_after < away.scores_before).all()


@pytest.mark.parametrize("bands", [("LH1",), ("HL2", "HH2"), ("A2",)])
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("attack_of", [fgsm, pgd])
def test_an_attack_in_bands_changes_no_other_coefficient(attack_of, norm, bands):
    images = 0.2 + 0.6 * torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    attack = attack_of(linear(3), images, None, 0.1, Threat(norm, bands=bands, levels=2))
    basis = WaveletBasis((8, 8), "haar", 2)
    picture = basis.pack(attack.images - images)
    for band in basis.bands:
        largest = float(picture[(..., *band.slices)].abs().max())
        assert (largest > 0.01) if band.name in bands else (largest < 1e-6), band.name
    assert (attack.scores_after < attack.scores_before).all()


def test_a_network_that_reads_one_band_is_fragile_there_and_nowhere_else():
    basis = WaveletBasis((8, 8), "haar", 2)
    picture = torch.zeros(3, *basis.picture_size)
    (heard,) = (band for band in basis.bands if band.name == "HL1")
    picture[(..., *heard.slices)] = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(5))
    net = linear()
    with torch.no_grad():
        net[1].weight[0], net[1].weight[1] = basis.unpack(picture).flatten(), 0.0
    for band in basis.bands:
        attack = pgd(net, grey(), [0, 0], 1.0, Threat("l2", bands=(band.name,), levels=2))
        fell = attack.before[:, 0] - attack.after[:, 0]
        expected = float(picture.norm()) if band.name == "HL1" else 0.0
        torch.testing.assert_close(fell, torch.full((2,), expected), rtol=1e-4, atol=1e-4)


@settings(max_examples=25)
@given(
    st.sampled_from(["linf", "l2"]),
    st.sampled_from([None, ("HH1", "LH2")]),
    st.floats(0, 1),
    st.booleans(),
    st.integers(0, 50),
)
def test_norms_are_never_exceeded(norm, bands, epsilon, targeted, seed):
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) * 1.4 - 0.2
    threat = Threat(norm, targeted, bands, levels=2)
    attack = pgd(
        linear(3, seed=seed), images.clamp(0, 1), [0, 2], epsilon, threat, Schedule(steps=3, starts=2)
    )
    assert (getattr(attack, norm) <= epsilon).all()
    assert 0 <= attack.images.min() <= attack.images.max() <= 1


def test_an_epsilon_of_zero_changes_nothing():
    images = torch.rand(2, 3, 8, 8)
    for threat in (Threat(), Threat("l2"), Threat(bands=("HH1",))):
        attack = pgd(linear(), images, [0, 1], 0.0, threat, Schedule(steps=2, starts=2))
        assert torch.equal(attack.images, images)
        assert torch.equal(attack.before, attack.after)


def test_more_starts_never_reach_a_lower_loss():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.SELU(), nn.Flatten(), nn.Linear(288, 4)).eval()
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    few, more = (
        pgd(net, images, [0, 1, 2, 3], 0.1, schedule=Schedule(steps=4, starts=starts)) for starts in (1, 4)
    )
    assert (more.scores_after <= few.scores_after).all()
    assert (more.gradients, few.gradients) == (64, 16)
    assert (few.scores_after <= few.scores_before).all()


def test_each_image_has_its_own_class_whatever_the_batches():
    net = linear(5)
    images = torch.rand(7, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    labels = [0, 4, 2, 2, 1, 3, 0]
    whole = fgsm(BlackBox(net), images, labels, 0.05)
    batched = fgsm(BlackBox(net, batch_size=3), images, torch.tensor(labels), 0.05)
    alone = [fgsm(net, images[i : i + 1], labels[i : i + 1], 0.05).images for i in range(7)]
    assert torch.equal(whole.images, batched.images)
    assert torch.equal(whole.images, torch.cat(alone))
    np.testing.assert_array_equal(whole.labels, labels)


def test_the_perturbation_comes_before_the_models_own_preprocessing():
    net = linear()
    scaled = BlackBox(net, preprocess=lambda images: (images - 0.5) / 0.01)
    attack = fgsm(scaled, grey(), [0, 1], 0.05)
    np.testing.assert_allclose(attack.linf, 0.05, rtol=1e-5)
    torch.testing.assert_close(attack.after, net((attack.images - 0.5) / 0.01).detach())


def test_classes_may_be_names_and_default_to_the_models_own():
    net = linear(3)
    named = BlackBox(net, class_names=("cat", "dog", "cow"))
    assert fgsm(named, grey(), ["cow", "dog"], 0.01).labels.tolist() == [2, 1]
    attack = fgsm(named, grey(), ["cow", None], 0.01)
    assert attack.labels.tolist() == [2, attack.classes_before[1]]
    np.testing.assert_array_equal(fgsm(named, grey()).labels, attack.classes_before)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("bands", [None, ("LH2", "HL2", "HH2")])
def test_the_demo_is_fooled(norm, bands):
    model, images, labels, _ = load_demo()
    epsilon = 0.1 if norm == "linf" else 4.0
    attack = pgd(model, images[:4], labels[:4], epsilon, Threat(norm, bands=bands), Schedule(steps=5))
    np.testing.assert_array_equal(attack.classes_before, labels[:4])
    assert attack.fooled.sum() >= 3
    assert (attack.scores_after < 0.5 * attack.scores_before).sum() >= 3
    np.testing.assert_array_equal(
        attack.fooled, model.logits(attack.images).argmax(1).numpy() != labels[:4].numpy()
    )


def test_the_demo_is_led_to_a_chosen_class():
    model, images, labels, names = load_demo()
    wanted = [(int(label) + 1) % len(names) for label in labels[:3]]
    attack = pgd(model, images[:3], wanted, 0.1, Threat(targeted=True), Schedule(steps=10))
    assert attack.fooled.all()
    np.testing.assert_array_equal(attack.classes_after, wanted)


def found(net):
    modes = [module.training for module in net.modules()]
    hooks = [len(module._forward_hooks) + len(module._backward_hooks) for module in net.modules()]
    values = {name: value.clone() for name, value in net.state_dict().items()}
    grads = [(each.requires_grad, each.grad) for each in net.parameters()]
    return modes, hooks, values, grads


@pytest.mark.parametrize("raises", [False, True])
def test_the_network_is_left_as_it_was(raises):
    net = Counting()
    net.drop.eval()
    net.head.weight.requires_grad_(False)
    net.head.bias.grad = torch.ones(4)
    before = found(net)
    if raises:
        net.capacity, net.error = 0, RuntimeError("broken")
        with pytest.raises(ModelError, match="broken"):
            pgd(net, grey(), schedule=Schedule(steps=2))
    else:
        pgd(net, grey(), schedule=Schedule(steps=2))
    after = found(net)
    assert before[:2] == after[:2]
    assert all(torch.equal(before[2][name], after[2][name]) for name in before[2])
    assert [flag for flag, _ in before[3]] == [flag for flag, _ in after[3]]
    assert [None if grad is None else grad.tolist() for _, grad in after[3]] == [None] * 3 + [[1.0] * 4]


@pytest.mark.parametrize(
    ("targets", "threat", "error", "message"),
    [
        ([0], Threat(), ValueError, "targets: found 1 entries for 2 images; one each is needed"),
        ([0, 9], Threat(), ValueError, "targets[1]: class id 9 is out of range; net has classes 0 to 2"),
        ([0, "cat"], Threat(), ValueError, "targets[1]: 'cat' is a class name, but the model has none"),
        ([Logit(0), 1], Threat(), TypeError, "targets[0]: found Logit; accepted are a class id,"),
        ([0, 1.5], Threat(), TypeError, "targets[1]: found float;"),
        (None, Threat(targeted=True), ValueError, "targets: found None, but a targeted attack needs"),
    ],
)
def test_targets_that_do_not_fit_are_named(targets, threat, error, message):
    with pytest.raises(error, match=re.escape(message)):
        fgsm(linear(3), grey(), targets, 0.1, threat)


def test_a_text_is_not_a_list_of_targets():
    with pytest.raises(TypeError, match="targets: found str; accepted are None and one class per image"):
        fgsm(linear(3), grey(), "ab")


def test_models_that_cannot_be_attacked_say_why():
    with pytest.raises(ValueError, match="model: found a single score per image; an attack needs"):
        fgsm(linear(1), grey())
    with pytest.raises(ModelError, match="a plain callable has no gradients"):
        pgd(lambda images: images.mean((2, 3)), grey())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps: found 0;"),
        ({"starts": 0}, "starts: found 0;"),
        ({"size": 0.0}, "size: found 0.0; accepted are None and a number above 0"),
    ],
)
def test_schedules_that_do_not_fit_are_named(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Schedule(**settings)
