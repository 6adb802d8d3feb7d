"""What explore refuses, by name and with no widget left behind."""

import pytest
import torch
from ipywidgets.widgets.widget import _instances

from wcam_widget.explain import Wcam
from wcam_widget.sensitivity import Sobol
from wcam_widget.show.explorer.explore import explore


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"image": torch.rand(16, 16)}, ValueError, r"image: found shape \(16, 16\)"),
        ({"image": "cat.png"}, FileNotFoundError, r"cat\.png"),
        ({"image": 3}, TypeError, "image: found builtins.int"),
        ({"target": 3}, ValueError, "target: .*class id 3"),
        ({"target": "blue"}, ValueError, "target: 'blue' is a class name, but the model has none"),
        ({"class_names": ("a",)}, ValueError, "class_names: found 1 names"),
        ({"class_names": ("a", "b", 3)}, TypeError, "class_names: "),
        ({"model": 3}, TypeError, "model: found int; accepted are a BlackBox"),
        ({"method": Sobol()}, TypeError, "method: found Sobol; accepted are None and a method, such as Wcam"),
        ({"layers": 3}, TypeError, "layers: found int; accepted is a method, an Attribution, a list"),
        ({"layers": [Wcam(), "GradCam"]}, TypeError, r"layers\[1\]: found str; accepted is a method"),
        ({"layers": {"": Wcam()}}, TypeError, r"layers: found names \[''\]; accepted are texts"),
        ({"layers": [Wcam()] * 17}, ValueError, "layers: found 17; accepted are at most 16"),
        ({"method": Wcam(levels=9)}, ValueError, "levels=9 does not fit an image of 16x16"),
    ],
)
def test_bad_arguments_are_named_and_leave_no_widget(arguments, error, message, gate, image, request):
    request.getfixturevalue("without_front_end_code")
    before = set(_instances)
    with pytest.raises(error, match=message):
        explore(**({"model": gate, "image": image, "method": Wcam(levels=2, grid=2)} | arguments))
    assert set(_instances) == before


@pytest.mark.parametrize("size", [(2048, 2048), (1024, 4096)])
def test_an_image_of_too_many_pixels_is_refused_before_the_model_sees_it(gate, size, without_front_end_code):
    image = torch.zeros(3, *size)
    for images, name in [(image, "image"), ({"small": torch.rand(3, 16, 16), "large": image}, r"image\[1\]")]:
        found = f"{name}: found {size[0]}x{size[1]} pixels; accepted are at most 2,097,152, as 1448x1448 has"
        with pytest.raises(ValueError, match=f"{found}.*: make the image smaller"):
            explore(gate, images, method=Wcam(levels=2, grid=2))


def test_an_image_too_large_for_a_page_is_refused(gate, without_front_end_code, monkeypatch):
    monkeypatch.setattr("wcam_widget.show.explorer.explorer.LARGEST_PICTURE", 2**20)
    with pytest.raises(
        ValueError,
        match=r"image: 300x300 pixels in 640 cells make .* 1 MiB, .*: make the image smaller or the grid",
    ):
        explore(gate, torch.rand(3, 300, 300))
