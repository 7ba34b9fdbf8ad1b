"""How often answers are right, against the confidence that they were given with."""

import pandas as pd
from matplotlib.ticker import PercentFormatter

from smallsight.report.figures.style import (
    BAND,
    FAINT,
    INK,
    SERIES,
    Series,
    dot,
    panel,
    style,
    svg,
)
from smallsight.report.rows import tuples

_SIZE = (2.3, 2.0)
"""Width and height of a panel, in inches."""


def reliability(rows: pd.DataFrame, *, name: str, title: str, group: str) -> str:
    """Draw the accuracy of one size group's answers by their confidence.

    Parameters
    ----------
    rows
        Columns scaling, confidence, accuracy, ci_low, ci_high, tooltip; numbers from 0 to 1. What
        is not scaled is drawn as filled marks in the size group's colour, the rest as hollow ones
        in ink.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the panel.
    group
        The size group.
    """
    shown = {"none": SERIES[group], "temperature": Series("", INK, SERIES[group].marker)}
    with style(name):
        figure, axes = panel(title, size=_SIZE, place=(0.195, 0.215, 0.735, 0.685))
        axes.plot([0, 1], [0, 1], "--", lw=0.8, color=FAINT, zorder=1)
        for scaling, series in shown.items():
            part = rows[rows["scaling"] == scaling].sort_values("confidence")
            at = part["confidence"]
            axes.plot(at, part["accuracy"], color=series.colour, lw=0.9, zorder=2)
            axes.vlines(at, part["ci_low"], part["ci_high"], color=series.colour, lw=0.8)
            for row in tuples(part):
                place = row.confidence, row.accuracy
                dot(axes, *place, series, hollow=scaling != "none", tooltip=row.tooltip)
        for axis, limit in ((axes.xaxis, axes.set_xlim), (axes.yaxis, axes.set_ylim)):
            limit(-0.04, 1.04)
            axis.set_ticks([0, 0.25, 0.5, 0.75, 1])
            axis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="y", color=BAND, lw=0.8)
        axes.set_axisbelow(True)
        axes.set_xlabel("confidence")
        return svg(figure, name=name, title=f"{title}: accuracy by confidence")
