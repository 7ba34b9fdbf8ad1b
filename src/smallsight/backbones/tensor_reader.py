"""Networks of torch's as readers: on any device, pictures go there and features come back."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import numpy as np
import torch

from smallsight.backbones.facts import LAST
from smallsight.runtime.parallel import workers

CUDA_BATCH = 128
"""Pictures per run on a GPU, which fewer do not fill."""

CUDA_THREADS = 4
"""Threads that feed a GPU: while it computes, others decode."""


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


class TorchReader:
    """A `Reader` of torch's.

    On a CPU one call is computed by one thread: sums over several are rounded otherwise, so that
    results would depend on how many cores there are.

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

    def scene(self, pictures: np.ndarray, names: Sequence[tuple[str, str]] = ()) -> np.ndarray:
        """Compute features of pictures; see `Reader`."""

        def run() -> dict[str, torch.Tensor]:
            return {"scene": self.network.scene(self._sent(pictures), names)}

        return self._computed(run)["scene"]

    def read_out(
        self,
        pictures: np.ndarray,
        regions: np.ndarray,
        names: Sequence[tuple[str, str]] = (),
        *,
        keep_maps: bool = False,
    ) -> dict[str, np.ndarray]:
        """Compute the parts of all readouts, and maps; see `Reader`."""

        def run() -> dict[str, torch.Tensor]:
            found = self.network.read_out(self._sent(pictures), torch.from_numpy(regions), names)
            return {name: part for name, part in found.items() if keep_maps or name != LAST}

        return self._computed(run)

    def _sent(self, pictures: np.ndarray) -> torch.Tensor:
        """Bring pictures to the device; from pinned memory, while others are computed."""
        batch = torch.from_numpy(np.ascontiguousarray(pictures))
        if self.device.type == "cuda":
            return batch.pin_memory().to(self.device, non_blocking=True)
        return batch

    def _computed(self, run: Callable[[], dict[str, torch.Tensor]]) -> dict[str, np.ndarray]:
        torch.set_num_threads(1)
        half: AbstractContextManager[object] = nullcontext()
        if self._is_half:
            half = torch.autocast(self.device.type, torch.bfloat16)
        with torch.inference_mode(), half:
            found = {name: part.float().contiguous() for name, part in run().items()}
            if self.device.type == "cpu":
                return {name: part.numpy() for name, part in found.items()}
            # All that was computed comes back at once.
            flat = torch.cat([part.flatten() for part in found.values()]).cpu().numpy()
        ends = np.cumsum([part.numel() for part in found.values()])[:-1]
        pieces = zip(found.items(), np.split(flat, ends), strict=True)
        return {name: piece.reshape(tuple(part.shape)) for (name, part), piece in pieces}
