"""Why annotations and pictures are left out, and how many may be."""

from collections.abc import Mapping
from dataclasses import dataclass

from scipy import stats

from smallsight.runtime.errors import AnnotationError


@dataclass(frozen=True)
class Reason:
    """Why entries of annotations are left out.

    Attributes
    ----------
    description
        What is left out, after a number: "marked to be ignored".
    is_bad
        Whether it is a fault, of which there may be only few.
    of
        Which entries it is about: annotations or pictures.
    """

    description: str
    is_bad: bool = False
    of: str = "annotations"


REASONS = {
    "malformed_picture": Reason("without a size or a path in the picture folder", True, "pictures"),
    "missing_picture": Reason("not in the picture folder", True, "pictures"),
    "ignored": Reason("marked to be ignored"),
    "of_left_out_picture": Reason("in pictures that are left out"),
    "unknown_picture": Reason("of pictures that are not listed", True),
    "unknown_category": Reason("of categories that are not listed", True),
    "malformed_box": Reason("whose box is not four numbers, the sides not negative", True),
    "repeated": Reason("given twice, with the same category and box"),
    "crowd": Reason("of a crowd, not of one object"),
    "degenerate": Reason("with a box less than one pixel wide or high"),
    "outside": Reason("with a box that reaches more than one pixel beyond the picture"),
    "hardly_visible": Reason("with less area than sample.min_visible_area"),
}
"""Every reason by name; of several that hold, the first counts."""

FLAT = Reason("with a box of no area", True)
"""Part of `degenerate`: faults of a tool, of which there may be only few."""

CHANCE = 0.001
"""So improbable a number of faults is no longer put down to chance in a small file."""


@dataclass(frozen=True)
class LeftOut:
    """How many entries are left out for one reason.

    Attributes
    ----------
    count
        Of entries.
    total
        Of all such entries, those that are used too.
    example
        One of them: "annotation 7 (bbox [0, 0, 0, 0])".
    """

    count: int
    total: int
    example: str


def is_too_many(count: int, total: int, share: float) -> bool:
    """Return whether so many faults of so many entries show that there are more than a share.

    In a file of few entries chance makes a share larger than it is, so that a number counts which
    a file with this very share would reach less than once in a thousand times.

    Examples
    --------
    >>> is_too_many(2, 38, share=0.01), is_too_many(4, 16, share=0.01)
    (False, True)
    >>> is_too_many(1300, 100_000, share=0.01)
    True
    """
    return bool(count / max(total, 1) > share and stats.binom.sf(count - 1, total, share) < CHANCE)


def check_shares(faults: Mapping[Reason, LeftOut], *, share: float, where: str) -> None:
    """Refuse annotations of which too many cannot be used, all kinds of faults in one line.

    Parameters
    ----------
    faults
        How many entries have each fault.
    share
        How many of them may have it, 0 to 1.

    Raises
    ------
    AnnotationError
        Where a fault is too frequent.
    """
    found = [
        f"{one.count} of {one.total} {reason.of} {reason.description}, such as {one.example}"
        for reason, one in faults.items()
        if is_too_many(one.count, one.total, share)
    ]
    if found:
        expected = f"at most {100 * share:g}% of them (data.max_bad_share)"
        raise AnnotationError(where, "; ".join(found), expected)
