"""Common corruptions of images: noise, blur, weather and digital faults, at five severities."""

from wcam_widget.stress.corruptions.corrupt import CORRUPTIONS, SEVERITIES, corrupt

__all__ = ["CORRUPTIONS", "SEVERITIES", "corrupt"]
