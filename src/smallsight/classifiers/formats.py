"""Which format a file has, told by its content; nothing in it is loaded."""

import io
import zipfile
from pathlib import Path

from smallsight.runtime.errors import ClassifierError
from smallsight.runtime.files import reading_archive

PT2 = "a .pt2 archive, as torch.export.save writes it"
TORCHSCRIPT = "a TorchScript archive, as torch.jit.save writes it"

_MEMBERS = {
    "archive_format": PT2,
    "constants.pkl": TORCHSCRIPT,
    "data.pkl": "what torch.save writes",
}
"""Members that tell the formats of torch's archives apart, the first that is there."""


def read_model(path: str | Path) -> bytes:
    """Read a file whole.

    Raises
    ------
    ClassifierError
        Where there is none.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ClassifierError(path, error.strerror or str(error), "the file of a model") from None


def check_format(content: bytes, due: str, path: str | Path) -> None:
    """Refuse a file of another format.

    Raises
    ------
    ClassifierError
        Names the format that it has, or the member whose checksum is wrong, which torch does not
        look at, or says why it cannot be unpacked.
    """
    found = format_of(content)
    if found != due:
        raise ClassifierError(path, found, due)
    try:
        with reading_archive(), zipfile.ZipFile(io.BytesIO(content)) as archive:
            damaged = archive.testzip()
    except zipfile.BadZipFile as error:
        damaged = str(error)
    if damaged is not None:
        raise ClassifierError(path, f"damaged ({damaged})", due)


def format_of(content: bytes) -> str:
    """Say which format of torch's a file has, or what it is instead."""
    if content.startswith(b"\x80"):
        return "a pickle"
    try:
        with reading_archive(), zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name.split("/", 1)[-1] for name in archive.namelist()}
    except zipfile.BadZipFile:
        return "no archive of torch's, or a damaged one"
    return next((what for name, what in _MEMBERS.items() if name in members), "another ZIP archive")
