"""Makes the tables of flips: their number by size group, and the names of all objects."""

from dataclasses import dataclass

from smallsight.comparison.comparison import ComparedTask
from smallsight.comparison.layout import arrow, tone
from smallsight.report.rows import records
from smallsight.report.text import p_value
from smallsight.vocabulary import GROUPS, INSTANCE


@dataclass(frozen=True)
class CountRow:
    """Flips of one size group.

    Attributes
    ----------
    failed, right
        Number of objects that are wrong and right in A.
    net
        Positive minus negative flips, with its sign.
    tone
        Class of `net`.
    p, p_holm
        The test of the accuracy, by itself and adjusted.
    """

    group: str
    n: int
    failed: int
    positive_flips: int
    right: int
    negative_flips: int
    net: str
    tone: str
    p: str
    p_holm: str


@dataclass(frozen=True)
class FlippedObjects:
    """Names of all objects of one size group and category that flipped one way."""

    flip: str
    group: str
    category: str
    names: tuple[str, ...]


def count_rows(compared: ComparedTask) -> list[CountRow]:
    """Return the rows of the table of flips by size group, all objects first."""
    return [
        CountRow(
            group=row["size_group"],
            n=row["n"],
            failed=row["failed"],
            positive_flips=row["positive_flips"],
            right=row["right"],
            negative_flips=row["negative_flips"],
            net=arrow(row) + _signed(row["net"]),
            tone=tone(row),
            p=p_value(row["p_value"]),
            p_holm=p_value(row["p_holm"]),
        )
        for row in records(compared.counts)
    ]


def _signed(number: int) -> str:
    return f"{number:+d}".replace("-", "−") if number else "0"


def flipped_objects(compared: ComparedTask, flip: str) -> list[FlippedObjects]:
    """Return the names of all objects that flipped one way, by size group and category.

    Parameters
    ----------
    flip
        One of `flips.FLIPS`.
    """
    table = compared.flips[compared.flips["flip"] == flip].sort_values(INSTANCE)
    rows = []
    for group in GROUPS:
        for category, some in table[table["size_group"] == group].groupby("category_name"):
            names = tuple(f"{row['image_id']}_{row['ann_id']}" for row in records(some))
            rows.append(FlippedObjects(flip, group, str(category), names))
    return rows
