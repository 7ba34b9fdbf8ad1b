"""The ladder: accuracy from rung to rung, and the parts of the gap that its steps are worth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from smallsight.analysis.ladder import FIRST, LADDER_GAPS, NOT_IDENTIFIED, SCENE_RUNG, name_steps
from smallsight.analysis.terms import NOT_EXPLAINED, Term, describe_part, steps_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import BASELINES, RUNGS, Rung
from smallsight.report.figures.ladder import climb, waterfall
from smallsight.report.rows import Row, has_direction, keyed, records
from smallsight.report.section import Section
from smallsight.report.sections import background, claims
from smallsight.report.study import Study
from smallsight.report.text import (
    TASK_NAMES,
    amount,
    counted,
    listed,
    percent,
    percent_span,
    signed,
    span,
    tooltip,
)
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, SCENE

_SMALL_CELL = 10
"""Objects of a category in a size group below which simulated intervals lose coverage."""


@dataclass(frozen=True)
class RungRow:
    """Accuracy on one rung, or by a rule that sees no pixel.

    Attributes
    ----------
    label
        What is known of the object.
    task
        The task of its pictures, in words; empty for a rule.
    step
        The step that leads up to it; empty on the first rung and for a rule.
    cells
        Rows of the table of the ladder, or of baselines, one place for each of the groups asked
        for; None where there are no objects.
    gap
        Accuracy on large minus that on small objects, and the same at one mix of categories, with
        intervals: the columns of `LADDER_GAPS`. Most rules have no more than the first of them.
    """

    label: str
    task: str
    step: str
    cells: list[Row | None]
    gap: Row


@dataclass(frozen=True)
class Remedy:
    """A cause, and what goes with it."""

    cause: str
    remedy: str


@dataclass(frozen=True)
class PartRow:
    """One part of the gap.

    Attributes
    ----------
    term
        What it is called, and what it means.
    is_whole
        Whether it is the gap itself.
    row
        Its row of the table of the gap's parts.
    remedies
        The cause and the remedy of each of its steps.
    changes
        Of a step: rows of the ladder, with the paired changes of small and large objects' accuracy.
    """

    term: Term
    is_whole: bool
    row: Row
    remedies: list[Remedy]
    changes: list[Row | None]

    @property
    def is_identified(self) -> bool:
        """Whether it is more than a step from near chance."""
        return bool(self.row["verdict"] != NOT_IDENTIFIED)


@dataclass(frozen=True)
class Ladder:
    """What the section shows.

    Attributes
    ----------
    rungs
        The rungs that the study has, a cell for all objects and for each size group.
    parts
        The gap and its parts, which sum to it.
    missing
        Which rungs the study lacks, and what that does to the steps; may be empty.
    is_whole
        Whether all steps were there to take.
    sentence
        What the steps do; may be empty.
    small_cell
        A warning; may be empty.
    """

    rungs: list[RungRow]
    parts: list[PartRow]
    missing: str
    is_whole: bool
    sentence: str
    small_cell: str


def rules(study: Study) -> list[RungRow]:
    """Return what rules reach that see no pixel, a cell for each size group."""
    found = []
    for name, label in BASELINES.items():
        cells = [study.baseline(name, group) for group in GROUPS]
        if any(cells):
            gap = _gap(study, name, dict(zip(GROUPS, cells, strict=True)))
            found.append(RungRow(f"Rule: {_begun(label)}", "", "", cells, gap))
    return found


def rungs(study: Study, groups: Sequence[str] = GROUPS) -> list[RungRow]:
    """Return the rungs that the study has, in order, a cell for each of the groups."""
    steps = name_steps(rung.name for rung in study.rungs)
    found = []
    for rung in study.rungs:
        rows = _on_rung(study, rung.name)
        step = describe_part(steps[rung.name]).label if rung.name in steps else ""
        cells = [rows[group] for group in groups]
        gap = _gap(study, rung.name, rows)
        found.append(RungRow(rung.label, TASK_NAMES[rung.task], step, cells, gap))
    return found


def apart(study: Study) -> list[RungRow]:
    """Return the tasks whose untouched pictures are on no rung, a cell for each size group."""
    found = []
    for rung in _apart(study):
        cells = [_untouched(study, rung.task, group) for group in GROUPS]
        gap = _untouched_gap(study, rung.task)
        if any(cells):
            found.append(RungRow(rung.label, TASK_NAMES[rung.task], "", cells, gap))
    return found


def _apart(study: Study) -> list[Rung]:
    """Return the rungs that would be a task's untouched pictures, and were not climbed."""
    return [
        rung
        for rung in RUNGS
        if rung.family == UNTOUCHED
        and rung.readout == "scene"
        and rung.task in study.tasks
        and rung not in study.rungs
    ]


def _untouched(study: Study, task: str, group: str) -> Row | None:
    """Return an accuracy on untouched pictures as a row of the ladder has it."""
    one = study.estimate(task, study.headline_regime, UNTOUCHED, group)
    if one is None or not one.n:
        return None
    return {"n": one.n, "accuracy": one.acc, "ci_low": one.low, "ci_high": one.high}


def _untouched_gap(study: Study, task: str) -> Row:
    """Return a task's gap on untouched pictures, as the claim about it has it."""
    gap: dict[str, Any] = dict.fromkeys(LADDER_GAPS.names, math.nan)
    small, large = (
        study.estimate(task, study.headline_regime, UNTOUCHED, group)
        for group in ("small", "large")
    )
    if small is not None and large is not None:
        gap["gap"] = large.acc - small.acc
        gap["standardised"] = large.standardised - small.standardised
    claim = claims.find_row(study, task, "small_worse_untouched")
    if claim is not None:
        gap |= {"gap": claim["effect"], "ci_low": claim["ci_low"], "ci_high": claim["ci_high"]}
    return gap


def _on_rung(study: Study, rung: str) -> dict[str, Row | None]:
    """Return a rung's rows by size group."""
    table = study.tables["ladder"]
    by_group = keyed(table[table["rung"] == rung], "size_group")
    known = {group: by_group.get((group,)) for group in ALL_AND_GROUPS}
    return {group: row if row is not None and row["n"] else None for group, row in known.items()}


def _gap(study: Study, name: str, rows: dict[str, Row | None]) -> Row:
    """Return a rung's gap; that of a rule which is none is what its accuracies differ by."""
    known = study.gap(name)
    if known is not None:
        return known
    large, small = rows["large"], rows["small"]
    gap = float(large["accuracy"] - small["accuracy"]) if large and small else math.nan
    return dict.fromkeys(LADDER_GAPS.names, math.nan) | {"gap": gap}


def _begun(label: str) -> str:
    return label[0].lower() + label[1:]


def parts(study: Study) -> list[PartRow]:
    """Return the gap and its parts, in order; none without small or large objects, or a step."""
    if not study.has_ladder:
        return []
    table = study.tables["gap_parts"]
    rungs_by_step = {
        step: rung for rung, step in name_steps(set(study.tables["ladder"]["rung"])).items()
    }
    found = []
    for row in records(table[np.isfinite(table["value"])]):
        part = row["part"]
        on_rung = _on_rung(study, rungs_by_step.get(part, ""))
        found.append(
            PartRow(
                term=describe_part(part),
                is_whole=part == "gap",
                row=row,
                remedies=[Remedy(step.cause, step.remedy) for step in steps_of(part)],
                changes=[on_rung[group] for group in ("small", "large") if part in rungs_by_step],
            )
        )
    return found


def panels(study: Study) -> list[Markup]:
    """Draw the ladder, and the parts of the gap; without small or large objects, nothing."""
    return [panel for panel in (_climb_panel(study), _parts_panel(study)) if panel]


def _climb_panel(study: Study) -> Markup:
    """Draw the rule, the rungs, and the tasks that are on no rung."""
    labels = {FIRST: f"Rule: {_begun(BASELINES[FIRST])}"}
    labels |= {rung.name: rung.label for rung in RUNGS}
    apart = [
        {"rung": rung.name, "size_group": group, "near_chance": False, **row}
        for rung in _apart(study)
        for group in GROUPS
        if (row := _untouched(study, rung.task, group))
    ]
    table = (
        pd.concat([study.tables["ladder"], pd.DataFrame(apart)])
        if apart
        else study.tables["ladder"]
    )
    chosen = table[table["size_group"].isin(["small", "large"]) & (table["n"] > 0)]
    if chosen["size_group"].nunique() < 2:
        return Markup()
    rows = chosen.rename(columns={"accuracy": "value", "ci_low": "low", "ci_high": "high"}).assign(
        label=chosen["rung"].map(labels),
        hollow=chosen["near_chance"].astype(bool),
        is_rule=~chosen["rung"].isin([rung.name for rung in study.rungs]),
        tooltip=[
            tooltip(
                f"{labels[row['rung']]}, {row['size_group']}",
                percent(row["accuracy"]),
                percent_span(row["ci_low"], row["ci_high"]),
                row["n"],
            )
            for row in records(chosen)
        ],
    )
    return Markup(climb(rows, name="ladder", title=study.subject.given, chance=study.chance))


def _parts_panel(study: Study) -> Markup:
    known = parts(study)
    if not known:
        return Markup()
    bars = pd.DataFrame(
        {
            "label": [_marked(one) for one in known],
            "value": [one.row["value"] for one in known],
            "low": [one.row["ci_low"] for one in known],
            "high": [one.row["ci_high"] for one in known],
            "hollow": [not has_direction(one.row) for one in known],
            "vague": [not one.is_identified for one in known],
            "is_total": [one.is_whole for one in known],
            "tooltip": [
                tooltip(
                    _marked(one), f"{signed(one.row['value'])} points", span(one.row), one.row["n"]
                )
                for one in known
            ],
        }
    )
    # The total stands below what it is the sum of.
    bars = pd.concat([bars[~bars["is_total"]], bars[bars["is_total"]]], ignore_index=True)
    return Markup(waterfall(bars, name="gap-parts", title="The whole picture’s gap, by cause"))


def _marked(part: PartRow) -> str:
    return part.term.label if part.is_identified else f"{part.term.label} (not identified)"


def sentence(study: Study) -> str:
    """Write which parts make the gap, and which steps widen it; empty where it is not split up."""
    found = (largest_sentence(study), parts_sentence(study), widening_sentence(study))
    return " ".join(filter(None, found))


def largest_sentence(study: Study) -> str:
    """Write the whole picture’s gap and its largest part; empty where it is not split up."""
    known = parts(study)
    if len(known) < 2:
        return ""
    whole, *others = known
    gap = _ends(whole)
    if has_direction(whole.row):
        verdict = "shown" if whole.row["direction"] == 1 else "shown, in favour of small objects"
    else:
        verdict = "not decided"
    said = f"In {TASK_NAMES[SCENE]}s the gap is {gap}: {verdict}."
    return f"{said} {_largest(others)}".strip()


def _largest(others: Sequence[PartRow]) -> str:
    """Write which part is the largest that is shown."""
    causes = [one for one in others if one.row["part"] != NOT_EXPLAINED]
    rest = [one for one in others if one not in causes and has_direction(one.row)]
    unexplained = [f"{_ends(one)} are not explained." for one in rest]
    largest = _find_largest(causes)
    if largest is None:
        return " ".join(["No cause of it is shown.", *unexplained])
    cause = largest.term.description.replace("'", "’")
    said = f"The largest cause that is shown is “{largest.term.label}”: {_ends(largest)}."
    return " ".join([said, f"It stands for this: {cause}.", *unexplained])


def _find_largest(others: Sequence[PartRow]) -> PartRow | None:
    """Return the largest part that is shown to make the gap; None where none is."""
    shown = [one for one in others if one.row["direction"] == 1]
    return max(shown, key=lambda one: float(one.row["value"]), default=None)


def _ends(part: PartRow) -> str:
    return amount(part.row["value"], part.row["ci_low"], part.row["ci_high"])


def parts_sentence(study: Study) -> str:
    """Name the gap's other parts by their verdict; empty where it is not split up.

    A step below zero is one that large objects gain more by. What is below zero and no step hides
    part of the gap.
    """
    known = parts(study)[1:]
    largest = _find_largest(known)
    others = [one for one in known if one is not largest]
    vague = [one for one in others if not one.is_identified]
    known = [one for one in others if one.is_identified]
    below = [one for one in known if one.row["direction"] == -1]
    by_verdict = {
        "Shown to add to the gap as well": [one for one in known if one.row["direction"] == 1],
        "Shown to hide part of it": [one for one in below if not one.changes],
        "Shown to widen it when given": [one for one in below if one.changes],
        "Not decided": [one for one in known if not has_direction(one.row)],
        "Not identified, for the step is from near chance": vague,
    }
    return " ".join(
        f"{verdict}: {listed([_name(one) for one in those])}."
        for verdict, those in by_verdict.items()
        if those
    )


def _name(part: PartRow) -> str:
    return "what is not explained" if part.row["part"] == NOT_EXPLAINED else _begun(part.term.label)


def widening_sentence(study: Study) -> str:
    """Name the steps that are shown to widen the gap though both groups gain; may be empty."""
    found = [
        _name(part)
        for part in parts(study)
        if part.row["direction"] == -1
        and part.changes
        and all(change and change["delta_low"] > 0 for change in part.changes)
    ]
    return f"Both groups gain, and large objects more: {listed(found)}." if found else ""


def missing_sentence(study: Study) -> str:
    """Name the rungs that the study lacks; empty where it has all or none.

    What can be had by training heads alone is left out with the rest of it.
    """
    if not study.has_heads:
        return ""
    known = set(study.tables["ladder"]["rung"])
    lacking = [rung for rung in RUNGS if rung.name not in known]
    if not lacking or SCENE_RUNG not in known:
        return ""
    names = listed([f"“{rung.label}”" for rung in lacking])
    last = " What the last step would be worth is not explained." if RUNGS[-1] in lacking else ""
    return f"The study lacks {names}. A step past it stands for all causes on its way.{last}"


def small_cell_sentence(study: Study) -> str:
    """Warn where a category has so few objects in a size group that it weighs too much."""
    counts = study.tables["gap_parts"]["smallest_cell"].unique()
    if not len(counts) or counts[0] >= _SMALL_CELL:
        return ""
    return (
        f"A category has {counted(int(counts[0]), 'object')} in one of the two groups. Below about "
        f"{_SMALL_CELL}, class mix is told apart poorly, and intervals may be too narrow."
    )


def build(study: Study) -> Ladder | None:
    """Return what the section shows of a study; None without a step from rung to rung."""
    if not study.has_ladder:
        return None
    return Ladder(
        rungs=rungs(study, ALL_AND_GROUPS),
        parts=parts(study),
        missing=missing_sentence(study),
        is_whole=study.has_heads,
        sentence=sentence(study),
        small_cell=small_cell_sentence(study),
    )


SECTION = Section(
    name="ladder",
    build=build,
    anchor="ladder",
    title="The ladder: where the gap goes",
    parts=(background.UNDER_LADDER,),
)
