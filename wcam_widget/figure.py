"""A figure of matplotlib that a notebook shows when it is the value of a cell, and that is saved alike."""

import io
import os
from typing import Any, final

import matplotlib as mpl
from matplotlib.figure import Figure

_SAVING: Any = {
    "svg.hashsalt": "wcam_widget",  # else names inside the file are drawn by chance
    "pdf.fonttype": 42,  # letters as TrueType: journals refuse fonts of type 3
    "ps.fonttype": 42,
}
_DATES = {"pdf": "CreationDate", "svg": "Date", "svgz": "Date"}


@final
class NotebookFigure(Figure):
    """A figure that a notebook shows when it is the value of a cell; saved twice, it gives the same bytes.

    It is made without pyplot, so that nothing global changes and nothing stays open. Without pyplot no
    backend tells IPython how to draw a figure, so it says so itself. Where a backend does, IPython asks that
    instead, and the figure is shown once either way.
    """

    def savefig(self, fname: Any, *, transparent: bool | None = None, **kwargs: Any) -> None:
        """Save the figure, as matplotlib does, but without a date and without names drawn by chance.

        Args:
            fname: a path or an open file.
            transparent: as matplotlib takes it.
            **kwargs: likewise.
        """
        suffix = os.path.splitext(os.fspath(fname))[1] if isinstance(fname, str | os.PathLike) else ""  # noqa: PTH122 str paths too
        written = str(kwargs.get("format") or suffix.lstrip(".") or mpl.rcParams["savefig.format"]).lower()
        if written in _DATES:
            kwargs["metadata"] = {_DATES[written]: None, **(kwargs.get("metadata") or {})}
        with mpl.rc_context(_SAVING):
            super().savefig(fname, transparent=transparent, **kwargs)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=2 * self.dpi)
        return buffer.getvalue()
