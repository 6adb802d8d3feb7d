"""Studies: what they write, how they go on, and what they say of bad input."""

import errno
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from pyarrow import parquet

from tests.study.toys import NAMES, PROFILE, Channels, network, slowly, write_pictures
from wcam_widget import Sobol, Study, Wcam
from wcam_widget.model import BlackBox
from wcam_widget.study import StudyWarning, read_table, store

ROOT = Path(__file__).parents[2]


def counted(calls):
    def count(model, image, label):
        calls.append(label)
        return {"mean": float(image.mean())}

    return count


def rows_on_disk(folder):
    return Counter(
        name
        for path in folder.glob("rows-*.parquet")
        for name in parquet.read_table(path, columns=["name"])["name"].to_pylist()
    )


def test_a_row_for_each_image_with_the_numbers_of_the_bare_method(photos, tmp_path):
    study = Study(network(), photos, {"prediction": {}, **PROFILE}, tmp_path / "out", maps=True).run()
    table = study.table(maps=True)
    assert list(table["name"]) == sorted(f"{NAMES[place % 3]}/{place:03d}.png" for place in range(6))
    method, model = PROFILE["profile"]["method"], network()
    for _, row in table.iterrows():
        one = method.last(model, model.fit(photos / row["name"]), None)
        assert row["profile.score"] == one.score
        assert row["profile.HL1.shapley"] == one.profile().shapley[one.profile().names.index("HL1")]
        np.testing.assert_allclose(row["profile.map"], one.spatial(), rtol=1e-6)
        assert row["label"] == NAMES.index(row["name"].split("/")[0])
        assert row["prediction.correct"] == (row["prediction.class"] == row["label"])
    assert "profile.map" not in study.table()
    pd.testing.assert_frame_equal(read_table(tmp_path / "out").drop(columns="key"), study.table())


def test_a_rerun_measures_only_what_is_new_or_changed(photos, tmp_path):
    calls = []
    ask = counted(calls)

    def run():
        calls.clear()
        return Study(network(), photos, ask, tmp_path / "out").run()

    assert (len(run().table()), len(calls)) == (6, 6)
    assert (len(run().table()), len(calls)) == (6, 0)
    Image.new("RGB", (16, 16), "red").save(photos / "blue" / "002.png")
    Image.new("RGB", (16, 16), "blue").save(photos / "blue" / "100.png")
    assert (len(run().table()), len(calls)) == (7, 2)


