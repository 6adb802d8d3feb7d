"""The command line: what it writes, prints and exits with."""

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from tests.command_line import QUICK, enter_folder
from tests.show.pages.conftest import saved_states
from wcam_widget.cli import app as cli
from wcam_widget.cli.methods import Name, method_for
from wcam_widget.explain import Attribution, Wcam
from wcam_widget.model import BlackBox
from wcam_widget.sensitivity import Derivative
from wcam_widget.show.frame import decode

MODELS = """
import torch
from wcam_widget.model import BlackBox

def channels():
    return BlackBox(lambda images: images.square().mean((2, 3)), class_names=("red", "green", "<b>blue</b>"))

def sized():
    model = channels()
    model.input_size = (16, 24)
    return model

def squashing():
    model = sized()
    model.framing = lambda photo: torch.stack([torch.full((16, 24), value) for value in (0.2, 0.5, 0.4)])
    return model

def small():
    torch.manual_seed(0)
    conv = torch.nn.Conv2d(3, 4, 3, padding=1)
    pool = torch.nn.AdaptiveAvgPool2d(1)
    return torch.nn.Sequential(conv, torch.nn.ReLU(), pool, torch.nn.Flatten(), torch.nn.Linear(4, 3))

def failing():
    def net(images):
        if images.shape[0] > 1:
            raise RuntimeError("no such kernel")
        return images.mean((2, 3))
    return BlackBox(net)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with models to name and two images, as the working directory."""
    enter_folder(tmp_path, monkeypatch, MODELS, ["cat", "dog"])
    return tmp_path


