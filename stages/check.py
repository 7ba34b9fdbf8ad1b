"""Check all parameters before any other stage runs, and so before DVC clears an output."""

import tempfile
from pathlib import Path

import own_library  # noqa: F401

from smallsight import params
from smallsight.backbones.facts import BackboneFacts
from smallsight.backbones.networks.weight_sources import preview_weights
from smallsight.backbones.probe import find_facts
from smallsight.backbones.registry import check_unseen
from smallsight.classifiers.load import collect_classifier
from smallsight.classifiers.mapping import resolve_mapping
from smallsight.conditions.rendering.levels import levels_by_family
from smallsight.datasets.registry import check_groups, make_source
from smallsight.datasets.watched import check_watched_folders
from smallsight.evaluation.protocols import find_protocol
from smallsight.remedies.registry import check_remedies
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device
from smallsight.sampling.listed import read_listed

MARK = "data/checked.txt"


def main() -> str:
    parameters = params.load()
    check_watched_folders(parameters.data)
    check_groups(parameters.data)
    make_source(parameters.data, seed=parameters.seed)
    read_listed(parameters.data.instances)
    families = levels_by_family(parameters.conditions, parameters.tasks)
    check_remedies(parameters.remedies)
    pick_device(parameters.device)
    is_own = parameters.classifier.source != "head"
    find_protocol(parameters.protocol, is_own=is_own)
    facts = (check_classifier if is_own else check_backbone)(parameters)
    facts.check_readout(parameters.heads.readout)
    # Always the same text: what depends on it waits for the check, but never re-runs for it.
    files.write_text("params.yaml was checked\n", MARK)
    count = sum(len(levels) for levels in families.values())
    levels = f"{len(families)} families at {count} levels"
    return f"{levels}, source {parameters.data.source}, {facts.describe()}"


def check_backbone(parameters: params.Params) -> BackboneFacts:
    """Refuse a frozen backbone that cannot be had, or has not what the parameters ask for."""
    source = parameters.data.groups[parameters.data.source]
    check_unseen(parameters.backbone, map(str, source.values()))
    loaded = preview_weights(parameters.backbone, seed=parameters.seed)
    facts = find_facts(parameters.backbone, loaded)
    facts.check_layer(parameters.explain.layer)
    return facts


def check_classifier(parameters: params.Params) -> BackboneFacts:
    """Refuse a classifier that cannot be opened, or whose classes are not the study's."""
    settings = parameters.classifier
    with tempfile.TemporaryDirectory() as folder:
        facts = collect_classifier(
            settings,
            Path(folder, "classifier"),
            seed=parameters.seed,
            layer=parameters.explain.layer,
            preview=True,
        )
    # Which categories are all of them is known where the sample is drawn.
    if parameters.data.categories != "all":
        resolve_mapping(
            settings.mapping,
            facts.classes,
            parameters.data.categories,
            keeps_rest=settings.rest == "other",
        )
    return facts.as_network()


if __name__ == "__main__":
    script.run(main)
