"""Grad-CAM maps and what they measure."""

from collections import OrderedDict

import numpy as np
import pandas as pd
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn
from torch.nn import functional

from smallsight.backbones import DIMENSIONS, LAYER
from smallsight.evaluation import Splits
from smallsight.features import Features
from smallsight.geometry import Box
from smallsight.heads import LinearHeads

ATTENTION_COLUMNS = (
    *("image_id", "ann_id", "condition", "size_group", "predicted", "correct"),
    *("energy_in_box", "box_area_share", "lift", "pointing_hit", "no_evidence"),
)


def grad_cam(
    maps: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    targets: np.ndarray,
    *,
    device: torch.device,
) -> np.ndarray:
    """Give Grad-CAM maps of pictures whose last convolutional maps are at hand.

    The maps keep their scale, which pytorch-grad-cam's own result does not: it stretches each to
    0..1 (Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2).

    Parameters
    ----------
    maps
        (n, `DIMENSIONS`, rows, columns), float32: the backbone's.
    weight, bias
        (classes, dimensions) and (classes,): one linear head on the pooled maps.
    targets
        (n,), the class that each map is to explain.

    Returns
    -------
    ndarray
        (n, rows, columns), float32, 0 or more.
    """
    fc = nn.Linear(DIMENSIONS, len(weight))
    fc.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
    # The rest of the network behind the maps; what lies before them has already run.
    stages = {LAYER: nn.Identity(), "avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    tail = nn.Sequential(OrderedDict(stages | {"fc": fc})).to(device)
    layer = tail.get_submodule(LAYER)
    inputs = torch.from_numpy(maps).to(device).requires_grad_()
    wanted = [ClassifierOutputTarget(int(target)) for target in targets]
    with GradCAM(tail, [layer]) as cam:
        cam(inputs, wanted)
        kept = cam.activations_and_grads
        activations, gradients = (
            part[0].cpu().numpy() for part in (kept.activations, kept.gradients)
        )
        return np.maximum(cam.get_cam_image(inputs, layer, wanted, activations, gradients), 0)


def out_of_fold_cams(
    splits: Splits,
    fitted: LinearHeads,
    features: Features,
    targets: np.ndarray,
    *,
    device: torch.device,
) -> np.ndarray:
    """Give the Grad-CAM map of each instance that is the first seed's test data, by its own head.

    Parameters
    ----------
    fitted
        Seeds x folds heads, as `Splits.fit` gives them.
    features
        Of one condition, with its maps.
    targets
        (n,), the class that each map is to explain, one per instance of test data.

    Returns
    -------
    ndarray
        (n, rows, columns), float32, 0 or more.
    """
    tested = np.flatnonzero(splits.fold_of[0] >= 0)
    cams = np.empty((len(tested), *features.maps.shape[2:]), np.float32)
    for fold in range(splits.folds):
        chosen = splits.fold_of[0, tested] == fold
        maps = features.maps[features.row[tested[chosen]]]
        weight, bias = fitted.weight[fold], fitted.bias[fold]
        cams[chosen] = grad_cam(maps, weight, bias, targets[chosen], device=device)
    return cams


def enlarge(cams: np.ndarray, size: int) -> np.ndarray:
    """Enlarge maps (n, rows, columns) bilinearly to (n, size, size)."""
    small = torch.from_numpy(cams)[:, None]
    return functional.interpolate(small, (size, size), mode="bilinear")[:, 0].numpy()


def measure(cams: np.ndarray, boxes: pd.DataFrame, *, size: int) -> pd.DataFrame:
    """Measure how much of each map lies on the object.

    Parameters
    ----------
    cams
        (n, rows, columns), 0 or more.
    boxes
        n rows of box_x, box_y, box_w, box_h in input pixels.
    size
        Width and height of the network's input.

    Returns
    -------
    DataFrame
        energy_in_box: share of the enlarged map's sum that lies in the box, 0..1.
        box_area_share: the box's share of the input, 0..1.
        lift: the first over the second; 1 is what an even map has.
        pointing_hit: whether the map's greatest value lies in the box (Zhang et al., Excitation
        Backprop, IJCV 2018).
        no_evidence: whether the map is 0 everywhere. The three others are then empty.
    """
    rows = []
    corners = boxes[["box_x", "box_y", "box_w", "box_h"]].itertuples(index=False)
    for cam, corner in zip(cams, corners, strict=True):
        full = enlarge(cam[None], size)[0]
        box = Box(*corner)
        inside = box.touched_pixels(size, size)
        total = float(full.sum())
        row = {"box_area_share": full[inside].size / size**2, "no_evidence": total == 0}
        if total > 0:
            row["energy_in_box"] = float(full[inside].sum()) / total
            row["lift"] = row["energy_in_box"] / row["box_area_share"]
            peak = np.unravel_index(full.argmax(), full.shape)
            row["pointing_hit"] = all(
                side.start <= at < side.stop for side, at in zip(inside, peak, strict=True)
            )
        rows.append(row)
    columns = ["energy_in_box", "box_area_share", "lift", "pointing_hit", "no_evidence"]
    return pd.DataFrame(rows, index=boxes.index).reindex(columns=columns)