def wcam(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def states(page):
    return saved_states(page.read_text("utf-8"))


def test_explain_writes_one_explorer_per_image_and_says_where(folder):
    result = wcam(
        "explain", "cat.png", "dog.png", "--model", "cli_models:channels", *QUICK, "--out", "r.html"
    )
    assert result.exit_code == 0, result.stderr
    assert [state["_status"]["state"] for state in states(folder / "r.html")] == ["done", "done"]
    lines = result.stdout.splitlines()
    sentences = [state["_status"]["answer"] for state in states(folder / "r.html")]
    assert lines[:2] == [f"cat.png: {sentences[0]}", f"dog.png: {sentences[1]}"]
    assert lines[2:] == ["r.html"]


def test_json_is_all_of_standard_output_and_agrees_with_the_saved_files(folder):
    result = wcam(
        "explain",
        "cat.png",
        "--model",
        "cli_models:channels",
        "--target",
        "green",
        *QUICK,
        "--json",
        "--npz",
        "maps",
    )
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["files"] == ["report.html", "maps/cat.npz"]
    (one,) = told["images"]
    saved = Attribution.load(folder / "maps" / "cat.npz")
    assert (one["image"], one["target"], one["complete"]) == ("cat.png", "logit of green", True)
    assert one["evaluations"] == saved.evaluations
    assert [band["band"] for band in one["profile"]] == list(saved.profile().names)
    np.testing.assert_array_equal([band["total"] for band in one["profile"]], saved.profile().total)


def test_options_reach_the_method(folder):
    result = wcam(
        "explain", "cat.png", "--model", "cli_models:channels", "--target", "1", "--analysis", "sobol",
        "--wavelet", "db2", "--levels", "2", "--grid", "3", "--rows", "3", "--seed", "5", "--npz", ".",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    saved = Attribution.load(folder / "cat.npz")
    assert saved.method == "Wcam · Sobol · db2, 2 levels, 3x3 cells per band"
    assert saved.target == "logit of green"
    again = wcam(
        "explain", "cat.png", "--model", "cli_models:channels", "--target", "1", "--analysis", "sobol",
        "--wavelet", "db2", "--levels", "2", "--grid", "3", "--rows", "3", "--seed", "6", "--npz", "other",
    )  # fmt: skip
    assert again.exit_code == 0, again.stderr
    assert not np.array_equal(saved.values, Attribution.load(folder / "other" / "cat.npz").values)


@pytest.mark.parametrize(
    "name", ["gradcam", "cameras", "sise", "ada-sise", "wavelet-product", "wam-published"]
)
def test_every_sort_of_method_writes_a_page_and_says_where_most_is(folder, name):
    result = wcam(
        "explain", "cat.png", "--model", "cli_models:small", "--method", name, "--json", "--npz", "."
    )
    assert result.exit_code == 0, result.stderr
    (one,) = json.loads(result.stdout)["images"]
    heat = Attribution.load(folder / "cat.npz").spatial()
    assert heat[one["peak"]["row"], one["peak"]["column"]] == heat.max()
    assert not one["shares"]
    (state,) = states(folder / "report.html")
    assert state["_status"]["state"] == "done"
    assert bool(state["_layers"]) == (name in ("gradcam", "cameras", "sise", "ada-sise"))
    words = wcam("explain", "cat.png", "--model", "cli_models:small", "--method", name).stdout
    assert f"cat.png: {one['summary']}" in words


def test_other_methods_come_as_layers(folder):
    result = wcam(
        "explain", "cat.png", "--model", "cli_models:small", *QUICK, "--also", "gradcam", "--also", "layercam"
    )
    assert result.exit_code == 0, result.stderr
    (state,) = states(folder / "report.html")
    frame = decode(state["_layers"])
    assert [layer["name"] for layer in frame.header["layers"]] == ["GradCam", "LayerCam"]


def test_a_layer_that_fails_ends_with_its_error_and_keeps_the_map(folder):
    result = wcam("explain", "cat.png", "--model", "cli_models:channels", *QUICK, "--also", "gradcam")
    assert result.exit_code == 3
    assert "a plain callable has no layers" in result.stderr
    (state,) = states(folder / "report.html")
    assert decode(state["_frame"]).header["complete"]


def test_options_that_a_method_does_not_take_are_refused(folder):
    arguments = ("explain", "cat.png", "--model", "cli_models:small")
    for options, message in [
        (("--method", "gradcam", "--rows", "4"), "--rows: gradcam does not take it; it takes --layer"),
        (("--method", "sise", "--analysis", "sobol"), "--analysis: sise does not take it; it takes none of"),
        (("--layer", "0"), "--layer: wcam does not take it; it takes --analysis, --rows, --seed, --wavelet"),
    ]:
        result = wcam(*arguments, *options)
        assert result.exit_code == 2
        assert message in result.stderr
    assert not (folder / "report.html").exists()


def test_an_unknown_layer_is_told_once(folder, caplog):
    result = wcam(
        "explain", "cat.png", "--model", "cli_models:small", "--method", "gradcam", "--layer", "zero"
    )
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: layer: 'zero' is no module that net runs")
    assert caplog.text == ""


def test_all_methods_can_be_made(folder):
    model = BlackBox(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 2)))
    assert {name: type(method_for(model, name, {})).__name__ for name in Name} == dict(
        zip(
            Name,
            [
                "Wcam", "PublishedWcam", *["WaveletGradient"] * 4, "PublishedWaveletGradient", "CartoonX",
                *["GradCam"] * 6, "Cameras", "Sise", "Sise",
            ],
            strict=True,
        )
    )  # fmt: skip


def test_an_image_is_brought_to_the_models_size(folder):
    result = wcam("explain", "cat.png", "--model", "cli_models:sized", *QUICK, "--npz", ".")
    assert result.exit_code == 0, result.stderr
    assert Attribution.load(folder / "cat.npz").cells.image_size == (16, 24)


