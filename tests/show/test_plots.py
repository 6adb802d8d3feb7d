"""The matplotlib picture holds the attribution's own numbers and disturbs nothing."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from matplotlib._pylab_helpers import Gcf
from matplotlib.colors import to_rgba
from matplotlib.container import ErrorbarContainer

from wcam_widget.basis import AbstractBasis, Cells, ColourBasis, FourierBasis
from wcam_widget.explain import Attribution, Wcam
from wcam_widget.model import BlackBox
from wcam_widget.sensitivity import Kind, Sobol
from wcam_widget.show.heat import area_words, heat_map, usual_cell
from wcam_widget.show.plots import plot

IMAGE = torch.rand(3, 33, 24, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def attribution() -> Attribution:
    """Of an odd, rectangular image in a basis whose packed picture has gaps, with cells of every kind."""
    model = BlackBox(lambda images: images.square().mean((2, 3)), class_names=("$red_$", "<b>", "blue"))
    (made,) = Wcam(Sobol(rows=4), wavelet="db2", levels=2, grid=4)(model, IMAGE[None], ["$red_$"])
    kind = np.full(len(made.values), Kind.ESTIMATED, np.int8)
    kind[5:9], kind[20:27] = Kind.BOUNDED, Kind.UNRESOLVED
    return replace(made, estimate=replace(made.estimate, kind=kind))


@pytest.fixture(scope="module")
def figure(attribution):
    """The picture of it, for all tests that only look."""
    return plot(attribution, IMAGE)


def axes_of(figure, label):
    return next(axes for axes in figure.axes if axes.get_label() == label)


def bar_of(axes):
    """The colour bar of a panel."""
    (bar,) = axes.child_axes
    return bar


def words_of(bar):
    """The words under it, in one line."""
    return bar.get_xlabel().replace("\n", " ")


def test_the_maps_are_the_attributions_own_numbers(attribution, figure):
    photograph, heat = (image.get_array() for image in axes_of(figure, "image").images)
    np.testing.assert_array_equal(photograph, IMAGE.permute(1, 2, 0))
    np.testing.assert_array_equal(heat, heat_map(attribution))
    (drawn,) = axes_of(figure, "dyadic view").images
    picture = drawn.get_array()
    shown = attribution.cells.packed(attribution.values.clip(0.0, 1.0))
    np.testing.assert_array_equal(picture.filled(0.0), shown)
    gaps = attribution.cells.index.numpy() == len(attribution.values)
    assert gaps.any()
    np.testing.assert_array_equal(picture.mask, gaps)


def test_every_band_is_framed_and_named(attribution, figure):
    axes = axes_of(figure, "dyadic view")
    framed = {
        (text.get_text(), frame.get_y(), frame.get_x(), frame.get_height(), frame.get_width())
        for text, frame in zip(axes.texts, axes.patches, strict=True)
    }
    assert framed == {(band.name, *band.rectangle) for band in attribution.cells.bands}


@pytest.mark.parametrize(
    ("kind", "words", "place"), [(Kind.BOUNDED, "only bounded", 0), (Kind.UNRESOLVED, "not resolved", -1)]
)
def test_uncertain_cells_are_marked_where_they_are_and_explained(attribution, figure, kind, words, place):
    axes = axes_of(figure, "dyadic view")
    marked = axes.collections[place]
    _, top, left, height, width = attribution.cells.rectangles[attribution.kind == kind].T
    columns, rows = np.array(marked.get_offsets()).T
    assert ((columns > left + width / 2) & (columns < left + width)).all()
    assert ((rows > top + height / 2) & (rows < top + height)).all()
    assert words in [text.get_text() for text in axes.get_legend().get_texts()]


def test_where_all_cells_are_only_bounded_words_say_so_and_nothing_is_hatched(attribution):
    kind = np.full_like(attribution.kind, Kind.BOUNDED)
    bounded = replace(attribution, estimate=replace(attribution.estimate, kind=kind))
    axes = axes_of(plot(bounded), "dyadic view")
    assert not axes.collections
    assert "every value is an estimate between bounds" in words_of(bar_of(axes))


def test_nothing_is_marked_where_every_cell_is_estimated(attribution):
    sure = replace(attribution, estimate=replace(attribution.estimate, kind=0 * attribution.kind))
    axes = axes_of(plot(sure), "dyadic view")
    assert not axes.collections
    assert axes.get_legend() is None


def test_the_bars_are_the_profile(attribution, figure):
    axes = axes_of(figure, "scale profile")
    profile = attribution.profile()
    bars = axes.patches
    total, low, high = (part.clip(0.0, 1.0) for part in (profile.total, profile.low, profile.high))
    np.testing.assert_allclose([bar.get_width() for bar in bars], total)
    whiskers = next(c for c in axes.containers if isinstance(c, ErrorbarContainer))
    (intervals,) = whiskers.lines[2]
    reach = np.array([segment[:, 0] for segment in intervals.get_segments()])
    np.testing.assert_allclose(reach[:, 0], np.minimum(low, total))
    np.testing.assert_allclose(reach[:, 1], np.maximum(high, total))
    assert [label.get_text() for label in axes.get_yticklabels()] == list(profile.names)


def test_shapley_effects_below_zero_are_in_the_picture(attribution):
    shapley = np.linspace(-0.4, 0.9, len(attribution.profile().names))
    groups = replace(attribution.estimate.groups, shapley=shapley)
    shown = replace(attribution, estimate=replace(attribution.estimate, groups=groups))
    axes = axes_of(plot(shown), "scale profile")
    marks = next(line for line in axes.lines if line.get_label().startswith("Shapley"))
    np.testing.assert_array_equal(marks.get_xdata(), shapley)
    assert axes.get_xlim()[0] < -0.4


def test_colour_bars_say_their_unit(attribution, figure):
    words = " ".join(words_of(bar_of(axes_of(figure, label))) for label in ("image", "dyadic view"))
    assert "share of the score's variance, per cell" in words
    area = area_words(usual_cell(attribution.cells))
    assert f"share of the score's variance, all scales summed, {area}" in words


def test_names_are_text_and_never_formulas(attribution):
    figure = plot(attribution)
    assert figure.get_suptitle().startswith("logit of $red_$ (")
    assert figure._repr_png_().startswith(b"\x89PNG")  # a formula with an open index would raise here


def test_a_partial_map_says_so(attribution, figure):
    assert "partial" not in figure.get_suptitle()
    assert "partial" in plot(replace(attribution, complete=False)).get_suptitle()
    assert plot(attribution, title="Mine").get_suptitle() == "Mine"


def test_one_grey_channel_is_drawn_grey():
    image = IMAGE[:1, :16, :16]
    (attribution,) = Wcam(Sobol(rows=2), levels=1, grid=2)(BlackBox(lambda x: x.mean((2, 3))), image[None])
    photograph = axes_of(plot(attribution, image), "image").images[0].get_array()
    np.testing.assert_array_equal(photograph, image.expand(3, 16, 16).permute(1, 2, 0))


def test_no_global_state_changes_and_no_figure_stays_open(attribution):
    before, settings = Gcf.get_all_fig_managers(), dict(mpl.rcParams)
    plot(attribution, IMAGE)._repr_png_()
    assert Gcf.get_all_fig_managers() == before
    assert dict(mpl.rcParams) == settings


def test_a_notebook_shows_the_figure_as_one_picture(attribution):
    data, _ = DisplayFormatter().format(plot(attribution))
    assert set(data) == {"text/plain", "image/png"}


def test_a_dark_style_gives_a_dark_figure(attribution):
    with mpl.rc_context({"figure.facecolor": "#111111", "text.color": "#eeeeee"}):
        figure = plot(attribution, IMAGE)
    assert figure.get_facecolor() == to_rgba("#111111")
    names = axes_of(figure, "dyadic view").texts
    assert {text.get_color() for text in names} == {"#eeeeee"}
    assert {text.get_bbox_patch().get_facecolor()[:3] for text in names} == {to_rgba("#111111")[:3]}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"colormap": "jet"}, "^colormap: found 'jet'; accepted are 'cividis' and 'viridis'$"),
        ({"opacity": 1.5}, "^opacity: found 1.5; accepted is a number from 0 to 1$"),
        (
            {"image": IMAGE[:, :16]},
            "^image: found 16 x 24 pixels; the attribution is of an image of 33 x 24$",
        ),
        ({"image": IMAGE * 200}, "^image: found values in .* divide by 255"),
    ],
)
def test_bad_arguments_are_named(attribution, given, message):
    with pytest.raises(ValueError, match=message):
        plot(attribution, **given)


@pytest.mark.parametrize("colour", [False, True])
def test_frequencies_are_drawn_on_their_plane(colour: bool) -> None:
    def basis(size: tuple[int, int]) -> AbstractBasis:
        fourier = FourierBasis(size, "squares")
        return ColourBasis(fourier, "luma") if colour else fourier

    model = BlackBox(lambda images: images.square().mean((2, 3)))
    (found,) = Wcam(Sobol(rows=2), wavelet=basis, grid=Cells.whole)(model, torch.rand(1, 3, 24, 32))
    figure = plot(found)
    (axes,) = (axes for axes in figure.axes if axes.get_label() == "dyadic view")
    shown = axes.images[0].get_array()
    assert shown.shape == (24, 64 if colour else 32)
    # The middle of the plane is the cell of the zero frequency.
    assert shown[12, 16] == pytest.approx(found.values[0])
    assert "frequencies, zero in the middle" in words_of(bar_of(axes))


def test_values_of_both_signs_are_white_at_zero(attribution):
    values = np.linspace(-1.0, 0.5, len(attribution.values))
    signed = replace(attribution.estimate, value=values, variance=float("nan"))
    figure = plot(replace(attribution, estimate=signed))
    drawn = axes_of(figure, "dyadic view").images[0]
    assert to_rgba(drawn.cmap(drawn.norm(0.0))) == pytest.approx((1, 1, 1, 1), abs=0.01)
    red, _, blue, _ = drawn.cmap(drawn.norm(1.0))
    assert red > blue  # orange above 0
    red, _, blue, _ = drawn.cmap(drawn.norm(-1.0))
    assert blue > red


def test_few_large_values_of_both_signs_get_a_square_root_on_both_sides(attribution):
    values = np.where(np.arange(len(attribution.values)) % 2, 0.001, -0.001)
    values[:2] = 1.0, -0.5
    signed = replace(attribution.estimate, value=values, variance=float("nan"))
    figure = plot(replace(attribution, estimate=signed))
    norm = axes_of(figure, "dyadic view").images[0].norm
    np.testing.assert_allclose(norm([-1.0, -0.25, 0.0, 0.25, 1.0]), [0.0, 0.25, 0.5, 0.75, 1.0], atol=1e-12)
    assert "square-root scale" in bar_of(axes_of(figure, "dyadic view")).get_xlabel()


def test_shares_of_a_variance_that_scatter_below_zero_are_not_signed(attribution):
    values = np.linspace(-0.01, 0.5, len(attribution.values))
    figure = plot(replace(attribution, estimate=replace(attribution.estimate, value=values)))
    drawn = axes_of(figure, "dyadic view").images[0]
    assert (drawn.norm.vmin, drawn.cmap.name) == (0.0, "cividis")


def test_shares_beyond_one_end_at_one(attribution):
    crude = replace(
        attribution.estimate,
        value=attribution.values * 40,
        groups=replace(attribution.estimate.groups, high=np.full(7, 1.9)),
    )
    assert crude.value.max() > 1
    figure = plot(replace(attribution, estimate=crude))
    for label in ("image", "dyadic view"):
        drawn = axes_of(figure, label).images[0]
        assert (drawn.norm.vmin, drawn.norm.vmax) == (0.0, 1.0)
    whiskers = next(
        c for c in axes_of(figure, "scale profile").containers if isinstance(c, ErrorbarContainer)
    )
    (intervals,) = whiskers.lines[2]
    assert max(segment[:, 0].max() for segment in intervals.get_segments()) == pytest.approx(1.0)


def test_two_attributions_stand_side_by_side_with_their_difference(attribution):
    more = replace(attribution, estimate=replace(attribution.estimate, value=2 * attribution.values))
    figure = plot({"clean": attribution, "foggy": more}, [IMAGE, IMAGE])
    titles = [axes.get_title() for axes in figure.axes]
    assert [titles.count(title) for title in ("Where: clean", "Where: foggy", "foggy less clean")] == [
        1,
        1,
        2,
    ]
    heats = [axes.images[-1] for axes in figure.axes if axes.get_label() == "image"]
    tops = [heat.norm.vmax for heat in heats]
    assert tops[0] == tops[1]  # one scale for both
    np.testing.assert_allclose(heats[2].get_array(), heat_map(more) - heat_map(attribution), atol=1e-6)
    assert heats[2].norm.vmin == -heats[2].norm.vmax


@pytest.mark.parametrize(
    ("maps", "images", "message"),
    [(1, None, "attribution: found 1"), (2, [IMAGE], "image: found 1; accepted are 2")],
)
def test_several_are_two_or_more_with_an_image_each(attribution, maps, images, message):
    with pytest.raises(ValueError, match=message):
        plot([attribution] * maps, images)
