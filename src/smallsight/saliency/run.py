"""Saliency maps of a whole study: each condition's made and measured, then written and drawn."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.backbones.facts import LAST
from smallsight.backbones.feature_store import read_features
from smallsight.conditions.rendered.names import UNTOUCHED, Condition
from smallsight.conditions.rendered.store import Pictures, picture_name, read_masks
from smallsight.conditions.rendered.views import read_views
from smallsight.evaluation.crossfit import heads_for_regime
from smallsight.evaluation.heads import Heads
from smallsight.evaluation.splits import Splits
from smallsight.runtime import files
from smallsight.runtime.parallel import progress
from smallsight.saliency import gallery
from smallsight.saliency.explain import ClassMaps, Explainer, HeadExplainer, explain_condition
from smallsight.saliency.tables import GALLERY, MAP_LIST, OTHER_MAPS, PREDICTED_CLASS_MAPS, STRIPS
from smallsight.vocabulary import HEADLINE_TASK, INSTANCE


@dataclass(frozen=True)
class StudyMaps:
    """Saliency maps of one seed's predictions under several conditions.

    Attributes
    ----------
    layer
        Whose maps Grad-CAM weighs.
    is_sum
        Whether what the last layer's cells add, and the bias, sum to the logit.
    size
        Width and height of the network's input, in pixels.
    predictions
        A row per task, condition and instance of test data: the prediction, its view, the path of
        its picture, and what its map measures.
    found
        The predicted class's maps by task and condition, in the order of `predictions`.
    predicted_class
        The columns of `PREDICTED_CLASS_MAPS`, in the same order.
    other_maps
        The columns of `OTHER_MAPS`: a row per map of another kind, task, condition and instance.
    """

    layer: str
    is_sum: bool
    size: int
    predictions: pd.DataFrame
    found: Mapping[tuple[str, str], ClassMaps]
    predicted_class: pd.DataFrame
    other_maps: pd.DataFrame

    def pointing(self, task: str) -> float:
        """Return the share of a task's untouched predictions whose map peaks on the object."""
        table = self.predicted_class
        untouched = (table["task"] == task) & (table["condition"] == UNTOUCHED)
        return float(table.loc[untouched, "pointing_hit"].mean())

    def describe(self) -> dict[str, str | float | None]:
        """Describe the maps: layers, sides of cells in input pixels, largest error of a logit.

        The error is how far contributions and bias are from the logit of the features; None where
        there is no such sum.
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
            "largest_sum_error": error if self.is_sum else None,
        }


def explain_study(
    predictions: pd.DataFrame,
    conditions: Sequence[Condition],
    *,
    splits: Splits,
    regime: str,
    untouched: Mapping[str, Heads],
    explainer: Explainer,
    untrained: HeadExplainer | None,
    settings: params.Heads,
    rendered: Path,
    features: Path,
) -> StudyMaps:
    """Explain the first seed's predictions under several conditions, and measure the maps.

    Parameters
    ----------
    predictions
        Of the regime and the first seed: the columns of `evaluation.tables.PREDICTIONS`.
    conditions
        Those to explain, in order; all at their families' reference levels, whose maps and masks
        are kept.
    untouched
        By task, heads trained on its untouched pictures, seeds x folds, or what stands in their
        place.
    explainer
        Makes the maps.
    untrained
        The same with random weights, which is explained as well under the untouched conditions;
        None where there is none.
    settings
        What the heads read, and how those of other regimes are trained.
    rendered, features
        Folders of all families: `render`'s, and that of their features.
    """
    found: dict[tuple[str, str], ClassMaps] = {}
    tables: dict[str, list[pd.DataFrame]] = defaultdict(list)
    for condition in progress(iter(conditions), total=len(conditions), description="Grad-CAM"):
        key = condition.task, condition.name
        seen = read_features(features, condition, settings.readout, maps=True)
        chosen = (predictions["task"] == key[0]) & (predictions["condition"] == key[1])
        rows = predictions[chosen].merge(read_views(rendered, condition), on=INSTANCE)
        folder = rendered / condition.folder
        found[key], measured = explain_condition(
            rows,
            seen,
            splits=splits,
            fitted=heads_for_regime(
                splits, regime, untouched[condition.task], seen, settings=settings
            ),
            covers=read_masks(rendered, condition, rows),
            pictures=Pictures(folder, rows[INSTANCE]),
            explainer=explainer,
            untrained=untrained if condition.family == UNTOUCHED else None,
        )
        names = [picture_name(*instance) for instance in rows[INSTANCE].to_numpy()]
        tables["rows"].append(rows.assign(picture=[(folder / name).as_posix() for name in names]))
        for name, table in measured.items():
            tables[name].append(table)
    whole = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    rows, predicted_class = whole.pop("rows"), whole.pop("predicted")
    new = predicted_class.columns.difference(rows.columns)
    others = pd.concat([table.assign(map=name) for name, table in whole.items()])
    return StudyMaps(
        layer=explainer.layer,
        is_sum=explainer.is_sum,
        size=explainer.size,
        predictions=rows.join(predicted_class[new]),
        found=found,
        predicted_class=predicted_class[PREDICTED_CLASS_MAPS.names],
        other_maps=others[OTHER_MAPS.names],
    )


def write_study_maps(
    maps: StudyMaps,
    sources: Mapping[int, str],
    *,
    place: Path,
    folder: Path,
    count: int,
    seed: int,
) -> None:
    """Write the maps that are shown as `maps.npz`, what they are as `about.json`, the galleries.

    Shown are the untouched pictures of all tasks, and every condition of the headline task. The
    arrays of `maps.npz` are `task` and `condition`, their names, and `cams`, (conditions, n, cells,
    cells), float32.

    Parameters
    ----------
    sources
        Where the untouched picture of each image_id lies.
    place, folder
        Where the files will be, as tables name them, and an existing folder to write them into.
    count
        Objects shown per size group whose whole pictures are correct, and as many that failed.
    """
    rows = maps.predictions
    is_shown = (rows["task"] == HEADLINE_TASK) | (rows["condition"] == UNTOUCHED)
    shown = rows[is_shown].reset_index(drop=True)
    keys = list(dict.fromkeys(zip(shown["task"], shown["condition"], strict=True)))
    saliency = np.stack([maps.found[key].saliency for key in keys])
    tasks, names = (np.array(part) for part in zip(*keys, strict=True))
    arrays = {"task": tasks, "condition": names, "cams": saliency}
    files.write_arrays(arrays, folder / "maps.npz")
    gallery.write_galleries(
        shown,
        saliency.reshape(-1, *saliency.shape[2:]),
        sources,
        place=place,
        folder=folder,
        count=count,
        size=maps.size,
        seed=seed,
    )
    about = maps.describe() | gallery.SCALE
    files.write_text(json.dumps(about, indent=2) + "\n", folder / "about.json")


def write_no_maps(*, folder: Path) -> None:
    """Write what `write_study_maps` writes where there are no maps: the same files, without rows.

    Parameters
    ----------
    folder
        An existing folder.
    """
    for table in (GALLERY, STRIPS, MAP_LIST):
        files.write_table(table.empty(), folder / f"{table.name}.csv")
    nothing = np.array([], str)
    arrays = {"task": nothing, "condition": nothing, "cams": np.zeros((0, 1, 1), np.float32)}
    files.write_arrays(arrays, folder / "maps.npz")
    about: dict[str, object] = {
        "layer": "",
        "input_size": None,
        "cell": None,
        "last_layer": LAST,
        "last_cell": None,
    }
    about |= {"largest_sum_error": None} | gallery.SCALE
    files.write_text(json.dumps(about, indent=2) + "\n", folder / "about.json")
