"""The severity audit: what every condition does to the objects of each size group."""

from typing import Any

import numpy as np
import pandas as pd

from smallsight.vocabulary import NO_VISIBLE_CHANGE, SIZE_GROUPS

SEVERITY_COLUMNS = (
    *("condition", "size_group", "n", "ssim_box", "ssim_box_q1", "ssim_box_q3", "ssim_picture"),
    *("side", "side_untouched", "vacuous"),
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
        `SEVERITY_COLUMNS`, a row per condition and size group: n, medians, and the quartiles of
        the in-box similarity. `vacuous` marks a median above `NO_VISIBLE_CHANGE`: nothing that the network
        can see changes in the box; a low `ssim_picture` beside it means that its surroundings do.
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
    table = pd.DataFrame(rows).reindex(columns=list(SEVERITY_COLUMNS))
    return table.astype({"vacuous": bool})


def mark_unchanged(effects: pd.DataFrame, severities: pd.DataFrame) -> pd.DataFrame:
    """Add to effects whether their condition is vacuous for their size group.

    A difference between two groups is vacuous where both are.
    """
    vacuous = {
        (row.condition, row.size_group): bool(row.vacuous) for row in severities.itertuples()
    }
    marks = [
        all(vacuous[row.condition, group] for group in row.size_group.split("-"))
        for row in effects.itertuples()
    ]
    return effects.assign(vacuous=marks)
