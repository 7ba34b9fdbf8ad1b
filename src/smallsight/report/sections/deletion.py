"""Deletion and insertion of the object in whole pictures: whether maps say what matters."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from smallsight.report.figures.deletion import regions
from smallsight.report.rows import Row, has_direction, keyed, records
from smallsight.report.section import Part
from smallsight.report.study import Study
from smallsight.report.text import (
    TASK_NAMES,
    amount,
    decimal,
    signed,
    tooltip,
)
from smallsight.vocabulary import GROUPS, SCENE


@dataclass(frozen=True)
class RegionRow:
    """One change and area of the region: a row of the table of deletion per size group."""

    change: str
    area: float
    cells: list[Row | None]


@dataclass(frozen=True)
class Deletion:
    """What the part shows.

    Attributes
    ----------
    task
        What the only task that it is about is called.
    panels, rows
        The figure, a panel per size group, and the table.
    change_sentence, rank_sentence
        What they say; the latter is empty without maps.
    has_maps
        Whether there are saliency maps, which this puts to a test.
    """

    task: str
    panels: list[Markup]
    rows: list[RegionRow]
    change_sentence: str
    rank_sentence: str
    has_maps: bool


def panels(study: Study) -> list[Markup]:
    """Draw what deletion and insertion do to the probability, a panel per size group."""
    table = study.tables["faithfulness"]
    columns = [f"{region}{end}" for region in ("object", "random") for end in ("_low", "_high")]
    values = table.loc[table["size_group"] != "all", columns].to_numpy(float)
    values = values[np.isfinite(values)]
    if not len(values):
        return []
    room = 0.05 * max(float(np.ptp(values)), 0.02)
    limits = float(values.min()) - room, float(values.max()) + room
    drawn = []
    for group in GROUPS:
        part = table[table["size_group"] == group]
        if part.empty:
            continue
        tooltips = {
            f"{region}_tooltip": [_tooltip(row, region) for row in records(part)]
            for region in ("object", "random")
        }
        drawn.append(
            Markup(
                regions(
                    part.assign(**tooltips),
                    limits=limits,
                    name=f"regions-{group}",
                    title=f"{TASK_NAMES[SCENE].capitalize()}, {group} objects",
                )
            )
        )
    return drawn


def _tooltip(row: Row, region: str) -> str:
    whose = {"object": "the object’s region", "random": "another region"}[region]
    ends = f"{signed(row[f'{region}_low'])} to {signed(row[f'{region}_high'])}"
    change = f"{signed(row[region])} points"
    return tooltip(f"{whose} {row['change']}, {row['area']:g} × the box", change, ends, row["n"])


def rows(study: Study) -> list[RegionRow]:
    """Return the same numbers, a row per change and area."""
    by_key = keyed(study.tables["faithfulness"], "change", "area", "size_group")
    pairs = dict.fromkeys((change, area) for change, area, _ in by_key)
    return [
        RegionRow(change, area, [by_key.get((change, area, group)) for group in GROUPS])
        for change, area in pairs
    ]


def _removed_boxes(study: Study) -> list[Row]:
    """Return the rows about the removal of the box itself, one per size group that has one."""
    by_key = keyed(study.tables["faithfulness"], "change", "area", "size_group")
    found = (by_key.get(("removed", 1.0, group)) for group in GROUPS)
    return [row for row in found if row is not None]


def change_sentence(study: Study) -> str:
    """Write what removing objects does beyond removing another region as large, size by size."""
    said = [_difference(row) for row in _removed_boxes(study)]
    if not said:
        return ""
    start = (
        "How much more does the true class lose in probability without the object than without "
        "another region as large?"
    )
    return " ".join([start, *said])


def _difference(row: Row) -> str:
    lost = amount(-row["difference"], -row["ci_high"], -row["ci_low"])
    verdict = "shown" if has_direction(row) else "not decided"
    return f"{row['size_group'].capitalize()} objects: {lost}, {verdict}."


def rank_sentence(study: Study) -> str:
    """Write whether saliency maps tell beforehand whose object matters."""
    known = [row for row in _removed_boxes(study) if np.isfinite(row["rank"])]
    if not known:
        return ""
    said = [
        f"{row['size_group'].capitalize()} objects: {decimal(row['rank'])} "
        f"({decimal(row['rank_low'])} to {decimal(row['rank_high'])})."
        for row in known
    ]
    start = (
        "Do maps tell whose object matters? This is the rank correlation between the map’s share "
        "in the box and what the object’s removal costs."
    )
    return " ".join([start, *said])


def build(study: Study) -> Deletion | None:
    """Return what the part shows of a study; None where nothing was removed."""
    drawn = panels(study)
    if not drawn:
        return None
    return Deletion(
        task=TASK_NAMES[SCENE],
        panels=drawn,
        rows=rows(study),
        change_sentence=change_sentence(study),
        rank_sentence=rank_sentence(study),
        has_maps=study.has_maps,
    )


def build_without_maps(study: Study) -> Deletion | None:
    """Return the same where there are no maps that it could stand under."""
    return None if study.has_maps else build(study)


UNDER_MAPS = Part(name="deletion", build=build)
UNDER_SCENE = Part(name="deletion", build=build_without_maps)
