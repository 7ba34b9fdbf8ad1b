"""What reads pictures: a frozen trunk, whose features heads read, or a classifier as it is."""

import platform
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import numpy as np

from smallsight.backbones.facts import LAST
from smallsight.runtime.errors import ClusterError

BY_PICTURE = ("scene", LAST)
"""What `Reader.read_out` returns a row of for each picture; of other parts, for each object."""


class Reader(Protocol):
    """A frozen network, from pictures to features. Several threads may call it at once.

    The features of a classifier of the user's own are its logits, or the logarithms of its
    probabilities.

    Attributes
    ----------
    batch_size
        Pictures per call.
    threads
        How many threads are worth calling it at once.
    place
        Where it runs and what runs it, in words.
    """

    @property
    def batch_size(self) -> int:
        """Pictures per call."""

    @property
    def threads(self) -> int:
        """How many threads are worth calling it at once."""

    @property
    def place(self) -> str:
        """Where it runs and what runs it, in words."""

    def scene(self, pictures: np.ndarray, names: Sequence[tuple[str, str]] = ()) -> np.ndarray:
        """Compute the features, (n, dimensions), float32, of pictures.

        Parameters
        ----------
        pictures
            (n, size, size, 3), uint8.
        names
            Of each picture, its name and what was done to it: a classifier that is a program of the
            user's own is told so.
        """

    def read_out(
        self,
        pictures: np.ndarray,
        regions: np.ndarray,
        names: Sequence[tuple[str, str]] = (),
        *,
        keep_maps: bool = False,
    ) -> dict[str, np.ndarray]:
        """Compute the parts of all readouts' features and, if wished, the last layer's maps.

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
            (n, channels), float32; `LAST`, (pictures, dimensions, rows, columns), where maps are
            kept, no rows where there is no such layer.
        """


Opener = Callable[[], Reader]
"""Opens a reader, the same one every time in one process; another process can be sent it."""


def open_alike(opener: Opener) -> tuple[Reader, Opener]:
    """Open a reader; return it, and what opens it where it runs on the same device by the same.

    Results of devices differ, and which worker of a cluster takes which batch is chance. The second
    raises `ClusterError` where another device would run the reader.
    """
    reader = opener()
    return reader, partial(_open_at, opener=opener, place=reader.place)


def _open_at(*, opener: Opener, place: str) -> Reader:
    reader = opener()
    if reader.place != place:
        raise ClusterError(
            "SMALLSIGHT_DASK",
            f"a worker on {platform.node()} runs the network on {reader.place}, not on {place}",
            "workers with the device of the machine that asks, or params.device: cpu",
        )
    return reader
