"""Files of weights as people have them, read."""

import math
import re
import reprlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch

from smallsight.runtime.errors import WeightsError

CONTAINERS = ("ema", "state_dict", "model_state_dict", "model", "state")
"""Keys under which a state may lie, at any depth. Where there are several, the first is taken:
averaged weights (`ema`) are the ones that a training with an average is judged by."""

STATE_ALONE = "a state alone, as torch.save(network.state_dict(), path) writes it"
KNOWN_CONTAINERS = f"named tensors, alone or under {', '.join(CONTAINERS)}"


class Checkpoint(NamedTuple):
    """The state that a file holds.

    Attributes
    ----------
    state
        By the file's own names. Floats are float32 whatever the file's precision; whole numbers
        are as they were.
    opened
        The keys that led to it, from the outside in.
    mean, std
        Per channel, of pictures in 0..1, as the file says beside the state or beside a key that
        led to it; None where it does not say.
    passed_over
        Dotted keys of other states in the file.
    """

    state: dict[str, torch.Tensor]
    opened: tuple[str, ...]
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    passed_over: tuple[str, ...] = ()


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a state from a file of torch's or, by the suffix `.safetensors`, of safetensors.

    Nothing in the file is run: torch loads with `weights_only=True`. A state may lie under the
    keys of `CONTAINERS`, one in another.

    Raises
    ------
    WeightsError
        Where the file is missing, cannot be read, holds more than tensors and plain values, or has
        no state; where an entry of the state is no tensor; where `mean` or `std` is not three
        finite numbers, the latter above 0.
    """
    content = _load(path)
    (opened, state), *others = _states(content) or [((), content)]
    return Checkpoint(
        _tensors(state, path),
        opened,
        _normalisation(content, opened, "mean", path),
        _normalisation(content, opened, "std", path),
        tuple(".".join(keys) for keys, _ in others),
    )


def _load(path: str | Path) -> Any:
    is_safetensors = Path(path).suffix == ".safetensors"
    try:
        if is_safetensors:
            return safetensors.torch.load(Path(path).read_bytes())
        # Not mapped into memory: the file may be replaced in place while the weights are in use.
        with warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(path, error.strerror or str(error), "a file of weights") from None
    except Exception as error:  # the readers raise whatever they met
        if is_safetensors:
            reason = " ".join(str(error).split())
            raise WeightsError(path, f"unreadable ({reason})", "a safetensors file") from None
        raise WeightsError(path, *_refusal(str(error))) from None


def _refusal(message: str) -> tuple[str, str]:
    """Say in a few words why torch did not load a file, and what it should have been."""
    refused = re.search(r"GLOBAL ([\w.]+)", message)
    if refused:
        return f"holds {refused[1]}, which weights_only=True does not load", STATE_ALONE
    if "TorchScript" in message:
        return "a TorchScript archive", STATE_ALONE
    return "not a checkpoint, or a damaged one", "a file that loads with weights_only=True"


def _states(content: object) -> list[tuple[tuple[str, ...], Mapping[Any, Any]]]:
    """List the states in a file with the keys that lead to them, the one to take first."""
    if not isinstance(content, Mapping):
        return []
    inner = [
        ((key, *keys), state)
        for key in CONTAINERS
        if key in content
        for keys, state in _states(content[key])
    ]
    has_tensors = any(isinstance(value, torch.Tensor) for value in content.values())
    return inner or ([((), content)] if has_tensors else [])


def _tensors(state: object, path: str | Path) -> dict[str, torch.Tensor]:
    """Refuse a state that has entries other than named tensors; turn its floats into float32."""
    if not isinstance(state, Mapping):
        raise WeightsError(path, f"holds {type(state).__name__}", KNOWN_CONTAINERS)
    others = [name for name, value in state.items() if not _is_dense(value)]
    for name in others:
        if _states(state[name]):
            raise WeightsError(path, f"its tensors lie under `{name}`", KNOWN_CONTAINERS)
    if len(others) == len(state) or not all(isinstance(name, str) for name in state):
        raise WeightsError(path, "no named tensors", KNOWN_CONTAINERS)
    if others:
        kind = type(state[others[0]]).__name__
        raise WeightsError(path, f"{others[0]} is no dense tensor ({kind})", STATE_ALONE)
    return {
        name: value.detach().float() if value.is_floating_point() else value
        for name, value in state.items()
    }


def _is_dense(value: object) -> bool:
    """Say whether a value is a tensor with one readable number per element."""
    return isinstance(value, torch.Tensor) and value.layout is torch.strided and not value.is_meta


def _normalisation(
    content: Any, opened: Sequence[str], key: str, path: str | Path
) -> tuple[float, ...] | None:
    """Find and check a mean or standard deviation; of several, the one nearest to the state."""
    found = []
    for step in opened:
        found += [content[key]] if key in content else []
        content = content[step]
    if not found:
        return None
    try:
        numbers = tuple(torch.as_tensor(found[-1], dtype=torch.float64).flatten().tolist())
    except (TypeError, ValueError, OverflowError, RuntimeError):
        numbers = ()
    least = 0 if key == "std" else -math.inf
    if len(numbers) != 3 or not all(least < number < math.inf for number in numbers):
        due = "three finite numbers" + (" above 0" if key == "std" else "")
        raise WeightsError(path, " ".join(f"{key} {reprlib.repr(found[-1])}".split()), due)
    return numbers
