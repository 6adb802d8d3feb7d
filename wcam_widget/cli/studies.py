"""The command `wcam study`: what one asks of a model, over the images of a folder."""

from __future__ import annotations

import csv
import json
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from wcam_widget.cli.methods import Analysis, Name, method_for
from wcam_widget.cli.terminal import INPUT_ERRORS, SOME_FAILED, AsJson, Model, exit_for, loaded, quiet, say
from wcam_widget.study import AbstractExecutor, RayExecutor, SerialExecutor, Study, StudyWarning
from wcam_widget.text import printable


def study(
    data: Annotated[Path, typer.Argument(help="A folder of image files, read with the folders in it.")],
    model: Model = "demo",
    ask: Annotated[str, typer.Option(help="What is measured, separated by commas.")] = "prediction,profile",
    out: Annotated[Path, typer.Option(help="The folder of the results.", file_okay=False)] = Path("study"),
    labels: Annotated[
        Path | None,
        typer.Option(help="A CSV file: name, path or folder of images, and their class.", dir_okay=False),
    ] = None,
    method: Annotated[Name, typer.Option(help="Of the profile.", metavar="METHOD")] = Name.WCAM,
    rows: Annotated[
        int | None, typer.Option(help="Of the profile: rows of its random design.", show_default="16")
    ] = None,
    maps: Annotated[bool, typer.Option(help="Keep the maps over the pixels, too.")] = False,
    ray: Annotated[bool, typer.Option(help="Spread the images over processes, with Ray.")] = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes of Ray.", show_default="one for each core or GPU share")
    ] = None,
    gpus: Annotated[float, typer.Option(help="Of each process: 0.5 puts two on a GPU.")] = 0.0,
    address: Annotated[str | None, typer.Option(help="Of a cluster of Ray; auto for this machine's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure every image of a folder into Parquet files; a run that was ended goes on where it was."""
    try:
        executor = RayExecutor(workers, gpus=gpus, address=address) if ray else SerialExecutor()
        made = _study(data, model, _options(ask, model, method, rows), out, executor, labels, maps=maps)
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore", StudyWarning)  # said below
            made.run()
    except (*INPUT_ERRORS, KeyboardInterrupt) as error:
        raise exit_for(error) from error
    if _print(made, as_json=as_json):
        raise typer.Exit(SOME_FAILED)


def _options(ask: str, model: str, method: Name, rows: int | None) -> dict[str, dict[str, Any]]:
    names = [name.strip() for name in ask.split(",") if name.strip()]
    options: dict[str, dict[str, Any]] = {name: {} for name in names}
    if "profile" in options and (rows is not None or method != Name.WCAM):
        network, given = loaded(model, "auto"), {} if rows is None else {"rows": rows}
        analysis = Analysis.DERIVATIVE if network.differentiable else Analysis.SOBOL
        chosen = {"analysis": analysis} if method == Name.WCAM else {}
        options["profile"]["method"] = method_for(network, method, chosen | given)
    return options


def _study(
    data: Path,
    model: str,
    ask: dict[str, dict[str, Any]],
    out: Path,
    executor: AbstractExecutor,
    labels: Path | None,
    *,
    maps: bool,
) -> Study:
    try:
        return Study(model, data, ask, out, executor, None if labels is None else _labels(labels), maps)
    except ValueError as error:
        kind, _, said = str(error).partition(": ")
        option = {"name": "--model", "ask": "--ask", "out": "--out", "data": "DATA"}.get(kind)
        raise (error if option is None else ValueError(f"{option}: {said}")) from error


def _labels(path: Path) -> dict[str, str | int]:
    """The first two columns of a CSV file: names of images, and class ids or names."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if row]
    if any(len(row) < 2 for row in rows):
        raise ValueError(f"--labels: {printable(str(path))!r} has lines without a comma")
    return {name: int(label) if label.isdecimal() else label for name, label, *_ in rows}


def _print(made: Study, *, as_json: bool) -> int:
    """Print the means and the failures; how many failed."""
    failures, means = made.failures(), made.summary()
    pairs = list(zip(failures["name"], failures["error"], strict=True))
    images = len(made.table())
    if as_json:
        columns = json.loads(means.to_json(orient="index"))
        document = {"images": images, "failed": [{"image": name, "error": error} for name, error in pairs]}
        say(json.dumps({**document, "summary": columns, "out": str(made.store.folder)}, indent=2))
        return len(pairs)
    say(means.round(4).to_string())
    say(str(made.store.folder))
    for name, error in pairs:
        say(f"Error: {error}" if name in error else f"Error: {name}: {error}", err=True)
    if pairs:
        say(f"{images - len(pairs)} of {images} images were measured", err=True)
    return len(pairs)
