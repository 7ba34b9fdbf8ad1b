"""The limit: bare loops of the same frozen network over tensors that lie in memory.

    python benchmarks/forward_loop.py RESULT

Run in a process of its own by `bench.py`; pictures per second of each engine are written to RESULT.
"""

import io
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import nn
from torchvision.models import resnet18

BATCH, SIZE, SECONDS = 16, 224, 5.0


def main(result: Path) -> None:
    """Time every engine that is installed."""
    threads = len(os.sched_getaffinity(0))
    trunk = resnet18(weights=None).eval().requires_grad_(requires_grad=False)
    trunk.fc = nn.Identity()
    trunk = trunk.to(memory_format=torch.channels_last)
    inputs = torch.randn(BATCH, 3, SIZE, SIZE).contiguous(memory_format=torch.channels_last)
    engines: dict[str, Callable[[], object]] = {"torch": lambda: trunk(inputs)}
    try:
        engines["onnxruntime"] = onnxruntime_loop(trunk, inputs)
    except ModuleNotFoundError:
        print("onnxruntime is not installed: torch alone is timed")
    torch.set_num_threads(1)
    found = {name: rate(run, threads) for name, run in engines.items()}
    result.write_text(json.dumps(found, indent=2))


def onnxruntime_loop(trunk: nn.Module, inputs: torch.Tensor) -> Callable[[], object]:
    """Return what runs the trunk by onnxruntime, one thread a call."""
    import onnxruntime

    content: io.BytesIO = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(trunk, (inputs,), content, dynamo=False, input_names=["inputs"])  # type: ignore[arg-type]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        content.getvalue(), options, providers=["CPUExecutionProvider"]
    )
    given = {"inputs": inputs.contiguous().numpy()}
    return lambda: session.run(None, given)


def rate(run: Callable[[], object], threads: int) -> float:
    """Return the pictures per second of as many threads as there are cores, a batch each."""

    def loop(_: int) -> int:
        torch.set_num_threads(1)
        count = 0
        with torch.inference_mode():
            run()
            end = time.perf_counter() + SECONDS
            while time.perf_counter() < end:
                run()
                count += BATCH
        return count

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(loop, range(threads))) / SECONDS


if __name__ == "__main__":
    main(Path(sys.argv[1]))
