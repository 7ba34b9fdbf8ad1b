"""What objects of each category are named, and how often they are recognised."""

from collections import Counter
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.figures.confusion import confusion_matrix
from smallsight.report.rows import Row, keyed, tuples
from smallsight.report.section import Part
from smallsight.report.sections import explorer
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS


@dataclass(frozen=True)
class CategoryRow:
    """Accuracy on one category, a place for all objects and for each size group.

    A cell is a row of the table of categories, or None where there are no objects.
    """

    name: str
    cells: list[Row | None]


@dataclass(frozen=True)
class Confusion:
    """What the part shows.

    Attributes
    ----------
    task
        What the task is called.
    panels, rows
        What objects are named, and how often they are recognised.
    """

    task: str
    panels: list[Markup]
    rows: list[CategoryRow]


def panels(study: Study) -> list[Markup]:
    """Draw what objects are named, a panel per size group that has objects."""
    drawn = []
    for group in GROUPS:
        whole = study.tables["confusion"]
        table = whole[(whole["task"] == study.headline_task) & (whole["size_group"] == group)]
        categories = list(dict.fromkeys(table["category_name"]))
        names = list(dict.fromkeys(table["predicted"]))
        shares = table.pivot(index="category_name", columns="predicted", values="share")
        once = table.drop_duplicates("category_name")
        counts = {row.category_name: int(row.n) for row in tuples(once)}
        if any(counts.values()):
            matrix = confusion_matrix(
                shares.loc[categories, names],
                counts=counts,
                name=f"confusion-{group}",
                title=f"{TASK_NAMES[study.headline_task].capitalize()}, {group} objects",
                objects=_objects(study, group),
                address=partial(_address, study, group),
            )
            drawn.append(Markup(matrix))
    return drawn


def _objects(study: Study, group: str) -> dict[tuple[str, str], int]:
    """Count the objects that the gallery shows, by category and the name by most seeds."""
    if not study.has_gallery:
        return {}
    votes = study.tables["answers"]
    here = (votes["task"] == study.headline_task) & (votes["condition"] == UNTOUCHED)
    table = votes[here & (votes["size_group"] == group)]
    pairs = zip(table["category_name"], table["predicted"], strict=True)
    return dict(Counter(pairs))


def _address(study: Study, group: str, category: str, predicted: str) -> str:
    """Return where the gallery shows the objects of a cell."""
    condition = f"{study.headline_task}/{UNTOUCHED}"
    return explorer.address(group=group, category=category, named=predicted, condition=condition)


def rows(study: Study) -> list[CategoryRow]:
    """Return accuracy by category, a row per category."""
    table = study.tables["categories"]
    table = table[table["task"] == study.headline_task]
    by_key = keyed(table, "category_name", "size_group")
    found = []
    for name in dict.fromkeys(table["category_name"]):
        cells = [by_key.get((name, group)) for group in ALL_AND_GROUPS]
        found.append(CategoryRow(name, [cell if cell and cell["n"] else None for cell in cells]))
    return found


def build(study: Study) -> Confusion | None:
    """Return what the part shows of a study; None where no names were counted."""
    drawn, found = panels(study), rows(study)
    return Confusion(TASK_NAMES[study.headline_task], drawn, found) if drawn or found else None


PART = Part(name="confusion", build=build)
