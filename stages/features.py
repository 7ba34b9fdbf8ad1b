"""Run the backbone over one family's pictures."""

import sys
from pathlib import Path

import own_library  # noqa: F401

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import write_features
from smallsight.backbones.features import extract_features
from smallsight.backbones.networks.weights import read_weights
from smallsight.conditions.rendered.names import read_facts
from smallsight.conditions.rendered.views import read_views
from smallsight.runtime import files, script
from smallsight.runtime.device import pick_device

BACKBONE = "data/backbone.pth"
CONDITIONS = Path("data/conditions")
FEATURES = Path("data/features")


def main(family: str) -> str:
    parameters = params.load()
    device = pick_device(parameters.device)
    backbone = Backbone(read_weights(BACKBONE))
    n_pictures = n_different = 0
    with files.new_folder(FEATURES / family) as folder:
        for condition in read_facts(CONDITIONS, family).conditions:
            views = read_views(CONDITIONS, condition)
            extracted = extract_features(
                views,
                CONDITIONS / condition.folder,
                backbone,
                keep_maps=condition.is_reference,
                device=device,
            )
            write_features(extracted, condition, folder)
            n_pictures += len(views)
            n_different += len(extracted.plain["scene"])
    return f"{n_pictures} pictures, {n_different} of them different, on {device}"


if __name__ == "__main__":
    script.run(main, *sys.argv[1:])
