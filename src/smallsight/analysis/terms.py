"""What the analysis' causes are called in tables, figures and text, each with its meaning."""

from collections.abc import Mapping
from typing import NamedTuple

from smallsight.conditions.names import UNTOUCHED


class Term(NamedTuple):
    """What people call something, and what it means."""

    label: str
    description: str


PARTS = {
    "class_mix": Term("Class mix", "some categories are mostly small, others mostly large"),
    "resolution": Term("Resolution", "small objects have fewer pixels: gone at one size"),
    "context": Term("Context", "what surrounds the objects: gone before an even ground"),
    "residual": Term("Residual", "what is left at one size, before an even ground, at one mix"),
}
"""Parts of the gap between large and small objects, which sum to it."""


MORE_PIXELS, NO_CONTEXT, BOTH = (
    frozenset(causes) for causes in (["resolution"], ["context"], ["resolution", "context"])
)
"""Causes that probes take away: by more pixels, by leaving the object alone, by both."""


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
"""What more pixels alone take off the gap, by what surrounds the object meanwhile."""


FAILURE_CAUSES = {
    "neighbour": Term(
        "Neighbour", "named as another object of the picture; right once nothing surrounds it"
    ),
    "context": Term("Context", "right once nothing surrounds it, not with more pixels"),
    "resolution": Term("Resolution", "right with more pixels, not once nothing surrounds it"),
    "either": Term("Either", "right with more pixels, and right once nothing surrounds it"),
    "both": Term("Both at once", "right only with more pixels and nothing around it"),
    "unexplained": Term("Unexplained", "wrong under all of these"),
}
"""What may have made a failure, by the probes that turn it right."""


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
    "predicted": Term("Predicted class", "what speaks for the name that was given"),
    "true_class": Term("True class", "what speaks for the name that was due"),
    "random_box": Term("Box elsewhere", "the same maps, a box of the same size anywhere"),
    "centre": Term("Centre", "a map that always has its middle brightest"),
    "random_weights": Term("Random weights", "the same heads on a backbone that never learnt"),
}
"""Maps of evidence, and the controls that they are compared with."""


CONTROLS = ("random_box", "centre", "random_weights")
"""Those that are controls of the predicted class's."""
