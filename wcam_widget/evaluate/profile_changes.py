"""How corruptions move the scales that a model rests on, measured image by image beside its accuracy."""

from __future__ import annotations

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor

from wcam_widget.evaluate.changed_profiles import ProfileChanges
from wcam_widget.evaluate.flips import Failures
from wcam_widget.evaluate.profiles import (
    ProfileRow,
    collected,
    ensure_method,
    ensure_repeats,
    profile_row,
)
from wcam_widget.evaluate.stream import Item, StreamLike, count_of, read
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.loop import Failure, each
from wcam_widget.explain.method import MethodLike
from wcam_widget.model import BlackBox, Logit, ModelLike
from wcam_widget.progress_bar import progress_bar
from wcam_widget.stress.corruptions import corrupt


def profile_changes(
    model: ModelLike,
    images: StreamLike,
    result: Failures,
    method: MethodLike = None,
    repeats: int = 1,
    progress: bool | None = None,
) -> ProfileChanges:
    """Measure what each corruption does to the scale profile of a model, beside what it does to accuracy.

    An image and all of its corrupted versions are explained for one score, the logit of the clean answer,
    with the same random masks, so that what the masks do to all of them cancels in the differences. Images
    are read one at a time, and of each only the numbers of its bands are kept.

    Args:
        model: That of ``result``: a ``BlackBox``, a torch module or a callable.
        images: Those of ``result``, in the same order, or the first of them, as explaining takes longer than
            answering.
        result: What ``failures`` returned: its corruptions at its severities are explained.
        method: One that measures bands, as ``Wcam``; None for ``Wcam()``.
        repeats: How often each version is explained, with other random masks, at least 1.
        progress: Whether a bar shows the rate and the time left; None in a notebook and on a terminal.

    Returns:
        Accuracy and the change of every band, level or filter, with intervals and tests over the images.

    Raises:
        ValueError: Naming ``images`` where there are more than in ``result``, ``method`` where it measures no
            bands, or what else does not fit.
        ModelError: Where the model fails.

    References:
        Fisher (1935), "The design of experiments", section 21, for the tests by changes of sign; Holm (1979),
        "A simple sequentially rejective multiple test procedure".

    Examples:
        >>> from wcam_widget import Derivative, Wcam, failures, load_demo
        >>> model, images, labels, class_names = load_demo()
        >>> result = failures(model, images[:2], labels[:2], ["fog"], [5])
        >>> changes = profile_changes(model, images[:2], result, Wcam(Derivative(rows=4)))
        >>> changes.table()["name"].tolist()
        ['A3', 'level 3', 'level 2', 'level 1']
    """
    network, chosen, count = BlackBox.ensure(model), ensure_method(method), len(result.clean)
    repeats = ensure_repeats(repeats)
    if (count_of(images) or 0) > count:
        raise _too_many(f"{count_of(images)}", count)
    first: list[Attribution] = []
    conditions = [(name, severity) for name in result.corruptions for severity in result.severities]
    names = ("clean", *(f"{name} {severity}" for name, severity in conditions))

    def versions(image: Float[Tensor, "c h w"], number: int) -> Iterator[Float[Tensor, "c h w"]]:
        yield image
        for name, severity in conditions:
            yield corrupt(image[None], name, severity, result.seed, number)[0]

    def task(number: int, image: Float[Tensor, "c h w"]) -> Iterator[list[ProfileRow]]:
        if number >= count:
            raise _too_many("more", count)
        goal, streams = Logit(int(result.clean[number])), range(number * repeats, (number + 1) * repeats)
        rows = []
        for version in versions(image, number):
            rows.append(profile_row(network, chosen, Item(version, chosen, goal), streams, first))
            bar.update()
        yield rows

    rows = []
    total = None if count_of(images) is None else (count_of(images) or 0) * len(names)
    with progress_bar(total, "maps", progress) as bar:
        for _, one in each(task, read(images, network.fit)):
            if isinstance(one, Failure):
                raise one.error
            rows.append(one)
    return ProfileChanges(result, collected(names, first[0], rows))


def _too_many(found: str, count: int) -> ValueError:
    return ValueError(f"images: found {found}; accepted are the {count} of result, or the first of them")
