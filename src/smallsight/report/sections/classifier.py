"""The user's own classifier: what it is, what its classes become, and how its input is made."""

import math
from dataclasses import dataclass

import numpy as np

from smallsight.classifiers.facts import ClassifierFacts, Preprocessing
from smallsight.classifiers.mapping import resolve_mapping
from smallsight.classifiers.tables import is_suspicious
from smallsight.report import provenance
from smallsight.report.rows import Row, records
from smallsight.report.section import Section
from smallsight.report.sections import sample
from smallsight.report.sections.provenance import Entry, rows
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES, counted, decimal_list, listed, percent
from smallsight.vocabulary import HEADLINE_TASK, OTHER, SCENE

_MAPPINGS = {"same": "by their names", "imagenet": "by the shipped table of ImageNet’s classes"}
"""How classes become categories, by the name that the parameters choose."""

_CHANNELS = {"rgb": "red, green, blue", "bgr": "blue, green, red"}
_RANGES = {"0..1": "values 0 to 1", "0..255": "values 0 to 255"}
_MADE_FOR = {
    "object": f"a {TASK_NAMES[HEADLINE_TASK]} round the object",
    "scene": f"{TASK_NAMES[SCENE]}s, and shown nothing else",
}


@dataclass(frozen=True)
class Mapped:
    """The classes of the classifier's own that make up a category, or what is none."""

    category: str
    classes: str


@dataclass(frozen=True)
class Classifier:
    """What the section shows.

    Attributes
    ----------
    facts
        What is known of it.
    mapped
        Its classes by category.
    preprocessings
        Its accuracy under the declared preprocessing and the usual wrong ones: rows of the table;
        none where it makes its own input.
    details
        What its classes become, how its input is made, and how its maps.
    checked, warning
        What the preprocessings say; one of the two is empty, or both.
    digits
        Hexadecimal digits of a hash that are shown.
    """

    facts: list[Entry]
    mapped: list[Mapped]
    preprocessings: list[Row]
    details: list[str]
    checked: str
    warning: str
    digits: int


def describe(study: Study) -> str:
    """Write in a line what is examined, on which pictures; empty for heads."""
    facts = study.classifier
    if facts is None:
        return ""
    place = ", ".join(filter(None, (facts.source, facts.origin)))
    shown = sample.describe_pictures(study.params.data)
    side = facts.preprocessing.input_size
    return f"“{facts.label}” ({place}), as it is, input {side} × {side} pixels, on {shown}."


def details(study: Study) -> list[str]:
    """Write what its classes become, how its input is made, and how its maps; none for heads."""
    facts = study.classifier
    if facts is None:
        return []
    made_for = f"It was made for {_MADE_FOR[facts.input]}."
    found = classes_sentence(study, facts), made_for, input_sentence(facts)
    return [*found, maps_sentence(study, facts)]


def classes_sentence(study: Study, facts: ClassifierFacts) -> str:
    """Write how many classes it has, and how they become categories."""
    categories, settings = study.params.data.categories, study.params.classifier
    by_category = mapped_classes(study, facts)
    used = sum(len(by_category[name]) for name in categories)
    how = _MAPPINGS.get(str(settings.mapping), "as the parameters say")
    rest = len(facts.classes) - used
    if not rest:
        left = ""
    elif settings.rest == OTHER:
        left = f" The other {rest:,} are kept as “{OTHER}”."
    else:
        left = f" The other {rest:,} are left out, and the probabilities are renormalised."
    make_up = "all" if not rest else f"{used:,}"
    return (
        f"Of its {len(facts.classes):,} classes, {make_up} make up the {len(categories)} "
        f"categories, {how}.{left}"
    )


def renormalises(study: Study, facts: ClassifierFacts) -> bool:
    """Return whether classes of no category are left out."""
    used = sum(map(len, mapped_classes(study, facts).values()))
    return study.params.classifier.rest != OTHER and used < len(facts.classes)


def mapped_classes(study: Study, facts: ClassifierFacts) -> dict[str, list[str]]:
    """Return the classes of the classifier's own by category, and `OTHER` where that is kept."""
    settings, categories = study.params.classifier, study.params.data.categories
    keeps_rest = settings.rest == OTHER
    mapping = resolve_mapping(settings.mapping, facts.classes, categories, keeps_rest=keeps_rest)
    names = [*categories, OTHER] if keeps_rest else list(categories)
    own = np.array(facts.classes, object)
    return {
        name: own[members].tolist() for name, members in zip(names, mapping.membership, strict=True)
    }


def input_sentence(facts: ClassifierFacts) -> str:
    """Write how its input is made of a picture."""
    if facts.is_asked:
        side = facts.preprocessing.input_size
        return f"It makes its own input of a picture of {side} × {side} pixels."
    return f"Its input is made so: {', '.join(_steps(facts.preprocessing))}."


