"""Confusion matrices."""

from collections.abc import Callable, Iterable, Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from smallsight.report.figures.style import BAND, panel, set_tooltip, style, svg
from smallsight.report.text import counted

_PALE, _DARK = "#1a2330", "#fefefe"
"""Colours of numbers on pale and on dark cells, which stay as they are on a dark page."""

_MOST_NUMBERED = 12
"""Most categories that leave room for numbers in the cells."""

_LONGEST = 13
"""Letters of a category's name that there is room for."""


def confusion_matrix(
    shares: pd.DataFrame,
    *,
    counts: Mapping[str, int],
    name: str,
    title: str,
    objects: Mapping[tuple[str, str], int],
    address: Callable[[str, str], str],
) -> str:
    """Draw what objects of each category are named.

    Parameters
    ----------
    shares
        A row per true category, a column per name that is given, 0 to 1; a row of NaN, for a
        category without objects, stays empty.
    counts
        Objects of each true category.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the figure.
    objects
        By category and name: how many objects have that name by a majority vote; none where the
        page does not show them.
    address
        Says where a click on a cell leads that has such objects, by its category and the name that
        is given: a fragment of the page's address.
    """
    with style(name):
        down, across = shares.shape
        figure, axes = panel(title, size=(2.3, 2.6), place=(0.4, 0.33, 0.59, 0.585))
        font = min(6.0, 60 / across)
        colours = mpl.colormaps["Blues"]
        for (row, column), share in np.ndenumerate(shares.to_numpy(float)):
            if share > 0:
                cell = Rectangle((column - 0.5, row - 0.5), 1, 1, fc=colours(0.9 * share), lw=0)
                axes.add_patch(cell)
                key = (str(shares.index[row]), str(shares.columns[column]))
                told = f"{key[0]}, named {key[1]}: {100 * share:.0f}%, n = {counts[key[0]]}"
                if objects.get(key):
                    told += f"; open {counted(objects[key], 'object')}"
                    set_tooltip(cell, told, address=address(*key))
                else:
                    set_tooltip(cell, told)
            if share > 0 and across <= _MOST_NUMBERED:
                ink = _DARK if share > 0.55 else _PALE
                number = axes.text(column, row, f"{100 * share:.0f}", color=ink, fontsize=font)
                number.set(ha="center", va="center_baseline")
        axes.set_xlim(-0.5, across - 0.5)
        axes.set_ylim(down - 0.5, -0.5)
        axes.set_xticks(range(across), _short(shares.columns), rotation=90, fontsize=font)
        named = zip(_short(shares.index), shares.index, strict=True)
        rows = [f"{label} ({counts[category]})" for label, category in named]
        axes.set_yticks(range(down), rows, fontsize=font)
        axes.tick_params(length=0, pad=2)
        for spine in ("left", "bottom"):
            axes.spines[spine].set_color(BAND)
        axes.set_xlabel("predicted", labelpad=2)
        return svg(figure, name=name, title=f"{title}: predicted category by true category")


def _short(names: Iterable[str]) -> list[str]:
    return [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in names]
