"""Pictures and masks in a family's folder, written by rendering and read by later stages.

A level's pictures are loose files in a folder, or one archive that has the folder's name and the
suffix `.zip`: uncompressed, so that any picture is read by itself. The archive's members are in the
order in which they were written and have no date.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight.conditions.rendered.names import Condition
from smallsight.imaging.pictures import decoded
from smallsight.params import Storage
from smallsight.runtime.errors import PictureError
from smallsight.runtime.files import new_folder, reading_archive, write_arrays
from smallsight.runtime.opened import opened_once
from smallsight.runtime.parallel import workers

MASKS = "masks.npz"
"""Name of the file of masks, beside the folders of one task's levels."""

MOST_FILES = 10_000
"""Objects of a sample whose pictures are kept as files where the parameter says `auto`: beyond,
as archives, because DVC is slow with many small files."""


def picture_name(image_id: int, ann_id: int) -> str:
    """Name an instance's picture inside the folder of a level."""
    return f"{image_id}_{ann_id}.png"


def archive_of(folder: Path) -> Path:
    """Return where the pictures of a level's folder are, where they are kept as an archive."""
    return folder.with_name(f"{folder.name}.zip")


@contextmanager
def new_pictures(
    folder: Path, *, storage: Storage, objects: int
) -> Iterator[Callable[[str, bytes], None]]:
    """Yield what writes a level's pictures, each by its name and its file's content.

    Parameters
    ----------
    folder
        The level's, which does not exist yet, nor its archive.
    objects
        How many the sample has, which decides where storage is `auto`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    if storage == "files" or (storage == "auto" and objects <= MOST_FILES):
        folder.mkdir()

        def write_file(name: str, content: bytes) -> None:
            (folder / name).write_bytes(content)

        yield write_file
        return
    with zipfile.ZipFile(archive_of(folder), "x") as archive:
        # Without a date of its own, a member has the earliest that ZIP knows.
        yield lambda name, content: archive.writestr(zipfile.ZipInfo(name), content)


def _reader(folder: Path) -> Callable[[str], bytes]:
    """Return what reads a picture's file by its name, from any thread."""
    if archive_of(folder).exists():
        return partial(_read_member, archive_of(folder))
    return lambda name: (folder / name).read_bytes()


def _open(archive: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)


# One of many pictures takes long to open; a sheet of thumbnails reads all conditions' in turn.
_archive = opened_once(_open, lambda archive: (archive,), at_most=16)


def _read_member(archive: Path, name: str) -> bytes:
    try:
        with reading_archive():
            return _archive(archive.resolve()).read(name)
    except zipfile.BadZipFile as error:
        raise PictureError(archive, str(error), "a whole archive") from None


def read_file(path: str | Path) -> bytes:
    """Read a picture's file by its path in a level's folder, whatever way that is kept.

    Raises
    ------
    FileNotFoundError
        Where there is no such picture.
    PictureError
        Where its archive is damaged.
    """
    path = Path(path)
    try:
        return _reader(path.parent)(path.name)
    except KeyError:
        raise FileNotFoundError(2, "No such picture", str(path)) from None


@dataclass(frozen=True)
class Pictures:
    """The pictures of instances under one condition, read when they are wanted.

    Other processes can be sent it, and other machines that have the same files.

    Attributes
    ----------
    folder
        The condition's.
    instances
        Whose pictures, in order: `image_id` and `ann_id`.
    """

    folder: Path
    instances: pd.DataFrame

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.instances)

    def part(self, place: slice) -> "Pictures":
        """Return some of them, not read yet."""
        return Pictures(self.folder, self.instances.iloc[place])

    def read(self, place: slice = slice(None)) -> np.ndarray:
        """Read some of them in this thread: (n, size, size, 3), uint8."""
        read = _reader(self.folder)
        return np.stack([decoded(read(name)) for name in _names(self.instances.iloc[place])])


def read_pictures(folder: Path, instances: pd.DataFrame) -> np.ndarray:
    """Read the pictures of instances under one condition in several threads; see `Pictures`."""
    read = _reader(folder)
    with ThreadPoolExecutor(workers()) as pool:
        return np.stack(list(pool.map(lambda name: decoded(read(name)), _names(instances))))


def distinct(folder: Path, instances: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Find the instances whose pictures are the same: their files are.

    Returns
    -------
    first
        (different pictures,), the place of each one's first instance, in order.
    row
        (n,): the number of each instance's picture among them.
    """
    numbers: dict[bytes, int] = {}
    read = _reader(folder)
    digests = [hashlib.sha256(read(name)).digest() for name in _names(instances)]
    row = np.array([numbers.setdefault(digest, len(numbers)) for digest in digests], int)
    return np.unique(row, return_index=True)[1], row


def _names(instances: pd.DataFrame) -> list[str]:
    ids = zip(instances["image_id"], instances["ann_id"], strict=True)
    return [picture_name(image_id, ann_id) for image_id, ann_id in ids]


def unpack(conditions: Path, target: Path) -> int:
    """Replace a folder by the pictures of all archives; return how many archives there are.

    Parameters
    ----------
    conditions
        The folder of all families.
    target
        Gets a folder for each archive, where that lies in `conditions`. Without any archive, it is
        left as it is.

    Raises
    ------
    PictureError
        Where an archive is damaged.
    """
    archives = sorted(conditions.rglob("*.zip"))
    if archives:
        with new_folder(target) as new:
            for archive in archives:
                try:
                    with reading_archive(), zipfile.ZipFile(archive) as opened:
                        place = archive.relative_to(conditions)
                        opened.extractall(new / place.with_name(place.name.removesuffix(".zip")))
                except zipfile.BadZipFile as error:
                    raise PictureError(archive, str(error), "a whole archive") from None
    return len(archives)


def packed_mask(cover: np.ndarray) -> bytes:
    """Pack how much of each pixel of the network's input, uint8, an object's mask covers."""
    return zlib.compress(cover.tobytes(), level=1)


def write_masks(covers: Mapping[tuple[int, int], bytes], path: Path, *, size: int) -> None:
    """Write objects' masks at the network's input.

    Parameters
    ----------
    covers
        By image_id and ann_id, (size, size), 0 to 255, as `packed_mask` packs them.
    size
        Width and height of the input, in pixels.
    """
    ids = sorted(covers)
    unpacked = (np.frombuffer(zlib.decompress(covers[one]), np.uint8) for one in ids)
    each = np.dtype((np.uint8, (size, size)))
    values = np.fromiter((one.reshape(size, size) for one in unpacked), each, len(ids))
    numbers = np.array(ids, np.int64).reshape(-1, 2)
    write_arrays({"ids": numbers, "covers": values}, path, compress=True)


def read_masks(conditions: Path, condition: Condition, instances: pd.DataFrame) -> list[np.ndarray]:
    """Read the masks of a family's reference level in one task, one for each instance.

    Returns
    -------
    list
        (size, size), uint8, as they were passed to `packed_mask`; an instance without a mask has
        one of a single pixel, 0.
    """
    with np.load(conditions / condition.folder.parent / MASKS) as file:
        covers = dict(zip(map(tuple, file["ids"].tolist()), file["covers"], strict=True))
    nothing = np.zeros((1, 1), np.uint8)
    keys = zip(instances["image_id"], instances["ann_id"], strict=True)
    return [covers.get(key, nothing) for key in keys]
