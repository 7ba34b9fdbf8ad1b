"""The original study's sentences, each with the verdict of its test in both tasks."""

from dataclasses import dataclass

from smallsight.report.marks import marked_label
from smallsight.report.rows import Row, records
from smallsight.report.section import Section
from smallsight.report.study import Study
from smallsight.report.text import listed

WHOLE = ""
"""The part of a claim's row that is about all of its sentence."""


@dataclass(frozen=True)
class Verdict:
    """What one row of the table of claims says.

    Attributes
    ----------
    row
        The row.
    small_print
        What limits the verdict, and stands beside it wherever it is shown; may be empty.
    """

    row: Row
    small_print: str


@dataclass(frozen=True)
class ClaimTest:
    """One claim's test in one task and regime.

    Attributes
    ----------
    task, regime
        Where it is tested.
    whole
        The verdict on the whole sentence.
    parts
        The verdicts on its parts, none for a sentence of one part.
    """

    task: str
    regime: str
    whole: Verdict
    parts: list[Verdict]


@dataclass(frozen=True)
class PartCells:
    """One part of a claim in the headline regime, one place for each of the study's tasks."""

    label: str
    cells: list[Verdict | None]


@dataclass(frozen=True)
class Claim:
    """A claim and its tests.

    Attributes
    ----------
    sentence, measure
        What is claimed, and what is measured to test it.
    tests
        In the tasks and regimes that test it.
    cells
        The verdicts on the whole sentence in the first regime that tests it, one place for each of
        the study's tasks; None where that tests nothing.
    parts
        The same for each part of the sentence.
    """

    sentence: str
    measure: str
    tests: list[ClaimTest]
    cells: list[Verdict | None]
    parts: list[PartCells]


@dataclass(frozen=True)
class Claims:
    """What the section shows.

    Attributes
    ----------
    rows
        The claims.
    n_tests
        Rows that Holm's method takes as one family.
    """

    rows: list[Claim]
    n_tests: int


def rows(study: Study) -> list[Claim]:
    """Return every claim with its tests, in the order of the table."""
    found: dict[str, dict[tuple[str, str], list[Verdict]]] = {}
    for row in records(study.tables["claims"]):
        where = row["task"], row["regime"]
        verdict = Verdict(row, _small_print(study, row))
        found.setdefault(row["claim"], {}).setdefault(where, []).append(verdict)
    return [_claim(study, by_place) for by_place in found.values()]


def _claim(study: Study, by_place: dict[tuple[str, str], list[Verdict]]) -> Claim:
    tests = [_test(*place, verdicts) for place, verdicts in by_place.items()]
    first = {task: _first(tests, task) for task in study.tasks}
    labels = dict.fromkeys(part.row["part"] for test in tests for part in test.parts)
    return Claim(
        sentence=tests[0].whole.row["sentence"],
        measure=tests[0].whole.row["measure"],
        tests=tests,
        cells=[test.whole if test else None for test in first.values()],
        parts=[
            PartCells(label, [_part(test, label) for test in first.values()]) for label in labels
        ],
    )


def _test(task: str, regime: str, verdicts: list[Verdict]) -> ClaimTest:
    (whole,) = (one for one in verdicts if one.row["part"] == WHOLE)
    return ClaimTest(task, regime, whole, [one for one in verdicts if one is not whole])


def _first(tests: list[ClaimTest], task: str) -> ClaimTest | None:
    return next((test for test in tests if test.task == task), None)


def _part(test: ClaimTest | None, label: str) -> Verdict | None:
    parts = test.parts if test else []
    return next((part for part in parts if part.row["part"] == label), None)


def _small_print(study: Study, row: Row) -> str:
    """Write what limits a verdict."""
    names = [name for name in row["vacuous_conditions"].split(", ") if name]
    said = []
    if names:
        labels = listed([marked_label(study, row["task"], name) for name in names])
        said.append(f"objects hardly changed: {labels}")
    if row["adjusted"]:
        said.append("by itself decided")
    return "; ".join(said)


def find_row(study: Study, task: str, claim: str) -> Row | None:
    """Return a claim's whole row in the first regime that tests it in a task, or None."""
    table = study.tables["claims"]
    chosen = (table["claim"] == claim) & (table["task"] == task) & (table["part"] == WHOLE)
    return next(iter(records(table[chosen])), None)


def build(study: Study) -> Claims | None:
    """Return what the section shows of a study; None where nothing tests a claim."""
    if study.tables["claims"].empty:
        return None
    n_tests = int((study.tables["claims"]["part"] == WHOLE).sum())
    return Claims(rows(study), n_tests)


SECTION = Section(name="claims", build=build, anchor="claims", title="Claims and verdicts")
