"""Accuracy by size of the object and condition."""

from dataclasses import dataclass

from markupsafe import Markup

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.figures import by_condition
from smallsight.report.marks import Heading, heading, long_key
from smallsight.report.rows import Estimate, records
from smallsight.report.section import Section
from smallsight.report.sections import effects, sample, thresholds
from smallsight.report.study import Study
from smallsight.report.text import (
    counted,
    interval,
    listed,
    percent,
    percent_span,
    threshold,
    threshold_span,
    tooltip,
)
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, SIZE_GROUPS

_MOST_ROWS = 9
"""Conditions that a figure draws; of more, only the reference levels."""


@dataclass(frozen=True)
class AccuracyCell:
    """An accuracy, and the mark of the condition for this size group."""

    estimate: Estimate | None
    mark: str


@dataclass(frozen=True)
class AccuracyRow:
    """Accuracy under one condition, a cell for all objects and for each size group."""

    heading: Heading
    is_reference: bool
    cells: list[AccuracyCell]


@dataclass(frozen=True)
class Counts:
    """Objects and images that all conditions share."""

    n: int
    images: int


@dataclass(frozen=True)
class AccuracyTable:
    """One regime's table of accuracies.

    Attributes
    ----------
    regime
        The regime.
    counts
        Of each column; None where conditions differ in it.
    rows
        A row per condition.
    """

    regime: str
    counts: list[Counts | None]
    rows: list[AccuracyRow]


@dataclass(frozen=True)
class Accuracy:
    """What the section shows.

    Attributes
    ----------
    panels
        The figure, one panel per regime.
    dots
        What a dot of the figure is a mean of.
    chance, commonest
        Accuracies that need no picture; NaN without a sample.
    are_all_drawn
        Whether the figure has all conditions.
    sentences
        What the tables say.
    sizes
        The bounds of the size groups.
    mark_key
        What the marks mean.
    tables
        One per regime.
    """

    panels: list[Markup]
    dots: str
    chance: float
    commonest: float
    are_all_drawn: bool
    sentences: list[str]
    sizes: str
    mark_key: str
    tables: list[AccuracyTable]


def drawn_conditions(study: Study) -> dict[str, str]:
    """Return the labels of the conditions that a figure has room for; no interventions."""
    chosen = [one for one in study.conditions if not study.is_intervention(one)]
    if len(chosen) > _MOST_ROWS:
        chosen = [one for one in chosen if one.is_reference]
    return {one.name: study.label(one.name) for one in chosen}


def panels(study: Study) -> list[Markup]:
    """Draw accuracy by condition and size group, one panel per regime."""
    columns = {"acc": "value", "ci_low": "low", "ci_high": "high"}
    table = study.tables["accuracy"].rename(columns=columns)
    found = records(table)
    table["hollow"] = [
        bool(row["size_group"] in GROUPS and study.mark(row["condition"], row["size_group"]))
        for row in found
    ]
    table["tooltip"] = [
        tooltip(
            f"{study.label(row['condition'])}, {row['size_group']}",
            percent(row["value"]),
            percent_span(row["low"], row["high"]),
            row["n"],
        )
        for row in found
    ]
    return [
        Markup(
            by_condition.by_condition(
                table[table["regime"] == regime],
                name=f"accuracy-{regime}",
                title=f"{regime.capitalize()} head",
                labels=drawn_conditions(study),
                lines=study.baselines,
            )
        )
        for regime in study.regimes
    ]


def rows(study: Study, regime: str) -> list[AccuracyRow]:
    """Return one regime's accuracies, a row per condition."""
    return [
        AccuracyRow(
            heading=heading(study, one),
            is_reference=one.is_reference,
            cells=[
                AccuracyCell(
                    estimate=study.estimate(regime, one.name, group),
                    mark=study.mark(one.name, *([] if group == "all" else [group])),
                )
                for group in ALL_AND_GROUPS
            ],
        )
        for one in study.conditions
    ]


def counts(study: Study, regime: str) -> list[Counts | None]:
    """Count objects and images of each column that are the same under all conditions."""
    shared: list[Counts | None] = []
    for group in ALL_AND_GROUPS:
        cells = [study.estimate(regime, one.name, group) for one in study.conditions]
        found = {Counts(cell.n, cell.images) for cell in cells if cell is not None}
        shared.append(found.pop() if len(found) == 1 else None)
    return shared


def sentences(study: Study) -> list[str]:
    """Write what the tables say: intervals, effects of conditions, costs in pixels."""
    found = [interval_sentence(study), sample.baseline_sentence(study)]
    found += effects.sentences(study)
    found.append(thresholds.cost_sentence(study))
    return [sentence for sentence in found if sentence]


def interval_sentence(study: Study) -> str:
    """Write the accuracies on untouched pictures, and the side half-way to the best one."""
    estimates = {group: study.estimate(study.headline_regime, UNTOUCHED, group) for group in GROUPS}
    known = {group: one for group, one in estimates.items() if one is not None and one.is_known}
    if not known:
        return ""
    parts = [f"{group} {percent(one.acc)} ({interval(one)})" for group, one in known.items()]
    text = f"On untouched pictures, with {study.interval}s: {listed(parts)}."
    row = study.threshold(study.headline_regime, UNTOUCHED)
    if row is None:
        return text
    return (
        f"{text} Half-way from chance to the best accuracy lies a side of {threshold(row)} pixels "
        f"({threshold_span(row)})."
    )


def size_bounds() -> str:
    """Write the bounds of the size groups, in percent of the picture's area.

    Examples
    --------
    >>> size_bounds()
    'small below 1%, medium below 5%, large from 5%'
    """
    bounded = [(group, f"{100 * bound:g}%") for group, bound in SIZE_GROUPS.items()]
    parts = [f"{group} below {bound}" for group, bound in bounded[:-1]]
    return ", ".join([*parts, f"{bounded[-1][0]} from {bounded[-2][1]}"])


def build(study: Study) -> Accuracy:
    """Return what the section shows of a study."""
    protocol, settings = study.protocol, study.params.evaluation
    repeats = counted(settings.repeats, "repeat")
    none = float("nan")
    return Accuracy(
        panels=panels(study),
        dots="one split, one seed"
        if protocol.is_instance_split
        else f"mean over {repeats} of cross-validation",
        chance=study.baselines.get("chance", none),
        commonest=study.baselines.get("commonest category", none),
        are_all_drawn=len(drawn_conditions(study)) == len(study.conditions),
        sentences=sentences(study),
        sizes=size_bounds(),
        mark_key=long_key(study),
        tables=[
            AccuracyTable(regime, counts(study, regime), rows(study, regime))
            for regime in study.regimes
        ],
    )


SECTION = Section(
    name="accuracy",
    build=build,
    anchor="accuracy",
    title="Accuracy by size and condition",
    contents="Accuracy",
)
