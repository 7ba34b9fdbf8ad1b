"""Columns that tables of several folders share."""

from smallsight.runtime.tables import identifier, number, text, whole

IMAGE_ID = identifier("image_id", "the picture, as the annotations number it")


ANN_ID = identifier("ann_id", "the object, as the annotations number it")


CATEGORY_NAME = text("category_name", "the object's category")


SIZE_GROUP = text("size_group", "small, medium or large, by the box's share of the picture's area")


REGIME = text("regime", "fixed: one head for all conditions; retrained: a head for each condition")


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
