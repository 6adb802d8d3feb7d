"""The Python that a hosted notebook has: its own versions, and our wheel installed over them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.browser.lab import ROOT

# What Colab has installed (Python 3.12, in 2026 also 3.13). Notebook 6 is the front end that goes with these.
PINS = {
    "anywidget": "0.9.21",
    "ipykernel": "6.17.1",
    "ipython": "7.34.0",
    "ipywidgets": "7.7.1",
    "notebook": "6.5.7",
    "numpy": "2.0.2",
    "torch": "2.11.0",
    "traitlets": "5.7.1",
}
FOLDER = ROOT / "build" / "hosted"  # kept between runs: PyTorch alone is some gigabytes


@dataclass(frozen=True)
class Hosted:
    """The environment, what was in it before our wheel, and the folder that holds the wheel."""

    prefix: Path
    before: dict[str, str]
    wheels: Path

    @property
    def python(self) -> str:
        return str(self.prefix / "bin" / "python")

    def pip(self, *words: str) -> str:
        """Run pip in it; what it prints."""
        # A wheel that lies here is as good as one on an index.
        links = f"{self.wheels} {os.environ.get('PIP_FIND_LINKS', '')}".strip()
        return _said([self.python, "-m", "pip", *words], PIP_FIND_LINKS=links)

    def versions(self) -> dict[str, str]:
        """What is installed now."""
        listed = json.loads(self.pip("list", "--format", "json"))
        return {one["name"].lower(): one["version"] for one in listed}

    def matrix(self) -> str:
        """The versions before and after, a line for each package that is pinned or new."""
        after = self.versions()
        names = sorted(PINS | dict.fromkeys(after.keys() - self.before.keys(), ""))
        lines = [f"{name:24}{self.before.get(name, '-'):12}{after.get(name, '-')}" for name in names]
        return "\n".join([f"{'package':24}{'before':12}after", *lines])


def interpreters() -> Iterator[str]:
    """Pythons of this machine that a hosted notebook might have; what is on PATH need not start."""
    installed = sorted(map(str, Path.home().glob(".pyenv/versions/3.1[23].*/bin/python")))
    for name in ("python3.12", "python3.13", *installed):
        program = "import sys; sys.exit(sys.version_info[:2] not in ((3, 12), (3, 13)))"
        path = shutil.which(name)
        if path and subprocess.run([path, "-c", program], capture_output=True, check=False).returncode == 0:
            yield path


def make_hosted(python: str, wheels: Path) -> Hosted:
    """The environment with exactly these versions, made where there is none, and our wheel in a folder."""
    stamp, prefix = FOLDER / "before.json", FOLDER / "environment"
    wanted = [f"{name}=={version}" for name, version in PINS.items()]
    if not stamp.exists() or json.loads(stamp.read_text())["wanted"] != wanted:
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        _said([python, "-m", "venv", str(prefix)])
        bare = Hosted(prefix, {}, wheels)
        bare.pip("install", "--quiet", "--no-compile", "setuptools<82", *wanted)
        stamp.write_text(json.dumps({"wanted": wanted, "versions": bare.versions()}))
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(ROOT)]
    _said(build, HATCH_JUPYTER_BUILDER_SKIP_NPM="1")
    return Hosted(prefix, json.loads(stamp.read_text())["versions"], wheels)


def _said(command: list[str], **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout
