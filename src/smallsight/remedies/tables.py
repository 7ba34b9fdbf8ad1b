"""Tables that trying remedies writes."""

from smallsight.runtime.tables import Table, flag, number, text, whole
from smallsight.vocabulary import (
    ANN_ID,
    CATEGORY_NAME,
    CONFIDENCE,
    IMAGE_ID,
    PREDICTED,
    SIZE_GROUP,
    TASK,
)

_REMEDY = text("remedy", "the remedy, as the parameters name it; untouched: none")
_PREDICTION = (
    whole("seed", "the repeat of the cross-validation"),
    whole("fold", "the fold that the instance was left out with"),
    IMAGE_ID,
    ANN_ID,
    CATEGORY_NAME,
    SIZE_GROUP,
    PREDICTED,
    flag("correct", "whether it is the object's category"),
)

REMEDY_PREDICTIONS = Table(
    "remedies",
    "out-of-fold predictions under every remedy: a row per task, remedy, seed and instance",
    (_REMEDY, TASK, *_PREDICTION, CONFIDENCE),
)

REMEDY_TIMES = Table(
    "remedies_times",
    "what each remedy takes at test time, in units of the plain pass; differs between runs",
    (
        _REMEDY,
        TASK,
        number("seconds", "seconds of one core, and of the GPU, per object's picture"),
        number("ratio", "the same in units of the plain pass, in turn with it; 1 where it is one"),
    ),
)

MORE_EXAMPLES_PREDICTIONS = Table(
    "more_examples",
    "out-of-fold predictions of heads that learned from some of the small objects alone",
    (
        TASK,
        number("share", "share of the small training objects that heads learned from"),
        number("n_train", "their number, the mean over the heads"),
        *_PREDICTION,
    ),
)

ESTIMATED_SIDES = Table(
    "estimated_sides",
    "each object's side in the whole picture as its features tell it, out of fold",
    (
        TASK,
        whole("seed", "the repeat of the cross-validation"),
        IMAGE_ID,
        ANN_ID,
        number("side", "estimated square root of the box's area, in input pixels"),
    ),
)
