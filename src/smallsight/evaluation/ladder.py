"""Predictions of every rung of the ladder and of the baselines below it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.backbones.feature_store import read_features, stored_readouts
from smallsight.conditions.rendered.names import Condition, FamilyFacts
from smallsight.evaluation import baselines
from smallsight.evaluation.crossfit import fit_heads, out_of_fold
from smallsight.evaluation.heads import Heads
from smallsight.evaluation.predictions import predicted_rows
from smallsight.evaluation.rungs import RUNGS, UNFITTED, Rung
from smallsight.evaluation.splits import Splits
from smallsight.evaluation.tables import RUNG_PREDICTIONS
from smallsight.runtime.parallel import map_here


def predict_rungs(
    splits: Splits,
    facts: Mapping[str, FamilyFacts],
    objects: pd.DataFrame,
    *,
    features: Path,
    settings: params.Heads,
    as_it_is: Heads | None = None,
) -> pd.DataFrame:
    """Predict every instance from every rung, by heads of its own on the same folds.

    Parameters
    ----------
    facts
        By family.
    objects
        Every annotated object of the sample's pictures.
    features
        The folder that holds all families' features. A rung whose condition the study lacks, or
        whose readout its network lacks, is left out.
    as_it_is
        What stands in the place of heads where a classifier of the user's own is examined. Nothing
        is fitted then: rungs and baselines that learn are left out.

    Returns
    -------
    DataFrame
        The columns of `RUNG_PREDICTIONS`, the baselines first.
    """
    classes = {}
    if as_it_is is None:
        classes["commonest"] = baselines.commonest_category(splits)
        classes["geometry"] = baselines.box_geometry(splits)
    classes["largest_object"] = baselines.largest_object(splits, objects)
    rungs = {
        rung: one
        for rung in RUNGS
        if as_it_is is None or rung in UNFITTED
        if (one := _condition(rung, facts, features)) is not None
    }

    def predict(pair: tuple[Rung, Condition]) -> np.ndarray:
        rung, condition = pair
        seen = read_features(features, condition, rung.readout)
        fitted = as_it_is or fit_heads(splits, seen, settings=settings)
        return np.nan_to_num(out_of_fold(splits, fitted, seen)).argmax(axis=2)

    found = map_here(predict, list(rungs.items()), description="climbing")
    classes |= {rung.name: one for rung, one in zip(rungs, found, strict=True)}
    return pd.concat(
        [predicted_rows(splits, one, rung=name) for name, one in classes.items()], ignore_index=True
    )[RUNG_PREDICTIONS.names]


def _condition(rung: Rung, facts: Mapping[str, FamilyFacts], features: Path) -> Condition | None:
    """Return the condition whose pictures a rung is given; None where the study lacks it."""
    if rung.family not in facts:
        return None
    for one in facts[rung.family].in_task(rung.task):
        if one.is_reference and rung.readout in stored_readouts(features, one):
            return one
    return None
