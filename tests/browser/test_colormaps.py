"""The table that the front end's colour maps are tested against is matplotlib's."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

TABLE = Path(__file__).parents[2] / "js" / "tests" / "picture" / "matplotlib_maps.json"


@pytest.mark.parametrize("name", ["cividis", "viridis"])
def test_the_recorded_table_is_matplotlibs(name: str) -> None:
    recorded = np.array(json.loads(TABLE.read_text(encoding="utf-8"))[name]).reshape(256, 3)
    assert np.array_equal(recorded, np.rint(mpl.colormaps[name](np.arange(256))[:, :3] * 255))
