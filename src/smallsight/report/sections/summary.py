"""Page one: whether small objects are recognised less often, and where that comes from.

A direction ("less often", "larger") is written only where the test of the row gives one. Of
anything else the sentence says what could have been found.
"""

import math
from dataclasses import dataclass

from markupsafe import Markup

from smallsight.analysis.ladder import FIRST, SCENE_RUNG, WINDOW_RUNG
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import network
from smallsight.report.rows import Estimate
from smallsight.report.section import Section
from smallsight.report.sections import claims, classifier, effects, ladder, sample, scene
from smallsight.report.sections.ladder import RungRow
from smallsight.report.study import Study
from smallsight.report.text import (
    TASK_NAMES,
    listed,
    percent,
    percent_span,
    points_span,
    signed,
    size,
    span,
)
from smallsight.vocabulary import SCENE, TASKS


@dataclass(frozen=True)
class Summary:
    """What the section shows.

    Attributes
    ----------
    tested
        What was tested, in one line.
    verdict
        Whether small objects are recognised less often than large ones.
    sentences
        What follows it.
    sample
        The sample in one line.
    examined, setup
        What was examined, the network or the user's classifier: in a word, and in a few lines with
        what it was shown; the latter may be empty.
    checked, warning
        How the classifier does under other preprocessings, where the declared one is best; and what
        makes the numbers doubtful. Both may be empty.
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

    tested: str
    verdict: str
    sentences: list[str]
    sample: str
    examined: str
    setup: str
    checked: str
    warning: str
    panels: list[Markup]
    rules: list[RungRow]
    rungs: list[RungRow]
    is_climbed: bool
    sources: str
    chance: float


def tested_sentence(study: Study) -> str:
    """Write what was asked, and which tasks were given; empty where nothing was evaluated."""
    tasks = [f"“{TASK_NAMES[task]}”, {TASKS[task]}" for task in study.tasks]
    if not tasks:
        return ""
    return f"{study.subject.tested} {'; '.join(tasks)}."


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
    where = f"{TASK_NAMES[task]}s" if task == SCENE else f"a {TASK_NAMES[task]} of their own"
    place = f"In {where}, small"
    numbers = f"{_accuracy(small)}, against {_accuracy(large)}"
    mixed = _at_one_mix(study, small, large)
    if row["direction"] == 1:
        order, ends = "less", (row["ci_low"], row["ci_high"])
    elif row["direction"] == -1:
        order, ends = "more", (-row["ci_high"], -row["ci_low"])
    else:
        least = f" ({size(row['mde'])} was detectable)" if math.isfinite(row["mde"]) else ""
        return (
            f"{place} and large objects, as they are, are not told apart by this sample: "
            f"{numbers}, a gap of {signed(row['effect'])} points "
            f"({span(row)}{', by itself decided' * row['adjusted']}){least}{mixed}."
        )
    gap_size = f"a gap of {size(row['effect'])} points ({' to '.join(map(size, ends))})"
    return (
        f"{place} objects are recognised {order} often than large ones: {numbers}, {gap_size}"
        f"{mixed}."
    )


def _at_one_mix(study: Study, small: Estimate, large: Estimate) -> str:
    """Write both accuracies at one mix of categories, and the gap with its interval where known."""
    even = [small.standardised, large.standardised]
    if not all(map(math.isfinite, even)):
        return ""
    said = f"; at one mix of categories, {' against '.join(map(percent, even))}"
    gap = study.gap(SCENE_RUNG if study.headline_task == SCENE else WINDOW_RUNG)
    if gap is None or not math.isfinite(gap["standardised"]):
        return said
    ends = points_span(gap["standardised_low"], gap["standardised_high"])
    return f"{said}, a gap of {signed(gap['standardised'])} points ({ends})"


def _accuracy(estimate: Estimate) -> str:
    ends = percent_span(estimate.low, estimate.high)
    return f"{percent(estimate.acc)} ({ends}) of {estimate.n}"


def sentences(study: Study) -> list[str]:
    """Write what whole pictures show, where their gap goes, and what corruptions do."""
    found = [
        f"{whole_picture_sentence(study)} {scene.split_sentence(study)}".strip(),
        ladder.parts_sentence(study),
        corruptions_sentence(study),
    ]
    return [sentence for sentence in found if sentence]


def corruptions_sentence(study: Study) -> str:
    """Write under which conditions small objects are recognised less or more often."""
    clause, _ = effects.directions_clause(study)
    if not clause:
        return ""
    lead = study.words(study.headline_regime).lead
    return f"{lead}, small objects in {TASK_NAMES[study.headline_task]}s are recognised {clause}."


def whole_picture_sentence(study: Study) -> str:
    """Compare the gap in whole pictures with that of a rule that sees no pixel of the target."""
    row = claims.find_row(study, SCENE, "small_worse_untouched")
    small, large = (study.baseline(FIRST, group) for group in ("small", "large"))
    if row is None or small is None or large is None:
        return ""
    gap = f"the gap is {signed(row['effect'])} points ({span(row)}); "
    if study.headline_task == SCENE:
        # The verdict has told it.
        gap = ""
    return (
        f"In {TASK_NAMES[SCENE]}s, which do not tell which object is meant, {gap}the "
        "rule “name the category of the picture’s largest object”, which sees no pixel of the "
        f"target, is right for {percent(small['accuracy'])} of small and "
        f"{percent(large['accuracy'])} of large objects."
    )


def setup_sentence(study: Study) -> str:
    """Write what was examined, which pictures it was shown, and what was read of it.

    It is empty where nothing but predictions is known.
    """
    if study.classifier is not None:
        return classifier.describe(study)
    if study.backbone is None:
        return ""
    heads = network.readout(study).heads
    said = f"{study.backbone.describe()}, on {sample.describe_pictures(study.params.data)}"
    return f"{said}; heads read {heads}." if heads else f"{said}."


def warning(study: Study) -> str:
    """Warn of random weights, and of a preprocessing that may be wrong; empty elsewhere."""
    untrained = network.UNTRAINED if network.is_untrained(study) else ""
    return " ".join(filter(None, (untrained, classifier.preprocessing_warning(study))))


def build(study: Study) -> Summary:
    """Return what the section shows of a study."""
    rungs, apart = ladder.rungs(study), ladder.apart(study)
    sources = ["baselines.csv"] * bool(ladder.rules(study))
    sources += ["ladder.csv", "ladder_gaps.csv"] * bool(rungs)
    sources += ["accuracy.csv", "claims.csv"] * bool(apart)
    return Summary(
        tested=tested_sentence(study),
        verdict=verdict_sentence(study),
        sentences=sentences(study),
        sample=sample.sample_sentence(study),
        examined=study.subject.network.capitalize(),
        setup=setup_sentence(study),
        checked=classifier.preprocessing_sentence(study),
        warning=warning(study),
        panels=ladder.panels(study),
        rules=ladder.rules(study),
        rungs=[*rungs, *apart],
        is_climbed=study.has_ladder,
        sources=f"data/analysis/{', '.join(sources)}",
        chance=study.chance,
    )


SECTION = Section(
    name="summary", build=build, anchor="summary", title="In short", contents="Summary"
)
