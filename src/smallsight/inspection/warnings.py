"""What should be looked at before a study is run, a sentence each, by stated rules."""

from collections.abc import Iterator

import numpy as np

from smallsight.inspection.class_mix import DOMINANT, LARGEST_DISTANCE
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
    finders = (_categories, _shortfalls, _mixes, _rare, _pictures, _power, _sides, _duplicates)
    return [sentence for finder in finders for sentence in finder(found)]


def _categories(found: Inspection) -> Iterator[str]:
    names = set(found.draw.sample["category_name"])
    if missing := [name for name in found.draw.categories if name not in names]:
        yield f"Nothing would be drawn of {listed([f'“{name}”' for name in missing])}."


def _shortfalls(found: Inspection) -> Iterator[str]:
    drawn, requested = found.draw.summary["drawn"], found.draw.summary["requested_per_group"]
    empty = [group for group in GROUPS if not drawn[group]]
    if empty:
        ends = "" if empty == ["medium"] else ": there is no gap between small and large ones"
        yield f"There would be no {' or '.join(empty)} objects{ends}."
    short = [group for group in found.draw.shortfalls if group not in empty]
    if short and not found.draw.summary["listed"]:
        yield (
            f"Fewer objects than the {requested:,} requested (sample.per_group) would be drawn: "
            f"{listed([f'{drawn[group]:,} {group}' for group in short])}."
        )


def _pictures(found: Inspection) -> Iterator[str]:
    few = [
        f"{group} objects ({counted(one.images, 'picture')})"
        for group, one in found.power.detectable.items()
        if 0 < one.images < FEW_PICTURES
    ]
    if few:
        yield (
            f"Fewer than {FEW_PICTURES} pictures would hold the {listed(few)}: intervals are wide "
            "and rest on single photographs."
        )


def _mixes(found: Inspection) -> Iterator[str]:
    dominated = [
        f"{group} objects (“{mix.commonest}”, {percent(mix.shares[mix.commonest])})"
        for group, mix in found.mixes.items()
        if mix.is_dominated
    ]
    if dominated:
        yield (
            f"One category has more than {100 * DOMINANT:g}% of the {listed(dominated)}: what is "
            "said of these is mostly said of it. sample.caps limits a category."
        )
    if found.distance > LARGEST_DISTANCE:
        yield (
            f"Small and large objects are of other categories: {percent(found.distance)} of one "
            "group would have to change theirs to match the other. "
            "The gap cannot be told from this; sample.balance: equal avoids it."
        )


def _power(found: Inspection) -> Iterator[str]:
    ends = {group: one.best for group, one in found.power.detectable.items() if one.n}
    blind = [group for group, best in ends.items() if np.isnan(best)]
    if blind:
        yield f"No change under a condition could be shown on {listed(blind)} objects: too few."
    weak = [f"{100 * best:.0f} on {group}" for group, best in ends.items() if best > LARGE_CHANGE]
    if weak:
        yield f"Changes of fewer points than these may be missed: {listed(weak)} objects."


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
