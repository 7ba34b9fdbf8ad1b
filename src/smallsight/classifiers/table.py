"""A table of predictions of the user's own, in which answers are looked up by name."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from smallsight import params
from smallsight.classifiers.answers import Name, NotAskedError, read_answers, written
from smallsight.classifiers.asked import AskedClassifier, asked_facts
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.sources import Wanted
from smallsight.runtime import files
from smallsight.vocabulary import TASKS

_IMAGE = re.compile(r"-?\d+_-?\d+\.png")
_RENDERED = re.compile(rf"({'|'.join(TASKS)})/[^/]+/.+")


class TableClassifier(AskedClassifier):
    """Looks answers up. Rows that nobody asks for are left alone.

    Parameters
    ----------
    path
        The table.
    origin
        The user's own file, of which `path` is a copy.
    classes
        The classifier's.
    """

    batch_size = 4096

    def __init__(self, path: Path, origin: str, classes: Sequence[str]) -> None:
        self._origin = origin
        self._answers = read_answers(path, classes, _malformed)

    def answer(self, pictures: np.ndarray, names: Sequence[Name]) -> np.ndarray:
        """Return the logarithms of probabilities, (n, classes), float32, of n pictures.

        Raises
        ------
        NotAskedError
            For a picture that is none of a rendered condition.
        ClassifierError
            Where answers are missing.
        """
        for name in names:
            if not _RENDERED.fullmatch(name[1]):
                expected = "pictures of rendered conditions, as requests.csv lists them"
                raise NotAskedError(self._origin, f"nothing of {written(name)}", expected)
        return self._answers.logs_of(names, self._origin)


def collect(settings: params.Classifier, model: Path, wanted: Wanted) -> ClassifierFacts:
    """Check the parameters and the whole table, and copy it.

    A table without rows passes, so that pictures can be rendered before there are predictions.

    Raises
    ------
    ParameterError
        Where something is not declared.
    ClassifierError
        Where the table is missing or has a row that is not as it should be.
    """
    label, no_maps = Path(settings.file).name, "a table has probabilities and no maps"
    facts = asked_facts(settings, label=label, no_maps=no_maps)
    read_answers(settings.file, facts.classes, _malformed)
    with files.new_file(model) as partial:
        shutil.copyfile(settings.file, partial)
    return replace(facts, origin=settings.file, sha256=files.sha256(model))


def open_(facts: ClassifierFacts, model: Path) -> TableClassifier:
    """Open the copy of a table."""
    return TableClassifier(model, facts.origin, facts.classes)


def _malformed(name: Name) -> tuple[str, str] | None:
    """Say what is wrong with a name that no rendered picture can have."""
    image, condition = name
    if not _IMAGE.fullmatch(image):
        return f"image {image!r}", "<image_id>_<ann_id>.png, as requests.csv has it"
    if not _RENDERED.fullmatch(condition):
        return f"condition {condition!r}", "<task>/<family>/<level>, as requests.csv has it"
    return None
