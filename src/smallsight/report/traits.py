"""What the gallery can be narrowed down by: every filter, and the objects' values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from smallsight.analysis.failures import SEPARATOR
from smallsight.analysis.terms import describe_part
from smallsight.report.rows import Row, keyed, records
from smallsight.report.study import Study
from smallsight.vocabulary import GROUPS, INSTANCE

Values = Mapping[tuple[Any, ...], str | list[str]]
"""The value of each object that has one, or several, by image and annotation."""

SIZES = {group: group.capitalize() for group in GROUPS}

OUTCOMES = {"recognised": "Recognised", "failed": "Failed"}
"""By a majority vote, under the condition that is shown."""

NEIGHBOURS = {"larger": "A larger one", "smaller": "Another one", "none": "No other"}
"""Whose name a failure has, of the other objects of its picture."""

LABELS = {"suspected": "May be wrong", "plain": "Not suspected"}
"""Whether an object's label may be the annotator's error."""

COMPANY = {"larger": "A larger sampled object", "none": "No larger one"}
"""Whether an object's picture has a larger one."""


@dataclass(frozen=True)
class Trait:
    """What the gallery can be narrowed down by.

    Attributes
    ----------
    name
        Its name in addresses.
    label
        What readers see.
    choices
        Gives what a study offers: values of the data, with their labels.
    values
        Gives the objects' values; None where these are of `explorer.VIEW`, by the trait's name,
        and change with the condition.
    """

    name: str
    label: str
    choices: Callable[[Study], Mapping[str, str]]
    values: Callable[[Study], Values] | None = None


def categories(study: Study) -> dict[str, str]:
    """Return all names that objects have or are given: as in the parameters, then the rest."""
    votes = study.tables["answers"]
    named = [votes["category_name"], votes["predicted"], study.maps["predicted"]]
    found = sorted({name for column in named for name in column})
    return {name: name for name in (*study.params.data.categories, *found)}


def causes(study: Study) -> dict[str, str]:
    """Return the suggested causes that some failure has, in order, with their labels."""
    known = set(study.tables["failures"]["cause"])
    names = dict.fromkeys(study.tables["failure_causes"]["cause"])
    return {name: describe_part(name).label for name in names if name in known}


def rescuers(study: Study) -> dict[str, str]:
    """Return the conditions of the headline task that rescue some failure, with their labels."""
    known = {name for names in _rescued(study).values() for name in names}
    names = [one.name for one in study.conditions(study.headline_task)]
    return {name: study.label(name) for name in names if name in known}


def instances(study: Study) -> dict[tuple[Any, ...], Row]:
    """Return category, size group and side of every object, by image and annotation."""
    return keyed(study.tables["answers"].drop_duplicates(INSTANCE), *INSTANCE)


def failures(study: Study) -> dict[tuple[Any, ...], Row]:
    """Return the rows of the table of failures, by image and annotation."""
    return keyed(study.tables["failures"], *INSTANCE)


def _of_instance(column: str) -> Callable[[Study], Values]:
    return lambda study: {key: row[column] for key, row in instances(study).items()}


def _causes(study: Study) -> Values:
    return {key: row["cause"] for key, row in failures(study).items()}


def _rescued(study: Study) -> dict[tuple[Any, ...], list[str]]:
    """Return under which conditions each failure is right."""
    return {
        key: [name for name in row["rescued_by"].split(SEPARATOR) if name]
        for key, row in failures(study).items()
    }


def _neighbours(study: Study) -> Values:
    """Say of each failure whether it has the name of a larger neighbour, of another, or of none."""

    def of(row: Row) -> str:
        if not np.isfinite(row["neighbour_side"]):
            return "none"
        return "larger" if row["neighbour_side"] > row["side"] else "smaller"

    return {key: of(row) for key, row in failures(study).items()}


def _company(study: Study) -> Values:
    """Say of each object whether its picture has a larger one in the sample."""
    largest: dict[Any, float] = {}
    for (image, _), row in instances(study).items():
        largest[image] = max(row["side"], largest.get(image, 0.0))
    return {
        key: "larger" if largest[key[0]] > row["side"] else "none"
        for key, row in instances(study).items()
    }


def _labels(study: Study) -> Values:
    """Say of each object whether its label is suspected; of none where labels were not examined."""
    rows = records(study.tables["label_errors"])
    return {
        tuple(row[key] for key in INSTANCE): "suspected" if row["is_suspected"] else "plain"
        for row in rows
    }


def _had(labels: Mapping[str, str], values: Callable[[Study], Values]) -> Callable[..., Any]:
    """Offer what some object has; nothing where all objects have the same."""

    def offered(study: Study) -> dict[str, str]:
        known = {str(value) for value in values(study).values()}
        return {key: label for key, label in labels.items() if key in known and len(known) > 1}

    return offered


TRAITS = (
    Trait("group", "Size", lambda _: SIZES, _of_instance("size_group")),
    Trait("category", "Category", categories, _of_instance("category_name")),
    Trait("named", "Named", categories),
    Trait("outcome", "Outcome", lambda _: OUTCOMES),
    Trait("cause", "Suggested cause", causes, _causes),
    Trait("rescued", "Rescued by", rescuers, _rescued),
    Trait("neighbour_named", "Neighbour named", _had(NEIGHBOURS, _neighbours), _neighbours),
    Trait("company", "In its picture", _had(COMPANY, _company), _company),
    Trait("label", "Its label", _had(LABELS, _labels), _labels),
)
"""Every filter, in order. Another one is a line here: the page, its addresses and what is
downloaded take it from it. On a phone, those after the fourth are shown on demand."""
