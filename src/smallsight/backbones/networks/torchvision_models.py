"""torchvision's classifiers, untrained."""

from torch import nn
from torchvision.models import get_model


def make(architecture: str, *, classes: int | None = None) -> nn.Module:
    """Make a classifier of a number of classes, torchvision's own number where none is given."""
    options = {} if classes is None else {"num_classes": classes}
    return get_model(architecture, **options)
