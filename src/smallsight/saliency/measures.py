"""What maps of evidence measure: how much of it lies on the object, beside what chance gives."""

import numpy as np
import pandas as pd

from smallsight.saliency.grid import Grid, RegionShares

ATTENTION_COLUMNS = (
    *("image_id", "ann_id", "condition", "size_group", "predicted", "correct"),
    *("energy_in_box", "box_area_share", "lift", "pointing_hit", "no_evidence"),
    *("energy_in_mask", "mask_area_share", "mask_lift", "signed_in_box"),
    *("logit_in_box", "logit_elsewhere", "bias", "logit"),
)
"""Of the table of the predicted class's maps."""


MAP_COLUMNS = (
    *("map", "image_id", "ann_id", "condition", "size_group", "correct"),
    *("energy_in_box", "box_area_share", "lift", "pointing_hit", "no_evidence"),
    *("energy_in_mask", "mask_area_share", "mask_lift", "signed_in_box"),
)
"""Of the table of all other maps, and of the same maps with the object elsewhere."""


CENTRE_SPREAD = 0.25
"""Standard deviation of the centre prior, as a share of the input's width."""


def contributions(maps: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Split logits into what each cell of the pooled maps adds.

    A linear head on pooled features sums over cells: the cells' contributions and the head's bias
    add up to the logit. What is left of them above 0 is the Grad-CAM map, for the gradient that it
    weighs channels by is the head's weight over the number of cells (Selvaraju et al., Grad-CAM,
    ICCV 2017, equations 1 and 2; Zhou et al., CAM, CVPR 2016).

    Parameters
    ----------
    maps
        (n, dimensions, rows, columns), float32: what is pooled.
    weight
        (n, dimensions): the weights of one class in each one's head.

    Returns
    -------
    ndarray
        (n, rows, columns), float32, in logits.
    """
    n, dimensions, rows, columns = maps.shape
    cells = maps.reshape(n, dimensions, rows * columns)
    return (weight[:, None, :] @ cells).reshape(n, rows, columns) / np.float32(rows * columns)


def centre_prior(cells: int) -> np.ndarray:
    """Give the map of one who always looks at the middle: (cells, cells), a Gaussian."""
    offset = (np.arange(cells) + 0.5) / cells - 0.5
    bell = np.exp(-((offset / CENTRE_SPREAD) ** 2) / 2)
    return np.outer(bell, bell)


def enlarge(cams: np.ndarray, size: int) -> np.ndarray:
    """Enlarge maps (n, rows, columns) bilinearly to (n, size, size)."""
    enlarging = Grid(size, cams.shape[-1]).enlarging
    return enlarging @ cams @ enlarging.T


def measure(cams: np.ndarray, box: RegionShares, mask: RegionShares) -> pd.DataFrame:
    """Measure how much of each map lies on the object.

    Parameters
    ----------
    cams
        (n, cells, cells), 0 or more.
    box, mask
        Where the objects lie.

    Returns
    -------
    DataFrame
        energy_in_box, energy_in_mask: share of the map's sum that lies on the object, 0 to 1, the
        map enlarged bilinearly to the input.
        box_area_share, mask_area_share: the object's share of the input, 0 to 1.
        lift, mask_lift: the first over the second; 1 is what an even map has.
        pointing_hit: whether the cell of the greatest value touches the box; the mean over several
        such cells (the pointing game of Zhang et al., Excitation Backprop, IJCV 2018; the cell is
        its tolerance, for a map tells no place inside a cell from another).
        no_evidence: whether the map is 0 everywhere. Energies, lifts and pointing are then empty.
    """
    total = cams.sum(axis=(1, 2), dtype=float)
    known = np.where(total > 0, total, np.nan)
    peaks = cams == cams.max(axis=(1, 2), keepdims=True)
    table = pd.DataFrame({"box_area_share": box.area, "mask_area_share": mask.area})
    for name, place in (("box", box), ("mask", mask)):
        table[f"energy_in_{name}"] = (place.share * cams).sum(axis=(1, 2)) / known
    table["lift"] = table["energy_in_box"] / box.area
    table["mask_lift"] = table["energy_in_mask"] / mask.area
    hits = (peaks * box.hit).sum(axis=(1, 2)) / peaks.sum(axis=(1, 2))
    return table.assign(pointing_hit=np.where(total > 0, hits, np.nan), no_evidence=~(total > 0))


def signed_shares(contributed: np.ndarray, box: RegionShares) -> pd.DataFrame:
    """Say how much of a logit comes from the object, for and against.

    Parameters
    ----------
    contributed
        (n, cells, cells), as `contributions` gives them.
    box
        Where the objects lie on the same cells.

    Returns
    -------
    DataFrame
        logit_in_box, logit_elsewhere: what cells add inside and outside the box, in logits; a cell
        on the edge counts in both, by its share. signed_in_box: the first over the sum of all
        contributions' amounts, -1 to 1; empty where nothing is contributed.
    """
    inside = (box.share * contributed).sum(axis=(1, 2))
    amount = np.abs(contributed).sum(axis=(1, 2), dtype=float)
    return pd.DataFrame(
        {
            "logit_in_box": inside,
            "logit_elsewhere": contributed.sum(axis=(1, 2), dtype=float) - inside,
            "signed_in_box": inside / np.where(amount > 0, amount, np.nan),
        }
    )
