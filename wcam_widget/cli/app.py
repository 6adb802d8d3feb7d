"""The command `wcam`: parse, call, print."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from wcam_widget.cli import gallery, photographs, report
from wcam_widget.cli.methods import Analysis, Name, method_for
from wcam_widget.cli.notebooks import export
from wcam_widget.cli.studies import study
from wcam_widget.cli.terminal import (
    EXIT_CODES,
    INPUT_ERRORS,
    SOME_FAILED,
    AsJson,
    Model,
    code_of,
    exit_for,
    loaded,
    quiet,
    say,
)
from wcam_widget.explain import AbstractMethod, Wcam
from wcam_widget.text import printable

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="See where, and at which scale, an image model looks.",
)
app.command(epilog=EXIT_CODES)(study)
app.command(epilog=EXIT_CODES)(export)


@app.command(epilog=EXIT_CODES)
def explain(
    images: Annotated[list[Path], typer.Argument(help="Image files, or folders of them.")],
    model: Model = "demo",
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
    engine: Annotated[
        str, typer.Option(help="What runs the model: auto, torch, onnx or compiled.", metavar="ENGINE")
    ] = "auto",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="The report: one page that works from a file; of a folder, a folder with index.html.",
            show_default="report.html, of a folder report",
        ),
    ] = None,
    npz: Annotated[
        Path | None, typer.Option(help="Also write one .npz per image into this folder.", file_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain image files and write a report in which each can be explored.

    \b
    Examples:
      wcam explain cat.jpg --model efficientnet-lite0
      wcam explain photos --model efficientnet-lite0 -o report
      wcam explain cat.jpg dog.jpg --rows 8 --out report.html --npz maps --json
      wcam explain cat.jpg --method cameras --also sise --also gradcam
    """  # noqa: D301  typer reads a character there, after which it keeps lines
    try:
        folder = any(path.is_dir() for path in images)
        page = out or Path("report" if folder else "report.html")
        report.ensure_folders(page / "index.html" if folder else page, npz, make=folder)
        paths = gallery.files_in(images)
        network = loaded(model, engine)
        options = {"wavelet": wavelet, "levels": levels, "grid": grid, "rows": rows, "seed": seed}
        options |= {"layer": layer, "analysis": None if analysis == Analysis.AUTO else analysis}
        given = {option: value for option, value in options.items() if value is not None}
        chosen = method_for(network, method, given)
        layers = [method_for(network, each, {}) for each in also or ()]
        goal = photographs.target_of(target, network.class_names)
    except INPUT_ERRORS as error:
        raise exit_for(error) from error
    jobs = photographs.jobs_of(paths, network, goal)
    write = gallery.write_gallery if folder else report.write_page
    _run(jobs, chosen, layers, lambda done: write(done, page), npz, as_json=as_json)


@app.command(epilog=EXIT_CODES)
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the images and report.html.", file_okay=False)],
    count: Annotated[int, typer.Option(help="How many of the dozen images to explain.", min=1, max=12)] = 3,
    as_json: AsJson = False,
) -> None:
    """Explain bundled images with the two bundled networks, and write the images beside the report."""
    try:
        photographs.write_demo_images(out)
    except OSError as error:
        raise exit_for(error) from error
    page = out / "report.html"
    _run(
        photographs.demo_jobs(count),
        Wcam(),
        [],
        lambda done: report.write_page(done, page),
        None,
        as_json=as_json,
    )


def _run(
    jobs: list[photographs.Job],
    method: AbstractMethod,
    layers: list[AbstractMethod],
    write: Callable[[report.Batch], list[Path]],
    npz: Path | None,
    *,
    as_json: bool,
) -> None:
    with quiet(), closing(Progress(len(jobs))) as progress:
        done = report.explain_all(jobs, method, progress, layers)
    writers = [partial(write, done)]
    if npz is not None:
        writers.append(partial(report.write_maps, done, npz))
    with holding_interrupts() as interrupts:
        written, faults = _written(writers, interrupts)
        _print_results(done, written, as_json=as_json)
    code = _print_failures(done, len(jobs))
    for fault in faults:
        code = exit_for(fault).exit_code
    if done.interrupt is not None or interrupts:
        code = exit_for(done.interrupt or interrupts[0]).exit_code
    if code:
        raise typer.Exit(code)


def _written(
    writers: Iterable[Callable[[], list[Path]]], interrupts: list[KeyboardInterrupt]
) -> tuple[list[Path], list[Exception]]:
    """Write what was explained, and what could not be written; an interrupt waits, a second one gives up."""
    written: list[Path] = []
    faults: list[Exception] = []
    for write in writers:
        for _ in range(2):
            try:
                written += write()
            except KeyboardInterrupt as interrupt:
                interrupts.append(interrupt)
                if len(interrupts) > 1:
                    say("The report was given up", err=True)
                    return written, faults
            except Exception as error:  # noqa: BLE001  printed after the results
                faults.append(error)
                break
            else:
                break
    return written, faults


def _print_results(done: report.Batch, written: list[Path], *, as_json: bool) -> None:
    results = [report.summary(one) for one in done.results]
    files = [printable(str(path)) for path in written]
    if as_json:
        failed = [{"image": name, "error": printable(each.reason)} for name, each in done.failures]
        document = {"images": results, "failed": failed, "files": files}
        say(json.dumps(document, indent=2, allow_nan=False))
        return
    for line in [*map(_in_words, results), *files]:
        say(line)
    for note in dict.fromkeys(note for one in done.results for note in one.notes):
        say(f"Note: {note}", err=True)


def _print_failures(done: report.Batch, count: int) -> int:
    """Say which images were not explained, and why; the exit code for it."""
    reasons = dict.fromkeys(each.reason for _, each in done.failures)
    if count > 1 and (done.failures or done.interrupt is not None):
        say(f"{len(done.results)} of {count} images were explained", err=True)
    if len(reasons) == 1 < len(done.failures):  # of the model or the options, not of the images
        say(f"Error: {next(iter(reasons))}", err=True)
    else:
        for name, each in done.failures:
            named = count == 1 or name in each.reason
            say(f"Error: {each.reason}" if named else f"Error: {name}: {each.reason}", err=True)
    if not done.failures:
        return 0
    return code_of(done.failures[0][1].error) if len(done.failures) == count else SOME_FAILED


@contextmanager
def holding_interrupts() -> Iterator[list[KeyboardInterrupt]]:
    """Hold a first Ctrl-C back until the end, in the list that is given; a second one interrupts."""
    held: list[KeyboardInterrupt] = []
    if threading.current_thread() is not threading.main_thread():  # where no handler can be set
        yield held
        return

    def hold(_signal: int, _frame: object) -> None:
        if held:
            raise KeyboardInterrupt
        held.append(KeyboardInterrupt())
        say("The report is being finished; press Ctrl-C again to give it up", err=True)

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield held
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)


def _in_words(result: Mapping[str, Any]) -> str:
    return f"{result['image']}: {result['summary']}"


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
