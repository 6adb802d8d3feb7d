"""The answer in one sentence, from the numbers: where and at which scale a model looks, and is it enough?

Every part of it can be checked: shares are totals of bands with their 95 % intervals, a place is the third of
the image's height and width that holds most of the map, and "alone" is an answer of the model itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, final

import numpy as np
from jaxtyping import Float

from wcam_widget.basis import Band, Cells
from wcam_widget.explain import Attribution, Probe
from wcam_widget.model import Logit, Probability
from wcam_widget.model.head import SIGMOID
from wcam_widget.sensitivity.analysis import GROUP_STATISTIC, UNIT
from wcam_widget.show.places import place_words
from wcam_widget.show.progress import State
from wcam_widget.show.selection import Question
from wcam_widget.show.words import class_labels, format_percent, format_score, probability

CLOSE = 0.1  # half the width of an interval above which it is written out
VAGUE = 0.9  # the width of an interval that tells nothing
LIKELY = 0.5  # the probability from which a label counts as given
TOGETHER = 0.6  # the part of a band's total that it must have to itself, else it acts with other bands

_FILTERS = {
    "A": "the coarse image",
    "LH": "horizontal edges",
    "HL": "vertical edges",
    "HH": "diagonal detail",
}
_PARTS = {"Y": "luminance", "C": "colour", "R": "red", "G": "green", "B": "blue"}
_PREFIXES: dict[State, str] = {
    "waiting": ", so far",
    "running": ", so far",
    "done": "",
    "cancelled": ", from part of the run",
    "error": ", from part of the run",
}
_WITHOUT_MAP: dict[State, str] = {
    "waiting": "nothing is known yet of where the model looks",
    "running": "nothing is known yet of where the model looks",
    "done": "the method gave no map",
    "cancelled": "the run was cancelled before its first map",
    "error": "the run ended before its first map",
}


@final
@dataclass(frozen=True)
class Subject:
    """What is explained: ``name`` in words, with the ``value`` it has for the image.

    ``kind`` is "class" where the classes compete, "label" where each is there or not, and "score" for a
    number that is no probability.
    """

    name: str
    value: float
    kind: Literal["class", "label", "score"] = "score"

    @property
    def words(self) -> str:
        """Name and value.

        >>> Subject("Egyptian cat", 0.3934, "class").words, Subject("logit of cat", 10.96).words
        ('Egyptian cat (.39)', 'logit of cat (10.96)')
        """
        return f"{self.name} ({self.number(self.value)})"

    def number(self, value: float) -> str:
        """A value of this kind in words."""
        return format_score(value) if self.kind == "score" else probability(value)


def subject_of(probe: Probe) -> Subject:
    """What a probe explains, a class by its probability."""
    target, names = probe.target, probe.model.class_names
    head = probe.model.head.with_classes(len(probe.image_logits))
    if not isinstance(target, Logit | Probability) or len(probe.image_logits) == 1 or not head.bounded:
        return Subject(target.label(names), probe.score)
    number = int(target.class_id)
    share = float(head.probabilities(probe.image_logits[None])[0, number])
    kind: Literal["class", "label"] = "label" if head.activation == SIGMOID else "class"
    return Subject(class_labels(names, len(probe.image_logits))[number], share, kind)


def sentence(
    attribution: Attribution | None,
    subject: Subject | None = None,
    state: State = "done",
    known: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Where and at which scale a model looks, and whether that is enough for it to decide.

    Args:
        attribution: the map so far; None before the first.
        subject: what it explains; the attribution's own target if None.
        state: how far the run is.
        known: answers of the model by the key of their question.

    Returns:
        One or two sentences; all numbers are those of the attribution.

    >>> sentence(None, Subject("cat", 0.4, "class"), "running")
    'cat (.40): nothing is known yet of where the model looks.'
    """
    if attribution is None:
        return f"{'' if subject is None else subject.words + ': '}{_WITHOUT_MAP[state]}."
    about = Subject(attribution.target, attribution.score) if subject is None else subject
    prefix = "" if attribution.complete else _PREFIXES["cancelled" if state == "done" else state]
    if attribution.estimate.constant:
        body = "the score did not change under any perturbation, so no part of the image matters to it"
        return f"{about.words}{prefix}: {body}."
    heat = np.nan_to_num(attribution.spatial(), posinf=0.0, neginf=0.0)
    heat = np.abs(heat) if attribution.signed else heat.clip(min=0.0)
    if not heat.sum() > 0.0:
        return f"{about.words}{prefix}: the map is zero everywhere."
    shares = _shares(attribution)
    top = None if shares is None else int(np.nanargmax(shares.value))
    parts = [] if top is None or shares is None else [shares.words(top, preliminary=not attribution.complete)]
    place = place_words(heat, attribution.cells)
    first = "; ".join([*parts, *([place] if place else [])]) or "the map tells no scale and no place"
    alone = None if top is None or known is None else _alone(attribution.cells, top, about, known)
    return f"{about.words}{prefix}: {first}." + (f" {alone}." if alone else "")


