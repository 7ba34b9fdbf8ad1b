"""Write the frozen backbone's weights, and what later stages need to know of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import own_library  # noqa: F401

from smallsight import params
from smallsight.backbones.facts import write_backbone_facts
from smallsight.backbones.networks.weight_sources import load_weights
from smallsight.backbones.networks.weights import write_weights
from smallsight.backbones.probe import find_facts
from smallsight.backbones.registry import check_unseen
from smallsight.imaging.pictures import InputFormat, write_input_format
from smallsight.runtime import script

ANNOTATIONS = Path("data/source/instances.json")
BACKBONE = "data/backbone.pth"
FACTS = "data/backbone.json"
INPUT = "data/input.json"


def addresses() -> Iterator[str]:
    """Yield where pictures lie on the web. The large file is read when the first is asked for."""
    for image in json.loads(ANNOTATIONS.read_text(encoding="utf-8"))["images"]:
        yield str(image.get("coco_url", ""))


def main() -> str:
    parameters = params.load()
    settings = parameters.backbone
    check_unseen(settings, addresses())
    loaded = load_weights(settings, seed=parameters.seed)
    facts = find_facts(settings, loaded)
    write_weights(loaded.weights, BACKBONE)
    write_backbone_facts(facts, FACTS)
    write_input_format(InputFormat(facts.input_size, facts.interpolation), INPUT)
    return "\n".join([facts.describe(), *facts.notes])


if __name__ == "__main__":
    script.run(main)
