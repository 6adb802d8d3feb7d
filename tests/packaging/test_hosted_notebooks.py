"""Hosted notebooks have ipywidgets 7 and traitlets 5.7, which an install must not replace."""

import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

HOSTED = {
    "anywidget": "0.9.21",
    "ipywidgets": "7.7.1",
    "numpy": "2.0.2",
    "torch": "2.11",
    "traitlets": "5.7.1",
}
OLD_TRAITLETS = """
import anywidget, ipywidgets, traitlets

def refuse(cls, item):
    raise TypeError(f"{cls.__name__} is not subscriptable")

for kind in (traitlets.List, traitlets.Unicode):
    kind.__class_getitem__ = classmethod(refuse)
import wcam_widget.show.explorer.explorer
"""


def test_what_a_hosted_notebook_has_is_accepted():
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    needed = {one.name: one for one in map(Requirement, declared["project"]["dependencies"])}
    assert [name for name, version in HOSTED.items() if version not in needed[name].specifier] == []


def test_traits_are_made_where_traitlets_cannot_be_subscripted():
    done = subprocess.run([sys.executable, "-c", OLD_TRAITLETS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
