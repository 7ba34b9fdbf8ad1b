"""Which sheets follow on, so that no page of paper is left half empty."""

import itertools
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

MOST_PAGES = 12
"""Pages that a reader is asked to print; of more, all sheets follow one another."""

_LEAST_FILL = 0.55
"""Share of a page below which the next sheet follows on: a half, and room for a small error."""


@dataclass(frozen=True)
class LaidOut:
    """One page as it was laid out.

    Attributes
    ----------
    top, height
        Where the area for text begins, and how high it is; in the units of `bottoms`.
    bottoms
        By sheet that has a part on this page: where that ends.
    """

    top: float
    height: float
    bottoms: Mapping[str, float]

    @property
    def fill(self) -> float:
        """Share of the page that is taken."""
        return (max(self.bottoms.values(), default=self.top) - self.top) / self.height


def followers(
    sheets: Sequence[str], pages: Sequence[LaidOut], following: Set[str]
) -> frozenset[str]:
    """Return the sheets that should follow on, instead of each beginning a page.

    Parameters
    ----------
    sheets
        All sheets, in order.
    pages
        All pages, as laid out with those in `following` following on.
    following
        Sheets that follow on already.

    Examples
    --------
    >>> half, full = LaidOut(0, 100, {"one": 30}), LaidOut(0, 100, {"two": 90})
    >>> followers(["one", "two"], [half, full], frozenset())
    frozenset({'two'})
    """
    if len(pages) > MOST_PAGES:
        return frozenset(sheets[1:])
    found = set(following)
    for page, after in itertools.pairwise(pages):
        if page.fill < _LEAST_FILL:
            # What begins on the next page could have begun here.
            found |= {name for name in after.bottoms if name not in page.bottoms}
    return frozenset(found)
