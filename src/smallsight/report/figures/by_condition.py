"""A number with its interval, by condition and size group."""

import itertools
import math
import textwrap
from collections.abc import Mapping
from typing import Any, cast

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from smallsight.report.figures.style import (
    BAND,
    FAINT,
    INK,
    SERIES,
    TITLE_TYPE,
    dot,
    style,
    svg,
)


def by_condition(
    rows: pd.DataFrame,
    *,
    name: str,
    title: str,
    labels: Mapping[str, str],
    lines: Mapping[str, float],
    apart: int = 0,
    measure: str = "accuracy",
    in_percent: bool = True,
) -> str:
    """Draw a number with its interval, by condition and size group.

    Parameters
    ----------
    rows
        Columns condition, size_group, value, low, high, hollow, tooltip; numbers from 0 to 1.
        What is not a number is left out. A dot is hollow where `hollow` says so, or for want of an
        interval.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the figure.
    labels
        The conditions to draw, top to bottom, and what people call them.
    lines
        Values to compare with, by name: vertical lines, 0 to 1.
    apart
        How many of the last labels are no conditions: they stand below a line.
    measure
        What the number is.
    in_percent
        Whether the axis counts in percent.
    """
    with style(name):
        figure = Figure(figsize=(3.45, 1.0 + 0.26 * max(len(labels), 3)), layout="constrained")
        axes = figure.add_subplot()
        for dashes, (label, level) in zip(("--", ":", "-."), lines.items(), strict=False):
            axes.axvline(level, label=label, ls=dashes, lw=0.9, color=INK, zorder=1)
        for row in range(0, len(labels), 2):
            axes.axhspan(row - 0.5, row + 0.5, color=BAND, lw=0, zorder=0)
        if 0 < apart < len(labels):
            axes.axhline(len(labels) - apart - 0.5, color=FAINT, lw=0.8, zorder=1)
        known = rows.set_index(["condition", "size_group"])[
            ["value", "low", "high", "hollow", "tooltip"]
        ]
        for (group, series), offset in zip(SERIES.items(), (-0.25, 0.0, 0.25), strict=True):
            axes.plot([], [], series.marker, color=series.colour, ms=4, label=series.label)
            for row, condition in enumerate(labels):
                if (condition, group) in known.index:
                    value, low, high, hollow, tooltip = cast(Any, known.loc[(condition, group)])
                    whole = math.isfinite(low) and math.isfinite(high)
                    if math.isfinite(value):
                        if whole:
                            axes.hlines(row + offset, low, high, color=series.colour, lw=1.5)
                        hollow = hollow or not whole
                        dot(axes, value, row + offset, series, hollow=hollow, tooltip=tooltip)
        axes.set_xlim(-0.015, 1.015)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        if in_percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel(measure)
        axes.set_yticks(
            range(len(labels)),
            ["\n".join(textwrap.wrap(label, 20)) for label in labels.values()],
        )
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", fontsize=TITLE_TYPE)
        _legend(figure, axes)
        return svg(figure, name=name, title=f"{title}: {measure} by condition and size of object")


def _legend(figure: Figure, axes: Axes) -> None:
    entries = list(zip(*axes.get_legend_handles_labels(), strict=True))
    lines, groups = entries[: -len(SERIES)], entries[-len(SERIES) :]
    # matplotlib fills column by column; read row by row, groups come before lines.
    columns = itertools.zip_longest(groups, lines[: len(groups)])
    handles, texts = zip(*(entry for column in columns for entry in column if entry), strict=True)
    figure.legend(
        handles,
        texts,
        loc="outside lower center",
        ncols=len(groups),
        columnspacing=1.4,
        handletextpad=0.5,
    )
