"""Accuracy by size and condition, in every task: one figure and one table."""

from dataclasses import dataclass

from markupsafe import Markup

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.marks import Heading, heading
from smallsight.report.rows import Estimate, Row
from smallsight.report.section import Section
from smallsight.report.sections import accuracy, effects
from smallsight.report.sections.accuracy import BaselineRow
from smallsight.report.study import Study
from smallsight.vocabulary import GROUPS

_MOST_ROWS = 16
"""Conditions that a sheet has room for."""


@dataclass(frozen=True)
class ConditionRow:
    """Accuracy under one condition.

    Attributes
    ----------
    heading
        What the condition is called.
    tasks
        By task, an accuracy per size group; none where the task lacks the condition.
    effect
        What it does to small objects in the headline task, where that is known.
    mark
        Its mark for small objects in that task.
    """

    heading: Heading
    tasks: list[list[Estimate | None]]
    effect: Row | None
    mark: str


@dataclass(frozen=True)
class Accuracy:
    """What the sheet shows.

    Attributes
    ----------
    task
        What the headline task is called.
    panels
        The figure, one panel per regime.
    dots, chance
        What a dot of the figure is, and the accuracy of guessing.
    sentences
        What the table says.
    rows, rules
        Accuracy under reference levels, and by rules that see no pixel.
    left_out
        Conditions that there is no room for.
    """

    task: str
    panels: list[Markup]
    dots: str
    chance: float
    sentences: list[str]
    rows: list[ConditionRow]
    rules: list[BaselineRow]
    left_out: int


def rows(study: Study) -> list[ConditionRow]:
    """Return accuracy under the reference levels of all families, a row per condition."""
    regime, headline = study.headline_regime, study.headline_task
    by_task = {
        task: {one.name: one for one in study.conditions(task) if one.is_reference}
        for task in study.tasks
    }
    names = dict.fromkeys(name for task in reversed(study.tasks) for name in by_task[task])
    order = {name: place for place, name in enumerate(study.families)}
    found = []
    for name in sorted(names, key=lambda one: order[one]):
        condition = next(known[name] for known in by_task.values() if name in known)
        cells = [
            [study.estimate(task, regime, name, group) for group in GROUPS]
            if name in by_task[task]
            else []
            for task in study.tasks
        ]
        effect = study.effect(headline, regime, name, "small") if name != UNTOUCHED else None
        mark = study.mark(headline, name, "small") if name in by_task[headline] else ""
        found.append(ConditionRow(heading(study, condition), cells, effect, mark))
    return found


def build(study: Study) -> Accuracy | None:
    """Return what the sheet shows of a study; None where nothing was evaluated."""
    whole = accuracy.build(study)
    if whole is None:
        return None
    found = rows(study)
    return Accuracy(
        task=whole.task,
        panels=whole.panels,
        dots=whole.dots,
        chance=whole.chance,
        sentences=effects.sentences(study),
        rows=found[:_MOST_ROWS],
        rules=whole.baselines,
        left_out=max(len(found) - _MOST_ROWS, 0),
    )


SHEET = Section(
    name="sheets/accuracy",
    build=build,
    anchor="accuracy",
    title="Accuracy by size and condition",
    contents="Accuracy",
)
