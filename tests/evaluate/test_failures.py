"""What flips under corruption: counted by hand, whatever the parts, with errors that name the argument."""

import re
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from wcam_widget import BlackBox, corrupt, failures, load_demo
from wcam_widget.evaluate import failures as measured
from wcam_widget.evaluate.failures import PART
from wcam_widget.sensitivity.statistics.proportions import wilson


def brightness_net(images):
    """Class 0 where an image is dark, 1 where it is bright."""
    mean = images.mean((1, 2, 3))
    return torch.stack([0.5 - mean, mean - 0.5], 1)


def greys(*values):
    return torch.stack([torch.full((3, 16, 16), value) for value in values])


def test_flips_are_those_of_a_threshold():
    # brightness adds 0.1, 0.3 and 0.5 to a grey image.
    result = failures(brightness_net, greys(0.05, 0.3, 0.45, 0.9), None, ["brightness"], (1, 3, 5))
    assert result.clean.tolist() == [0, 0, 0, 1]
    assert result.answers[:, 0].tolist() == [[0, 0, 1], [0, 1, 1], [1, 1, 1], [1, 1, 1]]
    np.testing.assert_allclose(result.accuracy, [[0.75, 0.5, 0.25]])
    assert [(flip.image, flip.severity) for flip in result.flips] == [
        (0, 5), (1, 3), (1, 5), (2, 1), (2, 3), (2, 5),
    ]  # fmt: skip
    assert result.flips[0].before == 0
    assert result.flips[0].after == 1
    assert result.flips[0].confidence < 0.5


def test_labels_decide_where_they_are_given():
    result = failures(brightness_net, greys(0.3, 0.3, 0.9), [0, 1, 1], ["brightness"], [5])
    assert result.clean_accuracy == pytest.approx(2 / 3)
    np.testing.assert_allclose(result.accuracy, [[2 / 3]])
    # The second was wrong when clean: it has not flipped, though its answer changed.
    assert [flip.image for flip in result.flips] == [0]


def test_the_table_has_wilson_limits():
    table = failures(brightness_net, greys(0.3, 0.3, 0.9), None, ["brightness", "contrast"], [1, 5]).table()
    assert isinstance(table, pd.DataFrame)
    assert len(table) == 4
    assert table["accuracy"].between(table["low"], table["high"]).all()
    assert table["images"].eq(3).all()
    low, high = wilson(table["right"].to_numpy(), 3)
    np.testing.assert_allclose(table["low"], low)
    np.testing.assert_allclose(table["high"], high)


def test_wilson_limits_hold_the_proportion_as_often_as_they_say():
    rng = np.random.default_rng(0)
    for share in (0.05, 0.5):
        low, high = wilson(rng.binomial(40, share, 4000), 40)
        assert 0.93 < ((low <= share) & (share <= high)).mean() < 0.985


def test_parts_do_not_matter(monkeypatch):
    images = torch.rand(5, 3, 16, 16)
    together = failures(brightness_net, images, None, ["gaussian_noise"], [5], seed=2)
    monkeypatch.setattr(sys.modules["wcam_widget.evaluate.failures"], "PART", 2)
    apart = failures(brightness_net, images, None, ["gaussian_noise"], [5], seed=2)
    np.testing.assert_allclose(together.confidence, apart.confidence, atol=1e-6)


def test_a_flip_is_made_again():
    images = greys(0.45, 0.4)
    result = failures(brightness_net, images, None, ["brightness"], [3], seed=4)
    again = result.corrupted(images, result.flips[1])
    torch.testing.assert_close(again, corrupt(images, "brightness", 3, seed=4)[1])


def test_paths_and_photographs_are_read_when_their_turn_comes(tmp_path):
    paths = []
    for number, value in enumerate((30, 200)):
        paths.append(tmp_path / f"{number}.png")
        Image.new("RGB", (20, 20), (value,) * 3).save(paths[-1])
    result = failures(BlackBox(brightness_net), paths, None, ["brightness"], [5])
    assert result.clean.tolist() == [0, 1]


def test_images_of_any_size_and_of_streams_are_taken():
    sizes = [
        torch.full((3, side, 16), value) for side, value in ((16, 0.3), (24, 0.3), (16, 0.45), (16, 0.9))
    ]
    result = failures(brightness_net, sizes, [0, 0, 0, 1], ["brightness"], [3])
    assert result.answers[:, 0, 0].tolist() == [1, 1, 1, 1]
    streamed = failures(brightness_net, (image for image in sizes), None, ["brightness"], [3])
    np.testing.assert_allclose(streamed.confidence, result.confidence)
    with pytest.raises(ValueError, match="labels: found 4 for a stream of images; accepted is one for all"):
        failures(brightness_net, iter(sizes), [0, 0, 0, 1], ["brightness"], [3])


def test_numbers_in_errors_are_those_of_the_caller():
    images = [torch.rand(3, 16, 16)] * (PART + 2)
    images[PART + 1] = torch.rand(2, 16, 16)
    with pytest.raises(ValueError, match=rf"images\[{PART + 1}\]: found 2 channels"):
        failures(brightness_net, images, None, ["brightness"], [1])


def test_progress_counts_corrupted_images(capsys):
    failures(brightness_net, greys(0.3, 0.9), None, ["brightness"], [1, 3, 5], progress=True)
    bar = capsys.readouterr().err
    assert "6/6" in bar
    assert "images/s" in bar
    failures(brightness_net, greys(0.3, 0.9), None, ["brightness"], [1])
    assert not capsys.readouterr().err


def test_an_interrupt_keeps_the_parts_that_are_done():
    def net(images):
        if len(images) == 3:
            raise KeyboardInterrupt
        return brightness_net(images)

    with pytest.warns(UserWarning, match=f"interrupted: {PART} of {PART + 3} images"):
        result = failures(net, torch.rand(PART + 3, 3, 16, 16), None, ["brightness"], [1])
    assert len(result.clean) == PART


def test_class_names_are_labels_and_words():
    model, images, labels, class_names = load_demo()
    names = [class_names[label] for label in labels[:3].tolist()]
    result = failures(model, images[:3], names, ["contrast"], [5])
    assert result.labels.tolist() == labels[:3].tolist()
    assert "3 images, " in result.summary()
    assert result.name(0) == class_names[0]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"corruptions": ["fog", "mist"]}, ValueError, "corruptions[1]: found 'mist'; accepted are"),
        ({"corruptions": "fog"}, TypeError, "corruptions: found 'fog'; accepted is a sequence"),
        ({"corruptions": []}, ValueError, "corruptions: found none; accepted is at least one"),
        ({"severities": [1, 7]}, ValueError, "severities[1]: found 7; accepted are the integers 1 to 5"),
        ({"labels": [0]}, ValueError, "labels: found 1 for 2 images; accepted is one for each image"),
        ({"labels": [0, 9]}, ValueError, "labels[1]: class id 9 is out of range; net has classes 0 to 1"),
        ({"labels": ["a", "b"]}, ValueError, "labels[0]: 'a' is a class name, but the model has none"),
        ({"images": []}, ValueError, "images: found none; accepted is at least one image"),
        ({"images": torch.rand(2, 3, 8, 8)}, ValueError, "images: found 8x8 pixels"),
        ({"seed": -1}, ValueError, "seed: found -1"),
    ],
)
def test_errors_name_the_argument(changes, error, message, unchecked):
    arguments = {"model": brightness_net, "images": greys(0.2, 0.8), "corruptions": ["fog"]} | changes
    with pytest.raises(error, match=re.escape(message)):
        measured(**arguments)
