"""Draws the figures of a comparison: differences as dots with intervals, around no difference."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from smallsight.report.figures.style import BAND, INK, SERIES, Series, points, style, svg

_WIDTH, _ROW, _LOW_ROW = 3.45, 0.27, 0.17
"""Width of a panel, and height of one of its rows where they are few and many, in inches."""

_FEW = 12
_OFFSETS = {"small": -0.25, "medium": 0.0, "large": 0.25}
"""Offsets of the size groups in a row that they share, in rows."""

_WHOLE = Series("All", INK, "o")
"""Look of a number that belongs to no size group."""

_LEAST, _LEAST_FACTOR = 0.01, np.log(1.1)
"""Least reach of an axis: a share of 1, and the logarithm of a factor."""

_FACTORS = (1.02, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Factors that an axis may name, as well as their inverses."""


def differences(
    rows: pd.DataFrame,
    *,
    labels: Sequence[str],
    name: str,
    title: str,
    factors: pd.DataFrame | None = None,
    factor_labels: Sequence[str] = (),
) -> str:
    """Draw differences of B and A around 0, and factors B / A around 1 below them.

    Parameters
    ----------
    rows, factors
        Columns place (row, from the top), size_group (one of `SERIES`, or another name), value,
        low and high (shares of 1 in `rows`), hollow (whether the dot is). A value or an interval
        that is not a number is left out. Size groups at one place are drawn side by side.
    labels, factor_labels
        Labels of the places.
    name
        The figure's own name, which its ids begin with.
    title
        Stands above the figure.

    Returns
    -------
    str
        An `<svg>` element.
    """
    row_height = _ROW if len(labels) <= _FEW else _LOW_ROW
    below = 0.0 if factors is None else 0.38 + _ROW * len(factor_labels)
    height = 0.62 + row_height * len(labels) + below
    with style(name):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        if factors is None:
            upper = figure.add_subplot()
        else:
            ratios = [len(labels), len(factor_labels)]
            upper, lower = figure.subplots(2, 1, gridspec_kw={"height_ratios": ratios})
            _scale_factors(lower, factors)
            _draw(lower, factors, factor_labels, null=1.0)
        _scale_points(upper, rows)
        _draw(upper, rows, labels, null=0.0)
        if rows["place"].duplicated().any():
            _legend(figure, upper)
        figure.suptitle(title, x=0.01, ha="left", fontsize=8.5)
        return svg(figure, name=name, title=f"{title}: difference of B and A, with intervals")


def _draw(axes: Axes, rows: pd.DataFrame, labels: Sequence[str], *, null: float) -> None:
    for place in range(0, len(labels), 2):
        axes.axhspan(place - 0.5, place + 0.5, color=BAND, lw=0, zorder=0)
    axes.axvline(null, color=INK, lw=0.9, zorder=1)
    is_few = len(labels) <= _FEW
    marked = {"ms": 4 if is_few else 3.2, "lw": 1.5 if is_few else 1.1}
    is_shared = rows["place"].duplicated(keep=False)
    drawn: list[Any] = list(rows.itertuples())
    for row, shared in zip(drawn, is_shared, strict=True):
        series = SERIES.get(row.size_group, _WHOLE)
        y = row.place + (_OFFSETS[row.size_group] if shared else 0.0)
        if not np.isnan([row.low, row.high]).any():
            ends = np.clip([row.low, row.high], *axes.get_xlim())
            axes.hlines(y, *ends, color=series.colour, lw=marked["lw"], zorder=2)
        if np.isfinite(row.value):
            (dot,) = axes.plot(row.value, y, series.marker, color=series.colour, zorder=3)
            dot.set(markersize=marked["ms"], mfc="none" if row.hollow else series.colour)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(axis="y", length=0, labelsize=7.5 if is_few else 6.5)
    axes.spines["left"].set_visible(False)


def _scale_points(axes: Axes, rows: pd.DataFrame) -> None:
    """Scale an axis in points, with 0 inside it."""
    known = rows[["value", "low", "high"]].to_numpy(float)
    known = known[np.isfinite(known)]
    left, right = min([-_LEAST, *known]), max([_LEAST, *known])
    room = 0.04 * (right - left)
    axes.set_xlim(left - room, right + room)
    digits = 0 if right - left > 0.05 else 1
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: points(value, digits=digits, sign=abs(value) > 1e-9))
    )
    axes.set_xlabel("points of accuracy, B − A")


def _scale_factors(axes: Axes, rows: pd.DataFrame) -> None:
    """Scale an axis of factors as a logarithm, with 1 in its middle."""
    known = rows[["value", "low", "high"]].to_numpy(float)
    known = np.log(known[np.isfinite(known) & (known > 0)])
    reach = 1.06 * max([_LEAST_FACTOR, *abs(known)])
    axes.set_xscale("log")
    axes.set_xlim(*np.exp([-reach, reach]))
    widest = max(factor for factor in _FACTORS if np.log(factor) < reach)
    axes.xaxis.set_major_locator(FixedLocator([1 / widest, 1.0, widest]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
    axes.set_xlabel("factor, B / A")


def _legend(figure: Figure, axes: Axes) -> None:
    for series in SERIES.values():
        axes.plot([], [], series.marker, color=series.colour, ms=4, label=series.label)
    figure.legend(loc="outside lower center", ncols=len(SERIES), handletextpad=0.5, fontsize=7)
