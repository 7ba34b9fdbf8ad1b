"""Linear heads on frozen features: many fitted at once, each as if it were alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from smallsight import params
from smallsight.classifiers.mapping import ClassMapping, read_mapping
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
        weight, bias = torch.from_numpy(self.weight), torch.from_numpy(self.bias)
        logits = torch.from_numpy(features) @ weight.transpose(1, 2) + bias[:, None, :]
        return logits.numpy()

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Compute class probabilities, (heads, n, classes), of features (n, dimensions)."""
        logits = torch.from_numpy(self.logits(features))
        return functional.softmax(logits, dim=-1).numpy()


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
    device: torch.device,
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
        device=device,
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
    device: torch.device,
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
    views = torch.from_numpy(np.stack([plain, mirrored])).to(device)
    targets = torch.from_numpy(labels.astype(np.int64)).to(device)
    weight, bias = (
        torch.from_numpy(np.stack(part)).to(device).requires_grad_()
        for part in zip(*(_start(rng, classes, plain.shape[1]) for rng in rngs), strict=True)
    )
    optimiser = torch.optim.Adam([weight, bias], lr=settings.learning_rate, fused=True)
    steps = -(-int(train.sum(axis=1).max()) // settings.batch_size)
    for _ in range(settings.epochs):
        plans = [_plan(rng, chosen, steps) for rng, chosen in zip(rngs, train, strict=True)]
        for step in range(steps):
            index, is_mirrored, share = (
                torch.from_numpy(part).to(device)
                for part in _stack([plan[step] for plan in plans], importance, settings.batch_size)
            )
            batch = views[is_mirrored, index]
            logits = torch.baddbmm(bias[:, None, :], batch, weight.transpose(1, 2))
            losses = functional.cross_entropy(
                logits.flatten(0, 1), targets[index].flatten(), reduction="none"
            )
            optimiser.zero_grad()
            # Each head's mean loss; the heads share no weight, so the sum fits each alone.
            (losses * share.flatten()).sum().backward()
            optimiser.step()
        yield LinearHeads(weight.detach().cpu().numpy().copy(), bias.detach().cpu().numpy().copy())


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
