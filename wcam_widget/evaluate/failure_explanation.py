"""Why a corruption flipped an image: which bands and places lost or gained importance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wcam_widget.evaluate.failure_levels import KINDS, GroupChanges
from wcam_widget.evaluate.map_difference import MapDifference
from wcam_widget.explain import Attribution, Wcam
from wcam_widget.explain.cell_table import cell_table
from wcam_widget.explain.method import MethodLike
from wcam_widget.model import BlackBox, ImageLike, Logit, Margin, ModelLike, TargetLike, ensure_image
from wcam_widget.model.class_ids import name_of
from wcam_widget.sensitivity import Derivative
from wcam_widget.sensitivity.statistics.paired import Contrast, Difference

if TYPE_CHECKING:
    import pandas as pd

    from wcam_widget.figure import NotebookFigure

ROWS = 128  # a quarter of them seldom makes a band or a cell certain
MOST_NAMED = 4  # bands and places in the summary


@final
@dataclass(frozen=True, eq=False)
class FailureExplanation:
    """A clean and a corrupted image, explained with the same masks, and what differs.

    Attributes:
        clean: The map of the clean image.
        corrupted: The map of the corrupted one, of the same score.
        images: Both images, (2, c, h, w).
        classes: The model's answers to both.
        confidence: The probability of the clean answer in both, or its score where the model gives none.
        difference: The corrupted map less the clean one, of cells and of bands.
        class_names: Of the model; None where classes have numbers alone.
    """

    clean: Attribution
    corrupted: Attribution
    images: Float[Tensor, "2 c h w"]
    classes: tuple[int, int]
    confidence: tuple[float, float]
    difference: Difference
    class_names: tuple[str, ...] | None

    def __repr__(self) -> str:
        cells = int(self.cells_changed.sum())
        return f"<FailureExplanation: {self.answer}; {int(self.bands_changed.sum())} bands, {cells} cells>"

    @property
    def flipped(self) -> bool:
        """Whether the two answers differ."""
        return self.classes[0] != self.classes[1]

    @property
    def answer(self) -> str:
        """What happened to the answer, in words."""
        before, after = (self.name(each) for each in self.classes)
        became = f"{before} became {after}" if self.flipped else f"{before} stayed"
        return f"{became} ({self.confidence[0]:.2f} to {self.confidence[1]:.2f} for {before})"

    def name(self, class_id: int) -> str:
        """The name of a class, or its number in words."""
        return name_of(class_id, self.class_names)

    @property
    def band_p(self) -> Float[np.ndarray, " g"]:
        """Two-sided p of each band, paired over the replicates."""
        return self._maps.band_p

    @property
    def cell_p(self) -> Float[np.ndarray, " d"]:
        """Two-sided p of each cell; 1 where one of the maps has no replicates of it."""
        return self._maps.cell_p

    @property
    def bands_changed(self) -> Bool[np.ndarray, " g"]:
        """Bands that changed, with the chance of a single false one below 5 % (Holm)."""
        return self._maps.bands_changed

    @property
    def cells_changed(self) -> Bool[np.ndarray, " d"]:
        """Cells that changed, with 5 % false ones among them on average (Benjamini and Hochberg)."""
        return self._maps.cells_changed

    @cached_property
    def _maps(self) -> MapDifference:
        return MapDifference(self.corrupted, self.clean)

    def bands(self) -> pd.DataFrame:
        """One row for each band, coarse to fine.

        Returns:
            A table with ``band``, ``level``, ``orientation``, the shares ``clean`` and ``corrupted``, their
            ``difference`` with its 95 % limits ``low`` and ``high``, ``p``, and ``changed`` (Holm, 5 %).
        """
        import pandas as pd  # noqa: PLC0415 takes a second to import, and only tables need it

        profile = self.clean.profile()
        places = {"band": profile.names, "level": profile.levels, "orientation": profile.orientations}
        totals = (self.clean.estimate.groups.total, self.corrupted.estimate.groups.total)
        numbers = _columns(totals, self.difference.groups)
        return pd.DataFrame({**places, **numbers, "p": self.band_p, "changed": self.bands_changed})

    def groups(self, by: str = "level") -> pd.DataFrame:
        """One row for each level or orientation.

        Args:
            by: "level", "orientation" or "band".

        Returns:
            A table with ``name``, the Shapley effects ``clean`` and ``corrupted``, which add to 1, their
            ``difference`` with its 95 % limits ``low`` and ``high``, and ``p``, by Holm over the table.

        Raises:
            ValueError: Naming ``by``, or ``method`` where it gave no Shapley effects.
        """
        changes = GroupChanges.of(self.clean, self.corrupted, by)
        if changes is None:
            raise ValueError(f"method: {self.clean.method} gave no Shapley effects of bands with replicates")
        return changes.table()

    def cells(self) -> pd.DataFrame:
        """One row for each cell.

        Returns:
            The columns of ``bands``, with ``changed`` by Benjamini and Hochberg at 5 %, and the place in
            pixels, ``top``, ``left``, ``bottom`` and ``right``.
        """
        totals = (self.clean.estimate.value, self.corrupted.estimate.value)
        numbers = _columns(totals, self.difference.cells)
        columns = {**numbers, "p": self.cell_p, "changed": self.cells_changed}
        table = cell_table(self.clean.cells, columns, {}).to_dataframe().reset_index(drop=True)
        return table[["band", "level", "orientation", *columns, "top", "left", "bottom", "right"]]

    def spatial(self) -> Float[np.ndarray, "h w"]:
        """The difference of the two maps over the image's pixels; its sum is the sum over cells."""
        return self.clean.cells.spatial(np.nan_to_num(self.difference.cells.value))

    def summary(self) -> str:
        """What happened, which levels, bands and places lost or gained importance, and how sure that is."""
        maps = self.difference.cells
        moved = (
            f"{maps.distance:.0%} of the importance moved to other cells (by chance {maps.by_chance:.0%}, "
            f"p = {maps.p:.2g})."
        )
        happened = f"{self.answer[0].upper()}{self.answer[1:]}."
        return (
            f"{happened} {moved} {self._groups_in_words()}{self._bands_in_words()} {self._places_in_words()}"
        )

    def plot(self) -> NotebookFigure:
        """Draw both images, the signed difference over the corrupted one, and that of every band.

        Returns:
            A figure, made without pyplot; a notebook shows it as the value of a cell.
        """
        from wcam_widget.evaluate.figures.failure import draw_failure  # noqa: PLC0415 matplotlib takes a second

        return draw_failure(self)

    def _groups_in_words(self) -> str:
        parts = [GroupChanges.of(self.clean, self.corrupted, by) for by in KINDS]
        if None in parts:
            return ""
        words = [each for part in parts if part is not None for each in part.words()]
        return f"Of levels and orientations {', '.join(words) or 'none changed for certain'}. "

    def _bands_in_words(self) -> str:
        changed, value = self.bands_changed, self.difference.groups.value
        if not changed.any():
            return "No single band changed for certain."
        names = self.clean.profile().names
        low, high = self.difference.groups.low, self.difference.groups.high
        order = [band for band in np.argsort(-np.abs(value)) if changed[band]][:MOST_NAMED]
        words = [
            f"{names[band]} {'gained' if value[band] > 0 else 'lost'} {abs(value[band]):.2f} "
            f"({low[band]:+.2f} to {high[band]:+.2f})"
            for band in order
        ]
        more = int(changed.sum()) - len(order)
        return f"Shares of bands: {', '.join(words)}{f', and {more} more' if more else ''}."

    def _places_in_words(self) -> str:
        changed, value = self.cells_changed, self.difference.cells.value
        if not changed.any():
            return "No single cell changed for certain."
        cells = self.clean.cells
        order = [cell for cell in np.argsort(-np.abs(np.nan_to_num(value))) if changed[cell]][:MOST_NAMED]
        words = []
        for cell in order:
            top, left, bottom, right = cells.support[cell]
            middle = f"row {(top + bottom) / 2:.0f}, column {(left + right) / 2:.0f}"
            name = cells.bands[cells.groups[cell]].name
            words.append(
                f"{name} around {middle} {'gained' if value[cell] > 0 else 'lost'} {abs(value[cell]):.2f}"
            )
        return f"{int(changed.sum())} of {len(value)} cells changed, most: {'; '.join(words)}."


