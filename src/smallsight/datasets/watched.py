"""Folders that DVC reads or writes itself, where it would stop without saying why."""

import os
from pathlib import Path

from smallsight.params import Data
from smallsight.runtime.errors import PictureError, SmallsightError

OUTPUTS = ("data", "reports")
"""Folders of the project that outputs lie in."""


def check_watched_folders(data: Data) -> None:
    """Check the folders of outputs, and that of local pictures, which is watched for any source.

    Raises
    ------
    SmallsightError
        Where a folder of outputs is a link to another place, or the folder of local pictures is, or
        holds, a link to something that is not there.
    """
    for name in OUTPUTS:
        if Path(name).is_symlink():
            raise SmallsightError(
                name,
                f"a symbolic link to {Path(name).readlink()}",
                "a folder of the project itself: DVC writes to no other. `dvc cache dir PATH` and "
                "`dvc config cache.type symlink` keep large files elsewhere",
            )
    folder = data.groups.get("local", {}).get("images")
    if not isinstance(folder, str):
        return
    broken = _broken_links(folder)
    if broken:
        number = f"{len(broken)} broken symbolic link{'s' if len(broken) > 1 else ''}"
        raise PictureError(
            folder, f"{number}, such as {broken[0]}", "files that are there: DVC reads all of them"
        )


def _broken_links(folder: str) -> list[Path]:
    """Return the links in a folder, and of it itself, that lead nowhere, sorted."""
    paths = [Path(folder)]
    for place, folders, names in os.walk(folder):
        paths += [Path(place, name) for name in (*folders, *names)]
    return sorted(path for path in paths if path.is_symlink() and not path.exists())
