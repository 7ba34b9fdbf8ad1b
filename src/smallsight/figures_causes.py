"""Figures of causes: the gap as a waterfall of its parts, and confusion matrices."""

from collections.abc import Iterable, Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from smallsight.figures import BAND, COOL, FAINT, INK, WARM, panel, points, style, svg, tip

_PALE, _DARK = "#1a2330", "#fefefe"
"""Colours of numbers on pale and on dark cells, which stay as they are on a dark page."""
_MOST_NUMBERED = 12
"""Categories of which a matrix has room for numbers in its cells."""
_LONGEST = 13
"""Letters of a category's name that it has room for."""


def waterfall(rows: pd.DataFrame, *, name: str, title: str) -> str:
    """Draw parts that sum to a whole, each from where the one above it ends.

    Parameters
    ----------
    rows
        Columns label, value, low, high, hollow, is_total, tip, in order; numbers are shares of 1. A
        total starts at 0. A bar is hollow where `hollow` says so.
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
        for position, row in enumerate(rows.itertuples()):
            colour = INK if row.is_total else WARM if row.value >= 0 else COOL
            face = "none" if row.hollow else colour
            corner = starts.iloc[position], position - 0.3
            bar = Rectangle(corner, row.value, 0.6, fc=face, ec=colour, lw=1.1, zorder=3)
            axes.add_patch(bar)
            tip(bar, row.tip)
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
            [f"{row.label}  {points(row.value, digits=1, sign=True)}" for row in rows.itertuples()],
        )
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", fontsize=8.5)
        return svg(figure, name=name, title=f"{title}: the gap between large and small, by cause")


def confusion(shares: pd.DataFrame, *, counts: Mapping[str, int], name: str, title: str) -> str:
    """Draw what objects of each category are named.

    Parameters
    ----------
    shares
        Square: a row per true category, a column per predicted one, 0 to 1; a row of NaN, for a
        category without objects, stays empty.
    counts
        Objects of each true category.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the figure.
    """
    with style(name):
        size = len(shares)
        figure, axes = panel(title, size=(2.3, 2.45), place=(0.345, 0.27, 0.645, 0.645))
        font = min(6.0, 60 / size)
        colours = mpl.colormaps["Blues"]
        for (row, column), share in np.ndenumerate(shares.to_numpy(float)):
            if share > 0:
                cell = Rectangle((column - 0.5, row - 0.5), 1, 1, fc=colours(0.9 * share), lw=0)
                axes.add_patch(cell)
            if share > 0 and size <= _MOST_NUMBERED:
                ink = _DARK if share > 0.55 else _PALE
                number = axes.text(column, row, f"{100 * share:.0f}", color=ink, fontsize=font)
                number.set(ha="center", va="center_baseline")
        axes.set_xlim(-0.5, size - 0.5)
        axes.set_ylim(size - 0.5, -0.5)
        axes.set_xticks(range(size), _short(shares.columns), rotation=90, fontsize=font)
        named = zip(_short(shares.index), shares.index, strict=True)
        rows = [f"{label} ({counts[category]})" for label, category in named]
        axes.set_yticks(range(size), rows, fontsize=font)
        axes.tick_params(length=0, pad=2)
        for spine in ("left", "bottom"):
            axes.spines[spine].set_color(BAND)
        axes.set_xlabel("predicted", labelpad=2)
        return svg(figure, name=name, title=f"{title}: predicted category by true category")


def _short(names: Iterable[str]) -> list[str]:
    return [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in names]
