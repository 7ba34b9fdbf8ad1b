"""The original study's sentences, each with the verdict of its test."""

from dataclasses import dataclass

from smallsight.report.marks import marked_label
from smallsight.report.rows import Row, records
from smallsight.report.section import Section
from smallsight.report.study import Study


@dataclass(frozen=True)
class ClaimTest:
    """One claim's test in one regime.

    Attributes
    ----------
    row
        A row of the table of claims.
    marked
        Labels, with their marks, of its conditions without visible change.
    """

    row: Row
    marked: list[str]


@dataclass(frozen=True)
class Claim:
    """A claim and its tests.

    Attributes
    ----------
    sentence, measure
        What is claimed, and what is measured to test it.
    tests
        In the regimes that test it.
    cells
        The same tests, one place for each of the study's regimes; None where that tests nothing.
    """

    sentence: str
    measure: str
    tests: list[ClaimTest]
    cells: list[ClaimTest | None]


@dataclass(frozen=True)
class Claims:
    """What the section shows."""

    rows: list[Claim]


def rows(study: Study) -> list[Claim]:
    """Return every claim with its tests, in the order of the table."""
    tests: dict[str, dict[str, ClaimTest]] = {}
    for row in records(study.tables["claims"]):
        names = [name.strip() for name in row["vacuous_conditions"].split(",") if name.strip()]
        test = ClaimTest(row, [marked_label(study, name) for name in names])
        tests.setdefault(row["claim"], {})[row["regime"]] = test
    return [
        Claim(
            sentence=next(iter(by_regime.values())).row["sentence"],
            measure=next(iter(by_regime.values())).row["measure"],
            tests=list(by_regime.values()),
            cells=[by_regime.get(regime) for regime in study.regimes],
        )
        for by_regime in tests.values()
    ]


def find_row(study: Study, claim: str) -> Row | None:
    """Return a claim's row in the first regime that tests it, or None where none does."""
    table = study.tables["claims"]
    return next(iter(records(table[table["claim"] == claim])), None)


def build(study: Study) -> Claims:
    """Return what the section shows of a study."""
    return Claims(rows(study))


SECTION = Section(
    name="claims", build=build, anchor="claims", title="Claims and verdicts", contents="Claims"
)
