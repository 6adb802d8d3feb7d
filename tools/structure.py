"""Figures of the code's structure: folders, floors of imports, circles, open types, docstrings, vocabulary.

Usage: python tools/structure.py [ROOT]. ROOT is a checkout of the repository, by default this one; give an
older one to compare with it.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grimp
import numpy as np
from scipy.sparse.csgraph import connected_components

PACKAGE = "wcam_widget"
PRIVATE_WORDS = ("asked", "found", "whole", "base", "told")
Graph = dict[str, set[str]]


def modules_in(root: Path) -> dict[str, ast.Module]:
    """Every module of the package by its dotted name, parsed."""
    parsed = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        parsed[name] = ast.parse(path.read_text("utf-8"))
    return parsed


def imports_of(root: Path) -> Graph:
    """Which modules of the package each of them imports, also for types alone and inside of functions."""
    sys.path.insert(0, str(root))
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    return {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}


def circles_of(graph: Graph) -> list[list[str]]:
    """Sets of modules that import each other, directly or by way of others."""
    names = sorted(graph)
    imports = [[other in graph[name] for other in names] for name in names]
    _, labels = connected_components(np.array(imports), connection="strong")
    together = [
        [name for name, label in zip(names, labels, strict=True) if label == one] for one in set(labels)
    ]
    return sorted(circle for circle in together if len(circle) > 1)


def floors_of(graph: Graph, folder: str) -> int:
    """How many modules of one folder stand on each other: the longest chain of imports inside of it."""
    prefix = f"{PACKAGE}.{folder}."
    inside = {name for name in graph if name.startswith(prefix)}

    def height(name: str, above: frozenset[str]) -> int:
        below = (graph[name] & inside) - above - {name}
        return 1 + max((height(one, above | {name}) for one in below), default=0)

    return max((height(name, frozenset()) for name in inside), default=0)


def public_definitions(
    modules: dict[str, ast.Module],
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public classes and functions that a package's face names, and the public methods of those classes."""
    faces = {
        element.value
        for name, tree in modules.items()
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
        for element in getattr(node.value, "elts", [])
        if name.count(".") <= 1
    }
    for tree in modules.values():
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name not in faces:
                continue
            yield node
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield inner


def parameters_of(node: ast.AST) -> list[ast.arg]:
    """The parameters of a function but for self and cls."""
    if not isinstance(node, ast.FunctionDef):
        return []
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [each for each in every if each.arg not in ("self", "cls")]


def print_figures(root: Path) -> None:
    """All figures of one checkout."""
    modules = modules_in(root)
    graph = imports_of(root)
    definitions = list(public_definitions(modules))
    folders = Counter(path.parent for path in (root / PACKAGE).rglob("*.py"))
    front_end = Counter(path.parent for path in (root / "js" / "src").rglob("*.ts"))
    print("files per folder:")
    for folder, count in sorted({**folders, **front_end}.items()):
        print(f"  {folder.relative_to(root)}: {count}")
    for folder in ("explain", "sensitivity"):
        print(f"floors of imports inside {folder}/: {floors_of(graph, folder)}")
    print(f"circles, type-only imports included: {circles_of(graph)}")
    is_open = [
        f"{node.name}({each.arg})"
        for node in definitions
        for each in parameters_of(node)
        if each.annotation is not None and re.search(r"\bAny\b", ast.unparse(each.annotation))
    ]
    print(f"parameters typed Any at public doors: {len(is_open)} {is_open}")
    # An override has the arguments of its parent.
    inherited = {
        inner.name
        for node in definitions
        if isinstance(node, ast.ClassDef) and node.name.startswith("Abstract")
        for inner in node.body
        if isinstance(inner, ast.FunctionDef) and "Args:" in (ast.get_docstring(inner) or "")
    }
    lacking = [
        node.name
        for node in definitions
        if parameters_of(node)
        and (words := ast.get_docstring(node))
        and "Args:" not in words
        and node.name not in inherited
    ]
    print(f"public functions and methods with parameters but no Args: {len(lacking)} {lacking}")
    text = "\n".join(path.read_text("utf-8") for path in (root / PACKAGE).rglob("*.py"))
    counts = {word: len(re.findall(rf"\b{word}\b", text)) for word in PRIVATE_WORDS}
    print(f"uses of private words: {counts}")
    print(f"lines of README.md: {len((root / 'README.md').read_text('utf-8').splitlines())}")


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "root", nargs="?", type=Path, default=Path(__file__).resolve().parents[1], help="a checkout"
    )
    print_figures(parser.parse_args().root.resolve())


if __name__ == "__main__":
    main()