def _steps(made: Preprocessing) -> list[str]:
    return [
        made.interpolation,
        _CHANNELS[made.channels],
        _RANGES[made.range],
        f"mean {decimal_list(made.mean)}",
        f"deviation {decimal_list(made.std)}",
    ]


def maps_sentence(study: Study, facts: ClassifierFacts) -> str:
    """Write how its saliency maps are made, or why there are none."""
    layer = f"layer “{facts.layer}”"
    if facts.maps == "closed_form":
        return f"Its saliency maps are exact, since a linear layer reads the mean of {layer}."
    if facts.maps == "gradient":
        is_chosen = study.params.explain.layer == facts.layer
        found = "as explain.layer says" if is_chosen else "the last with maps, found by shape"
        return (
            f"Its saliency maps are Grad-CAM’s at {layer}, {found}. They are not exact: "
            f"{facts.no_maps}."
        )
    return f"It has no saliency maps: {facts.no_maps}."


def preprocessing_sentence(study: Study) -> str:
    """Write that no usual mistake scores higher; empty where one does, or none was tried."""
    declared, best = _declared(study), _best(study)
    if declared is None or best is None or is_suspicious(study.preprocessings):
        return ""
    return (
        "No usual mistake of preprocessing scores higher than what is declared. Of "
        f"{counted(declared['n'], 'untouched object')}, {percent(declared['accuracy'])} are named "
        f"rightly as declared. Next is “{best['variant']}” with {percent(best['accuracy'])}."
    )


def preprocessing_warning(study: Study) -> str:
    """Warn where a usual mistake scores higher than the declared preprocessing; else empty."""
    declared, best = _declared(study), _best(study)
    if declared is None or best is None or not is_suspicious(study.preprocessings):
        return ""
    return (
        "The declared preprocessing may be wrong. Of "
        f"{counted(declared['n'], 'untouched object')}, {percent(declared['accuracy'])} are named "
        f"rightly as declared, and {percent(best['accuracy'])} with “{best['variant']}”."
    )


def _declared(study: Study) -> Row | None:
    return next((row for row in records(study.preprocessings) if row["is_declared"]), None)


def _best(study: Study) -> Row | None:
    """Return the best of the wrong preprocessings that gave numbers."""
    tried = [row for row in records(study.preprocessings) if not row["is_declared"]]
    known = [row for row in tried if math.isfinite(row["accuracy"])]
    return max(known, key=lambda row: row["accuracy"], default=None)


def fact_rows(facts: ClassifierFacts) -> list[Entry]:
    """Return what is known of a classifier; what it has not is left out."""
    made = facts.preprocessing
    cells = f"{facts.cells} × {facts.cells}" if facts.cells else ""
    found = {
        "Name": facts.label,
        "Source": facts.source,
        "Origin": facts.origin,
        "SHA-256": facts.sha256[: provenance.DIGITS],
        "Architecture": facts.architecture,
        "Command": facts.command,
        "Code": _with_hash(facts.code, facts.code_sha256),
        "Notes": "; ".join(facts.notes),
        "Classes": f"{len(facts.classes):,}: {listed(facts.classes)}",
        "Answers": facts.output,
        "Made for": _MADE_FOR[facts.input],
        "Input": f"{made.input_size} × {made.input_size} pixels",
        "Made as": "" if facts.is_asked else ", ".join(_steps(made)),
        "Maps": {"closed_form": "exact", "gradient": "Grad-CAM", "none": "none"}[facts.maps],
        "Layer": facts.layer,
        "Cells": cells,
        "Why no sum" if facts.layer else "Why none": facts.no_maps,
    }
    return rows({name: value for name, value in found.items() if value})


def _with_hash(path: str, sha256: str) -> str:
    return ", ".join(filter(None, (path, sha256[: provenance.DIGITS])))


def mapped_rows(study: Study, facts: ClassifierFacts) -> list[Mapped]:
    """Return the classes of its own by category, few of them by name."""
    by_category = mapped_classes(study, facts)
    return [Mapped(name, listed(classes) or "none") for name, classes in by_category.items()]


def build(study: Study) -> Classifier | None:
    """Return what the section shows of a study; None where it trained heads."""
    facts = study.classifier
    if facts is None:
        return None
    return Classifier(
        facts=fact_rows(facts),
        mapped=mapped_rows(study, facts),
        preprocessings=records(study.preprocessings),
        details=details(study),
        checked=preprocessing_sentence(study),
        warning=preprocessing_warning(study),
        digits=provenance.DIGITS,
    )


SECTION = Section(
    name="classifier",
    build=build,
    anchor="classifier",
    title="The classifier",
)
