"""Write the frozen backbone's weights."""

import own_library  # noqa: F401

from smallsight import params
from smallsight.backbones.networks.pretraining import pretrain
from smallsight.backbones.networks.weight_sources import download_weights, read_checkpoint
from smallsight.backbones.networks.weights import write_weights
from smallsight.backbones.registry import find_backbone
from smallsight.runtime import script
from smallsight.runtime.device import pick_device

BACKBONE = "data/backbone.pth"


def main() -> str:
    parameters = params.load()
    settings, device = parameters.backbone, pick_device(parameters.device)
    record = find_backbone(settings.name)
    named = record.weights.get(settings.weights)
    if named is None:
        weights, origin = read_checkpoint(settings.weights, record), f"from {settings.weights}"
    elif named.download is None:
        weights = pretrain(
            record, named.preprocessing, settings.pretraining, seed=parameters.seed, device=device
        )
        origin = f"{named.description}, {settings.pretraining.pictures} of them, on {device}"
    else:
        weights = download_weights(record, named.download, named.preprocessing)
        origin = named.description
    write_weights(weights, BACKBONE)
    return f"{record.label}, {origin}"


if __name__ == "__main__":
    script.run(main)
