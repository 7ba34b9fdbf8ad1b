"""Severity of every condition, after preprocessing: severity.csv, and marks in effects.csv."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import N
from smallsight.runtime.tables import Table, flag, number
from smallsight.vocabulary import CONDITION, NO_VISIBLE_CHANGE, SIZE_GROUP, SIZE_GROUPS

SEVERITY = Table(
    "severity",
    "how much of each condition reaches the network, by size group",
    (
        CONDITION,
        SIZE_GROUP,
        N,
        number("ssim_box", "median similarity of the object's box to itself untouched, up to 1"),
        number("ssim_box_q1", "its lower quartile"),
        number("ssim_box_q3", "its upper quartile"),
        number("ssim_picture", "median similarity of the whole picture to itself untouched"),
        number("side", "median side of the objects under the condition, in input pixels"),
        number("side_untouched", "the same in the untouched picture"),
        flag("vacuous", f"no visible change: ssim_box is above {NO_VISIBLE_CHANGE:g}"),
    ),
)


def summarise_severity(views: pd.DataFrame) -> pd.DataFrame:
    """Summarise what every condition does to the objects of each size group.

    Parameters
    ----------
    views
        condition, size_group, ssim_box, ssim_picture, box_w, box_h and side_untouched of every
        instance under every condition but the untouched one.

    Returns
    -------
    DataFrame
        The columns of `SEVERITY`, a row per condition and size group: n, medians, and the
        quartiles of the in-box similarity. `vacuous` marks a median above `NO_VISIBLE_CHANGE`: the
        network can see no change in the box; a low `ssim_picture` then means that its surroundings
        changed.
    """
    rows = []
    views = views.assign(side=np.sqrt(views["box_w"] * views["box_h"]))
    for condition, part in views.groupby("condition", sort=False):
        for group in SIZE_GROUPS:
            chosen = part[part["size_group"] == group]
            row: dict[str, Any] = {"condition": condition, "size_group": group, "n": len(chosen)}
            if len(chosen):
                low, row["ssim_box"], high = chosen["ssim_box"].quantile([0.25, 0.5, 0.75])
                row |= {"ssim_box_q1": low, "ssim_box_q3": high}
                for name in ("ssim_picture", "side", "side_untouched"):
                    row[name] = chosen[name].median()
            rows.append(row | {"vacuous": row.get("ssim_box", 0.0) > NO_VISIBLE_CHANGE})
    table = pd.DataFrame(rows).reindex(columns=SEVERITY.names)
    return table.astype({"vacuous": bool})


def mark_unchanged(effects: pd.DataFrame, severities: pd.DataFrame) -> pd.DataFrame:
    """Mark the effects of conditions that make no visible change to objects of their size group.

    Parameters
    ----------
    effects, severities
        As `effects.compute_effects` and `summarise_severity` return them.

    Returns
    -------
    DataFrame
        The effects and `vacuous`. A difference between two groups is marked where both are.
    """
    pairs = zip(severities["condition"], severities["size_group"], strict=True)
    unchanged = dict(zip(pairs, severities["vacuous"], strict=True))
    marks = [
        all(bool(unchanged[condition, group]) for group in groups.split("-"))
        for condition, groups in zip(effects["condition"], effects["size_group"], strict=True)
    ]
    return effects.assign(vacuous=marks)
