"""`BlackBox`: the one way a network is asked, with batching, device, precision and modes in one place."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.batches import Batches, Gathered, Load, Pass, ensure_batch_size, shared_by, uncompiled
from wcam_widget.model.device import autocast, ensure_compiler, ensure_device
from wcam_widget.model.framing import Framed
from wcam_widget.model.gradients import differentiated, ensure_finite_slopes
from wcam_widget.model.network import Network
from wcam_widget.model.outputs import ModelError
from wcam_widget.model.targets import AbstractTarget, ensure_target
from wcam_widget.text import printable

_PRECISIONS = ("auto", "float32", "bfloat16")


@final
class BlackBox(Framed):
    """A network that scores images, asked in batches that fit into memory and left exactly as it was found.

    `net` is a torch module, or any callable that takes a tensor (n, c, h, w) and returns class scores (n, k)
    as a tensor or an array. Images are float32 in [0, 1]; `preprocess` turns them into the network's input
    (normalisation belongs there). `class_names` are the k names, in order. `device` defaults to the
    module's own; the module is never moved. `batch_size` is the largest batch to try; where memory runs out
    half as many are tried, and what fits is remembered for the network, the shape of its input and whether it
    is differentiated, by all BlackBoxes around it. With `precision` "auto" the network runs under bfloat16
    autocast on CUDA, with "bfloat16" everywhere, with "float32" nowhere. All else is float32.

    While the network runs, all its submodules are in eval mode; their own flags are put back after each
    batch, also when the network raises. Threads may share a network: one batch runs at a time.

    Raises TypeError or ValueError, naming the argument, for a `net` that cannot be called, a `device` other
    than the module's, a `batch_size` below 1, an unknown `precision` and `class_names` that are not text.
    Asking raises ModelError where the network raises or answers with something that is no class scores.

    >>> model = BlackBox(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), class_names=("cat", "dog"))
    >>> model.logits(torch.rand(5, 3, 2, 2)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        net: Any,
        preprocess: Callable[[Tensor], Tensor] | None = None,
        class_names: Sequence[Any] | None = None,
        device: str | torch.device | None = None,
        batch_size: int | None = None,
        precision: str = "auto",
    ) -> None:
        if not callable(net):
            raise TypeError(
                f"net: found {type(net).__qualname__}; accepted are a torch module and a callable"
            )
        if precision not in _PRECISIONS:
            raise ValueError(f"precision: found {precision!r}; accepted are {', '.join(_PRECISIONS)}")
        self.net: nn.Module | Callable[[Tensor], Any] = net
        self.preprocess = preprocess
        self.class_names = _ensure_names(class_names)
        self.device = ensure_device(net, device)
        most = ensure_batch_size(batch_size, self.device)
        self._batches = Batches(shared_by(net), self.device, most)
        self.precision = precision
        self.views: dict[tuple[int, ...], tuple[Any, Any]] = {}
        """What `wcam_widget.model.field_of_view` measured of `preprocess`, by the shape of an image."""

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
        """Whether `gradients` can be asked: True for a torch module, False for a plain callable."""
        return isinstance(self.net, nn.Module)

    def compiled(self) -> "BlackBox":
        """The same network through torch.compile, which makes it faster where many images are asked.

        The network itself is not changed, and its first batches take a minute to compile. Everything else is
        this BlackBox's own. Raises RuntimeError where torch has no working compiler for the device.
        """
        ensure_compiler(self.device.type)
        net = torch.compile(self.net, dynamic=True)
        made = BlackBox(net, self.preprocess, self.class_names, self.device, self.batch_size, self.precision)
        made.frame_as(self)
        return made

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
        return ensure_target(target, logits[0], self.class_names)(logits)

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
            raise ModelError(
                "net: a plain callable has no gradients; give a torch.nn.Module; Sobol needs no gradients"
            )
        if inputs.shape[0] < 1:
            raise ValueError(f"inputs: found shape {tuple(inputs.shape)}; accepted is at least one row")
        n = inputs.shape[0]
        gathered, scores = Gathered(n), Gathered(n)
        slopes = torch.empty_like(inputs, requires_grad=False)

        def differentiate(start: int, stop: int) -> Load:
            with torch.inference_mode(mode=False), torch.enable_grad():
                leaf = inputs[start:stop].detach().clone().requires_grad_()
                with autocast(self.device, reduced=False):
                    batch = images(leaf)
                network_input, load = self._network.prepared(batch, backward=True)
                logits = self._network.scores(network_input, stop - start)
                with autocast(self.device, reduced=False):
                    values = ensure_target(target, logits[0], self.class_names).of_rows(start, stop)(logits)
                    slope = differentiated(values, leaf)
                if slope is None:
                    raise ModelError(self._network.cut(network_input, logits, values))
            slopes[start:stop] = slope
            gathered.put(start, logits.detach())
            scores.put(start, values.detach()[:, None])
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
            with torch.inference_mode(mode=False), torch.set_grad_enabled(backward):
                batch = images[start:stop].detach().clone()
                network_input, load = self._network.prepared(batch, backward=backward)
                if backward and network_input.is_floating_point():
                    network_input.requires_grad_()  # a path to every layer, also where parameters are frozen
                # Compiled code does not run hooks that came later.
                ask = partial(self._network.scores, network_input, stop - start, uncompiled(self.net))
                with self._batches.shared.lock:
                    logits = work(Pass(start, network_input, ask))
            gathered.put(start, logits.detach())
            return load

        self._batches.run(look, len(images), backward=backward)
        return gathered.finish()

    @property
    def _network(self) -> Network:
        """What one batch goes through, with the attributes as they are now."""
        how = (self.class_names, self.device, self.precision)
        return Network(self.net, self.preprocess, *how, self._batches, self.input_size)


def _ensure_names(class_names: Sequence[Any] | None) -> tuple[str, ...] | None:
    if class_names is None:
        return None
    if isinstance(class_names, str) or not all(isinstance(name, str) for name in class_names):
        raise TypeError(f"class_names: found {class_names!r:.80}; accepted are None and a sequence of names")
    if not class_names:
        raise ValueError("class_names: found no names; accepted are one name per class, or None")
    return tuple(map(printable, class_names))  # they go into files, pages and messages of a kernel
