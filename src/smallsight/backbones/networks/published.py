"""Weights as a library publishes them."""

from collections.abc import Mapping
from typing import NamedTuple

import torch


class Published(NamedTuple):
    """Weights as a library publishes them.

    Attributes
    ----------
    state
        Of the whole network, under the library's own names.
    source
        Where they come from, in a few words for people.
    sha256
        Of their file, in hexadecimal digits; where the library hands over no file, of the one that
        it writes of them.
    """

    state: Mapping[str, torch.Tensor]
    source: str
    sha256: str
