"""Write the frozen backbone's weights."""

from smallsight import params
from smallsight.backbones import pretraining
from smallsight.backbones.weights import imagenet_weights, read_weights, write_weights
from smallsight.runtime import script
from smallsight.runtime.device import pick_device

BACKBONE = "data/backbone.pth"


def main() -> str:
    parameters = params.load()
    settings, device = parameters.backbone, pick_device(parameters.device)
    if settings.weights == "phantom":
        weights = pretraining.pretrain(settings.pretraining, seed=parameters.seed, device=device)
        origin = f"trained on {settings.pretraining.pictures} generated pictures on {device}"
    elif settings.weights == "imagenet":
        weights, origin = imagenet_weights(), "torchvision's ImageNet weights"
    else:
        weights, origin = read_weights(settings.weights), f"from {settings.weights}"
    write_weights(weights, BACKBONE)
    return f"ResNet18, {origin}"


if __name__ == "__main__":
    script.run(main)