def _columns(totals: tuple[np.ndarray, np.ndarray], contrast: Contrast) -> dict[str, Float[np.ndarray, " d"]]:
    return {
        "clean": totals[0],
        "corrupted": totals[1],
        "difference": contrast.value,
        "low": contrast.low,
        "high": contrast.high,
    }


def explain_failure(
    model: ModelLike,
    image: ImageLike,
    corrupted: ImageLike,
    method: MethodLike = None,
    target: TargetLike = None,
) -> FailureExplanation:
    """Explain an image and its corrupted version with the same masks, and say what differs.

    Both runs draw the same random rows, so that what the rows do to both cancels in the difference; intervals
    and tests are of the differences, replicate by replicate.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        image: The clean image (C, H, W) in [0, 1], a path, or an image of PIL.
        corrupted: The corrupted one, of the same size.
        method: One with replicates: ``Wcam`` of any analysis; None for ``Wcam(Derivative(rows=128))``,
            about 900 passes for each of the two images.
        target: The score that both are explained for; None for how far the clean answer is above the
            corrupted one or, where they are the same, for the answer's logit.

    Returns:
        Both maps, their difference by band and by cell with intervals and tests, and words.

    Raises:
        ValueError: Naming ``corrupted`` where its size differs, or the argument that does not fit.
        ModelError: Where the model fails, or lacks what the method needs.

    References:
        Pitman (1937), "Significance tests which may be applied to samples from any populations", for the test
        of the maps; Holm (1979) for bands; Benjamini and Hochberg (1995) for cells.

    Examples:
        >>> from wcam_widget import corrupt, load_demo
        >>> model, images, labels, class_names = load_demo()
        >>> foggy = corrupt(images[:1], "fog", 5)[0]
        >>> explained = explain_failure(model, images[0], foggy, Wcam(Derivative(rows=8)))
        >>> list(explained.bands())[:5]
        ['band', 'level', 'orientation', 'clean', 'corrupted']
    """
    network = BlackBox.ensure(model)
    pair = [
        ensure_image(one, name, network.fit) for one, name in ((image, "image"), (corrupted, "corrupted"))
    ]
    if pair[0].shape != pair[1].shape:
        raise ValueError(f"corrupted: found {tuple(pair[1].shape)}; image has {tuple(pair[0].shape)}")
    images = torch.stack(pair)
    logits = network.logits(images)
    before, after = logits.argmax(1).tolist()
    if target is None:
        target = Logit(before) if before == after else Margin(before, after)
    explain = Wcam(Derivative(rows=ROWS)) if method is None else method
    # One stream, so one set of random rows.
    maps = [explain.last(network, one, target, stream=0).alone() for one in pair]
    probabilities = network.probabilities(logits)[:, before].tolist()
    return FailureExplanation(
        clean=maps[0],
        corrupted=maps[1],
        images=images,
        classes=(before, after),
        confidence=(probabilities[0], probabilities[1]),
        difference=maps[1].compare(maps[0]),
        class_names=network.class_names,
    )
