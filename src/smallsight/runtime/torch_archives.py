"""Files that torch writes and reads, of tensors and plain values."""

import errno
from pathlib import Path
from typing import Any

import torch

from smallsight.runtime.files import new_file


def write_archive(content: dict[str, Any], path: str | Path) -> None:
    """Write content so that `torch.load(path, weights_only=True)` reads it.

    Raises
    ------
    OSError
        Where the file cannot be opened, or the disk has no room for it: torch itself tells both by
        other errors.
    """
    with new_file(path) as partial:
        partial.touch()  # says why, where nothing can be written there
        try:
            torch.save(content, partial)
        except RuntimeError as error:
            raise OSError(errno.ENOSPC, "torch could not write it", str(path)) from error
