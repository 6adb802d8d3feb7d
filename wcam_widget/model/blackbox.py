"""`BlackBox`: a network that scores images, with batching, device, precision and modes in one place."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.batched_network import BatchedNetwork
from wcam_widget.model.batches import NETWORKS, Batches, ensure_batch_size, uncompiled
from wcam_widget.model.class_ids import ensure_names
from wcam_widget.model.device import ensure_compiler, ensure_device
from wcam_widget.model.engines.engine import ensure_engine
from wcam_widget.model.head import SOFTMAX, Activation, ensure_activation
from wcam_widget.model.images import ImageLike, ImagesLike, ensure_image, ensure_images
from wcam_widget.model.outputs import Choice, Reader, ensure_choice
from wcam_widget.model.targets import TargetLike

if TYPE_CHECKING:
    NetworkLike: TypeAlias = nn.Module | Callable[[Tensor], Any]
    ModelLike: TypeAlias = "BlackBox | NetworkLike"
    ActivationLike: TypeAlias = Activation
    OutputLike: TypeAlias = Choice | None
else:
    # Checks at run time are our own: their errors name the argument as the caller wrote it.
    NetworkLike = ModelLike = ActivationLike = OutputLike = Any

_PRECISIONS = ("auto", "float32", "bfloat16")


@final
class BlackBox(BatchedNetwork):
    """A network that scores images, run in batches that fit into memory and left exactly as it was.

    While the network runs, all its submodules are in eval mode; their own flags are put back after each
    batch, also when the network raises. Threads may share a network: one batch runs at a time. Where memory
    runs out half as many images are tried; what fits is remembered for the network, the shape of its input
    and whether it is differentiated, by all BlackBoxes around it. Copies and pickles keep all but what
    belongs to this process.

    Args:
        net: A torch module, or any callable from a tensor (n, c, h, w) to class scores (n, k), a tensor or
            an array.
        preprocess: From images (n, c, h, w), float32 in [0, 1], to the network's input; normalisation belongs
            here. None: images go in as they are.
        class_names: The k names, in order; None where classes have numbers alone.
        device: The module's own by default; the module is never moved.
        batch_size: The largest batch to try; None: what suits the device.
        precision: "auto" runs the network under bfloat16 autocast on CUDA, "bfloat16" everywhere, "float32"
            nowhere. All else is float32.
        activation: What turns scores into probabilities: "softmax", "sigmoid" for independent labels or a
            single one, "none" for scores that are no probabilities, as of a regression, or a function of
            scores (n, k). It is never guessed.
        output: Which part of the network's answer holds the scores, where that is more than one tensor: an
            index, a key, the name of an attribute or a function of the answer.
        engine: What runs images that need no gradient. "auto": torch, on a CPU after 64 images of a large
            network ONNX Runtime, or torch with normalisation fused, where these were seen to give the same
            scores to 5e-5 of their spread; gradients are then torch's with normalisation fused. "torch":
            torch alone, always the same to the last bit. "onnx": as auto, but for any network and from the
            first images on. "compiled": torch.compile.

    Raises:
        TypeError: For a ``net`` that cannot be called, and for ``class_names`` that are not text.
        ValueError: For a ``device`` other than the module's, a ``batch_size`` below 1 and an unknown
            ``precision`` or ``engine``.
        RuntimeError: For the engine "compiled" where torch has no working compiler for the device.
        ModelError: From every method that runs the network, where it raises, or answers with something that
            is no class scores, with several tensors that may be, or otherwise than it did first.

    Examples:
        >>> model = BlackBox(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), class_names=("cat", "dog"))
        >>> model.logits(torch.rand(5, 3, 2, 2)).shape
        torch.Size([5, 2])
    """

    def __init__(  # noqa: PLR0913, PLR0917 what a network is, each with a default that fits most
        self,
        net: NetworkLike,
        preprocess: Callable[[Tensor], Tensor] | None = None,
        class_names: Sequence[Any] | None = None,
        device: str | torch.device | None = None,
        batch_size: int | None = None,
        precision: str = "auto",
        activation: ActivationLike = SOFTMAX,
        output: OutputLike = None,
        engine: str = "auto",
    ) -> None:
        if isinstance(net, BlackBox):
            raise TypeError("net: found a BlackBox; use it as it is, or wrap its own net, model.net")
        if not callable(net):
            raise TypeError(
                f"net: found {type(net).__qualname__}; accepted are a torch module and a callable"
            )
        if precision not in _PRECISIONS:
            raise ValueError(f"precision: found {precision!r}; accepted are {', '.join(_PRECISIONS)}")
        self._engine_choice = ensure_engine(engine)
        self.preprocess = preprocess
        self.class_names = ensure_names(class_names)
        self.device = ensure_device(net, device)
        self.net = self._compiled(net)
        self._batches = Batches(NETWORKS.state(net), self.device, ensure_batch_size(batch_size, self.device))
        self.precision = precision
        self.views: dict[tuple[int, ...], tuple[Any, Any]] = {}
        """What `wcam_widget.model.field_of_view` measured of `preprocess`, by the shape of an image."""
        self.activation = ensure_activation(activation)
        self._reader = Reader(ensure_choice(output))

    @classmethod
    def ensure(
        cls, model: ModelLike, argument: str = "model", class_names: Sequence[Any] | None = None
    ) -> BlackBox:
        """Return a BlackBox as it is, or make one around a torch module or callable.

        Args:
            model: A BlackBox, a torch module, or a callable as ``BlackBox`` takes.
            argument: What messages call it.
            class_names: The k names, in order, for a copy of the BlackBox that has these; None keeps its own.

        Raises:
            TypeError: For what cannot be called, with ``argument`` first.

        Examples:
            >>> BlackBox.ensure(lambda images: images.mean((2, 3))).differentiable
            False
        """
        if not callable(model):
            raise TypeError(
                f"{argument}: found {type(model).__qualname__}; accepted are a BlackBox, a torch module and "
                "a callable; load_model makes a BlackBox of a name"
            )
        if not isinstance(model, cls):
            return cls(model, class_names=class_names)
        if class_names is None:
            return model
        named = copy.copy(model)
        named.class_names = ensure_names(class_names)
        return named

    def __repr__(self) -> str:
        classes = "classes unnamed" if self.class_names is None else f"{len(self.class_names)} classes"
        name = getattr(self.net, "__name__", type(self.net).__qualname__)
        how = f"device={str(self.device)!r}, batch_size={self.batch_size}, engine={self.engine.phrase!r}"
        return f"BlackBox({name}, {classes}, {how})"

    def compiled(self) -> BlackBox:
        """Return the same model with the engine "compiled", which is faster for many images.

        The network itself is not changed, and its first batches take a minute to compile. Everything else is
        this BlackBox's own.

        Raises:
            RuntimeError: Where torch has no working compiler for the device.
        """
        return self.by("compiled")

    def by(self, engine: str) -> BlackBox:
        """Return the same model with another engine.

        Args:
            engine: As of ``BlackBox``.

        Raises:
            ValueError: For an unknown ``engine``.
            RuntimeError: For "compiled" where torch has no working compiler for the device.

        Examples:
            >>> print(BlackBox(nn.Linear(2, 2)).by("torch").engine)
            PyTorch: chosen
        """
        made = copy.copy(self)
        vars(made).update(_engine_choice=ensure_engine(engine))
        return made.around(cast("NetworkLike", uncompiled(self.net)))

    def around(self, net: NetworkLike) -> BlackBox:
        """Return all of this BlackBox around another network of the same kind.

        Args:
            net: A network on the same device that takes the same input and gives as many scores.
        """
        made = copy.copy(self)
        batches = Batches(NETWORKS.state(net), self.device, self.batch_size)
        vars(made).update(net=self._compiled(net), _batches=batches)
        return made

    def _compiled(self, net: NetworkLike) -> NetworkLike:
        if self._engine_choice != "compiled" or uncompiled(net) is not net:
            return net
        ensure_compiler(self.device.type)
        return torch.compile(net, dynamic=True)

    def __getstate__(self) -> dict[str, Any]:
        """All but what belongs to this process: the lock of the network and the batches that fit."""
        own = {name: value for name, value in vars(self).items() if name != "_batches"}
        return {**own, "batch_size": self.batch_size}

    def __setstate__(self, state: dict[str, Any]) -> None:
        most = state.pop("batch_size")
        vars(self).update(state)
        self._batches = Batches(NETWORKS.state(self.net), self.device, most)

    def __call__(self, images: ImagesLike) -> Float[Tensor, "n k"]:
        """Give the probabilities of all classes.

        Args:
            images: (n, c, h, w) in [0, 1], or one image (c, h, w); paths and images of PIL, one or a list of
                them, go through ``fit``.

        Returns:
            Probabilities by the activation, (n, k), on the CPU; scores where it gives none (`unit` says
            which).

        Examples:
            >>> model = BlackBox(lambda images: images.mean(dim=(2, 3)), class_names=("red", "green", "blue"))
            >>> model(torch.zeros(1, 3, 4, 4))
            tensor([[0.3333, 0.3333, 0.3333]])
        """
        if isinstance(images, Tensor | np.ndarray) and images.ndim == 3:
            batch = ensure_image(images, "images", self.fit)[None]
        else:
            batch = ensure_images(images, "images", self.fit)
        return self.probabilities(self.logits(batch))

    def top(self, image: ImageLike, count: int = 5) -> list[tuple[str, float]]:
        """List the classes with the highest probabilities in one image, each with its probability.

        Args:
            image: (c, h, w) in [0, 1], a path or an image of PIL.
            count: How many, at least 1 and at most k.

        Examples:
            >>> model = BlackBox(lambda images: images.mean(dim=(2, 3)), class_names=("red", "green", "blue"))
            >>> model.top(torch.tensor([0.0, 1.0, 0.0]).reshape(3, 1, 1), 1)
            [('green', 0.5761...)]
        """
        shares = self(ensure_image(image, "image", self.fit))[0]
        best = shares.topk(min(max(count, 1), len(shares)))
        names = self.class_names or [f"class {index}" for index in range(len(shares))]
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return [(names[index], share) for index, share in pairs]

    def scores(self, images: Tensor, target: TargetLike) -> Float[Tensor, " n"]:
        """Score images by one target.

        Args:
            images: (n, c, h, w), float32 in the [0, 1] scale.
            target: A class id, a class name, a target, or None for the top class of the first image.

        Returns:
            The target's value of each image, (n,), on the CPU.

        Examples:
            >>> model = BlackBox(lambda images: images.mean(dim=(2, 3)), class_names=("red", "green", "blue"))
            >>> model.scores(torch.ones(2, 3, 4, 4), "green")
            tensor([1., 1.])
        """
        logits = self.logits(images)
        return self.target(target, logits[0])(logits)
