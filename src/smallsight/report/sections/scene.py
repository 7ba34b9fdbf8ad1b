"""The original question: whole pictures, scored on one of their objects."""

from dataclasses import dataclass

from smallsight.analysis.ladder import FIRST
from smallsight.analysis.terms import LARGEST, Term
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.marks import Heading, heading
from smallsight.report.rows import Estimate, Row, keyed
from smallsight.report.section import Section
from smallsight.report.sections import deletion, ladder
from smallsight.report.sections.ladder import RungRow
from smallsight.report.study import Study
from smallsight.report.text import listed, percent
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
        The conditions' accuracies, a table per regime; none where the headline is about them, and
        they stand with it.
    counts
        Objects and images of each size group.
    rules
        Accuracies of rules that see no pixel.
    is_original
        Whether the conditions are the original study's.
    kinds, largest
        What the largest object says of the target, and accuracy by it and by size group.
    sentences
        What the rule and the split say.
    """

    tables: list[SceneTable]
    counts: list[Estimate | None]
    rules: list[RungRow]
    is_original: bool
    kinds: list[Term]
    largest: list[LargestRow]
    sentences: list[str]


def tables(study: Study) -> list[SceneTable]:
    """Return the accuracies and paired effects of whole pictures, a table per regime.

    None where whole pictures are what the headline is about: then these stand with it.
    """
    if study.headline_task == SCENE:
        return []
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


def largest_rows(study: Study) -> list[LargestRow]:
    """Return accuracy in each task by the picture's largest object, a row per size group."""
    by_key = keyed(study.tables["largest_object"], "size_group", "largest")
    found = []
    for group in ALL_AND_GROUPS:
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
    rules, asked = [], []
    for group in GROUPS:
        rule = study.baseline(FIRST, group)
        one = study.estimate(SCENE, study.headline_regime, UNTOUCHED, group)
        if rule is not None and one is not None and one.n:
            rules.append(f"{percent(rule['accuracy'])} of {group}")
            asked.append(percent(one.acc))
    if not rules:
        return ""
    return (
        "The rule “name the category of the picture’s largest object” sees no pixel of the "
        f"target. It is right for {listed(rules)} objects; the {study.subject.network} is for "
        f"{listed(asked)}."
    )


def split_sentence(study: Study) -> str:
    """Write how much hangs on the picture's largest object, for small objects; may be empty."""
    by_key = keyed(study.tables["largest_object"], "size_group", "largest")
    rows = [by_key.get(("small", kind)) for kind in LARGEST]
    shares = [row[SCENE] for row in rows if row is not None and row["n"]]
    if SCENE not in study.tasks or len(shares) < len(LARGEST):
        return ""
    same, other = map(percent, shares)
    return (
        f"Where the largest object has their category, {same} of small objects are named rightly. "
        f"Where it has another, {other} are."
    )


def build(study: Study) -> Scene | None:
    """Return what the section shows of a study; None where it has nothing of whole pictures."""
    has_more = study.headline_task != SCENE or bool(largest_rows(study))
    if SCENE not in study.tasks or not has_more:
        return None
    return Scene(
        tables=tables(study),
        counts=[study.estimate(SCENE, study.headline_regime, UNTOUCHED, group) for group in GROUPS],
        rules=ladder.rules(study),
        is_original=study.backbone is not None,
        kinds=list(LARGEST.values()),
        largest=largest_rows(study),
        sentences=[one for one in (rule_sentence(study), split_sentence(study)) if one],
    )


SECTION = Section(
    name="scene",
    build=build,
    anchor="scene",
    title="The original question: whole pictures",
    parts=(deletion.UNDER_SCENE,),
)
