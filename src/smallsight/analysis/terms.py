"""Labels of what the analysis tells apart, each with its meaning, for tables, figures and text."""

from typing import NamedTuple

from smallsight.evaluation.rungs import STEPS, Step


class Term(NamedTuple):
    """A label for people, and its meaning."""

    label: str
    description: str


NOT_EXPLAINED = "not_explained"
"""What remains on the last rung; also the cause of a failure that no rung turns right for good."""

PARTS = {
    "gap": Term("Gap", "accuracy on large minus small objects, given the whole picture"),
    "class_mix": Term("Class mix", "some categories are mostly small, others mostly large"),
    NOT_EXPLAINED: Term(
        "Not explained", "the picture's own pixels, the kind of object, and anything else"
    ),
}
"""The gap, and those of its parts that are no step of the ladder."""

JOINT = "+"
"""Stands between the names of steps that are one, because the study lacks the rung between them."""


def steps_of(part: str) -> list[Step]:
    """Return the steps of the ladder that a part of the gap, or a cause, names; none for `PARTS`.

    Examples
    --------
    >>> [step.label for step in steps_of("finer_cells+own_window")]
    ['Finer cells', 'A window of its own']
    """
    by_name = {step.name: step for step in STEPS.values()}
    return [] if part in PARTS else [by_name[name] for name in part.split(JOINT)]


def describe_part(part: str) -> Term:
    """Return label and meaning of a part of the gap, or of a failure's cause.

    Examples
    --------
    >>> describe_part("finer_cells+own_window").label
    'Finer cells and a window of its own'
    """
    if part in PARTS:
        return PARTS[part]
    first, *others = steps_of(part)
    label = " and ".join([first.label, *(step.label.lower() for step in others)])
    return Term(label, "; ".join(step.cause for step in [first, *others]))


LARGEST = {
    "same": Term("Same category", "the picture's largest object has the target's category"),
    "other": Term("Another category", "the picture's largest object has another category"),
}
"""What the picture's largest object says of the target; it may be the target itself."""

PICTURES = {
    "several": Term("Several categories", "pictures in which several categories are annotated"),
    "one": Term("One category", "pictures with one category: no error can name a neighbour"),
}
"""Kinds of pictures, by what an error in them can name."""

NEIGHBOURS = {
    "any": Term("Any neighbour", "another annotated object of the picture"),
    "larger": Term("A larger one", "another annotated object with a larger box"),
}
"""Kinds of neighbours that an error may name."""

MAPS = {
    "predicted": Term("Predicted class", "saliency maps of the category that was predicted"),
    "true_class": Term("True class", "saliency maps of the object's own category"),
    "random_box": Term("Box elsewhere", "the same maps, with a box of the same size anywhere"),
    "centre": Term("Centre", "a map that is always brightest in the middle"),
    "random_weights": Term("Random weights", "the same heads on a backbone with random weights"),
}
"""Saliency maps, and the controls that they are compared with."""

CONTROLS = ("random_box", "centre", "random_weights")
"""Those that are controls of the predicted class's."""