def band_words(band: Band) -> str:
    """A band for a reader, with the name that ``select_band`` takes.

    >>> band_words(Band("HL2", 2, "HL", top=0, left=4, height=4, width=4, scale=4))
    'vertical edges (HL2)'
    """
    words = "the pixels" if band.level == 0 else _FILTERS.get(band.orientation, "the part")
    part = f" in {_PARTS.get(band.part, band.part)}" if band.part else ""
    return f"{words}{part} ({band.name})"


class _Shares(NamedTuple):
    """What part each band has: of the score's variance with an interval, or of the map itself."""

    bands: tuple[Band, ...]
    value: Float[np.ndarray, " g"]
    low: Float[np.ndarray, " g"]
    high: Float[np.ndarray, " g"]
    alone: Float[np.ndarray, " g"]  # Shapley effects
    of_variance: bool

    def words(self, top: int, *, preliminary: bool) -> str:
        """The largest share, as surely as it is known."""
        band = band_words(self.bands[top])
        if not self.of_variance:
            return f"{format_percent(self.value[top])} of the map lies in {band}"
        low, high = max(float(self.low[top]), 0.0), min(float(self.high[top]), 1.0)
        if not high - low < VAGUE:
            early = "it is too early to say" if preliminary else "it is not resolved"
            return f"{early} which scale matters, perhaps {band}"
        wide = high - low > 2 * CLOSE
        share = format_percent(self.value[top])
        if wide:
            share = f"about {share} ({format_percent(low).removesuffix(' %')} to {format_percent(high)})"
        elif preliminary or high - low > CLOSE:
            share = f"about {share}"
        words = f"{share} of the score's variance involves {band}"
        if not wide and self.alone[top] < TOGETHER * self.value[top]:
            words += ", much of it only together with other bands"
        rivals = [other for other in np.argsort(-self.high) if other != top and self.high[other] > low]
        names = [self.bands[other].name for other in rivals[:2]]
        more = " or others" if len(rivals) > len(names) else ""
        return words + (f", though {' or '.join(names)}{more} may matter as much" if names else "")


def _shares(attribution: Attribution) -> _Shares | None:
    """The bands' shares; None where there is one band, or nothing is known of them."""
    bands, profile = attribution.cells.bands, attribution.profile()
    if len(bands) < 2:
        return None
    unknown = np.full(len(bands), np.nan)
    if attribution.unit == UNIT and attribution.statistic == GROUP_STATISTIC:
        of_variance = np.minimum(profile.total, 1.0)
        shares = _Shares(bands, of_variance, profile.low, profile.high, profile.shapley, of_variance=True)
    else:
        sizes = np.nan_to_num(np.abs(attribution.values))
        summed = np.bincount(attribution.cells.groups, sizes, len(bands))
        share = summed / summed.sum() if summed.sum() > 0 else unknown
        shares = _Shares(bands, share, unknown, unknown, unknown, of_variance=False)
    return None if np.isnan(shares.value).all() else shares


def _alone(cells: Cells, top: int, subject: Subject, known: Mapping[str, Mapping[str, Any]]) -> str | None:
    """What the model says of this band by itself; None where there is no answer."""
    chosen = tuple(np.flatnonzero(cells.groups == top).tolist())
    answer = known.get(Question(chosen, "keep").key)
    if answer is None:
        return None
    band = cells.bands[top]
    name = "The coarse image" if band.orientation == "A" and not band.part and band.level else band.name
    explained = answer["target"] if subject.kind == "score" else _of_class(answer, subject.name)
    if explained is None or explained["reconstruction"] is None:
        return None
    return f"{name} alone {_deciding(subject, explained['reconstruction'], answer)}"


def _deciding(subject: Subject, value: float, answer: Mapping[str, Any]) -> str:
    """What a band by itself does, which leaves the subject at ``value``."""
    number = subject.number(value)
    if subject.kind == "score":
        return f"gives {number} instead of {subject.number(subject.value)}"
    if subject.kind == "label":
        return f"is {'' if value >= LIKELY else 'not '}enough ({number})"
    if _highest(answer, "original") != subject.name:
        return f"gives it {number}"
    rival = _highest(answer, "reconstruction")
    if rival == subject.name:
        return f"is enough: still {subject.name} ({number})"
    rival_scores = _of_class(answer, rival) or {}
    its_words = f"{rival} ({probability(rival_scores['reconstruction'] or 0.0)})"
    return f"is not enough ({number}): the model then says {its_words}"


def _highest(answer: Mapping[str, Any], when: str) -> str:
    return str(max(answer["classes"], key=lambda one: one[when] or 0.0)["label"])


def _of_class(answer: Mapping[str, Any], label: str) -> Mapping[str, Any] | None:
    return next((one for one in answer["classes"] if one["label"] == label), None)
