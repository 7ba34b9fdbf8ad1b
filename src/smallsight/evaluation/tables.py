"""Tables that training and evaluation write."""

from smallsight.runtime.tables import Table, flag, number, text, whole
from smallsight.vocabulary import (
    ALL_AND_GROUPS,
    ANN_ID,
    CATEGORY_NAME,
    CONDITION,
    CONFIDENCE,
    FAMILY,
    IMAGE_ID,
    LEVEL,
    PREDICTED,
    REGIME,
    SIZE_GROUP,
    TASK,
)

SPLITS = Table(
    "splits",
    "which instances are test data, in every repeat: a row per seed and instance",
    (
        whole("seed", "the repeat"),
        IMAGE_ID,
        ANN_ID,
        whole("fold", "the fold whose test data the instance is; -1 where it is in no test data"),
        flag("reference_test", "whether it is test data of the reference head"),
    ),
)

PREDICTIONS = Table(
    "predictions",
    "out-of-fold predictions: a row per task, regime, condition, seed and instance",
    (
        REGIME,
        whole("seed", "the repeat of the cross-validation"),
        whole("fold", "the fold that the instance was left out with"),
        FAMILY,
        LEVEL,
        CONDITION,
        IMAGE_ID,
        ANN_ID,
        CATEGORY_NAME,
        SIZE_GROUP,
        number("side", "square root of the box's area in this condition, in input pixels"),
        PREDICTED,
        flag("correct", "whether it is the object's category"),
        CONFIDENCE,
        TASK,
    ),
    rest=number("p_<category>", "probability of each category, 0 to 1"),
)

RESULTS = Table(
    "results_conditions",
    "accuracy by condition and size group, in the original study's columns first",
    (
        CONDITION,
        *(
            number(f"val_acc_{group}", f"accuracy on {group} objects, the mean over the seeds")
            for group in ALL_AND_GROUPS
        ),
        REGIME,
        FAMILY,
        LEVEL,
        *(whole(f"n_{group}", f"number of {group} objects") for group in ALL_AND_GROUPS),
        TASK,
    ),
)

RUNG_PREDICTIONS = Table(
    "rungs",
    "out-of-fold predictions of every rung and baseline: a row per rung, seed and instance",
    (
        text("rung", "what is known of the object: a rung of the ladder, or a baseline"),
        whole("seed", "the repeat of the cross-validation"),
        whole("fold", "the fold that the instance was left out with"),
        IMAGE_ID,
        ANN_ID,
        CATEGORY_NAME,
        SIZE_GROUP,
        PREDICTED,
        flag("correct", "whether it is the object's category"),
    ),
)

TRAINING_CURVE = Table(
    "training_curve",
    "the reference head after each epoch of its training",
    (
        whole("epoch", "number of the epoch, from 1"),
        number("train_loss", "mean cross-entropy of the training data"),
        number("train_accuracy", "accuracy on the training data"),
        number("test_loss", "mean cross-entropy of the test data"),
        number("test_accuracy", "accuracy on the test data"),
    ),
)
