"""All tables of the analysis, made together: they share their outcomes and draws."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from smallsight.analysis.accuracy import compute_accuracy
from smallsight.analysis.background import compute_background
from smallsight.analysis.claims.table import compute_claims
from smallsight.analysis.confusion import accuracy_by_category, compute_confusion
from smallsight.analysis.deletion import compute_deletion
from smallsight.analysis.effects import compute_effects
from smallsight.analysis.failures import compute_rescues, count_causes, find_failures
from smallsight.analysis.gap import compare_regimes, decompose_gap
from smallsight.analysis.majority_votes import compute_votes, untouched_votes
from smallsight.analysis.neighbours import compute_neighbours, find_named_neighbours
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.saliency import arrange_measures
from smallsight.analysis.saliency_tables import (
    compare_outcomes,
    compare_with_controls,
    summarise_maps,
)
from smallsight.analysis.severity import mark_unchanged, summarise_severity
from smallsight.analysis.thresholds import bin_by_side, compute_thresholds
from smallsight.vocabulary import INSTANCE


def compute_tables(
    predictions: pd.DataFrame,
    outcomes: Outcomes,
    *,
    views: pd.DataFrame,
    objects: pd.DataFrame,
    donors: pd.DataFrame,
    attention: pd.DataFrame,
    maps: pd.DataFrame,
    removals: pd.DataFrame,
    categories: Sequence[str],
    rng: np.random.Generator,
) -> dict[str, pd.DataFrame]:
    """Make every table of the analysis, by the name of its file.

    Parameters
    ----------
    predictions, outcomes
        Out-of-fold predictions, and what `outcomes.outcomes` made of them.
    views
        What every condition but the untouched one did to each instance
        (`rendered.read_changed_views`).
    objects
        Every annotated object of the sampled pictures.
    donors
        `donors.DONOR_COLUMNS`.
    attention, maps, removals
        `attention.ATTENTION_COLUMNS`, `attention.MAP_COLUMNS` and `removal.REMOVAL_COLUMNS`.
    categories
        All categories of the study, in order.
    rng
        Deals out names for the test of neighbours.
    """
    sides = outcomes.instances.assign(side_untouched=outcomes.side)
    severities = summarise_severity(views.merge(sides, on=INSTANCE))
    every = compute_votes(predictions, outcomes)
    answered = untouched_votes(every)
    named = find_named_neighbours(answered, objects)
    failed = find_failures(outcomes, answered, named)
    looked = arrange_measures(outcomes, attention, maps)
    return {
        "accuracy": compute_accuracy(outcomes),
        "effects": mark_unchanged(compute_effects(outcomes), severities),
        "thresholds": compute_thresholds(outcomes),
        "bins": bin_by_side(outcomes),
        "severity": severities,
        "claims": compute_claims(outcomes, severities[severities["vacuous"]], looked),
        "ledger": decompose_gap(outcomes),
        "agreement": compare_regimes(outcomes),
        "background": compute_background(outcomes, donors),
        "neighbours": compute_neighbours(answered, objects, outcomes, rng=rng),
        "answers": every,
        "failures": failed,
        "failure_causes": count_causes(failed),
        "rescues": compute_rescues(outcomes),
        "confusion": compute_confusion(predictions, outcomes, categories),
        "categories": accuracy_by_category(outcomes, categories),
        "attention": summarise_maps(looked),
        "attention_controls": compare_with_controls(looked),
        "attention_outcomes": compare_outcomes(looked),
        "faithfulness": compute_deletion(removals, looked),
    }
