"""Check all parameters before any other stage runs, and so before DVC clears an output."""

from smallsight import backbones, conditions, files, params, stage

MARK = "data/checked.txt"


def main() -> str:
    parameters = params.load()
    families = conditions.ladders(parameters.conditions)
    backbones.pick_device(parameters.device)
    if parameters.backbone.weights not in backbones.NAMED_WEIGHTS:
        backbones.read_weights(parameters.backbone.weights)
    # Always the same text: what depends on it waits for the check, but never re-runs for it.
    files.write_text("params.yaml was checked\n", MARK)
    levels = sum(len(ladder) for ladder in families.values())
    return f"{len(families)} families at {levels} levels, source {parameters.data.source}"


if __name__ == "__main__":
    stage.run(main)
