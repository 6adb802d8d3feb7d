"""How every analysis is run: parameters, and steps over explicit state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Generic, Protocol, TypeVar, final, runtime_checkable

from wcam_widget.sensitivity.estimate import Estimate
from wcam_widget.sensitivity.function import WeightFunction

UNIT = "share of the score's variance, total"
GROUP_STATISTIC = "total index of the band, its cells drawn anew together"
ALL_ROWS = "all planned rows are done"
CONSTANT_SCORE = (
    "the score did not change under any perturbation, so no cell matters to it: try another target, or check "
    "that the model reads the image"
)
REPLICATES = 16  # independent parts of a run, which give the intervals


@runtime_checkable
class AnalysisState(Protocol):
    """What the state of every analysis holds: how many scores were evaluated so far."""

    evaluations: int


State = TypeVar("State", bound=AnalysisState)


class AbstractAnalysis(ABC, Generic[State]):
    """An estimator of indices, as explicit state and steps so that it streams, stops and resumes.

    An analysis holds parameters only. Four laws hold for every one of them:

    - ``step`` is atomic: an exception of ``f`` leaves the state as it was before.
    - A run that is cut after any step and goes on equals a run that is not cut, bit for bit. Random rows
      follow from the seed, the stream and the place in the run alone.
    - ``estimate`` changes nothing.
    - More rows of the same seed keep the earlier rows: where ``continues`` allows it, a finished run goes on
      without evaluating any row again, and its numbers are of all its rows.

    Attributes:
        gradients_needed: Whether ``f.gradient`` is called.
        replayable: Whether scores alone tell of another score, which ``replayed`` and ``again`` need.
        focusable: Whether ``focused`` can give rows to some weights alone.
        unit: What a value is.
        statistic: What the numbers of a group are.

    Examples:
        >>> import numpy as np
        >>> from wcam_widget.sensitivity import Analytic, Sobol
        >>> f, analysis = Analytic(lambda w: w[:, 0], np.array([0, 1])), Sobol(rows=4)
        >>> state = analysis.init(f)
        >>> while not analysis.finished(state):
        ...     analysis.step(f, state)
        >>> int(analysis.estimate(state).value.argmax()), state.evaluations
        (0, 32)
    """

    gradients_needed: ClassVar[bool] = False
    replayable: ClassVar[bool] = True
    focusable: ClassVar[bool] = False
    unit: ClassVar[str] = UNIT
    statistic: ClassVar[str] = GROUP_STATISTIC

    @abstractmethod
    def planned(self, weights: int, groups: int) -> int:
        """Forward-equivalents of a complete run, at most; a row with a backward pass counts as three.

        Args:
            weights: The number of weights, at least 1.
            groups: The number of groups, at least 1.
        """

    def validate(self, weights: int, groups: int) -> None:
        """Refuse parameters that do not suffice for so many weights; ``init`` does so, too.

        Args:
            weights: The number of weights, at least 1.
            groups: The number of groups, at least 1.

        Raises:
            ValueError: The parameter that does not suffice is named, and what does.
        """
        del weights, groups

    @abstractmethod
    def init(self, f: WeightFunction, stream: int = 0) -> State:
        """A state before the first evaluation.

        Args:
            f: The score as a function of the weights; it is not evaluated.
            stream: Separates the random rows of several images.

        Raises:
            ValueError: As ``validate`` does.
        """

    @abstractmethod
    def step(self, f: WeightFunction, state: State) -> None:
        """Evaluate one more block of rows and take it into ``state``: all of it, or nothing.

        Args:
            f: The score as a function of the weights.
            state: A state of this analysis that is not finished; it is changed.

        Raises:
            Exception: What ``f`` raises; ``state`` is then as it was.
        """

    @abstractmethod
    def finished(self, state: State) -> bool:
        """Whether a run ends here.

        Args:
            state: A state of this analysis.
        """

    @abstractmethod
    def estimate(self, state: State) -> Estimate:
        """The indices from the rows so far; ``state`` stays as it is.

        Args:
            state: A state after at least one step.
        """

    @abstractmethod
    def reason(self, state: State) -> str:
        """Why a finished run ended, and what to do where that is not enough.

        Args:
            state: The state of the finished run.
        """

    @final
    def again(
        self, f: WeightFunction, state: State, stream: int = 0, evaluations: int | None = None
    ) -> Estimate:
        """The estimate of another score from the rows of a run.

        Args:
            f: The other score, which answers in the order of the run.
            state: The state of the run.
            stream: The stream the run was made with.
            evaluations: How many of its evaluations count, up to the end of a step; None for all.

        Raises:
            ValueError: Where scores do not suffice, since derivatives are needed.
        """
        last = state.evaluations if evaluations is None else evaluations
        return self.estimate(self.replayed(f, state, stream, last))

    def replayed(self, f: WeightFunction, state: State, stream: int, evaluations: int) -> State:
        """The state of a run of another score over the rows of a run, from which it can go on.

        Args:
            f: The other score, which answers in the order of the run.
            state: The state of the run; it stays as it is.
            stream: The stream the run was made with.
            evaluations: How many of its evaluations count, up to the end of a step.

        Raises:
            ValueError: Where scores do not suffice, since derivatives are needed.
        """
        del state  # of an analysis whose rows follow from their number alone
        fresh = self.init(f, stream)
        while fresh.evaluations < evaluations:
            self.step(f, fresh)
        return fresh

    def continues(self, earlier: object) -> bool:
        """Whether a run of another analysis can go on as one of this analysis.

        Args:
            earlier: The analysis of the run; one of another kind never fits.
        """
        return self == earlier

    def deeper(self, state: State) -> AbstractAnalysis[State] | None:
        """The analysis that goes on from a finished run at about twice its cost.

        Args:
            state: The state of the finished run.

        Returns:
            The same analysis with more rows or a larger budget; None where more gives nothing new.
        """
        del state
        return None

    def focused(self, state: State, weights: tuple[int, ...]) -> AbstractAnalysis[State] | None:
        """The analysis that goes on from a run with rows of some weights alone, as many again as these had.

        Args:
            state: The state of the run.
            weights: Their numbers, ascending, at least one.

        Returns:
            The same analysis with more rows; None where they tell nothing new, or are always of all weights.

        Raises:
            ValueError: Where there is no such weight.
        """
        del state, weights
        return None

    def run(self, f: WeightFunction, stream: int = 0) -> Iterator[Estimate]:
        """Estimates after each step; stop iterating to stop.

        Args:
            f: The score as a function of the weights.
            stream: Separates the random rows of several images.
        """
        state = self.init(f, stream)
        while not self.finished(state):
            self.step(f, state)
            yield self.estimate(state)


def ensure_rows(rows: int, fewest: int, argument: str = "rows") -> None:
    """Raise ValueError naming ``argument`` unless it is an integer of at least ``fewest``."""
    if int(rows) != rows or rows < fewest:
        raise ValueError(f"{argument}={rows!r} is too few: at least {fewest} are needed for an interval")


def ensure_share(share: float, argument: str) -> None:
    """Raise ValueError naming ``argument`` unless it lies between 0 and 1."""
    if not 0.0 < share < 1.0:
        raise ValueError(f"{argument}={share!r} must be a share of the variance, above 0 and below 1")
