"""The dials of a phantom scene: what a user may turn."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Dials:
    """Settings of the phantom scenes; every cause of failure that can be planted is one of them.

    `datasets.phantom_scenes.PhantomData` checks them where they are read.

    Parameters
    ----------
    width, height
        Size of the picture in pixels.
    context
        0..1. How strongly the kind of street predicts the category of its objects. At 0 a category
        is uniform over the six; at 1 it is always the street's own.
    clutter
        0..1. How many things that are no object of the study (bins, signs, hedges...) stand around.
    neighbours
        0..1. Chance that an object gets a larger object of another category next to it.
    class_mix
        0..1. Chance that an object's category is drawn from its size's own list (see
        `smallsight.phantom.plan.SIZE_CATEGORIES`) instead of by the street.
    small_blur
        Pixels, >= 0. Standard deviation of a Gaussian blur of small objects alone.
    haze
        0..1. How fast things pale with distance.
    noise
        0..1. Standard deviation of sensor noise, as a share of full scale.
    """

    width: int
    height: int
    context: float
    clutter: float
    neighbours: float
    class_mix: float
    small_blur: float
    haze: float
    noise: float
