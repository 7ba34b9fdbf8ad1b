"""What the report says of the frozen network: its weights, its layers, what heads read of it."""

from dataclasses import dataclass

from smallsight.report.study import Study

RANDOM = "random"
"""What the parameters call weights that no training has seen."""

UNTRAINED = "The network is untrained: the numbers say what random features hold."


@dataclass(frozen=True)
class Readout:
    """How maps become features, in words.

    Attributes
    ----------
    heads
        What heads read; empty where that is the whole picture, as in most studies.
    feature
        What a feature is: what follows “A feature”.
    logit
        How a logit splits over the last layer's cells, and what its Grad-CAM map is.
    maps
        A sentence about saliency maps that show more than heads read; else empty.
    signed
        What the signed share is, with places for `error` and `cell`: the largest deviation from a
        logit, and the layer with the size of its cells.
    """

    heads: str
    feature: str
    logit: str
    maps: str
    signed: str


_MAP_OF_BOXES = (
    "Weight times feature, over the number of cells, is taken over the whole picture; what is "
    "above 0 is the Grad-CAM map of the last layer"
)
_OF_THE_WHOLE = (
    "They are Grad-CAM maps of the whole picture, while heads read the object’s box alone"
)
_SIGNED = (
    "what the box adds to the logit, for and against, over the amounts of all that is added: "
    "exact, for cells and bias sum to the logit (largest deviation {error} logits; {cell})."
)
_NO_SUM = (
    "What layers finer than the one shown add is in no map, and cells and bias do not sum to the "
    "logit."
)

READOUTS = {
    "scene": Readout(
        heads="",
        feature="is the mean of the last layer’s maps over the picture",
        logit=(
            "A linear head on pooled features sums over cells: weight times feature, over the "
            "number of cells, is what a cell adds, and with the bias these sum to the logit. What "
            "is above 0 is the Grad-CAM map of the last layer"
        ),
        maps="",
        signed=_SIGNED,
    ),
    "box": Readout(
        heads="the last layer over the object’s box",
        feature="is the mean of the last layer’s maps over the object’s box, by RoIAlign",
        logit=(
            "A linear head on features pooled over a box sums over cells: weight times feature, "
            "times the cell’s share of the box, is what a cell adds, and with the bias these sum "
            f"to the logit. {_MAP_OF_BOXES}"
        ),
        maps=f"{_OF_THE_WHOLE}.",
        signed=_SIGNED,
    ),
    "pyramid": Readout(
        heads="layers of strides 8, 16 and 32 over the object’s box",
        feature=(
            "joins the means of the layers of strides 8, 16 and 32 over the object’s box, by "
            "RoIAlign"
        ),
        logit=(
            "What heads read of the last layer sums over cells: weight times feature, times the "
            "cell’s share of the box, is what a cell adds. The finer layers add to the logit too. "
            f"{_MAP_OF_BOXES}"
        ),
        maps=f"{_OF_THE_WHOLE}, on three layers. {_NO_SUM}",
        signed=(
            "what the box adds to the logit by way of the last layer, for and against, over the "
            "amounts of all that this layer adds ({cell})."
        ),
    ),
    "fpn": Readout(
        heads="the detector’s feature pyramid over the object’s box",
        feature=(
            "is the mean of the detector’s feature pyramid over the object’s box, pooled as the "
            "detector does"
        ),
        logit=(
            "A feature pyramid mixes the last layer with finer ones, so that no cell’s part of the "
            "logit is known. The last layer’s maps are summed, each times the logit’s mean "
            "gradient; what is above 0 is the Grad-CAM map of the last layer"
        ),
        maps=f"{_OF_THE_WHOLE}, in the detector’s feature pyramid. {_NO_SUM}",
        signed="not known, for a feature pyramid mixes the cells of several layers.",
    ),
}
"""Every readout, by the name that the parameters choose."""


def readout(study: Study) -> Readout:
    """Return the words for what the study's heads read."""
    return READOUTS[study.params.heads.readout]


def is_untrained(study: Study) -> bool:
    """Return whether the network's weights are random."""
    return study.backbone.weights == RANDOM


def name_layer(study: Study, layer: str) -> str:
    """Name a layer as a sentence does."""
    return "the last layer" if layer == study.about["last_layer"] else layer


def describe_cells(layer: str, pixels: float) -> str:
    """Say how large the cells of a layer's maps are, in input pixels.

    Examples
    --------
    >>> describe_cells("layer3", 16.0)
    'layer3, one cell 16 × 16 input pixels'
    """
    return f"{layer}, one cell {pixels:g} × {pixels:g} input pixels"
