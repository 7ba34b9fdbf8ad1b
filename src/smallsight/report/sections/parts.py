"""Parts of the report: rows and figures, made from a study's tables."""

from typing import Any

from markupsafe import Markup

from smallsight.conditions.registry import FAMILIES
from smallsight.report.figures import by_condition, training
from smallsight.report.marks import marks
from smallsight.report.study import Study
from smallsight.report.text import percent, percent_span, tip
from smallsight.vocabulary import GROUPS

_MOST_ROWS = 9
"""Conditions that a figure draws; of more, only the reference levels."""


def families(study: Study) -> list[dict[str, Any]]:
    """Give the families studied, in order, and the levels of each with their marks."""
    found: dict[str, list[str]] = {}
    for step in study.conditions:
        level = f"{step.level} {marks(study, step.name)}".strip()
        found.setdefault(step.family, []).append(level)
    return [
        {
            "name": name,
            "label": study.label(name),
            "description": FAMILIES[name].description if name in FAMILIES else "",
            "levels": steps,
        }
        for name, steps in found.items()
    ]


def drawn(study: Study) -> dict[str, str]:
    """Choose the conditions that a figure has room for, no probes, and give their labels."""
    steps = [step for step in study.conditions if not step.is_probe]
    if len(steps) > _MOST_ROWS:
        steps = [step for step in steps if step.is_reference]
    return {step.name: study.label(step.name) for step in steps}


def levels(study: Study) -> dict[str, float]:
    """Give the accuracies that need no picture, on all objects."""
    shares = study.sample["category_name"].value_counts(normalize=True)
    if shares.empty:
        return {}
    return {"chance": study.chance, "commonest category": float(shares.iloc[0])}


def panels(study: Study) -> list[Markup]:
    """Draw the headline figure, one panel per regime."""
    table = study.accuracy.rename(columns={"acc": "value", "ci_low": "low", "ci_high": "high"})
    rows = table.to_dict("records")
    table["hollow"] = [
        bool(row["size_group"] in GROUPS and study.mark(row["condition"], row["size_group"]))
        for row in rows
    ]
    table["tip"] = [
        tip(
            f"{study.label(row['condition'])}, {row['size_group']}",
            percent(row["value"]),
            percent_span(row["low"], row["high"]),
            row["n"],
        )
        for row in rows
    ]
    return [
        Markup(
            by_condition.by_condition(
                table[table["regime"] == regime],
                name=f"accuracy-{regime}",
                title=f"{regime.capitalize()} head",
                labels=drawn(study),
                levels=levels(study),
            )
        )
        for regime in study.regimes
    ]


def curves(study: Study) -> list[Markup]:
    """Draw the reference head's training, one panel per measure."""
    if study.curve.empty:
        return []
    return [
        Markup(
            training.training_curve(
                study.curve, name=f"curve-{measure}", measure=measure, title=title
            )
        )
        for measure, title in (("accuracy", "Accuracy"), ("loss", "Loss"))
    ]


def rows(study: Study, regime: str) -> list[dict[str, Any]]:
    """Lay out one regime's table of accuracies, a row per condition."""
    return [
        {
            "step": step,
            "label": study.label(step.family),
            "cells": [
                (study.estimate(regime, step.name, group), _mark(study, step.name, group))
                for group in ("all", *GROUPS)
            ],
        }
        for step in study.conditions
    ]


def _mark(study: Study, condition: str, group: str) -> str:
    return study.mark(condition, *([] if group == "all" else [group]))


def counts(study: Study, regime: str) -> list[tuple[int, int] | None]:
    """Count instances and images per size group, where all conditions share their numbers."""
    shared: list[tuple[int, int] | None] = []
    for group in ("all", *GROUPS):
        cells = [study.estimate(regime, step.name, group) for step in study.conditions]
        found = {(cell.n, cell.images) for cell in cells if cell is not None}
        shared.append(found.pop() if len(found) == 1 else None)
    return shared


def categories(study: Study) -> list[str]:
    """List all categories named anywhere: as in the parameters, then the rest."""
    eligible = study.sampling["eligible"]
    named = [name for group in GROUPS for name in eligible.get(group, {})]
    found = [*study.params.data.categories, *named, *sorted(set(study.sample["category_name"]))]
    return list(dict.fromkeys(found))
