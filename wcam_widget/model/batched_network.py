"""Class scores and gradients of any number of images, in batches that fit into memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.batches import Batches, Load, Pass, ScoreBuffer
from wcam_widget.model.classifier import Classifier
from wcam_widget.model.device import autocast, is_quantised
from wcam_widget.model.engines.engine import Engine
from wcam_widget.model.framing import PhotographFit
from wcam_widget.model.gradients import INSTEAD, ensure_finite_slopes
from wcam_widget.model.network import Network
from wcam_widget.model.outputs import ModelError
from wcam_widget.model.targets import TargetLike


class BatchedNetwork(Classifier, PhotographFit):
    """The half of `BlackBox` that runs the network: forwards, backwards and hooks, batch by batch."""

    net: nn.Module | Callable[[Tensor], Any]
    preprocess: Callable[[Tensor], Tensor] | None
    device: torch.device
    precision: str
    _engine_choice: str
    _batches: Batches

    @property
    def batch_size(self) -> int:
        """The largest batch to try."""
        return self._batches.most

    @property
    def differentiable(self) -> bool:
        """Whether there are `gradients`: of a torch module, but no plain callable and no quantised one."""
        return isinstance(self.net, nn.Module) and not is_quantised(self.net)

    @property
    def dtypes(self) -> set[torch.dtype]:
        """What the network computes in: the dtypes of its parameters, bfloat16 where it is autocast."""
        return self._network.dtypes

    @property
    def engine(self) -> Engine:
        """What runs images, and why; as known of the latest batch."""
        return self._network.engine

    def logits(self, images: Tensor) -> Float[Tensor, "n k"]:
        """Compute the class scores of images.

        Args:
            images: (n, c, h, w), float32 in the [0, 1] scale; perturbed ones may leave it.

        Returns:
            Class scores, (n, k), float32 on the CPU.

        Raises:
            ValueError: For another rank or dtype and for an empty batch.

        Examples:
            >>> from wcam_widget.model import BlackBox
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

    def logits_of(self, make: Callable[[int, int], Float[Tensor, "m c h w"]], n: int) -> Float[Tensor, "n k"]:
        """Compute the class scores of images that are made batch by batch: nothing of size n h w is held.

        Args:
            make: ``make(start, stop)`` gives images ``start`` to ``stop``; called with fewer where memory
                runs out. Rows that are done are kept.
            n: How many images, at least 1.

        Returns:
            Class scores, (n, k), float32 on the CPU.

        Raises:
            ValueError: For n < 1.

        Examples:
            >>> from wcam_widget.model import BlackBox
            >>> BlackBox(lambda images: images.mean(dim=(2, 3)), batch_size=2).logits_of(
            ...     lambda start, stop: torch.arange(start, stop).reshape(-1, 1, 1, 1).float(), 3).flatten()
            tensor([0., 1., 2.])
        """
        if n < 1:
            raise ValueError(f"n: found {n}; accepted is at least one image")
        buffer = ScoreBuffer(n)

        def score(start: int, stop: int) -> Load:
            with torch.no_grad(), autocast(self.device, reduced=False):
                images = make(start, stop)
            with torch.inference_mode():
                network_input, load = self._network.prepared(images, backward=False)
                logits = self._network.fast_scores(network_input, n - start)
            buffer.put(start, logits)
            return load

        self._batches.run(score, n, backward=False)
        return buffer.finish()

    def gradients(
        self,
        inputs: Float[Tensor, "n ..."],
        images: Callable[[Tensor], Float[Tensor, "m c h w"]],
        target: TargetLike,
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, "n ..."]]:
        """Score inputs and differentiate each score by its own input.

        Parameters of the network keep their ``.grad`` and may be frozen.

        Args:
            inputs: One row for each image, (n, ...): weights of cells, or the images themselves.
            images: Makes the images (m, c, h, w) of some rows by torch operations.
            target: A class id, a class name, or a target.

        Returns:
            The scores, (n,), on the CPU, and the gradients, of the shape and on the device of ``inputs``.

        Raises:
            ModelError: Where there is no gradient: the network is a plain callable, cuts the gradient path,
                or the target is not made of torch operations. ``Sobol`` needs no gradients.

        Examples:
            >>> from wcam_widget.model import BlackBox
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
        buffer, scores = ScoreBuffer(n), ScoreBuffer(n)
        slopes = torch.empty_like(inputs, requires_grad=False)

        def differentiate(start: int, stop: int) -> Load:
            def explained(logits: Tensor) -> Tensor:
                return self.target(target, logits[0]).for_rows(start, stop)(logits)

            how = (images, explained, n - start)
            logits, values, slope, load = self._network.differentiated(inputs[start:stop], *how)
            slopes[start:stop] = slope
            buffer.put(start, logits)
            scores.put(start, values[:, None])
            return load

        self._batches.run(differentiate, n, backward=True)
        buffer.finish()
        ensure_finite_slopes(slopes)
        return scores.finish()[:, 0], slopes

    def watch(
        self, images: Float[Tensor, "n c h w"], work: Callable[[Pass], Tensor], *, backward: bool
    ) -> Float[Tensor, "n k"]:
        """Compute class scores while ``work`` looks inside the network, for instance through hooks.

        Args:
            images: (n, c, h, w), float32 in the [0, 1] scale.
            work: Runs one batch and returns its scores; no other batch is in the network meanwhile. Where
                memory runs out it is called again with fewer images.
            backward: Whether ``work`` differentiates.

        Returns:
            Class scores, (n, k), float32 on the CPU.
        """
        buffer = ScoreBuffer(len(images))

        def look(start: int, stop: int) -> Load:
            logits, load = self._network.watched(start, images[start:stop], work, backward=backward)
            buffer.put(start, logits)
            return load

        self._batches.run(look, len(images), backward=backward)
        return buffer.finish()

    @property
    def _network(self) -> Network:
        how = (self.class_names, self.device, self.precision)
        known = (self._reader, self.input_size, self._engine_choice)
        return Network(self.net, self.preprocess, *how, self._batches, *known)
