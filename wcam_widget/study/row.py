"""What a study keeps of an image."""

from __future__ import annotations

from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]
"""Numbers, words and flat maps by the names of their columns; plain values that every process can send."""

DONE, FAILED, UNCHANGED = "done", "failed", "unchanged"
"""What became of an image: measured, not measured, or measured before."""
