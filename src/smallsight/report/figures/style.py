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

from smallsight.report import letters

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

TYPE = 8.4
"""Size of type in points: no smaller on paper, where figures stand at 97% of their size."""

TITLE_TYPE = 9.0
"""Size of a figure's title, in points."""

_TIP, _TO = "tip: ", " to: "
"""Begin the id of a mark that has a tooltip, and its address there, until the figure is written."""

_STYLE: dict[Any, Any] = {
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": ["DejaVu Sans"],
    "font.size": TYPE,
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
    families = [*_STYLE["font.family"], *letters.families_in_figures()]
    with mpl.rc_context({**_STYLE, "font.family": families, "svg.hashsalt": name}):
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
    figure.text(0.01, 0.985, title, ha="left", va="top", fontsize=TITLE_TYPE)
    return figure, axes


def dot(axes: Axes, x: float, y: float, series: Series, *, hollow: bool, tooltip: str) -> None:
    """Draw one estimate as a mark with a tooltip."""
    face = "none" if hollow else series.colour
    (mark,) = axes.plot(x, y, series.marker, color=series.colour, mfc=face, ms=4, zorder=5)
    set_tooltip(mark, tooltip)


def set_tooltip(mark: Artist, tooltip: str, *, address: str = "") -> None:
    """Give a mark the text that it stands for, and where a click on it leads in the page.

    Parameters
    ----------
    mark, tooltip
        The mark, and what it stands for.
    address
        A fragment of the page's address, without white space; empty where it leads nowhere.
    """
    mark.set_gid(f"{_TIP}{tooltip}{_TO if address else ''}{address}")


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
    # An id that holds double quotes and no single ones stands in single ones.
    text = re.sub(rf"""id=(?:"{_TIP}([^"]*)"|'{_TIP}([^']*)')""", _tooltip, text)
    own = re.compile(r'(\bid="|href="#|url\(#)')
    text = re.sub(r"<[^>]+>", lambda tag: own.sub(rf"\g<1>{name}-", tag[0]), text)
    return text.replace("<svg ", '<svg role="img" stroke-linejoin="round" ', 1).strip()


def _tooltip(found: re.Match[str]) -> str:
    """Turn the id of a mark with a tooltip into what the page reads."""
    text = found[1] or found[2].replace('"', "&quot;")
    told, begin, address = text.rpartition(_TO)
    if not begin or " " in address:
        return f'data-tip="{text}"'
    return f'data-tip="{told}" data-to="{address}"'
