"""A classifier's own classes brought to the study's categories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from smallsight.classifiers.answers import NEVER
from smallsight.classifiers.imagenet import imagenet_by_coco, imagenet_classes
from smallsight.runtime import files
from smallsight.runtime.errors import ClassifierError, ParameterError
from smallsight.vocabulary import OTHER


@dataclass(frozen=True)
class ClassMapping:
    """Takes the place of heads: features that are a classifier's logits become categories.

    Attributes
    ----------
    membership
        (names, own classes), bool: which classes are summed to each name; no class is in two.
    keeps_rest
        Whether the last name is `OTHER`, of all classes of no category; else these are left out,
        and the others renormalised.

    Examples
    --------
    >>> mapping = ClassMapping(np.array([[True, True, False, False], [False, False, True, False]]))
    >>> logits = np.log(np.array([[0.1, 0.2, 0.1, 0.6]], np.float32))
    >>> mapping.probabilities(logits).round(3).tolist()
    [[[0.75, 0.25]]]
    >>> rest = [[False, False, False, True]]
    >>> with_rest = ClassMapping(np.vstack([mapping.membership, rest]), keeps_rest=True)
    >>> with_rest.probabilities(logits).astype(float).round(3).tolist()
    [[[0.3, 0.1, 0.6]]]
    """

    membership: np.ndarray
    keeps_rest: bool = False

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return logarithms of probabilities, (1, n, names), of logits, (n, own classes).

        Raises
        ------
        ClassifierError
            Where a program's or a table's answer gives no category any probability, and the rest is
            not kept: nothing is left that could be renormalised.
        """
        mapped = np.asarray(features)[:, self.membership.any(axis=0)]
        if len(mapped) and (mapped == np.float32(NEVER)).all(axis=1).any():
            found = "an answer gives no category any probability: nothing can be renormalised"
            raise ClassifierError("params.classifier.rest", found, OTHER)
        every = np.asarray(features, np.float64)
        every = every - every.max(axis=1, keepdims=True)
        share = np.exp(every) @ self.membership.T.astype(float)
        return np.log(np.maximum(share / share.sum(axis=1, keepdims=True), _TINY))[None]

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Return probabilities, (1, n, names), of logits, (n, own classes)."""
        return np.exp(self.logits(features)).astype(np.float32)

    def leading(self, features: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Return, of the own classes that make up a name, that with the largest logit.

        Parameters
        ----------
        features
            (n, own classes), logits.
        classes
            (n,): one name for each.
        """
        return np.where(self.membership[classes], features, -np.inf).argmax(axis=1)


_TINY = np.finfo(np.float32).tiny

WHERE = "params.classifier.mapping"


def resolve_mapping(
    mapping: str | Mapping[str, Sequence[str]],
    own: Sequence[str],
    categories: Sequence[str],
    *,
    keeps_rest: bool,
) -> ClassMapping:
    """Find out which of a classifier's classes make up each category.

    Parameters
    ----------
    mapping
        As `params.Classifier` has it: `same`, `imagenet`, or classes by category.
    own
        The classifier's classes, in the order of its outputs.
    categories
        The study's.

    Raises
    ------
    ParameterError
        Where a category has no class, a class is unknown, ambiguous or in two categories, the
        mapping names a category that the study lacks, or `other` is one of the categories and the
        rest is kept.
    """
    if keeps_rest and OTHER in categories:
        expected = f"renormalise, or categories of which none is called {OTHER}"
        raise ParameterError("params.classifier.rest", f"{OTHER}, a category's name", expected)
    if mapping == "same":
        chosen = _same(own, categories)
    elif mapping == "imagenet":
        chosen = _imagenet(own, categories)
    elif isinstance(mapping, Mapping):
        chosen = _declared(mapping, own, categories)
    else:
        raise ParameterError(WHERE, repr(mapping), "same, imagenet, or classes by category")
    membership = np.zeros((len(categories), len(own)), bool)
    for row, indices in zip(membership, chosen, strict=True):
        row[indices] = True
    if keeps_rest:
        membership = np.vstack([membership, ~membership.any(axis=0)])
    return ClassMapping(membership, keeps_rest)


def write_mapping(mapping: ClassMapping, path: Path) -> None:
    """Write a mapping as NPZ: an array for each attribute."""
    keeps_rest = np.array(mapping.keeps_rest)
    files.write_arrays({"membership": mapping.membership, "keeps_rest": keeps_rest}, path)


def read_mapping(path: Path) -> ClassMapping:
    """Read what `write_mapping` wrote."""
    with np.load(path) as file:
        return ClassMapping(file["membership"], bool(file["keeps_rest"]))


def _same(own: Sequence[str], categories: Sequence[str]) -> list[list[int]]:
    """Find the class that has each category's own name."""
    if lacking := [name for name in categories if name not in own]:
        found = f"same, but no class is called {', '.join(lacking)}"
        raise ParameterError(WHERE, found, "a class for each category, or classes by category")
    return [[_place(name, own, WHERE)] for name in categories]


def _imagenet(own: Sequence[str], categories: Sequence[str]) -> list[list[int]]:
    """Find the classes of each category in the shipped table."""
    due = imagenet_classes()
    if tuple(own) != due:
        found = f"{len(own)} classes"
        if len(own) == len(due):
            place = next(place for place, name in enumerate(due) if own[place] != name)
            found = f"{own[place]!r} as class {place}"
        expected = "ImageNet's 1,000, in order and in torchvision's words (class_names: imagenet)"
        raise ParameterError(WHERE, f"imagenet, but the classifier has {found}", expected)
    table = imagenet_by_coco()
    for name in categories:
        if name not in table:
            found = f"imagenet, but {name} is no category of COCO's"
            raise ParameterError(WHERE, found, "categories by COCO's names, or classes by category")
    if lacking := [name for name in categories if not table[name]]:
        found = f"imagenet, but ImageNet has no class for {', '.join(lacking)}"
        raise ParameterError(WHERE, found, "other categories, or a classifier that has these")
    return [list(table[name]) for name in categories]


def _declared(
    mapping: Mapping[str, Sequence[str]], own: Sequence[str], categories: Sequence[str]
) -> list[list[int]]:
    """Find the classes that params.yaml names for each category."""
    for name in mapping:
        if name not in categories:
            expected = f"one of {', '.join(categories)}"
            raise ParameterError(f"{WHERE}.{name}", "no category of the study", expected)
    if lacking := [name for name in categories if not mapping.get(name)]:
        found = f"no classes for {', '.join(lacking)}"
        raise ParameterError(WHERE, found, "classes for each of params.data.categories")
    taken: dict[str, str] = {}
    for category in categories:
        for name in mapping[category]:
            if taken.setdefault(name, category) != category:
                found = f"{name!r}, which {taken[name]} has already"
                raise ParameterError(f"{WHERE}.{category}", found, "each class in one category")
    return [
        [_place(name, own, f"{WHERE}.{category}") for name in mapping[category]]
        for category in categories
    ]


def _place(name: str, own: Sequence[str], where: str) -> int:
    """Find the one class of a name."""
    places = [place for place, one in enumerate(own) if one == name]
    if not places:
        like = (get_close_matches(name, own, 1) or list(own))[0]
        expected = f"one of the classifier's {len(own)} classes, such as {like!r}"
        raise ParameterError(where, f"{name!r}, which is none", expected)
    if len(places) > 1:
        found = f"{name!r}, the name of classes {' and '.join(map(str, places))}"
        raise ParameterError(where, found, "a name that one class has")
    return places[0]
