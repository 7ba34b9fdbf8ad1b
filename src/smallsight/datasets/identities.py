"""Ids of entries: compared as they are meant, and numbered anew where they do not fit."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from smallsight.datasets.coco import LARGEST_ID, shortened
from smallsight.runtime.errors import AnnotationError
from smallsight.runtime.large_json import Entry

SOURCE_ID = "source_id"
"""Key of an entry that was numbered anew: its id as it was."""

TELLING = {"images": ("file_name", "width", "height"), "categories": ("name",)}
"""What two entries of one id have to agree in, to be one entry that is given twice."""


def key_of(identity: object) -> str | None:
    """Write an id as references are compared with it; None where it is no id.

    A number and the text of it are the same id, for tools write either.
    """
    if isinstance(identity, float) and identity.is_integer():
        identity = int(identity)
    if isinstance(identity, bool) or not isinstance(identity, int | str):
        return None
    return str(identity).strip() or None


def number_keys(keys: Iterable[str]) -> dict[str, int]:
    """Give every key its number: its own where all have one that fits, else 1, 2, 3 and so on."""
    keys = list(dict.fromkeys(keys))
    own = {key: int(key) for key in keys if key.isascii() and key.isdecimal() and len(key) < 20}
    if len(set(own.values())) == len(keys) and max(own.values(), default=0) <= LARGEST_ID:
        return own
    return {key: number for number, key in enumerate(keys, start=1)}


def number_all(identities: Sequence[Any]) -> Sequence[int]:
    """Give every entry a number: those without a key, or with another one's, come last."""
    if all(type(one) is int and 0 <= one <= LARGEST_ID for one in identities):
        own = np.array(identities, np.int64)
        if len(np.unique(own)) == len(own):
            # As below, in a tenth of the memory.
            return identities
    keys = [key_of(one) for one in identities]
    numbers = number_keys(key for key in keys if key is not None)
    further = itertools.count(max(numbers.values(), default=0) + 1)
    found = [numbers.pop(key) if key in numbers else next(further) for key in keys]
    return found if max(found, default=0) <= LARGEST_ID else range(1, len(keys) + 1)


def with_id(entry: Entry, number: int) -> Entry:
    """Return an entry of this id, the old one beside it where that is another."""
    if entry.get("id") == number and type(entry["id"]) is int:
        return entry
    renamed = {"id": number} | {key: value for key, value in entry.items() if key != "id"}
    is_other = "id" in entry and key_of(entry["id"]) != str(number)
    return renamed | ({SOURCE_ID: entry["id"]} if is_other else {})


def by_key(entries: Iterable[Entry], kind: str, where: str) -> dict[str, Entry]:
    """Return entries by the key of their ids, repetitions once.

    Parameters
    ----------
    kind
        images or categories.
    where
        What errors call the file.

    Raises
    ------
    AnnotationError
        Where an entry has no id, or two of one id differ.
    """
    found: dict[str, Entry] = {}
    for position, entry in enumerate(entries):
        key = key_of(entry.get("id"))
        place = f"{where}: {kind}[{position}]"
        if key is None:
            said = f"id {shortened(entry['id'])}" if "id" in entry else "no id"
            raise AnnotationError(place, said, "an id, a number or text")
        first = found.setdefault(key, entry)
        if any(first.get(name) != entry.get(name) for name in TELLING[kind]):
            raise AnnotationError(place, f"id {shortened(entry['id'])} again", "distinct ids")
    return found
