"""Page one: whether small objects are recognised less often, where that comes from, what to do.

A direction ("less often", "larger") is written only where the test of the row gives one. Of
anything else the sentence says what could have been found.
"""

import math
from dataclasses import dataclass

from markupsafe import Markup

from smallsight.analysis.ladder import SCENE_RUNG, WINDOW_RUNG
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import network
from smallsight.report.rows import Estimate, Row
from smallsight.report.section import Section
from smallsight.report.sections import claims, classifier, ladder, remedies, sample
from smallsight.report.sections.ladder import RungRow
from smallsight.report.study import Study, once
from smallsight.report.text import TASK_NAMES, amount, listed, percent, points, size, with_ends
from smallsight.vocabulary import HEADLINE_TASK, SCENE

_SHOWN = {
    SCENE: "in the whole picture",
    HEADLINE_TASK: "in a window, a cut-out round it alone",
}
"""How an object is shown in each task."""


@dataclass(frozen=True)
class Summary:
    """What the section shows.

    Attributes
    ----------
    setup, sample
        What was tested: the network or the user's classifier with the source of its pictures, which
        may be empty, and the sample, each in one line.
    drawn
        That drawn scenes are no photographs; empty for others.
    tested
        What was asked.
    warning
        What makes the numbers doubtful; may be empty.
    verdict
        Whether small objects are recognised less often than large ones.
    sentences
        What follows it.
    remedies
        What to do, a line each.
    panels
        The ladder, and the parts of the gap.
    rules, rungs
        Accuracy of rules that see no pixel, and from rung to rung, by size group; and that of tasks
        which are on no rung.
    is_climbed, sources
        Whether there is a ladder, and the files that these accuracies come from.
    chance
        Accuracy of guessing.
    """

    setup: str
    sample: str
    drawn: str
    tested: str
    warning: str
    verdict: str
    sentences: list[str]
    remedies: list[str]
    panels: list[Markup]
    rules: list[RungRow]
    rungs: list[RungRow]
    is_climbed: bool
    sources: str
    chance: float


def tested_sentence(study: Study) -> str:
    """Write how objects were shown, and what names them; empty where nothing was evaluated."""
    if not study.tasks:
        return ""
    shown = " and ".join(_SHOWN[task] for task in study.tasks)
    return f"Each object is shown {shown}. {study.subject.tested}"


def verdict_sentence(study: Study) -> str:
    """Write whether small objects are recognised less often than large ones."""
    task = study.headline_task
    row = claims.find_row(study, task, "small_worse_untouched")
    small, large = (
        study.estimate(task, study.headline_regime, UNTOUCHED, group)
        for group in ("small", "large")
    )
    if row is None or small is None or large is None:
        lacking = [
            name
            for name, estimate in (("small", small), ("large", large))
            if estimate is None or not estimate.n
        ]
        why = f"no accuracy for {listed(lacking)} objects" if lacking else "nothing tests it"
        return f"Small and large objects cannot be compared: {why}."
    place = f"In {TASK_NAMES[task]}s{'' if task == SCENE else ' of their own'}"
    numbers = " against ".join(map(_accuracy, (small, large)))
    orders = {1: "less", -1: "more"}
    if row["direction"] in orders:
        order = orders[row["direction"]]
        return f"{place}, small objects are named rightly {order} often than large ones: {numbers}."
    return (
        f"{place}, it is not decided whether small objects are named rightly less often than "
        f"large ones: {numbers}. {_missed(row)}"
    ).strip()


def _accuracy(estimate: Estimate) -> str:
    return with_ends(estimate.acc, estimate.low, estimate.high)


def _missed(row: Row) -> str:
    """Write what limits a verdict that has no direction."""
    least = size(row["mde"])
    found = [f"This study may have missed a gap below {least} points."]
    found = found if math.isfinite(row["mde"]) else []
    if row["adjusted"]:
        found.append("Taken by itself, without the other tests, it is decided.")
    return " ".join(found)


