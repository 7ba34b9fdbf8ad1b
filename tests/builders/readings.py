"""Networks of torch's, read as a study reads them, on the CPU."""

import numpy as np
import torch

from smallsight.backbones.features import extract_features
from smallsight.backbones.pooling import regions_of
from smallsight.backbones.tensor_reader import TorchReader


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
