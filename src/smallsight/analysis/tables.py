"""All tables of the analysis: their list, and their computation from shared outcomes and draws."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smallsight.analysis.accuracy import ACCURACY, compute_accuracy
from smallsight.analysis.background import BACKGROUND, compute_background
from smallsight.analysis.baselines import (
    BASELINE_ACCURACY,
    LARGEST,
    compute_baselines,
    compute_largest,
)
from smallsight.analysis.calibration import CALIBRATION, RELIABILITY, compute_calibration
from smallsight.analysis.claims.table import TESTED_CLAIMS, compute_claims
from smallsight.analysis.confusion import (
    CATEGORIES,
    CONFUSION,
    accuracy_by_category,
    compute_confusion,
)
from smallsight.analysis.costs import COSTS
from smallsight.analysis.deletion import DELETION, compute_deletion
from smallsight.analysis.effects import EFFECTS, compute_effects
from smallsight.analysis.failures import (
    CAUSE_COUNTS,
    FAILURES,
    RESCUES,
    compute_rescues,
    count_causes,
    find_failures,
)
from smallsight.analysis.label_errors import (
    LABEL_ERRORS,
    LABEL_ERRORS_GAP,
    LABEL_ERRORS_SUMMARY,
    compute_label_errors,
)
from smallsight.analysis.ladder import (
    GAP_PARTS,
    LADDER,
    LADDER_GAPS,
    arrange_rungs,
    compute_gap_parts,
    compute_ladder,
    compute_ladder_gaps,
)
from smallsight.analysis.majority_votes import VOTES, compute_votes, untouched_votes
from smallsight.analysis.more_examples import (
    MORE_EXAMPLES,
    MORE_EXAMPLES_GAIN,
    compute_more_examples,
)
from smallsight.analysis.neighbours import NEIGHBOURS, compute_neighbours, find_named_neighbours
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.remedies import REMEDIES, compute_remedies
from smallsight.analysis.saliency import MapMeasures, arrange_measures
from smallsight.analysis.saliency_tables import (
    CONTROL_COMPARISON,
    MAP_SUMMARY,
    OUTCOME_COMPARISON,
    compare_outcomes,
    compare_with_controls,
    summarise_maps,
)
from smallsight.analysis.severity import SEVERITY, summarise_severity
from smallsight.analysis.stability import STABILITY, compute_stability, find_stable
from smallsight.analysis.thresholds import PIXELS, THRESHOLDS, compute_thresholds
from smallsight.conditions.rendered.names import UNTOUCHED, FamilyFacts
from smallsight.remedies.facts import RemedyFacts
from smallsight.vocabulary import INSTANCE, TASKS, headline_task

TABLES = (
    *(ACCURACY, EFFECTS, SEVERITY, TESTED_CLAIMS),
    *(LADDER, LADDER_GAPS, GAP_PARTS, BASELINE_ACCURACY, LARGEST),
    *(THRESHOLDS, PIXELS, COSTS, STABILITY),
    *(BACKGROUND, NEIGHBOURS, VOTES, FAILURES, CAUSE_COUNTS, RESCUES, CONFUSION, CATEGORIES),
    *(MAP_SUMMARY, CONTROL_COMPARISON, OUTCOME_COMPARISON, DELETION),
    *(REMEDIES, MORE_EXAMPLES, MORE_EXAMPLES_GAIN, RELIABILITY, CALIBRATION),
    *(LABEL_ERRORS, LABEL_ERRORS_SUMMARY, LABEL_ERRORS_GAP),
)
"""Every table of the analysis; each is declared by the module that computes it."""


@dataclass(frozen=True)
class Evidence:
    """What is known of one task; tables have no rows of what was not measured.

    Attributes
    ----------
    predictions
        Its out-of-fold predictions, without sweeps: the columns of `PREDICTIONS`.
    sweeps
        By family that is a sweep: its predictions.
    outcomes
        As `outcomes.arrange_outcomes` makes them of these.
    views
        The views of every condition but the untouched one, as `views.read_changed_views` returns
        them.
    predicted_class_maps, other_maps
        Its rows of `PREDICTED_CLASS_MAPS` and `OTHER_MAPS` of `saliency.tables`.
    """

    predictions: pd.DataFrame
    sweeps: Mapping[str, pd.DataFrame]
    outcomes: Outcomes
    views: pd.DataFrame
    predicted_class_maps: pd.DataFrame
    other_maps: pd.DataFrame


@dataclass(frozen=True)
class RemedyEvidence:
    """What is known of remedies, in all tasks; no rows where none was tried.

    Attributes
    ----------
    facts
        Of all remedies, in the order in which they are shown.
    predictions
        The columns of `REMEDY_PREDICTIONS` of `remedies.tables`.
    more_examples
        The columns of `MORE_EXAMPLES_PREDICTIONS`.
    estimated_sides
        The columns of `ESTIMATED_SIDES`.
    """

    facts: Sequence[RemedyFacts]
    predictions: pd.DataFrame
    more_examples: pd.DataFrame
    estimated_sides: pd.DataFrame


def compute_tables(
    evidence: Mapping[str, Evidence],
    *,
    rung_predictions: pd.DataFrame,
    sample: pd.DataFrame,
    objects: pd.DataFrame,
    donors: pd.DataFrame,
    removals: pd.DataFrame,
    remedies: RemedyEvidence,
    side_counts: Mapping[str, int],
    facts: Mapping[str, FamilyFacts],
    categories: Sequence[str],
    window_margin: float,
    rng: np.random.Generator,
) -> dict[str, pd.DataFrame]:
    """Compute every table of the analysis.

    What was not measured has no rows in what is given, and its tables then have none either.

    Parameters
    ----------
    evidence
        By task that was asked, at least one. Headlines are about `vocabulary.headline_task` of
        these; what is only asked of whole pictures takes the window where they were not shown.
    rung_predictions
        The columns of `RUNG_PREDICTIONS`, of any rungs and baselines. The rung `scene` is there
        only where the scene task was asked.
    sample
        The columns of `SAMPLE`; image_id, ann_id and bbox_area are read.
    objects
        Every annotated object of the sampled pictures.
    donors
        The columns of `donors.DONORS`.
    removals
        The columns of `REMOVALS` of `saliency.tables`, all of the scene task.
    remedies
        What trying them told.
    side_counts
        Of all eligible objects, by side in native pixels.
    facts
        By family.
    categories
        All categories of the study, in order; predictions may have other names.
    window_margin
        The share of a box's width and height by which its window is larger on each side; infinite
        where it is not known.
    rng
        Deals out names and causes for the tests of neighbours and failures, and labels for what
        the best of several remedies owes to luck; and makes labels wrong, to see which are found.

    Returns
    -------
    dict
        The tables of `TABLES`, by name.
    """
    outcomes = {task: one.outcomes for task, one in evidence.items()}
    whole = next(task for task in TASKS if task in evidence)
    headline = headline_task(evidence)
    first = outcomes[whole]
    severities = {task: _severities(one) for task, one in evidence.items()}
    measures = {
        task: arrange_measures(one.outcomes, one.predicted_class_maps, one.other_maps)
        for task, one in evidence.items()
    }
    effects = {
        task: compute_effects(one, severities[task], facts, headline=headline)
        for task, one in outcomes.items()
    }
    votes = {task: compute_votes(one.predictions, one.outcomes) for task, one in evidence.items()}
    of_whole = untouched_votes(votes[whole])
    shifts = {task: _with_untouched("shift", one) for task, one in evidence.items()}
    rungs = arrange_rungs(rung_predictions, first)
    failures = find_failures(
        rung_predictions,
        outcomes,
        find_named_neighbours(of_whole, objects),
        find_stable(shifts[headline], outcomes[headline]),
    )
    native_side = np.sqrt(first.align(sample)["bbox_area"].to_numpy(float))
    by_pixels = compute_thresholds(
        _swept("pixels", evidence[headline]), outcomes[headline], native_side, side_counts
    )
    calibration = {
        task: compute_calibration(
            one.predictions,
            remedies.estimated_sides[remedies.estimated_sides["task"] == task],
            one.outcomes,
            categories,
        )
        for task, one in evidence.items()
    }

    def each(compute: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
        parts = [compute(task) for task in evidence]
        # Without those that have no rows, whose columns have no types.
        return pd.concat([one for one in parts if len(one)] or parts[:1], ignore_index=True)

    def of_maps(compute: Callable[[MapMeasures], pd.DataFrame]) -> pd.DataFrame:
        return each(lambda task: compute(measures[task]))

    return {
        ACCURACY.name: each(lambda task: compute_accuracy(outcomes[task])),
        EFFECTS.name: each(effects.__getitem__),
        SEVERITY.name: each(severities.__getitem__),
        TESTED_CLAIMS.name: compute_claims(outcomes, severities, measures),
        LADDER.name: compute_ladder(rungs, first),
        LADDER_GAPS.name: compute_ladder_gaps(rungs, first),
        GAP_PARTS.name: compute_gap_parts(rungs, first),
        BASELINE_ACCURACY.name: compute_baselines(rungs, first),
        LARGEST.name: compute_largest(rungs, outcomes),
        **{table.name: by_pixels[table.name] for table in (THRESHOLDS, PIXELS, COSTS)},
        STABILITY.name: each(lambda task: compute_stability(shifts[task], outcomes[task])),
        BACKGROUND.name: compute_background(outcomes[headline], donors),
        NEIGHBOURS.name: compute_neighbours(of_whole, objects, first, rng=rng),
        VOTES.name: each(votes.__getitem__),
        FAILURES.name: failures,
        CAUSE_COUNTS.name: count_causes(failures, rung_predictions, rng=rng),
        RESCUES.name: each(lambda task: compute_rescues(outcomes[task])),
        CONFUSION.name: each(
            lambda task: compute_confusion(evidence[task].predictions, outcomes[task], categories)
        ),
        CATEGORIES.name: each(lambda task: accuracy_by_category(outcomes[task], categories)),
        MAP_SUMMARY.name: of_maps(summarise_maps),
        CONTROL_COMPARISON.name: of_maps(compare_with_controls),
        OUTCOME_COMPARISON.name: of_maps(compare_outcomes),
        DELETION.name: compute_deletion(removals, measures[whole]),
        REMEDIES.name: compute_remedies(
            remedies.predictions,
            outcomes,
            remedies.facts,
            thresholds=by_pixels[THRESHOLDS.name],
            native_side=native_side,
            rng=rng,
        ),
        **compute_more_examples(remedies.more_examples, outcomes),
        RELIABILITY.name: each(lambda task: calibration[task][RELIABILITY.name]),
        CALIBRATION.name: each(lambda task: calibration[task][CALIBRATION.name]),
        **compute_label_errors(
            evidence[headline].predictions,
            objects,
            outcomes[headline],
            categories,
            window_margin=window_margin,
            rng=rng.spawn(1)[0],
        ),
    }


def _severities(evidence: Evidence) -> pd.DataFrame:
    """Summarise what the conditions of one task do to its objects."""
    outcomes = evidence.outcomes
    about = outcomes.instances.assign(side_untouched=outcomes.side, task=outcomes.task)
    return summarise_severity(evidence.views.merge(about, on=["task", *INSTANCE]))


def _swept(family: str, evidence: Evidence) -> pd.DataFrame:
    """Return the predictions of a sweep; none where the task has it not."""
    return evidence.sweeps.get(family, evidence.predictions[:0])


def _with_untouched(family: str, evidence: Evidence) -> pd.DataFrame:
    """Return the predictions of untouched pictures, and those of a sweep."""
    untouched = evidence.predictions[evidence.predictions["condition"] == UNTOUCHED]
    return pd.concat([untouched, _swept(family, evidence)], ignore_index=True)
