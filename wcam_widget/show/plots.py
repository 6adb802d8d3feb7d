"""The explorer's picture as a matplotlib figure: for papers, for pages without a front end, for scripts."""

from __future__ import annotations

import io
from typing import Any, final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap, FuncNorm, LinearSegmentedColormap, Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from wcam_widget.explain.attribution import Attribution
from wcam_widget.model import ensure_image
from wcam_widget.sensitivity import Kind

COLORMAPS = ("cividis", "viridis")
_WORDS = {Kind.BOUNDED: "only bounded", Kind.UNRESOLVED: "not resolved"}
# Where the median positive value is below this share of the largest, a linear scale would leave half the map
# in one colour; the scale is then a square root. The explorer's scale.ts has the same rule.
_SKEWED = 0.03
_PROFILE_POINTS = 190  # height of the profile: names of many bars get smaller


@final
class AttributionFigure(Figure):
    """A figure that a notebook shows when it is the value of a cell.

    It is made without pyplot, so that nothing global changes and nothing stays open. Without pyplot no
    backend tells IPython how to draw a figure, so it says so itself. Where a backend does, IPython asks that
    instead, and the figure is shown once either way.
    """

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=2 * self.dpi)
        return buffer.getvalue()


def plot(
    attribution: Attribution,
    image: Any = None,
    *,
    colormap: str = "cividis",
    opacity: float = 0.6,
    title: str | None = None,
) -> Figure:
    """Draw an attribution: its heatmap in the image, its dyadic view, and its profile over scales.

    `image` (C, H, W) in [0, 1] is the image that was explained; without it the heatmap stands alone.
    `opacity` 0 to 1 is that of the heatmap over the image. `colormap` is "cividis" or "viridis". `title`
    replaces the line that says target, score and cost. In the dyadic view cells that are only bounded from
    above are hatched, and cells that were not resolved have a dotted outline. Colours other than the maps are
    those of matplotlib's rcParams, so a dark style gives a dark figure.

    Raises ValueError, naming the argument, for an image of another size, an opacity outside [0, 1] and an
    unknown colour map; for the image also what `ensure_image` raises.

    >>> from wcam_widget import Derivative, Wcam, load_demo
    >>> model, images, labels, names = load_demo()
    >>> (attribution,) = Wcam(Derivative(rows=2))(model, images[:1])
    >>> figure = plot(attribution, images[0])
    >>> [axes.get_label() for axes in figure.axes[:3]]
    ['image', 'dyadic view', 'scale profile']
    """
    if colormap not in COLORMAPS:
        raise ValueError(f"colormap: found {colormap!r}; accepted are {' and '.join(map(repr, COLORMAPS))}")
    if not 0.0 <= opacity <= 1.0:
        raise ValueError(f"opacity: found {opacity!r}; accepted is a number from 0 to 1")
    pixels = None if image is None else _pixels(image, attribution.cells.image_size)
    figure = AttributionFigure(figsize=(12.5, 5.1), layout="constrained")
    in_image, dyadic, profile = figure.subplots(1, 3, width_ratios=(1.0, 1.0, 0.8))
    _draw_heatmap(in_image, attribution, pixels, colormap, opacity)
    _draw_dyadic(dyadic, attribution, colormap)
    _draw_profile(profile, attribution, colormap)
    figure.suptitle(_headline(attribution) if title is None else title, parse_math=False)
    return figure


def _pixels(image: Any, size: tuple[int, int]) -> NDArray[np.float32]:
    """The image as (H, W, 3) for drawing."""
    checked = ensure_image(image).numpy()
    if checked.shape[1:] != size:
        raise ValueError(
            f"image: found {checked.shape[1]} x {checked.shape[2]} pixels; "
            f"the attribution is of an image of {size[0]} x {size[1]}"
        )
    pixels: NDArray[np.float32] = np.broadcast_to(checked, (3, *size)).transpose(1, 2, 0)
    return pixels


