"""A small convolutional network: the mean of its last maps is read by one linear layer."""

import itertools

import torch
from torch import nn


class SmallNetwork(nn.Module):
    """Four stages, each halving the maps, a mean over the cells, a linear layer.

    Parameters
    ----------
    num_classes
        Number of classes.
    """

    def __init__(self, num_classes: int = 6) -> None:
        super().__init__()
        widths = (3, 16, 32, 64, 128)
        stages = (_stage(*pair) for pair in itertools.pairwise(widths))
        self.features = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(widths[-1], num_classes)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return logits, (n, classes), of pictures, (n, 3, height, width)."""
        return self.classifier(self.pool(self.features(pictures)).flatten(1))


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )
