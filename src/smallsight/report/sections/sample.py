"""The sample: what was drawn, from what, and how often it is right without seeing a pixel."""

from dataclasses import dataclass

import pandas as pd

from smallsight import params
from smallsight.datasets.left_out import REASONS
from smallsight.evaluation.rungs import BASELINES
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import counted, listed, percent
from smallsight.sampling.sizes import MEASURES, written
from smallsight.vocabulary import GROUPS


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
    """How many annotations or pictures were left out, as what, and one of them."""

    number: int
    description: str
    example: str


@dataclass(frozen=True)
class SizeRow:
    """The sizes of a group's objects in one measure."""

    group: str
    measure: str
    least: str
    median: str
    most: str


@dataclass(frozen=True)
class Sample:
    """What the section shows.

    Attributes
    ----------
    drawing
        How the objects were chosen.
    shortfalls
        Sentences about the groups that have fewer.
    whole_pictures
        Whether every object's box is its whole picture.
    rows, totals
        What was drawn, by category and together.
    sizes
        How large the drawn objects are, in every measure.
    excluded
        What could not be drawn.
    pictures
        Sentences about what was done to the pictures.
    """

    drawing: str
    shortfalls: list[str]
    whole_pictures: bool
    rows: list[SampleRow]
    totals: list[Draw]
    sizes: list[SizeRow]
    excluded: list[Exclusion]
    pictures: list[str]


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
    due = 0 if study.sampling["listed"] else int(study.sampling["requested_per_group"])
    return [
        f"{group.capitalize()}: {total.drawn} of the {due} requested were drawn, "
        + (
            f"for {total.eligible} were eligible."
            if total.drawn == total.eligible
            else f"though {total.eligible} were eligible: caps or balance leave no more."
        )
        for group, total in zip(GROUPS, totals(study), strict=True)
        if total.drawn < due
    ]


def drawing_sentence(study: Study) -> str:
    """Say how the objects were chosen."""
    chosen = study.params.sample
    if study.sampling["listed"]:
        return f"The objects are those that {study.sampling['listed']} lists; none was drawn."
    known = categories(study)
    caps = listed([f"{cap} of “{name}”" for name, cap in chosen.caps.items() if name in known])
    ends = {
        "natural": f", with at most {caps} in each" if caps else "",
        "equal": ", each with the same categories in the same numbers as far as there are enough",
    }
    number = counted(chosen.per_group, "object")
    return f"Up to {number} per size group are drawn{ends[chosen.balance]}."


def size_rows(study: Study) -> list[SizeRow]:
    """Return how large the drawn objects are, a row per measure and size group."""
    return [
        SizeRow(
            group,
            measure.replace("'", "’"),
            **{end: written(name, value) for end, value in measured[name].items()},
        )
        for name, measure in MEASURES.items()
        for group, measured in study.sampling["measures"].items()
    ]


def exclusions(study: Study) -> list[Exclusion]:
    """Return what was left out, by reason."""
    examples = study.sampling["examples"]
    found = [
        Exclusion(number, f"{REASONS[name].of} {REASONS[name].description}", examples[name])
        for name, number in study.sampling["excluded"].items()
    ]
    unreadable = study.sampling["unreadable_masks"]
    return found + ([Exclusion(unreadable, "masks that cannot be read", "")] if unreadable else [])


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
    >>> describe_pictures(params.Data.model_construct(**chosen))
    'COCO val2017'
    """
    group = data.groups.get(data.source, {})
    known = {
        "phantom": "drawn scenes",
        "local": f"local pictures ({group.get('annotations')})",
        "coco": f"COCO {group.get('split')}",
    }
    return known.get(data.source, data.source)


def picture_sentences(study: Study) -> list[str]:
    """Say what was done to pictures, which are in doubt, and which are the same photograph."""
    found = [
        f"{_some(one['count'], one['example'])} {one['rule']}."
        for one in study.pictures["changed"].values()
    ]
    doubt, same = study.pictures["in_doubt"], study.pictures["duplicates"]
    if doubt["count"]:
        found.append(
            f"{_some(doubt['count'], doubt['examples'][0])} taken as {doubt['way']}, "
            f"{doubt['reason']}: no size tells which way up their boxes are."
        )
    if n_same := same["identical"] + same["near"]:
        found.append(
            f"{counted(n_same, 'picture')} are of {counted(same['photographs'], 'photograph')} "
            f"alone: {same['identical']} identical, {same['near']} nearly so."
        )
        if study.protocol.split == "folds":
            found.append("Pictures of one photograph are always test data together.")
    if same["unjoined"]:
        found.append(
            f"{counted(same['unjoined'], 'picture')} look alike, as those of a fixed camera do, "
            "and may be test data apart from each other."
        )
    return found


def _some(number: int, example: str) -> str:
    """Name one of some pictures."""
    return f"{number:,} pictures, such as “{example}”, were" if number > 1 else f"“{example}” was"


def build(study: Study) -> Sample | None:
    """Return what the section shows of a study; None where it is not known what was drawn."""
    if not study.sampling:
        return None
    return Sample(
        drawing=drawing_sentence(study),
        shortfalls=shortfall_sentences(study),
        whole_pictures=bool((study.sample["area_ratio"] == 1).all()),
        rows=rows(study),
        totals=totals(study),
        sizes=size_rows(study),
        excluded=exclusions(study),
        pictures=picture_sentences(study),
    )


SECTION = Section(name="sample", build=build, anchor="sample", title="The sample")
