"""The limit: a bare loop of the frozen network over decoded tensors, by each engine there is.

    python benchmarks/limit.py [--pictures N] [--size PIXELS]

ResNet18 without its last layer, random weights, float32. The cores share the batches, each computed
by one thread, as the study does it; torch is also given each batch with all threads. onnxruntime
runs the same network, exported, where it is installed. The last line printed is JSON: pictures per
second by engine.
"""

import argparse
import copy
import importlib.util
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchvision.models import resnet18

from smallsight.runtime.parallel import workers

SIZES = (8, 16)
"""Pictures per batch."""
NEEDED = ("onnxruntime", "onnxscript")
"""What an exported network takes."""


def rates(pictures: int, size: int) -> dict[str, float]:
    """Measure pictures per second by engine and size of batches."""
    torch.manual_seed(0)
    network = resnet18()
    network.fc = nn.Identity()
    network.eval().requires_grad_(False)
    found = {}
    for count in SIZES:
        inputs = [torch.randn(count, 3, size, size) for _ in range(-(-pictures // count))]
        if all(importlib.util.find_spec(name) for name in NEEDED):
            passes = exported(network, inputs[0])
            arrays = [one.numpy() for one in inputs]
            found[f"onnxruntime, batches of {count}"] = rate(passes, arrays, workers())
        trunk = copy.deepcopy(network).to(memory_format=torch.channels_last)
        inputs = [one.contiguous(memory_format=torch.channels_last) for one in inputs]
        found[f"torch, batches of {count}"] = rate(trunk, inputs, workers())
        torch.set_num_threads(workers())
        found[f"torch, batches of {count}, all threads on each"] = rate(trunk, inputs, 1)
    return found


def exported(network: nn.Module, example: torch.Tensor) -> Callable[[Any], object]:
    """Export a network to ONNX; return the function that runs it on an array by one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        torch.onnx.export(network, (example,), path, input_names=["pictures"], verbose=False)
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda batch: session.run(None, {"pictures": batch})


def rate(
    passes: Callable[[Any], object],
    batches: Sequence[Any],
    threads: int,
    settle: Callable[[], object] = lambda: None,
) -> float:
    """Run all batches, so many at a time, and return pictures per second, warmed up before.

    Parameters
    ----------
    passes
        Where one thread is enough, it is called in this one.
    batches
        Each as long as it has pictures.
    threads
        How many take a batch each.
    settle
        Waits for what `passes` has only begun.
    """
    alone = {"initializer": torch.set_num_threads, "initargs": (1,)} if threads > 1 else {}

    def run(batch: Any) -> None:
        with torch.inference_mode():
            passes(batch)

    with ThreadPoolExecutor(threads, **alone) as pool:
        through = pool.map if threads > 1 else map
        list(through(run, batches[: 2 * threads]))
        settle()
        start = time.perf_counter()
        list(through(run, batches))
        settle()
        seconds = time.perf_counter() - start
    return sum(len(batch) for batch in batches) / seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=640)
    parser.add_argument("--size", type=int, default=224)
    print(json.dumps(rates(**vars(parser.parse_args()))))
