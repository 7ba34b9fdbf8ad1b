"""Style that all figures share, and their form: one `<svg>` element each."""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, FAINT, BAND = "#1b2430", "#8a94a3", "#f2f4f7"
"""Colours of text, of axes and lines of comparison, and of every other row."""

WARM, COOL = "#a6431f", "#2f6fa5"
"""Colours of two directions, which differ in hue and in grey."""


@dataclass(frozen=True)
class Series:
    """How every figure shows one size group: in a colour, and in a shape for who sees none."""

    label: str
    colour: str
    marker: str


SERIES = {
    "small": Series("Small", "#d55e00", "o"),
    "medium": Series("Medium", "#0072b2", "s"),
    "large": Series("Large", "#009e73", "D"),
}
"""Size groups in the colours of Okabe and Ito (2008), which differ under colour blindness."""

_TIP = "tip: "
"""Begins the id of a mark that has a tooltip, until the figure is written."""

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
    """Draw in the report's style, with ids that depend on the figure's name alone."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        yield


def panel(
    title: str, *, size: tuple[float, float], place: tuple[float, float, float, float]
) -> tuple[Figure, Axes]:
    """Begin a panel with fixed margins, so that panels beside it line up.

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


def dot(axes: Axes, x: float, y: float, series: Series, *, hollow: bool, tooltip: str) -> None:
    """Draw one estimate as a mark with a tooltip."""
    face = "none" if hollow else series.colour
    (mark,) = axes.plot(x, y, series.marker, color=series.colour, mfc=face, ms=4, zorder=5)
    set_tooltip(mark, tooltip)


def set_tooltip(mark: Artist, tooltip: str) -> None:
    """Give a mark the text that it stands for."""
    mark.set_gid(f"{_TIP}{tooltip}")


def points(value: float, *, digits: int = 0, sign: bool = False) -> str:
    """Write a difference of shares in percentage points; zero has no sign but a wanted plus."""
    text = f"{100 * value:{'+' if sign else ''}.{digits}f}".replace("-", "−")
    return text.replace("−0", "0") if float(text.replace("−", "-")) == 0 else text


def gradient(colormap: str, *, stops: int = 32) -> Sequence[str]:
    """Return colours at even steps through one of matplotlib's colour maps, as `#rrggbb`."""
    colours = mpl.colormaps[colormap]
    return [mpl.colors.to_hex(colours(step / (stops - 1))) for step in range(stops)]


def svg(figure: Figure, *, name: str, title: str) -> str:
    """Write a figure as one `<svg>` element whose ids begin with its name."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata={**nothing, "Title": title})
    text = buffer.getvalue()
    # Several figures share a page: no style of theirs may reach it, and their ids must differ.
    text = re.sub(r"<(metadata|style)\b.*?</\1>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = text.replace(f'id="{_TIP}', 'data-tip="')
    own = re.compile(r'(\bid="|href="#|url\(#)')
    text = re.sub(r"<[^>]+>", lambda tag: own.sub(rf"\g<1>{name}-", tag[0]), text)
    return text.replace("<svg ", '<svg role="img" stroke-linejoin="round" ', 1).strip()
