"""Words that people see in tables, figures and text, and the columns that many tables share."""

import math
from collections.abc import Container

from smallsight.runtime.tables import identifier, number, text, whole

SIZE_GROUPS = {"small": 0.01, "medium": 0.05, "large": math.inf}
"""Each size group, and the share of the picture's area that a box of it stays below."""

GROUPS = tuple(SIZE_GROUPS)
"""Size groups, in the order in which they are shown."""

ALL_AND_GROUPS = ("all", *GROUPS)
"""The same after `all`, which stands for all of them together."""

INSTANCE = ["image_id", "ann_id"]
"""Columns that identify an instance: one annotated object."""

OTHER = "other"
"""What is predicted where a classifier's classes of no category have the most, and are kept."""

TASKS = {
    "scene": "the whole picture, scored on one of its objects",
    "object": "a window round the object, so that it is known which one is meant",
}
"""Each task and what is shown, in the order of tables: the original study's first."""

SCENE, HEADLINE_TASK = TASKS
"""The original study's task, and the one that headlines are about where it was asked."""


def headline_task(tasks: Container[str]) -> str:
    """Return the task that headlines are about, of those that were asked.

    Examples
    --------
    >>> headline_task(["scene", "object"]), headline_task(["scene"])
    ('object', 'scene')
    """
    return HEADLINE_TASK if HEADLINE_TASK in tasks else SCENE


REGIMES = {
    "fixed": "head trained on untouched pictures, tested on every condition",
    "retrained": "head trained and tested on the same condition",
}
"""Each regime and what it means, the headline regime first."""

DIFFERENCE = "small-large"
"""Stands for a size group where a row holds the effect on small minus that on large objects."""

POWER = 0.8
"""Share of the studies that must find an effect for it to count as detectable."""

NO_VISIBLE_CHANGE = 0.98
"""A condition whose median in-box similarity lies above this leaves the object as it was."""

IMAGE_ID = identifier("image_id", "the picture, as the annotations number it")
ANN_ID = identifier("ann_id", "the object, as the annotations number it")
CATEGORY_NAME = text("category_name", "the object's category")
SIZE_GROUP = text("size_group", "small, medium or large, by the box's share of the picture's area")
REGIME = text("regime", "fixed: one head for all conditions; retrained: a head for each condition")
TASK = text("task", "scene: the whole picture is shown; object: a window round the object")
FAMILY = text("family", "the condition's family")
LEVEL = text("level", "the family's options, such as scale=0.5, or default")
CONDITION = text("condition", "the family at its reference level, <family>/<level> elsewhere")
PREDICTED = text("predicted", "the predicted category")
CONFIDENCE = number("confidence", "probability of the predicted category, 0 to 1")

VIEW = (
    number("box_x", "left edge of the object's box in the rendered picture, in input pixels"),
    number("box_y", "upper edge of that box, in input pixels"),
    number("box_w", "width of that box, in input pixels"),
    number("box_h", "height of that box, in input pixels"),
    whole("view_w", "width of the picture before it was resized to the input, in pixels"),
    whole("view_h", "height of the picture before it was resized to the input, in pixels"),
)
"""Where an object lies in a rendered picture."""
