"""What reads pictures: a frozen trunk, whose features heads read, or a classifier as it is."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from smallsight.backbones.facts import LAST
from smallsight.runtime.errors import ClusterError
from smallsight.runtime.parallel import map_batches

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


class Opened(NamedTuple):
    """What is known of a reader where it was opened; `Reader` says what the values are."""

    batch_size: int
    threads: int
    place: str


def open_alike(opener: Opener) -> tuple[Opened, Opener]:
    """Open a reader where it will run; return what is known of it, and what opens it alike there.

    Results of devices differ, and which worker of a cluster takes which batch is chance. The second
    raises `ClusterError` where another device would run the reader.
    """
    (known,) = map_batches(_known, [opener], threads=1, description="opening the network")
    return known, partial(_open_at, opener=opener, place=known.place)


def _known(opener: Opener) -> Opened:
    reader = opener()
    return Opened(reader.batch_size, reader.threads, reader.place)


def _open_at(*, opener: Opener, place: str) -> Reader:
    reader = opener()
    if reader.place != place:
        found = f"one worker runs the network on {place}, another on {reader.place}"
        due = "workers with a device of one kind, or params.device: cpu"
        raise ClusterError("SMALLSIGHT_DASK", found, due)
    return reader
