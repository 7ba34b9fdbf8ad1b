"""What deletion and insertion of a region do to the probability."""

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter

from smallsight.report.figures.saliency import SIZE
from smallsight.report.figures.style import (
    BAND,
    COOL,
    FAINT,
    WARM,
    panel,
    points,
    set_tooltip,
    style,
    svg,
)


def regions(rows: pd.DataFrame, *, limits: tuple[float, float], name: str, title: str) -> str:
    """Draw what deletion and insertion of a region do, against the region's area.

    Parameters
    ----------
    rows
        Columns change (`removed` or `restored`), area, and `object` and `random` with their ends,
        `object_low` and so on, shares of 1, and `object_tooltip` and `random_tooltip`.
    limits
        Ends of the axis, shares of 1.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the panel.
    """
    with style(name):
        figure, axes = panel(title, size=SIZE, place=(0.185, 0.25, 0.795, 0.635))
        axes.axhline(0, lw=0.8, color=FAINT, zorder=1)
        areas = sorted(rows["area"].unique())
        for change, colour in (("removed", WARM), ("restored", COOL)):
            part = rows[rows["change"] == change].sort_values("area")
            for region, shift, line, face in (
                ("object", -0.06, "-", colour),
                ("random", 0.06, ":", "none"),
            ):
                at = np.array([areas.index(area) for area in part["area"]]) + shift
                axes.plot(at, part[region], line, color=colour, lw=1.2, zorder=3)
                for x, y, tooltip in zip(at, part[region], part[f"{region}_tooltip"], strict=True):
                    if np.isfinite(y):
                        (mark,) = axes.plot(x, y, "o", color=colour, mfc=face, ms=3.4, zorder=3)
                        set_tooltip(mark, tooltip)
                ends = part[f"{region}_low"], part[f"{region}_high"]
                axes.vlines(at, *ends, color=colour, lw=0.9, zorder=2)
        axes.set_ylim(*limits)
        axes.grid(axis="y", color=BAND, lw=0.8)
        axes.set_axisbelow(True)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: points(value)))
        axes.set_xlim(-0.4, len(areas) - 0.6)
        axes.set_xticks(range(len(areas)), [f"{area:g}" for area in areas])
        axes.set_xlabel("area (areas of the box)")
        return svg(
            figure, name=name, title=f"{title}: change of the true class's probability by region"
        )
