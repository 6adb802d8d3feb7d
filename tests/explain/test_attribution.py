"""Attributions as values and as files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from wcam_widget import Attribution, BlackBox, Derivative, Sobol, Wcam


@pytest.fixture(
    scope="module",
    params=[Wcam(Derivative(rows=4)), Wcam(Sobol(rows=2), "db2", 2, 3), Wcam(wavelet="pixels")],
    ids=str,
)
def attribution(request: pytest.FixtureRequest, tiny: nn.Module, image: torch.Tensor) -> Attribution:
    return request.param(BlackBox(tiny, class_names=["ant", "bee", "cat", "dog", "eel"]), image[None])[0]


def test_views_agree(attribution: Attribution) -> None:
    assert attribution.spatial().sum() == pytest.approx(attribution.values.sum())
    assert attribution.spatial().shape == (64, 64)
    assert attribution.packed().max() == attribution.values.max()
    profile = attribution.profile()
    assert profile.names == tuple(band.name for band in attribution.cells.bands)
    assert (profile.low <= profile.total).all()


def test_what_is_saved_is_loaded(attribution: Attribution, tmp_path: Path) -> None:
    path = attribution.save(tmp_path / "map")
    assert path == tmp_path / "map.npz"
    again = Attribution.load(path)
    for name in ("values", "low", "high", "kind", "slope"):
        np.testing.assert_array_equal(getattr(again, name), getattr(attribution, name))
    same = ("method", "target", "score", "planned", "seconds", "complete", "stop", "unit", "basis", "engine")
    for name in same:
        assert getattr(again, name) == getattr(attribution, name)
    np.testing.assert_array_equal(again.profile().shapley, attribution.profile().shapley)
    np.testing.assert_array_equal(again.spatial(), attribution.spatial())
    assert [found.name for found in tmp_path.iterdir()] == ["map.npz"]


def test_a_failed_save_leaves_nothing(
    model: BlackBox, image: torch.Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (attribution,) = Wcam(Derivative(rows=2))(model, image[None])
    before = attribution.save(tmp_path / "map.npz").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="no space left"):
        attribution.save(tmp_path / "map.npz")
    assert [found.name for found in tmp_path.iterdir()] == ["map.npz"]
    assert (tmp_path / "map.npz").read_bytes() == before


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    (attribution,) = Wcam(Sobol(rows=2), levels=1, grid=2)(lambda x: x.mean((2, 3)), torch.rand(1, 3, 8, 8))
    return attribution.save(tmp_path_factory.mktemp("saved") / "map").read_bytes()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 1), flip=st.integers(1, 255))
def test_damaged_files_are_refused_by_name(saved: bytes, tmp_path: Path, cut: float, flip: int) -> None:
    path = tmp_path / "damaged.npz"
    path.write_bytes(saved[: int(cut * (len(saved) - 1))])
    with pytest.raises(ValueError, match=r"path='.*damaged\.npz' is not a complete attribution file"):
        Attribution.load(path)
    place = int(cut * (len(saved) - 1))
    path.write_bytes(saved[:place] + bytes([saved[place] ^ flip]) + saved[place + 1 :])
    try:
        assert isinstance(
            Attribution.load(path), Attribution
        )  # a byte that carries nothing, such as a time stamp
    except ValueError as error:
        assert "damaged.npz" in str(error)  # noqa: PT017 both outcomes are right


def test_files_that_claim_other_things_are_refused(saved: bytes, tmp_path: Path) -> None:
    original = tmp_path / "original.npz"
    original.write_bytes(saved)
    with np.load(original) as stored:
        arrays = dict(stored)
    about = json.loads(str(arrays["about"]))

    def rewritten(**changes: object) -> Path:
        np.savez(tmp_path / "changed.npz", **(arrays | changes))
        return tmp_path / "changed.npz"

    for changes, message in [
        (
            {"about": np.array(json.dumps(about | {"version": 2}))},
            "written by a newer version; please upgrade",
        ),
        ({"value": arrays["value"][:-1]}, "value has shape"),
        ({"kind": arrays["kind"].astype(float)}, r"kind has shape .* type float64"),
        ({"cells": arrays["cells"][:-1]}, "every coefficient"),
        ({"cells": arrays["cells"] + 1}, r"bands outside|leaves its band|not a complete"),
        ({"about": np.array("{}")}, r"not a complete attribution file: 'version'"),
        (
            {"about": np.array(json.dumps(about | {"basis": {"basis": "magic", "size": [8, 8]}}))},
            r"basis='magic' is unknown",
        ),
        ({"value": np.array([object()])}, "not a complete attribution file"),
    ]:
        with pytest.raises(ValueError, match=message):
            Attribution.load(rewritten(**changes))
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as other:
        other.writestr("hello.txt", "hello")
    with pytest.raises(ValueError, match=r"other\.npz"):
        Attribution.load(tmp_path / "other.npz")
    with pytest.raises(FileNotFoundError, match=r"absent\.npz"):
        Attribution.load(tmp_path / "absent.npz")


def test_xarray_has_every_cell_with_its_place(attribution: Attribution) -> None:
    table = attribution.to_xarray()
    assert dict(table.sizes) == {"cell": len(attribution.cells)}
    np.testing.assert_array_equal(table["value"], attribution.values)
    np.testing.assert_array_equal(
        np.stack([table[side] for side in ("top", "left", "bottom", "right")], 1), attribution.cells.support
    )


def test_an_attribution_says_in_a_line_what_it_is(attribution: Attribution) -> None:
    line = repr(attribution)
    assert "\n" not in line
    assert line.startswith(f"<Attribution of {attribution.target} = ")
    assert attribution.method in line
    assert f"{len(attribution.values)} cells" in line
