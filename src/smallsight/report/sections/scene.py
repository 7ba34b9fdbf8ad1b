"""The original question: whole pictures, scored on one of their objects."""

from collections.abc import Sequence
from dataclasses import dataclass

from smallsight.analysis.ladder import FIRST
from smallsight.analysis.terms import LARGEST, Term
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.marks import Heading, heading
from smallsight.report.rows import Estimate, Row, keyed
from smallsight.report.section import Section
from smallsight.report.sections import ladder
from smallsight.report.sections.ladder import RungRow
from smallsight.report.study import Study
from smallsight.report.text import listed, percent, percent_span
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, SCENE


@dataclass(frozen=True)
class SceneCell:
    """An accuracy, the effect it stands for, and the mark of the condition for this size group."""

    estimate: Estimate | None
    effect: Row | None
    mark: str


@dataclass(frozen=True)
class SceneRow:
    """Accuracy under one condition, a cell for each size group."""

    heading: Heading
    cells: list[SceneCell]


@dataclass(frozen=True)
class SceneTable:
    """One regime's accuracies under the original study's conditions."""

    regime: str
    rows: list[SceneRow]


@dataclass(frozen=True)
class LargestCell:
    """Accuracy where the largest object has, or has not, the target's category.

    Attributes
    ----------
    n
        Objects.
    spans
        By task: accuracy, and the ends of its interval.
    """

    n: int
    spans: list[tuple[float, float, float]]


@dataclass(frozen=True)
class LargestRow:
    """One size group, by what the picture's largest object is: a cell for each of its kinds."""

    group: str
    rule: Row | None
    cells: list[LargestCell]


@dataclass(frozen=True)
class Scene:
    """What the section shows.

    Attributes
    ----------
    tables
        The conditions' accuracies, a table per regime.
    counts
        Objects and images of each size group.
    rules
        Accuracies of rules that see no pixel.
    kinds, largest
        What the largest object says of the target, and accuracy by it and by size group.
    sentences
        What the rule and the split say.
    """

    tables: list[SceneTable]
    counts: list[Estimate | None]
    rules: list[RungRow]
    kinds: list[Term]
    largest: list[LargestRow]
    sentences: list[str]


def tables(study: Study) -> list[SceneTable]:
    """Return the accuracies and paired effects of whole pictures, a table per regime."""
    return [
        SceneTable(
            regime,
            [
                SceneRow(
                    heading(study, one),
                    [
                        SceneCell(
                            study.estimate(SCENE, regime, one.name, group),
                            study.effect(SCENE, regime, one.name, group),
                            study.mark(SCENE, one.name, group),
                        )
                        for group in GROUPS
                    ],
                )
                for one in study.conditions(SCENE)
            ],
        )
        for regime in study.regimes
    ]


def largest_rows(study: Study, groups: Sequence[str] = GROUPS) -> list[LargestRow]:
    """Return accuracy in each task by the picture's largest object, a row per size group."""
    by_key = keyed(study.tables["largest_object"], "size_group", "largest")
    found = []
    for group in groups:
        rows = [by_key.get((group, kind)) for kind in LARGEST]
        if any(row is not None and row["n"] for row in rows):
            cells = [_largest_cell(study, row) for row in rows if row is not None]
            found.append(LargestRow(group, study.baseline(FIRST, group), cells))
    return found


def _largest_cell(study: Study, row: Row) -> LargestCell:
    ends = [(row[task], row[f"{task}_low"], row[f"{task}_high"]) for task in study.tasks]
    return LargestCell(int(row["n"]), ends)


def rule_sentence(study: Study) -> str:
    """Compare the rule of the largest object with the network; empty without either."""
    said = []
    for group in GROUPS:
        rule = study.baseline(FIRST, group)
        network = study.estimate(SCENE, study.headline_regime, UNTOUCHED, group)
        if rule is not None and network is not None and network.n:
            said.append(f"{percent(rule['accuracy'])} of {group} objects ({percent(network.acc)})")
    if not said:
        return ""
    return (
        "The rule “name the category of the picture’s largest object”, which sees no pixel of the "
        f"target, is right for {listed(said)}; in brackets the network."
    )


def split_sentence(study: Study) -> str:
    """Write how much hangs on the picture's largest object for small ones; empty without any."""
    by_key = keyed(study.tables["largest_object"], "size_group", "largest")
    rows = [by_key.get(("small", kind)) for kind in LARGEST]
    if not all(row is not None and row["n"] for row in rows):
        return ""
    same, other = (
        f"{percent(row[SCENE])} ({percent_span(row[f'{SCENE}_low'], row[f'{SCENE}_high'])})"
        for row in rows
        if row is not None
    )
    return (
        f"Small objects are named right in {same} of cases where the picture’s largest object has "
        f"their category, and in {other} where it has not."
    )


def build(study: Study) -> Scene | None:
    """Return what the section shows of a study; None where no whole picture was evaluated."""
    if SCENE not in study.tasks:
        return None
    return Scene(
        tables=tables(study),
        counts=[study.estimate(SCENE, study.headline_regime, UNTOUCHED, group) for group in GROUPS],
        rules=ladder.rules(study),
        kinds=list(LARGEST.values()),
        largest=largest_rows(study, ALL_AND_GROUPS),
        sentences=[one for one in (rule_sentence(study), split_sentence(study)) if one],
    )


SECTION = Section(
    name="scene",
    build=build,
    anchor="scene",
    title="The original question: whole pictures",
    contents="Whole pictures",
)
