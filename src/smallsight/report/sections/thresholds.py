"""How many pixels an object must have, and how many more under each condition."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.figures import curves
from smallsight.report.marks import Heading, heading, marked_label, quoted_label
from smallsight.report.rows import Row, by_direction, tuples
from smallsight.report.section import Section
from smallsight.report.study import Study, by_regime
from smallsight.report.text import (
    counted,
    factor,
    factor_span,
    interval,
    listed,
    percent,
    percent_span,
    tooltip,
)
from smallsight.vocabulary import GROUPS


@dataclass(frozen=True)
class ThresholdRow:
    """Threshold and cost of one condition, a row of the table of thresholds per regime."""

    heading: Heading
    cells: list[Row | None]


@dataclass(frozen=True)
class Thresholds:
    """What the section shows."""

    panels: list[Markup]
    rows: list[ThresholdRow]


def panels(study: Study) -> list[Markup]:
    """Draw the headline regime's curves: untouched pictures beside each first level."""
    untouched = study.threshold(study.headline_regime, UNTOUCHED)
    if untouched is None:
        return []
    by_condition = {str(name): table for name, table in bins(study).groupby("condition")}
    references = [one.name for one in study.corruptions if one.is_reference]
    fits = {name: study.threshold(study.headline_regime, name) for name in references}
    pairs: list[tuple[str, Row | None]] = [(name, fit) for name, fit in fits.items() if fit]
    return [
        Markup(
            curves.against_side(
                untouched,
                fit,
                bins=by_condition,
                name=f"curve-{name}",
                title=marked_label(study, name),
            )
        )
        for name, fit in pairs or [(UNTOUCHED, None)]
    ]


def bins(study: Study) -> pd.DataFrame:
    """Return the headline regime's groups of objects by side, with a column `tooltip`."""
    table = study.tables["bins"]
    table = table[table["regime"] == study.headline_regime]
    return table.assign(
        tooltip=[
            tooltip(
                f"{study.label(row.condition)}, side about {row.side:.1f} px",
                percent(row.acc),
                percent_span(row.ci_low, row.ci_high),
                row.n,
            )
            for row in tuples(table)
        ]
    )


def untouched_panel(study: Study) -> Markup:
    """Draw accuracy against size, untouched; nothing where no accuracy is known."""
    known = {
        group: estimate
        for group in GROUPS
        if (estimate := study.estimate(study.headline_regime, UNTOUCHED, group))
        and estimate.is_known
    }
    groups = pd.DataFrame(
        [
            {
                "size_group": group,
                "side": study.median_side(group),
                "acc": one.acc,
                "ci_low": one.low,
                "ci_high": one.high,
                "tooltip": tooltip(group.capitalize(), percent(one.acc), interval(one), one.n),
            }
            for group, one in known.items()
        ],
        columns=["size_group", "side", "acc", "ci_low", "ci_high", "tooltip"],
    )
    groups = groups[groups["side"] > 0]
    by_side = bins(study)
    by_side = by_side[by_side["condition"] == UNTOUCHED]
    if groups.empty and by_side.empty:
        return Markup("")
    return Markup(
        curves.untouched(
            study.threshold(study.headline_regime, UNTOUCHED),
            bins=by_side,
            groups=groups,
            chance=study.chance,
            name="untouched",
        )
    )


def rows(study: Study) -> list[ThresholdRow]:
    """Return thresholds and costs, a row per condition that is no intervention."""
    found = []
    for one in study.conditions:
        cells = [study.threshold(regime, one.name) for regime in study.regimes]
        if any(cells) and not study.is_intervention(one):
            found.append(ThresholdRow(heading(study, one, is_marked=True), cells))
    return found


def cost_sentence(study: Study) -> str:
    """Write by which factor corruptions move the threshold, where that has a direction."""
    start = "To be recognised as often as untouched, by the fitted curves"
    return by_regime(study, start, _cost_clause)


def _cost_clause(study: Study, regime: str) -> str:
    found = [study.threshold(regime, one.name) for one in study.corruptions]
    known = [row for row in found if row is not None and row["cost"] > 0]
    if not known:
        return ""
    larger, smaller, _ = by_direction(known)
    inverse = [
        {
            "condition": row["condition"],
            "cost": 1 / row["cost"],
            "cost_low": 1 / row["cost_high"],
            "cost_high": 1 / row["cost_low"] if row["cost_low"] > 0 else math.inf,
        }
        for row in smaller
    ]
    parts = [
        f"an object {order} by a factor of {_factors(study, part)}"
        for order, part in (("must be larger", larger), ("may be smaller", inverse))
        if part
    ]
    return " and ".join(parts) or "no factor is shown"


def _factors(study: Study, found: Sequence[Row]) -> str:
    """Write costs; where there are reference levels, only count the further ones."""
    references = [row for row in found if "/" not in row["condition"]] or found
    parts = [
        f"{factor(row['cost'])} ({factor_span(row['cost_low'], row['cost_high'])}) under "
        f"{quoted_label(study, row['condition'])}"
        for row in references
    ]
    more = len(found) - len(references)
    if more:
        parts.append(f"more than 1 under {counted(more, 'further level')}")
    return listed(parts)


def build(study: Study) -> Thresholds:
    """Return what the section shows of a study."""
    return Thresholds(panels(study), rows(study))


SECTION = Section(
    name="thresholds",
    build=build,
    anchor="thresholds",
    title="Thresholds in pixels",
    contents="Thresholds",
)
