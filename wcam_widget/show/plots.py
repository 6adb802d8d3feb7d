"""The explorer's picture as a matplotlib figure: for papers, for pages without a front end, for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wcam_widget.evaluate.scoring_space import Domain, MeasureInputs
from wcam_widget.explain.attribution import Attribution
from wcam_widget.model import ImageLike, ModelLike, ensure_image
from wcam_widget.show.curve import RetentionCurve
from wcam_widget.show.figures.grid import BESIDE, Side, draw_grid
from wcam_widget.show.figures.pair import Pair, draw_pair
from wcam_widget.show.figures.panels import PANELS, Look, Subject, draw_panel, overview_figure, panel_figure
from wcam_widget.show.figures.sheet import COLUMNS, fit_height, picture_rows, set_headline
from wcam_widget.show.retention_search import RetentionSearch
from wcam_widget.show.scale import SCALES, Colours
from wcam_widget.show.summary import sentence, subject_of

T = TypeVar("T")
Several = Sequence[T] | Mapping[str, T]
COLORMAPS = ("cividis", "viridis")
OF_ONE = ("overview", *PANELS)
OF_SEVERAL = ("difference", "grid")


def plot(  # noqa: PLR0913 each by its name, with a default that fits most
    attribution: Attribution | Several[Attribution],
    image: ImageLike | Several[ImageLike] | None = None,
    *,
    colormap: str = "cividis",
    opacity: float = 0.6,
    title: str | None = None,
    scale: str = "auto",
    kind: str = "auto",
    columns: int = 2,
    ax: Axes | None = None,
    model: ModelLike | None = None,
) -> Figure:
    """Draw an attribution for a paper or a notebook: where it is high in the image, and at which scale.

    The figure is as wide as one or two columns of a journal, no text in it is smaller than 7 points, and a
    file of vectors (PDF, SVG) holds photograph and maps with their own pixels. Saved twice it gives the same
    bytes. In the dyadic view cells that are only bounded from above have a hatched corner, and cells that
    were not resolved a dotted one; a band too small for its name has none. Colours mean what they mean in the
    explorer: the heat of a pixel is the sum of the cells over it, and shares end at 1. Colours other than the
    maps are those of matplotlib's rcParams, so a dark style gives a dark figure.

    Args:
        attribution: what is drawn; or several, as a list or a table with their names.
        image: the image that was explained, (C, H, W) in [0, 1], or one for each attribution; without it the
            heatmap stands alone.
        kind: of one attribution "overlay" (heat over the image), "dyadic" (bands with frames and names),
            "profile" (bands as bars, with intervals), "retention" (the score when only the first cells are
            kept) or "overview", the first three; of several "grid" (side by side), of two also "difference"
            (both, and the second less the first). "auto" is "overview", of two "difference", of more "grid".
        columns: the width of the figure, 1 (88 mm) or 2 (180 mm).
        ax: axes to draw into, for the kinds of one panel: "overlay", "dyadic", "profile" and "retention".
            The others are figures of their own, and take none.
        model: the network, which "retention" evaluates about sixty times; no other kind needs it.
        colormap: "cividis" or "viridis".
        opacity: that of the heatmap over the image, 0 to 1.
        title: replaces the answer in a sentence and the line that says method and cost, or the title of a
            single panel; "" for none.
        scale: how values become colours: "linear", "log" (three powers of ten), "rank" (equally many in every
            colour), or "auto": linear, but a square root where few cells hold nearly everything. With
            " per level" behind it each level of the dyadic view has a scale of its own.

    Returns:
        A figure, made without pyplot; a notebook shows it as the value of a cell. Of ``ax`` its own figure.

    Raises:
        TypeError: naming the argument, for an image that is not valid.
        ValueError: likewise, for an image of another size, an opacity outside [0, 1], an unknown colour map,
            scale or kind, and axes for a kind that takes none.

    >>> from wcam_widget import Derivative, Wcam, load_demo
    >>> model, images, labels, names = load_demo()
    >>> (attribution,) = Wcam(Derivative(rows=2))(model, images[:1])
    >>> figure = plot(attribution, images[0])
    >>> [axes.get_label() for axes in figure.axes]
    ['image', 'dyadic view', 'scale profile']
    >>> round(25.4 * plot(attribution, kind="dyadic", columns=1).get_figwidth())
    88
    """
    _check(colormap, scale, opacity, columns)
    look = Look(Colours(colormap, scale), opacity, columns, title)
    if not isinstance(attribution, Attribution):
        sides = _sides(attribution, image)
        drawn = _kind(kind, OF_SEVERAL, "difference" if len(sides) == 2 else "grid")
        _no_axes(ax, drawn)
        return _grid(sides, look) if drawn == "grid" else _difference(sides, look)
    if isinstance(image, Sequence | Mapping) and not isinstance(image, str):
        raise TypeError("image: found several; accepted is one, as attribution is one")
    drawn = _kind(kind, OF_ONE, "overview")
    pixels = None if image is None else _pixels(image, attribution.cells.image_size)
    curve = _curve(attribution, image, model) if drawn == "retention" else None
    subject = Subject(attribution, pixels, curve)
    if drawn == "overview":
        _no_axes(ax, drawn)
        return overview_figure(subject, look, _headline(attribution))
    if ax is None:
        return panel_figure(drawn, subject, look)
    draw_panel(drawn, subject, look, ax)
    figure = ax.get_figure(root=True)
    assert figure is not None  # noqa: S101  axes that can be drawn into stand in a figure
    return figure


def _check(colormap: str, scale: str, opacity: float, columns: int) -> None:
    if colormap not in COLORMAPS:
        raise ValueError(f"colormap: found {colormap!r}; accepted are {' and '.join(map(repr, COLORMAPS))}")
    if scale not in SCALES:
        raise ValueError(f"scale: found {scale!r}; accepted are {', '.join(map(repr, SCALES))}")
    if not 0.0 <= opacity <= 1.0:
        raise ValueError(f"opacity: found {opacity!r}; accepted is a number from 0 to 1")
    if columns not in COLUMNS:
        raise ValueError(f"columns: found {columns!r}; accepted are 1 (88 mm) and 2 (180 mm)")


def _kind(kind: str, accepted: Sequence[str], usual: str) -> str:
    if kind == "auto":
        return usual
    if kind not in accepted:
        several = "several attributions" if accepted is OF_SEVERAL else "one attribution"
        words = ", ".join(map(repr, ("auto", *accepted)))
        raise ValueError(f"kind: found {kind!r}; accepted for {several} are {words}")
    return kind


def _no_axes(ax: Axes | None, kind: str) -> None:
    if ax is not None:
        raise ValueError(
            f"ax: {kind!r} is a figure of several panels and takes no axes; accepted for axes are the kinds "
            f"{', '.join(map(repr, PANELS))}"
        )


def _curve(attribution: Attribution, image: Any, model: ModelLike | None) -> RetentionCurve:
    """The retention curve of a map on its own cells."""
    for name, value in (("image", image), ("model", model)):
        if value is None:
            raise ValueError(f"{name}: found None; kind 'retention' evaluates the model on the image")
    (case,) = MeasureInputs(model, [ensure_image(image)], [attribution], None, Domain())  # type: ignore[arg-type]
    *_, curve = RetentionSearch(case.probe, attribution, subject_of(case.probe)).steps()
    return curve


def _sides(attributions: Several[Attribution], images: ImageLike | Several[ImageLike] | None) -> list[Side]:
    """The attributions with their names and pictures; without a table their methods are their names."""
    named = dict(attributions) if isinstance(attributions, Mapping) else {}
    maps: list[Any] = list(named.values() if named else attributions)
    if len(maps) < 2 or not all(isinstance(one, Attribution) for one in maps):
        raise ValueError(
            f"attribution: found {len(maps)}; accepted are one Attribution, or several to compare"
        )
    several = isinstance(images, list | tuple | Mapping)
    given: list[Any] = list(images.values() if isinstance(images, Mapping) else images) if several else []  # type: ignore[arg-type]
    if several and len(given) != len(maps):
        raise ValueError(f"image: found {len(given)}; accepted are {len(maps)}, one for each attribution")
    given = given or [images] * len(maps)
    numbered = ["first", "second"] if len(maps) == 2 else [one.method.split(",")[0] for one in maps]
    names = [str(name) for name in named] or numbered
    return [
        Side(name, one, None if image is None else _pixels(image, one.cells.image_size))
        for name, one, image in zip(names, maps, given, strict=True)
    ]


def _difference(sides: list[Side], look: Look) -> Figure:
    """Two attributions side by side, and what differs."""
    if len(sides) != 2:
        raise ValueError(f"attribution: found {len(sides)}; accepted for kind 'difference' are two")
    pair = Pair(*(tuple(part) for part in zip(*sides, strict=True)))
    beside = BESIDE[look.columns]
    rows = (1.0,) * (8 // beside)
    figure = picture_rows(look.columns, beside, _ratio(sides), rows)
    words = "\n".join(f"{name}: {_headline(one)}" for name, one, _ in sides)
    set_headline(figure, words if look.title is None else look.title)
    draw_pair(figure, pair, beside, look.colours, look.opacity)
    fit_height(figure, rows)
    return figure


def _grid(sides: list[Side], look: Look) -> Figure:
    """Several attributions side by side; the title is the caller's, as each panel says what it is of."""
    beside = min(len(sides), BESIDE[look.columns])
    rows = (1.0,) * (2 * -(-len(sides) // beside))
    figure = picture_rows(look.columns, beside, _ratio(sides), rows)
    set_headline(figure, look.title or "")
    draw_grid(figure, sides, beside, look.colours, look.opacity)
    fit_height(figure, rows)
    return figure


def _ratio(sides: Sequence[Side]) -> float:
    """The height of the tallest picture by its width."""
    return max(height / width for height, width in (side.attribution.cells.image_size for side in sides))


def _pixels(image: ImageLike, size: tuple[int, int]) -> NDArray[np.float32]:
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
    parts = [attribution.method, passes, *([] if attribution.complete else ["partial"])]
    return "\n".join([sentence(attribution), "   ·   ".join(parts)])
