"""All tables of the analysis, made together: they share their outcomes and draws."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from smallsight import (
    analysis,
    answers,
    audit,
    background,
    causes,
    claims,
    confusion,
    curves,
    effects,
    failures,
    faithfulness,
    looks,
    neighbours,
)
from smallsight.outcomes import INSTANCE, Outcomes


def tables(
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
    severities = audit.summary(views.merge(sides, on=INSTANCE))
    every = answers.by_condition(predictions, outcomes)
    answered = answers.untouched(every)
    named = neighbours.named(answered, objects)
    failed = failures.failures(outcomes, answered, named)
    looked = looks.looks(outcomes, attention, maps)
    return {
        "accuracy": analysis.accuracy(outcomes),
        "effects": audit.mark(effects.effects(outcomes), severities),
        "thresholds": curves.thresholds(outcomes),
        "bins": curves.binned(outcomes),
        "severity": severities,
        "claims": claims.claims(outcomes, severities[severities["vacuous"]], looked),
        "ledger": causes.ledger(outcomes),
        "agreement": causes.agreement(outcomes),
        "background": background.background(outcomes, donors),
        "neighbours": neighbours.neighbours(answered, objects, outcomes, rng=rng),
        "answers": every,
        "failures": failed,
        "failure_causes": failures.causes(failed),
        "rescues": failures.rescues(outcomes),
        "confusion": confusion.confusion(predictions, outcomes, categories),
        "categories": confusion.by_category(outcomes, categories),
        "attention": looks.summary(looked),
        "attention_controls": looks.against_controls(looked),
        "attention_outcomes": looks.by_outcome(looked),
        "faithfulness": faithfulness.faithfulness(removals, looked),
    }
