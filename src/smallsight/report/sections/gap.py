"""The gap between large and small objects, decomposed into parts that sum to it."""

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from smallsight.analysis.terms import INTERVENTIONS, PARTS, PATHS, Term
from smallsight.report.figures.gap import waterfall
from smallsight.report.rows import Estimate, Row, has_direction, keyed, records
from smallsight.report.section import Section
from smallsight.report.sections import background
from smallsight.report.study import Study
from smallsight.report.text import counted, detectable, listed, p_equals, signed, span, tooltip

WHOLE = Term("Gap", "accuracy on large minus that on small objects, untouched")
_SMALL_CELL = 10
"""Objects of a category in a size group below which simulated intervals lose coverage."""


@dataclass(frozen=True)
class PartRow:
    """One part of the gap.

    Attributes
    ----------
    term
        What it is called, and what it means.
    is_whole
        Whether it is the gap itself.
    cells
        Rows of the table of the decomposition, one place for each regime.
    difference
        How far the regimes differ: a row of the table of agreement, where there is one.
    """

    term: Term
    is_whole: bool
    cells: list[Row | None]
    difference: Row | None


@dataclass(frozen=True)
class InterventionCell:
    """Accuracy on large and on small objects in one regime."""

    large: Estimate
    small: Estimate

    @property
    def gap(self) -> float:
        """What is left of the gap."""
        return self.large.acc - self.small.acc


@dataclass(frozen=True)
class InterventionRow:
    """What one intervention leaves of the gap, a cell per regime."""

    label: str
    cells: list[InterventionCell]


@dataclass(frozen=True)
class Gap:
    """What the section shows.

    Attributes
    ----------
    parts
        The parts that sum to the gap, and what each means.
    rows, interventions
        The decomposition, and the accuracies that it is made of.
    n_tests
        Rows that Holm's method takes as one family.
    is_compared
        Whether the regimes are compared.
    disagreement, small_cell, paths
        Sentences; each may be empty.
    """

    parts: list[Term]
    rows: list[PartRow]
    interventions: list[InterventionRow]
    n_tests: int
    is_compared: bool
    disagreement: str
    small_cell: str
    paths: str


def rows(study: Study) -> list[PartRow]:
    """Return the decomposition, a row per part; empty where the study has none."""
    by_key = keyed(study.tables["ledger"], "regime", "part")
    differences = keyed(study.tables["agreement"], "part")
    if not by_key:
        return []
    return [
        PartRow(
            term=term,
            is_whole=part == "gap",
            cells=[by_key.get((regime, part)) for regime in study.regimes],
            difference=differences.get((part,)),
        )
        for part, term in ({"gap": WHOLE} | PARTS | PATHS).items()
    ]


def intervention_rows(study: Study) -> list[InterventionRow]:
    """Return what the decomposition is made of, a row per condition that was evaluated."""
    found = []
    for condition in INTERVENTIONS.values():
        pairs = [
            (study.estimate(regime, condition, "large"), study.estimate(regime, condition, "small"))
            for regime in study.regimes
        ]
        cells = [InterventionCell(large, small) for large, small in pairs if large and small]
        if cells:
            found.append(InterventionRow(study.label(condition), cells))
    return found


def panels(study: Study) -> list[Markup]:
    """Draw the decomposition as a waterfall, a panel per regime that has one."""
    drawn = []
    terms = PARTS | {"gap": WHOLE}
    for regime in study.regimes:
        table = study.tables["ledger"]
        parts = table[table["regime"] == regime].set_index("part")
        if parts.empty:
            continue
        chosen = parts.loc[list(terms)]
        bars = pd.DataFrame(
            {
                "label": [term.label for term in terms.values()],
                "value": chosen["value"].to_numpy(),
                "low": chosen["ci_low"].to_numpy(),
                "high": chosen["ci_high"].to_numpy(),
                "hollow": (chosen["direction"] == 0).to_numpy(),
                "is_total": chosen.index == "gap",
                "tooltip": [
                    tooltip(
                        terms[part].label, f"{signed(row['value'])} points", span(row), row["n"]
                    )
                    for part, row in zip(terms, records(chosen), strict=True)
                ],
            }
        )
        title = f"{regime.capitalize()} head"
        drawn.append(Markup(waterfall(bars, name=f"gap-{regime}", title=title)))
    return drawn


