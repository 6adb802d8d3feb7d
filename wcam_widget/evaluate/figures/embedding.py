"""Images by their profiles over scales, in a figure."""

from __future__ import annotations

from jaxtyping import Float
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from torch import Tensor
from torch.nn.functional import interpolate

from wcam_widget.evaluate.embedding import Embedding
from wcam_widget.evaluate.figures.axes import without_frame
from wcam_widget.figure import NotebookFigure

_SIDE = 40  # pixels of a small image


def draw_embedding(embedding: Embedding, images: Float[Tensor, "n c h w"] | None) -> NotebookFigure:
    """Small images, or numbers, at their points; both axes have one scale, so that distances are true."""
    figure = NotebookFigure(figsize=(6.0, 5.4), layout="constrained")
    axes = figure.subplots()
    axes.set_label("scale embedding")
    axes.scatter(embedding.points[:, 0], embedding.points[:, 1], s=12, color="#4b6a94")
    small = (
        None if images is None else interpolate(images.detach().cpu().float(), (_SIDE, _SIDE), mode="area")
    )
    for number, point in enumerate(embedding.points.tolist()):
        if small is None:
            axes.annotate(str(number), point, xytext=(4, 4), textcoords="offset points", fontsize="small")
        else:
            pixels = small[number].expand(3, -1, -1).permute(1, 2, 0).clamp(0.0, 1.0).numpy()
            axes.add_artist(AnnotationBbox(OffsetImage(pixels), tuple(point), pad=0.1))
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.15)
    axes.set_title("Images by their profiles over scales", fontsize="medium")
    axes.set_xlabel(
        "A distance is the share of importance that lies on other scales;\n"
        f"the plane shows {embedding.share:.0%} of the squared distances",
        fontsize="small",
    )
    without_frame(axes)
    return figure
