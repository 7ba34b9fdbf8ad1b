"""Weights of the frozen network: where they come from, and how they are checked."""

import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torchvision.models import ResNet18_Weights

from smallsight.backbones.resnet import trunk
from smallsight.runtime.errors import DownloadError, WeightsError
from smallsight.runtime.files import new_file, sha256

NAMED_WEIGHTS = ("phantom", "imagenet")
"""Weights that are asked for by name; anything else is a path."""


IMAGENET_MEAN = (0.485, 0.456, 0.406)


IMAGENET_STD = (0.229, 0.224, 0.225)


class Weights(NamedTuple):
    """A trunk's weights and the normalisation that they expect.

    Attributes
    ----------
    state
        State of torchvision's ResNet18 without its last layer, `fc`.
    mean, std
        Per channel, of pictures in 0..1.
    """

    state: dict[str, torch.Tensor]
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD


def random_weights(rng: np.random.Generator) -> Weights:
    """Draw weights as they are before any training.

    Filters by He's normal distribution for what goes out of them (He et al., Delving Deep into
    Rectifiers, ICCV 2015), as torchvision draws them; normalisation that changes nothing.
    """
    state = {}
    for name, value in trunk().state_dict().items():
        if value.ndim == 4:
            outputs, _, height, width = value.shape
            deviation = (2 / (outputs * height * width)) ** 0.5
            drawn = rng.normal(0, deviation, value.shape).astype(np.float32)
            state[name] = torch.from_numpy(drawn)
        else:
            state[name] = value
    return Weights(state)


def imagenet_weights() -> Weights:
    """Fetch torchvision's ImageNet weights, checked against the hash in their name.

    Raises
    ------
    DownloadError
        Where they are not in torch's cache and their address gives no whole answer.
    """
    source = ResNet18_Weights.IMAGENET1K_V1
    cached = Path(torch.hub.get_dir(), "checkpoints", Path(source.url).name)
    try:
        state = source.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DownloadError(source.url, reason, "the weights named in the address") from None
    # torch checks what it downloads, but not what lies in its cache.
    due = cached.stem.rpartition("-")[2]
    if not sha256(cached).startswith(due):
        raise DownloadError(source.url, f"other contents in {cached}", f"SHA-256 {due}...")
    return Weights(_trunk_state(state))


def read_weights(path: str | Path) -> Weights:
    """Read weights from a file: a state of ResNet18, alone or under a usual key.

    The keys are `state`, `state_dict` and `model_state_dict`; `mean` and `std` beside them
    replace ImageNet's normalisation.

    Raises
    ------
    WeightsError
        Where the file is missing, is no checkpoint, or does not fit ResNet18.
    """
    expected = "a checkpoint of torchvision's ResNet18"
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(path, error.strerror or str(error), expected) from None
    except Exception as error:  # torch.load raises whatever its unpickler met
        reason = f"{type(error).__name__} on reading it"
        raise WeightsError(path, reason, f"{expected} that loads with weights_only=True") from None
    if not isinstance(content, Mapping):
        raise WeightsError(path, type(content).__name__, expected)
    keys = [key for key in ("state", "state_dict", "model_state_dict") if key in content]
    state = content[keys[0]] if keys else content
    if not isinstance(state, Mapping) or not all(isinstance(name, str) for name in state):
        raise WeightsError(path, "no named tensors", expected)
    state = _trunk_state(state)
    _check_state(state, path)
    normalisation = {
        key: _normalisation(content[key], path, key) for key in ("mean", "std") if key in content
    }
    return Weights(state, **normalisation)


def write_weights(weights: Weights, path: str | Path) -> None:
    """Write weights so that `read_weights` reads them."""
    with new_file(path) as partial:
        torch.save(weights._asdict(), partial)


def _trunk_state(state: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Leave the last layer out, and put in the counters that old checkpoints do not have."""
    counters = {
        name: value for name, value in trunk().state_dict().items() if name.endswith("_tracked")
    }
    return counters | {name: part for name, part in state.items() if not name.startswith("fc.")}


def _normalisation(values: object, path: str | Path, key: str) -> tuple[float, ...]:
    """Check a mean or standard deviation: one finite number per channel, the latter above 0."""
    try:
        numbers = tuple(float(value) for value in values)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        numbers = ()
    least = 0 if key == "std" else -math.inf
    if len(numbers) != 3 or not all(least < number < math.inf for number in numbers):
        due = "three finite numbers" + (" above 0" if key == "std" else "")
        raise WeightsError(path, f"{key} {values!r}", due)
    return numbers


def _check_state(state: Mapping[str, Any], path: str | Path) -> None:
    expected = trunk().state_dict()
    for name, value in expected.items():
        found = getattr(state.get(name), "shape", None)
        if found != value.shape:
            shape = "x".join(map(str, value.shape)) or "a number"
            found_shape = "nothing" if found is None else "x".join(map(str, found))
            raise WeightsError(path, f"{name}: {found_shape}", shape)
    unknown = sorted(set(state) - set(expected))
    if unknown:
        raise WeightsError(path, f"unknown entry {unknown[0]}", "ResNet18's own entries")
