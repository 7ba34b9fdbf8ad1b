"""Remedies that change what the network sees, and need nothing else."""

from collections.abc import Callable, Hashable, Mapping
from typing import cast

import numpy as np
from skimage import exposure, filters, util

from smallsight.backbones.features import batches
from smallsight.backbones.reader import Opener
from smallsight.backbones.tensor_reader import TorchReader
from smallsight.classifiers.mapping import ClassMapping
from smallsight.imaging.boxes import Box
from smallsight.remedies.bench import ENOUGH, MAPS_AT_ONCE, Bench, Cut, ImpossibleError, Look
from smallsight.remedies.facts import Needs
from smallsight.remedies.remedy import Answer, Remedy, cost
from smallsight.vocabulary import HEADLINE_TASK, SCENE

IN_BOTH: Mapping[str, Needs] = {SCENE: "nothing", HEADLINE_TASK: "box"}
"""In the object task, the window already takes the object's box."""

IN_SCENE: Mapping[str, Needs] = {SCENE: "nothing"}

ZOOMS = (1.5, 2.0)
"""How many times narrower and lower than the picture the windows of `zoom` are."""

GUIDED_ZOOM = 2.0
"""The same of the window of `guided_zoom`."""

TILE = 0.6
"""Width and height of a tile, over those of the picture: four overlap by a fifth."""

FACTORS = (1.25, 1.5, 2.0)
"""How many times as wide and high as the study's the larger inputs are."""


def as_it_is(picture: np.ndarray, number: int) -> list[np.ndarray]:
    """Show the picture as it is."""
    return [picture]


def mirrored(picture: np.ndarray, number: int) -> list[np.ndarray]:
    """Show the picture's mirror image."""
    return [picture[:, ::-1]]


def both_ways(picture: np.ndarray, number: int) -> list[np.ndarray]:
    """Show the picture and its mirror image."""
    return [picture, picture[:, ::-1]]


def centre_windows(picture: np.ndarray, number: int) -> list[np.ndarray]:
    """Show windows at the picture's centre, one for each of `ZOOMS`.

    Examples
    --------
    >>> [window.shape for window in centre_windows(np.zeros((60, 90, 3)), 0)]
    [(40, 60, 3), (30, 45, 3)]
    """
    height, width = picture.shape[:2]
    whole = Box(0, 0, width, height)
    return [picture[whole.shrunk_to(1 / zoom).pixels()] for zoom in ZOOMS]


def tiles(picture: np.ndarray, number: int) -> list[np.ndarray]:
    """Show four overlapping tiles, one at each corner.

    Examples
    --------
    >>> [tile[0, 0] for tile in tiles(np.arange(100).reshape(10, 10), 0)]
    [np.int64(0), np.int64(4), np.int64(40), np.int64(44)]
    """
    height, width = (max(round(TILE * size), 1) for size in picture.shape[:2])
    return [
        part
        for rows in (picture[:height], picture[-height:])
        for part in (rows[:, :width], rows[:, -width:])
    ]


def window_at_peak(evidence: np.ndarray, *, width: int, height: int) -> Box:
    """Return the window of `guided_zoom`: round the cell of most evidence, inside the picture.

    Parameters
    ----------
    evidence
        (rows, columns), the map of the predicted class.
    width, height
        Those of the picture, in pixels.

    Examples
    --------
    >>> evidence = np.zeros((4, 4))
    >>> evidence[0, 2] = 1.0
    >>> window_at_peak(evidence, width=80, height=40)
    Box(x=30.0, y=0, w=40.0, h=20.0)
    """
    rows, columns = evidence.shape
    row, column = divmod(int(evidence.argmax()), columns)
    across, down = (max(size / GUIDED_ZOOM, 1) for size in (width, height))
    left = (column + 0.5) / columns * width - across / 2
    top = (row + 0.5) / rows * height - down / 2
    return Box(min(max(left, 0), width - across), min(max(top, 0), height - down), across, down)


def sharpened(picture: np.ndarray) -> np.ndarray:
    """Sharpen a picture, uint8, by an unsharp mask of radius 1 and amount 1."""
    # Counted from the back, scikit-image 0.26 does not find the axis and leaves channels unset.
    found = filters.unsharp_mask(picture, radius=1, amount=1, channel_axis=2, preserve_range=True)
    return np.clip(np.rint(found), 0, 255).astype(np.uint8)


def equalised(picture: np.ndarray) -> np.ndarray:
    """Equalise a picture's brightness, uint8, by CLAHE with scikit-image's own settings.

    Contrast limited adaptive histogram equalisation: Zuiderveld, Graphics Gems IV, 1994.
    """
    return util.img_as_ubyte(exposure.equalize_adapthist(picture))


