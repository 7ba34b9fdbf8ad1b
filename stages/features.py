"""Run the backbone over one family's pictures."""

import sys
from pathlib import Path

from smallsight import backbones, conditions, features, files, params, rendered, stage

BACKBONE = "data/backbone.pth"
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")


def main(family: str) -> str:
    parameters = params.load()
    ladder = conditions.ladder(family, parameters.conditions)
    device = backbones.pick_device(parameters.device)
    backbone = backbones.Backbone(backbones.read_weights(BACKBONE))
    given = seen = 0
    with files.new_folder(FEATURES / family) as folder:
        for condition in ladder:
            views = rendered.read_views(CONDITIONS, condition)
            extracted = features.extract(
                views,
                CONDITIONS / family / condition.level,
                backbone,
                keep_maps=condition.is_reference,
                device=device,
            )
            features.write(extracted, folder / f"{condition.level}.npz")
            given, seen = given + len(views), seen + len(extracted.plain)
    return f"{given} pictures, {seen} of them different, on {device}"


if __name__ == "__main__":
    stage.run(main, *sys.argv[1:])
