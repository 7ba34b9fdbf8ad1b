"""The benchmark's results as a figure."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pages import SIDES
from study_copy import STARTS

SHOWN = ("plain", "pipeline")
PASSES = {
    "plain_passes_per_second": "the plain way, all its time",
    "passes_per_second": "the stages `features`",
}
COLOURS = {
    "render": "tab:blue", "decode": "tab:cyan", "network": "tab:orange", "features": "tab:orange",
    "engine": "tab:pink", "train": "tab:green", "evaluate": "tab:purple", STARTS: "silver",
    "start": "silver",
}  # fmt: skip
OTHER = "tab:brown"
"""The colour of steps that are not named above."""


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw seconds by step of both ways, and passes per second beside those of the bare loops."""
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(9, 4.6), layout="constrained")
        engine = figure.get_layout_engine()
        assert engine is not None
        engine.set(h_pad=0.12)
        above, below = figure.subplots(2, 1, height_ratios=(2, 3))
        _draw_steps(above, found)
        _draw_rates(below, found)
        machine = found["machine"]
        figure.text(
            1, 0, f"{machine['processor']}, {machine['cores']} cores, {machine['date']}",
            ha="right", va="top", fontsize=7, color="dimgrey",
        )  # fmt: skip
        figure.savefig(path, dpi=110, bbox_inches="tight")


def _draw_steps(axes: Axes, found: dict[str, Any]) -> None:
    longest = sum(found["steps"]["plain"].values())
    for row, side in enumerate(SHOWN):
        left = 0.0
        for step, seconds in found["steps"][side].items():
            axes.barh(row, seconds, left=left, color=COLOURS.get(step, OTHER))
            if seconds > longest / 10:
                axes.text(
                    left + seconds / 2, row, f"{step}\n{seconds:.0f}", ha="center", va="center"
                )
            left += seconds
        axes.text(left, row, f"  {left:.0f} s", va="center", weight="bold")
    axes.set_yticks(range(len(SHOWN)), [SIDES[side] for side in SHOWN])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.1 * longest)
    objects = found["settings"]["objects"]
    axes.set_title(
        f"Seconds to the original table of {objects} objects: the plain way takes "
        f"{found['ratio_table']:.1f} times as long",
        loc="left",
    )
    named = {"network": "network, features", "start": STARTS}
    steps = {
        named.get(step, step): COLOURS.get(step, OTHER)
        for side in SHOWN
        for step in found["steps"][side]
        if step != "features"
    }
    handles = [mpl.patches.Patch(color=colour, label=step) for step, colour in steps.items()]
    axes.legend(
        handles=handles, ncols=len(handles), fontsize=7, frameon=False,
        columnspacing=1, loc="upper left", bbox_to_anchor=(0, -0.15), borderaxespad=0,
    )  # fmt: skip


def _draw_rates(axes: Axes, found: dict[str, Any]) -> None:
    measures = found["measures"]
    rates = {label: measures[name]["median"] for name, label in PASSES.items()}
    bars = rates | {f"bare loop: {name}": rate for name, rate in found["engines"].items()}
    colours = ["tab:orange"] * len(rates) + ["silver"] * len(found["engines"])
    axes.barh(list(bars), list(bars.values()), color=colours)
    for row, rate in enumerate(bars.values()):
        axes.text(rate, row, f"  {rate:.0f}", va="center")
    axes.invert_yaxis()
    axes.set_title("Network passes per second", loc="left")