def _headline(attribution: Attribution) -> str:
    passes = f"{attribution.evaluations} forward passes"
    if attribution.gradients:
        passes += f", {attribution.gradients} gradients"
    parts = [f"{attribution.target} = {attribution.score:.3g}", attribution.method, passes]
    if not attribution.complete:
        parts.append("partial")
    return "   ·   ".join(parts)


def _draw_heatmap(
    axes: Axes, attribution: Attribution, pixels: NDArray[np.float32] | None, colormap: str, opacity: float
) -> None:
    axes.set_label("image")
    axes.set_title("Where in the image")
    height, width = attribution.cells.image_size
    extent = (0.0, float(width), float(height), 0.0)
    heat = attribution.spatial()
    if pixels is not None:
        axes.imshow(pixels, extent=extent)
    scale = _scale(heat.ravel(), signed=attribution.signed)
    drawn = axes.imshow(
        heat,
        extent=extent,
        cmap=_colours(scale, colormap),
        norm=scale,
        alpha=1.0 if pixels is None else opacity,
        interpolation="bilinear",
    )
    axes.set(xticks=[], yticks=[])
    _colour_bar(axes, drawn, scale, f"{attribution.unit}, per pixel")


def _draw_dyadic(axes: Axes, attribution: Attribution, colormap: str) -> None:
    axes.set_label("dyadic view")
    axes.set_title("At which scale")
    cells, basis = attribution.cells, attribution.basis
    gaps = cells.index.numpy() == len(cells)
    packed = np.where(gaps, np.nan, attribution.packed())
    arranged = basis.arranged(packed)
    picture = np.ma.masked_invalid(arranged)
    height, width = picture.shape
    scale = _scale(attribution.values, signed=attribution.signed)
    drawn = axes.imshow(
        picture,
        extent=(0.0, float(width), float(height), 0.0),
        cmap=_colours(scale, colormap),
        norm=scale,
        interpolation="nearest",
    )
    if arranged is packed:
        _mark_cells(axes, attribution)
        for band in cells.bands:
            _frame_band(axes, band.name, band.rectangle)
    else:  # bands are no rectangles there
        axes.set_xlabel("frequencies, zero in the middle", fontsize="x-small")
    axes.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0))
    for spine in axes.spines.values():
        spine.set_visible(False)
    _colour_bar(axes, drawn, scale, f"{attribution.unit}, per cell")


