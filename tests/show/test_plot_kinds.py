"""Figures for papers: their widths, their text, their bars, their files, and what each kind draws."""

import io
import itertools
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.text import Text

from wcam_widget.explain import Attribution, GradCam, Wcam
from wcam_widget.model import BlackBox
from wcam_widget.sensitivity import Kind, Sobol
from wcam_widget.show.figures.colours import colours_of
from wcam_widget.show.plots import plot
from wcam_widget.show.scale import Scale

IMAGE = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))
ONE = ("overview", "overlay", "dyadic", "profile", "retention")
WIDTHS = {1: 88.0, 2: 180.0}
BETWEEN = 1.0  # points: text may touch, not overlap


def two_classes(images):
    left, right = images[..., :16].square().mean((1, 2, 3)), images[..., 16:].mean((1, 2, 3))
    return torch.stack([4 * left, right], dim=1)


MODEL = BlackBox(two_classes, class_names=("left side", "right side"))


@pytest.fixture(scope="module")
def attribution() -> Attribution:
    (made,) = Wcam(Sobol(rows=4), levels=3, grid=4)(MODEL, IMAGE[None], ["left side"])
    kind = np.full(len(made.values), Kind.ESTIMATED, np.int8)
    kind[5:9], kind[20:27] = Kind.BOUNDED, Kind.UNRESOLVED
    return replace(made, estimate=replace(made.estimate, kind=kind))


def drawn(attribution, kind, columns):
    if kind in ONE:
        return plot(attribution, IMAGE, kind=kind, columns=columns, model=MODEL)
    several = dict.fromkeys(("Wcam", "another method", "a third"), attribution)
    return plot(
        dict(list(several.items())[: 2 if kind == "difference" else 3]), IMAGE, kind=kind, columns=columns
    )


@pytest.fixture(scope="module", params=itertools.product((*ONE, "difference", "grid"), (1, 2)))
def figure(request, attribution) -> tuple[Figure, int]:
    kind, columns = request.param
    made = drawn(attribution, kind, columns)
    made.draw_without_rendering()
    return made, columns


def readable(figure):
    """The texts that are drawn; axes keep others, of ticks that they no longer have."""
    drawn_texts = []
    draw = Text.draw

    def recording(text, renderer, *given, **named):
        drawn_texts.append(text)
        return draw(text, renderer, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", recording)
        figure.draw_without_rendering()
    return [text for text in drawn_texts if text.get_text().strip() and text.get_visible()]


def test_a_figure_is_as_wide_as_columns_and_no_text_is_small(figure):
    made, columns = figure
    assert 25.4 * made.get_figwidth() == pytest.approx(WIDTHS[columns])
    sizes = {text.get_text(): text.get_fontsize() for text in readable(made)}
    assert sizes
    assert min(sizes.values()) >= 7.0, sizes


def test_no_text_overlaps_another_or_leaves_the_figure(figure):
    made, _ = figure
    texts = readable(made)
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    room = made.bbox.padded(BETWEEN)
    for words, box in boxes:
        assert room.x0 <= box.x0 <= box.x1 <= room.x1, words
        assert room.y0 <= box.y0 <= box.y1 <= room.y1, words
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        if first.overlaps(second):
            across = min(first.x1, second.x1) - max(first.x0, second.x0)
            down = min(first.y1, second.y1) - max(first.y0, second.y0)
            assert min(across, down) <= BETWEEN, (one, other)


def test_every_bar_is_as_wide_as_its_panel_and_right_below_it(figure):
    made, _ = figure
    for axes in made.axes:
        for bar in axes.child_axes:
            panel, below = axes.get_window_extent(), bar.get_window_extent()
            np.testing.assert_allclose([below.x0, below.x1], [panel.x0, panel.x1], atol=0.5)
            assert (panel.y0 - below.y1) * 72 / made.dpi == pytest.approx(4.0, abs=0.5)


def test_pictures_fill_the_width_they_have(figure):
    made, _ = figure
    panels = [axes for axes in made.axes if axes.images]
    for axes in panels:
        given, used = axes.get_position(original=True), axes.get_position()
        assert used.width == pytest.approx(given.width, rel=0.02)
        assert used.height == pytest.approx(given.height, rel=0.02)


def test_saved_twice_a_figure_has_the_same_bytes(attribution):
    files = [[saved(drawn(attribution, "overview", 1), form) for form in ("svg", "pdf", "png")] for _ in "ab"]
    assert files[0] == files[1]
    assert b"CreationDate" not in files[0][1]
    assert b"<dc:date>" not in files[0][0]


def saved(figure, form):
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form)
    return buffer.getvalue()


