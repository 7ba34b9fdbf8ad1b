"""A classifier of the user's own as it is: from pictures to logits and, where it has any, maps."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import nn

from smallsight.backbones.facts import LAST
from smallsight.backbones.networks.network import Layout
from smallsight.backbones.tensor_pooling import mean_over_boxes, mean_over_cells
from smallsight.classifiers.facts import ClassifierFacts, Preprocessing
from smallsight.classifiers.probe import check_outputs


class Model(Protocol):
    """A model of some library; several threads may run it at once.

    Attributes
    ----------
    linear
        What makes logits of the mean of the maps: weight, (classes, d), and bias, (classes,); None
        where nothing does.
    explained
        The network, the submodule whose gradients are looked at, and how what it returns becomes
        maps; None where there is none.
    """

    linear: tuple[torch.Tensor, torch.Tensor] | None
    explained: tuple[nn.Module, nn.Module, Layout] | None

    def to(self, device: torch.device) -> None:
        """Move to a device, if the library can."""

    def __call__(self, inputs: torch.Tensor) -> tuple[Any, torch.Tensor]:
        """Return the outputs for inputs, (n, 3, size, size), float32, and maps.

        These are (n, d, rows, columns), and of no use where `linear` is None.
        """


class OwnClassifier:
    """A `TensorReader` whose features are a model's logits, or the logarithms of its probabilities.

    Where cells of maps add up to the logits, these have the constant that makes them do so: what
    softmax makes of them is the model's own answer.

    Attributes
    ----------
    facts
        What is known of the classifier.
    batch_size
        Pictures per run.
    """

    batch_size = 8

    def __init__(self, facts: ClassifierFacts, model: Model) -> None:
        self.facts = facts
        self._model = model

    def to(self, device: torch.device) -> Self:
        """Move to a device."""
        self._model.to(device)
        return self

    def with_preprocessing(self, preprocessing: Preprocessing) -> "OwnClassifier":
        """Return the same model under another preprocessing."""
        return OwnClassifier(replace(self.facts, preprocessing=preprocessing), self._model)

    @property
    def linear(self) -> tuple[np.ndarray, np.ndarray] | None:
        """What makes logits of the mean over maps: weight, (classes, d), and bias, (classes,).

        None where the logits are no such sum.
        """
        if self._model.linear is None:
            return None
        weight, bias = (part.cpu().numpy() for part in self._model.linear)
        return weight, bias

    @property
    def explained(self) -> tuple[nn.Module, nn.Module, Layout] | None:
        """What pytorch-grad-cam needs; None where there are no gradients, or no need of them.

        Returns
        -------
        module
            From pictures, (n, size, size, 3), uint8, to logits, (n, classes).
        layer
            Its submodule whose output becomes maps.
        layout
            How it does: (n, channels, rows, columns).
        """
        if self._model.explained is None:
            return None
        network, layer, layout = self._model.explained
        return _Explained(self, network), layer, layout

    def inputs(self, pictures: torch.Tensor) -> torch.Tensor:
        """Make inputs, (n, 3, size, size), float32, of pictures, (n, size, size, 3), uint8."""
        how, device = self.facts.preprocessing, pictures.device
        inputs = pictures.permute(0, 3, 1, 2).float()
        if how.range == "0..1":
            inputs = inputs / 255
        mean, std = (
            torch.tensor(part, device=device).view(3, 1, 1) for part in (how.mean, how.std)
        )
        inputs = (inputs - mean) / std
        return (inputs.flip(1) if how.channels == "bgr" else inputs).contiguous()

    def outputs(self, pictures: torch.Tensor) -> Any:
        """Return whatever the model returns for pictures, unchecked."""
        return self._model(self.inputs(pictures))[0]

    def logits_of(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return logits, float32, or the logarithms of outputs that are probabilities."""
        outputs = outputs.float()
        if self.facts.output == "logits":
            return outputs
        return outputs.clamp_min(torch.finfo(torch.float32).tiny).log()

    def scene(self, pictures: torch.Tensor, names: Sequence[tuple[str, str]] = ()) -> torch.Tensor:
        """Compute logits, (n, classes), of pictures, (n, size, size, 3), uint8.

        Parameters
        ----------
        names
            Of each picture, its name and what was done to it, for errors.

        Raises
        ------
        ClassifierError
            Where an output is NaN or infinite, or no probability where these are declared.
        """
        return self._look(pictures, names)[0]

    def read_out(
        self,
        pictures: torch.Tensor,
        regions: torch.Tensor,
        names: Sequence[tuple[str, str]] = (),
    ) -> dict[str, torch.Tensor]:
        """Compute logits of pictures and, where cells add up to them, of boxes; and the maps.

        Parameters
        ----------
        pictures, names
            As for `scene`.
        regions
            (n, 5), the objects, as `pooling.regions_of` returns them.

        Returns
        -------
        dict
            `scene`, (pictures, classes); `box`, (n, classes), where the maps add up; `LAST`,
            (pictures, d, rows, columns), or (pictures, 0, 0, 0).

        Raises
        ------
        ClassifierError
            As for `scene`.
        """
        scene, maps = self._look(pictures, names)
        if self._model.linear is None:
            return {"scene": scene, LAST: scene.new_zeros((len(scene), 0, 0, 0))}
        weight, bias = self._model.linear
        pooled = mean_over_boxes(maps, regions, size=pictures.shape[1])
        return {"scene": scene, "box": pooled @ weight.T + bias, LAST: maps}

    def _look(
        self, pictures: torch.Tensor, names: Sequence[tuple[str, str]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        outputs, maps = self._model(self.inputs(pictures))
        check_outputs(outputs, self.facts, self.facts.origin, names)
        logits = self.logits_of(outputs)
        if self._model.linear is None:
            return logits, maps
        weight, bias = self._model.linear
        added = mean_over_cells(maps) @ weight.T + bias
        return logits + (added - logits).mean(dim=1, keepdim=True), maps


class _Explained(nn.Module):
    """The way from pictures to logits, for gradients; it stays in evaluation mode."""

    def __init__(self, classifier: OwnClassifier, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self._classifier = classifier

    def train(self, mode: bool = True) -> "_Explained":
        return self

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self._classifier.logits_of(self._classifier.outputs(pictures))
