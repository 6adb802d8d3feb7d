"""Attribution files that nobody should trust: their sizes are known before anything of that size is made."""

import json
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from wcam_widget import Attribution, Sobol, Wcam
from wcam_widget.basis import Cells, FourierBasis, PacketBasis, WaveletBasis

MOST = 40 << 20  # bytes that reading a small file may take


@pytest.fixture(scope="module")
def attribution():
    method = Wcam(Sobol(rows=2), levels=1, grid=2)
    return method(lambda images: images.mean((2, 3)), torch.rand(1, 3, 8, 8))[0]


@pytest.fixture
def arrays(attribution, tmp_path):
    with np.load(attribution.save(tmp_path / "good.npz")) as stored:
        return dict(stored)


def about(arrays, **changes):
    return np.array(json.dumps(json.loads(str(arrays["about"])) | changes))


def peak_of_reading(path, message=None):
    """Bytes that reading takes at most."""
    tracemalloc.start()
    try:
        if message is None:
            Attribution.load(path)
        else:
            with pytest.raises(ValueError, match=message):
                Attribution.load(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def widened(arrays, cells, bands):
    """The arrays of another number of cells and bands, all zero but for the cells."""
    d = len(cells)
    wide = {name: np.zeros(d, array.dtype) for name, array in arrays.items() if array.shape == (16,)}
    wide |= {name: np.zeros(bands) for name, array in arrays.items() if array.shape == (4,)}
    return (
        arrays
        | wide
        | {"cells": cells.rectangles, "left_out": np.zeros((0, d)), "band_left_out": np.zeros((0, bands))}
    )


def test_a_large_image_costs_only_its_cells(arrays, tmp_path):
    basis = WaveletBasis((4096, 4096), levels=1)
    wide = widened(arrays, Cells.regular(basis, 2), len(basis.bands))
    np.savez_compressed(tmp_path / "large.npz", **wide | {"about": about(arrays, basis=basis.settings())})
    assert (tmp_path / "large.npz").stat().st_size < 5000
    assert peak_of_reading(tmp_path / "large.npz") < MOST
    assert Attribution.load(tmp_path / "large.npz").basis == basis


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"basis": FourierBasis((64, 64)).settings() | {"size": [8192, 8192]}}, "at most 1048576 pixels"),
        ({"basis": PacketBasis((64, 64)).settings() | {"size": [4096, 4096], "levels": 12}}, "at most 7"),
        (
            {"basis": WaveletBasis((64, 64)).settings() | {"size": [32768, 32768]}},
            "exactly once|leaves its band",
        ),
        ({"basis": WaveletBasis((64, 64)).settings() | {"size": [10**9, 8]}}, "two sides from 1 to 32768"),
    ],
)
def test_a_basis_that_its_cells_do_not_fill_is_refused_before_it_is_made(arrays, tmp_path, changes, message):
    np.savez_compressed(tmp_path / "basis.npz", **arrays | {"about": about(arrays, **changes)})
    assert peak_of_reading(tmp_path / "basis.npz", message) < MOST


@pytest.mark.parametrize(
    "name", ["left_out", "band_left_out", "value", "cells", "about", "band_superset", "more"]
)
def test_compressed_zeros_are_refused_before_they_are_unpacked(arrays, tmp_path, name):
    zeros = {
        "left_out": np.zeros((500_000, 16)),
        "band_left_out": np.zeros((2_000_000, 4)),
        "cells": np.zeros((1_600_000, 5), np.int64),
        "about": np.array("x" * 16_000_000),
        "band_superset": np.zeros((2_000, 4_000)),
    }.get(name, np.zeros(8_000_000))
    np.savez_compressed(tmp_path / "zeros.npz", **arrays | {name: zeros})
    assert (tmp_path / "zeros.npz").stat().st_size < 100_000
    assert (
        peak_of_reading(tmp_path / "zeros.npz", r"zeros\.npz.*(would unpack to|is not there|has shape)")
        < MOST
    )


def rewritten(path, name, data):
    """The file with the bytes of one member replaced."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(path.with_name("new.npz"), "w") as new:
        for member in old.infolist():
            new.writestr(member.filename, data if member.filename == name else old.read(member))
    return path.with_name("new.npz")


@pytest.mark.parametrize(
    "shape", ["(1000000000000, 16)", "(-1, 16)", "(2, 16.0)", "(2,)", "(2, 16, 10**9)", "()"]
)
def test_a_header_that_claims_more_than_there_is_is_refused(arrays, tmp_path, shape):
    np.savez(tmp_path / "good.npz", **arrays)
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    data = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()
    path = rewritten(tmp_path / "good.npz", "left_out.npy", data)
    assert peak_of_reading(path, r"new\.npz") < MOST


@pytest.mark.parametrize(
    "cells",
    [
        np.array([[0, 2**62, 0, 2**62, 4]]),
        np.array([[0, 0, 0, -4, -4]]),
        np.array([[0, 0, 0, 4, 4]] * 4),
        np.array([[2**62, 0, 0, 4, 4]]),
        np.zeros((0, 5), np.int64),
    ],
)
def test_cells_that_are_no_partition_are_refused(arrays, tmp_path, cells):
    np.savez(tmp_path / "cells.npz", **arrays | {"cells": cells})
    with pytest.raises(ValueError, match=r"cells\.npz"):
        Attribution.load(tmp_path / "cells.npz")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"version": 1e999}', '{"version": ' + "9" * 5000 + "}", "null", "[]"]
)
def test_a_description_that_is_none_is_refused(arrays, tmp_path, text):
    np.savez(tmp_path / "about.npz", **arrays | {"about": np.array(text)})
    with pytest.raises(ValueError, match=r"about\.npz"):
        Attribution.load(tmp_path / "about.npz")


def test_many_threads_save_to_one_path(attribution, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: attribution.save(tmp_path / "map.npz"), range(120)))
    assert [file.name for file in tmp_path.iterdir()] == ["map.npz"]
    np.testing.assert_array_equal(Attribution.load(tmp_path / "map.npz").values, attribution.values)
