"""Saliency maps in closed form, and measures of how much of a map lies on the object."""

import numpy as np
import pandas as pd

from smallsight.saliency.grid import Grid, RegionShares

CENTRE_SPREAD = 0.25
"""Standard deviation of the centre prior, as a share of the input's width."""


def contributions(
    maps: np.ndarray, weight: np.ndarray, shares: np.ndarray | None = None
) -> np.ndarray:
    """Split logits into what each cell of the pooled maps adds.

    A linear head on pooled features sums over cells: the cells' contributions and the head's bias
    add up to the logit. Where all cells count alike, what is left of them above 0 is the Grad-CAM
    map, for the gradient that it weighs channels by is the head's weight over the number of cells
    (Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2; Zhou et al., CAM, CVPR 2016).

    Parameters
    ----------
    maps
        (n, dimensions, rows, columns), float32: what is pooled.
    weight
        (n, dimensions): the weights of one class in each one's head.
    shares
        (n, rows, columns): how much each cell counts in the pooled feature; all alike if None.

    Returns
    -------
    ndarray
        (n, rows, columns), float32, in logits.

    Examples
    --------
    >>> maps = np.array([[[[4, 0]], [[2, 6]]]], np.float32)  # two channels of one row, two columns
    >>> weight = np.array([[3, -1]], np.float32)
    >>> contributions(maps, weight).tolist()
    [[[5.0, -3.0]]]
    >>> float((maps.mean(axis=(2, 3)) * weight).sum())
    2.0
    """
    n, dimensions, rows, columns = maps.shape
    cells = maps.reshape(n, dimensions, rows * columns)
    found = (weight[:, None, :] @ cells).reshape(n, rows, columns)
    return found / np.float32(rows * columns) if shares is None else found * shares


def centre_prior(cells: int) -> np.ndarray:
    """Compute a map that prefers the middle of any picture: (cells, cells), a Gaussian.

    Examples
    --------
    >>> centre_prior(3).round(2).tolist()
    [[0.17, 0.41, 0.17], [0.41, 1.0, 0.41], [0.17, 0.41, 0.17]]
    """
    offset = (np.arange(cells) + 0.5) / cells - 0.5
    bell = np.exp(-((offset / CENTRE_SPREAD) ** 2) / 2)
    return np.outer(bell, bell)


def enlarge(saliency: np.ndarray, size: int) -> np.ndarray:
    """Enlarge maps (n, rows, columns) bilinearly to (n, size, size).

    Examples
    --------
    >>> enlarge(np.array([[[0.0, 1.0], [0.0, 1.0]]]), 4)[0, 0].tolist()
    [0.0, 0.25, 0.75, 1.0]
    """
    enlarging = Grid(size, saliency.shape[-1]).enlarging
    return enlarging @ saliency @ enlarging.T


def measure(saliency: np.ndarray, box: RegionShares, mask: RegionShares) -> pd.DataFrame:
    """Measure how much of each map lies on the object.

    Parameters
    ----------
    saliency
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
        its tolerance, for a map does not resolve positions inside a cell).
        no_evidence: whether the map is 0 everywhere. Energies, lifts and pointing are then empty.

    Examples
    --------
    The brightest of 2 x 2 cells is the one under the object, whose mask is not known:

    >>> from smallsight.imaging.boxes import Box
    >>> from smallsight.saliency.grid import region_of_box
    >>> grid = Grid(size=8, cells=2)
    >>> box, mask = grid.locate([region_of_box(Box(0, 0, 4, 4), 8)]), grid.locate([None])
    >>> table = measure(np.array([[[3.0, 1.0], [0.0, 0.0]]]), box, mask)
    >>> names = ["box_area_share", "energy_in_box", "lift", "pointing_hit", "energy_in_mask"]
    >>> table[names].round(2).iloc[0].tolist()
    [0.25, 0.6, 2.41, 1.0, nan]
    """
    total = saliency.sum(axis=(1, 2), dtype=float)
    known = np.where(total > 0, total, np.nan)
    peaks = saliency == saliency.max(axis=(1, 2), keepdims=True)
    table = pd.DataFrame({"box_area_share": box.area, "mask_area_share": mask.area})
    for name, shares in (("box", box), ("mask", mask)):
        table[f"energy_in_{name}"] = (shares.share * saliency).sum(axis=(1, 2)) / known
    table["lift"] = table["energy_in_box"] / box.area
    table["mask_lift"] = table["energy_in_mask"] / mask.area
    hits = (peaks * box.hit).sum(axis=(1, 2)) / peaks.sum(axis=(1, 2))
    return table.assign(pointing_hit=np.where(total > 0, hits, np.nan), no_evidence=~(total > 0))


def signed_shares(contributed: np.ndarray, box: RegionShares) -> pd.DataFrame:
    """Measure how much of a logit comes from the object, for and against.

    Parameters
    ----------
    contributed
        (n, cells, cells), as `contributions` returns them.
    box
        Where the objects lie on the same cells.

    Returns
    -------
    DataFrame
        logit_in_box, logit_elsewhere: what cells add inside and outside the box, in logits; a cell
        on the edge counts in both, by its share. signed_in_box: the first over the sum of all
        contributions' amounts, -1 to 1; empty where nothing is contributed.

    Examples
    --------
    A box that holds the left of two columns of cells and nothing of the right one:

    >>> share = np.array([[[1.0, 0.0], [1.0, 0.0]]])
    >>> box = RegionShares(share, area=np.array([0.5]), hit=share)
    >>> signed_shares(np.array([[[3.0, -1.0], [-1.0, 3.0]]]), box).iloc[0].to_dict()
    {'logit_in_box': 2.0, 'logit_elsewhere': 2.0, 'signed_in_box': 0.25}
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
