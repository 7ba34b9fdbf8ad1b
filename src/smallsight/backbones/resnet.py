"""torchvision's ResNets without their last layer."""

from torch import nn
from torchvision.models import resnet18

DIMENSIONS = 512
"""Length of a pooled feature."""


LAYER = "layer4"
"""The last convolutional layer, whose maps are pooled into features."""


def trunk() -> nn.Module:
    """Make torchvision's ResNet18, untrained, with nothing in place of its last layer."""
    network = resnet18()
    network.fc = nn.Identity()
    return network
