"""A question as a worker's request: answered, or refused with a reason."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from typing import Any

from wcam_widget.show.explorer.stream import brief
from wcam_widget.show.explorer.worker import REFUSALS, Refusal, Request

logger = logging.getLogger(__name__)

Refuse = Callable[[str, str], None]


def score_request(
    answer: Callable[[], Any], who: Hashable, name: Hashable, done: Callable[[], None], refuse: Refuse
) -> Request:
    """A request of the scores of a selection; of those of ``who`` the latest is answered.

    Args:
        answer: gets the answer and publishes it.
        who: the asker.
        name: finds the request again, to withdraw it.
        done: called when the answer is published.
        refuse: called instead, with a code and a message.
    """

    def work() -> None:
        try:
            answer()
        except Exception as error:
            logger.exception("the model failed on a question")
            refuse("model_error", brief(error))
        else:
            done()

    def refused(reason: Refusal) -> None:
        refuse(reason, REFUSALS[reason])

    return Request(("score", who), name, work, refused)