def part_sentence(study: Study, regime: str) -> str:
    """Write which parts make the gap in one regime; empty where it has no decomposition."""
    by_key = keyed(study.tables["ledger"], "regime", "part")
    if (regime, "gap") not in by_key:
        return ""
    gap = f"{signed(by_key[regime, 'gap']['value'])} points"
    found = [by_key[regime, part] for part in PARTS]
    shown = [row for row in found if has_direction(row)]
    neither = [row for row in found if not has_direction(row)]
    if not shown:
        return f"no part of {gap} is shown ({detectable(neither)})"
    clause = f"of {gap}, {listed([_part(row) for row in shown])}"
    if not neither:
        return clause
    names = listed([_name(row) for row in neither])
    return f"{clause}; none shown for {names} ({detectable(neither)})"


def _name(row: Row) -> str:
    return PARTS[row["part"]].label.lower()


def _part(row: Row) -> str:
    numbers = f"{signed(row['value'])} ({span(row)}, {p_equals(row['p_holm'])})"
    return f"{_name(row)} {numbers}"


def disagreement_sentence(study: Study) -> str:
    """Write on which parts the regimes differ, with numbers; empty where nothing is compared."""
    compared = _compared(study)
    if not compared:
        return ""
    differing = _differing(compared)
    if not differing:
        return f"The regimes are not shown to disagree on any part ({detectable(compared)})."
    parts = [
        f"{_name(row)} ({signed(row['fixed'])} fixed, {signed(row['retrained'])} retrained, "
        f"difference {signed(row['difference'])}, {span(row)}, {p_equals(row['p_holm'])})"
        for row in differing
    ]
    return (
        f"The regimes disagree on {listed(parts)}: what they disagree on is no property of the "
        "pictures alone."
    )


def disagreement_note(study: Study) -> str:
    """Name the parts on which the regimes differ; empty where none is shown to."""
    names = [_name(row) for row in _differing(_compared(study))]
    if not names:
        return ""
    return f"The regimes disagree on {listed(names)}: that is no property of the pictures alone."


def _compared(study: Study) -> list[Row]:
    """Return the parts of the gap on which the two regimes are compared."""
    table = study.tables["agreement"]
    return records(table[table["part"].isin(list(PARTS))])


def _differing(compared: list[Row]) -> list[Row]:
    return [row for row in compared if has_direction(row)]


def small_cell_sentence(study: Study) -> str:
    """Warn where a category has so few objects in a size group that it weighs too much."""
    counts = study.tables["ledger"]["thinnest"].unique()
    if not len(counts) or counts[0] >= _SMALL_CELL:
        return ""
    return (
        f"A category has {counted(int(counts[0]), 'object')} in one of the two groups: below about "
        f"{_SMALL_CELL}, class mix and the rest are told apart poorly, and intervals may be too "
        "narrow."
    )


def path_sentence(study: Study) -> str:
    """Write what more pixels do with the context kept, and what they do without any context."""
    by_key = keyed(study.tables["ledger"], "regime", "part")
    parts = []
    for regime in study.regimes:
        if (regime, "gap") in by_key:
            kept, none = (by_key[regime, path] for path in PATHS)
            parts.append(
                f"{regime} head, {signed(kept['value'])} points ({span(kept)}) with the context "
                f"kept and {signed(none['value'])} ({span(none)}) without any"
            )
    return f"What more pixels alone take off the gap: {'; '.join(parts)}." if parts else ""


def build(study: Study) -> Gap:
    """Return what the section shows of a study."""
    return Gap(
        parts=list(PARTS.values()),
        rows=rows(study),
        interventions=intervention_rows(study),
        n_tests=len(study.tables["ledger"]),
        is_compared=len(study.tables["agreement"]) > 0,
        disagreement=disagreement_sentence(study),
        small_cell=small_cell_sentence(study),
        paths=path_sentence(study),
    )


SECTION = Section(
    name="gap",
    build=build,
    anchor="gap",
    title="Where the gap comes from",
    contents="Gap",
    parts=(background.PART,),
)
