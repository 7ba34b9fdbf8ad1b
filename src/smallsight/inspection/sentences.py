"""Sentences that say in short what a study would be made of."""

import numpy as np

from smallsight.inspection.inspect import Inspection
from smallsight.report.text import counted, listed, percent, size
from smallsight.vocabulary import GROUPS, POWER

PICTURES_OF = {
    "phantom": "The pictures are painted when the study runs: ",
    "coco": "The pictures are downloaded when the study runs: ",
}
"""Why pictures cannot be looked at, by the name of the source."""


def drawn_sentence(found: Inspection) -> str:
    """Say what would be drawn."""
    sample, drawn = found.draw.sample, found.draw.summary["drawn"]
    n = sample["category_name"].nunique()
    groups = listed([f"{drawn[group]:,} {group}" for group in GROUPS])
    return (
        f"{counted(len(sample), 'object')} of {n} {'category' if n == 1 else 'categories'} in "
        f"{counted(sample['image_id'].nunique(), 'picture')} would be drawn: {groups}."
    )


def left_out_sentence(found: Inspection) -> str:
    """Say how much would be left out."""
    number = sum(found.draw.summary["excluded"].values())
    if not number:
        return "Nothing of the annotations would be left out."
    was = "entry of the annotations" if number == 1 else "entries of the annotations"
    return f"{number:,} {was} would be left out."


def detectable_sentence(found: Inspection) -> str:
    """Say what would be found on small objects; empty where there are none."""
    one = found.power.detectable[GROUPS[0]]
    if not one.n:
        return ""
    if np.isnan(one.best):
        return "On small objects no change under a condition could be shown."
    worst = f", and of {size(one.worst)} points at worst" if np.isfinite(one.worst) else ""
    return (
        f"On small objects, {100 * POWER:g}% of such studies would find a change of "
        f"{size(one.best)} points at best{worst}."
    )


def duration_sentence(found: Inspection) -> str:
    """Say how long the study would take."""
    taken, unknown = found.duration.taken, found.duration.unknown
    told = f"The study would take {found.duration.in_words()} on this machine alone."
    if unknown:
        told += f" What it does not hold, for it cannot be timed here: {listed(unknown)}."
    if taken:
        told += f" It is busy: other programs take {percent(taken)} of the processors now."
    return told


def duplicates_sentence(found: Inspection) -> str:
    """Say which of the pictures are the same photograph, or why that is not known yet."""
    if found.duplicates is None:
        why = PICTURES_OF.get(found.parameters.data.source, "")
        return f"{why}whether there are duplicates among them is not known yet."
    said = found.duplicates.describe()
    pictures = counted(len(found.picture_sides), "picture")
    return f"{said}." if said else f"No two of the {pictures} are the same photograph."


def pictures_sentence(found: Inspection) -> str:
    """Say what would be done to the pictures; empty where nothing would, or it is not known."""
    said = found.pictures.describe() if found.pictures else ""
    return f"Of the pictures: {said}." if said else ""
