"""What a front end asks for: the scores of a selection, and files."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

from wcam_widget.explain import Attribution
from wcam_widget.show.explorer.stream import brief, details_of
from wcam_widget.show.explorer.worker import REFUSALS, Refusal, Request

logger = logging.getLogger(__name__)

Refuse = Callable[..., None]
"""Called with a code, a message and, where there are some, details."""


def score_request(
    answer: Callable[[], Any], who: Hashable, name: Hashable, done: Callable[[], None], refuse: Refuse
) -> Request:
    """A request of the scores of a selection; of those of ``who`` the latest is answered.

    Args:
        answer: gets the answer and publishes it.
        who: the asker.
        name: finds the request again, to withdraw it.
        done: called when the answer is published.
        refuse: called instead, with a code, a message and perhaps details.
    """

    def work() -> None:
        try:
            answer()
        except Exception as error:
            logger.exception("the model failed on a question")
            refuse("model_error", brief(error), details_of(error))
        else:
            done()

    def refused(reason: Refusal) -> None:
        refuse(reason, REFUSALS[reason])

    return Request(("score", who), name, work, refused)


def file_of(attribution: Attribution | None) -> bytes:
    """A map as a file; RuntimeError where there is none yet."""
    if attribution is None:
        raise RuntimeError("there is no map yet")
    with tempfile.TemporaryDirectory() as folder:
        return attribution.save(Path(folder) / "map.npz").read_bytes()
