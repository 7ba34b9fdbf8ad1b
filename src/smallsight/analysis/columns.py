"""Columns that several tables of the analysis share."""

from smallsight.analysis.statistics.verdicts import Words
from smallsight.runtime.tables import Column, number, text, whole
from smallsight.vocabulary import POWER

GROUP = text("size_group", "small, medium or large, or all of them together")
N = whole("n", "number of objects")
IMAGES = whole("images", "number of images that hold them")
P_VALUE = number("p_value", "two-sided p-value of one test, against no effect")
P_HOLM = number("p_holm", "p_value by Holm's method, over all tests of one family")

MDE = number(
    "mde", f"smallest effect that one unadjusted test would find in {POWER:.0%} of such studies"
)


def interval(low: str = "ci_low", high: str = "ci_high", *, of: str = "") -> tuple[Column, Column]:
    """Declare the ends of an interval.

    Parameters
    ----------
    of
        The column that it is of, where the names of the ends do not tell.
    """
    owner = f" of {of}" if of else ""
    return (
        number(low, f"lower end of the interval{owner}"),
        number(high, f"upper end of the interval{owner}"),
    )


def judged(words: Words, *, empty: str = "without an interval") -> tuple[Column, Column]:
    """Declare direction and verdict of a table whose verdicts have these words.

    Parameters
    ----------
    empty
        The rows that have none.
    """
    suffix = "" if words[None] else f"; empty {empty}"
    return (
        whole("direction", f"1 {words[1]}, -1 {words[-1]}, 0 {words[0]}; empty {empty}"),
        text("verdict", f"the direction as a word{suffix}"),
    )
