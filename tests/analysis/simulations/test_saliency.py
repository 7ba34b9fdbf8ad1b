"""Lifts and excesses of maps in simulated studies: intervals cover, and noise finds little."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr
from scipy.stats import norm

from builders.simulated_studies import MORE, ranks, study, three_groups, tolerated
from smallsight.analysis.saliency import MapMeasures
from smallsight.analysis.saliency_tables import compare_outcomes, compare_with_controls
from smallsight.analysis.terms import CONTROLS
from smallsight.conditions.rendered.names import UNTOUCHED

pytestmark = pytest.mark.simulation

BEFORE = {"small": 0.45, "medium": 0.6, "large": 0.8}
"""Accuracies that leave many failures."""
LIFTS = {"small": 2.0, "medium": 1.0, "large": 0.0}
"""Logarithm of the middle lift, which has to do with the size alone."""
RARE = {"small": 0.9, "medium": 0.95, "large": 0.98}
"""Accuracies that leave few failures: four of the large objects."""


def looking(rng, accuracy, *, apart=0.0):
    """Draw lifts of both kinds of map under two conditions, and who is named rightly.

    Images share their lifts and their fate, to the same degree. Lifts have nothing to do with being
    right, but for `apart`, by which their logarithms are greater there.
    """
    image, group = three_groups(rng, (1, 2, 3, 4, 5))
    chance, middle = (np.array([cells[key] for key in group]) for cells in (accuracy, LIFTS))
    tables = {}
    for condition in (UNTOUCHED, "x"):
        correct = ranks(rng, image, rho=0.6) < chance
        for name in ("predicted", "true_class"):
            lift = np.exp(middle + apart * correct + norm.ppf(ranks(rng, image, rho=0.6)))
            tables[name, condition] = pd.DataFrame({"lift": lift, "correct": correct})
    return MapMeasures(
        study(image, group, {("fixed", UNTOUCHED): correct}, rng=rng, draws=400), tables
    )


@pytest.mark.parametrize(
    ("accuracy", "apart"),
    [(BEFORE, 0.0), (RARE, 0.0), (BEFORE, 1.0)],
    ids=["many failures", "few failures", "many failures that look away"],
)
def test_intervals_cover_how_far_lifts_of_right_and_failed_are_apart(accuracy, apart):
    """Within a size group; size itself, which has to do with both, tells nothing."""
    rng = np.random.default_rng(20)
    truth = ndtr(apart / np.sqrt(2))
    tables = [compare_outcomes(looking(rng, accuracy, apart=apart)) for _ in range(130 * MORE)]
    whole = pd.concat(tables)
    inside = (whole["ci_low"] <= truth) & (truth <= whole["ci_high"])
    shares = inside.groupby(whole["size_group"]).mean()
    print(f"superiority {truth:.2f}: covered {shares.round(3).to_dict()}")
    assert shares.between(0.92, 0.995).all()


def test_maps_that_have_no_more_than_their_controls_are_rarely_said_to():
    """Intervals cover it. Maps and controls share what is the object's and the image's own."""
    rng = np.random.default_rng(21)
    repetitions, hits, found = 230 * MORE, [], 0
    for _ in range(repetitions):
        image, group = three_groups(rng, (1, 2, 3, 4, 5))
        own = ranks(rng, image, rho=0.5)
        tables = {}
        for name in ("predicted", *CONTROLS):
            energy = 0.1 + 0.3 * (own + ranks(rng, image, rho=0.5)) / 2
            energy[rng.random(len(energy)) < 0.1] = np.nan
            tables[name, UNTOUCHED] = pd.DataFrame({"energy_in_box": energy})
        right = {("fixed", UNTOUCHED): own < 0.5}
        outcomes = study(image, group, right, rng=rng, draws=400)
        table = compare_with_controls(MapMeasures(outcomes, tables))
        inside = (table["ci_low"] <= 0) & (table["ci_high"] >= 0)
        hits.append(inside.groupby(table["size_group"]).mean())
        verdicts = table.groupby("control")["verdict"].agg(set)
        found += (verdicts != {"not decided"}).mean()
    shares = pd.concat(hits, axis=1).mean(axis=1)
    print(f"no excess: covered {shares.round(3).to_dict()}; a verdict in {found / repetitions:.3f}")
    assert shares.between(0.92, 0.98).all()
    assert found / repetitions <= tolerated(0.05, repetitions)
