"""What should be looked at before a study is run, a sentence each, by stated rules."""

from collections.abc import Iterator

import numpy as np

from smallsight.inspection.class_mix import LARGEST_DISTANCE
from smallsight.inspection.inspect import Inspection
from smallsight.report.text import counted, listed, percent
from smallsight.vocabulary import GROUPS

FEW_PICTURES = 30
"""Of fewer pictures in a size group, intervals are wide and rest on single photographs."""

LARGE_CHANGE = 0.2
"""A size group that may miss a change as large as this shows little."""

UNLIKE = 3.0
"""Pictures are unlike in size where the 95th percentile of their sides is so many times the 5th."""


def find_warnings(found: Inspection) -> list[str]:
    """Write every warning, those that concern the most first."""
    finders = (_categories, _shortfalls, _pictures, _mixes, _power, _rare, _sides, _duplicates)
    return [sentence for finder in finders for sentence in finder(found)]


def _categories(found: Inspection) -> Iterator[str]:
    names = set(found.draw.sample["category_name"])
    if len(names) == 1:
        yield (
            f"Only one category would be drawn, “{names.pop()}”: a classifier of one category is "
            "always right, and the study says nothing."
        )
    elif missing := [name for name in found.draw.categories if name not in names]:
        yield f"Nothing would be drawn of {listed([f'“{name}”' for name in missing])}."


def _shortfalls(found: Inspection) -> Iterator[str]:
    if found.draw.summary["listed"]:
        due = dict.fromkeys((group for group in GROUPS if not _n(found, group)), 0)
    else:
        due = found.draw.shortfalls
    requested = found.draw.summary["requested_per_group"]
    for group in due:
        number = sum(found.draw.summary["eligible"][group].values())
        if not _n(found, group):
            ends = ", and there is no gap between small and large ones" if group != "medium" else ""
            yield f"There would be no {group} object{ends}."
        else:
            yield (
                f"{group.capitalize()}: {_n(found, group)} of the {requested:,} requested objects "
                f"would be drawn, for {number:,} are eligible."
            )


def _n(found: Inspection, group: str) -> int:
    return int(found.draw.summary["drawn"][group])


def _pictures(found: Inspection) -> Iterator[str]:
    for group, one in found.power.detectable.items():
        if 0 < one.images < FEW_PICTURES:
            yield (
                f"The {group} objects lie in {counted(one.images, 'picture')}: below {FEW_PICTURES}"
                ", intervals are wide and rest on single photographs."
            )


def _mixes(found: Inspection) -> Iterator[str]:
    for group, mix in found.mixes.items():
        if mix.is_dominated and len(set(found.draw.sample["category_name"])) > 1:
            yield (
                f"Most {group} objects, {percent(mix.shares[mix.commonest])}, would be of one "
                f"category, “{mix.commonest}”: what is said of {group} objects is said of it. "
                f"sample.caps limits it."
            )
    if found.distance > LARGEST_DISTANCE:
        yield (
            f"Small and large objects are of other categories: {percent(found.distance)} of one "
            "group would have to change theirs to match the other. "
            "The gap cannot be told from this; sample.balance: equal avoids it."
        )


def _power(found: Inspection) -> Iterator[str]:
    for group, one in found.power.detectable.items():
        if not one.n:
            continue
        if np.isnan(one.best):
            yield f"{group.capitalize()} objects are too few to show any change under a condition."
        elif not one.best <= LARGE_CHANGE:
            yield (
                f"{group.capitalize()} objects are so few that changes below "
                f"{100 * one.best:.0f} points of accuracy may be missed."
            )


def _rare(found: Inspection) -> Iterator[str]:
    folds = found.parameters.evaluation.folds
    counts = found.draw.sample["category_name"].value_counts()
    rare = [f"“{name}” ({n})" for name, n in counts.items() if n < folds]
    if rare:
        yield (
            f"Fewer objects than the {folds} folds (evaluation.folds) would be drawn of "
            f"{listed(sorted(rare))}: some heads would learn or be tested on none."
        )


def _sides(found: Inspection) -> Iterator[str]:
    least, most = np.quantile(found.picture_sides, [0.05, 0.95])
    if most > UNLIKE * least:
        yield (
            f"The pictures are unlike in size: nine in ten have sides from {least:,.0f} to "
            f"{most:,.0f} pixels. The same share of a picture is then very different in pixels."
        )


def _duplicates(found: Inspection) -> Iterator[str]:
    if found.duplicates is not None and (said := found.duplicates.describe()):
        yield f"{said}."
