"""Cues put into one cell of an image, and networks that look for nothing else: the top cell is that cell."""

from __future__ import annotations

import pytest
import torch

from tests.benchmarks.bench_planted import found, planted_crop
from wcam_widget import Hsic, Refined, Screened, Sobol, Wcam
from wcam_widget.demo.planted import GRID, LEVELS


@pytest.mark.parametrize("analysis", [Sobol(rows=8), Screened(), Refined(rows=16), Hsic(rows=500)], ids=repr)
def test_the_top_cell_is_the_planted_one(analysis) -> None:
    # A method that finds one cell of two would find all three in one of eight tests.
    cells, bands, *_ = zip(*found(analysis, 3), strict=True)
    assert all(cells)
    assert all(bands)


def test_the_class_is_decided_by_the_planted_cell() -> None:
    for seed in range(12):
        planted = planted_crop(seed)
        probe = Wcam(levels=LEVELS, grid=GRID).probe(planted.model, planted.image, target=0)
        without = torch.ones(len(probe.cells))
        without[planted.cell] = 0.0
        assert probe.score > 0
        assert float(probe(without[None])) < 0