def test_an_image_is_seen_as_the_model_itself_would_see_it(folder):
    result = wcam("explain", "cat.png", "--model", "cli_models:squashing", *QUICK, "--npz", ".")
    assert result.exit_code == 0, result.stderr
    explained = Attribution.load(folder / "cat.npz")
    assert explained.score == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.png"], "Error: missing.png: there is no such file"),
        (["cli_models.py"], "cli_models.py: not an image that can be read"),
        (["cat.png", "--model", "resnet"], "--model: found 'resnet'"),
        (["cat.png", "--out", "nowhere/r.html"], "--out: the folder nowhere does not exist"),
        (["cat.png", "--target", "gren"], "target: 'gren' is not a class name; did you mean 'green'"),
        (["cat.png", "--target", "3"], "target: class id 3 is out of range"),
        (["cat.png", "--grid", "400"], "grid=400"),
        (["cat.png", "--rows", "0"], "rows=0"),
        (["cat.png", "--analysis", "derivative"], "needs gradients"),
        (["cat.png", "--wavelet", "sinc"], "wavelet"),
    ],
)
def test_bad_input_exits_with_2_names_itself_and_writes_nothing(folder, arguments, message):
    before = {path.name for path in folder.iterdir()} | {"__pycache__"}
    if "--model" not in arguments:
        arguments = [*arguments, "--model", "cli_models:channels"]
    result = wcam("explain", *QUICK, *arguments)
    assert result.exit_code == 2
    told = " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stderr).split())
    assert message in told
    assert result.stdout == ""
    assert {path.name for path in folder.iterdir()} <= before


def test_a_failing_model_exits_with_3_and_says_what_it_was_given(folder):
    result = wcam("explain", "cat.png", "--model", "cli_models:failing", *QUICK)
    assert result.exit_code == 3
    assert "net: raised RuntimeError: no such kernel" in result.stderr
    assert not (folder / "report.html").exists()


def test_what_is_explained_beside_a_bad_image_is_written(folder):
    Image.new("RGB", (2, 2)).save(folder / "dot.png")
    result = wcam("explain", "cat.png", "dot.png", "dog.png", "--model", "cli_models:channels", *QUICK)
    assert result.exit_code == 1
    assert "2 of 3 images were explained\nError: dot.png: " in result.stderr
    assert len(states(folder / "report.html")) == 2


def test_an_interrupt_exits_with_130_and_keeps_the_map_so_far(folder, monkeypatch):
    wait, waited = cli.report.Explorer.wait, []

    def interrupted(explorer, timeout=None):
        waited.append(explorer)
        made = wait(explorer, timeout)
        if len(waited) == 2:
            raise KeyboardInterrupt
        return made

    monkeypatch.setattr(cli.report.Explorer, "wait", interrupted)
    result = wcam(
        "explain", "cat.png", "dog.png", "cat.png", "--model", "cli_models:channels", *QUICK, "--npz", "."
    )
    assert result.exit_code == 130
    assert "2 of 3 images were explained" in result.stderr
    assert len(states(folder / "report.html")) == 2
    assert {path.name for path in folder.glob("*.npz")} == {"cat.npz", "dog.npz"}


def test_demo_writes_its_images_and_both_networks_explorers(folder, monkeypatch):
    monkeypatch.setattr(cli, "Wcam", lambda: Wcam(Derivative(rows=4)))
    result = wcam("demo", "--out", "demo", "--count", "1")
    assert result.exit_code == 0, result.stderr
    assert len(states(folder / "demo" / "report.html")) == 2
    images = sorted((folder / "demo").glob("*.png"))
    assert len(images) == 12
    with Image.open(images[0]) as first:
        assert first.size == (128, 128)
    assert [line.split(":")[0] for line in result.stdout.splitlines()[:2]] == [
        f"{images[0].name}, standard network",
        f"{images[0].name}, robust network",
    ]


def test_the_engine_can_be_chosen(folder):
    model = ("explain", "cat.png", "--model", "cli_models:small", *QUICK)
    result = wcam(*model, "--engine", "torch", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["images"][0]["engine"] == ""
    wrong = wcam(*model, "--engine", "fast")
    assert wrong.exit_code == 2
    assert "Error: --engine: found 'fast'; accepted are auto, torch, onnx, compiled" in wrong.stderr
