"""Outputs that appear whole or not at all: written under a temporary name, then renamed."""

import errno
import hashlib
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` when the block ends without an error."""
    path = Path(path)
    partial = _partial(path)
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty temporary folder that replaces `path` when the block ends without an error."""
    path = Path(path)
    partial = _partial(path)
    partial.mkdir()
    try:
        yield partial
        replace_folder(path, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def replace_folder(path: Path, new: Path) -> None:
    """Put a folder that lies beside `path` in its place."""
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def _partial(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    if partial.is_dir():
        shutil.rmtree(partial)
    partial.unlink(missing_ok=True)
    return partial


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as CSV or, where the name says so, Parquet."""
    with new_file(path) as partial:
        if Path(path).suffix == ".parquet":
            table.to_parquet(partial, index=False)
        else:
            table.to_csv(partial, index=False, lineterminator="\n")


def write_arrays(
    arrays: Mapping[str, np.ndarray], path: str | Path, *, compress: bool = False
) -> None:
    """Write named arrays as NPZ, which `numpy.load` reads.

    Equal arrays give equal bytes whatever the release of Python: `numpy.savez` asks for ZIP64
    headers, which Python writes differently before and after 3.11.4. Compressed bytes also depend
    on the build of zlib.
    """
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with new_file(path) as partial, zipfile.ZipFile(partial, "w") as members:
        for name, array in arrays.items():
            # Without a date of its own, a member has the earliest that ZIP knows.
            member = zipfile.ZipInfo(f"{name}.npy")
            member.compress_type, member.file_size = method, array.nbytes
            with members.open(member, "w") as content:
                np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=False)


@contextmanager
def write_rows(path: str | Path) -> Iterator[Callable[[np.ndarray], None]]:
    """Yield what appends rows to an NPY file, which is never in memory as a whole.

    Parameters
    ----------
    path
        The file, which `numpy.load` reads. All rows have the shape and type of the first.
    """
    with new_file(path) as partial, partial.open("wb+") as file:
        count, like = 0, np.empty((0,))

        def begin() -> None:
            file.seek(0)
            described = {"descr": like.dtype.str, "fortran_order": False}
            np.lib.format.write_array_header_1_0(
                file, described | {"shape": (count, *like.shape[1:])}
            )

        def append(rows: np.ndarray) -> None:
            nonlocal count, like
            if not count:
                like = rows[:0]
                begin()
            file.write(np.ascontiguousarray(rows).data)
            count += len(rows)

        yield append
        # The header has room for any number of rows.
        begin()


def write_text(text: str, path: str | Path) -> None:
    """Write UTF-8 text."""
    with new_file(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def sha256(path: str | Path) -> str:
    """Compute the hexadecimal SHA-256 of a file's bytes."""
    return _digest(path, hashlib.sha256)


def md5(path: str | Path) -> str:
    """Compute the hexadecimal MD5 of a file's bytes."""
    # Some machines refuse MD5 where nobody says that it protects nothing.
    return _digest(path, lambda: hashlib.md5(usedforsecurity=False))


def _digest(path: str | Path, algorithm: Callable[[], Any]) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


@contextmanager
def reading_archive() -> Iterator[None]:
    """Turn whatever a damaged or encrypted ZIP archive raises into one kind of error.

    An error of the disk's stays what it is.

    Raises
    ------
    zipfile.BadZipFile
        Says what is wrong.
    """
    try:
        yield
    except OSError as error:
        # A decompressor's own has no number; EINVAL: the archive names a place before its start.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise zipfile.BadZipFile(str(error)) from None
    # RuntimeError: encrypted, or packed in a way that is not known.
    except (EOFError, OverflowError, RuntimeError, ValueError, lzma.LZMAError, zlib.error) as error:
        raise zipfile.BadZipFile(str(error) or "truncated") from None
