"""The decomposition of the gap as a waterfall."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from smallsight.report.figures.style import COOL, FAINT, INK, WARM, points, set_tooltip, style, svg
from smallsight.report.rows import tuples


def waterfall(rows: pd.DataFrame, *, name: str, title: str) -> str:
    """Draw parts that sum to a whole, each from where the one above it ends.

    Parameters
    ----------
    rows
        Columns label, value, low, high, hollow, is_total, tooltip, in order; numbers are shares of
        1. A total starts at 0. A bar is hollow where `hollow` says so.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the figure.
    """
    with style(name):
        figure = Figure(figsize=(3.45, 0.7 + 0.24 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        axes.axvline(0, color=FAINT, lw=0.8, zorder=1)
        # A bar starts where the one above it ends, a total at 0.
        starts = (rows["value"].cumsum() - rows["value"]).where(~rows["is_total"], 0.0)
        ends, lows, highs = (starts + rows[column] for column in ("value", "low", "high"))
        for position, row in enumerate(tuples(rows)):
            colour = INK if row.is_total else WARM if row.value >= 0 else COOL
            face = "none" if row.hollow else colour
            corner = starts.iloc[position], position - 0.3
            bar = Rectangle(corner, row.value, 0.6, fc=face, ec=colour, lw=1.1, zorder=3)
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
        axes.set_xlabel("points of accuracy, large minus small")
        axes.set_yticks(
            range(len(rows)),
            [f"{row.label}  {points(row.value, digits=1, sign=True)}" for row in tuples(rows)],
        )
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", fontsize=8.5)
        return svg(figure, name=name, title=f"{title}: the gap between large and small, by cause")
