"""Accuracy along levels of a family, against pixels of the same objects, and by training data."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from smallsight.analysis.statistics.psychometric import Curves
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

_SIZE = (2.3, 1.65)
"""Width and height of a panel of levels, in inches."""

_WIDE = (3.45, 2.35)
"""Width and height of a panel of sides, in inches."""

_BROAD = (3.45, 1.44)
"""Width and height of a panel of shares, in inches."""

ALL = Series("All", INK, "o")
"""How all objects together are shown."""


def dose_response(
    rows: pd.DataFrame,
    *,
    name: str,
    title: str,
    ticks: Sequence[str],
    option: str,
    chance: float,
) -> str:
    """Draw accuracy by size group from the mildest to the most severe level of a family.

    Parameters
    ----------
    rows
        Columns position (in `ticks`), size_group, acc, ci_low, ci_high, hollow, is_headline,
        tooltip; one regime's rows are drawn as dots with intervals, the other's as thin lines.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the panel.
    ticks
        What the positions are called, left to right.
    option
        What varies between them.
    chance
        Accuracy of guessing: a line across.
    """
    with style(name):
        figure, axes = panel(title, size=_SIZE, place=(0.2, 0.275, 0.78, 0.575))
        _accuracy_axis(axes, chance)
        for (group, series), offset in zip(SERIES.items(), (-0.09, 0.0, 0.09), strict=True):
            part = rows[(rows["size_group"] == group) & np.isfinite(rows["acc"])]
            for is_headline, line in part.sort_values("position").groupby("is_headline"):
                at = line["position"] + (offset if is_headline else 0)
                if not is_headline:
                    axes.plot(at, line["acc"], ":", color=series.colour, lw=1.1, zorder=2)
                    continue
                axes.plot(at, line["acc"], color=series.colour, lw=1.2, zorder=3)
                axes.vlines(at, line["ci_low"], line["ci_high"], color=series.colour, lw=0.9)
                for x, row in zip(at, tuples(line), strict=True):
                    dot(axes, x, row.acc, series, hollow=row.hollow, tooltip=row.tooltip)
        axes.set_xlim(-0.4, len(ticks) - 0.6)
        axes.set_xticks(range(len(ticks)), ticks)
        axes.set_xlabel(option)
        return svg(figure, name=name, title=f"{title}: accuracy by {option} and size of object")


def within_objects(
    rows: pd.DataFrame,
    *,
    fit: Mapping[str, Any] | None,
    name: str,
    title: str,
    chance: float,
) -> str:
    """Draw how often the same objects are recognised at several sides, and at their own.

    Parameters
    ----------
    rows
        Columns size_group, side (native pixels), native, acc, ci_low, ci_high, tooltip. Reduced
        objects: all of them as dots with intervals, a size group's as a thin line. Objects at their
        own side (`native`): a mark with its interval, in the size group's colour.
    fit
        The curve fitted to all reduced objects: threshold, ci_low, ci_high (native pixels), floor,
        ceiling, spread. None where there is no threshold.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the panel.
    chance
        Accuracy of guessing: a line across.
    """
    with style(name):
        figure, axes = panel(title, size=_WIDE, place=(0.125, 0.175, 0.855, 0.73))
        _accuracy_axis(axes, chance)
        ends = _side_axis(axes, rows["side"])
        for group, part in rows[~rows["native"]].sort_values("side").groupby("size_group"):
            if group in SERIES:
                colour = SERIES[str(group)].colour
                axes.plot(part["side"], part["acc"], ":", color=colour, lw=1.2, zorder=2)
            else:
                _marks(axes, part, ALL)
        for group, part in rows[rows["native"]].groupby("size_group"):
            _marks(axes, part, SERIES.get(str(group), ALL), is_named=True)
        if fit is not None:
            _draw_curve(axes, fit, ends)
        return svg(figure, name=name, title=f"{title}: accuracy of the same objects by their side")


def learning_curve(rows: pd.DataFrame, *, name: str, title: str, chance: float) -> str:
    """Draw accuracy by size group against the share of the small training objects.

    Parameters
    ----------
    rows
        Columns size_group, share (1: all of them), accuracy, ci_low, ci_high, is_extrapolated,
        tooltip. What is extrapolated is drawn hollow, at the end of a dotted line.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the panel.
    chance
        Accuracy of guessing: a line across.
    """
    shares = sorted(rows["share"].unique())
    with style(name):
        figure, axes = panel(title, size=_BROAD, place=(0.125, 0.305, 0.855, 0.532))
        _accuracy_axis(axes, chance)
        axes.set_xscale("log", base=2)
        for (group, series), aside in zip(SERIES.items(), (0.95, 1.0, 1.05), strict=True):
            part = rows[rows["size_group"] == group].sort_values("share")
            at = part["share"] * aside
            measured = ~part["is_extrapolated"].astype(bool)
            axes.plot(at, part["accuracy"], ":", color=series.colour, lw=1.1, zorder=2)
            axes.plot(at[measured], part["accuracy"][measured], color=series.colour, lw=1.2)
            axes.vlines(at, part["ci_low"], part["ci_high"], color=series.colour, lw=0.9)
            for x, row in zip(at, tuples(part), strict=True):
                dot(axes, x, row.accuracy, series, hollow=row.is_extrapolated, tooltip=row.tooltip)
            axes.plot([], [], color=series.colour, marker=series.marker, label=series.label)
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=len(SERIES),
            columnspacing=1.0,
            borderaxespad=0,
            borderpad=0.15,
        )
        axes.xaxis.set_major_locator(FixedLocator(shares))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
        axes.set_xlim(shares[0] / 1.3, shares[-1] * 1.3)
        axes.set_xlabel("small training objects, of those that there are")
        return svg(figure, name=name, title=f"{title}: accuracy by number of training objects")


def _marks(axes: Axes, part: pd.DataFrame, series: Series, *, is_named: bool = False) -> None:
    """Draw accuracies as marks with tooltips and intervals."""
    axes.vlines(part["side"], part["ci_low"], part["ci_high"], color=series.colour, lw=1.1)
    for row in tuples(part):
        dot(axes, row.side, row.acc, series, hollow=False, tooltip=row.tooltip)
        if is_named:
            axes.annotate(
                series.label,
                (row.side, row.ci_high if np.isfinite(row.ci_high) else row.acc),
                xytext=(0, 2),
                textcoords="offset points",
                color=series.colour,
                ha="center",
                va="bottom",
            )


def _side_axis(axes: Axes, sides: pd.Series) -> tuple[float, float]:
    """Make the horizontal axis one of sides, and return its ends."""
    ends = float(sides.min()) / 1.3, float(sides.max()) * 1.3
    axes.set_xscale("log")
    axes.set_xlim(*ends)
    powers = 2.0 ** np.arange(np.ceil(np.log2(ends[0])), np.log2(ends[1]))
    axes.xaxis.set_major_locator(FixedLocator(list(powers)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("side of the object (native pixels)")
    return ends


def _draw_curve(axes: Axes, fit: Mapping[str, Any], ends: tuple[float, float]) -> None:
    """Draw a fitted curve, and mark with its interval the side at which it is half-way up."""
    side = np.geomspace(*ends, 60)
    shape = (np.log(fit["threshold"]), np.log(fit["spread"]), fit["floor"], fit["ceiling"])
    height = Curves(np.array([shape])).at(np.log(side))[0]
    axes.plot(side, height, color=FAINT, lw=1.3, zorder=3)
    if np.isfinite([fit["ci_low"], fit["ci_high"]]).all():
        low, high = np.clip([fit["ci_low"], fit["ci_high"]], *ends)
        axes.axvspan(low, high, color=FAINT, alpha=0.25, lw=0, zorder=0)
    middle = (fit["floor"] + fit["ceiling"]) / 2
    axes.plot([fit["threshold"]] * 2, [axes.get_ylim()[0], middle], color=INK, lw=1.1, zorder=4)


def _accuracy_axis(axes: Axes, chance: float) -> None:
    axes.set_ylim(-0.02, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="y", color=BAND, lw=0.8)
    axes.set_axisbelow(True)
    axes.axhline(chance, ls="--", lw=0.8, color=FAINT, zorder=1)
