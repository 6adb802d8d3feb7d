"""A figure of matplotlib that a notebook shows when it is the value of a cell."""

import io
from typing import final

from matplotlib.figure import Figure


@final
class NotebookFigure(Figure):
    """A figure that a notebook shows when it is the value of a cell.

    It is made without pyplot, so that nothing global changes and nothing stays open. Without pyplot no
    backend tells IPython how to draw a figure, so it says so itself. Where a backend does, IPython asks that
    instead, and the figure is shown once either way.
    """

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=2 * self.dpi)
        return buffer.getvalue()