ELSEWHERE = """
import hashlib, io, torch
from wcam_widget import Sobol, Wcam, plot
image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
(one,) = Wcam(Sobol(rows=2), levels=2, grid=2)(lambda images: images.mean((2, 3)), image[None])
for form in ("svg", "pdf", "png"):
    buffer = io.BytesIO()
    plot(one, image, kind="dyadic", columns=1).savefig(buffer, format=form)
    print(hashlib.sha256(buffer.getvalue()).hexdigest())
"""


@pytest.mark.slow
def test_another_process_writes_the_same_bytes():
    texts = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", ELSEWHERE]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        texts.append(done.stdout)
    assert texts[0] == texts[1] != ""


def test_a_file_of_vectors_holds_pictures_as_they_are_and_text_as_text(attribution, tmp_path):
    figure = plot(attribution, IMAGE, kind="overlay", columns=1)
    figure.savefig(tmp_path / "overlay.svg")
    svg = (tmp_path / "overlay.svg").read_text()
    width = re.search(r'<svg[^>]* width="([\d.]+)pt"', svg)
    assert width
    assert float(width[1]) == pytest.approx(88 / 25.4 * 72, abs=0.01)
    pictures = re.findall(r'<image[^>]* width="([\d.]+)" height="([\d.]+)"', svg)
    assert pictures.count(("32", "32")) == 2  # photograph and heat, each with its own pixels
    figure.savefig(tmp_path / "overlay.pdf")
    pdf = (tmp_path / "overlay.pdf").read_bytes()
    assert b"/Type3" not in pdf
    assert b"/Width 32" in pdf


def test_large_photographs_are_held_with_the_pixels_that_are_printed():
    image = torch.rand(3, 64, 2100)
    (one,) = Wcam(Sobol(rows=2), levels=1, grid=2)(lambda x: x.mean((2, 3)), image[None])
    photograph, heat = plot(one, image, kind="overlay").axes[0].images
    assert photograph.get_array().shape == (31, 1024, 3)
    assert heat.get_array().shape == (64, 2100)


@pytest.mark.parametrize("name", ["cividis", "viridis", "signed"])
def test_colours_are_those_of_the_explorer(name):
    source = (Path(__file__).parents[2] / "js" / "src" / "picture" / "colormap.ts").read_text()
    if name == "signed":
        (knots,) = re.findall(r'SIGNED = "([0-9a-f]+)"', source)
    else:
        (block,) = re.findall(rf"{name}:\s*((?:\"[0-9a-f]+\"[\s+,]*)+)", source)
        knots = "".join(re.findall(r'"([0-9a-f]+)"', block))
    table = np.array([int(knots[at : at + 2], 16) for at in range(0, len(knots), 2)]).reshape(-1, 4)
    colours = colours_of(
        Scale(1.0, "linear", signed=name == "signed"), "cividis" if name == "signed" else name
    )
    places = np.arange(256)
    for channel in range(3):
        explorer = np.interp(places, table[:, 0], table[:, 1 + channel])
        figures = 255 * colours(places)[:, channel]
        np.testing.assert_allclose(figures, explorer, atol=2.0)


@pytest.mark.parametrize("kind", ["overlay", "dyadic", "profile", "retention"])
def test_one_panel_is_drawn_into_axes_of_ones_own(attribution, kind):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot(attribution, IMAGE, kind=kind, ax=right, model=MODEL, title="Mine") is figure
    assert right.get_title() == "Mine"
    assert right.has_data()
    assert not left.has_data()
    assert figure.get_suptitle() == ""


