"""`load_photos`: what is bundled, that it is what the script draws, and how it is asked for."""

import re
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest

from tools.photographs import draw
from wcam_widget import load_photos
from wcam_widget.demo.photographs import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_photograph_is_that_of_scikit_image_in_colour_and_small(name):
    photo, drawn = load_photos()[name], draw(name).convert("RGB")
    assert (photo.mode, photo.size) == ("RGB", drawn.size)
    assert max(photo.size) <= 512
    difference = np.asarray(photo, float) - np.asarray(drawn, float)
    assert np.abs(difference).mean() < 3  # levels of 255 that JPEG costs
    assert len(files("wcam_widget.demo").joinpath(f"photographs/{name}.jpg").read_bytes()) < 100_000


def test_photographs_are_a_mapping_that_nobody_can_spoil():
    photos = load_photos()
    assert list(photos) == list(NAMES)
    assert "cat" in photos
    photos["cat"].paste((0, 0, 0), (0, 0, 100, 100))
    assert np.asarray(photos["cat"])[:100, :100].mean() > 50
    with pytest.raises(TypeError):
        photos["cat"] = photos["coffee"]


def test_an_unknown_name_is_answered_with_those_there_are():
    message = "name: found 'Cat'; did you mean 'cat'? accepted are 'astronaut', 'cameraman'"
    with pytest.raises(KeyError, match=re.escape(message)):
        load_photos()["Cat"]


def test_the_data_card_names_every_file_and_licence():
    card = files("wcam_widget.demo").joinpath("PHOTOGRAPHS.md").read_text(encoding="utf-8")
    for word in (*(f"{name}.jpg" for name in NAMES), "CC0", "public domain", "scikit-image"):
        assert word in card


def test_loading_them_needs_no_scikit_image():
    code = "import sys; sys.modules['skimage'] = None; import wcam_widget; wcam_widget.load_photos()['cat']"
    subprocess.run([sys.executable, "-c", code], check=True)
