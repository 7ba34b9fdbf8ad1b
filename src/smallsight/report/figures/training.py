"""The reference head's training, by epoch."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from smallsight.report.figures.style import (
    BAND,
    FAINT,
    INK,
    TITLE_TYPE,
    style,
    svg,
)


def training_curve(curve: pd.DataFrame, *, name: str, measure: str, title: str) -> str:
    """Draw one measure of the reference head by epoch, on training and on test data.

    Parameters
    ----------
    curve
        Columns epoch, train_<measure> and test_<measure>.
    name
        The figure's own name, which begins its ids.
    measure
        "accuracy" (a share, drawn from 0 to 1) or "loss" (drawn from 0 up).
    title
        Stands above the figure.
    """
    with style(name):
        figure = Figure(figsize=(3.45, 1.75), layout="constrained")
        axes = figure.add_subplot()
        for part, colour, line, marker in (("train", FAINT, "--", "s"), ("test", INK, "-", "o")):
            axes.plot(
                curve["epoch"],
                curve[f"{part}_{measure}"],
                color=colour,
                ls=line,
                marker=marker,
                ms=3.5,
                lw=1.3,
                label={"train": "training data", "test": "test data"}[part],
            )
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if measure == "accuracy":
            axes.set_ylim(-0.02, 1.02)
            axes.yaxis.set_major_formatter(PercentFormatter(1))
        else:
            axes.set_ylim(bottom=0)
        axes.grid(axis="y", color=BAND, lw=0.8)
        axes.set_axisbelow(True)
        figure.suptitle(title, x=0.01, ha="left", fontsize=TITLE_TYPE)
        figure.legend(loc="outside lower center", ncols=2)
        return svg(figure, name=name, title=f"{title} by epoch, on training and on test data")
