"""Parts of the report that show the analysis: claims, effects, ladders, thresholds, severity."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import pandas as pd
from markupsafe import Markup

from smallsight.conditions.names import UNTOUCHED
from smallsight.conditions.registry import FAMILIES
from smallsight.report.figures import by_condition, curves
from smallsight.report.marks import marks
from smallsight.report.rows import Row
from smallsight.report.sections.parts import levels
from smallsight.report.study import Step, Study
from smallsight.report.text import interval, percent, percent_span, tip
from smallsight.vocabulary import DIFFERENCE, GROUPS, NO_VISIBLE_CHANGE

COLUMNS = (*GROUPS, DIFFERENCE)
"""What a table of effects has side by side."""


def claims(study: Study) -> list[list[Row]]:
    """Give the rows of every claim, in order; a claim may be tested in several regimes."""
    found: dict[str, list[Row]] = {}
    for row in study.claims.to_dict("records"):
        names = [name.strip() for name in row["vacuous"].split(",") if name.strip()]
        flags = [f"{study.label(name)} {marks(study, name)}" for name in names]
        found.setdefault(row["claim"], []).append(row | {"flags": flags})
    return list(found.values())


def effects(study: Study, regime: str, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Lay out one regime's effects, a row per condition."""
    rows = []
    for step in steps:
        cells = [
            (study.effect(regime, step.name, group), study.mark(step.name, *_groups(group)))
            for group in COLUMNS
        ]
        if any(effect is not None for effect, _ in cells):
            rows.append({"step": step, "label": study.label(step.family), "cells": cells})
    return rows


def _groups(group: str) -> list[str]:
    return group.split("-")


def dose_response(study: Study) -> list[Markup]:
    """Draw accuracy along the levels of every family that has several."""
    families = dict.fromkeys(step.family for step in study.happenings)
    return [_ladder_panel(study, family) for family in families if len(study.ladder(family)) > 1]


def _ladder_panel(study: Study, family: str) -> Markup:
    option, steps = ladder(study, family)
    rows = [
        {
            "position": position,
            "size_group": group,
            "acc": estimate.acc,
            "ci_low": estimate.low,
            "ci_high": estimate.high,
            "hollow": bool(study.mark(condition, group)),
            "is_headline": regime == study.headline,
            "tip": tip(
                f"{study.label(condition)}, {group}",
                percent(estimate.acc),
                interval(estimate),
                estimate.n,
            ),
        }
        for position, condition in enumerate(steps)
        for regime in study.regimes
        for group in GROUPS
        if (estimate := study.estimate(regime, condition, group)) is not None
    ]
    return Markup(
        curves.dose_response(
            pd.DataFrame(rows),
            name=f"ladder-{family}",
            title=study.label(family),
            steps=list(steps.values()),
            option=option,
            chance=levels(study).get("chance"),
        )
    )


def ladder(study: Study, family: str) -> tuple[str, dict[str, str]]:
    """Put a family's conditions in order, from the untouched pictures to the most severe level.

    Returns
    -------
    option, steps
        What varies, and each condition with what it is called on an axis. Levels of one option
        that lie on both sides of the untouched pictures stand around them; of several, they keep
        the order in which they are listed.
    """
    varying = study.varying(family)
    steps = study.ladder(family)
    named = {
        step.name: "\n".join(step.options.get(name, "–") for name in varying) for step in steps
    }
    called = {UNTOUCHED: "untouched"}
    option = varying[0] if len(varying) == 1 else ""
    try:
        values = {step.name: float(step.options[option]) for step in steps}
        start = FAMILIES[family].neutral[option]
    except (KeyError, ValueError):
        return ", ".join(varying), called | named
    values[UNTOUCHED] = start
    is_falling = max(values.values()) == start
    order = sorted(values, key=values.__getitem__, reverse=is_falling)
    return option, {name: (called | named)[name] for name in order}


def threshold_panels(study: Study) -> list[Markup]:
    """Draw the headline regime's curves: untouched pictures beside each family's first level."""
    untouched = study.threshold(study.headline, UNTOUCHED)
    if untouched is None:
        return []
    bins = dict(list(_bins(study).groupby("condition")))
    shown = [step.name for step in study.happenings if step.is_reference]
    fits = {name: study.threshold(study.headline, name) for name in shown}
    pairs: list[tuple[str, Row | None]] = [(name, fit) for name, fit in fits.items() if fit]
    return [
        Markup(
            curves.against_side(
                untouched,
                fit,
                bins=bins,
                name=f"curve-{name}",
                title=f"{study.label(name)} {marks(study, name)}".strip(),
            )
        )
        for name, fit in pairs or [(UNTOUCHED, None)]
    ]