def gap_sentence(study: Study) -> str:
    """Write the headline task's gap where it is shown; empty elsewhere."""
    row = claims.find_row(study, study.headline_task, "small_worse_untouched")
    if row is None or row["direction"] not in (1, -1) or study.headline_task == SCENE:
        return ""
    return f"The gap is {amount(row['effect'], row['ci_low'], row['ci_high'])}: shown."


def mix_sentence(study: Study) -> str:
    """Write the gap at one mix of categories; empty where that is not known."""
    gap = study.gap(SCENE_RUNG if study.headline_task == SCENE else WINDOW_RUNG)
    mix = "At one mix of categories, where each weighs the same in both groups,"
    if gap is not None and math.isfinite(gap["standardised"]):
        ends = gap["standardised_low"], gap["standardised_high"]
        return f"{mix} the gap is {amount(gap['standardised'], *ends)}, no verdict."
    even = [
        one.standardised
        for group in ("small", "large")
        if (one := study.estimate(study.headline_task, study.headline_regime, UNTOUCHED, group))
    ]
    if len(even) < 2 or not all(map(math.isfinite, even)):
        return ""
    return f"{mix} they are {' against '.join(map(percent, even))}."


def sentences(study: Study) -> list[str]:
    """Write the gap at one mix of categories, and where the gap of whole pictures goes."""
    gaps = f"{gap_sentence(study)} {mix_sentence(study)}".strip()
    found = gaps, whole_picture_sentence(study)
    return [sentence for sentence in found if sentence]


def whole_picture_sentence(study: Study) -> str:
    """Write the gap of whole pictures, and the largest part of it; empty where none is known."""
    told = ladder.largest_sentence(study)
    row = claims.find_row(study, SCENE, "small_worse_untouched")
    if told or row is None or study.headline_task == SCENE or not math.isfinite(row["effect"]):
        return told
    verdict = "shown" if row["direction"] in (1, -1) else "not decided"
    gap = points(row["effect"], row["ci_low"], row["ci_high"])
    return f"In {TASK_NAMES[SCENE]}s the gap is {gap}: {verdict}."


def setup_sentence(study: Study) -> str:
    """Write in a line what was examined, which pictures it was shown, and what was read of it.

    It is empty where nothing but predictions is known.
    """
    if study.classifier is not None:
        return classifier.describe(study)
    if study.backbone is None:
        return ""
    heads = network.readout(study).heads
    said = f"{study.backbone.describe()}, on {sample.describe_pictures(study.params.data)}"
    return f"{said}. Heads read {heads}." if heads else f"{said}."


def warning(study: Study) -> str:
    """Warn of random weights, and of a preprocessing that may be wrong; empty elsewhere."""
    untrained = network.UNTRAINED if network.is_untrained(study) else ""
    return " ".join(filter(None, (untrained, classifier.preprocessing_warning(study))))


@once
def build(study: Study) -> Summary:
    """Return what the section shows of a study."""
    rungs, apart = ladder.rungs(study), ladder.apart(study)
    sources = ["baselines.csv"] * bool(ladder.rules(study))
    sources += ["ladder.csv", "ladder_gaps.csv"] * bool(rungs)
    sources += ["accuracy.csv", "claims.csv"] * bool(apart)
    return Summary(
        setup=setup_sentence(study),
        sample=sample.sample_sentence(study),
        drawn=sample.drawn_sentence(study),
        tested=tested_sentence(study),
        warning=warning(study),
        verdict=verdict_sentence(study),
        sentences=sentences(study),
        remedies=remedies.lines(study),
        panels=ladder.panels(study),
        rules=ladder.rules(study),
        rungs=[*rungs, *apart],
        is_climbed=study.has_ladder,
        sources=f"data/analysis/{', '.join(sources)}",
        chance=study.chance,
    )


SECTION = Section(name="summary", build=build, anchor="summary", title="In short")
