"""The figure of the benchmark: where the time goes, reference beside pipeline."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

STAGES = {
    "rendering": ("render",),
    "network": ("features", "engine"),
    "heads and predictions": ("train", "evaluate"),
}
"""By what a bar's part is called, the stages in it."""

COLOURS = {
    "rendering": "#4477aa",
    "network": "#ee6677",
    "heads and predictions": "#ccbb44",
    "starts and hashing": "#bbbbbb",
}


def draw_figure(results: dict[str, Any], path: Path) -> None:
    """Draw the median round's times as two bars, and write them as PNG."""
    rounds = sorted(results["rounds"], key=lambda one: one["ratio_table"])
    median = rounds[len(rounds) // 2]
    steps, stages = median["plain"]["steps"], median["pipeline"]["stages"]
    bars: dict[str, dict[str, float]] = {
        "plain": {
            "rendering": steps["rendering"],
            "network": steps["training"] + steps["testing"],
        },
        "smallsight": {
            name: sum(stages.get(one, 0.0) for one in those) for name, those in STAGES.items()
        },
    }
    left = median["pipeline"]["seconds"] - sum(bars["smallsight"].values())
    bars["smallsight"]["starts and hashing"] = max(left, 0.0)
    figure = Figure(figsize=(7, 2.2), layout="constrained")
    axes = figure.subplots()
    labels = [f"plain, {median['plain']['heads']} heads",
              f"smallsight, {median['pipeline']['heads']} heads"]  # fmt: skip
    for name, colour in COLOURS.items():
        starts = [
            sum(value for key, value in bar.items() if list(COLOURS).index(key) < order)
            for order in [list(COLOURS).index(name)]
            for bar in bars.values()
        ]
        widths = [bar.get(name, 0.0) for bar in bars.values()]
        axes.barh(labels, widths, left=starts, color=colour, label=name)
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(COLOURS), frameon=False)
    figure.savefig(path, dpi=110)
