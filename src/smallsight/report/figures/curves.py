"""Accuracy along the levels of a family, and against the side of the object."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from smallsight.analysis.statistics.psychometric import curve
from smallsight.report.figures.style import (
    BAND,
    FAINT,
    INK,
    SERIES,
    dot,
    panel,
    set_tooltip,
    style,
    svg,
)
from smallsight.report.rows import tuples

_SIZE = (2.3, 1.55)
"""Width and height of one panel, in inches."""

THRESHOLD = SERIES["small"].colour
"""Colour of a threshold and its interval; a panel that has one shows no size groups."""


def dose_response(
    rows: pd.DataFrame,
    *,
    name: str,
    title: str,
    ticks: Sequence[str],
    option: str,
    chance: float | None,
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
        figure, axes = _panel(title, chance)
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


def against_side(
    untouched: Mapping[str, Any],
    changed: Mapping[str, Any] | None,
    *,
    bins: Mapping[str, pd.DataFrame],
    name: str,
    title: str,
) -> str:
    """Draw accuracy against the object's side: curves, and groups of objects beside them.

    Parameters
    ----------
    untouched, changed
        Fitted curves: condition, threshold, ci_low, ci_high (pixels; 0 and inf lie beyond all
        sides), floor, ceiling, spread, side_min, side_max. The first is grey where both are drawn.
    bins
        By condition: side, acc, ci_low, ci_high, tooltip.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the panel.
    """
    with style(name):
        figure, axes = _panel(title, untouched["floor"])
        ends = _side_axis(axes, untouched)
        drawn = [(untouched, INK if changed is None else FAINT)]
        drawn += [] if changed is None else [(changed, INK)]
        for fit, colour in drawn:
            _draw_curve(axes, fit, ends, colour)
            if fit["condition"] in bins:
                _draw_bins(axes, bins[fit["condition"]], colour, is_filled=colour == INK)
        _mark_threshold(axes, drawn[-1][0], ends)
        return svg(figure, name=name, title=f"{title}: accuracy by side of the object")


def untouched(
    fit: Mapping[str, Any] | None,
    *,
    bins: pd.DataFrame,
    groups: pd.DataFrame,
    chance: float | None,
    name: str,
) -> str:
    """Draw accuracy against side, untouched: the curve, groups of objects, and the size groups.

    Parameters
    ----------
    fit
        The fitted curve, as for `against_side`; None where there is none.
    bins
        Columns side, acc, ci_low, ci_high, tooltip.
    groups
        A row per size group: size_group, side (median, input pixels), acc, ci_low, ci_high,
        tooltip.
    chance
        Accuracy of guessing: a line across.
    name
        The figure's own name, which begins its ids.
    """
    with style(name):
        figure = Figure(figsize=(6.9, 1.75))
        axes = figure.add_axes((0.085, 0.235, 0.9, 0.735))
        _accuracy_axis(axes, chance)
        sides = pd.concat([bins["side"], groups["side"]])
        ends = _side_axis(axes, fit or {"side_min": sides.min(), "side_max": sides.max()})
        if fit is not None:
            _draw_curve(axes, fit, ends, FAINT)
            _mark_threshold(axes, fit, ends, INK)
        _draw_bins(axes, bins, FAINT, is_filled=True)
        for row in tuples(groups):
            series = SERIES[row.size_group]
            axes.vlines(row.side, row.ci_low, row.ci_high, color=series.colour, lw=2.2, zorder=5)
            dot(axes, row.side, row.acc, series, hollow=False, tooltip=row.tooltip)
            # On the side that the curve leaves free.
            is_above = fit is None or row.acc >= float(_accuracy(fit, row.side))
            axes.annotate(
                f"{series.label} {100 * row.acc:.1f}%",
                (row.side, row.acc),
                xytext=(6, 4 if is_above else -10),
                textcoords="offset points",
                fontweight="bold",
                zorder=6,
            )
        axes.set_ylabel("accuracy")
        return svg(figure, name=name, title="Accuracy by side of the object, untouched")


def _side_axis(axes: Axes, sides: Mapping[str, Any]) -> tuple[float, float]:
    """Make the horizontal axis one of sides, and return its ends."""
    ends = sides["side_min"] / 1.15, sides["side_max"] * 1.15
    axes.set_xscale("log")
    axes.set_xlim(*ends)
    powers = 2.0 ** np.arange(np.ceil(np.log2(ends[0])), np.log2(ends[1]))
    axes.xaxis.set_major_locator(FixedLocator(list(powers)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("side (input pixels)")
    return ends


def _draw_curve(axes: Axes, fit: Mapping[str, Any], ends: tuple[float, float], colour: str) -> None:
    side = np.geomspace(*ends, 60)
    axes.plot(side, _accuracy(fit, side), color=colour, lw=1.3, zorder=3)


def _accuracy(fit: Mapping[str, Any], side: np.ndarray | float) -> np.ndarray:
    """Return a fitted curve's accuracy at some sides, in input pixels."""
    shape = {name: fit[name] for name in ("spread", "ceiling", "floor")}
    # A threshold beyond all sides leaves a level line.
    with np.errstate(divide="ignore"):
        return curve(np.log(side), location=np.log(fit["threshold"]), **shape)


def _draw_bins(axes: Axes, bins: pd.DataFrame, colour: str, *, is_filled: bool) -> None:
    """Draw groups of objects by side; hollow ones without their intervals."""
    face = colour if is_filled else "none"
    for row in tuples(bins):
        (mark,) = axes.plot(row.side, row.acc, "o", color=colour, mfc=face, ms=2.6)
        set_tooltip(mark, row.tooltip)
    if is_filled:
        axes.vlines(bins["side"], bins["ci_low"], bins["ci_high"], color=colour, lw=0.7)


def _mark_threshold(
    axes: Axes, fit: Mapping[str, Any], ends: tuple[float, float], colour: str = THRESHOLD
) -> None:
    """Mark the side where a curve is half-way up, and its interval."""
    height = (fit["floor"] + fit["ceiling"]) / 2
    if np.isfinite([fit["ci_low"], fit["threshold"]]).all() or fit["ci_high"] == np.inf:
        low, high = np.clip([fit["ci_low"], fit["ci_high"]], *ends)
        axes.hlines(height, low, high, color=colour, lw=1.6, zorder=4)
    if ends[0] <= fit["threshold"] <= ends[1]:
        axes.plot(fit["threshold"], height, "D", color=colour, ms=3.6, zorder=5)


def _panel(title: str, chance: float | None) -> tuple[Figure, Axes]:
    figure, axes = panel(title, size=_SIZE, place=(0.185, 0.265, 0.795, 0.59))
    _accuracy_axis(axes, chance)
    return figure, axes


def _accuracy_axis(axes: Axes, chance: float | None) -> None:
    axes.set_ylim(-0.02, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="y", color=BAND, lw=0.8)
    axes.set_axisbelow(True)
    if chance is not None:
        axes.axhline(chance, ls="--", lw=0.8, color=FAINT, zorder=1)
