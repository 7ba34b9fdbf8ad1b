"""How many pixels an object needs: the same objects at several sides, and what conditions cost."""

import math
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from smallsight.report.figures import curves
from smallsight.report.marks import Heading, heading
from smallsight.report.rows import Row, keyed, records
from smallsight.report.section import Section
from smallsight.report.study import Study, once
from smallsight.report.text import (
    TASK_NAMES,
    begun,
    factor_span,
    native_pixels,
    percent,
    percent_span,
    tooltip,
    with_ends,
)
from smallsight.vocabulary import ALL_AND_GROUPS


@dataclass(frozen=True)
class Objects:
    """Objects of one size group, or all, in one regime: a column of the table of sides."""

    regime: str
    group: str
    n: int


@dataclass(frozen=True)
class SideRow:
    """Accuracies at one side, a row of the table of pixels for each column.

    Attributes
    ----------
    side
        In native pixels; not a number for objects at their own.
    cells
        None where there is no accuracy.
    """

    side: float
    cells: list[Row | None]

    @property
    def is_native(self) -> bool:
        """Whether objects have their own side."""
        return math.isnan(self.side)


@dataclass(frozen=True)
class Cost:
    """A factor on the side of objects, and its interval, in words."""

    factor: float
    span: str


@dataclass(frozen=True)
class CostRow:
    """What one condition costs, a cell per regime."""

    heading: Heading
    cells: list[Cost | None]


@dataclass(frozen=True)
class Thresholds:
    """What the section shows.

    Attributes
    ----------
    task
        What the task is called.
    least
        Least native side of an object that is reduced, in pixels; NaN where none is.
    panels
        Accuracy by side, a panel per regime.
    sentences
        Thresholds, and accuracy at equal pixels.
    columns, rows
        Accuracy at every side that objects are reduced to, and at their own.
    costs
        What conditions cost; empty without a threshold.
    """

    task: str
    least: float
    panels: list[Markup]
    sentences: list[str]
    columns: list[Objects]
    rows: list[SideRow]
    costs: list[CostRow]


def panels(study: Study) -> list[Markup]:
    """Draw the accuracy of the same objects by their side, a panel per regime that has any."""
    drawn = []
    for regime in study.regimes:
        table = _pixels(study, regime)
        if table.empty:
            continue
        table["tooltip"] = [
            tooltip(
                f"{row['size_group'].capitalize()}, {_at(row)}",
                percent(row["acc"]),
                percent_span(row["ci_low"], row["ci_high"]),
                row["n"],
            )
            for row in records(table)
        ]
        panel = curves.within_objects(
            table,
            fit=study.threshold(regime) if has_threshold(study, regime) else None,
            name=f"pixels-{regime}",
            title=f"{TASK_NAMES[study.headline_task].capitalize()}, {study.words(regime).caption}",
            chance=study.chance,
        )
        drawn.append(Markup(panel))
    return drawn


def _pixels(study: Study, regime: str) -> pd.DataFrame:
    """Return one regime's accuracies by side that are known."""
    table = study.tables["pixels"]
    return table[(table["regime"] == regime) & table["acc"].notna()].copy()


def _at(row: Row) -> str:
    if row["native"]:
        return f"own side, {native_pixels(row['side'])} px at the median"
    return f"reduced to {row['side']:g} px"


def has_threshold(study: Study, regime: str) -> bool:
    """Return whether one regime's curve fits, and is half-way up between the levels."""
    row = study.threshold(regime)
    return row is not None and bool(row["fits"]) and math.isfinite(row["threshold"])


def threshold_sentence(study: Study, regime: str) -> str:
    """Write one regime's threshold and how many objects fall below it, or why there is none."""
    row = study.threshold(regime)
    if row is None or not row["n"]:
        return ""
    start = study.words(regime).start
    if math.isnan(row["p_fit"]):
        return begun(f"{start}no threshold, for whether the curve fits cannot be told.")
    if not row["fits"]:
        return begun(f"{start}no threshold, for the curve does not fit.")
    if not math.isfinite(row["threshold"]):
        ends = f"{row['side_min']:g} to {row['side_max']:g} native pixels"
        return begun(f"{start}no threshold, for the curve is half-way up outside {ends}.")
    return begun(
        f"{start}the threshold is a side of {native_pixels(row['threshold'])} native pixels "
        f"({_ends(row)}). There the curve is half-way from {percent(row['floor'])} to "
        f"{percent(row['ceiling'])}. Of the data’s objects, {_few(row['share_below'])} are "
        "smaller."
    )


