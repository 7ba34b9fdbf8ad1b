"""The sample: what was drawn, from what, and how often it is right without seeing a pixel."""

from dataclasses import dataclass

import pandas as pd

from smallsight import params
from smallsight.evaluation.rungs import BASELINES
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import counted, listed, percent
from smallsight.vocabulary import GROUPS

_EXCLUDED = {
    "crowd": "crowd regions",
    "degenerate": "degenerate boxes",
    "outside": "boxes outside their picture",
}


@dataclass(frozen=True)
class Draw:
    """How many objects were drawn of how many."""

    drawn: int
    eligible: int


@dataclass(frozen=True)
class SampleRow:
    """What was drawn of one category, a cell per size group."""

    category: str
    cells: list[Draw]


@dataclass(frozen=True)
class Exclusion:
    """How many objects were excluded before drawing, and as what."""

    number: int
    description: str


@dataclass(frozen=True)
class Sample:
    """What the section shows.

    Attributes
    ----------
    requested
        Objects that were asked for per size group.
    shortfalls
        Sentences about the groups that have fewer.
    whole_pictures
        Whether every object's box is its whole picture.
    rows, totals
        What was drawn, by category and together.
    excluded
        What could not be drawn.
    """

    requested: int
    shortfalls: list[str]
    whole_pictures: bool
    rows: list[SampleRow]
    totals: list[Draw]
    excluded: list[Exclusion]


def categories(study: Study) -> list[str]:
    """List all categories named anywhere: as in the parameters, then the rest."""
    eligible = study.sampling["eligible"]
    named = [name for group in GROUPS for name in eligible.get(group, {})]
    found = [*study.params.data.categories, *named, *sorted(set(study.sample["category_name"]))]
    return list(dict.fromkeys(found))


def rows(study: Study) -> list[SampleRow]:
    """Return how many objects were drawn of how many, a row per category."""
    groups = [study.sample["size_group"], study.sample["category_name"]]
    drawn = pd.Series(study.sample.groupby(groups).size(), dtype=int).to_dict()
    eligible = study.sampling["eligible"]
    return [
        SampleRow(
            category,
            [
                Draw(int(drawn.get((group, category), 0)), eligible.get(group, {}).get(category, 0))
                for group in GROUPS
            ],
        )
        for category in categories(study)
    ]


def totals(study: Study) -> list[Draw]:
    """Return how many objects were drawn of how many, a cell per size group."""
    drawn, eligible = study.sampling["drawn"], study.sampling["eligible"]
    return [Draw(drawn.get(group, 0), sum(eligible.get(group, {}).values())) for group in GROUPS]


def shortfall_sentences(study: Study) -> list[str]:
    """Name the size groups that have fewer objects than were asked for."""
    due = int(study.sampling["requested_per_group"])
    return [
        f"{group.capitalize()}: {total.drawn} of the {due} requested were drawn, for "
        f"{total.eligible} were eligible."
        for group, total in zip(GROUPS, totals(study), strict=True)
        if total.drawn < due
    ]


def sample_sentence(study: Study) -> str:
    """Describe the sample in one line."""
    table = study.sample
    groups = listed([f"{(table['size_group'] == group).sum()} {group}" for group in GROUPS])
    sizes = f": {groups}" if table["size_group"].isin(GROUPS).any() else ""
    n = table["category_name"].nunique()
    return (
        f"{counted(len(table), 'object')} of {n} {'category' if n == 1 else 'categories'} in "
        f"{counted(table['image_id'].nunique(), 'picture')}{sizes}."
    )


def drawn_sentence(study: Study) -> str:
    """Say that numbers of drawn scenes are not those of photographs; empty elsewhere."""
    if not is_drawn(study):
        return ""
    return "The pictures are drawn scenes: the numbers say nothing about photographs."


def is_drawn(study: Study) -> bool:
    """Return whether the pictures are generated scenes; of predictions alone that is not known."""
    return study.backbone is not None and study.params.data.source == "phantom"


def baseline_sentence(study: Study) -> str:
    """Write how often small objects are named rightly by rules that see no pixel."""
    if study.sample["category_name"].nunique() == 1:
        return "The sample holds 1 category: accuracy says nothing about recognition."
    known = {
        label: row["accuracy"]
        for name, label in BASELINES.items()
        if (row := study.baseline(name, "small"))
    }
    if not known:
        return ""
    best = max(known, key=known.__getitem__)
    return (
        f"Guessing is right for {percent(study.chance)}. The best rule that sees no pixel, “"
        f"{best[0].lower()}{best[1:]}”, is right for {percent(known[best])} of small objects."
    )


def describe_pictures(data: params.Data) -> str:
    """Say where pictures come from; a source without words here is called by its name.

    Examples
    --------
    >>> chosen = {"source": "coco", "coco": {"split": "val2017"}}
    >>> describe_pictures(params.Data(categories=("car",), **chosen))
    'COCO val2017'
    """
    group = data.groups.get(data.source, {})
    known = {
        "phantom": "drawn scenes",
        "local": f"local pictures ({group.get('annotations')})",
        "coco": f"COCO {group.get('split')}",
    }
    return known.get(data.source, data.source)


def build(study: Study) -> Sample | None:
    """Return what the section shows of a study; None where it is not known what was drawn."""
    if not study.sampling:
        return None
    return Sample(
        requested=study.sampling["requested_per_group"],
        shortfalls=shortfall_sentences(study),
        whole_pictures=bool((study.sample["area_ratio"] == 1).all()),
        rows=rows(study),
        totals=totals(study),
        excluded=[
            Exclusion(number, _EXCLUDED.get(reason, reason))
            for reason, number in study.sampling["excluded"].items()
        ],
    )


SECTION = Section(name="sample", build=build, anchor="sample", title="The sample")
