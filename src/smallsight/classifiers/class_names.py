"""The names of a classifier's own classes: declared, never guessed."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from smallsight import params
from smallsight.classifiers.imagenet import imagenet_classes
from smallsight.runtime.errors import ClassifierError, ParameterError


def class_names(settings: params.Classifier, carried: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the classes, in the order of the classifier's outputs.

    Parameters
    ----------
    carried
        Those that the classifier itself carries; None where it has none.

    Raises
    ------
    ParameterError
        Where they are to be the classifier's own and it carries none; where two of a file are one,
        so that nothing could tell the classes apart.
    ClassifierError
        Where the file of names is missing, no text in UTF-8, without names, or has a line without.
    """
    if settings.class_names == "imagenet":
        return imagenet_classes()
    if settings.class_names == "file":
        return _distinct(read_class_names(settings.class_names_file))
    if carried is None:
        found = f"metadata, of which {settings.source} has none"
        raise ParameterError("params.classifier.class_names", found, "file or imagenet")
    return tuple(carried)


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    (name, count), *_ = Counter(names).most_common(1)
    if count > 1:
        where = "params.classifier.class_names_file"
        raise ParameterError(where, f"{name!r} more than once", "names that differ")
    return names


def read_class_names(path: str | Path) -> tuple[str, ...]:
    """Read names, one a line, as text in UTF-8; blanks round them do not count."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ClassifierError(path, error.strerror or str(error), "names of classes") from None
    except UnicodeDecodeError as error:
        found = f"byte {error.start} is no UTF-8"
        raise ClassifierError(path, found, "names of classes in UTF-8") from None
    names = tuple(line.strip() for line in text.rstrip().splitlines())
    if not names:
        raise ClassifierError(path, "no names", "a class a line")
    if "" in names:
        raise ClassifierError(f"{path}, line {names.index('') + 1}", "empty", "a class a line")
    return names
