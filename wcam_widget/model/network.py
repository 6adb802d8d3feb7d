"""One batch on its way through a network: its input, its scores, and what cuts their gradient."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, cast, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wcam_widget.model.batches import Batches, Load, Pass, is_out_of_memory, uncompiled
from wcam_widget.model.device import autocast, moved, of_compiler
from wcam_widget.model.engines.backwards import Backwards
from wcam_widget.model.engines.build import in_words
from wcam_widget.model.engines.engine import Engine
from wcam_widget.model.engines.forwards import Forwards, forwards_of
from wcam_widget.model.framing import size_hint
from wcam_widget.model.gradients import INSTEAD, cutting_module, differentiated
from wcam_widget.model.modes import eval_mode
from wcam_widget.model.outputs import ModelError, Reader, blaming_scores


@final
@dataclass(frozen=True, eq=False)
class Network:
    """A network with its preprocessing, on its device, in its precision; what a `BlackBox` runs.

    >>> from wcam_widget.model.batches import NETWORKS
    >>> net, cpu = nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), torch.device("cpu")
    >>> network = Network(net, None, None, cpu, "auto", Batches(NETWORKS.state(net), cpu, 8), Reader())
    >>> network_input, load = network.prepared(torch.rand(5, 3, 2, 2), backward=False)
    >>> network.scores(network_input, 5).shape
    torch.Size([5, 2])
    """

    net: nn.Module | Callable[[Tensor], Any]
    preprocess: Callable[[Tensor], Tensor] | None
    class_names: tuple[str, ...] | None
    device: torch.device
    precision: str
    batches: Batches
    reader: Reader
    input_size: tuple[int, int] | None = None
    engine_choice: str = "auto"

    def differentiated(
        self,
        rows: Tensor,
        images: Callable[[Tensor], Tensor],
        target: Callable[[Tensor], Tensor],
        ahead: int = 0,
    ) -> tuple[Tensor, Tensor, Tensor, Load]:
        """The class scores of the images of some rows, their target, its slope by each row, and the load.

        ``ahead`` is as of `fast_scores`.
        """
        self._ensure_gradients()
        with torch.inference_mode(mode=False), torch.enable_grad():
            leaf = rows.detach().clone().requires_grad_()
            with autocast(self.device, reduced=False):
                batch = images(leaf)
            network_input, load = self.prepared(batch, backward=True)
            logits = self.fast_scores(network_input, ahead, backward=True)
            with autocast(self.device, reduced=False), blaming_scores([logits]):
                values = target(logits)
                slope = differentiated(values, leaf)
            if slope is None:
                raise ModelError(self._cut(network_input, logits, values))
        return logits.detach(), values.detach(), slope, load

    def watched(
        self, start: int, images: Tensor, work: Callable[[Pass], Tensor], *, backward: bool
    ) -> tuple[Tensor, Load]:
        """The class scores of a batch that ``work`` runs, with hooks in the network, and the load."""
        if backward:
            self._ensure_gradients()
        with torch.inference_mode(mode=False), torch.set_grad_enabled(backward):
            network_input, load = self.prepared(images.detach().clone(), backward=backward)
            if backward and network_input.is_floating_point():
                network_input.requires_grad_()  # a path to every layer, also where parameters are frozen
            # Compiled code does not run hooks that came later.
            answers: list[Tensor] = []

            def forward() -> Tensor:
                answers.append(self.scores(network_input, len(images), uncompiled(self.net)))
                return answers[-1]

            with self.batches.state.lock, blaming_scores(answers, start):
                logits = work(Pass(start, network_input, forward))
        return logits.detach(), load

    def _ensure_gradients(self) -> None:
        """ModelError where the network was made in inference mode, which leaves tensors without gradients."""
        if isinstance(self.net, nn.Module) and any(
            tensor.is_inference() for tensor in chain(self.net.parameters(), self.net.buffers())
        ):
            raise ModelError(
                "net: its parameters were made inside torch.inference_mode() and have no gradients; make or "
                f"load it outside, or give copy.deepcopy(net) made outside; {INSTEAD}"
            )

    def _cut(self, network_input: Tensor, logits: Tensor, values: Tensor) -> str:
        """Say what keeps the gradient from the images."""
        if not network_input.requires_grad:
            return f"preprocess: its result has no gradient path to the images; {INSTEAD}"
        if logits.requires_grad and not values.requires_grad:
            return f"target: its value has no gradient path to the class scores; {INSTEAD}"
        net = uncompiled(self.net)
        module = None
        if isinstance(net, nn.Module):
            with self.batches.state.lock, eval_mode(net), autocast(self.device, reduced=self._reduced):
                module = cutting_module(net, network_input)
        cause = "" if module is None else f": {module} ends it"
        return f"net: its scores have no gradient path to the images{cause}; {INSTEAD}"

    def prepared(self, images: Tensor, *, backward: bool) -> tuple[Tensor, Load]:
        """What the network is given for images; TooManyError where it is known that not as many fit."""
        with autocast(self.device, reduced=False):
            there = moved(images, self.device)
            network_input = (
                there if self.preprocess is None else _called("preprocess", self.preprocess, there)
            )
        if not isinstance(network_input, Tensor):
            raise ModelError(f"preprocess: returned {type(network_input).__qualname__}; accepted is a tensor")
        load = Load(tuple(network_input.shape[1:]), self._reduced, backward)
        self.batches.ensure_fits(load, len(images))
        return self._laid_out(network_input), load

    def scores(self, network_input: Tensor, images: int, net: Any = None) -> Float[Tensor, "n k"]:
        """Score one batch on the device by ``net`` or its own; the caller chooses the gradient mode."""
        with self.batches.state.lock, eval_mode(self.net), autocast(self.device, reduced=self._reduced):
            run = partial(self._output, self.net if net is None else net)
            output = _called("net", run, network_input, self.input_size)
        return self._named(self.reader.read(output, images))

    def _output(self, net: Callable[[Tensor], Any], network_input: Tensor) -> Any:
        """What a network answers; where torch cannot compile it, by the network as it is, from then on."""
        itself, state = cast("Callable[[Tensor], Any]", uncompiled(net)), self.batches.state
        if itself is net or not state.not_compiled:
            try:
                return net(network_input)
            except Exception as error:
                if itself is net or not of_compiler(error):
                    raise
                state.not_compiled.append(in_words("compiled", error))
                logging.getLogger("wcam_widget").warning("engine: %s", state.not_compiled[-1])
        return itself(network_input)

    def fast_scores(
        self, network_input: Tensor, ahead: int, *, backward: bool = False
    ) -> Float[Tensor, "n k"]:
        """Score one batch without hooks, by the engine that is ready for it.

        Args:
            network_input: What the network is given.
            ahead: How many rows are known to come, these included.
            backward: Whether the scores will be differentiated.
        """

        def by_torch(rows: Tensor) -> Tensor:
            return self.scores(rows, len(rows))

        with self.batches.state.lock:
            # What the network's answer looks like is learnt from the network itself.
            known = self.reader.classes is not None and self._fixed is None
            if not known or not isinstance(self.net, nn.Module):
                return by_torch(network_input)
            forwards = self._forwards(tuple(network_input.shape[1:]))
            passes: Forwards | Backwards = forwards.backwards if backward else forwards
            return self._named(passes.scores(self.net, network_input, by_torch, ahead))

    @property
    def engine(self) -> Engine:
        """What runs rows, as the latest of them were."""
        load = self.batches.latest(backward=False) or self.batches.latest(backward=True)
        return self._fixed or self._forwards(None if load is None else load.shape).engine

    @property
    def _fixed(self) -> Engine | None:
        """The engine of a network for which there is no other; None where one may be made."""
        if uncompiled(self.net) is not self.net:
            reasons = self.batches.state.not_compiled
            return Engine("torch", reasons[0]) if reasons else Engine("compiled", "chosen")
        if not isinstance(self.net, nn.Module):
            return Engine("callable", "it runs as it is")
        if self.engine_choice == "torch":
            return Engine("torch", "chosen")
        if self._reduced:
            return Engine("torch", "it computes in bfloat16")
        return None

    def _forwards(self, shape: tuple[int, ...] | None) -> Forwards:
        eager = self.engine_choice == "onnx"
        return forwards_of(self.batches.state, self.reader.choice, shape, eager=eager)

    def _named(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """The same class scores; ValueError where there are not as many as names of classes."""
        if self.class_names is not None and logits.shape[1] != len(self.class_names):
            raise ValueError(
                f"class_names: found {len(self.class_names)} names, but net gives {logits.shape[1]} scores"
            )
        return logits

    def _laid_out(self, network_input: Tensor) -> Tensor:
        """Match the dtype of the network's parameters, and the memory layout CUDA is fastest with."""
        first = next(self.net.parameters(), None) if isinstance(self.net, nn.Module) else None
        if first is not None and first.is_floating_point() and network_input.is_floating_point():
            network_input = network_input.to(first.dtype)
        if self._reduced and self.device.type == "cuda" and network_input.ndim == 4:
            return network_input.contiguous(memory_format=torch.channels_last)
        return network_input

    @property
    def dtypes(self) -> set[torch.dtype]:
        """What the network computes in."""
        own = {each.dtype for each in self.net.parameters()} if isinstance(self.net, nn.Module) else set()
        return {torch.bfloat16} if self._reduced else own or {torch.float32}

    @property
    def _reduced(self) -> bool:
        return self.precision == "bfloat16" or (self.precision == "auto" and self.device.type == "cuda")


def _called(
    who: str, function: Callable[[Tensor], Any], batch: Tensor, size: tuple[int, int] | None = None
) -> Any:
    """Call the user's function; re-raise what it raises in the caller's words, with what it was given."""
    try:
        return function(batch)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        values = batch.detach()
        raise ModelError(
            f"{who}: raised {type(error).__name__}: {error}\n"
            f"It was given a batch of shape {tuple(values.shape)}, {values.dtype}, "
            f"values in [{float(values.min()):.4g}, {float(values.max()):.4g}], on {values.device}."
            f"{size_hint(values, size)}"
        ) from error
