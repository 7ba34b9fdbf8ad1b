"""Saliency maps for the predictions of one condition, measured beside their controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
import torch

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.facts import LAST
from smallsight.backbones.feature_store import Features
from smallsight.backbones.features import BOX, batches, passes
from smallsight.backbones.pooling import cell_shares
from smallsight.backbones.reader import Opener
from smallsight.backbones.readouts import on_last_layer
from smallsight.backbones.tensor_reader import TorchReader
from smallsight.backbones.trunk_file import TrunkFile
from smallsight.classifiers.mapping import OTHER
from smallsight.conditions.rendered.store import Pictures
from smallsight.evaluation.crossfit import out_of_fold_head
from smallsight.evaluation.heads import Heads, LinearHeads
from smallsight.evaluation.splits import Splits, class_indices
from smallsight.imaging.boxes import Box
from smallsight.saliency import measures
from smallsight.saliency.grid import Grid, RegionShares, region_of_box, region_of_mask

AT_ONCE = 256
"""Predictions whose maps are in memory together."""

PREDICTION = ("image_id", "ann_id", "condition", "size_group", "predicted", "correct", "task")
"""Columns that say which prediction a map explains."""


class ClassMaps(NamedTuple):
    """Maps for one class in each of n pictures.

    Attributes
    ----------
    contributed
        (n, rows, columns): what the last layer's cells add to the logit, for and against; NaN
        where they do not add up to it.
    saliency
        (n, cells, cells), 0 or more: the Grad-CAM map of the chosen layer.
    """

    contributed: np.ndarray
    saliency: np.ndarray


class Explainer(Protocol):
    """How maps are made."""

    @property
    def layer(self) -> str:
        """What the layer is called whose maps Grad-CAM weighs."""

    @property
    def size(self) -> int:
        """Width and height of the network's input, in pixels."""

    @property
    def is_sum(self) -> bool:
        """Whether what the last layer's cells add, and a bias, sum to the logit."""

    def class_maps(
        self,
        maps: np.ndarray,
        pictures: Pictures,
        boxes: np.ndarray,
        weights: Sequence[np.ndarray],
    ) -> list[ClassMaps]:
        """Compute maps for several logits of the same pictures.

        Parameters
        ----------
        maps
            (n, dimensions, rows, columns): the last layer's.
        pictures
            What it was run on; read where the maps do not follow from the last layer's.
        boxes
            (n, 4): the objects' left, top, width and height, in input pixels.
        weights
            (n, length of a feature) each: what makes the logit of the features.
        """

    def bias(self, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """Return (n,): what is added to the cells' sum; NaN where they are no sum.

        Parameters
        ----------
        weight, bias
            (n, length of a feature) and (n,): what makes the logit of the features.
        """


@dataclass(frozen=True)
class HeadExplainer:
    """How maps of heads on a frozen backbone are made.

    Attributes
    ----------
    layer
        The layer whose maps Grad-CAM weighs.
    readout
        What the heads read.
    size
        Width and height of the network's input, in pixels.
    backbone
        The network; a finer layer than the last one takes another run of it.
    device
        Where it runs.
    opener
        Opens what runs it where no gradients are asked for; torch where nothing is said.
    """

    layer: str
    readout: str
    size: int
    backbone: Backbone
    device: torch.device
    opener: Opener | None = None

    def class_maps(
        self,
        maps: np.ndarray,
        pictures: Pictures,
        boxes: np.ndarray,
        weights: Sequence[np.ndarray],
    ) -> list[ClassMaps]:
        """Compute maps for several logits of the same pictures; see `Explainer`."""
        direct = [on_last_layer(weight, self.readout, maps.shape[1]) for weight in weights]
        known = [weight for weight in direct if weight is not None]
        even = [measures.contributions(maps, weight) for weight in known]
        if self.readout == "scene":
            contributed = even
        elif known:
            shares = cell_shares(boxes, cells=maps.shape[-1], size=self.size)
            contributed = [measures.contributions(maps, weight, shares) for weight in known]
        else:
            contributed = [np.full_like(maps[:, 0], np.nan) for _ in weights]
        if self.layer == LAST and known:
            saliency = [np.maximum(part, 0) for part in even]
        else:
            # Imported late: its library takes a second, and the last layer's maps do without.
            from smallsight.saliency.gradcam import grad_cam

            saliency = list(
                grad_cam(
                    self.backbone,
                    pictures.read(),
                    boxes,
                    np.stack(weights),
                    layer=self.layer,
                    readout=self.readout,
                    device=self.device,
                )
            )
        return [ClassMaps(*pair) for pair in zip(contributed, saliency, strict=True)]

    @property
    def is_sum(self) -> bool:
        """Whether what the last layer's cells add, and the bias, sum to the logit."""
        return self.readout in ("scene", "box")

    def bias(self, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """Return the head's bias; see `Explainer`."""
        return bias

    def last_maps(self, pictures: Pictures) -> np.ndarray:
        """Run the network on pictures; return the last layer's maps."""
        nowhere, row = np.zeros((len(pictures), 4)), np.arange(len(pictures))
        opener = self.opener or (lambda: TorchReader(self.backbone, self.device))
        found = passes(opener, pictures.read, nowhere, row, keep_maps=True, description="maps")
        return np.concatenate([plain[LAST] for plain, _ in found])


def trained_and_untrained(
    trunk: TrunkFile, seed: int, *, layer: str, readout: str, device: torch.device
) -> tuple[HeadExplainer, HeadExplainer]:
    """Return what explains heads on a frozen backbone, and on one of random weights, a control."""
    drawn = replace(trunk, untrained_seed=seed)
    return (
        HeadExplainer(layer, readout, trunk.size, Backbone(trunk.weights()), device),
        HeadExplainer(layer, readout, trunk.size, Backbone(drawn.weights()), device, drawn),
    )


def explain_condition(
    rows: pd.DataFrame,
    seen: Features,
    *,
    splits: Splits,
    fitted: Heads,
    covers: Sequence[np.ndarray],
    pictures: Pictures,
    explainer: Explainer,
    untrained: HeadExplainer | None,
) -> tuple[ClassMaps, dict[str, pd.DataFrame]]:
    """Explain the first seed's predictions under one condition, and measure the maps.

    Parameters
    ----------
    rows
        These predictions, an instance each in the sample's order, joined to the condition's views.
    seen
        The condition's features, with maps.
    fitted
        Seeds x folds heads, as `crossfit.fit_heads` returns them, or what stands in their place.
    covers
        As for `measure_class_maps`.
    pictures
        Those of the rows.
    untrained
        The same with random weights, for a control; None where there is none.

    Returns
    -------
    ClassMaps
        The predicted class's.
    dict
        By the name of a map, the tables of `measure_class_maps`: for the predicted class
        (`predicted`), the true class (`true_class`), random weights with the heads of the
        predicted class (`random_weights`), and its controls. The table of the predicted class also
        has `bias`, of the head, and `logit`, of the pooled features.
    """
    is_test = splits.fold_of[0] >= 0
    plain, row, boxes = seen.plain[is_test], seen.row[is_test], rows[BOX].to_numpy(float)
    named = {"predicted": rows["predicted"], "true_class": rows["category_name"]}
    known = (*splits.categories, OTHER)
    chosen = {
        name: _logit(splits, fitted, plain, class_indices(names, known))
        for name, names in named.items()
    }
    parts: list[tuple[ClassMaps, dict[str, pd.DataFrame]]] = []
    for place in batches(len(rows), AT_ONCE):
        here, own = seen.maps[row[place]], pictures.part(place)
        weights = [weight[place] for weight, _ in chosen.values()]
        made = explainer.class_maps(here, own, boxes[place], weights)
        found = dict(zip(chosen, made, strict=True))
        if untrained is not None:
            drawn = untrained.last_maps(own)
            one = untrained.class_maps(drawn, own, boxes[place], weights[:1])
            found["random_weights"] = one[0]
        measured = measure_class_maps(rows.iloc[place], found, covers[place], size=explainer.size)
        parts.append((found["predicted"], measured))
    tables = {
        name: pd.concat([measured[name] for _, measured in parts], ignore_index=True)
        for name in parts[0][1]
    }
    weight, bias = chosen["predicted"]
    logit = (plain * weight).sum(axis=1) + bias
    added = explainer.bias(weight, bias)
    tables["predicted"] = tables["predicted"].assign(bias=added, logit=logit)
    shown = zip(*(one for one, _ in parts), strict=True)
    return ClassMaps(*map(np.concatenate, shown)), tables


def _logit(
    splits: Splits, fitted: Heads, plain: np.ndarray, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what makes one logit of each of n features: weights, and what is added.

    A category of a user's own classifier stands for several classes: it is the logit of the one
    among them that has the largest.
    """
    if isinstance(fitted, LinearHeads):
        return out_of_fold_head(splits, fitted, classes)
    own = fitted.leading(plain, classes)
    return np.eye(plain.shape[1], dtype=np.float32)[own], np.zeros(len(own), np.float32)


def measure_class_maps(
    rows: pd.DataFrame,
    found: Mapping[str, ClassMaps],
    covers: Sequence[np.ndarray],
    *,
    size: int,
) -> dict[str, pd.DataFrame]:
    """Measure all maps of one condition, and what their controls measure.

    Parameters
    ----------
    rows
        n predictions of one condition with box_x, box_y, box_w and box_h in input pixels.
    found
        By the name of a map; `predicted` among them.
    covers
        n masks at the input, (size, size), 0 to 255; empty where there is none.
    size
        Width and height of the input, in pixels.

    Returns
    -------
    dict
        By the name of a map, a table of `PREDICTION`, the columns of `measures.measure` and
        `measures.signed_shares`, and `peak`, the greatest value of the map. Beside the given maps,
        `random_box`: the predicted class's, averaged over all positions of object and mask; and
        `centre`: the centre prior.
    """
    contributed, saliency = found["predicted"]
    boxes = [region_of_box(Box(*corners), size) for corners in rows[BOX].itertuples(index=False)]
    masks = [region_of_mask(cover) for cover in covers]
    fine, coarse = (Grid(size, part.shape[-1]) for part in (saliency, contributed))
    there = (fine.locate(boxes), fine.locate(masks), coarse.locate(boxes))
    averaged = (
        fine.averaged_over_positions(boxes),
        fine.averaged_over_positions(masks),
        coarse.averaged_over_positions(boxes),
    )
    nothing = np.full_like(contributed, np.nan)
    centre = np.broadcast_to(measures.centre_prior(saliency.shape[-1]), saliency.shape)
    measured = {name: _measure(one, there) for name, one in found.items()}
    measured["random_box"] = _measure(found["predicted"], averaged)
    measured["centre"] = _measure(ClassMaps(nothing, centre), there)
    named = rows[list(PREDICTION)].reset_index(drop=True)
    return {name: named.join(table) for name, table in measured.items()}


def _measure(
    found: ClassMaps, shares: tuple[RegionShares, RegionShares, RegionShares]
) -> pd.DataFrame:
    """Measure maps by the shares of boxes and masks on fine cells, and of boxes on pooled ones."""
    box, mask, coarse_box = shares
    table = measures.measure(found.saliency, box, mask)
    table = table.assign(peak=found.saliency.max(axis=(1, 2)))
    return table.join(measures.signed_shares(found.contributed, coarse_box))
