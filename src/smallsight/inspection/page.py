"""Builds the page of an inspection: everything that its template reads, and the page itself."""

from dataclasses import dataclass

import numpy as np

from smallsight.datasets.left_out import REASONS
from smallsight.inspection import class_mix, duration, objects_needed, warnings
from smallsight.inspection.inspect import Inspection
from smallsight.inspection.sentences import (
    detectable_sentence,
    drawn_sentence,
    duplicates_sentence,
    duration_sentence,
    left_out_sentence,
    pictures_sentence,
)
from smallsight.report import typeset
from smallsight.report.sections.sample import describe_pictures
from smallsight.report.text import size
from smallsight.sampling.sizes import MEASURES, written
from smallsight.vocabulary import GROUPS, POWER


@dataclass(frozen=True)
class CountRow:
    """What would be drawn of a category, and what is eligible: by size group, then together."""

    category: str
    cells: list[tuple[int, int]]


@dataclass(frozen=True)
class SizeRow:
    """Sizes in one measure: of a size group its ends and median, of a category its median."""

    name: str
    values: list[str]


@dataclass(frozen=True)
class LeftOutRow:
    """What is left out for one reason, and one of it."""

    number: int
    total: int
    description: str
    is_bad: bool
    example: str


@dataclass(frozen=True)
class MixRow:
    """A category's share of every size group's drawn objects, in percent; None without objects."""

    category: str
    shares: list[float | None]
    commonest: list[bool]


@dataclass(frozen=True)
class NeededRow:
    """Objects per size group that an effect needs: for a change, at few and at many, and a gap."""

    effect: str
    few: str
    many: str
    gap: str


@dataclass(frozen=True)
class DetectableRow:
    """What a size group, or the gap, shows at best and at worst."""

    name: str
    n: str
    images: str
    best: str
    worst: str


@dataclass(frozen=True)
class DurationRow:
    """A part of the study's time."""

    name: str
    amount: str
    time: str


@dataclass(frozen=True)
class Page:
    """What the template reads.

    Attributes
    ----------
    where, pictures, network
        The annotations, whose pictures these are, and what is examined.
    n_pictures, n_annotations, n_categories
        Of the source, the annotations those of the study's categories.
    n_eligible
        Objects that may be drawn.
    warnings
        What should be looked at.
    drawn, left_out, detectable, duration, changed, duplicates
        Sentences; `changed` says what would be done to pictures, and may be empty.
    groups
        The size groups.
    limits
        What makes the size groups.
    counts, totals
        What would be drawn and what is eligible, by category and together.
    measures
        The measures of size.
    group_sizes, category_sizes
        Sizes of eligible objects, by measure and group, and by category.
    left_out_rows, unreadable_masks, max_bad_share
        What would be left out; the share of faults that stops the run, as a percentage.
    mixes, distance
        Shares of categories, and the distance between small and large objects; a dash without.
    dominant, largest_distance
        The rules' limits, in percent.
    needed, detectable_rows
        Objects that effects need, and what the sample shows.
    few, many, tests, level, confidence, power, is_part, test_share
        What these numbers assume.
    parts, seconds
        The study's time, by part and together.
    fastest, slowest
        Ends of the interval, in units of the estimate.
    few_pictures, large_change, unlike, folds
        Limits of the warnings.
    """

    where: str
    pictures: str
    network: str
    n_pictures: int
    n_annotations: int
    n_categories: int
    n_eligible: int
    warnings: list[str]
    drawn: str
    left_out: str
    detectable: str
    duration: str
    changed: str
    duplicates: str
    groups: tuple[str, ...]
    limits: str
    counts: list[CountRow]
    totals: CountRow
    measures: list[str]
    group_sizes: list[tuple[str, list[SizeRow]]]
    category_sizes: list[SizeRow]
    left_out_rows: list[LeftOutRow]
    unreadable_masks: int
    max_bad_share: str
    mixes: list[MixRow]
    distance: str
    dominant: str
    largest_distance: str
    needed: list[NeededRow]
    detectable_rows: list[DetectableRow]
    few: str
    many: str
    tests: int
    level: str
    confidence: str
    power: str
    is_part: bool
    test_share: str
    parts: list[DurationRow]
    seconds: str
    fastest: str
    slowest: str
    few_pictures: int
    large_change: str
    unlike: str
    folds: int


def build(found: Inspection) -> str:
    """Build one self-contained HTML page."""
    template = typeset.environment("smallsight.inspection").get_template("inspect.html")
    return template.render(page=_page(found))