def _few(share: float) -> str:
    return "fewer than 0.1%" if 0 < share < 0.001 else percent(share)


def _ends(row: Row) -> str:
    """Write a threshold's interval; an end at the last level stands for what lies beyond."""
    low, high = (native_pixels(row[key]) for key in ("ci_low", "ci_high"))
    below = " or less" if row["ci_low"] <= row["side_min"] else ""
    above = " or more" if row["ci_high"] >= row["side_max"] else ""
    return f"{low}{below} to {high}{above}"


def equal_pixels_sentence(study: Study, regime: str) -> str:
    """Set large objects, reduced to about the small ones' own side, beside small ones at theirs."""
    table = _pixels(study, regime)
    rows = records(table)
    small = next((row for row in rows if row["size_group"] == "small" and row["native"]), None)
    reduced = [row for row in rows if row["size_group"] == "large" and not row["native"]]
    if small is None or not reduced or not small["side"] > 0:
        return ""
    large = min(reduced, key=lambda row: abs(math.log(row["side"] / small["side"])))
    return (
        f"At about equal pixels{study.words(regime).aside}: {_share(large)} of large objects, "
        f"reduced to {large['side']:g} pixels, against {_share(small)} of small ones, of "
        f"{native_pixels(small['side'])} pixels at the median."
    )


def _share(row: Row) -> str:
    return with_ends(row["acc"], row["ci_low"], row["ci_high"])


def sides(study: Study) -> list[float]:
    """Return the sides that objects are reduced to, in native pixels, in order."""
    reduced, _ = _parted(study.tables["pixels"])
    return sorted(reduced["side"].unique().tolist())


def columns(study: Study) -> list[Objects]:
    """Return the objects whose accuracy by side is known, regime by regime."""
    found = []
    for regime in study.regimes:
        for group, part in _pixels(study, regime).groupby("size_group"):
            found.append(Objects(regime, str(group), int(part["n"].iloc[0])))
    order = [*study.regimes, *ALL_AND_GROUPS]
    return sorted(found, key=lambda one: (order.index(one.regime), order.index(one.group)))


def rows(study: Study) -> list[SideRow]:
    """Return accuracy by side, a row per side and one for objects at their own."""
    reduced, native = (
        keyed(part, "regime", "size_group", "side")
        for part in _parted(study.tables["pixels"].dropna(subset="acc"))
    )
    at_own = {key[:2]: row for key, row in native.items()}
    places = [(one.regime, one.group) for one in columns(study)]
    found = [
        SideRow(side, [reduced.get((*place, side)) for place in places]) for side in sides(study)
    ]
    return [*found, SideRow(math.nan, [at_own.get(place) for place in places])]


def _parted(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the objects that are reduced from those at their own side."""
    is_native = table["native"].astype(bool)
    return table[~is_native], table[is_native]


def cost_rows(study: Study) -> list[CostRow]:
    """Return what corruptions cost, a row per condition that has a cost in any regime."""
    found = []
    for one in study.corruptions(study.headline_task):
        cells = [_cost(study.cost(regime, one.name)) for regime in study.regimes]
        if any(cells):
            found.append(CostRow(heading(study, one, is_marked=True), cells))
    return found


def _cost(row: Row | None) -> Cost | None:
    """Return a cost; an end of its interval that the curve does not reach is none."""
    if row is None or not math.isfinite(row["cost"]):
        return None
    low, high = (
        row[key] if math.isfinite(row[key]) else beyond
        for key, beyond in (("cost_low", 0.0), ("cost_high", math.inf))
    )
    return Cost(row["cost"], factor_span(low, high))


def sentences(study: Study) -> list[str]:
    """Write thresholds, and accuracy at equal pixels, regime by regime."""
    found = [say(study, one) for say in (threshold_sentence, equal_pixels_sentence)
             for one in study.regimes]  # fmt: skip
    return [sentence for sentence in found if sentence]


@once
def build(study: Study) -> Thresholds | None:
    """Return what the section shows of a study; None where no object was reduced."""
    found = sides(study)
    if not found:
        return None
    return Thresholds(
        task=TASK_NAMES[study.headline_task],
        least=found[-1],
        panels=panels(study),
        sentences=sentences(study),
        columns=columns(study),
        rows=rows(study),
        costs=cost_rows(study),
    )


SECTION = Section(
    name="thresholds",
    build=build,
    anchor="thresholds",
    title="How many pixels an object needs",
)
