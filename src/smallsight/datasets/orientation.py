"""Which way up pictures are used: the way in which their boxes are annotated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from smallsight.imaging.decoding import Header

Way = Literal["upright", "stored"]
"""Turned as EXIF says, or as the pixels are stored."""

NAMED = 5
"""So many of the pictures in doubt are named."""


@dataclass(frozen=True)
class Doubt:
    """Pictures with an EXIF orientation of which their sizes do not tell the boxes' way up.

    Attributes
    ----------
    names
        Of all of them, sorted.
    way
        How they are used.
    reason
        Why.
    """

    names: tuple[str, ...] = ()
    way: Way = "upright"
    reason: str = ""

    def as_tree(self) -> dict[str, object]:
        """Return what JSON holds of it."""
        if not self.names:
            return {"count": 0, "examples": []}
        about = {"way": self.way, "reason": self.reason}
        return {"count": len(self.names), "examples": list(self.names[:NAMED]), **about}


def decide_ways(
    headers: Mapping[str, Header],
    sizes: Mapping[str, tuple[int, int]],
    *,
    convention: Way,
) -> tuple[dict[str, Way], Doubt]:
    """Find out which way up the boxes of pictures are annotated.

    Where the stored size and the upright one differ, the one that the annotations say decides.
    Where they do not, those that could be decided decide for the others, if they agree; else the
    convention does.

    Parameters
    ----------
    headers
        What the files say, by name.
    sizes
        Width and height by the annotations, by name.
    convention
        What is usual where the pictures come from.

    Returns
    -------
    ways
        By name; pictures without an EXIF orientation are upright.
    doubt
        The pictures whose own size did not decide.

    Examples
    --------
    >>> lying = Header(stored=(64, 40), upright=(40, 64), orientation=6, is_made_here=False)
    >>> headless = Header(stored=(64, 40), upright=(64, 40), orientation=3, is_made_here=False)
    >>> ways, doubt = decide_ways(
    ...     {"a.jpg": lying, "b.jpg": headless},
    ...     {"a.jpg": (64, 40), "b.jpg": (64, 40)},
    ...     convention="upright",
    ... )
    >>> ways, doubt.names
    ({'a.jpg': 'stored', 'b.jpg': 'stored'}, ('b.jpg',))
    """
    ways: dict[str, Way] = {}
    doubted = []
    for name, header in headers.items():
        if header.orientation == 1:
            ways[name] = "upright"
        elif header.stored == header.upright:
            doubted.append(name)
        else:
            ways[name] = "stored" if sizes[name] == header.stored else "upright"
    decided = {
        ways[name]
        for name, header in headers.items()
        if header.stored != header.upright and sizes[name] in (header.stored, header.upright)
    }
    if len(decided) == 1:
        doubt = Doubt(tuple(sorted(doubted)), decided.pop(), "as the sizes of the others say")
    else:
        doubt = Doubt(tuple(sorted(doubted)), convention, "as is usual for this source")
    return ways | dict.fromkeys(doubted, doubt.way), doubt
