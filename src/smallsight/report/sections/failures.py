"""Parts of the report that list failures, one by one, by the cause that is suggested."""

from typing import Any

import pandas as pd

from smallsight.analysis.terms import FAILURE_CAUSES, Term
from smallsight.report.study import Study

NO_CAUSE = Term("None suggested", "a probe that this takes was not evaluated")


PRINTED = 6
"""Failures of each cause that a printed page lists."""


_MOST_NAMED = 4
"""Rescues that a line has room for."""


def listed(study: Study, *, most: int | None = None) -> list[dict[str, Any]]:
    """Give the headline regime's failures by cause; of each, size groups taking turns.

    Parameters
    ----------
    most
        How many of each cause; all where there is no such number.
    """
    table = study.failures[study.failures["regime"] == study.headline]
    turn = table.groupby(["cause", "size_group"]).cumcount()
    table = table.loc[turn.sort_values(kind="stable").index]
    found = []
    for cause, term in (FAILURE_CAUSES | {"": NO_CAUSE}).items():
        part = table[table["cause"] == cause]
        if len(part):
            rows = [_row(study, row) for row in part[:most].to_dict("records")]
            found.append({"cause": cause, "term": term, "rows": rows, "number": len(part)})
    return found


def _row(study: Study, row: dict[str, Any]) -> dict[str, Any]:
    rescues = [study.label(name) for name in row["rescued_by"].split("; ") if name]
    more = len(rescues) - _MOST_NAMED
    told = [*rescues[:_MOST_NAMED], f"{more} more"] if more > 0 else rescues
    return row | {"rescues": "; ".join(told), "has_neighbour": not pd.isna(row["neighbour_side"])}
