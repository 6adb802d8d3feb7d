"""What all commands share: options, exit codes, lines that any terminal can show, and loading a model."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

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

AsJson = Annotated[bool, typer.Option("--json", help="Print the results as JSON.")]


Model = Annotated[
    str,
    typer.Option(help="demo, efficientnet-lite0, torchvision:NAME, timm:NAME, hf:NAME or MODULE:FUNCTION."),
]


def loaded(model: str, engine: str) -> BlackBox:
    """The named model; what is wrong with its name, or that of the engine, is told of the option."""
    try:
        return load_model(model, engine=engine)
    except ValueError as error:
        kind, _, said = str(error).partition(": ")
        if kind not in _OPTIONS:
            raise
        raise ValueError(f"{_OPTIONS[kind]}: {said}") from error


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


def exit_for(error: BaseException) -> typer.Exit:
    """Say what went wrong, in one place, and with which code the command ends."""
    say("Interrupted" if isinstance(error, KeyboardInterrupt) else f"Error: {error}", err=True)
    return typer.Exit(code_of(error))


def code_of(error: BaseException) -> int:
    """The exit code of an error."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return BAD_INPUT if isinstance(error, INPUT_ERRORS) else MODEL_FAILED


def say(text: str, *, err: bool = False) -> None:
    """Print lines in the characters that the terminal has, others as escapes."""
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
    lines = "\n".join(map(printable, text.split("\n")))
    typer.echo(lines.encode(encoding, "backslashreplace").decode(encoding), err=err)
