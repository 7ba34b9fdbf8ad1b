"""The study as it was first written: per condition, files of pictures and a head of its own.

    python benchmarks/plain_study.py FOLDER

FOLDER is a copy of the project in which `dvc repro sample fetch` has run. Each condition's pictures
are rendered to JPEG files; a linear head on the frozen network is trained on 80 % of them, the
network run over every picture in every epoch; the others test it. Nothing is kept between epochs or
conditions. Where a plain script has a choice, the faster way is taken: Pillow resizes, the frozen
network stays in evaluation mode and keeps no gradients. The last line printed is JSON.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from PIL import Image
from scipy.ndimage import uniform_filter1d
from skimage.filters import gaussian
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.models import get_model

from smallsight.runtime.parallel import workers

Box = tuple[float, float, float, float]
"""Left, top, width and height in pixels."""


def orig_full(picture: np.ndarray, box: Box) -> np.ndarray:
    """Return the picture."""
    return picture


def orig_crop(picture: np.ndarray, box: Box, *, margin: float) -> np.ndarray:
    """Cut out the box and a margin."""
    return picture[_grown(picture, box, margin)]


def downscale(picture: np.ndarray, box: Box, *, scale: float) -> np.ndarray:
    """Reduce the picture, and enlarge it again."""
    height, width = picture.shape[:2]
    few = max(round(width * scale), 1), max(round(height * scale), 1)
    reduced = Image.fromarray(picture).resize(few, Image.Resampling.BOX)
    return np.asarray(reduced.resize((width, height), Image.Resampling.BILINEAR))


def motion_blur(picture: np.ndarray, box: Box, *, length: int) -> np.ndarray:
    """Average along horizontal lines."""
    return uniform_filter1d(picture, int(length), axis=1)


def occlusion(picture: np.ndarray, box: Box, *, ratio: float) -> np.ndarray:
    """Black out the middle of the box."""
    changed = picture.copy()
    changed[_grown(picture, box, (ratio - 1) / 2)] = 0
    return changed


def bg_blur(picture: np.ndarray, box: Box, *, sigma: float, margin: float) -> np.ndarray:
    """Blur everything but the box and a margin."""
    smooth = gaussian(picture.astype(np.float32), sigma, channel_axis=-1, preserve_range=True)
    changed = np.rint(smooth).astype(np.uint8)
    sharp = _grown(picture, box, margin)
    changed[sharp] = picture[sharp]
    return changed


CONDITIONS: dict[str, Callable[..., np.ndarray]] = {
    change.__name__: change
    for change in (orig_full, orig_crop, downscale, motion_blur, occlusion, bg_blur)
}
"""The original study's six, in its order."""


def _grown(picture: np.ndarray, box: Box, share: float) -> tuple[slice, slice]:
    left, top, width, height = box
    rows, columns = picture.shape[:2]
    top_, bottom = round(top - share * height), round(top + (1 + share) * height)
    left_, right = round(left - share * width), round(left + (1 + share) * width)
    first_row, first_column = min(max(top_, 0), rows - 1), min(max(left_, 0), columns - 1)
    return (
        slice(first_row, max(min(bottom, rows), first_row + 1)),
        slice(first_column, max(min(right, columns), first_column + 1)),
    )


class Pictures(Dataset):
    """Files of pictures and their classes, read when they are asked for."""

    def __init__(self, paths: list[Path], labels: list[int], change: Callable[..., Any]) -> None:
        self.paths, self.labels, self.change = paths, labels, change

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """Decode one picture."""
        with Image.open(self.paths[index]) as picture:
            return self.change(picture.convert("RGB")), self.labels[index]


class Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        """Add the time since the last call to a step."""
        now = time.perf_counter()
        self.steps[step] = self.steps.get(step, 0.0) + now - self._last
        self._last = now


