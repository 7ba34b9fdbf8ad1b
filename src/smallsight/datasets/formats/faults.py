"""Faults of a format, collected over all files and told in one line."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from smallsight.datasets import coco
from smallsight.runtime.errors import AnnotationError


@dataclass(frozen=True)
class Fault:
    """Something in a file that is not as the format has it.

    Attributes
    ----------
    kind
        What is wrong, in the plural: "lines that are no numbers".
    place
        The file, and the line or the object in it.
    """

    kind: str
    place: str


def refuse(faults: Iterable[Fault], *, where: object, expected: str) -> None:
    """Tell all faults at once: of each kind how many there are, and the first.

    Raises
    ------
    AnnotationError
        Where there is any.

    Examples
    --------
    >>> faults = [Fault("empty names", "a.xml"), Fault("empty names", "b.xml")]
    >>> refuse(faults, where="mine", expected="names")
    Traceback (most recent call last):
        ...
    smallsight.runtime.errors.AnnotationError: annotation error: mine: empty names: 2 (first: a.xml); expected names
    """  # noqa: E501
    faults = list(faults)
    firsts: dict[str, str] = {}
    for fault in faults:
        firsts.setdefault(fault.kind, fault.place)
    counts = Counter(fault.kind for fault in faults)
    if faults:
        told = (f"{kind}: {number} (first: {firsts[kind]})" for kind, number in counts.items())
        raise AnnotationError(where, "; ".join(told), expected)


def named(path: object) -> str:
    """Write a path or a name so that it fits into one line."""
    return str(path) if str(path).isprintable() else coco.shortened(str(path))
