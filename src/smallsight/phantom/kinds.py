"""The six categories: what builds each, where it stands and which street is its own.

This registry is the one place to touch to add a category.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from smallsight.phantom import cycles, person, vehicles
from smallsight.phantom.solids import Model


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A category.

    `build` makes a model; `zone` names the strip of a street where it stands (see
    `smallsight.phantom.streets.Street.strip`); `sideways` is the share of side views (the rest
    are front, rear and three-quarter views); `nearest` is the least distance in metres.
    """

    build: Callable[[np.random.Generator], Model]
    zone: str
    sideways: float
    nearest: float


KINDS: dict[str, Kind] = {
    "person": Kind(build=person.person, zone="walk", sideways=0.4, nearest=2.2),
    "car": Kind(build=vehicles.car, zone="road", sideways=0.4, nearest=4.5),
    "truck": Kind(build=vehicles.truck, zone="road", sideways=0.35, nearest=7.5),
    "bus": Kind(build=vehicles.bus, zone="road", sideways=0.35, nearest=8.5),
    "bicycle": Kind(build=cycles.bicycle, zone="kerb", sideways=0.6, nearest=2.4),
    "motorcycle": Kind(build=cycles.motorcycle, zone="kerb", sideways=0.55, nearest=2.8),
}

CATEGORIES: tuple[str, ...] = tuple(KINDS)


def draw_yaw(kind: Kind, rng: np.random.Generator) -> float:
    """Heading in radians: from the side, or else from the front, the rear or at an angle."""
    if rng.random() < kind.sideways:
        return float(rng.choice([0.0, np.pi]) + rng.normal(0.0, 0.12))
    if rng.random() < 0.35:
        return float(rng.choice([-np.pi / 2, np.pi / 2]) + rng.normal(0.0, 0.08))
    quarter = rng.choice([-0.25, -0.75, 0.25, 0.75]) * np.pi
    return float(quarter + rng.uniform(-0.3, 0.3))