def flip(bench: Bench, task: str) -> Answer:
    """Average the logits of the picture and of its mirror image."""
    plain = bench.logits(bench.heads(task), bench.stored(task).plain)
    is_stored = bench.mapping is None
    look = bench.look(task, mirrored, most=ENOUGH if is_stored else None)
    there = bench.stored(task).mirrored if is_stored else features_of(bench, task, look)
    turned = bench.logits(bench.heads(task), there)
    return Answer((plain + turned) / 2, *cost(look, inputs=1, plain=1))


def zoom(bench: Bench, task: str) -> Answer:
    """Average the logits of the picture and of windows at its centre."""
    return _averaged(bench, task, bench.look(task, centre_windows))


def tiles_mean(bench: Bench, task: str) -> Answer:
    """Average the logits of the picture and of its tiles."""
    return _averaged(bench, task, _look_at_tiles(bench, task))


def tiles_maximum(bench: Bench, task: str) -> Answer:
    """Take each class's largest logit of the picture and of its tiles."""
    return _averaged(bench, task, _look_at_tiles(bench, task), over=np.max)


def unsharp_mask(bench: Bench, task: str) -> Answer:
    """Sharpen the input."""
    return _instead(bench, task, bench.look(task, as_it_is, finish=sharpened))


def clahe(bench: Bench, task: str) -> Answer:
    """Equalise the input."""
    return _instead(bench, task, bench.look(task, as_it_is, finish=equalised))


def guided_zoom(bench: Bench, task: str) -> Answer:
    """Average the logits of the picture and of a window where its own map has its peak."""
    row = bench.row(task)
    peaks = peak_cells(bench, task)
    wanted = [sorted({int(cell) for cell in peaks[:, row == number].flat})
              for number in range(row.max() + 1)]  # fmt: skip
    shape = bench.maps(task).shape[-2:]

    def cut(picture: np.ndarray, number: int) -> list[np.ndarray]:
        height, width = picture.shape[:2]
        found = []
        for cell in wanted[number]:
            evidence = np.zeros(shape)
            evidence.flat[cell] = 1.0
            found.append(picture[window_at_peak(evidence, width=width, height=height).pixels()])
        return found

    look = bench.look(task, cut)
    whole = bench.logits(bench.heads(task), bench.stored(task).plain)
    zoomed = np.empty_like(whole)
    for seed, cells in enumerate(peaks):
        plain = np.stack([
            look.features[number][wanted[number].index(int(cell))]
            for number, cell in zip(row, cells, strict=True)
        ])  # fmt: skip
        zoomed[seed] = bench.logits(bench.heads(task), plain)[seed]
    return Answer((whole + zoomed) / 2, *cost(look, inputs=1, plain=1))


def peak_cells(bench: Bench, task: str) -> np.ndarray:
    """(seeds, n), the cell of most evidence for what the head that left an instance out names."""
    maps = bench.maps(task)
    row = bench.stored(task).row
    fitted, splits = bench.heads(task), bench.splits
    plain = bench.stored(task).plain
    named = np.nan_to_num(bench.logits(fitted, plain)).argmax(axis=2)
    if isinstance(fitted, ClassMapping):
        chosen = [_last_layer(bench)[fitted.leading(plain, named[0])]]
    else:
        weight = fitted.weight.reshape(len(splits.seeds), splits.folds, *fitted.weight.shape[1:])
        chosen = [weight[seed, splits.fold_of[seed], classes] for seed, classes in enumerate(named)]
    cells = np.empty((len(chosen), len(row)), np.int64)
    for place in batches(len(row), MAPS_AT_ONCE):
        here = maps[row[place]]
        for seed, weights in enumerate(chosen):
            cells[seed, place] = _peaks(weights[place], here)
    return cells


def _last_layer(bench: Bench) -> np.ndarray:
    """Return the weights, (classes, dimensions), of the last layer of a user's own classifier."""
    network = bench.reader.network if isinstance(bench.reader, TorchReader) else None
    linear = getattr(network, "linear", None)
    if linear is None:
        raise ImpossibleError("the classifier gives no maps that sum to its logits")
    return linear[0]