def _page(found: Inspection) -> Page:
    data, power = found.parameters.data, found.power
    counts = _count_rows(found)
    columns = zip(*(row.cells for row in counts), strict=True)
    together = [(sum(n for n, _ in one), sum(n for _, n in one)) for one in map(list, columns)]
    return Page(
        where=found.where,
        pictures=describe_pictures(data),
        network=found.network,
        n_pictures=found.n_pictures,
        n_annotations=found.n_annotations,
        n_categories=len(found.draw.categories),
        n_eligible=len(found.eligible.sample),
        warnings=warnings.find_warnings(found),
        drawn=drawn_sentence(found),
        left_out=left_out_sentence(found),
        detectable=detectable_sentence(found),
        duration=duration_sentence(found),
        changed=pictures_sentence(found),
        duplicates=duplicates_sentence(found),
        groups=GROUPS,
        limits=_limits(found),
        counts=counts,
        totals=CountRow("Together", together),
        measures=list(MEASURES.values()),
        group_sizes=_group_sizes(found),
        category_sizes=[
            SizeRow(name, [written(measure, values[measure]) for measure in MEASURES])
            for name, values in found.category_sizes.items()
        ],
        left_out_rows=_left_out_rows(found),
        unreadable_masks=found.unreadable_masks,
        max_bad_share=f"{100 * data.max_bad_share:g}%",
        mixes=_mix_rows(found),
        distance=f"{100 * found.distance:.1f}%" if np.isfinite(found.distance) else "–",
        dominant=f"{100 * class_mix.DOMINANT:g}%",
        largest_distance=f"{100 * class_mix.LARGEST_DISTANCE:g}%",
        needed=[
            NeededRow(
                f"{100 * one.effect:g}",
                _counted(one.paired[0]),
                _counted(one.paired[1]),
                _counted(one.gap),
            )
            for one in power.needed
        ],
        detectable_rows=_detectable_rows(found),
        few=f"{100 * objects_needed.GAINED[0]:g}%",
        many=f"{100 * objects_needed.GAINED[1]:g}%",
        tests=power.tests,
        level=f"{100 * power.level:.3g}%",
        confidence=f"{100 * found.parameters.analysis.confidence:g}%",
        power=f"{100 * POWER:g}%",
        is_part=power.is_part,
        test_share=f"{100 * found.parameters.evaluation.test_share:g}%",
        parts=[
            DurationRow(one.name, one.amount, _time(one.seconds)) for one in found.duration.parts
        ],
        seconds=_time(found.duration.seconds),
        fastest=f"{duration.FASTEST:g}",
        slowest=f"{duration.SLOWEST:g}",
        few_pictures=warnings.FEW_PICTURES,
        large_change=f"{100 * warnings.LARGE_CHANGE:g}",
        unlike=f"{warnings.UNLIKE:g}",
        folds=found.parameters.evaluation.folds,
    )


def _count_rows(found: Inspection) -> list[CountRow]:
    sample, eligible = found.draw.sample, found.draw.summary["eligible"]
    drawn = sample.groupby(["size_group", "category_name"]).size().to_dict()
    rows = []
    for name in found.draw.categories:
        cells = [(int(drawn.get((group, name), 0)), eligible[group][name]) for group in GROUPS]
        together = sum(n for n, _ in cells), sum(n for _, n in cells)
        rows.append(CountRow(name, [*cells, together]))
    return rows


def _limits(found: Inspection) -> str:
    """Say what makes an object small and what makes it large."""
    sizes = found.parameters.sample.sizes
    low, high = (written(sizes.measure, limit) for limit in sizes.limits)
    return f"small below {low}, large from {high} on, by the {MEASURES[sizes.measure]}"


def _group_sizes(found: Inspection) -> list[tuple[str, list[SizeRow]]]:
    measures = found.eligible.summary["measures"]
    return [
        (
            label,
            [
                SizeRow(group, [written(name, measures[group][name][end]) for end in _ENDS])
                for group in GROUPS
                if group in measures
            ],
        )
        for name, label in MEASURES.items()
    ]


_ENDS = ("least", "median", "most")


def _left_out_rows(found: Inspection) -> list[LeftOutRow]:
    summary = found.draw.summary
    return [
        LeftOutRow(
            number,
            found.left_out[name],
            f"{REASONS[name].of} {REASONS[name].description}",
            REASONS[name].is_bad,
            summary["examples"][name],
        )
        for name, number in summary["excluded"].items()
    ]


def _mix_rows(found: Inspection) -> list[MixRow]:
    mixes = [found.mixes[group] for group in GROUPS]
    return [
        MixRow(
            name,
            [100 * mix.shares[name] if mix.n else None for mix in mixes],
            [mix.is_dominated and name == mix.commonest for mix in mixes],
        )
        for name in found.draw.categories
    ]


def _counted(number: int) -> str:
    if number > objects_needed.MOST_OBJECTS:
        return f"over {objects_needed.MOST_OBJECTS:,}"
    return f"{number:,}"


def _detectable_rows(found: Inspection) -> list[DetectableRow]:
    rows = [
        DetectableRow(
            f"Change, {group} objects",
            f"{one.n:,}",
            f"{one.images:,}",
            size(one.best),
            size(one.worst),
        )
        for group, one in found.power.detectable.items()
    ]
    return [*rows, DetectableRow("Gap, large minus small", "", "", *map(size, found.power.gap))]


def _time(seconds: float) -> str:
    """Write a time in seconds or, where it is long, in minutes.

    Examples
    --------
    >>> [_time(seconds) for seconds in (0.2, 80, 400, float("nan"))]
    ['below 1 s', '80 s', '7 min', 'not known']
    """
    if np.isnan(seconds):
        return "not known"
    if seconds < 1:
        return "below 1 s"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:,.0f} min"
