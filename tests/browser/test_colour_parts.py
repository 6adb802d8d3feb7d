"""A picture whose bands hold one part of the colour each: names, clicks and the image of one part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.gestures import wait_pixels, wait_selection
from tests.browser.map_state import state_of_map
from tests.browser.scene import Scene
from wcam_widget.basis import AbstractBasis, ColourBasis, WaveletBasis
from wcam_widget.explain import Wcam
from wcam_widget.perturb.probe import Probe
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.frames import photograph

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def coloured(scene: Scene) -> tuple[dict[str, Any], Probe]:
    """The traits of an explorer of the red, green and blue of the scene, and what they were made of."""

    def channels(size: tuple[int, int]) -> AbstractBasis:
        return ColourBasis(WaveletBasis(size, "haar", 2), "channels")

    return state_of_map(scene, Wcam(Sobol(rows=4), wavelet=channels, grid=4))


def test_one_part_of_the_colour_is_kept_by_its_bars(
    open_page: OpenPage, coloured: tuple[dict[str, Any], Probe]
) -> None:
    state, probe = coloured
    page = open_page(state)
    bars = page.locator("[data-wcam=profile-bar]")
    expect(bars).to_have_count(21)
    assert page.locator(".wcam-bar > span").all_text_contents()[:4] == ["R A2", "G A2", "B A2", "R LH2"]
    assert page.locator(".wcam-slot em:visible").count() == 0
    page.locator("[data-wcam=profile-bar][data-band='G:A2']").hover()
    assert page.locator(".wcam-slot em:visible").count() == 1
    cells = probe.cells
    green = [number for number, band in enumerate(cells.bands) if band.part == "G"]
    for number in green:
        page.locator(f"[data-wcam=profile-bar][data-band='{cells.bands[number].name}']").click()
    kept = np.flatnonzero(np.isin(cells.groups, green))
    wait_selection(page, kept.tolist())
    expect(page.locator("[data-wcam=selection]")).to_contain_text("G A2: all")
    expect(page.locator("[data-wcam=selection]")).to_contain_text("G level 1: all")
    weights = torch.zeros(len(cells))
    weights[kept] = 1.0
    wait_pixels(page, "reconstruction", photograph(probe.rebuild(weights)))


def test_the_dyadic_view_is_as_wide_as_its_parts(
    open_page: OpenPage, coloured: tuple[dict[str, Any], Probe]
) -> None:
    page = open_page(coloured[0])
    page.locator("[data-wcam=packed]").click()
    dyadic = page.locator("[data-wcam=dyadic]")
    assert (dyadic.get_attribute("data-picture-height"), dyadic.get_attribute("data-picture-width")) == (
        "64",
        "192",
    )
    box = dyadic.bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(3, abs=0.1)
