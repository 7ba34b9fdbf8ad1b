"""How saliency maps lie on objects."""

import numpy as np
import pandas as pd

from smallsight.report.figures.style import BAND, FAINT, INK, panel, set_tooltip, style, svg
from smallsight.report.rows import tuples

SIZE = (2.3, 1.6)
"""Width and height of one panel, in inches."""


def spreads(rows: pd.DataFrame, *, limit: float, name: str, title: str) -> str:
    """Draw medians and quartiles, a row each, beside the value that chance has.

    Parameters
    ----------
    rows
        Columns label, median, low, high (quartiles), is_control, tooltip, top to bottom; what is
        no number is left out. Controls are grey.
    limit
        Where the axis ends, which begins at 0; chance is 1.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the panel.
    """
    with style(name):
        figure, axes = panel(title, size=SIZE, place=(0.46, 0.25, 0.51, 0.62))
        for row in range(0, len(rows), 2):
            axes.axhspan(row - 0.5, row + 0.5, color=BAND, lw=0, zorder=0)
        axes.axvline(1, ls="--", lw=0.8, color=INK, zorder=1)
        for position, row in enumerate(tuples(rows)):
            colour = FAINT if row.is_control else INK
            if np.isfinite([row.median, row.low, row.high]).all():
                axes.hlines(position, row.low, row.high, color=colour, lw=1.6, zorder=3)
                shape = "s" if row.is_control else "o"
                (mark,) = axes.plot(row.median, position, shape, color=colour, ms=4)
                set_tooltip(mark, row.tooltip)
        axes.set_xlim(0, limit)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), rows["label"])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("lift in the box")
        return svg(figure, name=name, title=f"{title}: lift of the maps, beside their controls")
