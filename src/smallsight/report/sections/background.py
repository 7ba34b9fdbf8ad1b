"""What the surroundings alone predict, and what they do to the object's own category."""

from dataclasses import dataclass

from smallsight.report.rows import Row, has_direction, keyed, records
from smallsight.report.section import Part
from smallsight.report.study import Study
from smallsight.report.text import detectable, listed, p_equals, signed, span
from smallsight.vocabulary import ALL_AND_GROUPS


@dataclass(frozen=True)
class BackgroundRow:
    """The background gap of one size group.

    Attributes
    ----------
    group
        The size group, or "all".
    n
        Objects of the first regime; None where it has no such row.
    cells
        Rows of the table of the background, one place for each regime.
    """

    group: str
    n: int | None
    cells: list[Row | None]


@dataclass(frozen=True)
class Background:
    """What the part shows."""

    rows: list[BackgroundRow]
    sentence: str
    chance: float


def rows(study: Study) -> list[BackgroundRow]:
    """Return the background gap and what surroundings predict, a row per size group with any."""
    by_key = keyed(study.tables["background"], "regime", "size_group")
    found = []
    for group in ALL_AND_GROUPS:
        cells = [by_key.get((regime, group)) for regime in study.regimes]
        counts = [max(int(row["n"]), int(row["n_context"])) if row else None for row in cells]
        if any(counts):
            found.append(BackgroundRow(group, counts[0], cells))
    return found


def sentence(study: Study) -> str:
    """Write for which size groups the background gap is shown, in the headline regime."""
    table = study.tables["background"]
    known = [
        row
        for row in records(table[table["regime"] == study.headline_regime])
        if row["n"] and row["size_group"] != "all"
    ]
    if not known:
        return ""
    neither = [row for row in known if not has_direction(row)]
    shown = [
        f"{row['size_group']} {signed(row['gap'])} ({span(row)}, {p_equals(row['p_holm'])})"
        for row in known
        if has_direction(row)
    ]
    parts = [f"shown for {listed(shown)}"] if shown else []
    if neither:
        names = listed([row["size_group"] for row in neither])
        parts.append(f"not shown for {names} ({detectable(neither)})")
    return f"Background gap, {study.headline_regime} head, in points: {'; '.join(parts)}."


def build(study: Study) -> Background | None:
    """Return what the part shows of a study; None where nothing was evaluated for it."""
    found = rows(study)
    if not found:
        return None
    return Background(found, sentence(study), study.baselines.get("chance", float("nan")))


PART = Part(name="background", build=build)
