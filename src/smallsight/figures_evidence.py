"""Panels that stand in rows: accuracy along a ladder of levels, and against the object's side."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from smallsight.figures import BAND, FAINT, INK, SERIES, dot, panel, style, svg
from smallsight.psychometric import curve

_SIZE = (2.3, 1.55)
"""Width and height of one panel, in inches."""
THRESHOLD = SERIES["small"].colour
"""Colour of a threshold and its interval; a panel that has one shows no size groups."""


def dose_response(
    rows: pd.DataFrame,
    *,
    name: str,
    title: str,
    steps: Sequence[str],
    option: str,
    chance: float | None,
) -> str:
    """Draw accuracy by size group from the mildest to the most severe level of a family.

    Parameters
    ----------
    rows
        Columns position (in `steps`), size_group, acc, ci_low, ci_high, hollow, is_headline; one
        regime's rows are drawn as dots with intervals, the other's as thin lines.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the panel.
    steps
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
                for x, acc, hollow in zip(at, line["acc"], line["hollow"], strict=True):
                    dot(axes, x, acc, series, hollow=hollow)
        axes.set_xlim(-0.4, len(steps) - 0.6)
        axes.set_xticks(range(len(steps)), steps)
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
        By condition: side, acc, ci_low, ci_high.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the panel.
    """
    with style(name):
        figure, axes = _panel(title, untouched["floor"])
        ends = untouched["side_min"] / 1.15, untouched["side_max"] * 1.15
        axes.set_xscale("log")
        axes.set_xlim(*ends)
        drawn = [(untouched, INK if changed is None else FAINT)]
        drawn += [] if changed is None else [(changed, INK)]
        for fit, colour in drawn:
            side = np.geomspace(*ends, 60)
            shape = {name: fit[name] for name in ("spread", "ceiling", "floor")}
            # A threshold beyond all sides leaves a level line.
            with np.errstate(divide="ignore"):
                accuracy = curve(np.log(side), location=np.log(fit["threshold"]), **shape)
            axes.plot(side, accuracy, color=colour, lw=1.3, zorder=3)
            points = bins.get(fit["condition"])
            if points is not None:
                face = colour if colour == INK else "none"
                axes.plot(points["side"], points["acc"], "o", color=colour, mfc=face, ms=2.6)
                if colour == INK:
                    low, high = points["ci_low"], points["ci_high"]
                    axes.vlines(points["side"], low, high, color=colour, lw=0.7)
        _mark_threshold(axes, drawn[-1][0], ends)
        powers = 2.0 ** np.arange(np.ceil(np.log2(ends[0])), np.log2(ends[1]))
        axes.xaxis.set_major_locator(FixedLocator(list(powers)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xlabel("side (input pixels)")
        return svg(figure, name=name, title=f"{title}: accuracy by side of the object")


def _mark_threshold(axes: Axes, fit: Mapping[str, Any], ends: tuple[float, float]) -> None:
    """Point out where a curve is half-way up, and the interval of that side."""
    height = (fit["floor"] + fit["ceiling"]) / 2
    if np.isfinite([fit["ci_low"], fit["threshold"]]).all() or fit["ci_high"] == np.inf:
        low, high = np.clip([fit["ci_low"], fit["ci_high"]], *ends)
        axes.hlines(height, low, high, color=THRESHOLD, lw=1.6, zorder=4)
    if ends[0] <= fit["threshold"] <= ends[1]:
        axes.plot(fit["threshold"], height, "D", color=THRESHOLD, ms=3.6, zorder=5)


def _panel(title: str, chance: float | None) -> tuple[Figure, Axes]:
    figure, axes = panel(title, size=_SIZE, place=(0.185, 0.265, 0.795, 0.59))
    axes.set_ylim(-0.02, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="y", color=BAND, lw=0.8)
    axes.set_axisbelow(True)
    if chance is not None:
        axes.axhline(chance, ls="--", lw=0.8, color=FAINT, zorder=1)
    return figure, axes
