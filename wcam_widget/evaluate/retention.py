"""Retention: how much of the score is kept with how much of the image's information."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Bool, Float

from wcam_widget.evaluate import measures
from wcam_widget.evaluate.average_drop import positive_score
from wcam_widget.evaluate.faithfulness import STEPS
from wcam_widget.evaluate.information import INFORMATION, L1, cumulative_share, share_of_total
from wcam_widget.evaluate.rankings import Values
from wcam_widget.evaluate.result import Faithfulness
from wcam_widget.evaluate.scoring_space import AttributionsLike, Case, Domain, DomainLike, MeasureInputs
from wcam_widget.explain.attribution import Attribution
from wcam_widget.explain.gradient.cartoonx import UNIT
from wcam_widget.model import ImagesLike, ModelLike, TargetsLike

KEPT = 0.9  # share of the score


@final
@dataclass(frozen=True, eq=False)
class Retention:
    """Curves of what is retained of each image's score against what is retained of its information.

    The readings ``area``, ``decision``, ``score`` and ``conciseness`` have those of the null rankings beside.

    Attributes:
        domain: Which cells were kept.
        shares: Information by "l1" and by "entropy", 0 to 1, (B, s + 1) each.
        retained: Shares of the image's score, (B, s + 1).
        decided: Whether the image's top class is still the top class, (B, s + 1).
        flat: True where a map ranks nothing, (B,).
        soft: One point an image, of masks used as they are; None where maps are no masks.
        null: The same for the null rankings.
        measure: The information that ``against`` chose.
    """

    domain: str
    shares: Mapping[str, Float[np.ndarray, "b s"]]
    retained: Float[np.ndarray, "b s"]
    decided: Bool[np.ndarray, "b s"]
    flat: Bool[np.ndarray, " b"]
    soft: Retention | None = None
    null: Mapping[str, Retention] = field(default_factory=dict)
    measure: str = L1

    def __repr__(self) -> str:
        read = f"area {self.area.mean:.3f}, decision from {100 * self.decision.mean:.3g} % of the information"
        return f"<retention against {self.measure}, {self.domain}, images: {len(self.flat)}, {read}>"

    @property
    def information(self) -> Float[np.ndarray, "b s"]:
        """The share of the information at each point of the curves."""
        return self.shares[self.measure]

    def against(self, measure: str) -> Retention:
        """The same curves against another information; the model does not run again.

        Args:
            measure: "l1" or "entropy".
        """
        if measure not in self.shares:
            raise ValueError(f"measure: found {measure!r}; accepted are {', '.join(self.shares)}")
        soft = None if self.soft is None else self.soft.against(measure)
        null = {name: one.against(measure) for name, one in self.null.items()}
        return replace(self, measure=measure, soft=soft, null=null)

    @property
    def area(self) -> Faithfulness:
        """The area under each curve, higher is better; its ``fractions`` are the information."""
        areas = [measures.area(*curve) for curve in zip(self.retained, self.information, strict=True)]
        null = {name: one.area for name, one in self.null.items()}
        return replace(
            _reading(self, f"retention against {self.measure}", np.array(areas), null),
            fractions=self.information,
            curves=self.retained,
        )

    @property
    def decision(self) -> Faithfulness:
        """The least information at which the image's top class is the top class; lower is better.

        It is 0 where the baseline has that class already.
        """
        null = {name: one.decision for name, one in self.null.items()}
        return _reading(self, "least information for the decision", self._least(self.decided), null)

    def score(self, share: float = KEPT) -> Faithfulness:
        """The least information at which a share of the score is kept; lower is better.

        Args:
            share: Of the score, above 0 and at most 1.

        Returns:
            One share of the information per image.

        Raises:
            ValueError: Naming ``share`` unless it is above 0 and at most 1.
        """
        if not 0 < share <= 1:
            raise ValueError(f"share: found {share!r}; accepted is a share of the score in (0, 1]")
        null = {name: one.score(share) for name, one in self.null.items()}
        name = f"least information for {100 * share:.3g} % of the score"
        return _reading(self, name, self._least(self.retained >= share), null)

    @property
    def conciseness(self) -> Faithfulness:
        """The conciseness-preciseness score of masks: retained score over retained information.

        Higher is better; a mask that keeps nothing has 0. Null rankings keep as much information, by their
        curves. Raises ValueError where the maps are no masks. Source: Kolek et al. (2023), "Explaining image
        classifiers with multiscale directional image representation".
        """
        if self.soft is None:
            raise ValueError(
                "conciseness belongs to masks, such as those of CartoonX, in their own cells; "
                "area, decision and score are for any map"
            )
        information = self.soft.information[:, 0]
        null = {
            name: _per_information(one, one.at(information), information, {})
            for name, one in self.null.items()
        }
        return _per_information(self, self.soft.retained[:, 0], information, null)

    def at(self, information: Float[np.ndarray, " b"]) -> Float[np.ndarray, " b"]:
        """What is retained of each image's score at a share of its information, by its curve.

        Args:
            information: In [0, 1].

        Returns:
            One share of the score per image.
        """
        curves = zip(information, self.information, self.retained, strict=True)
        return np.array([np.interp(*one) for one in curves])

    def _least(self, held: Bool[np.ndarray, "b s"]) -> Float[np.ndarray, " b"]:
        """The information at the first point that holds; all of it where rounding spoils even that."""
        first = np.where(held.any(1), held.argmax(1), held.shape[1] - 1)
        return np.asarray(self.information[np.arange(len(first)), first])


def retention(
    model: ModelLike,
    images: ImagesLike,
    attributions: AttributionsLike,
    targets: TargetsLike = None,
    domain: DomainLike = "own",
    steps: int = STEPS,
) -> Retention:
    """What is retained of the score while the most valued cells are kept, against their share of information.

    Information is the l1 norm of coefficients, less the baseline's, or (``against("entropy")``) their
    entropy: the sum of -p log p, where p is a coefficient's share of the squared norm. The cells of a map are
    kept in the order of their values, equal ones in the order of the cells, as many as make the information
    grow by 1 / ``steps`` from point to point; large cells make larger steps. Nothing is kept at the first
    point, everything at the last. Scores must be positive, as for ``average_drop``.

    Args:
        model: A ``BlackBox``, a torch module or a callable.
        images: (B, C, H, W) in [0, 1], or a list of images.
        attributions: One ``Attribution`` per image, or maps, (B, H, W).
        targets: A class or target for all images or for each; a class stands for its probability, None for
            the class that was explained.
        domain: Which cells are removed: "own", "pixels", "wavelet", a ``Wcam`` or a ``Domain``. Baseline:
            the image's mean colour unless given.
        steps: Points after the first, at least 1; each is a forward of every image and null ranking.

    Returns:
        Curves of the score against the information, and the readings of them.

    Raises:
        ValueError: For an argument that does not fit the images, with its name first.
        TypeError: For an argument of another type, likewise.

    References:
        Kolek et al. (2023), "Explaining image classifiers with multiscale directional image
        representation", made a curve.

    Examples:
        >>> from wcam_widget import Logit
        >>> from wcam_widget.evaluate.scoring_space import Domain
        >>> images = torch.tensor([[[[0.0, 0.5], [0.5, 1.0]]]])
        >>> total = lambda images: images.sum((2, 3))
        >>> curves = retention(total, images, images[:, 0], [Logit(0)], Domain(baseline="black"), steps=2)
        >>> curves.information, curves.retained
        (array([[0. , 0.5, 1. ]]), array([[0. , 0.5, 1. ]]))
    """
    if steps < 1 or int(steps) != steps:
        raise ValueError(f"steps: found {steps}; accepted is an integer of at least 1")
    curves: list[list[_Points]] = []
    soft: list[_Points | None] = []
    flat, words, names = [], "", list[str]()
    inputs = MeasureInputs(model, images, attributions, targets, Domain.ensure(domain, "mean"))
    for case in inputs:
        information = {name: of(case.probe) for name, of in INFORMATION.items()}
        curves.append([_kept(case, values, information, steps) for values in case.rankings])
        soft.append(_masked(case, information) if _is_mask(case, attributions[case.number]) else None)
        flat.append(case.flat)
        words, names = words or case.words, list(case.nulls)
    own, *nulls = (_stacked(list(column), words) for column in zip(*curves, strict=True))
    masks = [one for one in soft if one is not None]
    return replace(
        own,
        flat=np.array(flat),
        soft=_stacked(masks, words) if len(masks) == len(soft) else None,
        null=dict(zip(names, nulls, strict=True)),
    )


@final
@dataclass(frozen=True, eq=False)
class _Points:
    """What is retained of one image at some points: information by its name, score, decision."""

    shares: dict[str, Float[np.ndarray, " s"]]
    retained: Float[np.ndarray, " s"]
    decided: Bool[np.ndarray, " s"]


def _kept(case: Case, values: Values, information: Mapping[str, Values], steps: int) -> _Points:
    """Points at which the most valued cells are kept, the l1 norm of these as even as cells allow."""
    places = measures.ranks(values)
    order = np.argsort(places)
    grown = {name: cumulative_share(one[order]) for name, one in information.items()}
    levels = np.arange(steps + 1) / steps
    counts = np.searchsorted(grown[L1], levels - 1e-9)  # sums of rounded numbers miss a level by less
    counts[-1] = len(values)
    return _points(
        case,
        len(counts),
        lambda part: places < counts[part, None],
        {name: one[counts] for name, one in grown.items()},
    )


def _masked(case: Case, information: Mapping[str, Values]) -> _Points:
    """The point of a mask used as it is."""
    shares = {name: np.array([case.values @ share_of_total(one)]) for name, one in information.items()}
    return _points(case, 1, lambda _: case.values[None], shares)


def _points(
    case: Case, rows: int, weights: Callable[[slice], np.ndarray], shares: dict[str, np.ndarray]
) -> _Points:
    """The model's scores and decisions at rows of weights."""
    image_score = positive_score(case)
    logits = measures.in_parts(case.probe.logits, rows, len(case.values), weights)
    scores = case.probe.target(torch.from_numpy(logits).float()).double().numpy()
    decided = measures.decisions(logits) == measures.decisions(case.probe.image_logits[None].cpu().numpy())
    return _Points(shares, scores / image_score, decided)


