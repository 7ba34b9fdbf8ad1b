"""Linear heads on frozen features: many fitted at once, each as if it were alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import softmax

from smallsight import params
from smallsight.classifiers.mapping import ClassMapping, read_mapping
from smallsight.evaluation.adam import Adam
from smallsight.runtime.files import write_arrays


@dataclass(frozen=True)
class LinearHeads:
    """Several heads of one shape.

    Attributes
    ----------
    weight
        (heads, classes, dimensions), float32.
    bias
        (heads, classes), float32.
    """

    weight: np.ndarray
    bias: np.ndarray

    def __len__(self) -> int:
        """Count the heads."""
        return len(self.weight)

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Apply every head to every feature: (n, dimensions) to (heads, n, classes)."""
        return features @ self.weight.transpose(0, 2, 1) + self.bias[:, None, :]

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Compute class probabilities, (heads, n, classes), of features (n, dimensions)."""
        return softmax(self.logits(features), axis=-1)


Heads = LinearHeads | ClassMapping
"""What makes names of features: linear heads, or the mapping of a classifier's own classes."""


def fit(
    plain: np.ndarray,
    mirrored: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    rngs: Sequence[np.random.Generator],
    *,
    classes: int,
    settings: params.Heads,
    importance: np.ndarray | None = None,
) -> LinearHeads:
    """Fit heads and return them as they are after the last epoch; see `epochs`."""
    *_, last = epochs(
        plain,
        mirrored,
        labels,
        train,
        rngs,
        classes=classes,
        settings=settings,
        importance=importance,
    )
    return last


def epochs(
    plain: np.ndarray,
    mirrored: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    rngs: Sequence[np.random.Generator],
    *,
    classes: int,
    settings: params.Heads,
    importance: np.ndarray | None = None,
) -> Iterator[LinearHeads]:
    """Fit heads by Adam on the cross-entropy, all at once; yield them after each epoch.

    An epoch shows every training instance once, mirrored with probability one half. It has as
    many steps for each head as the largest training set needs; the batches of smaller sets are
    smaller, so that no head stops before another.

    Parameters
    ----------
    plain, mirrored
        (n, dimensions), float32: features of each instance's picture and of its mirror image.
    labels
        (n,), integer class of each instance.
    train
        (heads, n), bool: the instances that each head learns from.
    rngs
        One per head; it gives the head's first weights, its order of instances and its mirrorings.
        Equal generators and equal training sets give equal heads.
    classes
        Number of classes.
    importance
        (n,) or (heads, n), at least 0: how much each instance counts in the mean loss of its
        batches; None: all count alike. One that counts 0 teaches nothing, yet keeps its place, so
        that the other instances are shown in the same batches with it as without.
    """
    if importance is None:
        importance = np.ones(len(labels))
    importance = np.broadcast_to(importance, train.shape)
    views = np.concatenate([plain, mirrored])
    started = (_start(rng, classes, plain.shape[1]) for rng in rngs)
    weight, bias = (np.stack(part) for part in zip(*started, strict=True))
    optimiser = Adam([weight, bias], settings.learning_rate)
    steps = -(-int(train.sum(axis=1).max()) // settings.batch_size)
    shown = np.empty((len(rngs), settings.batch_size, plain.shape[1]), np.float32)
    heads, places = np.ogrid[: len(rngs), : settings.batch_size]
    for _ in range(settings.epochs):
        plans = [_plan(rng, chosen, steps) for rng, chosen in zip(rngs, train, strict=True)]
        for step in range(steps):
            index, is_mirrored, share = _stack(
                [plan[step] for plan in plans], importance, settings.batch_size
            )
            np.take(views, index + len(plain) * is_mirrored, axis=0, out=shown, mode="clip")
            logits = shown @ weight.transpose(0, 2, 1) + bias[:, None, :]
            # The gradient of each head's mean cross-entropy by the logits.
            wrong = softmax(logits, axis=-1)
            wrong[heads, places, labels[index]] -= 1
            wrong *= share[:, :, None]
            optimiser.step([wrong.transpose(0, 2, 1) @ shown, wrong.sum(axis=1)])
        yield LinearHeads(weight.copy(), bias.copy())


def _start(
    rng: np.random.Generator, classes: int, dimensions: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw first weights as `torch.nn.Linear` does: uniform within 1 / sqrt(dimensions)."""
    bound = dimensions**-0.5
    weight = rng.uniform(-bound, bound, (classes, dimensions)).astype(np.float32)
    return weight, rng.uniform(-bound, bound, classes).astype(np.float32)


def _plan(
    rng: np.random.Generator, chosen: np.ndarray, steps: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Divide one epoch into batches of (instances, whether mirrored)."""
    order = rng.permutation(np.flatnonzero(chosen))
    is_mirrored = rng.integers(0, 2, len(order))
    return list(zip(np.array_split(order, steps), np.array_split(is_mirrored, steps), strict=True))


def _stack(
    batches: Sequence[tuple[np.ndarray, np.ndarray]], importance: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stack one batch per head to (heads, size): instances, mirrorings, shares in the mean loss."""
    index = np.zeros((len(batches), size), np.int64)
    is_mirrored = np.zeros_like(index)
    share = np.zeros(index.shape, np.float32)
    for head, (instances, mirrorings) in enumerate(batches):
        count = len(instances)
        index[head, :count], is_mirrored[head, :count] = instances, mirrorings
        counts = importance[head, instances]
        share[head, :count] = counts / (counts.sum() or 1)
    return index, is_mirrored, share


def write(heads: LinearHeads, path: str | Path) -> None:
    """Write heads as `.npz`."""
    write_arrays({"weight": heads.weight, "bias": heads.bias}, path)


def read(path: Path) -> Heads:
    """Read heads back, or the mapping that stands in their place."""
    with np.load(path) as file:
        if "weight" not in file:
            return read_mapping(path)
        return LinearHeads(file["weight"], file["bias"])
