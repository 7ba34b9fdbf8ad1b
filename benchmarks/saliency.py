"""Time saliency maps: in closed form from cached features, and by the library's whole network.

    python benchmarks/saliency.py [--pictures N] [--size PIXELS] [--rounds N]

Both explain the same predictions of random pictures by one head on random weights, side by side in
one process, and must agree. The library is given batches, which is the faster way to call it. A
third time is that of what the study does with a map: read its features, make it, and measure it
beside the maps that it is compared with. The last line printed is JSON: medians, in microseconds
per map, and the largest difference.
"""

import argparse
import json
import tempfile
import time

import numpy as np
import pandas as pd
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn
from torchvision.models import resnet18

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.networks.weight_sources import random_weights
from smallsight.backbones.networks.weights import Weights, classifier_state
from smallsight.saliency import measures
from smallsight.saliency.explain import PREDICTION, ClassMaps, measure_class_maps

UNTRAINED = Weights("resnet18", is_dilated=False, state={}, mean=(0.5,) * 3, std=(0.5,) * 3)
DIMENSIONS, CLASSES = 512, 6
LAST_LAYER, LAST_MAPS = "fc", "layer4"


def main(pictures: int, size: int, rounds: int) -> None:
    """Print one line per round, and what they come to."""
    rng = np.random.default_rng(0)
    weights = random_weights(UNTRAINED, rng)
    backbone = Backbone(weights)
    seen = torch.from_numpy(rng.integers(0, 256, (pictures, size, size, 3), np.uint8))
    weight = rng.normal(0, 0.05, (CLASSES, DIMENSIONS)).astype(np.float32)
    targets = rng.integers(0, CLASSES, pictures)
    batches = seen.split(Backbone.batch_size)
    with torch.inference_mode():
        maps = np.concatenate([backbone(part).contiguous() for part in batches])
    inputs = torch.cat([backbone.inputs(part) for part in batches])
    network = resnet18(num_classes=CLASSES)
    bias = np.zeros(CLASSES, np.float32)
    network.load_state_dict(classifier_state(weights, LAST_LAYER, weight, bias))
    network = network.eval().to(memory_format=torch.channels_last)

    ratios, laps = [], []
    for number in range(rounds):
        times = [time.perf_counter()]
        ours = np.maximum(measures.contributions(maps, weight[targets]), 0)
        times.append(time.perf_counter())
        theirs = library(network, inputs, targets)
        times.append(time.perf_counter())
        study(maps, weight[targets], size)
        times.append(time.perf_counter())
        closed, whole, measured = 1e6 * np.diff(times) / pictures
        ratios.append((whole / closed, whole / measured))
        laps.append((closed, measured, whole))
        print(
            f"round {number + 1}, microseconds per map: closed form {closed:.1f}, library through "
            f"the whole network {whole:.0f}, closed form read and measured {measured:.0f}"
        )
    difference = np.abs(ours - theirs).max() / theirs.max()
    alone, measured = np.median(ratios, axis=0)
    print(
        f"{pictures} maps of {size} x {size} pixels, {torch.get_num_threads()} threads; the "
        f"library takes {alone:.0f} times as long as the closed form, {measured:.0f} times as long "
        f"as the closed form read and measured; largest difference {difference:.1e} of the largest "
        "value"
    )
    names = ("closed form", "closed form, read and measured", "pytorch-grad-cam")
    medians = dict(zip(names, np.median(laps, axis=0).tolist(), strict=True))
    print(json.dumps(medians | {"largest difference": float(difference)}))


def study(maps: np.ndarray, weight: np.ndarray, size: int) -> None:
    """Read features back, make the maps and measure them with boxes and masks as wide as high."""
    n = len(maps)
    with tempfile.TemporaryFile() as file:
        np.savez(file, maps=maps)
        file.seek(0)
        contributed = measures.contributions(np.load(file)["maps"], weight)
    found = ClassMaps(contributed, np.maximum(contributed, 0))
    side = np.geomspace(2, size / 2, n)
    rows = pd.DataFrame({"box_x": size / 4, "box_y": size / 4, "box_w": side, "box_h": side})
    rows = rows.assign(**dict.fromkeys(PREDICTION, 0))
    cover = np.zeros((size, size), np.uint8)
    cover[size // 4 : size // 2, size // 4 : size // 2] = 255
    measure_class_maps(rows, {"predicted": found}, [cover] * n, size=size)


def library(network: nn.Module, inputs: torch.Tensor, targets: np.ndarray) -> np.ndarray:
    """Call pytorch-grad-cam batch by batch; return its maps before it stretches them."""
    found = []
    layer = network.get_submodule(LAST_MAPS)
    with GradCAM(network, [layer]) as cam:
        for place in batches_of(len(inputs)):
            part = inputs[place]
            wanted = [ClassifierOutputTarget(int(target)) for target in targets[place]]
            cam(part, wanted)
            kept = cam.activations_and_grads
            parts = (one[0].cpu().numpy() for one in (kept.activations, kept.gradients))
            found.append(np.maximum(cam.get_cam_image(part, layer, wanted, *parts), 0))
    return np.concatenate(found)


def batches_of(n: int) -> list[slice]:
    """Return the places of n pictures, a batch at a time."""
    size = Backbone.batch_size
    return [slice(start, start + size) for start in range(0, n, size)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=320)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=5)
    main(**vars(parser.parse_args()))
