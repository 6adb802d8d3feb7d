"""One colour scale: a run that streamed ends with the bar of a reload, of a saved page and of a figure."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.scene import Scene, frame_bytes, state_of
from wcam_widget.demo import load_demo
from wcam_widget.explain import Attribution, WaveletGradient, Wcam
from wcam_widget.sensitivity import Screened
from wcam_widget.show.frames import attribution_frame, picture_frame
from wcam_widget.show.plots import plot
from wcam_widget.show.scale import SCALES
from wcam_widget.show.words import format_value

pytestmark = pytest.mark.browser

RUN = "run-1"
SHOWN_AT_ONCE = 1.5  # the bar may end at so many times the largest value


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def bars(page: Page) -> list[list[str]]:
    """The ticks of both colour bars and their words."""
    found: list[list[str]] = page.evaluate(
        """() => ["image", "dyadic"].map(name =>
          [...document.querySelectorAll(`.wcam-pane-${name} .wcam-colour-bar :is(span, p)`)]
            .map(part => part.textContent))"""
    )
    return found


def figure_bars(attribution: Attribution, scale: str = "auto") -> list[list[str]]:
    """The same of a figure."""
    axes = {one.get_label(): one for one in plot(attribution, scale=scale).axes}
    found = []
    for label in ("image", "dyadic view"):
        (drawn,) = axes[label].images
        bar = drawn.colorbar.ax
        ticks = [tick.get_text() for tick in bar.get_xticklabels()]
        found.append([*ticks, bar.get_xlabel().replace("\n", " ")])
    return found


def stream(page: Page, frames: list[bytes]) -> None:
    """Let a kernel send frames one after another, each once the one before is drawn."""
    for rev, frame in enumerate(frames, 1):
        page.evaluate("frame => kernel.page.update({_frame: kernel.bytes(frame)})", text(frame))
        page.wait_for_function("rev => kernel.sent.some(m => m.t === 'ack' && m.rev === rev)", arg=rev)


@pytest.mark.parametrize("seed", range(5))
def test_live_reloaded_saved_and_plotted_bars_agree(open_page: OpenPage, scene: Scene, seed: int) -> None:
    model, images, _, _ = load_demo()
    method = Wcam(Screened(rows=2, seed=seed), grid=4)
    steps = list(method.steps(model, images[seed], None))
    crude = [step for step in steps if not step.complete][:6]
    frames = [attribution_frame(step, RUN, rev) for rev, step in enumerate([*crude, steps[-1]], 1)]
    picture = text(picture_frame(method.probe(model, images[seed], None).perturbation, images[seed], RUN))
    empty = state_of(scene, _picture=picture, _frame="", _scores={})
    live = open_page(empty, profile="backbone")
    stream(live, frames)
    whole = {**empty, "_frame": text(frames[-1])}
    reloaded, saved = open_page(whole, profile="lab"), open_page(whole)
    assert bars(live) == bars(reloaded) == bars(saved) == figure_bars(steps[-1])


@cache
def explained(*, signed: bool) -> tuple[Attribution, str]:
    """A map of the demo's first image, and that image as it is sent."""
    model, images, _, _ = load_demo()
    method = WaveletGradient("product", grid=4) if signed else Wcam(Screened(rows=2), grid=4)
    (attribution,) = method(model, images[:1])
    return attribution, text(picture_frame(method.probe(model, images[0], None).perturbation, images[0], RUN))


@pytest.mark.parametrize("setting", SCALES)
@pytest.mark.parametrize("signed", [False, True])
def test_bars_agree_on_every_scale(open_page: OpenPage, scene: Scene, setting: str, signed: bool) -> None:
    attribution, picture = explained(signed=signed)
    frame = text(attribution_frame(attribution, RUN, 1))
    saved = open_page(state_of(scene, _picture=picture, _frame=frame, _scores={}, scale=setting))
    assert bars(saved) == figure_bars(attribution, setting)


def test_the_reader_chooses_the_scale(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene))
    words = page.locator(".wcam-pane-dyadic .wcam-colour-bar p")
    page.locator("[data-wcam=scale]").select_option("rank")
    expect(words).to_contain_text("(rank scale: equally many in every colour)")
    page.locator("[data-wcam=per-level]").check()
    expect(words).to_contain_text("each level by its own largest value")
    page.wait_for_function("() => mounted.model.view().get('scale') === 'rank per level'")
    page.locator("[data-wcam=per-level]").uncheck()
    page.locator("[data-wcam=scale]").select_option("log")
    expect(page.locator(".wcam-pane-image .wcam-colour-bar")).to_contain_text("(log scale)")
    page.wait_for_function("() => mounted.model.view().get('scale') === 'log'")


def scattered(scene: Scene, rev: int) -> dict[str, Any]:
    """Values that shrink to the scene's while noise decays, as a run's do: at first far beyond 1."""
    rng = np.random.default_rng(rev)
    noise = 20.0 * np.exp(-0.9 * rev) * rng.standard_normal(len(scene.values)) ** 2
    return {**vars(scene), "values": (scene.values + noise).astype(np.float32)}


def test_every_frame_can_be_read(open_page: OpenPage, scene: Scene) -> None:
    page = open_page(state_of(scene, _frame=""), profile="backbone")
    for rev in range(1, 13):
        crude = Scene(**scattered(scene, rev))
        frame = frame_bytes(crude, rev=rev, complete=False, stop="")
        page.evaluate("frame => kernel.page.update({_frame: kernel.bytes(frame)})", text(frame))
        page.wait_for_function("rev => kernel.sent.some(m => m.t === 'ack' && m.rev === rev)", arg=rev)
        largest = min(1.0, float(crude.values.max()))
        top = float(bars(page)[1][2])
        assert 0.99 * largest <= top <= SHOWN_AT_ONCE * largest, rev
    last = frame_bytes(scene, rev=13)
    page.evaluate("frame => kernel.page.update({_frame: kernel.bytes(frame)})", text(last))
    wanted = format_value(float(scene.values.max()))
    expect(page.locator(".wcam-pane-dyadic .wcam-colour-bar span").last).to_have_text(wanted)


def test_whiskers_of_shares_end_at_one_and_the_legend_says_so(open_page: OpenPage, scene: Scene) -> None:
    profile = scene.profile()
    profile["high"] = [1.9] * 10
    page = open_page(state_of(scene, _frame=text(frame_bytes(scene, profile=profile))))
    expect(page.locator("[data-wcam=profile-legend]")).to_contain_text("cut to 0–1")
    assert page.locator(".wcam-axis span").all_text_contents()[-1] == "1.0"
    label = page.locator("[data-wcam=profile-bar]").first.get_attribute("aria-label")
    assert label is not None
    assert "to 1.00," in label


@pytest.mark.parametrize("width", [1066, 1440])
def test_a_map_is_readable_at_1440_by_900(open_page: OpenPage, scene: Scene, width: int) -> None:
    page = open_page(state_of(scene), context={"viewport": {"width": width, "height": 900}})
    root, canvas = (page.locator(f"[data-wcam={name}]").bounding_box() for name in ("root", "dyadic"))
    assert root is not None
    assert canvas is not None
    assert root["height"] <= 720
    columns = int(page.locator("[data-wcam=dyadic]").get_attribute("data-picture-width") or 0)
    unit = max(band.side for band in scene.bands)
    assert canvas["width"] * unit / columns / 8 >= 14  # pixels of a cell
    for name in ("image", "dyadic", "reconstruction", "profile", "scores"):
        box = page.locator(f"[data-wcam=pane-{name}]").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= root["y"] + root["height"]
