"""Which categories a size group has, and how the mixes of small and of large objects differ."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from smallsight.vocabulary import GROUPS

DOMINANT = 0.5
"""Above this share of a group's objects, a category dominates it."""

LARGEST_DISTANCE = 0.3
"""Above this total variation distance, the gap cannot be told from the mixes: categories whose
accuracies lie 50 points apart make a gap of 15 points by themselves."""


@dataclass(frozen=True)
class GroupMix:
    """The categories of a size group.

    Attributes
    ----------
    group
        The size group.
    n
        Its objects.
    shares
        By category, of the group's objects; empty without objects.
    """

    group: str
    n: int
    shares: Mapping[str, float]

    @property
    def commonest(self) -> str:
        """The category with most objects, the first of several; empty without objects."""
        return max(self.shares, key=self.shares.__getitem__, default="")

    @property
    def is_dominated(self) -> bool:
        """Whether one category has more than `DOMINANT` of the objects."""
        return bool(self.shares) and self.shares[self.commonest] > DOMINANT


def find_mixes(sample: pd.DataFrame, categories: tuple[str, ...]) -> dict[str, GroupMix]:
    """Find the mix of every size group.

    Parameters
    ----------
    sample
        Columns size_group and category_name.
    categories
        The study's, in its order.
    """
    mixes = {}
    for group in GROUPS:
        names = sample.loc[sample["size_group"] == group, "category_name"]
        counts = names.value_counts().reindex(list(categories), fill_value=0)
        shares = {str(name): float(share) for name, share in (counts / len(names)).items()}
        mixes[group] = GroupMix(group, len(names), shares if len(names) else {})
    return mixes


def distance(one: GroupMix, other: GroupMix) -> float:
    """Compute the total variation distance of two mixes: half the sum of differences of shares.

    It is the share of one group's objects whose category would have to change to give the other's
    mix, 0 to 1; NaN where a group has no objects.

    Examples
    --------
    >>> one = GroupMix("small", 4, {"car": 0.75, "bus": 0.25})
    >>> distance(one, GroupMix("large", 4, {"car": 0.25, "bus": 0.75}))
    0.5
    """
    if not (one.n and other.n):
        return float("nan")
    return sum(abs(share - other.shares[name]) for name, share in one.shares.items()) / 2
