"""The ladder: what heads are given of an object, rung by rung, and the steps between the rungs."""

from dataclasses import dataclass

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.vocabulary import HEADLINE_TASK, SCENE


@dataclass(frozen=True)
class Rung:
    """One rung of the ladder: pictures of one condition, read out in one way.

    Attributes
    ----------
    name
        Its key in tables.
    label
        What the head is given, for tables and figures.
    task, family, readout
        Which pictures, at the family's reference level, and what heads read of them.
    """

    name: str
    label: str
    task: str
    family: str
    readout: str


RUNGS = (
    Rung("scene", "The whole picture", SCENE, UNTOUCHED, "scene"),
    Rung("box", "Its last layer, over the object's box", SCENE, UNTOUCHED, "box"),
    Rung("pyramid", "Its strides 8, 16 and 32, over the box", SCENE, UNTOUCHED, "pyramid"),
    Rung("window_few_pixels", "A window, no more pixels than before", HEADLINE_TASK, "crop_low",
         "scene"),
    Rung("window", "The window at the whole input", HEADLINE_TASK, UNTOUCHED, "scene"),
    Rung("object_alone", "The object alone, at one size", HEADLINE_TASK, "object_alone", "scene"),
)  # fmt: skip
"""From the whole picture to the object's own pixels, in order."""

UNFITTED = RUNGS[:2]
"""Those that a classifier can be given as it is: the same maps, pooled by its own last layer. What
comes after shows it other pictures, which without heads of their own would be a floor effect."""


@dataclass(frozen=True)
class Step:
    """The step that leads up to a rung.

    Attributes
    ----------
    name
        Its key in tables.
    label
        What people call it.
    cause
        The cause that it stands for: what the rung below lacks.
    remedy
        What goes with it.
    """

    name: str
    label: str
    cause: str
    remedy: str


STEPS = {
    "box": Step(
        "told_which_object",
        "Told which object",
        "the network is not told which of the picture's objects is meant",
        "pool the maps over the object's box",
    ),
    "pyramid": Step(
        "finer_cells",
        "Finer cells",
        "the cells of the last layer are coarser than the object",
        "read finer layers too, as detectors do",
    ),
    "window_few_pixels": Step(
        "own_window",
        "A window of its own",
        "other things take the network's attention and field of view",
        "cut a window round the object",
    ),
    "window": Step(
        "own_pixels",
        "More of its own pixels",
        "the picture's reduction to the input takes pixels from the object",
        "a larger input, or a window cut before the reduction",
    ),
    "object_alone": Step(
        "no_surroundings",
        "No surroundings, one size",
        "what surrounds the object, and its size in the window",
        "train with varied surroundings and sizes",
    ),
}
"""By the rung that it leads up to. Where a rung in between is missing, a step is from the last one
below it."""

BASELINES = {
    "commonest": "Commonest category of the size group",
    "geometry": "Position, size and aspect of the box",
    "largest_object": "Category of the picture's largest object",
}
"""Rules that see no pixel, and what they go by; `baselines` computes them."""
