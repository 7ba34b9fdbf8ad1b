"""Pictures that are read again and again, as many of them kept as there is room for."""

import threading
from pathlib import Path

import numpy as np

from smallsight.imaging.pictures import read_picture


class KeptPictures:
    """Reads pictures, and keeps those that were read first, as long as it lives itself.

    Who reads all pictures of a study in turn, again and again, would never find those that were
    read last. Another process that is sent it starts with none.

    Parameters
    ----------
    room
        Bytes of pixels that are kept at most.
    """

    def __init__(self, room: int) -> None:
        self._room = self._left = room
        self._kept: dict[str, np.ndarray] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type["KeptPictures"], tuple[int]]:
        """Send the room alone."""
        return KeptPictures, (self._room,)

    def read(self, path: str | Path) -> np.ndarray:
        """Read a picture, (height, width, 3), uint8, which nobody may change."""
        key = str(path)
        if key not in self._kept:
            picture = read_picture(path)
            picture.flags.writeable = False
            with self._lock:
                if picture.nbytes > self._left or key in self._kept:
                    return picture
                self._kept[key] = picture
                self._left -= picture.nbytes
        return self._kept[key]
