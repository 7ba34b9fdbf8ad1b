"""Levels of every family in every task that it has a part in."""

from builders.views import MARGIN
from smallsight import params
from smallsight.conditions.rendering.levels import levels_by_family, levels_of

CONDITIONS = {
    "orig_full": {}, "orig_crop": {"margin": 0.25}, "downscale": {"scale": [0.5, 0.25]},
    "motion_blur": {"length": 7}, "occlusion": {"ratio": 0.35},
    "bg_blur": {"sigma": 2, "margin": 0.1}, "zoom": {"factor": 4}, "object_only": {},
    "context_only": {}, "pixels": {"side": [3, 6]}, "shift": {"reach": 4, "draw": [1, 2]},
    "crop_low": {}, "object_alone": {}, "bg_swap": {"donor": ["same", "other"]},
}  # fmt: skip
"""Every family, of some several levels, as params.yaml lists them."""

ON_WINDOWS = ("pixels", "crop_low", "object_alone", "bg_swap")
"""Families that change a window: none is left in a whole picture."""

ON_FRAMES = ("orig_crop", "zoom")
"""Families that show another part of the whole picture: a window is one already."""

TASKS = params.Tasks(
    scene=tuple(name for name in CONDITIONS if name not in ON_WINDOWS), window_margin=MARGIN
)
EVERY = levels_by_family(CONDITIONS, TASKS)
REFERENCES = {
    str(level.condition.folder): level
    for levels in EVERY.values()
    for level in levels
    if level.condition.is_reference
}
"""By the folder that their pictures lie in; at most one in each task."""


def levels(family, /, **options):
    """Make a family's levels in all its tasks, the scene first."""
    return levels_of(family, {family: options}, TASKS)


def level(family, /, task="object", **options):
    """Make a family's only level in a task."""
    (found,) = (one for one in levels(family, **options) if one.condition.task == task)
    return found
