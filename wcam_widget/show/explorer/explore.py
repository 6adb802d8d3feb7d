"""The door to the explorer: one call that explains an image and shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wcam_widget.explain import MethodLike
from wcam_widget.model import ImageLike, ModelLike, TargetLike
from wcam_widget.show.explorer.comparison import ComparisonExplorer
from wcam_widget.show.explorer.explorer import Explorer
from wcam_widget.show.explorer.layers import LayersLike
from wcam_widget.show.explorer.rerun import replace_earlier
from wcam_widget.show.explorer.side_arguments import Several, is_several


def explore(
    model: ModelLike | str | Several[ModelLike | str],
    image: ImageLike | Several[ImageLike],
    target: TargetLike | Sequence[TargetLike] = None,
    method: MethodLike | Several[MethodLike] = None,
    class_names: Sequence[Any] | None = None,
    layers: LayersLike = (),
) -> Explorer:
    """Explain one image and show it: a widget, whose map streams in while the notebook goes on.

    When the cell that made an explorer runs again, the explorer is closed; its ``attribution`` stays. A saved
    notebook keeps a picture of the map: the last one where a page was open or a cell called ``wait``.
    Of a network that is trained or loaded into during the run the map mixes both, and its ``stop`` says so.

    A list in place of ``model``, ``image`` or ``method`` compares: two sides are shown beside each other,
    linked, with what differs between them; of more, those that a reader chooses by their profiles over
    scales. All sides draw the same random masks: what these do to both cancels in a difference.

    Args:
        model: a BlackBox, a torch module, a callable from images (n, c, h, w) to scores (n, k), or a name
            for ``load_model``.
        image: (C, H, W), floats in [0, 1] or integers of 8 or 16 bits, at most 2,097,152 pixels, taken as it
            is; or a path or an image of PIL, which goes through ``BlackBox.fit``.
        target: None for the highest class (of the first side, where two are compared), a class id, a class
            name, or a Logit, Probability or Margin; or a list with one for each side.
        method: None for ``Wcam()``, or any other; one that gives a map over the image is taken apart in the
            cells of ``Wcam()``.
        class_names: one name per score; those of ``model`` if None.
        layers: methods or attributions, whose maps can be put over the image instead; a table of names and
            them, or a list.

    Returns:
        The explorer, of one side or of several; the value of a cell is shown there.

    Raises:
        TypeError: naming the argument, as ValueError does, for what is not valid.
        ModelError: where the model itself fails.

    >>> import torch
    >>> from wcam_widget.explain import Wcam
    >>> image, wcam = torch.rand(3, 16, 16), Wcam(levels=2, grid=2)
    >>> with explore(lambda images: images.mean((2, 3)), image, method=wcam) as explorer:
    ...     explorer.wait().complete
    True
    >>> pair = {"plain": image, "dark": image / 2}
    >>> with explore(lambda images: images.mean((2, 3)), pair, method=wcam) as explorer:
    ...     explorer.wait().complete, len(explorer.attributions)
    (True, 2)
    """
    if any(is_several(given) for given in (model, image, method)):
        return replace_earlier(ComparisonExplorer(model, image, target, method, class_names, layers))
    alone: dict[str, Any] = {"model": model, "image": image, "target": target, "method": method}
    return replace_earlier(Explorer(**alone, class_names=class_names, layers=layers))
