"""The command `wcam`: parse, call, print."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from wcam_widget.explain import AbstractMethod, Wcam
from wcam_widget.show import batch
from wcam_widget.show.catalogue import Analysis, Name, method_for
from wcam_widget.zoo import load_model

EXIT_CODES = (
    "Exit codes: 0 done, 2 wrong usage or input, 3 the model failed, 130 interrupted. "
    "What was finished before an error or an interrupt is written."
)
BAD_INPUT, MODEL_FAILED, INTERRUPTED = 2, 3, 130
INPUT_ERRORS = (ValueError, TypeError, OSError, ImportError)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="See where, and at which scale, an image model looks.",
)


AsJson = Annotated[bool, typer.Option("--json", help="Print the results as JSON.")]


@app.command(epilog=EXIT_CODES)
def explain(
    images: Annotated[list[Path], typer.Argument(help="Image files.", exists=True, dir_okay=False)],
    model: Annotated[
        str,
        typer.Option(
            help="demo, efficientnet-lite0, torchvision:NAME, timm:NAME, hf:NAME or MODULE:FUNCTION."
        ),
    ] = "demo",
    target: Annotated[
        str | None, typer.Option(help="A class name or number.", show_default="the highest class")
    ] = None,
    method: Annotated[
        Name, typer.Option(help=f"The method of explanation: {', '.join(Name)}.", metavar="METHOD")
    ] = Name.WCAM,
    also: Annotated[
        list[Name] | None,
        typer.Option(help="One more method, as a layer over the image; may be repeated.", metavar="METHOD"),
    ] = None,
    analysis: Annotated[
        Analysis, typer.Option(help="Of wcam; auto takes screened where the model has gradients, else sobol.")
    ] = Analysis.AUTO,
    wavelet: Annotated[
        str | None,
        typer.Option(help="A discrete wavelet of PyWavelets, or pixels.", show_default="haar"),
    ] = None,
    levels: Annotated[int | None, typer.Option(help="Number of scales.", show_default="3")] = None,
    grid: Annotated[
        int | None,
        typer.Option(
            help="Cells per side in every band.",
            show_default="8; of gradients and cartoonx every coefficient",
        ),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(help="Rows of the random design: more is more exact.", show_default="of the method"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of what is random.", show_default="0")] = None,
    layer: Annotated[
        str | None,
        typer.Option(help="Of class activation maps: the layer.", show_default="the last spatial stage"),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="The report: one page that works from a file.", dir_okay=False)
    ] = Path("report.html"),
    npz: Annotated[
        Path | None, typer.Option(help="Also write one .npz per image into this folder.", file_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain image files and write a report in which each can be explored."""
    try:
        batch.ensure_folders(out, npz)
        network = load_model(model)
        options = {"wavelet": wavelet, "levels": levels, "grid": grid, "rows": rows, "seed": seed}
        options |= {"layer": layer, "analysis": None if analysis == Analysis.AUTO else analysis}
        said = {option: value for option, value in options.items() if value is not None}
        chosen = method_for(network, method, said)
        layers = [method_for(network, each, {}) for each in also or ()]
        asked = batch.target_of(target, network.class_names)
        jobs = [batch.Job(path.name, network.fit(path), network, asked) for path in images]
    except INPUT_ERRORS as error:
        raise _failed(error) from error
    _run(jobs, chosen, layers, out, npz, as_json=as_json)


@app.command(epilog=EXIT_CODES)
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the images and report.html.", file_okay=False)],
    count: Annotated[int, typer.Option(help="How many of the dozen images to explain.", min=1, max=12)] = 3,
    as_json: AsJson = False,
) -> None:
    """Explain bundled images with the two bundled networks, and write the images beside the report."""
    try:
        batch.write_demo_images(out)
    except OSError as error:
        raise _failed(error) from error
    _run(batch.demo_jobs(count), Wcam(), [], out / "report.html", None, as_json=as_json)


def _run(
    jobs: list[batch.Job],
    method: AbstractMethod,
    layers: list[AbstractMethod],
    out: Path,
    npz: Path | None,
    *,
    as_json: bool,
) -> None:
    with quiet(), closing(Progress(len(jobs))) as progress:
        done = batch.explain_all(jobs, method, progress, layers)
    try:
        written = batch.write_batch(done, out, npz)
    except OSError as error:
        raise _failed(error) from error
    results = [batch.summary(one) for one in done.explained]
    if as_json:
        files = [str(path) for path in written]
        typer.echo(json.dumps({"images": results, "files": files}, indent=2, allow_nan=False))
    else:
        for line in [*map(_in_words, results), *map(str, written)]:
            typer.echo(line)
    if done.ended_by is not None:
        if len(jobs) > 1:
            typer.echo(f"{len(results)} of {len(jobs)} images were explained", err=True)
        raise _failed(done.ended_by) from done.ended_by


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the package from logging what the command itself tells, in one line."""
    logger = logging.getLogger("wcam_widget")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _in_words(result: Mapping[str, Any]) -> str:
    return f"{result['image']}: {result['summary']}"


def _failed(error: BaseException) -> typer.Exit:
    """Say what went wrong, in one place, and with which code the command ends."""
    if isinstance(error, KeyboardInterrupt):
        typer.echo("Interrupted", err=True)
        return typer.Exit(INTERRUPTED)
    typer.echo(f"Error: {error}", err=True)
    return typer.Exit(BAD_INPUT if isinstance(error, INPUT_ERRORS) else MODEL_FAILED)


class Progress:
    """A bar on standard error for the image under way; nothing where that is no terminal."""

    def __init__(self, images: int) -> None:
        self.images = images
        self.seen: dict[str, None] = {}
        self.bar: tqdm[Any] = tqdm(unit=" evaluations", file=sys.stderr, disable=None, leave=False)

    def __call__(self, name: str, status: Mapping[str, Any]) -> None:
        """Show the status of the image called `name`."""
        self.seen[name] = None
        self.bar.set_description(f"{len(self.seen)}/{self.images} {name}", refresh=False)
        self.bar.total, self.bar.n = status["total"], status["done"]
        self.bar.refresh()

    def close(self) -> None:
        """Take the bar away."""
        self.bar.close()
