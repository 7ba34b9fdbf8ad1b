"""Words of the report, each explained in a sentence that stands where the word first does."""

from smallsight.report.study import Study
from smallsight.vocabulary import SIZE_GROUPS

_WORDS = {
    "mix": "At one mix of categories, each category weighs the same in every size group.",
    "ladder": (
        "The ladder gives more of the object from rung to rung. A step is the change from one rung "
        "to the next, and stands for a cause of failure."
    ),
    "condition": "A condition is one change that is made to every picture.",
    "shown": (
        "Shown: the interval and a test that is adjusted for the number of tests agree on a "
        "direction; tables say helps, harms, lower, more or supported. Not decided: they do not. "
        "No verdict: nothing was tested."
    ),
    "balanced": "Balanced accuracy (bal.) is the mean of the categories’ accuracies.",
    "side": "An object’s side is the square root of its box’s area, in pixels.",
    "rule": "A rule that sees no pixel goes by annotations alone.",
}
"""What does not depend on the study."""


def size_bounds() -> str:
    """Write the bounds of the size groups, in percent of the picture's area.

    Examples
    --------
    >>> size_bounds()
    'small below 1%, medium below 5%, large from 5%'
    """
    bounded = [(group, f"{100 * bound:g}%") for group, bound in SIZE_GROUPS.items()]
    parts = [f"{group} below {bound}" for group, bound in bounded[:-1]]
    return ", ".join([*parts, f"{bounded[-1][0]} from {bounded[-2][1]}"])


def words(study: Study) -> dict[str, str]:
    """Return what explains each word that the study's report may use, by the word's name."""
    found = _WORDS | {
        "size": f"Size is the box’s share of the picture: {size_bounds()}.",
        "interval": (
            f"In brackets stands the {study.interval}: how far off the number may be, since only "
            "some pictures were tested."
        ),
    }
    for regime in study.regimes:
        told = study.words(regime)
        found[regime] = f"{told.caption.capitalize()}: {told.meaning}."
    return found
