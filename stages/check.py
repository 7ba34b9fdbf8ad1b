"""Check all parameters before any other stage runs, and so before DVC clears an output."""

from smallsight import params
from smallsight.backbones.weights import NAMED_WEIGHTS, read_weights
from smallsight.conditions.ladders import ladders
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device

MARK = "data/checked.txt"


def main() -> str:
    parameters = params.load()
    families = ladders(parameters.conditions)
    pick_device(parameters.device)
    if parameters.backbone.weights not in NAMED_WEIGHTS:
        read_weights(parameters.backbone.weights)
    # Always the same text: what depends on it waits for the check, but never re-runs for it.
    files.write_text("params.yaml was checked\n", MARK)
    levels = sum(len(ladder) for ladder in families.values())
    return f"{len(families)} families at {levels} levels, source {parameters.data.source}"


if __name__ == "__main__":
    script.run(main)
