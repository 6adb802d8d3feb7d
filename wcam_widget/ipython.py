"""The IPython that runs this, where there is one."""

from __future__ import annotations

import sys
from typing import Any


def running_shell() -> Any:
    """The shell that runs cells; None where IPython was never imported, which nothing here does."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()
