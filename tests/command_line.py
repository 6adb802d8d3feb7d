"""A working folder for tests of the command line, and options that make it quick."""

import sys

import numpy as np
from PIL import Image

QUICK = ["--levels", "1", "--grid", "2", "--rows", "2"]


def enter_folder(folder, monkeypatch, models, names):
    """Make a folder with the module cli_models and images the working directory."""
    (folder / "cli_models.py").write_text(models)
    generator = np.random.default_rng(0)
    for name in names:
        Image.fromarray(generator.integers(0, 256, (32, 40, 3), np.uint8)).save(folder / f"{name}.png")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop("cli_models", None)
