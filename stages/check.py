"""Check all parameters before any other stage runs, and so before DVC clears an output."""

import own_library  # noqa: F401

from smallsight import params
from smallsight.backbones.networks.weight_sources import read_checkpoint
from smallsight.backbones.registry import check_layer, find_backbone
from smallsight.conditions.rendering.levels import levels_by_family
from smallsight.datasets.registry import check_groups, make_source
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device

MARK = "data/checked.txt"


def main() -> str:
    parameters = params.load()
    check_groups(parameters.data)
    make_source(parameters.data, seed=parameters.seed)
    families = levels_by_family(parameters.conditions)
    pick_device(parameters.device)
    record = find_backbone(parameters.backbone.name)
    check_layer(record, parameters.explain.layer)
    if parameters.backbone.weights not in record.weights:
        read_checkpoint(parameters.backbone.weights, record)
    # Always the same text: what depends on it waits for the check, but never re-runs for it.
    files.write_text("params.yaml was checked\n", MARK)
    count = sum(len(levels) for levels in families.values())
    return f"{len(families)} families at {count} levels, source {parameters.data.source}"


if __name__ == "__main__":
    script.run(main)
