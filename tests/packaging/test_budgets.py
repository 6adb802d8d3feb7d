"""Sizes that keep files readable: 300 lines a file, 40 lines a function, 6 parameters (which ruff counts)."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = sorted((ROOT / "wcam_widget").rglob("*.py"))
SOURCES = [*PACKAGE, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "js/src").rglob("*.ts"))]
# One parameter per line is how typer declares a command's options.
COMMANDS = {"wcam_widget/cli/app.py:explain", "wcam_widget/cli/studies.py:study"}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_files_have_at_most_300_lines():
    lengths = {named(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {name: n for name, n in lengths.items() if n > 300} == {}


def test_functions_have_at_most_40_lines_without_their_docstring():
    lengths = {
        f"{named(path)}:{node.name}": length_of(node)
        for path in PACKAGE
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: n for name, n in lengths.items() if n > 40 and name not in COMMANDS} == {}


def length_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    whole = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is None:
        return whole
    return whole - ((first.end_lineno or first.lineno) - first.lineno + 1)


def test_no_file_is_a_drawer():
    drawers = {"utils", "util", "common", "base", "core", "helpers", "misc"}
    assert [named(path) for path in SOURCES if path.stem.lower() in drawers] == []


def test_nothing_is_pickled():
    found = [named(path) for path in PACKAGE if "pickle" in imported(path)]
    assert found == []


def imported(path: Path) -> set[str]:
    """Top names of everything a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    parts = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in plain + parts}
