"""Parts of the report that show causes: the ledger, surroundings, neighbours, failures, kinds."""

from typing import Any

import pandas as pd
from markupsafe import Markup

from smallsight.analysis.terms import FAILURE_CAUSES, INTERVENTIONS, NEIGHBOURS, PARTS, PATHS, Term
from smallsight.report.figures.confusion import confusion
from smallsight.report.figures.gap import waterfall
from smallsight.report.rows import keyed
from smallsight.report.study import Study
from smallsight.report.text import signed, span, tip
from smallsight.vocabulary import GROUPS

WHOLE = Term("Gap", "accuracy on large minus that on small objects, untouched")


def ledger(study: Study) -> list[dict[str, Any]]:
    """Lay out the ledger, a row per part: a cell per regime, and how far the regimes differ."""
    by_key = keyed(study.ledger, "regime", "part")
    differences = keyed(study.agreement, "part")
    if not by_key:
        return []
    terms = {"gap": WHOLE} | PARTS | PATHS
    return [
        {
            "part": part,
            "term": term,
            "cells": [by_key.get((regime, part)) for regime in study.regimes],
            "difference": differences.get((part,)),
        }
        for part, term in terms.items()
    ]


def waterfalls(study: Study) -> list[Markup]:
    """Draw the ledger, a panel per regime that has one."""
    panels = []
    terms = PARTS | {"gap": WHOLE}
    for regime in study.regimes:
        rows = study.ledger[study.ledger["regime"] == regime].set_index("part")
        if rows.empty:
            continue
        chosen = rows.loc[list(terms)]
        drawn = pd.DataFrame(
            {
                "label": [term.label for term in terms.values()],
                "value": chosen["value"].to_numpy(),
                "low": chosen["ci_low"].to_numpy(),
                "high": chosen["ci_high"].to_numpy(),
                "hollow": (chosen["verdict"] == "inconclusive").to_numpy(),
                "is_total": chosen.index == "gap",
                "tip": [
                    tip(terms[part].label, f"{signed(row['value'])} points", span(row), row["n"])
                    for part, row in zip(terms, chosen.to_dict("records"), strict=True)
                ],
            }
        )
        title = f"{regime.capitalize()} head"
        panels.append(Markup(waterfall(drawn, name=f"ledger-{regime}", title=title)))
    return panels


def interventions(study: Study) -> list[dict[str, Any]]:
    """Lay out what the ledger compares, a row per condition: large and small, per regime."""
    rows = []
    for condition in INTERVENTIONS.values():
        cells = [
            (study.estimate(regime, condition, "large"), study.estimate(regime, condition, "small"))
            for regime in study.regimes
        ]
        rows.append({"label": study.label(condition), "cells": cells})
    return rows


def background(study: Study) -> list[dict[str, Any]]:
    """Lay out the background gap and what surroundings predict, a row per size group and regime."""
    by_key = keyed(study.background, "regime", "size_group")
    return [
        {"group": group, "cells": [by_key.get((regime, group)) for regime in study.regimes]}
        for group in ("all", *GROUPS)
        if any(
            row is not None and (row["n"] or row["n_context"])
            for row in (by_key.get((regime, group)) for regime in study.regimes)
        )
    ]


def neighbours(study: Study) -> list[dict[str, Any]]:
    """Lay out what failures name, a row per size group that has failures."""
    by_key = keyed(study.neighbours, "size_group", "pictures", "neighbour")
    rows = []
    for group in ("all", *GROUPS):
        several = [by_key.get((group, "several", kind)) for kind in NEIGHBOURS]
        one = by_key.get((group, "one", "any"))
        counts = [int(row["failed"]) if row else 0 for row in (several[0], one)]
        if any(counts):
            rows.append({"group": group, "failed": counts, "cells": several})
    return rows


def failures(study: Study, regime: str) -> list[dict[str, Any]]:
    """Lay out suggested causes of one regime's failures, a row per cause."""
    table = study.failure_causes[study.failure_causes["regime"] == regime]
    by_key = keyed(table, "cause", "size_group")
    if not by_key:
        return []
    return [
        {"term": term, "cells": [by_key[cause, group] for group in ("all", *GROUPS)]}
        for cause, term in FAILURE_CAUSES.items()
    ]


def failed(study: Study, regime: str) -> list[int]:
    """Count one regime's failures, all and by size group."""
    table = study.failure_causes[study.failure_causes["regime"] == regime]
    counts = table.groupby("size_group")["failed"].first()
    return [int(counts.get(group, 0)) for group in ("all", *GROUPS)]


def rescues(study: Study, regime: str) -> list[dict[str, Any]]:
    """Lay out what reference levels rescue and break, a row per family, beside their effects."""
    table = study.rescues[study.rescues["regime"] == regime]
    by_key = keyed(table, "condition", "size_group")
    rows = []
    for step in study.changes:
        cells = [
            (by_key.get((step.name, group)), study.effect(regime, step.name, group))
            for group in GROUPS
        ]
        if step.is_reference and any(row is not None for row, _ in cells):
            rows.append({"step": step, "label": study.label(step.family), "cells": cells})
    return rows


def confusions(study: Study) -> list[Markup]:
    """Draw what objects are named, a panel per size group that has objects."""
    panels = []
    for group in GROUPS:
        table = study.confusion[study.confusion["size_group"] == group]
        categories = list(dict.fromkeys(table["category_name"]))
        shares = table.pivot(index="category_name", columns="predicted", values="share")
        counts = table.drop_duplicates("category_name").set_index("category_name")["n"]
        if counts.sum():
            drawn = confusion(
                shares.loc[categories, categories],
                counts=counts.astype(int).to_dict(),
                name=f"confusion-{group}",
                title=f"{group.capitalize()} objects",
            )
            panels.append(Markup(drawn))
    return panels


def kinds(study: Study) -> list[dict[str, Any]]:
    """Lay out accuracy by category, a row per category, a cell per size group."""
    by_key = keyed(study.categories, "category_name", "size_group")
    names = dict.fromkeys(study.categories["category_name"])
    rows = []
    for name in names:
        cells = [by_key[name, group] for group in ("all", *GROUPS)]
        rows.append({"name": name, "cells": [cell if cell["n"] else None for cell in cells]})
    return rows
