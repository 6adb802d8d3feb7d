"""How the explanation of another target begins: from class scores that are kept, anew, or at a price."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol, TypeVar, final, runtime_checkable

from wcam_widget.explain import AbstractMethod, Attribution
from wcam_widget.model import AbstractTarget, Logit, Margin, Probability, TargetLike
from wcam_widget.show.explorer.layers import Source
from wcam_widget.show.explorer.offer import Maps, Offer, Resumable, fresh_offer
from wcam_widget.show.explorer.stream import LayerStream, RunStream
from wcam_widget.show.words import duration

AT_ONCE = 2.0  # seconds of computing that nobody has to be asked about


@final
@dataclass(frozen=True)
class Course:
    """How a run of another target goes on from that of an earlier one.

    Args:
        maps: begins it; None where nothing is known of the target, and a reader has to agree to the price.
        price: a run of its own, where what ``maps`` give is less than that.
    """

    maps: Maps | None
    price: Offer | None = None


def course(run: RunStream, target: AbstractTarget, anew: Maps) -> Course:
    """How to explain another target after a run, or in the middle of it.

    Rows whose class scores are kept count for every target alike, unless derivatives chose or judged them:
    what is left without these is a rougher map. A run that was under way goes on to its end.

    Args:
        run: the run of the earlier target.
        target: the target, resolved for the model.
        anew: begins a run of its own.
    """
    now, going = run.attribution, not run.ended.is_set()
    replayable = now is not None and has_scores(now)
    exact = replayable and now is not None and now.gradients == 0
    price = fresh_offer(anew, now)
    if exact:
        return Course(lambda: _turned(run, target, anew if going else None))
    if going or price is None or price.seconds <= AT_ONCE:
        return Course(anew)
    if replayable:
        return Course(lambda: _turned(run, target, None), price)
    return Course(None, price)


def again(
    layer: LayerStream,
    target: AbstractTarget,
    before: str,
    make: Callable[[str, Source], LayerStream],
) -> LayerStream:
    """A layer for another target; a map that was given stays, and what would take long says so instead.

    Args:
        layer: the layer of the earlier target.
        target: the target, resolved for the model.
        before: the earlier target, in words.
        make: makes a layer from its name and source.
    """
    name, now = layer.layer.name, layer.layer.attribution
    if isinstance(layer.source, Attribution) or now is None or not now.complete or now.seconds <= AT_ONCE:
        return make(name, layer.source)
    if has_scores(now):
        turned = make(name, now.for_target(target))
        turned.source = layer.source
        return turned
    long = make(name, layer.source)
    long.leave(f"it explained {before}: add_layer computes it anew, in about {duration(now.seconds)}")
    return long


def chosen(now: AbstractTarget, params: Mapping[str, Any]) -> AbstractTarget:
    """The target that a front end wants, in the kind of the one there is.

    Args:
        now: what is explained now.
        params: ``class_id``, and ``other``, the class it is to be above, or None; not trusted.

    Raises:
        ValueError: where they are no class ids.

    >>> chosen(Logit(1), {"class_id": 2, "other": 5}), chosen(Probability(1), {"class_id": 2})
    (Margin(class_id=2, other=5), Probability(class_id=2))
    """
    wanted, other = params.get("class_id"), params.get("other")
    if type(wanted) is not int or not (other is None or type(other) is int):
        raise ValueError("class_id must be a whole number, and other one or null")
    if other is not None:
        return Margin(wanted, other)
    return Probability(wanted) if isinstance(now, Probability) else Logit(wanted)


@runtime_checkable
class Targeted(Protocol):
    """What explains a target, and may explain another one."""

    def resolve(self, target: TargetLike) -> AbstractTarget:
        """The target for its model; ValueError or TypeError where that has none."""

    def retarget(self, target: TargetLike) -> None:
        """Explain another one."""


One = TypeVar("One", bound=Targeted)


def retarget_all(sessions: Sequence[One], target_of: Callable[[One], TargetLike]) -> None:
    """Explain another target on all sides, or on none where one of them has no such target."""
    targets = [(session, target_of(session)) for session in sessions]
    for session, target in targets:
        session.resolve(target)
    for session, target in targets:
        session.retarget(target)


def has_scores(attribution: Attribution) -> bool:
    """Whether an attribution can answer for another target."""
    return bool(attribution.traces) and all(one.analysis.replayable for one in attribution.traces)


def _turned(run: RunStream, target: AbstractTarget, anew: Maps | None) -> Iterator[Attribution]:
    """The map of another target from the scores of a run, and the rest of the run where it is wanted."""
    now = run.attribution
    if now is None:
        return iter(()) if anew is None else anew()
    turned = now.for_target(target)
    if turned.complete or anew is None:
        return iter([turned])
    rest = _rest(run.method, turned)
    return chain([turned], rest) if rest is not None else anew()


def _rest(method: AbstractMethod, turned: Attribution) -> Iterator[Attribution] | None:
    """The steps that are still to come; None where the method cannot go on from a map."""
    if not isinstance(method, Resumable):
        return None
    further = method.further(turned)
    return None if further is None or not isinstance(further, Resumable) else further.resume(turned)


def held(target: TargetLike, resolved: AbstractTarget) -> TargetLike:
    """What all methods explain: the class of the first look, which each of them scores in its own way."""
    if isinstance(target, AbstractTarget) or not isinstance(resolved, Logit | Probability):
        return resolved
    return resolved.class_id
