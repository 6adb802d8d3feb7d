"""Record what other implementations of the common corruptions make of a photograph, in corruptions.npz.

Needs packages that the tests do not, since they bring OpenCV and a compiler along:
`pip install imagecorruptions-imaug corrupt-tta`. Nothing but numbers and small patches is kept.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from corrupt_tta import corrupt as corrupt_tta
from imagecorruptions import corrupt as imagecorruptions

from tests.stress.corruptions.agreement import EXACT, cat, change_per_scale, patch
from wcam_widget import CORRUPTIONS

RECORD = Path(__file__).with_name("corruptions.npz")
DRAWS = 64


def corrupted(pixels: np.ndarray, name: str, severity: int) -> np.ndarray:
    """One image (h, w, 3) in [0, 1]; elastic_transform of the first package has other parameters."""
    if name == "elastic_transform":
        return np.clip(corrupt_tta(pixels, severity, name), 0, 255) / 255
    return np.clip(imagecorruptions(pixels, corruption_name=name, severity=severity), 0, 255) / 255


def main() -> None:
    warnings.simplefilter("ignore")
    np.random.seed(0)  # noqa: NPY002 what the packages draw from
    pixels = (cat().permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    record = {}
    for name in CORRUPTIONS:
        draws = 1 if name in EXACT else DRAWS
        rows, patches = [], []
        for severity in range(1, 6):
            made = [corrupted(pixels, name, severity) for _ in range(draws)]
            rows.append(np.sqrt(np.mean([change_per_scale(one - pixels / 255) ** 2 for one in made], 0)))
            patches.append(patch(made[0]))
        record[name] = np.float32(rows)
        if name in EXACT:
            record[f"{name}_patch"] = np.uint8(np.round(np.stack(patches) * 255))
    np.savez_compressed(RECORD, **record)


if __name__ == "__main__":
    main()
