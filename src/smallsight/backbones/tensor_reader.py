"""Networks of torch's as readers: on any device, pictures go there and features come back."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

import numpy as np
import torch

from smallsight.backbones.facts import LAST
from smallsight.backbones.reader import BY_PICTURE
from smallsight.runtime.gpu_thread import on_gpu
from smallsight.runtime.parallel import workers

CUDA_BATCH = 128
"""Pictures per run on a GPU, which fewer do not fill."""

CUDA_THREADS = 8
"""Threads that feed a GPU: while it computes, they decode. More wait for the interpreter's lock."""


class TensorReader(Protocol):
    """A frozen network of torch's; `Reader` says what the methods compute, here of tensors.

    Attributes
    ----------
    batch_size
        Pictures per run on a CPU.
    """

    batch_size: int

    def to(self, device: torch.device) -> Any:
        """Move to a device."""

    def scene(self, pictures: torch.Tensor, names: Sequence[tuple[str, str]] = ()) -> torch.Tensor:
        """Compute features of pictures; see `Reader.scene`."""

    def read_out(
        self,
        pictures: torch.Tensor,
        regions: torch.Tensor,
        names: Sequence[tuple[str, str]] = (),
    ) -> dict[str, torch.Tensor]:
        """Compute the parts of all readouts, and maps; see `Reader.read_out`."""


_Run = Callable[[torch.Tensor, Sequence[tuple[str, str]]], dict[str, torch.Tensor]]


class TorchReader:
    """A `Reader` of torch's.

    On a CPU one call is computed by one thread: sums over several are rounded otherwise, so that
    results would depend on how many cores there are. On a GPU all calls are one thread's.

    Parameters
    ----------
    network
        What is run.
    device
        Where.
    is_half
        Whether convolutions and products are computed in bfloat16.
    """

    def __init__(
        self, network: TensorReader, device: torch.device, *, is_half: bool = False
    ) -> None:
        self.network = network
        self.device = device
        self._is_half = is_half
        self._planned: set[int] = set()
        self._lock = threading.Lock()
        network.to(device)

    @property
    def batch_size(self) -> int:
        """Pictures per call."""
        return CUDA_BATCH if self.device.type == "cuda" else self.network.batch_size

    @property
    def threads(self) -> int:
        """How many threads are worth calling it at once."""
        return min(workers(), CUDA_THREADS) if self.device.type == "cuda" else workers()

    @property
    def place(self) -> str:
        """Where it runs and what runs it."""
        return f"{self.device} by torch"

    def plan(self, size: int) -> None:
        """Get ready for pictures of a size, once: a GPU takes seconds for that.

        Parameters
        ----------
        size
            Width and height of the input, in pixels.
        """
        with self._lock:
            if size not in self._planned:
                self.scene(np.zeros((1, size, size, 3), np.uint8))
                self._planned.add(size)

    def scene(self, pictures: np.ndarray, names: Sequence[tuple[str, str]] = ()) -> np.ndarray:
        """Compute features of pictures; see `Reader`."""

        def run(shown: torch.Tensor, names: Sequence[tuple[str, str]]) -> dict[str, torch.Tensor]:
            return {"scene": self.network.scene(shown, names)}

        return self._computed(run, pictures, names)["scene"]

    def read_out(
        self,
        pictures: np.ndarray,
        regions: np.ndarray,
        names: Sequence[tuple[str, str]] = (),
        *,
        keep_maps: bool = False,
    ) -> dict[str, np.ndarray]:
        """Compute the parts of all readouts, and maps; see `Reader`."""

        def run(shown: torch.Tensor, names: Sequence[tuple[str, str]]) -> dict[str, torch.Tensor]:
            found = self.network.read_out(shown, torch.from_numpy(regions), names)
            return {name: part for name, part in found.items() if keep_maps or name != LAST}

        return self._computed(run, pictures, names)

    def _computed(
        self, run: _Run, pictures: np.ndarray, names: Sequence[tuple[str, str]]
    ) -> dict[str, np.ndarray]:
        shown = torch.from_numpy(np.ascontiguousarray(pictures))
        if self.device.type == "cpu":
            torch.set_num_threads(1)
            with self._inference():
                parts = run(shown, names).items()
                return {name: part.float().contiguous().numpy() for name, part in parts}

        # Pinned in this thread: the GPU is sent one batch while others are decoded.
        shown, names = _filled_up(shown, names)
        pinned = shown.pin_memory()
        found = on_gpu(str(self.device), lambda: self._on_gpu(run, pinned, names))
        n = len(pictures)
        return {name: part[:n] if name in BY_PICTURE else part for name, part in found.items()}

    def _on_gpu(
        self, run: _Run, pinned: torch.Tensor, names: Sequence[tuple[str, str]]
    ) -> dict[str, np.ndarray]:
        with self._inference():
            found = run(pinned.to(self.device, non_blocking=True), names)
            # All that was computed comes back at once.
            flat = torch.cat([part.float().flatten() for part in found.values()]).cpu().numpy()
        ends = np.cumsum([part.numel() for part in found.values()])[:-1]
        pieces = zip(found.items(), np.split(flat, ends), strict=True)
        # Copied: a part that is kept would keep all others, maps among them.
        return {name: piece.reshape(tuple(part.shape)).copy() for (name, part), piece in pieces}

    @contextmanager
    def _inference(self) -> Iterator[None]:
        half: AbstractContextManager[object] = nullcontext()
        if self._is_half:
            half = torch.autocast(self.device.type, torch.bfloat16)
        with torch.inference_mode(), half:
            yield


def _filled_up(
    pictures: torch.Tensor, names: Sequence[tuple[str, str]]
) -> tuple[torch.Tensor, Sequence[tuple[str, str]]]:
    """Repeat the last picture, and its name, until they fill whole batches.

    cuDNN plans anew for every number of pictures: that takes seconds, a batch milliseconds.
    """
    order = [*range(len(pictures))]
    order += order[-1:] * (-len(order) % CUDA_BATCH)
    return pictures[order], [names[place] for place in order] if names else []