def test_an_interrupt_keeps_what_was_done(photos, tmp_path):
    seen = []

    def third(model, image, label):
        seen.append(label)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return {"mean": 0.0}

    study = Study(network(), photos, third, tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        study.run()
    assert len(study.table()) == 2
    assert len(study.run().table()) == 6
    assert len(seen) == 7


def test_a_killed_run_goes_on_with_every_row_once(tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    write_pictures(photos, 300)
    started = [sys.executable, "-m", "tests.study.toys", photos, out]
    with subprocess.Popen(started, cwd=ROOT, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        while not list(out.glob("rows-*")):
            time.sleep(0.01)
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    before = len(rows_on_disk(out))
    table = Study(network(), photos, slowly, out).run().table()
    assert 0 < before < 300
    assert (len(table), set(table["status"])) == (300, {"done"})
    assert set(rows_on_disk(out).values()) == {1}


def test_many_small_files_become_few(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_MOST_ROWS", 1)
    monkeypatch.setattr(store, "_TIER", 4)
    images = torch.rand(70, 3, 8, 8)
    study = Study(network(), images, "prediction", tmp_path).run()
    assert len(list(tmp_path.glob("rows-*"))) < 10
    assert set(rows_on_disk(tmp_path).values()) == {1}
    assert list(study.table()["name"]) == [f"{place:07d}" for place in range(70)]


def test_a_kill_between_a_merge_and_its_clearing_away_leaves_no_row_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_MOST_ROWS", 1)
    monkeypatch.setattr(store, "_TIER", 4)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    images = torch.rand(4, 3, 8, 8)
    Study(network(), images, "prediction", tmp_path).run()
    monkeypatch.undo()
    assert len(list(tmp_path.glob("rows-*"))) == 5
    table = Study(network(), images, "prediction", tmp_path).table()
    assert len(table) == 4
    assert set(rows_on_disk(tmp_path).values()) == {1}


def other(calls=[]):  # noqa: B006 a function with something it holds
    return BlackBox(Channels(), lambda images: images * 2, NAMES)


def heavier():
    model = network()
    with torch.no_grad():
        model.net.gain += 1
    return model


@pytest.mark.parametrize(
    ("model", "ask", "version", "differs"),
    [
        (heavier, PROFILE, "0.1.0", "model weights: "),
        (other, PROFILE, "0.1.0", "model preprocessing: "),
        (network, {"profile": {"method": Wcam(Sobol(rows=3), levels=1, grid=2)}}, "0.1.0", "Sobol(rows=3"),
        (network, "prediction", "0.1.0", "ask prediction version: nothing there, 1 here"),
        (network, PROFILE, "0.2.0", "version: 0.1.0 there, 0.2.0 here"),
    ],
)
def test_a_store_of_another_study_is_refused(tmp_path, monkeypatch, model, ask, version, differs):
    images = torch.rand(2, 3, 8, 8)
    Study(network(), images, PROFILE, tmp_path).run()
    Study(network(), images, PROFILE, tmp_path)
    monkeypatch.setattr("wcam_widget.study.study.VERSION", version)
    with pytest.raises(ValueError, match="out: another study wrote to") as refused:
        Study(model(), images, ask, tmp_path)
    assert differs in str(refused.value)
    assert len(read_table(tmp_path)) == 2


def test_a_folder_of_other_files_is_refused(photos):
    with pytest.raises(ValueError, match=r"out: .* holds other files"):
        Study(network(), photos, out=photos)


def test_a_full_disk_is_said_and_the_store_stays_readable(tmp_path, monkeypatch):
    images, write = torch.rand(5, 3, 8, 8), parquet.write_table
    monkeypatch.setattr(store, "_MOST_ROWS", 1)

    def full(table, path, **options):
        if len(list(tmp_path.glob("rows-*"))) == 2:
            path.write_bytes(b"PAR1 half of it")
            raise OSError(errno.ENOSPC, "No space left on device")
        write(table, path, **options)

    monkeypatch.setattr(parquet, "write_table", full)
    study = Study(network(), images, "prediction", tmp_path)
    with pytest.raises(OSError, match=r"out: 1 rows could not be written .* the disk is full; those before"):
        study.run()
    monkeypatch.undo()
    assert len(read_table(tmp_path)) == 2
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
    assert len(study.run().table()) == 5


def test_a_damaged_file_is_put_aside_and_its_images_measured_again(tmp_path):
    images = torch.rand(3, 3, 8, 8)
    Study(network(), images, "prediction", tmp_path).run()
    (path,) = tmp_path.glob("rows-*")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.warns(StudyWarning, match="is damaged"):
        study = Study(network(), images, "prediction", tmp_path)
    assert len(study.run().table()) == 3


def dark(images):
    if images.amax() < 0.1:
        raise RuntimeError("too dark")
    return images.mean((2, 3))


def test_failures_are_recorded_and_said_at_the_end_and_tried_again(photos, tmp_path):
    Image.new("RGB", (16, 16)).save(photos / "night.png")
    (photos / "text.jpg").write_text("text")
    cut = (photos / "red" / "000.png").read_bytes()[:100]
    (photos / "cut.png").write_bytes(cut)
    with pytest.warns(StudyWarning, match=r"3 of 9 images failed: 1 x .*failures\(\) lists them"):
        study = Study(BlackBox(dark), photos, "prediction", tmp_path / "out").run()
    failures = study.failures()
    assert list(failures["name"]) == ["cut.png", "night.png", "text.jpg"]
    for error, said in zip(
        failures["error"], ("not an image|truncated", "too dark", "not an image"), strict=True
    ):
        assert pd.Series([error]).str.contains(said).all(), error
    Image.new("RGB", (16, 16), "white").save(photos / "night.png")
    with pytest.warns(StudyWarning, match="2 of 9 images failed"):
        study.run()
    assert len(study.table()) == 9
    assert study.summary().loc["prediction.probability", "count"] == 7


def test_the_summary_and_the_figure_have_the_same_means(tmp_path):
    images = torch.rand(5, 3, 8, 8)
    study = Study(network(), images, {**PROFILE, "prediction": {}}, tmp_path, labels=[0, 1, 2, 2, 2]).run()
    means, table = study.summary(), study.table()
    assert means.loc["prediction.correct", "mean"] == table["prediction.correct"].astype(float).mean()
    assert means.loc["profile.scale.1", "mean"] == pytest.approx(table["profile.scale.1"].mean())
    assert "prediction.class" not in means.index
    shares = means["mean"].filter(regex=r"profile\.scale\.")
    assert shares.sum() == pytest.approx(1)
    (axes,) = study.plot().axes
    np.testing.assert_allclose([bar.get_height() for bar in axes.patches], shares)
    with pytest.raises(ValueError, match="column: 'profil' is not valid; accepted are "):
        study.plot("profil")
