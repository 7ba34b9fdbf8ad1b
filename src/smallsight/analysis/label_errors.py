"""Labels that may be wrong, and accuracies without them: label_errors*.csv.

Accuracies without suspected labels are told only where suspicion tells something of every object
that they are of.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.columns import GROUP, IMAGES, P_HOLM, P_VALUE, N, interval, judged
from smallsight.analysis.confident_learning import NEIGHBOUR_SHARE, Labels, arrange_labels
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.statistics import bootstrap, verdicts
from smallsight.analysis.suspected_labels import PLANTED, Suspicions, find_suspected
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.runtime.tables import Table, flag, number, text, whole
from smallsight.vocabulary import (
    ALL_AND_GROUPS,
    ANN_ID,
    CATEGORY_NAME,
    IMAGE_ID,
    SIZE_GROUP,
    TASK,
)

VERDICTS = verdicts.verdict_words("larger", "smaller")
"""The gap without objects of suspected labels, compared with that of all."""

LABEL_ERRORS = Table(
    "label_errors",
    "whether the label of every object is suspected, from untouched pictures",
    (
        TASK,
        IMAGE_ID,
        ANN_ID,
        CATEGORY_NAME,
        SIZE_GROUP,
        text("suggested", "the most probable category, mean over the seeds"),
        number("suggested_probability", "its probability, 0 to 1"),
        number("label_quality", "probability of the label, 0 to 1: self-confidence"),
        flag("is_flagged", "whether confident learning flags the label"),
        flag(
            "has_neighbour",
            f"whether another object of that category takes up {NEIGHBOUR_SHARE:.0%} of the view",
        ),
        flag("is_suspected", "whether flagged without such a neighbour, where that is evidence"),
    ),
)

LABEL_ERRORS_SUMMARY = Table(
    "label_errors_summary",
    "suspected labels by size group, accuracy without them, and how well wrong labels are found",
    (
        TASK,
        GROUP,
        N,
        IMAGES,
        whole("failed", "number of objects that most seeds get wrong"),
        whole("flagged", "number of objects whose label confident learning flags"),
        whole("explained", "number of these where another object in view explains the answer"),
        whole("suspected", "number of objects whose label is suspected; empty without evidence"),
        number("share", "suspected over n"),
        *interval("share_low", "share_high", of="share"),
        number("of_failures", "share of the failed objects whose label is suspected"),
        *interval("of_failures_low", "of_failures_high", of="of_failures"),
        number("accuracy", "share of the predictions that are correct, the mean over the seeds"),
        *interval("accuracy_low", "accuracy_high", of="accuracy"),
        number("accuracy_without", "the same without the objects whose label is suspected"),
        *interval("without_low", "without_high", of="accuracy_without"),
        number("recall", "share of the labels that are suspected when they are made wrong"),
        number(
            "false_positive_rate",
            f"share suspected of those that are not, {PLANTED:.0%} being made wrong at a time",
        ),
        number("likelihood_ratio", "recall over false_positive_rate, with one more of the latter"),
        text("evidence", "how much suspicion tells: strong, moderate, weak or none"),
    ),
)

LABEL_ERRORS_GAP = Table(
    "label_errors_gap",
    "the gap in accuracy, large minus small, with and without suspected labels",
    (
        TASK,
        whole("n", "number of small and of large objects"),
        number("gap", "accuracy on large objects minus that on small ones"),
        *interval("gap_low", "gap_high", of="gap"),
        number("gap_without", "the same without the objects whose label is suspected"),
        *interval("without_low", "without_high", of="gap_without"),
        number("change", "gap_without minus gap, in the same draws"),
        *interval(of="change"),
        P_VALUE,
        P_HOLM,
        *judged(VERDICTS),
    ),
)


def compute_label_errors(
    predictions: pd.DataFrame,
    objects: pd.DataFrame,
    outcomes: Outcomes,
    categories: Sequence[str],
    *,
    window_margin: float,
    rng: np.random.Generator,
) -> dict[str, pd.DataFrame]:
    """Find suspected labels, and what accuracies are without them.

    Parameters
    ----------
    predictions, outcomes
        Of one task.
    objects
        Every annotated object of the pictures: image_id, ann_id, category_name, and where boxes are
        known bbox_x, bbox_y, bbox_w, bbox_h.
    categories
        All categories of the study.
    window_margin
        The share of a box's width and height by which its window is larger on each side; infinite
        where it is not known, so that the whole picture is taken to be in view.
    rng
        Draws which labels are made wrong, and how.

    Returns
    -------
    dict
        By name: the rows of `LABEL_ERRORS`, one per object in the order of the outcomes; of
        `LABEL_ERRORS_SUMMARY`, one per size group; and the one of `LABEL_ERRORS_GAP`. No rows where
        probabilities are not known or all objects are of one category.
    """
    labels = arrange_labels(predictions, objects, outcomes, categories, window_margin=window_margin)
    if labels is None:
        tables = (LABEL_ERRORS, LABEL_ERRORS_SUMMARY, LABEL_ERRORS_GAP)
        return {table.name: table.empty() for table in tables}
    found = find_suspected(labels, outcomes.members, rng=rng)
    summary = [_summary(outcomes, group, labels, found) for group in ALL_AND_GROUPS]
    return {
        LABEL_ERRORS.name: _rows(outcomes, labels, found),
        LABEL_ERRORS_SUMMARY.name: pd.DataFrame(summary).reindex(
            columns=LABEL_ERRORS_SUMMARY.names
        ),
        LABEL_ERRORS_GAP.name: _gap(outcomes, found),
    }


def _rows(outcomes: Outcomes, labels: Labels, found: Suspicions) -> pd.DataFrame:
    """Tell of every object whether its label is suspected: `LABEL_ERRORS`."""
    rows = outcomes.instances.assign(
        task=outcomes.task,
        suggested=labels.suggested,
        suggested_probability=labels.probabilities.max(axis=1),
        label_quality=labels.probabilities[np.arange(len(labels.given)), labels.given],
        is_flagged=found.is_flagged,
        has_neighbour=labels.named,
        is_suspected=found.is_suspected,
    )
    return rows[LABEL_ERRORS.names]


def _summary(outcomes: Outcomes, group: str, labels: Labels, found: Suspicions) -> dict[str, Any]:
    """Compute a row of `LABEL_ERRORS_SUMMARY`; what is not known is left out.

    That is everything but counts where the group has no objects, and what is suspected where
    suspicion tells nothing of some of them.
    """
    chosen = outcomes.members[group]
    failed = chosen & ~outcomes.majority_correct(outcomes.regimes[0], UNTOUCHED)
    row: dict[str, Any] = {
        "task": outcomes.task,
        "size_group": group,
        "n": int(chosen.sum()),
        "images": outcomes.images(chosen),
        "failed": int(failed.sum()),
        "flagged": int((found.is_flagged & chosen).sum()),
        "explained": int((found.is_flagged & labels.named & chosen).sum()),
    }
    if group not in found.checks:
        return row
    check = found.checks[group]
    hits = _hit_rates(outcomes)
    row |= {
        "recall": check.recall,
        "false_positive_rate": check.false_positive_rate,
        "likelihood_ratio": check.likelihood_ratio,
        "evidence": check.evidence,
    }
    row |= _mean(outcomes, hits, chosen, ("accuracy", "accuracy_low", "accuracy_high"))
    if not found.is_told[chosen].all():
        return row
    suspected, kept = found.is_suspected, chosen & ~found.is_suspected
    of_failures = ("of_failures", "of_failures_low", "of_failures_high")
    without = ("accuracy_without", "without_low", "without_high")
    row |= {"suspected": int((suspected & chosen).sum())}
    row |= _mean(outcomes, suspected, chosen, ("share", "share_low", "share_high"))
    row |= _mean(outcomes, suspected, failed, of_failures)
    return row | _mean(outcomes, hits, kept, without)


def _hit_rates(outcomes: Outcomes) -> np.ndarray:
    return outcomes.hit_rates[outcomes.row[outcomes.regimes[0], UNTOUCHED]]


def _mean(
    outcomes: Outcomes, values: np.ndarray, chosen: np.ndarray, ends: Sequence[str]
) -> dict[str, float]:
    """Return a mean and its interval under these names; nothing where nothing was chosen."""
    if not chosen.any():
        return {}
    return dict(zip(ends, outcomes.mean_with_interval(values, chosen), strict=True))


def _gap(outcomes: Outcomes, found: Suspicions) -> pd.DataFrame:
    """Compute the gap with and without suspected labels: `LABEL_ERRORS_GAP`.

    No row without small or large objects. Nothing but the gap where suspicion tells nothing of
    either, or leaves none.
    """
    groups = [outcomes.members[group] for group in ("small", "large")]
    if not all(group.any() for group in groups):
        return LABEL_ERRORS_GAP.empty()
    every = np.any(groups, axis=0)
    images = outcomes.images(every)
    confidence = outcomes.settings.confidence
    gap = _gap_of(outcomes, every)
    row = {"task": outcomes.task, "n": int(every.sum())}
    row |= dict.fromkeys(("ci_low", "ci_high", "p_value"), np.nan)
    row |= _span(gap, ("gap", "gap_low", "gap_high"), confidence, images)
    kept = every & ~found.is_suspected
    if found.is_told[every].all() and all((group & kept).any() for group in groups):
        without = _gap_of(outcomes, kept)
        row |= _span(without, ("gap_without", "without_low", "without_high"), confidence, images)
        row |= {"change": without[0] - gap[0]}
        row |= bootstrap.estimate(without - gap, confidence=confidence, images=images)
    table = verdicts.judge(pd.DataFrame([row]), VERDICTS, confidence=confidence)
    return table.reindex(columns=LABEL_ERRORS_GAP.names)


def _gap_of(outcomes: Outcomes, kept: np.ndarray) -> np.ndarray:
    """(1 + draws,): accuracy on large objects minus that on small ones, among those kept."""
    hits = _hit_rates(outcomes)[None]
    small, large = (
        bootstrap.weighted_means(hits[:, chosen], outcomes.weights[:, chosen])[:, 0]
        for chosen in (outcomes.members[group] & kept for group in ("small", "large"))
    )
    return large - small


def _span(
    draws: np.ndarray, names: Sequence[str], confidence: float, images: int
) -> dict[str, float]:
    """Return an estimate and its interval under these names."""
    ends = bootstrap.student_interval(draws[0], draws[1:], confidence, images=images)
    return dict(zip(names, (draws[0], *ends), strict=True))