def _is_mask(case: Case, given: Any) -> bool:
    """Whether a map is a mask and the domain has its cells: then its values are those of the case."""
    return isinstance(given, Attribution) and given.unit == UNIT and case.values is given.values


def _stacked(points: Sequence[_Points], domain: str) -> Retention:
    """The points of all images, of a map that ranks something in each."""
    return Retention(
        domain=domain,
        shares={name: np.array([one.shares[name] for one in points]) for name in INFORMATION},
        retained=np.array([one.retained for one in points]),
        decided=np.array([one.decided for one in points]),
        flat=np.zeros(len(points), bool),
    )


def _per_information(
    one: Retention,
    retained: Float[np.ndarray, " b"],
    information: Float[np.ndarray, " b"],
    null: Mapping[str, Faithfulness],
) -> Faithfulness:
    """Retained score over retained information; 0 where nothing is kept."""
    kept = information > 0
    values = np.where(kept, retained / np.where(kept, information, 1.0), 0.0)
    return _reading(one, "conciseness-preciseness", values, null)


def _reading(
    one: Retention, name: str, values: Float[np.ndarray, " b"], null: Mapping[str, Faithfulness]
) -> Faithfulness:
    """A number per image that is read off the curves, with those of the null rankings."""
    return Faithfulness(name, one.domain, values, one.flat, null=null)
