"""A file of the user's that is kept as it is, and the size of input that its graph is fixed to."""

import hashlib
from pathlib import Path

from smallsight import params
from smallsight.classifiers.collecting import Origin
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.metadata import Carried
from smallsight.runtime.errors import ClassifierError
from smallsight.runtime.files import new_file


def copy_model(content: bytes, path: str | Path) -> None:
    """Write a file's content."""
    with new_file(path) as partial:
        partial.write_bytes(content)


def origin_of(settings: params.Classifier, content: bytes, notes: tuple[str, ...] = ()) -> Origin:
    """Say where a file's model comes from."""
    sha256 = hashlib.sha256(content).hexdigest()
    return Origin(Path(settings.file).name, settings.file, sha256, notes=notes)


def with_graph_size(carried: Carried, size: int | None) -> Carried:
    """Add the size of input that a graph is fixed to, unless metadata give one."""
    if size is None or carried.preprocessing.input_size is not None:
        return carried
    preprocessing = carried.preprocessing.model_copy(update={"input_size": size})
    return carried._replace(preprocessing=preprocessing)


def check_graph_size(facts: ClassifierFacts, size: int | None) -> None:
    """Refuse an input of another size than a graph is fixed to.

    Raises
    ------
    ClassifierError
        Names both sizes.
    """
    chosen = facts.preprocessing.input_size
    if size not in (None, chosen):
        due = f"params.classifier.preprocessing.input_size {chosen}, or a model of any size"
        raise ClassifierError(facts.origin, f"an input fixed at {size} pixels", due)
