"""The ladder: accuracy from rung to rung, and what each step takes off the gap."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, PercentFormatter

from smallsight.report.figures.style import (
    BAND,
    COOL,
    FAINT,
    INK,
    SERIES,
    TITLE_TYPE,
    WARM,
    dot,
    points,
    set_tooltip,
    style,
    svg,
)
from smallsight.report.rows import tuples

_GROUPS = ("small", "large")
"""The size groups whose gap is split up: a line each."""


def climb(rows: pd.DataFrame, *, name: str, title: str, chance: float) -> str:
    """Draw small and large objects' accuracy as two lines over the rungs, top to bottom.

    Parameters
    ----------
    rows
        Columns label, size_group, value, low, high, hollow, is_rule, tooltip; numbers from 0 to 1.
        Rungs stand in the order in which their labels come. A rule is on no line.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the figure.
    chance
        Accuracy of guessing: a line across.
    """
    labels = list(dict.fromkeys(rows["label"]))
    with style(name):
        # A few rungs leave no less room to title and legend: labels of two lines would meet.
        height = 0.85 + 0.31 * max(len(labels), 6)
        figure = Figure(figsize=(3.45, height), layout="constrained")
        axes = figure.add_subplot()
        for position in range(0, len(labels), 2):
            axes.axhspan(position - 0.5, position + 0.5, color=BAND, lw=0, zorder=0)
        axes.axvline(chance, ls="--", lw=0.8, color=FAINT, zorder=1)
        placed = rows.assign(position=rows["label"].map(labels.index))
        for group, offset in zip(_GROUPS, (-0.1, 0.1), strict=True):
            _line(axes, placed[placed["size_group"] == group], group, offset)
        axes.set_xlim(-0.015, 1.015)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel("accuracy")
        axes.set_yticks(range(len(labels)), ["\n".join(textwrap.wrap(one, 26)) for one in labels])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", fontsize=TITLE_TYPE)
        figure.legend(loc="outside lower center", ncols=len(_GROUPS))
        return svg(figure, name=name, title=f"{title}: accuracy on small and large objects by rung")


def _line(axes: Axes, part: pd.DataFrame, group: str, offset: float) -> None:
    """Draw one size group's accuracies, and the line that joins those of the rungs."""
    series = SERIES[group]
    axes.plot([], [], f"{series.marker}-", color=series.colour, ms=4, lw=1.2, label=series.label)
    known = part[np.isfinite(part["value"])]
    rungs = known[~known["is_rule"]]
    axes.plot(rungs["value"], rungs["position"] + offset, color=series.colour, lw=1.2, zorder=3)
    for row in tuples(known):
        if np.isfinite([row.low, row.high]).all():
            axes.hlines(row.position + offset, row.low, row.high, color=series.colour, lw=1.1)
        place = row.value, row.position + offset
        dot(axes, *place, series, hollow=row.hollow, tooltip=row.tooltip)


def waterfall(rows: pd.DataFrame, *, name: str, title: str) -> str:
    """Draw parts that sum to a whole, each from where the one above it ends.

    Parameters
    ----------
    rows
        Columns label, value, low, high, hollow, vague, is_total, tooltip, in order; numbers are
        shares of 1. A total starts at 0. A bar is hollow where `hollow` says so, and its outline is
        broken where `vague` says that what it stands for is not identified.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the figure.
    """
    with style(name):
        figure = Figure(figsize=(3.45, 0.85 + 0.27 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        axes.axvline(0, color=FAINT, lw=0.8, zorder=1)
        # A bar starts where the one above it ends, a total at 0.
        starts = (rows["value"].cumsum() - rows["value"]).where(~rows["is_total"], 0.0)
        ends, lows, highs = (starts + rows[column] for column in ("value", "low", "high"))
        for position, row in enumerate(tuples(rows)):
            colour = INK if row.is_total else WARM if row.value >= 0 else COOL
            face = "none" if row.hollow else colour
            corner, outline = (starts.iloc[position], position - 0.3), "--" if row.vague else "-"
            bar = Rectangle(corner, row.value, 0.6, fc=face, ec=colour, ls=outline, zorder=3)
            axes.add_patch(bar)
            set_tooltip(bar, row.tooltip)
            span = lows.iloc[position], highs.iloc[position]
            if np.isfinite(span).all():
                # Beside the bar, so that it shows whatever the bar's colour is.
                axes.hlines(position + 0.39, *span, color=INK, lw=1.0, zorder=4)
            if position:
                joint = ends.iloc[position - 1]
                axes.vlines(joint, position - 0.7, position - 0.3, color=FAINT, lw=0.7, zorder=2)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        edges = pd.concat([ends, lows, highs])
        left, right = min(edges.min(), 0.0), max(edges.max(), 0.0)
        room = 0.04 * (right - left or 1)
        axes.set_xlim(left - room, right + room)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: points(value)))
        axes.set_xlabel("points, large minus small")
        axes.set_yticks(range(len(rows)), [_beside(row.label, row.value) for row in tuples(rows)])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", fontsize=TITLE_TYPE)
        return svg(figure, name=name, title=f"{title}: the gap between large and small, by cause")


def _beside(label: str, value: float) -> str:
    """Write a label with its value, on few lines."""
    return "\n".join(textwrap.wrap(f"{label}\u00a0 {points(value, digits=1, sign=True)}", 26))
