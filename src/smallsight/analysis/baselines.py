"""What rules reach that see no pixel, and how much hangs on the picture's largest object."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import GROUP, IMAGES, N, interval
from smallsight.analysis.ladder import FIRST, Rungs
from smallsight.analysis.outcomes import Outcomes
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import BASELINES
from smallsight.runtime.tables import Table, number, text
from smallsight.vocabulary import ALL_AND_GROUPS

BASELINE_ACCURACY = Table(
    "baselines",
    "accuracy of rules that see no pixel of a picture, out of fold",
    (
        text("baseline", "commonest, geometry or largest_object (evaluation.rungs.BASELINES)"),
        GROUP,
        N,
        IMAGES,
        number("accuracy", "share of the predictions that are correct, the mean over the seeds"),
        *interval(),
    ),
)

LARGEST = Table(
    "largest_object",
    "untouched accuracy in each task, by whether the largest object has the target's category",
    (
        GROUP,
        text("largest", "same: the picture's largest object has the target's category; other"),
        N,
        IMAGES,
        number("scene", "accuracy in the scene task, headline regime"),
        *interval("scene_low", "scene_high", of="scene"),
        number("object", "accuracy in the object task, headline regime"),
        *interval("object_low", "object_high", of="object"),
    ),
)


def compute_baselines(rungs: Rungs, outcomes: Outcomes) -> pd.DataFrame:
    """Compute the accuracy of every rule that sees no pixel, with intervals.

    Returns
    -------
    DataFrame
        The columns of `BASELINE_ACCURACY`, a row per baseline that is known and size group. A row
        of an empty group has n 0, images 0 and nothing else.
    """
    rows = [
        {"baseline": name, "size_group": group}
        | _accuracy(outcomes, rungs.hit_rates[name], outcomes.members[group], "accuracy ci")
        for name in BASELINES
        if name in rungs.hit_rates
        for group in ALL_AND_GROUPS
    ]
    return pd.DataFrame(rows).reindex(columns=BASELINE_ACCURACY.names)


def compute_largest(rungs: Rungs, outcomes: Mapping[str, Outcomes]) -> pd.DataFrame:
    """Split the untouched accuracy by whether the largest object has the target's category.

    Where accuracy depends on this and not on the target's size, the network names the picture's
    largest object. The target itself may be that object.

    Parameters
    ----------
    outcomes
        By task, with the same instances.

    Returns
    -------
    DataFrame
        The columns of `LARGEST`, two rows per size group; none where the largest objects are not
        known. A row without objects has n 0, images 0 and nothing else; one of a task that was not
        asked has no accuracy in it.
    """
    if FIRST not in rungs.hit_rates:
        return LARGEST.empty()
    # The rule that names this category is right where it is the target's.
    is_same = rungs.majority_correct(FIRST)
    rows = []
    for group in ALL_AND_GROUPS:
        for largest, wanted in (("same", True), ("other", False)):
            row: dict[str, Any] = {"size_group": group, "largest": largest}
            for task, found in outcomes.items():
                hits = found.hit_rates[found.row[found.regimes[0], UNTOUCHED]]
                chosen = found.members[group] & (is_same == wanted)
                row |= _accuracy(found, hits, chosen, f"{task} {task}")
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=LARGEST.names)


def _accuracy(
    outcomes: Outcomes, hits: np.ndarray, chosen: np.ndarray, names: str
) -> dict[str, Any]:
    """Count chosen instances; return the mean of their hit rates, with interval."""
    found: dict[str, Any] = {"n": int(chosen.sum()), "images": outcomes.images(chosen)}
    if found["n"]:
        mean, ends = names.split()
        numbers = outcomes.mean_with_interval(hits, chosen)
        found |= dict(zip((mean, f"{ends}_low", f"{ends}_high"), numbers, strict=True))
    return found
