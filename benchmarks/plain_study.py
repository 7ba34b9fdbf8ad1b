"""The original study as it was written: per condition, render, train through the network, test.

    python benchmarks/plain_study.py STUDY RESULT

Run in a process of its own by `bench.py`. STUDY is a folder in which the stages before rendering
have run; times, peak memory and the table of six accuracies are written to RESULT as JSON. Nothing
is kept from one condition for the next, and every epoch goes through the frozen network again.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image
from skimage.filters import gaussian
from skimage.transform import resize
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.models import resnet18

CONDITIONS = ("orig_full", "orig_crop", "downscale", "motion_blur", "occlusion", "bg_blur")
EPOCHS, BATCH, RATE, TEST_SHARE = 5, 16, 0.001, 0.2
SIZE = 224
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main(study: Path, result: Path) -> None:
    """Run the whole study, and write what it took."""
    torch.manual_seed(0)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    sample = pd.read_csv(study / "data/samples_step1_person_limited.csv")
    classes = sorted(sample["category_name"].unique())
    labels = sample["category_name"].map(classes.index).to_numpy()
    is_test = np.random.default_rng(0).random(len(sample)) < TEST_SHARE
    network = frozen(len(classes))
    steps: dict[str, float] = {"rendering": 0.0, "training": 0.0, "testing": 0.0}
    table = {}
    for condition in CONDITIONS:
        start = time.perf_counter()
        folder = result.parent / "pictures" / condition
        paths = render(sample, study, condition, folder)
        steps["rendering"] += time.perf_counter() - start
        table[condition] = train_and_test(network, paths, labels, is_test, steps)
    found = {
        "table": table,
        "steps": steps,
        "seconds": sum(steps.values()),
        "heads": len(CONDITIONS),
        "objects": len(sample),
        "passes": len(CONDITIONS) * int((~is_test).sum() * EPOCHS + is_test.sum()),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    result.write_text(json.dumps(found, indent=2))


def render(sample: pd.DataFrame, study: Path, condition: str, folder: Path) -> list[Path]:
    """Write every object's picture under one condition."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    rows: Any = sample.itertuples()
    for row in rows:
        picture = np.asarray(Image.open(study / row.image_path).convert("RGB"))
        x, y, w, h = row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h
        changed = changed_picture(picture, condition, x, y, w, h)
        path = folder / f"{row.image_id}_{row.ann_id}.png"
        Image.fromarray(changed).save(path)
        paths.append(path)
    return paths


def changed_picture(
    picture: np.ndarray, condition: str, x: float, y: float, w: float, h: float
) -> np.ndarray:
    """Change a picture, (height, width, 3), uint8, as one condition does, by scikit-image."""
    height, width = picture.shape[:2]
    if condition == "orig_crop":
        top, left = max(int(y - h / 4), 0), max(int(x - w / 4), 0)
        return picture[top : int(y + 1.25 * h) + 1, left : int(x + 1.25 * w) + 1]
    if condition == "downscale":
        small = resize(picture, (height // 2, width // 2), anti_aliasing=True)
        return as_bytes(resize(small, (height, width)))
    if condition == "motion_blur":
        padded = np.pad(picture.astype(float), ((0, 0), (7, 7), (0, 0)), mode="edge")
        return (sum(padded[:, k : k + width] for k in range(15)) / 15).astype(np.uint8)
    if condition == "occlusion":
        changed, side = picture.copy(), 0.35**0.5
        top, left = int(y + h * (1 - side) / 2), int(x + w * (1 - side) / 2)
        changed[top : top + int(h * side) + 1, left : left + int(w * side) + 1] = 128
        return changed
    if condition == "bg_blur":
        blurred = as_bytes(gaussian(picture, 3.5, channel_axis=2))
        rows, columns = slice(int(y), int(y + h) + 1), slice(int(x), int(x + w) + 1)
        blurred[rows, columns] = picture[rows, columns]
        return blurred
    return picture


def as_bytes(values: np.ndarray) -> np.ndarray:
    """Bring values in 0..1 to 0..255."""
    return np.clip(np.rint(255 * values), 0, 255).astype(np.uint8)


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """Pictures from disk, brought to the input, mirrored at random while training."""

    def __init__(self, paths: list[Path], labels: np.ndarray, *, is_training: bool) -> None:
        self._paths, self._labels, self._is_training = paths, labels, is_training

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        with Image.open(self._paths[index]) as opened:
            picture = opened.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        values = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
        if self._is_training and torch.rand(()) < 0.5:
            values = values.flip(2)
        mean, deviation = (torch.tensor(part).view(3, 1, 1) for part in (MEAN, DEVIATION))
        return (values - mean) / deviation, int(self._labels[index])


def frozen(classes: int) -> nn.Module:
    """Make a ResNet18 of random weights, all frozen but for its last layer."""
    network = resnet18(weights=None).requires_grad_(requires_grad=False)
    network.fc = nn.Linear(network.fc.in_features, classes)
    return network.eval()


def train_and_test(
    network: nn.Module,
    paths: list[Path],
    labels: np.ndarray,
    is_test: np.ndarray,
    steps: dict[str, float],
) -> float:
    """Train a head through the network for some epochs; return its accuracy on the test data."""
    start = time.perf_counter()
    head = network.get_submodule("fc")
    assert isinstance(head, nn.Linear)
    head.reset_parameters()
    optimiser = torch.optim.Adam(head.parameters(), lr=RATE)
    chosen = [path for path, left_out in zip(paths, is_test, strict=True) if not left_out]
    trained = DataLoader(Pictures(chosen, labels[~is_test], is_training=True), BATCH, shuffle=True)
    for _ in range(EPOCHS):
        for inputs, targets in trained:
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(inputs), targets).backward()
            optimiser.step()
    steps["training"] += time.perf_counter() - start
    start = time.perf_counter()
    left = [path for path, left_out in zip(paths, is_test, strict=True) if left_out]
    right = 0
    with torch.inference_mode():
        for inputs, targets in DataLoader(
            Pictures(left, labels[is_test], is_training=False), BATCH
        ):
            right += int((network(inputs).argmax(dim=1) == targets).sum())
    steps["testing"] += time.perf_counter() - start
    return right / len(left)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
