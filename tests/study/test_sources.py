"""What a study takes as data and labels, and what it says of bad input."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.study.toys import NAMES, PROFILE, network
from wcam_widget import GradCam, Sobol, Study, Wcam, corrupt, zoom
from wcam_widget.study import TASKS, StudyWarning, Task


def test_photographs_of_every_kind_are_measured(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 16, 3), np.uint8))
    colours.convert("CMYK").save(folder / "cmyk.jpg")
    colours.convert("P").save(folder / "palette.png")
    colours.convert("RGBA").save(folder / "alpha.png")
    Image.new("RGBA", (8, 8), (9, 9, 9, 99)).save(folder / "clear.png")
    Image.fromarray(np.full((8, 12), 30000, np.uint16)).save(folder / "deep.png")
    colours.save(folder / "moving.gif", save_all=True, append_images=[colours.rotate(90)])
    exif = Image.Exif()
    exif[0x0112] = 6
    colours.save(folder / "turned.jpg", exif=exif)
    (folder / "notes.txt").write_text("no image")
    (folder / ".hidden.png").write_text("no image")
    shapes = {}

    def sides(model, image, label):
        return {"height": image.shape[1], "width": image.shape[2]}

    with warnings.catch_warnings():
        warnings.simplefilter("error", StudyWarning)
        table = Study(network(), folder, sides, tmp_path / "out").run().table().set_index("name")
    shapes = {name: (row["sides.height"], row["sides.width"]) for name, row in table.iterrows()}
    assert len(table) == 7
    assert (shapes["turned.jpg"], shapes["cmyk.jpg"], shapes["deep.png"]) == ((16, 24), (24, 16), (8, 12))
    assert "2 frames; the first is read" in table.loc["moving.gif", "notes"]
    assert "laid over #ffffff" in table.loc["clear.png", "notes"]


class Dataset(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, place):
        if place == 3:
            raise OSError("the archive is cut")
        return torch.full((3, 8, 8), place / 4), torch.tensor(place)


class Hub:
    """What a data set of Hugging Face looks like from here."""

    def __len__(self):
        return 3

    def __getitem__(self, place):
        return {"image": Image.new("RGB", (8, 8), NAMES[place]), "label": place}


@pytest.mark.filterwarnings("ignore::wcam_widget.study.store.StudyWarning")
def test_data_sets_and_lists_bring_their_labels(tmp_path):
    ask = "prediction"
    dataset = Study(network(), Dataset(), ask, tmp_path / "a").run().table()
    assert list(dataset["label"][:3]) == [0, 1, 2]
    assert list(dataset["status"]) == ["done"] * 3 + ["failed"]
    assert "the archive is cut" in dataset["error"][3]
    assert Study(network(), Hub(), ask, tmp_path / "b").run().table()["prediction.correct"].all()
    pairs = [(np.zeros((3, 8, 8)), "blue"), (np.ones((9, 9, 3), np.uint8), 7)]
    table = Study(network(), pairs, ask, tmp_path / "c").run().table()
    assert list(table["status"]) == ["done", "failed"]
    assert table["error"][1] == "labels: class id 7 is out of range; net has classes 0 to 2"


def test_labels_come_by_name_path_or_folder_and_in_order(photos, tmp_path):
    by_name = {"000.png": "blue", "green": 1}
    table = Study(network(), photos, "prediction", tmp_path / "a", labels=by_name).run().table()
    labels = dict(zip(table["name"], table["label"], strict=True))
    assert (labels["red/000.png"], labels["green/001.png"]) == (2, 1)
    assert np.isnan(labels["red/003.png"])
    files = [photos / "red" / "000.png", photos / "red" / "000.png"]
    twice = Study(network(), files, "prediction", tmp_path / "b", labels=torch.tensor([0, 1])).run().table()
    assert len(set(twice["name"])) == 2
    assert sorted(twice["label"]) == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": 3}, "data: found int; accepted is a folder"),
        ({"data": "nowhere"}, "data: 'nowhere' is not a folder"),
        ({"data": []}, "data: found no images"),
        ({"data": torch.rand(3, 8, 8)}, r"data: found shape \(3, 8, 8\)"),
        ({"labels": [1]}, "labels: found 1 for 2 images"),
        ({"labels": 3}, "labels: found int"),
        ({"ask": "sobol"}, "ask: 'sobol' is not valid; accepted are "),
        ({"ask": ()}, r"ask: found \[\]"),
        ({"ask": ("prediction", "prediction")}, "each once"),
        ({"ask": {"profile": {"row": 3}}}, "ask: profile does not take 'row'; its options are: method"),
        ({"ask": {"corruptions": {"severities": [1, 7]}}}, r"ask: corruptions: severities\[1\]: found 7"),
        ({"ask": {"corruptions": {"names": ["mist"]}}}, r"names\[0\]: found 'mist'; accepted are gaussian_n"),
        ({"ask": {"zoom": {"factors": [0.5]}}}, "ask: zoom: factors: found 0.5; accepted are numbers of at"),
        ({"ask": {"zoom": {"method": GradCam()}}}, "ask: zoom: method: found GradCam; accepted are None and"),
        ({"executor": "dask"}, "executor: 'dask' is not valid; accepted are 'serial', 'ray'"),
        ({"model": 3}, "model: found int"),
    ],
)
def test_bad_arguments_are_named(tmp_path, arguments, message):
    given = {"model": network(), "data": torch.rand(2, 3, 8, 8), "out": tmp_path / "out"} | arguments
    with pytest.raises((ValueError, TypeError), match=message):
        Study(**given)
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "photos" / "red").mkdir(parents=True)
    (tmp_path / "photos" / "red" / "notes.txt").write_text("no image")
    with pytest.raises(ValueError, match="holds no image files"):
        Study(network(), tmp_path / "photos", out=tmp_path / "out")


def test_what_cannot_be_opened_is_recorded_and_not_left_out(photos, tmp_path):
    (photos / "gone.png").symlink_to(photos / "nowhere.png")
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "folder.png").mkdir()
    with pytest.warns(StudyWarning, match="2 of 8 images failed"):
        study = Study(network(), photos, "prediction", tmp_path / "out").run()
    errors = dict(study.failures().itertuples(index=False))
    assert sorted(errors) == ["empty.jpg", "gone.png"]
    assert "No such file" in errors["gone.png"]


@pytest.mark.filterwarnings("ignore::wcam_widget.study.store.StudyWarning")
def test_labels_that_no_class_has_are_said_image_by_image(tmp_path):
    images = torch.rand(3, 3, 8, 8)
    table = Study(network(), images, "prediction", tmp_path, labels=["red", "purple", -1]).run().table()
    assert list(table["status"]) == ["done", "failed", "failed"]
    assert table["error"][1].startswith("labels: 'purple' ")
    assert table["error"][2].startswith("labels: class id -1 ")


def test_corruptions_tell_where_a_model_fails_and_do_not_depend_on_the_other_images(tmp_path):
    images = torch.rand(3, 3, 16, 16)
    ask = {"corruptions": {"names": ["gaussian_noise", "fog"], "severities": [1, 5]}}
    table = Study(network(), images, ask, tmp_path / "a", labels=[2, 2, 0]).run().table()
    assert list(table["corruptions.fog.5.correct"]) == [True, True, False]
    last = Study(network(), images[2:], ask, tmp_path / "b", labels=[0]).run().table()
    column = "corruptions.gaussian_noise.1.probability"
    assert table[column][2] == last[column][0]


def test_corruptions_tell_how_the_scales_change_that_the_clean_answer_rests_on(tmp_path):
    images, method = torch.rand(2, 3, 16, 16), PROFILE["profile"]["method"]
    ask = {"corruptions": {"names": ["brightness"], "severities": [1, 5], "method": method}}
    table = Study(network(), images, ask, tmp_path).run().table()
    changes = table.filter(like="corruptions.brightness.5.change.scale.")
    assert len(changes.columns) == 2
    np.testing.assert_allclose(changes.sum(axis=1), 0, atol=1e-6)
    model, clean = network(), int(network().logits(images[:1]).argmax())
    bright = corrupt(images[:1], "brightness", 5)[0]
    before, after = (method.last(model, one, clean).profile().shapley[0] for one in (images[0], bright))
    assert changes["corruptions.brightness.5.change.scale.A"][0] == pytest.approx(after - before)


def test_zooming_takes_photographs_as_they_are_stored(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (128, 160, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "blue.png")
    model = network()
    model.input_size = (28, 28)
    sides = Task("sides", lambda model, image, label: {"width": image.shape[2]})
    method = Wcam(Sobol(rows=2), levels=1, grid=2)
    zooming = TASKS["zoom"].with_options({"method": method, "factors": [1, 2, 1.5]})
    study = Study(model, folder, [sides, zooming], tmp_path / "out", labels=[2]).run()
    (row,) = study.table().to_dict("records")
    assert row["sides.width"] == 28
    assert row["zoom.resolution"] == pytest.approx(2.0)
    alone = zoom(model, folder / "blue.png", factors=[1.5, 2], method=method, targets=2)
    np.testing.assert_allclose(
        [row[f"zoom.{step}.1.5"] for step in ("gain", "background", "larger", "detail")], alone.steps(1)[0]
    )
    assert row["zoom.zoomed.2"] == alone.rows[0].scores[2, 0]
    assert row["zoom.correct.2"] == bool(alone.rows[0].right[2, 0])
    levels = alone.rows[0].levels[2.0, "enlarged"]
    shares = [row[f"zoom.scale_enlarged.{level}.2"] for level in ("A", 2, 1)]
    np.testing.assert_allclose(shares, levels.groups.shapley)
    assert row["zoom.finer.2"] == row["zoom.scale.1.2"]
    assert study.plot("zoom.gain").axes
    with pytest.raises(ValueError, match=r"out: another study .*\(ask zoom factors: "):
        Study(model, folder, [sides, "zoom"], tmp_path / "out")


def test_a_task_says_whether_it_takes_photographs_as_they_are_stored():
    one = Task("sides", len)
    assert one.words() != replace(one, fitted=False).words()