def _peaks(weight: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """(n,), the cell in which maps, weighed by (n, dimensions), have most evidence."""
    evidence = np.einsum("nd,ndrc->nrc", weight, maps, optimize=True)
    return evidence.reshape(len(maps), -1).argmax(axis=1)


def network_of(bench: Bench, size: int) -> Opener:
    """Return what opens the network for an input of some width and height, in pixels."""
    return bench.opener if bench.trunk is None else bench.backbone(size=size)


def check_input_size(bench: Bench, size: int) -> None:
    """Refuse an input that the network cannot be shown.

    Raises
    ------
    ImpossibleError
        Where it takes no other size than its own: transformers whose positions are learned.
    """
    if not bench.is_timed:
        return
    black = np.zeros((1, size, size, 3), np.uint8)
    try:
        network_of(bench, size)().scene(black)
    except Exception:  # whatever a network raises of what it does not take
        command = "dvc exp run -S backbone.name=resnet50" if bench.mapping is None else ""
        raise ImpossibleError("the network takes one input size", command) from None


def larger(factor: float) -> Callable[[Bench, str], Answer]:
    """Return the remedy that shows the picture at a larger input, to the same heads."""

    def answer(bench: Bench, task: str) -> Answer:
        return _instead(bench, task, look_larger(bench, task, factor), area=factor**2)

    return answer


def look_larger(bench: Bench, task: str, factor: float) -> Look:
    """Show the network a task's pictures, and mirror images for heads, at a larger input.

    Parameters
    ----------
    factor
        How many times as wide and high as the study's.

    Raises
    ------
    ImpossibleError
        As `check_input_size`.
    """
    size = round(factor * bench.input_format.size)

    def look() -> Look:
        check_input_size(bench, size)
        # Heads are fitted on mirror images too; a classifier as it is has no use for these.
        shown = both_ways if bench.mapping is None else as_it_is
        return bench.look(task, shown, size=size, other=network_of(bench, size))

    return _look_once(bench, ("larger", task, factor), look)


def _look_at_tiles(bench: Bench, task: str) -> Look:
    cut: Cut = tiles
    return _look_once(bench, ("tiles", task), lambda: bench.look(task, cut))


def _look_once(bench: Bench, key: Hashable, look: Callable[[], Look]) -> Look:
    """Look at pictures for the first remedy that does, and remember it for others."""
    return cast(Look, bench.shelved(key, "look", lambda: {"look": look()}))


def features_of(bench: Bench, task: str, look: Look, place: int = 0) -> np.ndarray:
    """(n, dimensions): each instance's feature of one input that was made of its picture."""
    return np.stack([several[place] for several in look.features])[bench.row(task)]


def _instead(bench: Bench, task: str, look: Look, *, area: float = 1.0) -> Answer:
    """Answer by the one input that was made of each picture."""
    logits = bench.logits(bench.heads(task), features_of(bench, task, look))
    return Answer(logits, *cost(look, inputs=1, area=area))


def _averaged(
    bench: Bench,
    task: str,
    look: Look,
    *,
    over: Callable[..., np.ndarray] = np.mean,
) -> Answer:
    """Answer by the picture and all inputs that were made of it."""
    count = len(look.features[0])
    seen = [
        bench.stored(task).plain,
        *(features_of(bench, task, look, place) for place in range(count)),
    ]
    logits = over(np.stack([bench.logits(bench.heads(task), one) for one in seen]), axis=0)
    return Answer(logits, *cost(look, inputs=count, plain=1))


REMEDIES = (
    Remedy(
        "flip",
        "Mirror image too",
        "The logits of the picture and of its mirror image are averaged.",
        IN_BOTH,
        flip,
    ),
    Remedy(
        "zoom",
        "Windows at the centre",
        "The logits of the picture and of two windows at its centre are averaged.",
        IN_SCENE,
        zoom,
    ),
    Remedy(
        "guided_zoom",
        "Zoom to the map’s peak",
        "A second pass sees a window at the peak of the first one’s map; logits are averaged.",
        IN_SCENE,
        guided_zoom,
    ),
    Remedy(
        "tiles_mean",
        "Tiles and whole, mean",
        "The logits of the picture and of four overlapping tiles are averaged.",
        IN_SCENE,
        tiles_mean,
    ),
    Remedy(
        "tiles_maximum",
        "Tiles and whole, maximum",
        "Each class has its largest logit of the picture and of four tiles.",
        IN_SCENE,
        tiles_maximum,
    ),
    Remedy("unsharp_mask", "Unsharp mask", "The input is sharpened.", IN_BOTH, unsharp_mask),
    Remedy(
        "clahe", "CLAHE", "The input’s brightness is equalised, region by region.", IN_BOTH, clahe
    ),
    *(
        Remedy(
            f"input_{round(100 * factor)}",
            f"Input {factor:g} times as wide",
            f"The input is {factor:g} times as wide and high; the heads are the same.",
            IN_BOTH,
            larger(factor),
        )
        for factor in FACTORS
    ),
)
