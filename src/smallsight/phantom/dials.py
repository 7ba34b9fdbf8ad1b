"""The dials of a phantom scene: what a user may turn, and how far."""

from dataclasses import dataclass

from smallsight.runtime.errors import ParameterError


@dataclass(frozen=True, kw_only=True)
class Dials:
    """Settings of the phantom scenes; every cause of failure that can be planted is one of them.

    Parameters
    ----------
    width, height
        Size of the picture in pixels, at least 64 each.
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
        Pixels, >= 0. Standard deviation of a Gaussian blur of small objects alone (box area below
        0.01 of the picture's).
    haze
        0..1. How fast things pale with distance.
    noise
        0..1. Standard deviation of sensor noise, as a share of full scale.
    """

    width: int = 640
    height: int = 480
    context: float = 0.6
    clutter: float = 0.5
    neighbours: float = 0.3
    class_mix: float = 0.0
    small_blur: float = 0.0
    haze: float = 0.35
    noise: float = 0.02

    def __post_init__(self) -> None:
        for name in ("context", "clutter", "neighbours", "class_mix", "haze", "noise"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise ParameterError(f"phantom.{name}", str(value), "a number in 0..1")
        if self.small_blur < 0.0:
            raise ParameterError("phantom.small_blur", str(self.small_blur), "pixels, 0 or more")
        if min(self.width, self.height) < 64:
            raise ParameterError(
                "phantom.width, phantom.height", f"{self.width}x{self.height}", "at least 64x64"
            )
