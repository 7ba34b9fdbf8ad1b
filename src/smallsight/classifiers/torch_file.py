"""The state of a user's network, as a study keeps it."""

from collections.abc import Mapping
from pathlib import Path

import torch

from smallsight.classifiers.facts import ClassifierFacts
from smallsight.runtime.torch_archives import write_archive


def write_state(
    state: Mapping[str, torch.Tensor], facts: ClassifierFacts, path: str | Path
) -> None:
    """Write a state so that `torch.load(path, weights_only=True)` and `read_state` read it."""
    content = {
        "model_state_dict": dict(state),
        "architecture": facts.architecture,
        "classes": list(facts.classes),
    }
    write_archive(content, path)


def read_state(path: str | Path) -> dict[str, torch.Tensor]:
    """Read the state that `write_state` wrote."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    return content["model_state_dict"]
