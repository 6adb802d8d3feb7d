"""The command `wcam`: parse, call, print."""

from __future__ import annotations

import json
import logging
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

from wcam_widget.cli import photographs, report
from wcam_widget.cli.methods import Analysis, Name, method_for
from wcam_widget.explain import AbstractMethod, Wcam
from wcam_widget.model import BlackBox
from wcam_widget.text import printable
from wcam_widget.zoo import load_model

EXIT_CODES = (
    "Exit codes: 0 done, 1 some of the images could not be explained, 2 wrong usage or input, 3 the model "
    "failed, 130 interrupted. What was finished is written in all cases."
)
SOME_FAILED, BAD_INPUT, MODEL_FAILED, INTERRUPTED = 1, 2, 3, 130
_OPTIONS = {"name": "--model", "engine": "--engine"}
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
    images: Annotated[list[Path], typer.Argument(help="Image files.")],
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
    engine: Annotated[
        str, typer.Option(help="What runs the model: auto, torch, onnx or compiled.", metavar="ENGINE")
    ] = "auto",
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
        report.ensure_folders(out, npz)
        network = _loaded(model, engine)
        options = {"wavelet": wavelet, "levels": levels, "grid": grid, "rows": rows, "seed": seed}
        options |= {"layer": layer, "analysis": None if analysis == Analysis.AUTO else analysis}
        given = {option: value for option, value in options.items() if value is not None}
        chosen = method_for(network, method, given)
        layers = [method_for(network, each, {}) for each in also or ()]
        goal = photographs.target_of(target, network.class_names)
    except INPUT_ERRORS as error:
        raise _failed(error) from error
    jobs = photographs.jobs_of(images, network, goal)
    _run(jobs, chosen, layers, out, npz, as_json=as_json)


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
        raise _failed(error) from error
    _run(photographs.demo_jobs(count), Wcam(), [], out / "report.html", None, as_json=as_json)


def _loaded(model: str, engine: str) -> BlackBox:
    """The named model; what is wrong with its name, or that of the engine, is told of the option."""
    try:
        return load_model(model, engine=engine)
    except ValueError as error:
        kind, _, said = str(error).partition(": ")
        if kind not in _OPTIONS:
            raise
        raise ValueError(f"{_OPTIONS[kind]}: {said}") from error


def _run(
    jobs: list[photographs.Job],
    method: AbstractMethod,
    layers: list[AbstractMethod],
    out: Path,
    npz: Path | None,
    *,
    as_json: bool,
) -> None:
    with quiet(), closing(Progress(len(jobs))) as progress:
        done = report.explain_all(jobs, method, progress, layers)
    writers = [partial(report.write_page, done, out)]
    if npz is not None:
        writers.append(partial(report.write_maps, done, npz))
    with holding_interrupts() as interrupts:
        written, faults = _written(writers, interrupts)
        _print_results(done, written, as_json=as_json)
    code = _print_failures(done, len(jobs))
    for fault in faults:
        code = _failed(fault).exit_code
    if done.interrupt is not None or interrupts:
        code = _failed(done.interrupt or interrupts[0]).exit_code
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
                    _say("The report was given up", err=True)
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
        _say(json.dumps(document, indent=2, allow_nan=False))
        return
    for line in [*map(_in_words, results), *files]:
        _say(line)
    for note in dict.fromkeys(note for one in done.results for note in one.notes):
        _say(f"Note: {note}", err=True)


def _print_failures(done: report.Batch, count: int) -> int:
    """Say which images were not explained, and why; the exit code for it."""
    reasons = dict.fromkeys(each.reason for _, each in done.failures)
    if count > 1 and (done.failures or done.interrupt is not None):
        _say(f"{len(done.results)} of {count} images were explained", err=True)
    if len(reasons) == 1 < len(done.failures):  # of the model or the options, not of the images
        _say(f"Error: {next(iter(reasons))}", err=True)
    else:
        for name, each in done.failures:
            named = count == 1 or name in each.reason
            _say(f"Error: {each.reason}" if named else f"Error: {name}: {each.reason}", err=True)
    if not done.failures:
        return 0
    return _code_of(done.failures[0][1].error) if len(done.failures) == count else SOME_FAILED


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
        _say("The report is being finished; press Ctrl-C again to give it up", err=True)

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield held
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the package from logging what the command itself prints, in one line."""
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
    _say("Interrupted" if isinstance(error, KeyboardInterrupt) else f"Error: {error}", err=True)
    return typer.Exit(_code_of(error))


def _code_of(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return BAD_INPUT if isinstance(error, INPUT_ERRORS) else MODEL_FAILED


def _say(text: str, *, err: bool = False) -> None:
    """Print lines in the characters that the terminal has, others as escapes."""
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
    lines = "\n".join(map(printable, text.split("\n")))
    typer.echo(lines.encode(encoding, "backslashreplace").decode(encoding), err=err)


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