def _frame_band(axes: Axes, name: str, rectangle: tuple[int, int, int, int]) -> None:
    top, left, height, width = rectangle
    ground, ink = mpl.rcParams["figure.facecolor"], mpl.rcParams["text.color"]
    axes.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor=ground, linewidth=2.0))
    axes.text(
        left,
        top,
        name,
        color=ink,
        fontsize="x-small",
        ha="left",
        va="top",
        bbox={"facecolor": ground, "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
    )


def _mark_cells(axes: Axes, attribution: Attribution) -> None:
    """Dim and hatch what is only bounded; outline with dots what was not resolved; say so below.

    Where every cell is only bounded, hatches would tell nothing apart, and the words say it alone.
    """
    if (attribution.kind == Kind.BOUNDED).all():
        axes.set_xlabel("every value is a linear estimate between bounds", fontsize="x-small")
        return
    ground, ink = mpl.rcParams["figure.facecolor"], mpl.rcParams["text.color"]
    styles: dict[Kind, dict[str, Any]] = {
        Kind.BOUNDED: {
            "facecolor": (ground, 0.35),
            "edgecolor": (ink, 0.55),
            "hatch": "////",
            "linewidth": 0,
        },
        Kind.UNRESOLVED: {
            "facecolor": "none",
            "edgecolor": ink,
            "linestyle": ":",
            "linewidth": 1.0,
            "path_effects": [_drawn_under(ground), Normal()],  # readable on both ends of a map
        },
    }
    handles = []
    for kind, style in styles.items():
        chosen = attribution.cells.rectangles[attribution.kind == kind]
        if len(chosen) == 0:
            continue
        corners = [
            [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
            for _, top, left, height, width in chosen.tolist()
        ]
        axes.add_collection(PolyCollection(corners, **style))
        handles.append(Rectangle((0, 0), 1, 1, label=_WORDS[kind], **style))
    if handles:
        axes.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            ncols=2,
            frameon=False,
            fontsize="x-small",
        )


def _drawn_under(colour: Any) -> Stroke:
    """A solid line under a dotted one."""
    return Stroke(foreground=colour, dashes={"dash_offset": 0, "dash_list": None})


def _draw_profile(axes: Axes, attribution: Attribution, colormap: str) -> None:
    axes.set_label("scale profile")
    axes.set_title("Profile over scales")
    profile = attribution.profile()
    rows = np.arange(len(profile.names))
    reach = np.stack([profile.total - profile.low, profile.high - profile.total]).clip(min=0.0)
    ink = mpl.rcParams["text.color"]
    axes.barh(
        rows,
        np.nan_to_num(profile.total),
        height=0.62,
        color=mpl.colormaps[colormap](0.55),
        xerr=np.nan_to_num(reach),
        error_kw={"ecolor": ink, "elinewidth": 1, "capsize": 2},
    )
    if np.isfinite(profile.shapley).all():
        label = "Shapley effect (these add to 1)"
        axes.plot(profile.shapley, rows, "D", color=ink, markersize=4, label=label)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), frameon=False, fontsize="x-small")
    axes.set_yticks(rows, profile.names, fontsize=min(mpl.rcParams["font.size"], _PROFILE_POINTS / len(rows)))
    axes.invert_yaxis()
    if axes.get_xlim()[0] < 0.0:  # Shapley effects are estimates, and may scatter below zero
        axes.axvline(0.0, color=ink, linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel(profile.statistic, fontsize="small", parse_math=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _scale(values: NDArray[np.floating[Any]], *, signed: bool) -> Normalize:
    """From 0 to the largest value; a square root where few values hold nearly everything.

    Signed values stand evenly around 0.
    """
    sizes = np.abs(values) if signed else values
    positive = np.sort(sizes[np.isfinite(sizes) & (sizes > 0)])
    top = float(positive[-1]) if len(positive) else 1.0
    skewed = len(positive) > 8 and positive[len(positive) // 2] < _SKEWED * top
    if signed and skewed:
        return FuncNorm((_signed_root, _signed_square), vmin=-top, vmax=top, clip=True)
    if skewed:
        return PowerNorm(0.5, vmin=0.0, vmax=top, clip=True)
    return Normalize(vmin=-top if signed else 0.0, vmax=top, clip=True)


def _signed_root(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    roots: NDArray[np.floating[Any]] = np.sqrt(np.abs(values)) * np.sign(values)
    return roots


def _signed_square(roots: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    values: NDArray[np.floating[Any]] = roots * np.abs(roots)
    return values


def _colours(scale: Normalize, colormap: str) -> Colormap:
    """The map asked for; for values of both signs blue to orange, with white at 0."""
    if (scale.vmin or 0.0) < 0.0:
        return LinearSegmentedColormap.from_list("signed", ["#0b5394", "#ffffff", "#c65d00"])
    return mpl.colormaps[colormap]


def _colour_bar(axes: Axes, drawn: AxesImage, scale: Normalize, words: str) -> None:
    if isinstance(scale, PowerNorm | FuncNorm):
        words += "\n(square-root scale)"
    figure = axes.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101  axes made by subplots always stand in one
    ticks = [float(scale.inverse(place)) for place in (0.0, 0.25, 0.5, 0.75, 1.0)]
    bar = figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.9, aspect=30, pad=0.02)
    bar.set_ticks(ticks, labels=[f"{tick:.2g}" for tick in ticks])
    if bar.solids is not None:
        bar.solids.set_alpha(1.0)  # the map itself, not the map over the image
    bar.set_label(words, fontsize="small", parse_math=False)
