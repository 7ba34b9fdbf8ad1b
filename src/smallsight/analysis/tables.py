"""All tables of the analysis: their list, and their computation from shared outcomes and draws."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from smallsight.analysis.accuracy import ACCURACY, compute_accuracy
from smallsight.analysis.background import BACKGROUND, compute_background
from smallsight.analysis.claims.table import TESTED_CLAIMS, compute_claims
from smallsight.analysis.confusion import (
    CATEGORIES,
    CONFUSION,
    accuracy_by_category,
    compute_confusion,
)
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
from smallsight.analysis.gap import AGREEMENT, LEDGER, compare_regimes, decompose_gap
from smallsight.analysis.majority_votes import VOTES, compute_votes, untouched_votes
from smallsight.analysis.neighbours import NEIGHBOURS, compute_neighbours, find_named_neighbours
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.saliency import arrange_measures
from smallsight.analysis.saliency_tables import (
    CONTROL_COMPARISON,
    MAP_SUMMARY,
    OUTCOME_COMPARISON,
    compare_outcomes,
    compare_with_controls,
    summarise_maps,
)
from smallsight.analysis.severity import SEVERITY, mark_unchanged, summarise_severity
from smallsight.analysis.thresholds import BINS, THRESHOLDS, bin_by_side, compute_thresholds
from smallsight.vocabulary import INSTANCE

TABLES = (
    *(ACCURACY, EFFECTS, THRESHOLDS, BINS, SEVERITY, TESTED_CLAIMS),
    *(LEDGER, AGREEMENT, BACKGROUND, NEIGHBOURS, VOTES, FAILURES, CAUSE_COUNTS, RESCUES),
    *(CONFUSION, CATEGORIES),
    *(MAP_SUMMARY, CONTROL_COMPARISON, OUTCOME_COMPARISON, DELETION),
)
"""Every table of the analysis; each is declared by the module that computes it."""


def compute_tables(
    predictions: pd.DataFrame,
    outcomes: Outcomes,
    *,
    views: pd.DataFrame,
    objects: pd.DataFrame,
    donors: pd.DataFrame,
    predicted_class_maps: pd.DataFrame,
    other_maps: pd.DataFrame,
    removals: pd.DataFrame,
    categories: Sequence[str],
    rng: np.random.Generator,
) -> dict[str, pd.DataFrame]:
    """Compute every table of the analysis.

    Parameters
    ----------
    predictions, outcomes
        Out-of-fold predictions, and the outcomes that `outcomes.arrange_outcomes` makes of them.
    views
        The views of every condition but the untouched one, as `store.read_changed_views` returns
        them.
    objects
        Every annotated object of the sampled pictures.
    donors
        The columns of `donors.DONORS`.
    predicted_class_maps, other_maps, removals
        The columns of `PREDICTED_CLASS_MAPS`, `OTHER_MAPS` and `REMOVALS` of `saliency.tables`.
    categories
        All categories of the study, in order.
    rng
        Deals out names for the test of neighbours.

    Returns
    -------
    dict
        The tables of `TABLES`, by name.
    """
    sides = outcomes.instances.assign(side_untouched=outcomes.side)
    severities = summarise_severity(views.merge(sides, on=INSTANCE))
    votes = compute_votes(predictions, outcomes)
    untouched = untouched_votes(votes)
    failures = find_failures(outcomes, untouched, find_named_neighbours(untouched, objects))
    map_measures = arrange_measures(outcomes, predicted_class_maps, other_maps)
    unchanged = severities[severities["vacuous"]]
    return {
        ACCURACY.name: compute_accuracy(outcomes),
        EFFECTS.name: mark_unchanged(compute_effects(outcomes), severities),
        THRESHOLDS.name: compute_thresholds(outcomes),
        BINS.name: bin_by_side(outcomes),
        SEVERITY.name: severities,
        TESTED_CLAIMS.name: compute_claims(outcomes, unchanged, map_measures),
        LEDGER.name: decompose_gap(outcomes),
        AGREEMENT.name: compare_regimes(outcomes),
        BACKGROUND.name: compute_background(outcomes, donors),
        NEIGHBOURS.name: compute_neighbours(untouched, objects, outcomes, rng=rng),
        VOTES.name: votes,
        FAILURES.name: failures,
        CAUSE_COUNTS.name: count_causes(failures),
        RESCUES.name: compute_rescues(outcomes),
        CONFUSION.name: compute_confusion(predictions, outcomes, categories),
        CATEGORIES.name: accuracy_by_category(outcomes, categories),
        MAP_SUMMARY.name: summarise_maps(map_measures),
        CONTROL_COMPARISON.name: compare_with_controls(map_measures),
        OUTCOME_COMPARISON.name: compare_outcomes(map_measures),
        DELETION.name: compute_deletion(removals, map_measures),
    }
