"""Words of the report, each explained in a sentence that stands where the word first does."""

from collections.abc import Callable

from smallsight.params import Sizes
from smallsight.report.study import Study
from smallsight.vocabulary import GROUPS

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


_MEASURES: dict[str, tuple[str, Callable[[float], str]]] = {
    "share": ("the box’s share of the picture", lambda limit: f"{100 * limit:g}%"),
    "area": ("the object’s area in square pixels", lambda limit: f"{limit:,.6g}"),
    "input": ("the side in input pixels", lambda limit: f"{limit:g}"),
}
"""What a measure of size is called, and how its limits are written."""


def size_words(sizes: Sizes) -> str:
    """Say what makes an object small, medium or large.

    Examples
    --------
    >>> size_words(Sizes(measure="share", limits=(0.01, 0.05)))
    'Size is the box’s share of the picture: small below 1%, medium below 5%, large from 5%.'
    >>> size_words(Sizes(measure="input", limits=(16, 32)))
    'Size is the side in input pixels: small below 16, medium below 32, large from 32.'
    """
    name, written = _MEASURES[sizes.measure]
    first, second = map(written, sizes.limits)
    small, medium, large = GROUPS
    return f"Size is {name}: {small} below {first}, {medium} below {second}, {large} from {second}."


def words(study: Study) -> dict[str, str]:
    """Return what explains each word that the study's report may use, by the word's name."""
    found = _WORDS | {
        "size": size_words(study.params.sample.sizes),
        "interval": (
            f"In brackets stands the {study.interval}: how far off the number may be, since only "
            "some pictures were tested."
        ),
    }
    for regime in study.regimes:
        told = study.words(regime)
        found[regime] = f"{told.caption.capitalize()}: {told.meaning}."
    return found
