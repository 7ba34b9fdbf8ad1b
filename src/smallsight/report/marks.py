"""Marks of conditions without visible change, and labels that carry them."""

from dataclasses import dataclass

from smallsight.conditions.rendered.names import Condition
from smallsight.report.study import SURROUNDINGS, UNCHANGED, Study
from smallsight.vocabulary import GROUPS, NO_VISIBLE_CHANGE


@dataclass(frozen=True)
class Heading:
    """What begins a table's row about one condition.

    Attributes
    ----------
    label
        The family's label.
    level
        The level's options; empty where it has none.
    mark
        The condition's marks, where the row has no others; else empty.
    """

    label: str
    level: str
    mark: str


def heading(study: Study, condition: Condition, *, is_marked: bool = False) -> Heading:
    """Return what begins a row about a condition in its task."""
    return Heading(
        label=study.families[condition.family].label,
        level=condition.level.replace(",", ", ") if condition.options else "",
        mark=condition_marks(study, condition.task, condition.name) if is_marked else "",
    )


def condition_marks(study: Study, task: str, condition: str) -> str:
    """Return a condition's marks, each with the size group that it holds for, unless for all."""
    whole = study.mark(task, condition)
    parts = [(study.mark(task, condition, group), group) for group in GROUPS]
    return whole or ", ".join(f"{mark} {group}" for mark, group in parts if mark)


def marked_label(study: Study, task: str, condition: str) -> str:
    """Return a condition's label, followed by its marks in a task."""
    return f"{study.label(condition)} {condition_marks(study, task, condition)}".strip()


def quoted_label(study: Study, task: str, condition: str, *groups: str) -> str:
    """Return a condition's label as a sentence about some size groups names it.

    It is followed by the mark that holds for these groups; without groups, by all its marks.
    """
    if groups:
        mark = study.mark(task, condition, *groups)
    else:
        mark = condition_marks(study, task, condition)
    return f"“{study.label(condition)}” {mark}".strip()


def no_visible_change(study: Study) -> str:
    """Say that there is no visible change, and at which size of the network's input."""
    side = study.backbone.input_size if study.backbone is not None else 0
    return f"no visible change at {side} px" if side else "no visible change"


def meanings(study: Study) -> dict[str, str]:
    """Return what the marks mean, in short."""
    unchanged = no_visible_change(study)
    return {UNCHANGED: unchanged, SURROUNDINGS: f"{unchanged}, but in the surroundings"}


def long_key(study: Study) -> str:
    """Explain the marks that this study has; empty where it has none."""
    above = f"(median similarity above {NO_VISIBLE_CHANGE:g})"
    told = {
        UNCHANGED: f"The object and all else that is shown look as before {above}",
        SURROUNDINGS: f"The object looks as before {above}, and what is round it does not",
    }
    found = _marks_found(study)
    short = meanings(study)
    parts = [f"{mark} {short[mark]}. {told[mark]}." for mark in told if mark in found]
    return " ".join(parts)


def short_key(study: Study) -> str:
    """Name the marks that this study has; empty where it has none."""
    found = _marks_found(study)
    parts = [f"{mark} {meaning}." for mark, meaning in meanings(study).items() if mark in found]
    return " ".join(parts)


def _marks_found(study: Study) -> set[str]:
    return {
        study.mark(task, one.name, group)
        for task in study.tasks
        for one in study.changed_conditions(task)
        for group in GROUPS
    }
