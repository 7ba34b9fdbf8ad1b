"""Annotations as JSON that is too large to be decoded whole: lists of objects, one at a time.

What is read is what `json.loads` reads, not more and not less.
"""

import json
import mmap
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, overload

import msgspec

from smallsight.runtime.errors import AnnotationError

Entry = dict[str, Any]

BATCH = 2**15
"""Entries that are decoded before the file's pages are let go of, which else fill the memory."""

_REFUSALS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for what is no JSON, and for JSON that it does not know."""

_decode = msgspec.json.Decoder().decode
_decode_texts_by_key = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_texts_of_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Entries(Sequence[Entry]):
    """A list of JSON objects: each is made when it is asked for, and never kept.

    Parameters
    ----------
    items
        What the objects are made of.
    make
        Makes one of them.
    """

    def __init__(self, items: Sequence[Any], make: Callable[[Any], Entry]) -> None:
        self._items, self._make = items, make

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, position: int) -> Entry: ...

    @overload
    def __getitem__(self, position: slice) -> "Entries": ...

    def __getitem__(self, position: int | slice) -> "Entry | Entries":
        if isinstance(position, slice):
            return Entries(self._items[position], self._make)
        return self._make(self._items[position])

    def __iter__(self) -> Iterator[Entry]:
        return map(self._make, self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def load(path: str | Path, *, where: str) -> Any:
    """Read a file as `loads` does. Until its entries are done with, it may be replaced alone.

    Parameters
    ----------
    path
        The file.
    where
        What errors call it.

    Raises
    ------
    AnnotationError
        If it cannot be read, or holds no JSON.
    """
    try:
        with Path(path).open("rb") as file:
            content = _map(file)
    except OSError as error:
        raise AnnotationError(where, error.strerror or str(error), "a readable file") from None
    return loads(content, where=where)


def unpack(packed: IO[bytes]) -> bytes | mmap.mmap:
    """Return what a packed file holds, from a temporary file."""
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(packed, file)
        file.flush()
        return _map(file)


def _map(file: IO[bytes]) -> bytes | mmap.mmap:
    """Return what a file holds; from a disk, it comes into memory as far as it is looked at."""
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # a pipe, or an empty file
        return file.read()


def loads(content: bytes | mmap.mmap, *, where: str) -> Any:
    """Decode JSON, the lists of objects in its outermost object as `Entries`.

    What is beyond JSON's standard, such as NaN, is decoded whole.

    Raises
    ------
    AnnotationError
        If it is no JSON. Inside of entries this is found when they are asked for.

    Examples
    --------
    >>> tree = loads(b'{"year": 2017, "images": [{"id": 7}, {"id": 3}]}', where="an example")
    >>> tree["year"], len(tree["images"]), tree["images"][1]
    (2017, 2, {'id': 3})
    """
    try:
        texts = _decode_texts_by_key(content)
        tree = {
            key: _decode_value(text, _Decoder(content, f"{where}: {key}"))
            for key, text in texts.items()
        }
    except _REFUSALS:
        return _decode_all(bytes(content), where)
    _let_go(content)
    return tree


@dataclass
class _Decoder:
    """Decodes entries of one list."""

    content: bytes | mmap.mmap
    where: str
    count: int = 0

    def __call__(self, text: msgspec.Raw) -> Any:
        self.count += 1
        if self.count % BATCH == 0:
            _let_go(self.content)
        return _decode_one(text, self.where)


def _let_go(content: bytes | mmap.mmap) -> None:
    """Take a file's pages out of memory, until they are looked at again."""
    if isinstance(content, mmap.mmap):
        content.madvise(mmap.MADV_DONTNEED)


def _decode_value(text: msgspec.Raw, decoder: _Decoder) -> Any:
    if memoryview(text)[:1] == b"[":
        entries = _decode_texts_of_list(text)
        if entries and all(memoryview(entry)[:1] == b"{" for entry in entries):
            return Entries(entries, decoder)
    return _decode_one(text, decoder.where)


def _decode_one(text: msgspec.Raw, where: str) -> Any:
    try:
        return _decode(text)
    except _REFUSALS:
        return _decode_all(bytes(text), where)


def _decode_all(content: bytes, where: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise AnnotationError(where, f"no JSON ({error})", "a COCO JSON file") from None
