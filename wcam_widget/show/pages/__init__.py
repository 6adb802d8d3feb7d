"""Saved pages and still pictures: an explorer without a kernel."""

from wcam_widget.show.pages.export import export_notebook, notebook_report
from wcam_widget.show.pages.exporter import write_report

__all__ = ["export_notebook", "notebook_report", "write_report"]
