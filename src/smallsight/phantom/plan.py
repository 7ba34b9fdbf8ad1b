"""What a scene shall hold: categories and sizes, before anything has a place."""

from dataclasses import dataclass

import numpy as np

from smallsight.phantom.dials import Dials
from smallsight.phantom.kinds import CATEGORIES
from smallsight.phantom.streets import Street
from smallsight.vocabulary import SIZE_GROUPS

SIZE_CATEGORIES: dict[str, tuple[str, ...]] = {
    "small": ("person", "bicycle", "motorcycle"),
    "medium": CATEGORIES,
    "large": ("car", "truck", "bus"),
}
"""Categories, equally likely, from which the `class_mix` dial draws at each size."""

RATIOS: dict[str, tuple[float, float]] = {
    "small": (0.0004, 0.0088),
    "medium": (0.0125, 0.036),
    "large": (0.15, 0.5),
}
"""Box area over picture area aimed at, drawn log-uniformly; gaps keep the groups apart."""

LEAD = 0.78
"""Share of scenes with a near object."""

HOST = 0.04
"""Greatest ratio of an object that stands beside a smaller one: a picture has one large object,
so that its category is what a classifier of the whole picture should name."""


@dataclass(frozen=True, slots=True)
class Wish:
    """An object to place.

    `ratio` is the box area over picture area aimed at; a `lead` is a scene's near object;
    `beside` is the index of the larger wish next to which it belongs.
    """

    category: str
    ratio: float
    lead: bool = False
    beside: int | None = None


def draw_category(
    rng: np.random.Generator, dials: Dials, street: Street, group: str, *, other_than: str = ""
) -> str:
    """Draw a category by the rules of the dials `context` and `class_mix`."""
    names = CATEGORIES
    odds = np.full(len(names), (1.0 - dials.context) / len(names))
    odds[names.index(street.own)] += dials.context
    listed = SIZE_CATEGORIES[group]
    mixed = np.array([(name in listed) / len(listed) for name in names])
    odds = (1.0 - dials.class_mix) * odds + dials.class_mix * mixed
    if other_than:
        odds[names.index(other_than)] = 0.0
        odds = odds if odds.sum() > 0 else np.array([float(name != other_than) for name in names])
    return names[rng.choice(len(names), p=odds / odds.sum())]


def draw_plan(rng: np.random.Generator, dials: Dials, street: Street) -> list[Wish]:
    """Draw the wishes of one scene, a larger neighbour before the object it belongs to."""
    groups = ["large"] * int(rng.random() < LEAD)
    groups += ["medium"] * (1 + int(rng.random() < 0.5)) + ["small"] * int(rng.integers(3, 7))
    wishes: list[Wish] = []
    for group in groups:
        ratio = float(np.exp(rng.uniform(*np.log(RATIOS[group]))))
        category = draw_category(rng, dials, street, group)
        with_neighbour = group != "large" and rng.random() < dials.neighbours
        times, host = rng.uniform(1.6, 4.0), group_of(ratio * 2.5)
        neighbour = draw_category(rng, dials, street, host, other_than=category)
        if with_neighbour:
            wishes.append(Wish(neighbour, min(HOST, ratio * times)))
            wishes.append(Wish(category, ratio, beside=len(wishes) - 1))
        else:
            wishes.append(Wish(category, ratio, lead=group == "large"))
    return wishes


def group_of(ratio: float) -> str:
    """Return the size group of a box area over picture area."""
    return next(group for group, limit in SIZE_GROUPS.items() if ratio < limit)
