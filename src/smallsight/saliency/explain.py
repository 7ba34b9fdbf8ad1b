"""Maps of evidence for the predictions of one condition, measured beside their controls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from smallsight.backbones.backbone import Backbone
from smallsight.backbones.feature_store import Features
from smallsight.backbones.features import forward_batches
from smallsight.backbones.resnet import LAYER
from smallsight.evaluation.crossfit import out_of_fold_head
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.splits import Splits, class_indices
from smallsight.imaging.boxes import Box
from smallsight.saliency import gradcam, measures
from smallsight.saliency.grid import Grid, RegionShares, of_box, of_mask

Pictures = Callable[[], np.ndarray]
"""Reads (n, size, size, 3), uint8."""


MEASURED = ("image_id", "ann_id", "condition", "size_group", "predicted", "correct")


class Evidence(NamedTuple):
    """What speaks for one class in each of n pictures.

    Attributes
    ----------
    contributed
        (n, rows, columns): what the pooled layer's cells add to the logit, for and against.
    cams
        (n, cells, cells), 0 or more: the Grad-CAM map of the chosen layer.
    """

    contributed: np.ndarray
    cams: np.ndarray


@dataclass(frozen=True)
class Explainer:
    """How maps are made.

    Attributes
    ----------
    layer
        Whose maps Grad-CAM weighs.
    size
        Width and height of the network's input, in pixels.
    backbone
        The network; a finer layer than the pooled one takes another run of it.
    device
        Where it runs.
    """

    layer: str
    size: int
    backbone: Backbone
    device: torch.device

    def evidence(
        self, maps: np.ndarray, pictures: Pictures, weights: Sequence[np.ndarray]
    ) -> list[Evidence]:
        """Find the evidence for several logits of the same pictures.

        Parameters
        ----------
        maps
            (n, dimensions, rows, columns): those of the pooled layer.
        pictures
            Reads what it was run on; a finer layer alone asks for it.
        weights
            (n, dimensions) each: what makes the logit of the pooled features.
        """
        contributed = [measures.contributions(maps, weight) for weight in weights]
        if self.layer == LAYER:
            cams = [np.maximum(part, 0) for part in contributed]
        else:
            cams = list(
                gradcam.grad_cam(
                    self.backbone,
                    pictures(),
                    np.stack(weights),
                    layer=self.layer,
                    device=self.device,
                )
            )
        return [Evidence(*pair) for pair in zip(contributed, cams, strict=True)]

    def maps(self, pictures: np.ndarray) -> np.ndarray:
        """Run the network: the pooled layer's maps of pictures."""
        maps = forward_batches(self.backbone, pictures, device=self.device, description="maps")
        return np.concatenate([part.cpu().contiguous().numpy() for part in maps])


def explain_condition(
    rows: pd.DataFrame,
    seen: Features,
    *,
    splits: Splits,
    fitted: LinearHeads,
    covers: Sequence[np.ndarray],
    pictures: Pictures,
    explainer: Explainer,
    untrained: Explainer | None,
) -> tuple[np.ndarray, dict[str, pd.DataFrame]]:
    """Explain the first seed's predictions under one condition, and measure the maps.

    Parameters
    ----------
    rows
        These predictions, an instance each in the sample's order, joined to the condition's views.
    seen
        The condition's features, with maps.
    fitted
        Seeds x folds heads, as `Splits.fit` gives them.
    covers, pictures
        As for `measured` and `Explainer.evidence`.
    untrained
        The same with random weights, for a control.

    Returns
    -------
    cams, tables
        The predicted class's maps, and what `measured` makes of these, of the true class's
        (`true_class`) and of those of random weights with the same heads (`random_weights`). The
        table of the predicted class also has the head's bias and the logit of the pooled features.
    """
    place = seen.row[splits.fold_of[0] >= 0]
    named = {"predicted": rows["predicted"], "true_class": rows["category_name"]}
    chosen = {
        name: out_of_fold_head(splits, fitted, class_indices(names, splits.categories))
        for name, names in named.items()
    }
    weights = [weight for weight, _ in chosen.values()]
    evidence = dict(
        zip(chosen, explainer.evidence(seen.maps[place], pictures, weights), strict=True)
    )
    if untrained is not None:
        maps = untrained.maps(pictures())
        evidence["random_weights"] = untrained.evidence(maps, pictures, weights[:1])[0]
    tables = measure_evidence(rows, evidence, covers, size=explainer.size)
    weight, bias = chosen["predicted"]
    logit = (seen.plain[place] * weight).sum(axis=1) + bias
    tables["predicted"] = tables["predicted"].assign(bias=bias, logit=logit)
    return evidence["predicted"].cams, tables


def measure_evidence(
    rows: pd.DataFrame, evidence: Mapping[str, Evidence], covers: Sequence[np.ndarray], *, size: int
) -> dict[str, pd.DataFrame]:
    """Measure all maps of one condition, and what their controls measure.

    Parameters
    ----------
    rows
        n predictions of one condition with box_x, box_y, box_w and box_h in input pixels.
    evidence
        By the name of a map; `predicted` among them.
    covers
        n masks at the input, (size, size), 0 to 255; empty where there is none.
    size
        Width and height of the input, in pixels.

    Returns
    -------
    dict
        By the name of a map, `MEASURED` and what `attention.measure` and `attention.signed_shares`
        find. Beside the given maps, `random_box`: the predicted class's, with object and mask
        anywhere; and `centre`: the centre prior.
    """
    contributed, cams = evidence["predicted"]
    boxes = [
        of_box(Box(*corners), size)
        for corners in rows[["box_x", "box_y", "box_w", "box_h"]].itertuples(index=False)
    ]
    masks = [of_mask(cover) for cover in covers]
    fine, coarse = (Grid(size, part.shape[-1]) for part in (cams, contributed))
    lying = (fine.places(boxes), fine.places(masks), coarse.places(boxes))
    anywhere = (fine.anywhere(boxes), fine.anywhere(masks), coarse.anywhere(boxes))
    nothing = np.full_like(contributed, np.nan)
    centre = np.broadcast_to(measures.centre_prior(cams.shape[-1]), cams.shape)
    found = {name: _measures(one, lying) for name, one in evidence.items()}
    found["random_box"] = _measures(evidence["predicted"], anywhere)
    found["centre"] = _measures(Evidence(nothing, centre), lying)
    named = rows[list(MEASURED)].reset_index(drop=True)
    return {name: named.join(table) for name, table in found.items()}


def _measures(
    evidence: Evidence, places: tuple[RegionShares, RegionShares, RegionShares]
) -> pd.DataFrame:
    box, mask, coarse = places
    table = measures.measure(evidence.cams, box, mask).assign(peak=evidence.cams.max(axis=(1, 2)))
    return table.join(measures.signed_shares(evidence.contributed, coarse))
