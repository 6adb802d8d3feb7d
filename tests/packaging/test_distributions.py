"""What is built and installed: the same working widget from a checkout, an sdist and a wheel."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
STATIC = "wcam_widget/show/static/"
BUILT = {STATIC + name for name in ("widget.js", "widget.css", "standalone.js", "network.js")}
WEIGHTS = {
    f"wcam_widget/demo/{name}" for name in ("standard.safetensors", "robust.safetensors", "images.npz")
}

pytestmark = pytest.mark.slow


def known_files() -> list[str]:
    """Files of the checkout that git tracks or would track: nothing that was built."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def link(source: str, target: str) -> None:
    """Packages are many small files: link them where the file system can. npm rewrites its own record."""
    if Path(source).name != ".package-lock.json":
        try:
            os.link(source, target)
        except OSError:
            pass
        else:
            return
    shutil.copy2(source, target)


def build(kind: str, source: Path, output: Path, **environment: str) -> Path:
    command = [
        sys.executable,
        "-m",
        "build",
        f"--{kind}",
        "--no-isolation",
        "--outdir",
        str(output),
        str(source),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = output.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return made


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the checkout without anything built, with the packages npm installed."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in known_files():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    shutil.copytree(ROOT / "js/node_modules", copy / "js/node_modules", symlinks=True, copy_function=link)
    return copy


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory) -> Path:
    return build("wheel", checkout, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(checkout, tmp_path_factory) -> Path:
    return build("sdist", checkout, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel_of_sdist(sdist, tmp_path_factory) -> Path:
    """Built from the unpacked sdist on a machine with nothing on PATH, so without Node."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    nothing = tmp_path_factory.mktemp("nothing")
    return build("wheel", source, tmp_path_factory.mktemp("wheel_of_sdist"), PATH=str(nothing))


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


def test_the_wheel_has_the_package_the_built_files_and_the_demo_and_nothing_else(wheel):
    packaged = {name for name in known_files() if name.startswith("wcam_widget/")}
    assert set(contents(wheel)) == packaged | BUILT
    assert set(contents(wheel)) >= WEIGHTS


def test_no_built_file_is_empty(wheel):
    found = contents(wheel)
    assert {name for name in BUILT | WEIGHTS if len(found[name]) < 200} == set()


def test_weights_stay_small(wheel):
    found = contents(wheel)
    assert {name: size for name in WEIGHTS if (size := len(found[name])) > 1_000_000} == {}


def test_the_sdist_builds_the_same_wheel_without_node(wheel, wheel_of_sdist):
    assert contents(wheel_of_sdist) == contents(wheel)


def test_the_sdist_has_the_sources_of_the_front_end_and_no_packages(sdist):
    with tarfile.open(sdist) as archive:
        names = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    assert (
        names
        >= {"js/package.json", "js/package-lock.json", "js/build.mjs", "js/src/widget.ts", "LICENSE"} | BUILT
    )
    assert {name for name in names if "node_modules" in name or name.endswith(".pyc")} == set()


USE = """
import json, sys
from pathlib import Path
import wcam_widget
model, images, labels, names = wcam_widget.load_demo()
method = wcam_widget.Wcam(wcam_widget.Derivative(rows=2), levels=2, grid=2)
with wcam_widget.explore(model, images[0], method=method) as explorer:
    complete = explorer.wait().complete
    page = explorer.to_html("page.html").read_text("utf-8")
lazy = wcam_widget.plot(wcam_widget.Wcam(wcam_widget.Sobol(rows=2), levels=2, grid=2)(model, images[:1])[0])
print(json.dumps({
    "from": wcam_widget.__file__, "complete": complete, "page": len(page), "esm": len(explorer._esm),
    "figure": len(lazy.axes),
}))
"""


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A new environment with the wheel in it; its dependencies are those of this one, by a path file."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*command, "--no-index", str(wheel)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    # A plain path: the path files that lie there, of this checkout's editable install too, are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def test_the_installed_wheel_explains_and_exports(installed, tmp_path):
    done = subprocess.run(
        [installed / "bin/python", "-I", "-c", USE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert Path(said["from"]).is_relative_to(installed)
    assert said["complete"]
    assert said["figure"] >= 3
    assert said["page"] > said["esm"] > 10_000


def test_the_installed_command_starts(installed, tmp_path):
    done = subprocess.run(
        [installed / "bin/wcam", "explain", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "--wavelet" in done.stdout