@pytest.mark.parametrize("kind", ["overview", "auto"])
def test_a_figure_of_several_panels_takes_no_axes(attribution, kind):
    with pytest.raises(ValueError, match=r"^ax: 'overview' is a figure of several panels and takes no axes"):
        plot(attribution, IMAGE, kind=kind, ax=Figure().subplots())
    with pytest.raises(ValueError, match=r"^ax: 'grid' is a figure of several panels"):
        plot([attribution] * 3, IMAGE, ax=Figure().subplots())


def test_the_retention_curve_is_the_models_own(attribution):
    (axes,) = plot(attribution, IMAGE, kind="retention", model=MODEL).axes
    lines = {line.get_label(): line for line in axes.lines}
    assert {"most important first", "highest energy first", "at random"} <= set(lines)
    own = lines["most important first"]
    kept = MODEL.probabilities(MODEL.logits(IMAGE[None]))[0, 0]
    assert own.get_xdata()[-1] == 1.0
    assert own.get_ydata()[-1] == pytest.approx(float(kept), abs=1e-5)
    (words,) = [text.get_text() for text in axes.get_legend().get_texts() if "decision" in text.get_text()]
    assert re.fullmatch(r"decision kept from \d+ cells? on \(.*%\)", words)
    assert axes.get_ylabel() == "probability of left side"


def test_a_grid_shows_every_map_and_says_where_one_tells_no_scales(attribution):
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.LazyLinear(2)
    )
    (cam,) = GradCam(layer="1")(BlackBox(net), IMAGE[None])
    figure = plot({"Wcam": attribution, "half": replace(attribution, unit="logit"), "cam": cam}, IMAGE)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["Wcam", "half", "cam"]
    assert [axes.get_label() for axes in figure.axes].count("dyadic view") == 2
    assert [
        text.get_text().replace("\n", " ")
        for axes in figure.axes
        for text in axes.texts
        if "map" in text.get_text()
    ] == ["This map tells no scales."]


def test_maps_of_one_unit_share_a_scale_in_a_grid(attribution):
    more = replace(attribution, estimate=replace(attribution.estimate, value=2 * attribution.values))
    figure = plot([attribution, more], kind="grid")
    heats = [axes.images[-1] for axes in figure.axes if axes.get_label() == "image"]
    assert heats[0].norm.vmax == heats[1].norm.vmax


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"kind": "pie"},
            "^kind: found 'pie'; accepted for one attribution are 'auto', 'overview', 'overlay'",
        ),
        ({"kind": "grid"}, "^kind: found 'grid'; accepted for one attribution"),
        ({"columns": 3}, r"^columns: found 3; accepted are 1 \(88 mm\) and 2 \(180 mm\)$"),
        ({"kind": "retention", "image": IMAGE}, "^model: found None; kind 'retention' evaluates"),
        ({"kind": "retention", "model": MODEL}, "^image: found None; kind 'retention' evaluates"),
    ],
)
def test_bad_arguments_are_named(attribution, given, message):
    with pytest.raises(ValueError, match=message):
        plot(attribution, **given)


def test_kinds_of_several_are_named(attribution):
    with pytest.raises(
        ValueError, match=r"^kind: found 'overlay'; accepted for several attributions are 'auto'"
    ):
        plot([attribution] * 2, kind="overlay")
    with pytest.raises(ValueError, match=r"^attribution: found 3; accepted for kind 'difference' are two$"):
        plot([attribution] * 3, kind="difference")


@pytest.mark.parametrize("kind", ["overview", "retention", "grid"])
def test_a_dark_style_has_no_dark_text(attribution, kind):
    with style.context("dark_background"):
        figure = drawn(attribution, kind, 1)
        figure.draw_without_rendering()
    assert {json.dumps(mpl.colors.to_rgb(text.get_color())) for text in readable(figure)} == {
        "[1.0, 1.0, 1.0]"
    }
