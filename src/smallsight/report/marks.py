"""Marks of conditions that leave the object as it was, and what they mean."""

from smallsight.report.study import SURROUNDINGS, UNCHANGED, Study
from smallsight.vocabulary import GROUPS, NO_VISIBLE_CHANGE

MARKS = {UNCHANGED: "vacuous", SURROUNDINGS: "vacuous in the box, only the surroundings change"}
"""What the marks of conditions mean, in short."""


def named(study: Study, condition: str, *groups: str) -> str:
    """Name a condition in a sentence, with its mark where it is vacuous for the groups.

    Without groups, with every mark that it has.
    """
    mark = study.mark(condition, *groups) if groups else marks(study, condition)
    return f"“{study.label(condition)}” {mark}".strip()


def marks(study: Study, condition: str) -> str:
    """Give a condition's mark, with the groups that it holds for where it does not hold for all."""
    whole = study.mark(condition)
    parts = [(study.mark(condition, group), group) for group in GROUPS]
    return whole or ", ".join(f"{mark} {group}" for mark, group in parts if mark)


def _marks_found(study: Study) -> set[str]:
    return {study.mark(step.name, group) for step in study.changes for group in GROUPS}


def mark_key(study: Study) -> str:
    """Explain the marks that this study has; empty where it has none."""
    meanings = {
        UNCHANGED: "vacuous: at the network’s input neither the object’s box nor the whole "
        f"picture changes (median similarity above {NO_VISIBLE_CHANGE:g})",
        SURROUNDINGS: "vacuous in the box: the object stays as it was (median similarity above "
        f"{NO_VISIBLE_CHANGE:g}), only its surroundings change",
    }
    found = _marks_found(study)
    parts = [f"{mark} {meaning}" for mark, meaning in meanings.items() if mark in found]
    return f"{'; '.join(parts)}." if parts else ""


def short_key(study: Study) -> str:
    """Name the marks that this study has; empty where it has none."""
    found = _marks_found(study)
    parts = [f"{mark} {meaning}" for mark, meaning in MARKS.items() if mark in found]
    return f"{'; '.join(parts)}." if parts else ""


def surroundings(study: Study) -> str:
    """Say how much of the picture is left as it was where only the surroundings change."""
    parts = []
    for step in study.changes:
        rows = [
            row
            for group in GROUPS
            if study.mark(step.name, group) == SURROUNDINGS
            and (row := study.similarity(step.name, group))
        ]
        if rows:
            ends = sorted(
                {f"{pick(row['ssim_picture'] for row in rows):.2f}" for pick in (min, max)}
            )
            parts.append(f"“{study.label(step.name)}” {' to '.join(ends)}")
    if not parts:
        return ""
    return f"Whole pictures under {SURROUNDINGS}: median similarity {', '.join(parts)}."
