"""Whether more small objects to learn from would help."""

import math
from dataclasses import dataclass

from markupsafe import Markup

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.figures import curves
from smallsight.report.rows import Row, keyed, records
from smallsight.report.section import Part
from smallsight.report.study import Study, once
from smallsight.report.text import (
    TASK_NAMES,
    part,
    percent,
    percent_span,
    points,
    tooltip,
)


@dataclass(frozen=True)
class MoreExamples:
    """What the part shows.

    Attributes
    ----------
    sentence
        What twice as many would do; may be empty.
    panels
        Accuracy by the share that heads learned from, a panel per task.
    chance
        Accuracy of guessing.
    """

    sentence: str
    panels: list[Markup]
    chance: float


def sentence(study: Study) -> str:
    """Write what twice as many small objects would do for small objects; may be empty."""
    by_key = keyed(study.tables["more_examples_gain"], "task", "size_group")
    gains = [(task, by_key.get((task, "small"))) for task in study.tasks]
    said = [
        f"For small objects in {TASK_NAMES[task]}s that is {_balanced(row)}: {_verdict(row)}."
        for task, row in gains
        if row is not None and math.isfinite(row["balanced"])
    ]
    if not said:
        return ""
    start = (
        f"What would twice as many small objects to learn from change? Each head would have "
        f"{_counts(study)}. Measured is the mean of the categories’ accuracies, by extrapolation."
    )
    return " ".join([start, *said, *_losses(study)])


def _verdict(row: Row) -> str:
    verdicts = {1: "a gain is shown", -1: "a loss is shown"}
    return verdicts.get(row["direction"], "not decided")


def _balanced(row: Row) -> str:
    return points(row["balanced"], row["balanced_low"], row["balanced_high"])


def _losses(study: Study) -> list[str]:
    """Say which other objects would be recognised less often; may be empty."""
    table = study.tables["more_examples_gain"]
    lost = table[(table["direction"] == -1) & (table["size_group"] != "small")]
    return [
        f"For {row['size_group']} objects in {TASK_NAMES[row['task']]}s a loss is shown: "
        f"{_balanced(row)}."
        for row in records(lost)
    ]


def _counts(study: Study) -> str:
    """Say how many twice as many are, and from how many small objects a head learns now."""
    table = study.tables["more_examples"]
    is_expected = table["is_extrapolated"].astype(bool)
    twice, now = (table.loc[chosen, "n_train"].max() for chosen in (is_expected, ~is_expected))
    return f"{twice:.0f} in place of {now:.0f}"


def panels(study: Study) -> list[Markup]:
    """Draw accuracy by the share of the small training objects, a panel per task that has any."""
    table = study.tables["more_examples"]
    drawn = []
    for task in study.tasks:
        chosen = table[(table["task"] == task) & table["accuracy"].notna()]
        if chosen.empty:
            continue
        rows = chosen.assign(tooltip=[_told(study, row) for row in records(chosen)])
        title = TASK_NAMES[task].capitalize()
        panel = curves.learning_curve(
            rows, name=f"learning-{task}", title=title, chance=study.chance
        )
        drawn.append(Markup(panel))
    return drawn


def _told(study: Study, row: Row) -> str:
    """Write what a mark stands for; objects are those of its size group that were tested."""
    at = f"{part(row['share'])} of the small training objects"
    at += ", extrapolated" * bool(row["is_extrapolated"])
    tested = study.estimate(row["task"], study.headline_regime, UNTOUCHED, row["size_group"])
    return tooltip(
        f"{row['size_group'].capitalize()}, {at}",
        percent(row["accuracy"]),
        percent_span(row["ci_low"], row["ci_high"]),
        tested.n if tested is not None else 0,
    )


@once
def build(study: Study) -> MoreExamples | None:
    """Return what the part shows of a study; None where no head learned from fewer."""
    found = panels(study)
    if not found:
        return None
    return MoreExamples(sentence=sentence(study), panels=found, chance=study.chance)


PART = Part(name="more_examples", build=build)
