"""Numbers of cells with the places of the cells, as a labelled table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from wcam_widget.basis import Cells

if TYPE_CHECKING:
    import xarray


def cell_table(
    cells: Cells, columns: Mapping[str, np.ndarray], attributes: Mapping[str, str | float]
) -> xarray.Dataset:
    """Numbers (d,) of the cells as a dataset over the dimension ``cell``, with bands and places."""
    import xarray  # noqa: PLC0415 takes a second to import, and only this needs it

    bands = [cells.bands[number] for number in cells.groups]
    places: dict[str, object] = {
        "band": [band.name for band in bands],
        "level": [band.level for band in bands],
        "orientation": [band.orientation for band in bands],
    }
    places |= dict(zip(("top", "left", "bottom", "right"), cells.support.T, strict=True))
    return xarray.Dataset(
        {name: ("cell", column) for name, column in columns.items()},
        coords={name: ("cell", column) for name, column in places.items()},
        attrs=dict(attributes),
    )
