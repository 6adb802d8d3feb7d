"""How far a run is."""

from typing import Literal

State = Literal["waiting", "running", "done", "cancelled", "error"]
