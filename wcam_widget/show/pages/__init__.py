"""Saved pages and still pictures: an explorer without a kernel."""

from wcam_widget.show.pages.exporter import write_report
from wcam_widget.show.pages.notebook import notebook_report

__all__ = ["notebook_report", "write_report"]
