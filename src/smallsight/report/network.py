"""What the report says of the network: its weights, its layers, and what is read of it."""

from dataclasses import dataclass

from smallsight.classifiers.facts import ClassifierFacts
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
        logit, and the layer with the size of its cells; empty where it is not shown.
    """

    heads: str
    feature: str
    logit: str
    maps: str
    signed: str


_MAP_OF_BOXES = (
    "Weight times feature, over the number of cells, is taken over the whole picture. What is "
    "above 0 is the Grad-CAM map of the last layer"
)
_OF_THE_WHOLE = (
    "They are Grad-CAM maps of the whole picture, while heads read the object’s box alone"
)
_SIGNED = (
    "what the box adds to the logit, for and against, over the amounts of all that is added. It "
    "is exact: cells and bias sum to the logit (largest deviation {error} logits; {cell})."
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
            "A linear head on pooled features sums over cells. A cell adds weight times feature, "
            "over the number of cells; with the bias these sum to the logit. What is above 0 is "
            "the Grad-CAM map of the last layer"
        ),
        maps="",
        signed=_SIGNED,
    ),
    "box": Readout(
        heads="the last layer over the object’s box",
        feature="is the mean of the last layer’s maps over the object’s box, by RoIAlign",
        logit=(
            "A linear head on features pooled over a box sums over cells. A cell adds weight times "
            "feature, times its share of the box; with the bias these sum to the logit. "
            f"{_MAP_OF_BOXES}"
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
            "What heads read of the last layer sums over cells. A cell adds weight times feature, "
            "times its share of the box. The finer layers add to the logit too. "
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
            "gradient. What is above 0 is the Grad-CAM map of the last layer"
        ),
        maps=f"{_OF_THE_WHOLE}, in the detector’s feature pyramid. {_NO_SUM}",
        signed="not known, for a feature pyramid mixes the cells of several layers.",
    ),
}
"""Every readout, by the name that the parameters choose."""


def _as_it_is(classifier: ClassifierFacts) -> Readout:
    """Say how the maps of a user's own classifier are made."""
    layer = f"layer “{classifier.layer}”"
    if classifier.maps == "closed_form":
        logit = (
            f"The maps of {layer} are averaged over the picture, and a linear layer reads the "
            "mean. A cell adds weight times feature, over the number of cells; with the bias these "
            "sum to the logit. What is above 0 is the layer’s Grad-CAM map"
        )
        return Readout(heads="", feature="", logit=logit, maps="", signed=_SIGNED)
    logit = (
        f"The maps of {layer} are summed, each times the logit’s mean gradient. What is above 0 is "
        "the layer’s Grad-CAM map, by pytorch-grad-cam. Cells do not sum to the logit: "
        f"{classifier.no_maps}"
    )
    return Readout(heads="", feature="", logit=logit, maps="", signed="")


def readout(study: Study) -> Readout:
    """Return the words for what is read of the network, and for the maps made of that."""
    if study.classifier is not None:
        return _as_it_is(study.classifier)
    return READOUTS[study.params.heads.readout]


def is_untrained(study: Study) -> bool:
    """Return whether the network's weights are random."""
    return study.backbone is not None and study.backbone.weights == RANDOM


def is_exact(study: Study) -> bool:
    """Return whether maps show what each cell adds to a logit, and not Grad-CAM's own numbers."""
    if not study.about["layer"]:
        return False
    if study.classifier is not None:
        return study.classifier.maps == "closed_form"
    is_last = study.about["layer"] == study.about["last_layer"]
    return bool(is_last and study.params.heads.readout == "scene")


def name_layer(study: Study, layer: str) -> str:
    """Name a layer as a sentence does; a user's own classifier has but one whose maps are made."""
    if study.classifier is not None:
        return f"layer “{study.classifier.layer}”"
    return "the last layer" if layer == study.about["last_layer"] else layer


def describe_cells(layer: str, pixels: float) -> str:
    """Say how large the cells of a layer's maps are, in input pixels.

    Examples
    --------
    >>> describe_cells("layer3", 16.0)
    'layer3, one cell 16 × 16 input pixels'
    """
    return f"{layer}, one cell {pixels:g} × {pixels:g} input pixels"


def describe_maps(study: Study) -> str:
    """Say which layer's maps are shown, and how large their cells are; empty without maps."""
    layer = study.about["layer"]
    return describe_cells(name_layer(study, layer), study.about["cell"]) if layer else ""