def render(sample: pd.DataFrame, change: Callable[..., np.ndarray], folder: Path) -> list[Path]:
    """Write a picture of every instance under one condition, one after another."""
    paths = []
    row: Any
    for row in sample.itertuples():
        with Image.open(row.image_path) as file:
            picture = np.asarray(file.convert("RGB"))
        changed = change(picture, (row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h))
        paths.append(folder / f"{row.image_id}_{row.ann_id}.jpg")
        Image.fromarray(changed).save(paths[-1], quality=95)
    return paths


def batches(loader: DataLoader, clock: Clock) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield batches; what they take to decode is a step of its own."""
    for batch in loader:
        clock.lap("decode")
        yield batch


def fit_and_test(
    paths: list[Path], labels: np.ndarray, settings: dict[str, Any], seed: int, clock: Clock
) -> tuple[float, int]:
    """Train a head on four fifths of the pictures; return its accuracy on the rest, and passes."""
    torch.manual_seed(seed)
    size = settings["backbone"]["input_size"]
    heads = settings["heads"]
    network = get_model(settings["backbone"]["name"], weights=None).requires_grad_(False)
    network.fc = nn.Linear(network.fc.in_features, int(labels.max()) + 1)
    network.eval()
    optimiser = torch.optim.Adam(network.fc.parameters(), lr=heads["learning_rate"])
    seen = [
        transforms.Resize((size, size)),
        transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ]
    order = np.random.default_rng(seed).permutation(len(paths))
    n_test = round(settings["evaluation"]["test_share"] * len(paths))
    changes = {"test": seen, "train": [transforms.RandomHorizontalFlip(), *seen]}
    loaders = {}
    for name, part in (("test", order[:n_test]), ("train", order[n_test:])):
        chosen = [paths[index] for index in part]
        pictures = Pictures(chosen, labels[part].tolist(), transforms.Compose(changes[name]))
        loaders[name] = DataLoader(pictures, heads["batch_size"], shuffle=name == "train")
    clock.lap("network")
    for _ in range(heads["epochs"]):
        for inputs, targets in batches(loaders["train"], clock):
            loss = functional.cross_entropy(network(inputs), targets)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            clock.lap("network")
    correct = 0
    for inputs, targets in batches(loaders["test"], clock):
        with torch.no_grad():
            correct += int((network(inputs).argmax(dim=1) == targets).sum())
        clock.lap("network")
    passes = heads["epochs"] * (len(paths) - n_test) + n_test
    return correct / n_test, passes


def study(sample: pd.DataFrame, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run all conditions, one after another.

    Parameters
    ----------
    sample
        `data/samples_step1_person_limited.csv`; the paths of pictures lead from the current folder.
    settings
        The tree of params.yaml; of a condition's levels the first is taken.
    folder
        Where rendered pictures are written.

    Returns
    -------
    dict
        `steps`, the seconds of each; `pictures` rendered; `passes` of the network; `heads`;
        `accuracies` by condition.
    """
    names = sorted(set(sample["category_name"]))
    labels = sample["category_name"].map(names.index).to_numpy()
    clock = Clock()
    accuracies, passes = {}, 0
    for name, change in CONDITIONS.items():
        levels = settings["conditions"][name].items()
        options = {key: value[0] if isinstance(value, list) else value for key, value in levels}
        at = folder / name
        at.mkdir()

        def changed(
            picture: np.ndarray, box: Box, change: Any = change, options: Any = options
        ) -> np.ndarray:
            return change(picture, box, **options)

        paths = render(sample, changed, at)
        clock.lap("render")
        accuracies[name], here = fit_and_test(paths, labels, settings, settings["seed"], clock)
        passes += here
    return {
        "steps": clock.steps,
        "pictures": len(accuracies) * len(sample),
        "passes": passes,
        "heads": len(accuracies),
        "accuracies": accuracies,
    }


def main(folder: Path) -> None:
    """Print what the study took and found, as JSON."""
    torch.set_num_threads(workers())
    settings = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    sample = pd.read_csv(folder / "data/samples_step1_person_limited.csv")
    sample["image_path"] = [folder / path for path in sample["image_path"]]
    with tempfile.TemporaryDirectory() as rendered:
        print(json.dumps(study(sample, settings, Path(rendered))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    main(parser.parse_args().folder)
