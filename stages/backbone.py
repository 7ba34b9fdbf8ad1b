"""Write what is examined: the frozen backbone's weights, or the user's own classifier."""

from collections.abc import Iterator
from pathlib import Path

import own_library  # noqa: F401

from smallsight import params
from smallsight.backbones.facts import BackboneFacts, write_backbone_facts
from smallsight.backbones.networks.weight_sources import load_weights
from smallsight.backbones.networks.weights import write_weights
from smallsight.backbones.probe import find_facts
from smallsight.backbones.registry import check_unseen
from smallsight.classifiers.facts import write_classifier_facts
from smallsight.classifiers.load import collect_classifier
from smallsight.imaging.pictures import InputFormat, write_input_format
from smallsight.runtime import large_json, script

ANNOTATIONS = "data/source/instances.json"
BACKBONE = Path("data/backbone.pth")
FACTS = "data/backbone.json"
CLASSIFIER = "data/classifier.json"
INPUT = "data/input.json"


def addresses() -> Iterator[str]:
    """Yield where pictures lie on the web. The large file is read when the first is asked for."""
    for image in large_json.load(ANNOTATIONS, where=ANNOTATIONS)["images"]:
        yield str(image.get("coco_url", ""))


def main() -> str:
    parameters = params.load()
    is_own = parameters.classifier.source != "head"
    write = write_classifier if is_own else write_backbone
    facts, summary = write(parameters)
    write_backbone_facts(facts, FACTS)
    write_input_format(InputFormat(facts.input_size, facts.interpolation), INPUT)
    return summary


def write_backbone(parameters: params.Params) -> tuple[BackboneFacts, str]:
    """Write the frozen backbone; return its facts and what to say of it."""
    settings = parameters.backbone
    check_unseen(settings, addresses())
    loaded = load_weights(settings, seed=parameters.seed)
    facts = find_facts(settings, loaded)
    write_weights(loaded.weights, BACKBONE)
    write_classifier_facts(None, CLASSIFIER)
    return facts, "\n".join([facts.describe(), *facts.notes])


def write_classifier(parameters: params.Params) -> tuple[BackboneFacts, str]:
    """Write the user's own classifier; return its facts as those of a network."""
    facts = collect_classifier(
        parameters.classifier, BACKBONE, seed=parameters.seed, layer=parameters.explain.layer
    )
    write_classifier_facts(facts, CLASSIFIER)
    return facts.as_network(), "\n".join([facts.describe(), *facts.notes])


if __name__ == "__main__":
    script.run(main)
