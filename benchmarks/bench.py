"""Time this pipeline against a plain reference, a bare loop and itself: `make bench`.

    python benchmarks/bench.py [--objects N] [--rounds N] [--photographs FOLDER] [--skip-default]

Reference and pipeline take turns, on the same objects, pictures and cores; what comes before
rendering is theirs in common and not counted. Writes `benchmarks/results.json`, its figure and the
tables of docs/measured.md.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from figure import draw_figure
from measured_page import write_page
from plain_study import CONDITIONS, SIZE
from workspace import ROOT, Run, copy_tree, reproduce, run, set_parameters

RESULTS, FIGURE = ROOT / "benchmarks/results.json", ROOT / "benchmarks/results.png"

PACKAGES = ("torch", "torchvision", "onnxruntime", "numpy", "pillow", "scikit-image", "dvc")

COMMON = "fetch"
"""The last stage that reference and pipeline have in common; `engine` waits for rendering."""


def main(objects: int, rounds: int, photographs: Path | None, *, skip_default: bool) -> None:
    """Measure, print and write everything."""
    with tempfile.TemporaryDirectory(prefix="smallsight-bench-") as name:
        place = Path(name)
        prepared = prepare(place / "prepared", objects, photographs)
        found: list[dict[str, Any]] = []
        for number in range(rounds):
            found.append(one_round(prepared, place / f"round-{number}"))
            told = found[-1]
            print(
                f"round {number + 1}: plain {told['plain']['seconds']:.0f} s, pipeline "
                f"{told['pipeline']['seconds']:.0f} s, ratio {told['ratio_table']:.2f}", flush=True
            )  # fmt: skip
        results = summarised(found) | {"about": about(objects, rounds, photographs)}
        results["gradcam"] = gradcam_ratio()
        if not skip_default:
            results["default_study"] = default_study(place / "default")
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    draw_figure(results, FIGURE)
    write_page(results, ROOT / "docs/measured.md")
    print(json.dumps(results, indent=2))


def prepare(folder: Path, objects: int, photographs: Path | None) -> Path:
    """Make the sample and its pictures, once for all rounds."""
    copy_tree(folder)
    change: dict[str, Any] = {
        "sample.per_group": objects // 3,
        "backbone.name": "resnet18",
        "backbone.weights": "random",
        "backbone.input_size": SIZE,
        "tasks.scene": list(CONDITIONS),
        "conditions": {name: OPTIONS[name] for name in CONDITIONS},
    }
    if photographs is not None:
        (annotations,) = sorted(photographs.glob("*.json"))[:1]
        change |= {
            "data.source": "local",
            "data.local.annotations": str(annotations),
            "data.local.images": str(photographs / "images"),
        }
    set_parameters(folder, change)
    reproduce(folder, COMMON)
    return folder


OPTIONS: dict[str, dict[str, Any]] = {
    "orig_full": {},
    "orig_crop": {"margin": [0.25]},
    "downscale": {"scale": [0.5]},
    "motion_blur": {"length": [15]},
    "occlusion": {"ratio": [0.35]},
    "bg_blur": {"sigma": [3.5], "margin": [0.1]},
}
"""The original study's conditions."""


def one_round(prepared: Path, folder: Path) -> dict[str, Any]:
    """Run the reference, the pipeline and the bare loop, one after the other."""
    folder.mkdir()
    result = folder / "plain.json"
    script = [sys.executable, str(ROOT / "benchmarks/plain_study.py"), str(prepared), str(result)]
    run(script, folder)
    plain = json.loads(result.read_text())
    run(["cp", "-a", str(prepared), str(folder / "pipeline")], folder)
    pipeline = reproduce(folder / "pipeline", "evaluate")
    limit = folder / "limit.json"
    run([sys.executable, str(ROOT / "benchmarks/forward_loop.py"), str(limit)], folder)
    return compared(plain, pipeline, json.loads(limit.read_text()), folder / "pipeline/data")


def compared(
    plain: dict[str, Any], pipeline: Run, limit: dict[str, float], data: Path
) -> dict[str, Any]:
    """Bring one round's measurements together."""
    predictions = pd.read_parquet(data / "predictions.parquet")
    retrained = predictions[predictions["regime"] == "retrained"]
    heads = 1 + len(retrained[["task", "condition", "seed", "fold"]].drop_duplicates())
    passes = network_passes(data / "features")
    per_second = passes / pipeline.stages["features"]
    fastest = max(limit.values())
    return {
        "plain": plain | {"passes_per_second": plain["passes"] / plain["seconds"]},
        "pipeline": {
            "seconds": pipeline.seconds,
            "stages": pipeline.stages,
            "overhead": pipeline.overhead,
            "memory": pipeline.memory,
            "heads": heads,
            "passes": passes,
            "passes_per_second": per_second,
        },
        "limit": limit,
        "ratio_table": plain["seconds"] / pipeline.seconds,
        "ratio_head": (plain["seconds"] / plain["heads"]) / (pipeline.seconds / heads),
        "share_of_limit": per_second / fastest,
    }


def network_passes(features: Path) -> int:
    """Count the pictures, and mirror images, that the network was shown."""
    count = 0
    for path in features.rglob("*.npz"):
        with np.load(path) as arrays:
            count += sum(len(arrays[name]) for name in ("scene", "scene_mirrored"))
    return count


def summarised(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return medians and spreads of the rounds, and the rounds themselves."""
    found: dict[str, Any] = {"rounds": list(rounds)}
    for name in ("ratio_table", "ratio_head", "share_of_limit"):
        values = [one[name] for one in rounds]
        found[name] = statistics.median(values)
        found[f"{name}_spread"] = [min(values), max(values)]
    return found


def gradcam_ratio() -> dict[str, float]:
    """Compare a saliency map with pytorch-grad-cam's, at this study's size."""
    import saliency

    alone, measured = saliency.main(pictures=64, size=SIZE, rounds=3)
    return {"closed_form": alone, "read_and_measured": measured}


def default_study(folder: Path) -> dict[str, Any]:
    """Time the default study from nothing, unchanged, and with one family's level changed."""
    copy_tree(folder)
    whole = reproduce(folder)
    unchanged = reproduce(folder)
    set_parameters(folder, {"conditions.occlusion": {"ratio": [0.4]}})
    changed = reproduce(folder)
    return {
        "whole": whole.seconds,
        "stages": whole.stages,
        "overhead": whole.overhead,
        "memory": whole.memory,
        "unchanged": unchanged.seconds,
        "changed_level": changed.seconds,
        "changed_level_share": changed.seconds / whole.seconds,
    }


def about(objects: int, rounds: int, photographs: Path | None) -> dict[str, Any]:
    """Say what was measured, on what, and when."""
    return {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "objects": objects,
        "rounds": rounds,
        "pictures": "drawn scenes" if photographs is None else "photographs",
        "input_size": SIZE,
    }


def processor() -> str:
    """Return the processor's own name, where Linux tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--skip-default", action="store_true")
    given = parser.parse_args()
    main(given.objects, given.rounds, given.photographs, skip_default=given.skip_default)
