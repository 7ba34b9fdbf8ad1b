"""Time the study beside a plain one, the limit, and pytorch-grad-cam: what `make bench` runs.

    python benchmarks/bench.py [--objects N] [--rounds N] [--annotations JSON --photographs FOLDER]

Every round runs all sides in turn, each in processes of its own, on the same objects, network and
threads; results are medians over rounds, with the least and the largest. The sides:

* the plain study (`plain_study.py`), from fetched pictures;
* this pipeline up to the same table, from the same pictures and with nothing else in DVC's cache;
  then on to all evidence, which is cross-fitted heads of both regimes;
* the limit (`limit.py`), a bare loop of the network;
* saliency maps (`saliency.py`), in closed form and by pytorch-grad-cam;
* the default study: from nothing; again with nothing changed; with a changed level of occlusion.

After each round the results are written to `benchmarks/results.json`, `benchmarks/results.png` and
the section of speeds in `docs/measured.md`; `--results FOLDER` puts the first two elsewhere, and
leaves the page as it is.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import children
import yaml
from figure import draw
from machine import describe_machine
from pages import PAGE, section, write_section
from plain_study import CONDITIONS
from study_copy import ROOT, StudyCopy
from summary import summarise

BENCHMARKS = Path(__file__).resolve().parent
GROUPS = 3
SIZE = 224
CHANGED_RATIO = 0.5
"""The changed level of occlusion, as a share of the box's width and height."""
Round = dict[str, Any]


def main(
    objects: int, rounds: int, annotations: Path | None, photographs: Path | None, results: Path
) -> None:
    """Measure; print, draw and write what came out, round by round."""
    settings = {
        "objects": objects,
        "network": "resnet18",
        "input_size": SIZE,
        "conditions": list(CONDITIONS),
        "pictures": "drawn scenes" if photographs is None else "photographs",
    }
    machine = describe_machine()
    done: list[Round] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        six = StudyCopy(folder / "six", six_conditions(objects, annotations, photographs))
        say("what all sides share", six.repro("sample", "fetch", "backbone"))
        six.keep()
        default = StudyCopy(folder / "default", {"sample.per_group": objects // GROUPS})
        for number in range(rounds):
            done.append(measure_round(number, six, default))
            found = summarise(done) | {"settings": settings, "machine": machine, "rounds": done}
            write(found, results)
    print(section(found))


def six_conditions(
    objects: int, annotations: Path | None, photographs: Path | None
) -> dict[str, Any]:
    """Return the parameters of a study of the original six conditions by the original network."""
    levels = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["conditions"]
    changes = {
        "protocol": "original",
        "conditions": {
            name: {key: value[:1] for key, value in levels[name].items()} for name in CONDITIONS
        },
        "tasks.scene": list(CONDITIONS),
        "sample.per_group": objects // GROUPS,
        "backbone.name": "resnet18",
        "backbone.weights": "random",
        "backbone.input_size": SIZE,
    }
    if annotations is None or photographs is None:
        return changes
    return changes | {
        "data.source": "local",
        "data.local.annotations": str(annotations.resolve()),
        "data.local.images": str(photographs.resolve()),
    }


def measure_round(number: int, six: StudyCopy, default: StudyCopy) -> Round:
    """Run every side once; the plain study comes first in every other round."""
    sides: list[tuple[str, Callable[[], dict[str, Any]]]] = [
        ("plain", lambda: script("plain_study.py", str(six.folder))),
        ("pipeline", lambda: measure_pipeline(six)),
    ]
    found: Round = {}
    print(f"round {number + 1}", flush=True)
    for name, measure in sides[:: -1 if number % 2 else 1]:
        found[name] = measure()
        say(name, found[name])
    for name, pictures in (("limit", 640), ("saliency", 96)):
        found[name] = script(f"{name}.py", "--size", str(SIZE), "--pictures", str(pictures))
        say(name, found[name])
    found["default"] = measure_default(default)
    return found


def script(name: str, *arguments: str) -> dict[str, Any]:
    """Run a script of this folder; return what it prints as JSON, its seconds and its memory."""
    done = children.run(sys.executable, str(BENCHMARKS / name), *arguments, folder=ROOT)
    found = json.loads(done.output.splitlines()[-1])
    return found | {"seconds": done.seconds, "peak_gib": done.peak_gib}


def measure_pipeline(six: StudyCopy) -> dict[str, Any]:
    """Run the pipeline up to the original table, and from there on to all evidence.

    Returns
    -------
    dict
        What `repro` returns of the first run, and its `passes` and `accuracies`; `evidence`, what
        it returns of the second, and `heads`.
    """
    six.restore()
    table = six.repro("evaluate")
    table |= {"passes": six.passes(), "accuracies": six.accuracies()}
    six.change("protocol", "cross_validation")
    evidence = six.repro("evaluate")
    table["evidence"] = evidence | {"heads": six.heads()}
    six.restore()
    return table


def measure_default(default: StudyCopy) -> dict[str, Any]:
    """Run the default study from nothing, again, and with a changed level."""
    default.restore()
    found = {}
    for name in ("from nothing", "nothing changed", "a changed level"):
        if name == "a changed level":
            default.change("conditions.occlusion.ratio", [CHANGED_RATIO])
        found[name] = default.repro()
        say(f"default study, {name}", found[name])
    default.restore()
    return found


def say(name: str, found: dict[str, Any]) -> None:
    """Print what one side took."""
    steps = found.get("steps", {})
    each = "".join(f", {step} {seconds:.1f}" for step, seconds in steps.items())
    seconds, peak = found["seconds"], found["peak_gib"]
    print(f"  {name}: {seconds:.1f} s, {peak:.2f} GiB{each}", flush=True)


def write(found: dict[str, Any], folder: Path) -> None:
    """Write results and figure, and where they are the project's own, the section of the page."""
    (folder / "results.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draw(found, folder / "results.png")
    if folder.resolve() == BENCHMARKS:
        write_section(found, PAGE)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--objects", type=int, default=600, help="a third of them of each size")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--annotations", type=Path, help="COCO's, of photographs")
    parser.add_argument("--photographs", type=Path, help="in place of drawn scenes")
    parser.add_argument("--results", type=Path, default=BENCHMARKS, help="folder of the results")
    given = parser.parse_args()
    if (given.annotations is None) != (given.photographs is None):
        parser.error("--annotations and --photographs go together")
    if given.rounds < 1 or given.objects < GROUPS:
        parser.error(f"at least one round and {GROUPS} objects")
    return given


if __name__ == "__main__":
    main(**vars(parse()))
