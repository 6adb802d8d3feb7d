"""`BlackBox`: the one way a network is asked, with batching, device, precision and modes in one place."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.batches import Batches, Gathered, Load, Pass, ensure_batch_size, shared_by
from wcam_widget.model.class_ids import ensure_names
from wcam_widget.model.device import autocast, ensure_compiler, ensure_device, is_quantised
from wcam_widget.model.framing import Framed
from wcam_widget.model.gradients import INSTEAD, ensure_finite_slopes
from wcam_widget.model.head import SOFTMAX, Head, ensure_activation
from wcam_widget.model.images import ensure_image, ensure_images
from wcam_widget.model.network import Network
from wcam_widget.model.outputs import ModelError, Reader, ensure_choice
from wcam_widget.model.targets import AbstractTarget, ensure_target

_PRECISIONS = ("auto", "float32", "bfloat16")


@final
class BlackBox(Framed):
    """A network that scores images, asked in batches that fit into memory and left exactly as it was found.

    `net` is a torch module, or any callable that takes a tensor (n, c, h, w) and returns class scores (n, k)
    as a tensor or an array. Images are float32 in [0, 1]; `preprocess` turns them into the network's input
    (normalisation belongs there). `class_names` are the k names, in order. `device` defaults to the
    module's own; the module is never moved. `batch_size` is the largest batch to try; where memory runs out
    half as many are tried; what fits is remembered for the network, the shape of its input and whether it
    is differentiated, by all BlackBoxes around it. With `precision` "auto" the network runs under bfloat16
    autocast on CUDA, with "bfloat16" everywhere, with "float32" nowhere. All else is float32. `activation`
    turns scores into probabilities: "softmax", "sigmoid" for independent labels or a single one, "none" for
    scores that are no probabilities, as of a regression, or a function of scores (n, k); it is never guessed.
    `output` says which part of a network's answer holds the scores, where that is more than one tensor: an
    index, a key, the name of an attribute or a function of the answer.

    While the network runs, all its submodules are in eval mode; their own flags are put back after each
    batch, also when the network raises. Threads may share a network: one batch runs at a time.

    Raises TypeError or ValueError, naming the argument, for a `net` that cannot be called, a `device` other
    than the module's, a `batch_size` below 1, an unknown `precision` and `class_names` that are not text.
    Asking raises ModelError where the network raises, or answers with something that is no class scores, with
    several tensors that may be, or otherwise than it did first. Copies and pickles keep all but what belongs
    to this process.

    >>> model = BlackBox(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), class_names=("cat", "dog"))
    >>> model.logits(torch.rand(5, 3, 2, 2)).shape
    torch.Size([5, 2])
    """

    def __init__(  # noqa: PLR0913, PLR0917 what a network is, each with a default that fits most
        self,
        net: Any,
        preprocess: Callable[[Tensor], Tensor] | None = None,
        class_names: Sequence[Any] | None = None,
        device: str | torch.device | None = None,
        batch_size: int | None = None,
        precision: str = "auto",
        activation: Any = SOFTMAX,
        output: Any = None,
    ) -> None:
        if isinstance(net, BlackBox):
            raise TypeError("net: found a BlackBox; use it as it is, or wrap its own net, model.net")
        if not callable(net):
            raise TypeError(
                f"net: found {type(net).__qualname__}; accepted are a torch module and a callable"
            )
        if precision not in _PRECISIONS:
            raise ValueError(f"precision: found {precision!r}; accepted are {', '.join(_PRECISIONS)}")
        self.net: nn.Module | Callable[[Tensor], Any] = net
        self.preprocess = preprocess
        self.class_names = ensure_names(class_names)
        self.device = ensure_device(net, device)
        self._batches = Batches(shared_by(net), self.device, ensure_batch_size(batch_size, self.device))
        self.precision = precision
        self.views: dict[tuple[int, ...], tuple[Any, Any]] = {}
        """What `wcam_widget.model.field_of_view` measured of `preprocess`, by the shape of an image."""
        self.activation = ensure_activation(activation)
        self._reader = Reader(ensure_choice(output))

    def __repr__(self) -> str:
        classes = "classes unnamed" if self.class_names is None else f"{len(self.class_names)} classes"
        name = getattr(self.net, "__name__", type(self.net).__qualname__)
        return f"BlackBox({name}, {classes}, device={str(self.device)!r}, batch_size={self.batch_size})"

    @property
    def batch_size(self) -> int:
        """The largest batch to try."""
        return self._batches.most

    @property
    def differentiable(self) -> bool:
        """Whether `gradients` can be asked: of a torch module, but no plain callable and no quantised one."""
        return isinstance(self.net, nn.Module) and not is_quantised(self.net)

    @property
    def dtypes(self) -> set[torch.dtype]:
        """What the network computes in: the dtypes of its parameters, bfloat16 where it is autocast."""
        return self._network.dtypes

    def compiled(self) -> "BlackBox":
        """The same network through torch.compile, which makes it faster where many images are asked.

        The network itself is not changed, and its first batches take a minute to compile. Everything else is
        this BlackBox's own. Raises RuntimeError where torch has no working compiler for the device.
        """
        ensure_compiler(self.device.type)
        return self.around(torch.compile(self.net, dynamic=True))

    def around(self, net: Any) -> "BlackBox":
        """All of this BlackBox around another network of the same kind."""
        made = copy.copy(self)
        vars(made).update(net=net, _batches=Batches(shared_by(net), self.device, self.batch_size))
        return made

    def __getstate__(self) -> dict[str, Any]:
        """All but what belongs to this process: the lock of the network and the batches that fit."""
        own = {name: value for name, value in vars(self).items() if name != "_batches"}
        return {**own, "batch_size": self.batch_size}

    def __setstate__(self, state: dict[str, Any]) -> None:
        most = state.pop("batch_size")
        vars(self).update(state)
        self._batches = Batches(shared_by(self.net), self.device, most)

    @property
    def head(self) -> Head:
        """What the class scores mean: the activation, and how many scores there are once one was seen."""
        return Head(self.activation, self._reader.classes)

    def __call__(self, images: Any) -> Float[Tensor, "n k"]:
        """Probabilities by class (n, k) of images (n, c, h, w) in [0, 1], or of one (c, h, w), on the CPU.

        Paths and images of PIL, one or a list of them, go through ``fit``. Probabilities are the
        activation's; scores stand where it gives none (`unit` says which).

        >>> model = BlackBox(lambda images: images.mean(dim=(2, 3)), class_names=("red", "green", "blue"))
        >>> model(torch.zeros(1, 3, 4, 4))
        tensor([[0.3333, 0.3333, 0.3333]])
        """
        single = getattr(images, "ndim", 0) == 3
        ensure = ensure_image if single else ensure_images
        asked = ensure(images, "images", self.fit)
        return self.probabilities(self.logits(asked[None] if single else asked))

    def top(self, image: Any, count: int = 5) -> list[tuple[str, float]]:
        """The classes with the highest probabilities in one image (c, h, w), each with its probability.

        >>> model = BlackBox(lambda images: images.mean(dim=(2, 3)), class_names=("red", "green", "blue"))
        >>> model.top(torch.tensor([0.0, 1.0, 0.0]).reshape(3, 1, 1), 1)
        [('green', 0.5761...)]
        """
        shares = self(ensure_image(image, "image", self.fit))[0]
        best = shares.topk(min(max(count, 1), len(shares)))
        names = self.class_names or [f"class {index}" for index in range(len(shares))]
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return [(names[index], share) for index, share in pairs]

    def probabilities(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """What class scores (n, k) are as probabilities, by the activation; as they are where it gives none.

        >>> BlackBox(lambda images: images, activation="sigmoid").probabilities(torch.zeros(1, 2))
        tensor([[0.5000, 0.5000]])
        """
        return self.head.probabilities(logits)

    @property
    def unit(self) -> str:
        """What `model(images)` gives, in words: "probability, softmax", or "score" where it is none."""
        return self.head.unit

    def target(self, target: Any, logits: Float[Tensor, " k"]) -> AbstractTarget:
        """The target that a caller wrote, for this model; None stands for the top class of ``logits`` (k,).

        Raises what `ensure_target` raises.

        >>> BlackBox(lambda images: images, class_names=("cat", "dog")).target("dog", torch.zeros(2))
        Logit(class_id=1)
        """
        return ensure_target(target, logits, self.class_names, self.head)

    def logits(self, images: Tensor) -> Float[Tensor, "n k"]:
        """Score images (n, c, h, w), float32 in the [0, 1] scale; returns class scores (n, k) on the CPU.

        Values outside [0, 1] are allowed, for perturbed images. Raises ValueError for another rank or dtype
        and for an empty batch.

        >>> BlackBox(lambda images: images.mean(dim=(2, 3))).logits(torch.ones(2, 3, 4, 4))
        tensor([[1., 1., 1.],
                [1., 1., 1.]])
        """
        if images.ndim != 4 or images.shape[0] == 0 or not images.is_floating_point():
            raise ValueError(
                f"images: found {images.dtype} {tuple(images.shape)}; "
                "accepted is a float tensor (n, c, h, w) with n >= 1"
            )
        return self.logits_of(lambda start, stop: images[start:stop].detach(), images.shape[0])

    def logits_of(self, make: Callable[[int, int], Tensor], n: int) -> Float[Tensor, "n k"]:
        """Score `n` images that `make(start, stop)` makes batch by batch.

        Returns class scores (n, k) on the CPU. Nothing of size n x h x w is held. When memory runs out the
        batch is halved and made again; rows that are done are kept. Raises ValueError for n < 1.

        >>> BlackBox(lambda images: images.mean(dim=(2, 3)), batch_size=2).logits_of(
        ...     lambda start, stop: torch.arange(start, stop).reshape(-1, 1, 1, 1).float(), 3).flatten()
        tensor([0., 1., 2.])
        """
        if n < 1:
            raise ValueError(f"n: found {n}; accepted is at least one image")
        gathered = Gathered(n)

        def score(start: int, stop: int) -> Load:
            with torch.no_grad(), autocast(self.device, reduced=False):
                images = make(start, stop)
            with torch.inference_mode():
                network_input, load = self._network.prepared(images, backward=False)
                logits = self._network.scores(network_input, stop - start)
            gathered.put(start, logits)
            return load

        self._batches.run(score, n, backward=False)
        return gathered.finish()

    def scores(self, images: Tensor, target: AbstractTarget | int | str) -> Float[Tensor, " n"]:
        """Score images (n, c, h, w) by a target, a class id or a class name; returns (n,) on the CPU.

        >>> model = BlackBox(lambda images: images.mean(dim=(2, 3)), class_names=("red", "green", "blue"))
        >>> model.scores(torch.ones(2, 3, 4, 4), "green")
        tensor([1., 1.])
        """
        logits = self.logits(images)
        return self.target(target, logits[0])(logits)

    def gradients(
        self, inputs: Tensor, images: Callable[[Tensor], Tensor], target: AbstractTarget | int | str
    ) -> tuple[Float[Tensor, " n"], Tensor]:
        """Score `n` inputs and differentiate each score by its own input.

        `images(inputs[start:stop])` makes the images (m, c, h, w) of one batch by torch operations. Returns
        the scores (n,) on the CPU and the gradients, of the shape and on the device of `inputs`. Parameters
        keep their `.grad` and may be frozen.

        Raises ModelError where there is no gradient: `net` is a plain callable, cuts the gradient path, or
        the target is not made of torch operations. `Sobol` needs no gradients.

        >>> linear = BlackBox(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))
        >>> scores, slopes = linear.gradients(torch.rand(3, 4), lambda rows: rows.reshape(-1, 1, 2, 2), 1)
        >>> torch.allclose(slopes, linear.net[1].weight[1].expand(3, 4))
        True
        """
        if not self.differentiable:
            kind = "quantised network" if isinstance(self.net, nn.Module) else "plain callable"
            raise ModelError(f"net: a {kind} has no gradients; give a torch.nn.Module of floats; {INSTEAD}")
        if inputs.shape[0] < 1:
            raise ValueError(f"inputs: found shape {tuple(inputs.shape)}; accepted is at least one row")
        n = inputs.shape[0]
        gathered, scores = Gathered(n), Gathered(n)
        slopes = torch.empty_like(inputs, requires_grad=False)

        def differentiate(start: int, stop: int) -> Load:
            def explained(logits: Tensor) -> Tensor:
                return self.target(target, logits[0]).of_rows(start, stop)(logits)

            logits, values, slope, load = self._network.differentiated(inputs[start:stop], images, explained)
            slopes[start:stop] = slope
            gathered.put(start, logits)
            scores.put(start, values[:, None])
            return load

        self._batches.run(differentiate, n, backward=True)
        gathered.finish()
        ensure_finite_slopes(slopes)
        return scores.finish()[:, 0], slopes

    def watch(self, images: Tensor, work: Callable[[Pass], Tensor], *, backward: bool) -> Tensor:
        """Score images (n, c, h, w) while ``work`` looks inside the network, for instance through hooks.

        ``work`` asks each batch and returns its scores; no other batch is in the network meanwhile. Where
        memory runs out it is called again with fewer images. Returns class scores (n, k) on the CPU.
        """
        gathered = Gathered(len(images))

        def look(start: int, stop: int) -> Load:
            logits, load = self._network.watched(start, images[start:stop], work, backward=backward)
            gathered.put(start, logits)
            return load

        self._batches.run(look, len(images), backward=backward)
        return gathered.finish()

    @property
    def _network(self) -> Network:
        how = (self.class_names, self.device, self.precision)
        return Network(self.net, self.preprocess, *how, self._batches, self._reader, self.input_size)
