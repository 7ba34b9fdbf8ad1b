"""Untouched pictures under the declared preprocessing, and under those usually taken by mistake."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import torch

from smallsight.backbones.features import batches
from smallsight.backbones.tensor_reader import TorchReader
from smallsight.classifiers.facts import Preprocessing
from smallsight.classifiers.mapping import ClassMapping
from smallsight.classifiers.own import OwnClassifier
from smallsight.classifiers.tables import PREPROCESSINGS
from smallsight.runtime.errors import ClassifierError
from smallsight.runtime.parallel import map_here

DECLARED = "as declared"

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Per channel, of pictures in 0..1."""


def wrong_preprocessings(declared: Preprocessing) -> dict[str, Preprocessing]:
    """Make, by name, the usual wrong preprocessings that differ from the declared one.

    Examples
    --------
    >>> raw = Preprocessing(64, (0.0,) * 3, (1.0,) * 3, "bilinear", "rgb", "0..1")
    >>> list(wrong_preprocessings(raw))
    ['values 0 to 255', 'blue, green, red', "ImageNet's mean and deviation"]
    """
    unit = _white(declared)
    mean, std = (tuple(unit * value for value in of) for of in (IMAGENET_MEAN, IMAGENET_STD))
    usual = {
        "values 0 to 255": replace(declared, range="0..255"),
        "values 0 to 1": replace(declared, range="0..1"),
        "blue, green, red": replace(declared, channels="bgr"),
        "red, green, blue": replace(declared, channels="rgb"),
        "not normalised": replace(declared, mean=(0.0,) * 3, std=(1.0,) * 3),
        "ImageNet's mean and deviation": replace(declared, mean=mean, std=std),
    }
    kept: dict[str, Preprocessing] = {}
    for name, preprocessing in usual.items():
        if not any(_are_alike(preprocessing, one) for one in (declared, *kept.values())):
            kept[name] = preprocessing
    return kept


def compare_preprocessings(
    classifier: OwnClassifier,
    mapping: ClassMapping,
    pictures: np.ndarray,
    labels: np.ndarray,
    *,
    device: torch.device,
) -> pd.DataFrame:
    """Show a classifier untouched pictures under the declared and the wrong preprocessings.

    Parameters
    ----------
    pictures
        (n, size, size, 3), uint8.
    labels
        (n,): of each picture's object, the number of its category.

    Returns
    -------
    DataFrame
        The columns of `PREPROCESSINGS`; the declared preprocessing first.

    Raises
    ------
    ClassifierError
        Where what comes out under the declared preprocessing is not what the classifier declares.
    """
    declared = classifier.facts.preprocessing
    look = partial(_predicted, mapping=mapping, pictures=pictures, device=device)
    right = look(classifier, description=DECLARED) == labels
    rows = [(DECLARED, right.mean(), len(labels), True, 0, 0)]
    for name, preprocessing in wrong_preprocessings(declared).items():
        try:
            changed = classifier.with_preprocessing(preprocessing)
            here = look(changed, description=name) == labels
        except ClassifierError:
            rows.append((name, np.nan, len(labels), False, 0, right.sum()))
            continue
        gained, lost = (here & ~right).sum(), (right & ~here).sum()
        rows.append((name, here.mean(), len(labels), False, gained, lost))
    return pd.DataFrame(rows, columns=PREPROCESSINGS.names)


def _predicted(
    classifier: OwnClassifier,
    *,
    mapping: ClassMapping,
    pictures: np.ndarray,
    device: torch.device,
    description: str,
) -> np.ndarray:
    """Return the number of the category predicted of each picture: (n,)."""
    reader = TorchReader(classifier, device)
    places = batches(len(pictures), reader.batch_size)
    found = map_here(
        lambda place: reader.scene(pictures[place]),
        places,
        threads=reader.threads,
        description=f"preprocessing {description}",
    )
    features = np.concatenate(found)
    return mapping.probabilities(features)[0].argmax(axis=1)


def _are_alike(one: Preprocessing, other: Preprocessing) -> bool:
    """Return whether two preprocessings make the same input of every picture."""
    if one.channels != other.channels:
        return False
    return np.allclose(_line(one), _line(other), rtol=1e-3)


def _line(preprocessing: Preprocessing) -> np.ndarray:
    """Return what black and white become, (2, channels)."""
    ends = np.array([[0.0], [_white(preprocessing)]])
    return (ends - preprocessing.mean) / np.array(preprocessing.std)


def _white(preprocessing: Preprocessing) -> float:
    """Return what a byte of 255 is, before the mean is taken off."""
    return 1.0 if preprocessing.range == "0..1" else 255.0
