"""Tables that measurements of saliency maps, deletions and galleries are written to."""

from smallsight.runtime.tables import Table, flag, number, text, whole
from smallsight.vocabulary import (
    ANN_ID,
    CATEGORY_NAME,
    CONDITION,
    CONFIDENCE,
    IMAGE_ID,
    PREDICTED,
    SIZE_GROUP,
    TASK,
    VIEW,
)

_CORRECT = flag("correct", "whether the first seed's prediction is the object's category")
_LIFT = number("lift", "energy_in_box over box_area_share: 1 is what an even map has")
_ENERGY = number("energy_in_box", "share of the map's sum that lies in the object's box, 0 to 1")
_AREA = number("box_area_share", "the box's share of the input, 0 to 1")

_MEASURES = (
    _ENERGY,
    _AREA,
    _LIFT,
    number("pointing_hit", "whether the map's greatest cell touches the box; a share if several"),
    flag("no_evidence", "whether the map is 0 everywhere; other measures are then empty"),
    number("energy_in_mask", "share of the map's sum that lies in the object's mask, 0 to 1"),
    number("mask_area_share", "the mask's share of the input, 0 to 1"),
    number("mask_lift", "energy_in_mask over mask_area_share"),
    number("signed_in_box", "logit that cells in the box add, over all cells' amounts, -1 to 1"),
)

PREDICTED_CLASS_MAPS = Table(
    "attention",
    "saliency maps of the predicted class: a row per task, condition and instance",
    (
        IMAGE_ID,
        ANN_ID,
        CONDITION,
        SIZE_GROUP,
        text("predicted", "the category that the first seed predicts"),
        _CORRECT,
        *_MEASURES,
        number("logit_in_box", "what the last layer's cells inside the box add to the logit"),
        number("logit_elsewhere", "what all other cells of it add"),
        number("bias", "what the head's bias adds to it"),
        number("logit", "the predicted class's logit: the sum of the three, but for finer layers"),
        TASK,
    ),
)

OTHER_MAPS = Table(
    "attention_maps",
    "saliency maps of the true class, and controls: a row per kind, task, condition and instance",
    (
        text("map", "true_class, random_box, centre or random_weights"),
        IMAGE_ID,
        ANN_ID,
        CONDITION,
        SIZE_GROUP,
        _CORRECT,
        *_MEASURES,
        TASK,
    ),
)

REMOVALS = Table(
    "faithfulness",
    "deletion and insertion of one region, in the scene task: a row per instance and edit",
    (
        IMAGE_ID,
        ANN_ID,
        SIZE_GROUP,
        text("change", "removed: the region has the mean colour; restored: everything else has it"),
        text("region", "object, or random: a region of the same shape elsewhere"),
        number("area", "area of the region, in areas of the object's box"),
        number("area_share", "the region's share of the input, 0 to 1"),
        number("overlap", "share of the region that lies in the object's, 0 to 1"),
        number("p_before", "the true class's probability before the edit, mean over the seeds"),
        number("p_after", "the same after it"),
    ),
)

_PEAK = number("peak", "the map's greatest value")

_CARDS = (
    TASK,
    IMAGE_ID,
    ANN_ID,
    CONDITION,
    SIZE_GROUP,
    CATEGORY_NAME,
    text("outcome", "correct or failed"),
    PREDICTED,
    CONFIDENCE,
    number("side", "square root of the box's area in this condition, in input pixels"),
    _ENERGY,
    _AREA,
    _LIFT,
    _PEAK,
    number("scale", "the map's value that has the brightest colour in the overlay"),
    text("picture", "path of what the network saw"),
    text("overlay", "path of the same picture under its heat map"),
    text("untouched", "path of the whole picture as it was, reduced"),
    *VIEW,
    whole("input_size", "width and height of the rendered picture, in pixels"),
)

GALLERY = Table(
    "gallery",
    "objects drawn by seed, correct and failed as whole pictures: a row per object and task",
    _CARDS,
)
STRIPS = Table(
    "strips",
    "one object of each size group: its whole picture, then every condition of the object task",
    _CARDS,
)

MAP_LIST = Table(
    "maps",
    "what each saliency map of maps.npz is of: whole pictures, then the object task's, in order",
    (
        TASK,
        CONDITION,
        IMAGE_ID,
        ANN_ID,
        PREDICTED,
        CONFIDENCE,
        _LIFT,
        _PEAK,
        *VIEW,
        text("thumbnail", "path of the object's thumbnails, in this order, side by side"),
    ),
)
