"""Saliency maps of a whole study: each condition's made and measured, then written and drawn."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import read_features
from smallsight.backbones.networks.network import LAST
from smallsight.backbones.networks.weight_sources import random_weights
from smallsight.backbones.networks.weights import Weights
from smallsight.conditions.rendered.names import UNTOUCHED, Condition
from smallsight.conditions.rendered.store import read_masks, read_pictures
from smallsight.conditions.rendered.views import read_views
from smallsight.evaluation.crossfit import heads_for_regime
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.splits import Splits
from smallsight.runtime import files
from smallsight.runtime.parallel import progress
from smallsight.runtime.randomness import derive
from smallsight.saliency import gallery
from smallsight.saliency.explain import ClassMaps, Explainer, explain_condition
from smallsight.saliency.tables import OTHER_MAPS, PREDICTED_CLASS_MAPS
from smallsight.vocabulary import INSTANCE


@dataclass(frozen=True)
class StudyMaps:
    """Saliency maps of one seed's predictions under several conditions.

    Attributes
    ----------
    layer
        Whose maps Grad-CAM weighs.
    readout
        What the heads read.
    size
        Width and height of the network's input, in pixels.
    predictions
        A row per condition and instance of test data: the prediction, its view, and what its map
        measures. The index counts the maps.
    found
        The predicted class's maps by condition, in the order of `predictions`.
    predicted_class
        The columns of `PREDICTED_CLASS_MAPS`, in the same order.
    other_maps
        The columns of `OTHER_MAPS`: a row per map of another kind, condition and instance.
    """

    layer: str
    readout: str
    size: int
    predictions: pd.DataFrame
    found: Mapping[str, ClassMaps]
    predicted_class: pd.DataFrame
    other_maps: pd.DataFrame

    @property
    def pointing(self) -> float:
        """Share of untouched predictions whose map peaks on the object's box."""
        untouched = self.predicted_class["condition"] == UNTOUCHED
        return float(self.predicted_class.loc[untouched, "pointing_hit"].mean())

    def describe(self) -> dict[str, str | float | None]:
        """Describe the maps: layers, sides of cells in input pixels, largest error of a logit.

        The error is how far contributions and bias are from the logit of the features; None where
        the readout reads more than the last layer's maps.
        """
        table, maps = self.predicted_class, next(iter(self.found.values()))
        sums = table["logit_in_box"] + table["logit_elsewhere"] + table["bias"]
        error = float((sums - table["logit"]).abs().max())
        return {
            "layer": self.layer,
            "input_size": self.size,
            "cell": self.size / maps.saliency.shape[-1],
            "last_layer": LAST,
            "last_cell": self.size / maps.contributed.shape[-1],
            "largest_sum_error": error if self.readout in ("scene", "box") else None,
        }


def explain_study(
    predictions: pd.DataFrame,
    conditions: Sequence[Condition],
    *,
    splits: Splits,
    regime: str,
    untouched: LinearHeads,
    weights: Weights,
    layer: str,
    size: int,
    settings: params.Heads,
    seed: int,
    device: torch.device,
    rendered: Path,
    features: Path,
) -> StudyMaps:
    """Explain the first seed's predictions under several conditions, and measure the maps.

    Under the untouched condition, a network of random weights is explained as well.

    Parameters
    ----------
    predictions
        Of the regime and the first seed: `predictions.PREDICTION_COLUMNS`.
    conditions
        Those to explain; all at their families' reference levels, whose maps and masks are kept.
    untouched
        Heads trained on untouched pictures, seeds x folds.
    layer
        The layer whose maps Grad-CAM weighs.
    size
        Width and height of the network's input, in pixels.
    settings
        What the heads read, and how those of other regimes are trained.
    rendered, features
        Folders of all families: `render`'s, and one of `<family>/<level>.npz`.
    """
    drawn = random_weights(weights, derive(seed, "random weights"))
    explainer, untrained = (
        Explainer(layer, settings.readout, size, Backbone(each), device)
        for each in (weights, drawn)
    )
    found: dict[str, ClassMaps] = {}
    tables: dict[str, list[pd.DataFrame]] = defaultdict(list)
    for condition in progress(iter(conditions), total=len(conditions), description="Grad-CAM"):
        level = Path(condition.family) / condition.level
        seen = read_features(features / f"{level}.npz", settings.readout, maps=True)
        rows = predictions[predictions["condition"] == condition.name]
        rows = rows.merge(read_views(rendered, condition), on=INSTANCE)
        found[condition.name], measured = explain_condition(
            rows,
            seen,
            splits=splits,
            fitted=heads_for_regime(
                splits, regime, untouched, seen, settings=settings, device=device
            ),
            covers=read_masks(rendered, condition, rows),
            pictures=partial(read_pictures, rendered / level, rows),
            explainer=explainer,
            untrained=untrained if condition.family == UNTOUCHED else None,
        )
        tables["rows"].append(rows)
        for name, table in measured.items():
            tables[name].append(table)
    whole = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    rows, predicted_class = whole.pop("rows"), whole.pop("predicted")
    new = predicted_class.columns.difference(rows.columns)
    others = pd.concat([table.assign(map=name) for name, table in whole.items()])
    return StudyMaps(
        layer=layer,
        readout=settings.readout,
        size=size,
        predictions=rows.join(predicted_class[new]),
        found=found,
        predicted_class=predicted_class[PREDICTED_CLASS_MAPS.names],
        other_maps=others[OTHER_MAPS.names],
    )


def write_study_maps(
    maps: StudyMaps,
    sources: Mapping[int, str],
    *,
    rendered: Path,
    place: Path,
    folder: Path,
    count: int,
    seed: int,
) -> None:
    """Write all maps as `maps.npz`, what they are as `about.json`, and the galleries.

    The arrays of `maps.npz` are `condition`, names of conditions, and `cams`, (conditions, n,
    cells, cells), float32.

    Parameters
    ----------
    sources
        Where the untouched picture of each image_id lies.
    rendered
        Holds `<family>/<level>/<image_id>_<ann_id>.png`.
    place, folder
        Where the files will be, as tables name them, and an existing folder to write them into.
    count
        Correct, and as many failed, objects shown per size group.
    """
    saliency = [each.saliency for each in maps.found.values()]
    arrays = {"condition": np.array(list(maps.found)), "cams": np.stack(saliency)}
    files.write_arrays(arrays, folder / "maps.npz")
    gallery.write_galleries(
        maps.predictions,
        np.concatenate(saliency),
        sources,
        pictures=rendered,
        place=place,
        folder=folder,
        count=count,
        size=maps.size,
        seed=seed,
    )
    about = maps.describe() | gallery.SCALE
    files.write_text(json.dumps(about, indent=2) + "\n", folder / "about.json")
