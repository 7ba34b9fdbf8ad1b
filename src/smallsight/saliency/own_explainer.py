"""Saliency maps of a classifier of the user's own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from smallsight.classifiers.own import OwnClassifier
from smallsight.conditions.rendered.store import Pictures
from smallsight.saliency import measures
from smallsight.saliency.explain import ClassMaps
from smallsight.saliency.gradcam import weigh_maps


@dataclass(frozen=True)
class OwnExplainer:
    """How maps of a classifier of the user's own are made; see `explain.Explainer`.

    Attributes
    ----------
    classifier
        One that has maps: its features are its logits.
    device
        Where it runs.
    """

    classifier: OwnClassifier
    device: torch.device

    @property
    def layer(self) -> str:
        """What the layer is called whose maps are weighed."""
        return self.classifier.facts.layer

    @property
    def size(self) -> int:
        """Width and height of the classifier's input, in pixels."""
        return self.classifier.facts.preprocessing.input_size

    @property
    def is_sum(self) -> bool:
        """Whether what the last maps' cells add, and the bias, sum to the logit."""
        return self.classifier.linear is not None

    def class_maps(
        self,
        maps: np.ndarray,
        pictures: Pictures,
        boxes: np.ndarray,
        weights: Sequence[np.ndarray],
    ) -> list[ClassMaps]:
        """Compute maps for several logits of the same pictures; see `Explainer`."""
        if self.classifier.linear is not None:
            of_class, _ = self.classifier.linear
            added = [measures.contributions(maps, weight @ of_class) for weight in weights]
            return [ClassMaps(part, np.maximum(part, 0)) for part in added]
        explained = self.classifier.explained
        assert explained is not None, "a classifier without maps"
        found = weigh_maps(*explained, pictures.read(), np.stack(weights), device=self.device)
        return [ClassMaps(np.full_like(each, np.nan), each) for each in found]

    def bias(self, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """Return the last layer's bias; NaN where cells are no sum. See `Explainer`."""
        if self.classifier.linear is None:
            return np.full_like(bias, np.nan)
        return weight @ self.classifier.linear[1]
