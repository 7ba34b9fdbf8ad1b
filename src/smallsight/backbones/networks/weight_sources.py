"""Where weights come from, unless the study trains them: an address, a file, or chance."""

import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from smallsight.backbones.networks.makers import make_trunk
from smallsight.backbones.networks.weights import Weights, without_last_layer
from smallsight.backbones.registry import BackboneRecord, Download, Preprocessing
from smallsight.runtime.errors import DownloadError, WeightsError
from smallsight.runtime.files import sha256


def random_weights(record: BackboneRecord, rng: np.random.Generator) -> Weights:
    """Draw weights as they are before any training.

    Filters come from He's normal distribution by fan-out (He et al., Delving Deep into Rectifiers,
    ICCV 2015), as torchvision's ResNets draw them. Biases are 0, and normalisation changes nothing.
    """
    state = {}
    for name, value in make_trunk(record).state_dict().items():
        if value.ndim >= 2:
            outputs, _, *sides = value.shape
            deviation = (2 / (outputs * math.prod(sides))) ** 0.5
            drawn = rng.normal(0, deviation, value.shape).astype(np.float32)
            state[name] = torch.from_numpy(drawn)
        else:
            state[name] = torch.zeros_like(value) if name.endswith("bias") else value
    return Weights(record.name, state, record.preprocessing.mean, record.preprocessing.std)


def download_weights(
    record: BackboneRecord, download: Download, preprocessing: Preprocessing
) -> Weights:
    """Download weights, and check them against the record's hash.

    Raises
    ------
    DownloadError
        Where they are not in torch's cache and their address gives no whole answer.
    """
    url, due = download.url, download.sha256
    cached = Path(torch.hub.get_dir(), "checkpoints", Path(url).name)
    try:
        state = torch.hub.load_state_dict_from_url(
            url, map_location="cpu", check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DownloadError(url, reason, "the weights named in the address") from None
    # torch checks what it downloads, but not what lies in its cache.
    if not sha256(cached).startswith(due):
        raise DownloadError(url, f"other contents in {cached}", f"SHA-256 {due}...")
    return Weights(record.name, _trunk_state(record, state), preprocessing.mean, preprocessing.std)


def read_checkpoint(path: str | Path, record: BackboneRecord) -> Weights:
    """Read weights from a user's file: a state of the network, alone or under a usual key.

    The keys are `state`, `state_dict` and `model_state_dict`; `mean` and `std` beside them
    replace the record's normalisation.

    Raises
    ------
    WeightsError
        Where the file is missing, is no checkpoint, or does not fit the network.
    """
    expected = f"a checkpoint of {record.library}'s {record.label}"
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
    state = _trunk_state(record, state)
    _check_state(state, record, path)
    mean, std = (
        _normalisation(content[key], path, key)
        if key in content
        else getattr(record.preprocessing, key)
        for key in ("mean", "std")
    )
    return Weights(record.name, state, mean, std)


def _trunk_state(record: BackboneRecord, state: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Leave the last layer out, and put in the counters that old checkpoints do not have."""
    counters = {
        name: value
        for name, value in make_trunk(record).state_dict().items()
        if name.endswith("_tracked")
    }
    return counters | without_last_layer(record, state)


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


def _check_state(state: Mapping[str, Any], record: BackboneRecord, path: str | Path) -> None:
    """Refuse a state that has other entries, or others of another shape, than the trunk's."""
    expected = make_trunk(record).state_dict()
    for name, value in expected.items():
        found = getattr(state.get(name), "shape", None)
        if found != value.shape:
            shape = "x".join(map(str, value.shape)) or "a number"
            found_shape = "nothing" if found is None else "x".join(map(str, found))
            raise WeightsError(path, f"{name}: {found_shape}", shape)
    unknown = sorted(set(state) - set(expected))
    if unknown:
        raise WeightsError(path, f"unknown entry {unknown[0]}", f"{record.label}'s own entries")
