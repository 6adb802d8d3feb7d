"""A scene with a cell for each coefficient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.browser.scene import Scene


def make_fine_scene(scene: Scene) -> Scene:
    """The same photograph with a cell for each coefficient, as important as it is large."""
    rows = []
    for number, band in enumerate(scene.bands):
        for y, x in np.ndindex(band.side, band.side):
            rows.append((number, band.top + y, band.left + x, 1, 1, y, x, 2**band.level))
    table = np.array(rows)
    y, x, scale = table[:, 5:].T
    support = np.stack([y * scale, x * scale, (y + 1) * scale, (x + 1) * scale], 1)
    values = np.square(scene.coefficients[:, table[:, 1], table[:, 2]]).sum(0)
    return replace(
        scene,
        cells=table[:, :5].astype(np.int32),
        support=support.astype(np.float32),
        values=(values / values.sum()).astype(np.float32),
        kind=np.zeros(len(table), np.uint8),
    )
