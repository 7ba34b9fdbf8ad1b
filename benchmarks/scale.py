"""How seconds and memory grow with the sample: every stage of studies of several sizes.

    python benchmarks/scale.py [--objects N N ...] [--size PIXELS]

Each study is made and run by DVC in a temporary folder, stage by stage, at one level of some
families and with some remedies of each kind. The table that is printed is Markdown. 6,000 objects
at 224 pixels take about an hour of two cores and 25 GB.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from study_copy import ROOT, StudyCopy

FAMILIES = ("orig_full", "orig_crop", "occlusion", "pixels", "object_alone")
REMEDIES = ("zoom", "tiles_mean", "unsharp_mask", "input_150", "pool_maximum")
STAGES = (
    *("check", "annotate", "backbone", "sample", "fetch"),
    *(f"render@{family}" for family in FAMILIES),
    "engine",
    *(f"features@{family}" for family in FAMILIES),
    *("train", "evaluate", "explain", "faithfulness", "remedies", "analyse", "report"),
)
SCENES = 0.7
"""Drawn scenes for each object of the sample, as the default study has them."""


class Taken(NamedTuple):
    """What a stage took: seconds of its own work, and GiB of its largest process."""

    seconds: float
    peak_gib: float


def changes(objects: int, size: int, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a study of so many objects, by dotted key."""
    levels = {
        family: {
            name: value[:1] if isinstance(value, list) else value
            for name, value in defaults["conditions"][family].items()
        }
        for family in FAMILIES
    }
    return {
        "data.phantom.scenes": round(SCENES * objects),
        "sample.per_group": objects // 3,
        "tasks.scene": [one for one in defaults["tasks"]["scene"] if one in FAMILIES],
        "conditions": levels,
        "backbone.input_size": size,
        "remedies": {name: name in REMEDIES for name in defaults["remedies"]},
    }


def run(objects: int, size: int, folder: Path) -> dict[str, Taken]:
    """Run a study stage by stage; return what all stages of a name took together."""
    defaults = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    study = StudyCopy(folder, changes(objects, size, defaults))
    taken: defaultdict[str, Taken] = defaultdict(lambda: Taken(0, 0))
    for stage in STAGES:
        found = study.repro("--single-item", stage)
        name = stage.partition("@")[0]
        seconds, peak = taken[name]
        seconds += found["steps"].get(name, 0)
        taken[name] = Taken(seconds, max(peak, found["peak_gib"]))
    return dict(taken)


def table(found: Mapping[int, Mapping[str, Taken]]) -> Iterator[str]:
    """Yield a table's lines: by stage, seconds and peak of each size, and how seconds grow.

    The last column holds the seconds of the largest study over those of the smallest, by their
    ratio of objects: 1 where time is linear, less where some of it does not grow.
    """
    sizes = sorted(found)
    least, most = sizes[0], sizes[-1]
    heads = (f"{objects:,} objects: {what}" for objects in sizes for what in ("s", "GiB"))
    yield _row("stage", *heads, "growth")
    yield _row(*["---"] * (2 * len(sizes) + 2))
    for stage in found[least]:
        each = [found[objects][stage] for objects in sizes]
        growth = each[-1].seconds / max(each[0].seconds, 0.1) / (most / least)
        cells = (cell for one in each for cell in (f"{one.seconds:.1f}", f"{one.peak_gib:.2f}"))
        yield _row(stage, *cells, f"{growth:.2f}")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main(objects: Iterable[int], size: int) -> None:
    """Run the studies; print the table."""
    found = {}
    for count in objects:
        with tempfile.TemporaryDirectory(prefix="scale-") as folder:
            found[count] = run(count, size, Path(folder))
    print("\n".join(table(found)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, nargs="+", default=[600, 6000], help="in a study")
    parser.add_argument("--size", type=int, default=224, help="of the network's input, in pixels")
    main(**vars(parser.parse_args()))
