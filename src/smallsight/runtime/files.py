"""Outputs that appear whole or not at all: written under a temporary name, then renamed."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary path that becomes `path` when the block ends well."""
    path = Path(path)
    partial = _partial(path)
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Give an empty temporary folder that replaces `path`, whole, when the block ends well."""
    path = Path(path)
    partial = _partial(path)
    partial.mkdir()
    try:
        yield partial
        old = path.with_name(f".{path.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if path.exists():
            path.rename(old)
        partial.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


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


def write_text(text: str, path: str | Path) -> None:
    """Write UTF-8 text."""
    with new_file(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
