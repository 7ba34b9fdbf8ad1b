"""Labels of what the analysis tells apart, each with its meaning, for tables, figures and text."""

from collections.abc import Mapping
from typing import NamedTuple

from smallsight.conditions.rendered.names import UNTOUCHED


class Term(NamedTuple):
    """A label for people, and its meaning."""

    label: str
    description: str


PARTS = {
    "class_mix": Term("Class mix", "some categories are mostly small, others mostly large"),
    "resolution": Term("Resolution", "pixels: the part that disappears at one size of all objects"),
    "context": Term("Context", "surroundings: the part that disappears on a plain background"),
    "residual": Term("Residual", "what remains at one size, on a plain background, at one mix"),
}
"""Parts of the gap between large and small objects, which sum to it."""

MORE_PIXELS, NO_CONTEXT, BOTH = (
    frozenset(causes) for causes in (["resolution"], ["context"], ["resolution", "context"])
)
"""Causes that interventions take away: more pixels, the object alone, or both."""

INTERVENTIONS: Mapping[frozenset[str], str] = {
    frozenset(): UNTOUCHED,
    MORE_PIXELS: "zoom_matched",
    NO_CONTEXT: "object_only",
    BOTH: "zoom_object",
}
"""By the causes that are taken away: the condition that does so."""

PATHS = {
    "resolution_with_context": Term("Pixels, context kept", "untouched to one size"),
    "resolution_without_context": Term("Pixels, no context", "object only, to one size"),
}
"""What more pixels alone take off the gap, with the surroundings and without."""

FAILURE_CAUSES = {
    "neighbour": Term(
        "Neighbour", "named as another object of the picture; right without its surroundings"
    ),
    "context": Term("Context", "right without its surroundings, not with more pixels"),
    "resolution": Term("Resolution", "right with more pixels, not without its surroundings"),
    "either": Term("Either", "right with more pixels, and right without its surroundings"),
    "both": Term("Both at once", "right only with more pixels and without its surroundings"),
    "unexplained": Term("Unexplained", "wrong under all of these"),
}
"""Suggested causes of a failure, by the interventions that turn it right."""

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
