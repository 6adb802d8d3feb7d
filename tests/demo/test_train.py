"""The training script, on a few steps."""

import torch

from wcam_widget.demo.network import normalise
from wcam_widget.demo.scenes import CLASS_NAMES, TRAIN_COLUMNS, draw_scenes
from wcam_widget.demo.train import RECIPES, Recipe, accuracy, noise_and_blur, photographs, train


def test_training_repeats_with_its_seed_and_differs_with_another():
    photos = photographs()
    first, again, other = (
        train(Recipe("short", noise_and_blur, steps=4, batch=8, seed=seed), photos) for seed in (1, 1, 2)
    )
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.head.weight, other.head.weight)


def test_a_short_training_beats_guessing():
    photos = photographs()
    net = train(Recipe("short", None, steps=60, batch=16), photos).train()
    labels = torch.arange(len(CLASS_NAMES)).repeat(8)
    images = draw_scenes(photos, labels, TRAIN_COLUMNS, torch.Generator().manual_seed(1)).images
    with torch.no_grad():  # train mode: so few steps leave the running statistics behind
        right = (net(normalise(images)).argmax(dim=1) == labels).float().mean()
    assert right > 0.2  # guessing: .11


def test_hardening_keeps_the_first_quarter_and_changes_the_rest():
    images = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    hard = noise_and_blur(images, torch.Generator().manual_seed(0))
    changed = (hard - images).abs().amax(dim=(1, 2, 3)) > 0.01
    assert changed.tolist() == [False] * 2 + [True] * 6
    steps = (
        hard.diff(dim=-1).abs().mean(dim=(1, 2, 3)) / images.diff(dim=-1).abs().mean(dim=(1, 2, 3))
    ).tolist()
    assert max(steps[2:4]) < 0.8  # blurred
    assert min(steps[4:6]) > 1.0  # noisy
    assert 0 <= float(hard.min()) <= float(hard.max()) <= 1


def test_the_recipes_are_the_two_bundled_networks():
    assert [recipe.name for recipe in RECIPES] == ["standard", "robust"]
    assert RECIPES[0].harden is None


def test_accuracy_counts_the_right_answers():
    class Constant(torch.nn.Module):
        def forward(self, images):
            return torch.eye(9)[3].expand(len(images), 9)

    assert accuracy(Constant(), torch.rand(4, 3, 8, 8), torch.tensor([3, 3, 3, 1])) == 0.75
