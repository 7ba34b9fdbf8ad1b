"""The reference head: one split, its curve by epoch, and the checkpoint that people load."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import log_softmax

from smallsight import params
from smallsight.backbones.feature_store import Features
from smallsight.backbones.networks.weights import Weights, classifier_state
from smallsight.evaluation.heads import LinearHeads, epochs
from smallsight.evaluation.tables import TRAINING_CURVE
from smallsight.runtime.torch_archives import write_archive


def reference_head(
    features: Features,
    labels: np.ndarray,
    test: np.ndarray,
    rng: np.random.Generator,
    *,
    classes: int,
    settings: params.Heads,
) -> tuple[LinearHeads, pd.DataFrame]:
    """Train one head on one split.

    Parameters
    ----------
    labels
        (n,), integer class of each instance.
    test
        (n,), bool: the instances kept for testing.

    Returns
    -------
    heads
        One head.
    curve
        The columns of `TRAINING_CURVE`, one row per epoch: mean cross-entropy and accuracy after
        it, on the pictures as they are.
    """
    plain = features.plain
    rounds = epochs(
        plain, features.mirrored, labels, ~test[None], [rng],
        classes=classes, settings=settings,
    )  # fmt: skip
    rows = []
    for epoch, heads in enumerate(rounds, start=1):
        logits = heads.logits(plain)[0]
        row = (quality for side in (~test, test) for quality in _quality(logits, labels, side))
        rows.append((epoch, *row))
    return heads, pd.DataFrame(rows, columns=TRAINING_CURVE.names)


def _quality(logits: np.ndarray, labels: np.ndarray, chosen: np.ndarray) -> tuple[float, float]:
    """Mean cross-entropy and accuracy over the chosen instances."""
    part, wanted = logits[chosen], labels[chosen]
    losses = -log_softmax(part, axis=1)[np.arange(len(wanted)), wanted]
    return float(losses.mean()), float((part.argmax(axis=1) == wanted).mean())


def write_checkpoint(
    path: str | Path,
    weights: Weights,
    head: LinearHeads,
    *,
    last_layer: str,
    classes: Sequence[str],
    about: Mapping[str, object],
) -> None:
    """Write trunk and head as one network that `torch.load(..., weights_only=True)` reads.

    Beside `model_state_dict`, `classes` and `class_to_idx` it holds the normalisation (`mean`,
    `std`) and `about`: the condition, the seed, the kind of device that its features come from, and
    the readout that it reads.

    Parameters
    ----------
    last_layer
        The submodule in whose place the head stands.
    """
    state = classifier_state(weights, last_layer, head.weight[0], head.bias[0])
    normalisation = {"mean": list(weights.mean), "std": list(weights.std)}
    _write(path, state, classes, normalisation | dict(about))


def write_empty_checkpoint(
    path: str | Path, *, classes: Sequence[str], about: Mapping[str, object]
) -> None:
    """Write a checkpoint of no weights, where a classifier of the user's own is examined."""
    _write(path, {}, classes, about)


def _write(
    path: str | Path,
    state: Mapping[str, torch.Tensor],
    classes: Sequence[str],
    about: Mapping[str, object],
) -> None:
    content = {
        "model_state_dict": dict(state),
        "classes": list(classes),
        "class_to_idx": {name: index for index, name in enumerate(classes)},
    }
    write_archive(content | dict(about), path)
