"""Write the frozen backbone's weights."""

from smallsight import backbones, params, pretraining, stage

BACKBONE = "data/backbone.pth"


def main() -> str:
    parameters = params.load()
    settings, device = parameters.backbone, backbones.pick_device(parameters.device)
    if settings.weights == "phantom":
        weights = pretraining.pretrain(settings.pretraining, seed=parameters.seed, device=device)
        origin = f"trained on {settings.pretraining.pictures} generated pictures on {device}"
    elif settings.weights == "imagenet":
        weights, origin = backbones.imagenet_weights(), "torchvision's ImageNet weights"
    else:
        weights, origin = backbones.read_weights(settings.weights), f"from {settings.weights}"
    backbones.write_weights(weights, BACKBONE)
    return f"ResNet18, {origin}"


if __name__ == "__main__":
    stage.run(main)
