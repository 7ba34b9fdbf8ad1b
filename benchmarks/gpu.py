"""A GPU beside the CPU: how fast the network runs there, what bounds it, and whether both agree.

    python benchmarks/gpu.py [--objects N] [--size PIXELS] [--device NAME] [--families NAME ...]

The default study of so many objects is run stage by stage in a temporary folder, as plain programs
without DVC; from the features on, on the device and on the CPU. Prints JSON, each line with more in
it than the one before.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import children
import numpy as np
import pandas as pd
import torch
import yaml
from limit import rate
from machine import describe_machine
from scale import SCENES
from study_copy import ROOT, change_parameter, steps_of

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.features import BOX, batches, extract_features
from smallsight.backbones.networks.weights import read_weights
from smallsight.backbones.pooling import regions_of
from smallsight.backbones.tensor_reader import CUDA_BATCH, TorchReader
from smallsight.conditions.rendered.names import read_facts
from smallsight.conditions.rendered.store import Pictures
from smallsight.conditions.rendered.views import read_views
from smallsight.vocabulary import INSTANCE

COPIED = ("params.yaml", "examples", "src", "stages")
BEFORE = ("annotate", "backbone", "sample", "fetch")
PREDICTING = ("train", "evaluate")
LOOKING = ("explain", "faithfulness", "remedies")
KEYS = ["task", "regime", "condition", "seed", "image_id", "ann_id"]
"""What tells one prediction from another."""
BATCHES = 24
"""How many batches a loop takes."""


class Study:
    """The study in a folder of its own, run as plain programs.

    Parameters
    ----------
    folder
        Where it is made.
    objects
        In its sample.
    size
        Of the network's input, in pixels.
    families
        Those to render; all where none is named.
    """

    def __init__(self, folder: Path, *, objects: int, size: int, families: Sequence[str]) -> None:
        self.folder = folder
        (folder / "data").mkdir(parents=True)
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            copy(ROOT / name, folder / name)
        parameters = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
        known = parameters["conditions"]
        self.families = list(families or known)
        self.change("conditions", {name: known[name] for name in self.families})
        self.change("data.phantom.scenes", round(SCENES * objects))
        self.change("sample.per_group", objects // 3)
        self.change("backbone.input_size", size)

    def change(self, key: str, value: Any) -> None:
        """Change one parameter, named by its dotted key."""
        change_parameter(self.folder / "params.yaml", key, value)

    def run(self, stage: str, *arguments: str) -> float:
        """Run a stage; return the seconds of its own work."""
        done = children.run(sys.executable, f"stages/{stage}.py", *arguments, folder=self.folder)
        print(done.output.strip(), file=sys.stderr, flush=True)
        return sum(steps_of(done.output).values())

    def render(self) -> None:
        """Run all that comes before the network."""
        for stage in BEFORE:
            self.run(stage)
        for family in self.families:
            self.run("render", family)

    def predict(self, device: str) -> tuple[dict[str, float], pd.DataFrame]:
        """Run the network on a device; return seconds by stage, and what was predicted."""
        self.change("device", device)
        taken = {"engine": self.run("engine")}
        taken["features"] = sum(self.run("features", family) for family in self.families)
        taken |= {stage: self.run(stage) for stage in PREDICTING}
        return taken, pd.read_parquet(self.folder / "data/predictions.parquet")


def rates(folder: Path, device: torch.device) -> dict[str, float]:
    """Measure what bounds the features of a study: pictures per second of each step alone."""
    (condition, *_) = read_facts(folder / "data/conditions", "orig_full").conditions
    views = read_views(folder / "data/conditions", condition)
    stored = folder / "data/conditions" / condition.folder
    pictures = Pictures(stored, views[INSTANCE])
    boxes = views[BOX].to_numpy(float)
    count = min(CUDA_BATCH, len(views))
    whole = [range(one.start, one.stop) for one in batches(len(views), count)]
    whole = [one for one in whole if len(one) == count]
    places = [whole[number % len(whole)] for number in range(BATCHES)]

    def read(place: range) -> np.ndarray:
        return pictures.read(slice(place.start, place.stop))

    held = {place: read(place) for place in whole}
    regions = {place: regions_of(boxes[[*place]], np.arange(count)) for place in whole}

    def settle() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    backbone = Backbone(read_weights(folder / "data/backbone.pth"))
    found = {}
    for name in ("float32", "bfloat16"):
        is_half = name == "bfloat16"
        reader = TorchReader(backbone, device, is_half=is_half)
        there = {place: torch.from_numpy(one).to(device) for place, one in held.items()}
        half: AbstractContextManager[object] = nullcontext()
        if is_half:
            half = torch.autocast(device.type, torch.bfloat16)
        with torch.inference_mode(), half:
            for shown in (there[whole[0]], there[whole[0]][: count // 2 + 1]):
                start = time.perf_counter()
                backbone.scene(shown)
                settle()
                seconds = time.perf_counter() - start
                found[f"first {len(shown)} pictures, {name}: seconds"] = seconds
            found[f"bare loop, {name}"] = rate(
                lambda place: backbone.scene(there[place]),  # noqa: B023
                places,
                1,
                settle,
            )
        found[f"a reader, {name}"] = rate(
            lambda place: reader.read_out(held[place], regions[place]),  # noqa: B023
            places,
            reader.threads,
            settle,
        )
    for threads in (1, reader.threads):
        found[f"decoding, threads: {threads}"] = rate(read, places, threads)

    reader = TorchReader(backbone, device)
    start = time.perf_counter()
    extracted = extract_features(views, stored, lambda: reader)
    passes = 2 * len(extracted.plain["scene"])
    found["features of a condition, passes"] = passes / (time.perf_counter() - start)
    return found


def agreement(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, float]:
    """Return how many predictions there are on two devices, and how alike."""
    both = one.merge(other, on=KEYS, suffixes=("", "_other"), validate="one_to_one")
    if not len(both) == len(one) == len(other):
        raise SystemExit("the two devices predicted other objects")
    difference = (both["confidence"] - both["confidence_other"]).abs()
    return {
        "predictions": len(both),
        "the same": float((both["predicted"] == both["predicted_other"]).mean()),
        "largest difference of a confidence": float(difference.max()),
    }


def main(objects: int, size: int, device: str, families: Sequence[str]) -> None:
    """Measure all; print what was found as it is found."""
    found: dict[str, Any] = {"machine": describe_machine()}
    there = torch.device(device)
    if there.type == "cuda":
        found["machine"]["device"] = torch.cuda.get_device_name(there)
    with tempfile.TemporaryDirectory(prefix="gpu-") as name:
        study = Study(Path(name), objects=objects, size=size, families=families)
        study.render()
        found["per second"] = rates(study.folder, there)
        _print(found)
        on_device, predicted = study.predict(device)
        on_cpu, due = study.predict("cpu")
        found["seconds"] = {device: on_device, "cpu": on_cpu}
        found["agreement"] = agreement(due, predicted)
        _print(found)
        for one, taken in ((device, on_device), ("cpu", on_cpu)):
            study.change("device", one)
            study.run("engine")
            for stage in LOOKING:
                taken[stage] = study.run(stage)
                _print(found)


def _print(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, default=600, help="in the study")
    parser.add_argument("--size", type=int, default=224, help="of the network's input, in pixels")
    parser.add_argument("--device", default="cuda", help="as params.yaml has it")
    parser.add_argument("--families", nargs="+", default=[], help="orig_full is one; default: all")
    main(**vars(parser.parse_args()))
