"""The state of a user's network, as a study keeps it."""

from collections.abc import Mapping
from pathlib import Path

import torch

from smallsight.classifiers.facts import ClassifierFacts
from smallsight.runtime.files import new_file


def write_state(
    state: Mapping[str, torch.Tensor], facts: ClassifierFacts, path: str | Path
) -> None:
    """Write a state so that `torch.load(path, weights_only=True)` and `read_state` read it."""
    content = {
        "model_state_dict": dict(state),
        "architecture": facts.architecture,
        "classes": list(facts.classes),
    }
    with new_file(path) as partial:
        torch.save(content, partial)


def read_state(path: str | Path) -> dict[str, torch.Tensor]:
    """Read the state that `write_state` wrote."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    return content["model_state_dict"]
