"""What reads pictures: a frozen trunk, whose features heads read, or a classifier as it is."""

from collections.abc import Sequence
from typing import Protocol, Self

import torch


class Reader(Protocol):
    """A frozen network, from pictures to features.

    The features of a classifier of the user's own are its logits, or the logarithms of its
    probabilities.

    Attributes
    ----------
    batch_size
        Pictures per call.
    """

    batch_size: int

    def to(self, device: torch.device) -> Self:
        """Move to a device."""

    def scene(self, pictures: torch.Tensor, names: Sequence[tuple[str, str]] = ()) -> torch.Tensor:
        """Compute the features, (n, dimensions), of pictures, (n, size, size, 3), uint8.

        Parameters
        ----------
        names
            Of each picture, its name and what was done to it: a classifier that is a program of the
            user's own is told so.
        """

    def read_out(
        self,
        pictures: torch.Tensor,
        regions: torch.Tensor,
        names: Sequence[tuple[str, str]] = (),
    ) -> dict[str, torch.Tensor]:
        """Compute the parts of all readouts' features, and the last layer's maps.

        Parameters
        ----------
        pictures, names
            As for `scene`.
        regions
            (n, 5), the objects, as `pooling.regions_of` returns them.

        Returns
        -------
        dict
            `scene`, (pictures, dimensions), and the other names of `readouts.PARTS` that there are,
            (n, channels); `LAST`, (pictures, dimensions, rows, columns), no rows where there is no
            such layer.
        """
