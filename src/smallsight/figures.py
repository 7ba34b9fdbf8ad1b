"""Tables drawn as vector figures.

Every function gives one `<svg>` element to stand inside a page: text is text, ids carry the
figure's name, and nothing in it tells when or where it was made. The few colours are literal,
so that a page's stylesheet can replace them on a dark background. What a mark stands for, with its
interval and number of objects, is its attribute `data-tip`.
"""

import io
import itertools
import math
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

INK, FAINT, BAND = "#1b2430", "#8a94a3", "#f2f4f7"
"""Colours of text, of axes and lines of comparison, and of every other row."""

WARM, COOL = "#a6431f", "#2f6fa5"
"""Colours of what goes one way and the other, far apart in hue and told apart in grey."""


@dataclass(frozen=True)
class Series:
    """How one size group looks in every figure: by colour, and by shape for those who see none."""

    label: str
    colour: str
    marker: str


SERIES = {
    "small": Series("Small", "#d55e00", "o"),
    "medium": Series("Medium", "#0072b2", "s"),
    "large": Series("Large", "#009e73", "D"),
}
"""Size groups in the colours of Okabe and Ito (2008), told apart under colour blindness."""

_TIP = "tip: "
"""Begins the id of a mark that has something to say, until the figure is written."""

_STYLE: dict[Any, Any] = {
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 7.5,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.color": FAINT,
    "ytick.labelcolor": INK,
}


@contextmanager
def style(name: str) -> Iterator[None]:
    """Draw in the report's style; ids come out the same whenever the figure has this name."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        yield


def by_condition(
    rows: pd.DataFrame,
    *,
    name: str,
    title: str,
    labels: Mapping[str, str],
    levels: Mapping[str, float],
    measure: str = "accuracy",
    in_percent: bool = True,
) -> str:
    """Draw a number with its interval, by condition and size group.

    Parameters
    ----------
    rows
        Columns condition, size_group, value, low, high, hollow, tip; numbers from 0 to 1. What is
        not a number is left out. A dot is hollow where `hollow` says so, or for want of an
        interval.
    name
        The figure's own name, which begins its ids.
    title
        Stands above the figure.
    labels
        The conditions to draw, top to bottom, and what people call them.
    levels
        Values to compare with, by name: vertical lines, 0 to 1.
    measure
        What the number is.
    in_percent
        Whether the axis counts in percent.
    """
    with style(name):
        figure = Figure(figsize=(3.45, 0.8 + 0.28 * max(len(labels), 3)), layout="constrained")
        axes = figure.add_subplot()
        for dashes, (label, level) in zip(("--", ":", "-."), levels.items(), strict=False):
            axes.axvline(level, label=label, ls=dashes, lw=0.9, color=INK, zorder=1)
        for row in range(0, len(labels), 2):
            axes.axhspan(row - 0.5, row + 0.5, color=BAND, lw=0, zorder=0)
        known = rows.set_index(["condition", "size_group"])[
            ["value", "low", "high", "hollow", "tip"]
        ]
        for (group, series), offset in zip(SERIES.items(), (-0.25, 0.0, 0.25), strict=True):
            axes.plot([], [], series.marker, color=series.colour, ms=4, label=series.label)
            for row, condition in enumerate(labels):
                if (condition, group) in known.index:
                    value, low, high, hollow, said = known.loc[(condition, group)]
                    whole = math.isfinite(low) and math.isfinite(high)
                    if math.isfinite(value):
                        if whole:
                            axes.hlines(row + offset, low, high, color=series.colour, lw=1.5)
                        hollow = hollow or not whole
                        dot(axes, value, row + offset, series, hollow=hollow, said=said)
        axes.set_xlim(-0.015, 1.015)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        if in_percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel(measure)
        axes.set_yticks(
            range(len(labels)),
            ["\n".join(textwrap.wrap(label, 17)) for label in labels.values()],
        )
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", fontsize=8.5)
        _legend(figure, axes)
        return svg(figure, name=name, title=f"{title}: {measure} by condition and size of object")


def panel(
    title: str, *, size: tuple[float, float], place: tuple[float, float, float, float]
) -> tuple[Figure, Axes]:
    """Begin one of several panels that line up, for its margins are fixed.

    Parameters
    ----------
    title
        Stands above the panel.
    size
        Width and height, in inches.
    place
        Left, bottom, width and height of the axes, as shares of the panel.
    """
    figure = Figure(figsize=size)
    axes = figure.add_axes(place)
    figure.text(0.01, 0.985, title, ha="left", va="top", fontsize=8)
    return figure, axes


def dot(axes: Axes, x: float, y: float, series: Series, *, hollow: bool, said: str) -> None:
    """Mark one estimate, and say what it is."""
    face = "none" if hollow else series.colour
    (mark,) = axes.plot(x, y, series.marker, color=series.colour, mfc=face, ms=4, zorder=5)
    tip(mark, said)


def tip(mark: Artist, said: str) -> None:
    """Say what a mark stands for."""
    mark.set_gid(f"{_TIP}{said}")


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
        fontsize=7,
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
        figure.suptitle(title, x=0.01, ha="left", fontsize=8.5)
        figure.legend(loc="outside lower center", ncols=2, fontsize=7)
        return svg(figure, name=name, title=f"{title} by epoch, on training and on test data")


def points(value: float, *, digits: int = 0, sign: bool = False) -> str:
    """Write a difference of shares in percentage points; zero has no sign but a wanted plus."""
    text = f"{100 * value:{'+' if sign else ''}.{digits}f}".replace("-", "−")
    return text.replace("−0", "0") if float(text.replace("−", "-")) == 0 else text


def gradient(colormap: str, *, stops: int = 32) -> Sequence[str]:
    """Give colours at even steps through one of matplotlib's colour maps, as `#rrggbb`."""
    colours = mpl.colormaps[colormap]
    return [mpl.colors.to_hex(colours(step / (stops - 1))) for step in range(stops)]


def svg(figure: Figure, *, name: str, title: str) -> str:
    """Write a figure as one `<svg>` element whose ids begin with its name."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata={**nothing, "Title": title})
    svg = buffer.getvalue()
    # Several figures share a page: no style of theirs may reach it, and their ids must differ.
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = svg.replace(f'id="{_TIP}', 'data-tip="')
    own = re.compile(r'(\bid="|href="#|url\(#)')
    svg = re.sub(r"<[^>]+>", lambda tag: own.sub(rf"\g<1>{name}-", tag[0]), svg)
    return svg.replace("<svg ", '<svg role="img" stroke-linejoin="round" ', 1).strip()
