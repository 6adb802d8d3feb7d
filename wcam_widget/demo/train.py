"""Train the two demo networks and write all that `load_demo` reads: `python -m wcam_widget.demo.train`.

Needs scikit-image for its photographs; nothing else in the package does. Seeded: the same machine and the
same version of torch give the same weights.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from wcam_widget.demo.network import ResidualNet, normalise
from wcam_widget.demo.scenes import (
    CLASS_NAMES,
    HELD_OUT_COLUMNS,
    TEXTURES,
    TRAIN_COLUMNS,
    add_noise,
    blur,
    draw_scenes,
    flatten_photograph,
)

FOLDER = Path(__file__).parent
NOISE_SIGMA = 0.25
BLUR_SIGMA = 2.5
_HELD_OUT_SEED = 20_000
_BUNDLED_SEED = 30_000


@dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    steps of `batch` images each; `harden` changes a training batch, given the generator.
    """

    name: str
    harden: Callable[[Tensor, torch.Generator], Tensor] | None
    steps: int
    batch: int = 48
    learning_rate: float = 4e-3
    seed: int = 0


def photographs() -> Float[Tensor, "3 s s"]:
    """The photographs the textures are cut from, out of scikit-image's wheel, flattened."""
    from skimage import data  # noqa: PLC0415 - only training needs it, and it is no dependency of the package

    greys = (np.asarray(getattr(data, texture)(), dtype=np.float32) / 255.0 for texture in TEXTURES)
    return torch.stack([flatten_photograph(torch.from_numpy(grey)) for grey in greys])


def noise_and_blur(images: Float[Tensor, "n c h w"], generator: torch.Generator) -> Float[Tensor, "n c h w"]:
    """Leave the first quarter clean, blur the second, add noise to the third, both to the last.

    Standard deviations are drawn for each batch, uniform from .3 to 1.2 times those the networks are measured
    under; where both are added, each is .6 times as strong.
    """
    clean, blurred, noisy, both = images.chunk(4)
    of_blur, of_noise = (0.3 + 0.9 * torch.rand(2, generator=generator)).tolist()
    return torch.cat(
        (
            clean,
            blur(blurred, BLUR_SIGMA * of_blur),
            add_noise(noisy, NOISE_SIGMA * of_noise, generator),
            add_noise(blur(both, 0.6 * BLUR_SIGMA * of_blur), 0.6 * NOISE_SIGMA * of_noise, generator),
        )
    )


RECIPES = (
    Recipe("standard", None, steps=400),
    Recipe("robust", noise_and_blur, steps=950),
)


def train(recipe: Recipe, photos: Float[Tensor, "3 s s"]) -> ResidualNet:
    """Train one network by AdamW on a one-cycle schedule, on images drawn anew in each step."""
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    net = ResidualNet(len(CLASS_NAMES))
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks this overload
    optimizer = torch.optim.AdamW(net.parameters(), lr=recipe.learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=recipe.learning_rate, total_steps=recipe.steps
    )
    for step in range(recipe.steps):
        labels = torch.randint(0, len(CLASS_NAMES), (recipe.batch,), generator=generator)
        images = draw_scenes(photos, labels, TRAIN_COLUMNS, generator).images
        if recipe.harden is not None:
            images = recipe.harden(images, generator)
        loss = functional.cross_entropy(net(normalise(images)), labels, label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == recipe.steps - 1:
            print(f"{recipe.name}: step {step} of {recipe.steps}, loss {loss.item():.3f}", flush=True)
    net.eval()
    return net


def measure(net: nn.Module, photos: Float[Tensor, "3 s s"], per_class: int) -> dict[str, float]:
    """Accuracy in [0, 1] on held-out crops: clean, under noise and under blur."""
    generator = torch.Generator().manual_seed(_HELD_OUT_SEED)
    labels = torch.arange(len(CLASS_NAMES)).repeat(per_class)
    images = draw_scenes(photos, labels, HELD_OUT_COLUMNS, generator).images
    conditions = {
        "clean": images,
        "noise": add_noise(images, NOISE_SIGMA, generator),
        "blur": blur(images, BLUR_SIGMA),
    }
    return {name: accuracy(net, shown, labels) for name, shown in conditions.items()}


def accuracy(net: nn.Module, images: Float[Tensor, "n c h w"], labels: Tensor) -> float:
    """Share of images whose highest score is that of their label."""
    with torch.inference_mode():
        classes = torch.cat([net(normalise(chunk)).argmax(dim=1) for chunk in torch.split(images, 64)])
    return round(float((classes == labels).float().mean()), 4)


def save_images(photos: Float[Tensor, "3 s s"], path: Path) -> None:
    """Draw the dozen held-out images that are shipped: every class once, three of them twice."""
    labels = torch.tensor([*range(len(CLASS_NAMES)), 0, 4, 8])
    generator = torch.Generator().manual_seed(_BUNDLED_SEED)
    images = draw_scenes(photos, labels, HELD_OUT_COLUMNS, generator).images
    levels = (images * 255.0).round().to(torch.uint8)
    np.savez_compressed(path, images=levels.numpy(), labels=labels.numpy())


def main() -> None:
    """Train both networks, measure them on held-out crops, and write weights, figures and images."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to (default: the package)")
    parser.add_argument("--per-class", type=int, default=100, help="held-out images of each class")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)  # before minutes of training, not after
    torch.set_num_threads(2)
    photos = photographs()
    figures: dict[str, object] = {"noise_sigma": NOISE_SIGMA, "blur_sigma": BLUR_SIGMA}
    for recipe in RECIPES:
        start = time.perf_counter()
        net = train(recipe, photos)
        seconds = time.perf_counter() - start
        figures[recipe.name] = measure(net, photos, arguments.per_class)
        weights = {name: tensor.contiguous() for name, tensor in net.state_dict().items()}
        (arguments.out / f"{recipe.name}.safetensors").write_bytes(save(weights))
        print(f"{recipe.name}: {figures[recipe.name]}, trained in {seconds:.0f} s", flush=True)
    save_images(photos, arguments.out / "images.npz")
    (arguments.out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
