"""Accuracy along the levels of families that have several, from the mildest to the most severe."""

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.figures import curves
from smallsight.report.section import Section
from smallsight.report.study import Study, once
from smallsight.report.text import TASK_NAMES, interval, percent, tooltip
from smallsight.vocabulary import GROUPS


@dataclass(frozen=True)
class DoseResponse:
    """What the section shows.

    Attributes
    ----------
    task
        What the task is called.
    panels
        A panel per family of several levels.
    other_regimes
        The regimes that are drawn as dotted lines.
    """

    task: str
    panels: list[Markup]
    other_regimes: list[str]


def panels(study: Study) -> list[Markup]:
    """Draw accuracy along the levels of every corruption that has several."""
    families = dict.fromkeys(one.family for one in study.corruptions(study.headline_task))
    several = [family for family in families if len(study.levels(study.headline_task, family)) > 1]
    return [_panel(study, family) for family in several]


def _panel(study: Study, family: str) -> Markup:
    option, ticks = order_levels(study, family)
    rows = [
        {
            "position": position,
            "size_group": group,
            "acc": estimate.acc,
            "ci_low": estimate.low,
            "ci_high": estimate.high,
            "hollow": bool(study.mark(study.headline_task, condition, group)),
            "is_headline": regime == study.headline_regime,
            "tooltip": tooltip(
                f"{study.label(condition)}, {group}",
                percent(estimate.acc),
                interval(estimate),
                estimate.n,
            ),
        }
        for position, condition in enumerate(ticks)
        for regime in study.regimes
        for group in GROUPS
        if (estimate := study.estimate(study.headline_task, regime, condition, group)) is not None
    ]
    return Markup(
        curves.dose_response(
            pd.DataFrame(rows),
            name=f"levels-{family}",
            title=study.label(family),
            ticks=list(ticks.values()),
            option=option,
            chance=study.chance,
        )
    )


def order_levels(study: Study, family: str) -> tuple[str, dict[str, str]]:
    """Put a family's conditions in order, from the untouched pictures to the most severe level.

    Returns
    -------
    option, ticks
        What varies, and by condition how an axis writes its level. Levels of one option that lie on
        both sides of the untouched pictures stand around them; of several options, they keep the
        order in which they are listed.
    """
    varying = study.varying(family)
    levels = study.levels(study.headline_task, family)
    written = {
        one.name: "\n".join(one.options.get(name, "–") for name in varying) for one in levels
    }
    ticks = {UNTOUCHED: "untouched"} | written
    option = varying[0] if len(varying) == 1 else ""
    try:
        values = {one.name: float(one.options[option]) for one in levels}
        start = study.families[family].neutral[option]
    except (KeyError, ValueError):
        return ", ".join(varying), ticks
    values[UNTOUCHED] = start
    is_falling = max(values.values()) == start
    order = sorted(values, key=values.__getitem__, reverse=is_falling)
    return option, {name: ticks[name] for name in order}


@once
def build(study: Study) -> DoseResponse | None:
    """Return what the section shows of a study; None where no family has several levels."""
    drawn = panels(study)
    return (
        DoseResponse(TASK_NAMES[study.headline_task], drawn, study.regimes[1:]) if drawn else None
    )


SECTION = Section(
    name="dose_response",
    build=build,
    anchor="dose-response",
    title="Dose and response",
)
