"""What a program and a table of the user's own share: both answer for a picture by its name."""

from collections.abc import Sequence

import numpy as np

from smallsight import params
from smallsight.backbones.facts import LAST
from smallsight.classifiers.answers import Name
from smallsight.classifiers.class_names import class_names
from smallsight.classifiers.facts import ClassifierFacts, Preprocessing
from smallsight.runtime.errors import ParameterError


class AskedClassifier:
    """A `Reader` whose features are the logarithms of answered probabilities, float32."""

    batch_size: int
    threads = 1
    place = "the classifier's own program or table"

    def scene(self, pictures: np.ndarray, names: Sequence[Name] = ()) -> np.ndarray:
        """Ask for the answers, (n, classes), to pictures, (n, size, size, 3), uint8.

        Raises
        ------
        ClassifierError
            Where it does not answer as it should.
        ValueError
            Where a picture has no name.
        """
        if len(names) != len(pictures):
            raise ValueError(f"{len(pictures)} pictures of {len(names)} names")
        return self.answer(pictures, names)

    def read_out(
        self,
        pictures: np.ndarray,
        regions: np.ndarray,
        names: Sequence[Name] = (),
        *,
        keep_maps: bool = False,
    ) -> dict[str, np.ndarray]:
        """Ask as `scene` does; there are no maps."""
        scene = self.scene(pictures, names)
        maps = {LAST: np.zeros((len(scene), 0, 0, 0), np.float32)} if keep_maps else {}
        return {"scene": scene} | maps

    def answer(self, pictures: np.ndarray, names: Sequence[Name]) -> np.ndarray:
        """Return the logarithms of probabilities, (n, classes), float32, of n pictures."""
        raise NotImplementedError


def asked_facts(settings: params.Classifier, *, label: str, no_maps: str) -> ClassifierFacts:
    """Return what is declared of what is asked; where it comes from is still to be told.

    Parameters
    ----------
    label
        What people call it.
    no_maps
        Why it has no maps.

    Raises
    ------
    ParameterError
        Where something is not declared, or what is not for smallsight to decide is.
    """
    return ClassifierFacts(
        source=settings.source,
        architecture="",
        command="",
        code="",
        code_sha256="",
        label=label,
        origin="",
        sha256="",
        notes=(),
        classes=class_names(settings, None),
        input=settings.input,
        output="probabilities",
        preprocessing=asked_preprocessing(settings),
        maps="none",
        layer="",
        cells=0,
        no_maps=no_maps,
    )


def asked_preprocessing(settings: params.Classifier) -> Preprocessing:
    """Find out what size of picture is asked about, and how pictures are resized to it.

    Raises
    ------
    ParameterError
        Where the size is not given, or what only the program, or whoever made the table, decides
        is.
    """
    where, given = "params.classifier.preprocessing", settings.preprocessing
    if given.input_size is None:
        found, expected = (
            "null",
            "width and height, in pixels, of the pictures that are asked about",
        )
        raise ParameterError(f"{where}.input_size", found, expected)
    for name in ("mean", "std", "channels", "range"):
        value = getattr(given, name)
        if value is not None:
            found = repr(list(value) if isinstance(value, tuple) else value)
            expected = f"null: with {settings.source}, pictures are handed over as they are"
            raise ParameterError(f"{where}.{name}", found, expected)
    return Preprocessing(
        input_size=given.input_size,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        interpolation=given.interpolation or "bilinear",
        channels="rgb",
        range="0..1",
    )