def _bins(study: Study) -> pd.DataFrame:
    """Choose the headline regime's groups of objects by side, and say what each is."""
    table = study.bins[study.bins["regime"] == study.headline]
    return table.assign(
        tip=[
            tip(
                f"{study.label(row.condition)}, side about {row.side:.1f} px",
                percent(row.acc),
                percent_span(row.ci_low, row.ci_high),
                row.n,
            )
            for row in table.itertuples()
        ]
    )


def headline(study: Study) -> Markup:
    """Draw accuracy against size, untouched; nothing where no accuracy is known."""
    bins = _bins(study)
    known = {
        group: estimate
        for group in GROUPS
        if (estimate := study.estimate(study.headline, UNTOUCHED, group)) and estimate.is_known
    }
    groups = pd.DataFrame(
        [
            {
                "size_group": group,
                "side": study.median_side(group),
                "acc": one.acc,
                "ci_low": one.low,
                "ci_high": one.high,
                "tip": tip(group.capitalize(), percent(one.acc), interval(one), one.n),
            }
            for group, one in known.items()
        ],
        columns=["size_group", "side", "acc", "ci_low", "ci_high", "tip"],
    )
    groups = groups[groups["side"] > 0]
    bins = bins[bins["condition"] == UNTOUCHED]
    if groups.empty and bins.empty:
        return Markup("")
    return Markup(
        curves.headline(
            study.threshold(study.headline, UNTOUCHED),
            bins=bins,
            groups=groups,
            chance=study.chance,
            name="headline",
        )
    )


def thresholds(study: Study) -> list[dict[str, Any]]:
    """Lay out thresholds and costs, a row per condition but the probes, a cell per regime."""
    rows = []
    for step in study.conditions:
        if step.is_probe:
            continue
        cells = [study.threshold(regime, step.name) for regime in study.regimes]
        if any(cells):
            mark = marks(study, step.name)
            rows.append({"step": step, "label": study.label(step.family), "cells": cells})
            rows[-1]["mark"] = mark
    return rows


def severity_panels(study: Study) -> list[Markup]:
    """Draw the similarity of every condition to the untouched pictures, in two columns."""
    names = list(dict.fromkeys(study.severity["condition"]))
    if not names:
        return []
    rows = study.severity.rename(
        columns={"ssim_box": "value", "ssim_box_q1": "low", "ssim_box_q3": "high"}
    ).assign(hollow=study.severity["vacuous"] == "True")
    rows["tip"] = [
        f"{study.label(row.condition)}, {row.size_group}: {row.value:.3f} ({row.low:.3f}–"
        f"{row.high:.3f}), n = {row.n:g}"
        for row in rows.itertuples()
    ]
    half = math.ceil(len(names) / 2)
    return [
        Markup(
            by_condition.by_condition(
                rows,
                name=f"severity-{number}",
                title="",
                labels={name: study.label(name) for name in part},
                levels={f"vacuous above {NO_VISIBLE_CHANGE:g}": NO_VISIBLE_CHANGE},
                measure="similarity in the box (SSIM)",
                in_percent=False,
            )
        )
        for number, part in enumerate((names[:half], names[half:]))
        if part
    ]


def severity(study: Study) -> list[dict[str, Any]]:
    """Lay out the severity audit, a row per change."""
    return [
        {
            "step": step,
            "label": study.label(step.family),
            "cells": [
                (study.similarity(step.name, group), study.mark(step.name, group))
                for group in GROUPS
            ],
        }
        for step in study.changes
        if any(study.similarity(step.name, group) for group in GROUPS)
    ]


def split_sizes(study: Study) -> list[dict[str, Any]]:
    """Say how wide an accuracy's interval may be for want of objects, by size group.

    Half the width of the interval of a share of one half, by the normal approximation: for the
    objects tested, and for all that were sampled, which cross-validation tests.
    """
    z = NormalDist().inv_cdf((1 + study.params.analysis.confidence) / 2)
    rows = []
    for group in GROUPS:
        estimate = study.estimate(study.headline, UNTOUCHED, group)
        counts = (estimate.n if estimate else 0, int((study.sample["size_group"] == group).sum()))
        widths = [z * math.sqrt(0.25 / n) if n else math.nan for n in counts]
        rows.append({"group": group, "cells": list(zip(counts, widths, strict=True))})
    return rows
