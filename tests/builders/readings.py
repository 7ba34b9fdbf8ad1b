"""Networks of torch's, read as a study reads them, on the CPU."""

import numpy as np
import torch

from smallsight.backbones.features import extract_features
from smallsight.backbones.pooling import regions_of
from smallsight.backbones.tensor_reader import TorchReader


class Held:
    """Pictures in memory, (n, size, size, 3), read as `Pictures` are."""

    def __init__(self, pictures):
        self.pictures = pictures

    def __len__(self):
        return len(self.pictures)

    def part(self, place):
        return Held(self.pictures[place])

    def read(self, place=slice(None)):
        return self.pictures[place]


class Unread(Held):
    """Pictures that nothing is to read."""

    def __init__(self, pictures=()):
        super().__init__(pictures)

    def part(self, place):
        return self

    def read(self, place=slice(None)):
        raise AssertionError("pictures were read")


def opener_of(network):
    """Return what opens a network: the same reader every time."""
    reader = TorchReader(network, torch.device("cpu"))
    return lambda: reader


def tensor_regions(boxes, pictures):
    """Return regions as networks of torch's are given them."""
    return torch.from_numpy(regions_of(np.asarray(boxes, float), np.asarray(pictures)))


def extracted(views, folder, network, maps=None, **options):
    """Extract features of a network of torch's; return them and, where they are kept, maps."""
    found = extract_features(views, folder, opener_of(network), maps=maps, **options)
    return found, None if maps is None else np.load(maps)
