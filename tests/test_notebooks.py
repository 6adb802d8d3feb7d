"""The notebooks run from a fresh kernel, are committed without outputs, and become pages that work."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from tools import demo

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Run after the cell tagged "parameters": each notebook with fewer images and rows than a reader has.
SMALL = {
    "attacks": "images, labels, number = images[5:7], labels[5:7], 1",
    "corruptions": "names, severities, method = names[:2], (1, 5), wcam.Wcam(wcam.Derivative(rows=8))\n"
    "explained, quick = 1, wcam.Wcam(wcam.Derivative(rows=2))",
    "colab_tutorial": "rows = 4",
    "certainty": "rows, many_rows, sobol_rows = 64, 96, 8",
    "methods": "some, checked, tried = some[:1], checked[:2], 1",
    "profiles": "images, labels, method = images[:4], labels[:4], wcam.Wcam(wcam.Derivative(rows=4))",
    "sufficiency": "names = names[:2]",
    "zoom": "names = names[:2]",
}


def small(path):
    """A notebook as it is tested."""
    notebook = nbformat.read(path, as_version=4)
    tagged = ["parameters" in cell.metadata.get("tags", []) for cell in notebook.cells]
    assert sum(tagged) == (path.stem in SMALL)
    if path.stem in SMALL:
        notebook.cells.insert(tagged.index(True) + 1, nbformat.v4.new_code_cell(SMALL[path.stem]))
    return notebook


def test_there_is_a_quickstart():
    assert demo.QUICKSTART in NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_clean(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in code if cell.outputs] == []
    assert [cell.execution_count for cell in code if cell.execution_count is not None] == []
    assert "widgets" not in notebook.metadata


@pytest.mark.slow
@pytest.mark.timeout(1800)  # tables over all methods take minutes
@pytest.mark.parametrize(
    "path", [path for path in NOTEBOOKS if path != demo.QUICKSTART], ids=lambda path: path.stem
)
def test_notebooks_run_from_a_fresh_kernel(path, tmp_path):
    notebook = small(path)
    NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert [output for output in shown if output.output_type == "stream" and output.name == "stderr"] == []


@pytest.mark.browser
@pytest.mark.slow
def test_the_quickstart_becomes_a_page_and_a_picture_of_it(tmp_path):
    command = [sys.executable, ROOT / "tools/demo.py", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report, picture = tmp_path / "quickstart.html", tmp_path / "quickstart.png"
    assert done.stdout.split() == ["report", str(report), "picture", str(picture)]
    with Image.open(picture) as drawn:
        pixels = np.asarray(drawn.convert("L"), float)
    assert pixels.shape[1] == demo.WIDTH
    assert pixels.std() > 10  # something is drawn
    ran = json.loads((tmp_path / "quickstart.ipynb").read_text("utf-8"))
    counts = [cell["execution_count"] for cell in ran["cells"] if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert {path.name for path in tmp_path.iterdir()} >= {"explanation.npz", "explanation.html"}


@pytest.mark.browser
def test_a_page_without_an_explorer_or_with_an_error_is_no_demo(tmp_path, chromium_path):
    page = tmp_path / "page.html"
    page.write_text("<p>nothing</p><script>throw new Error('broken')</script>", "utf-8")
    # In a thread of its own: Playwright allows one of itself in each, and other tests hold one here.
    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match=r"page\.html: broken; it shows no"):
        pool.submit(demo.photograph, page, tmp_path / "page.png", chromium_path).result()
