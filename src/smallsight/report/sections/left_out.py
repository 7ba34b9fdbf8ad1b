"""What the study lacks, why, and what would give it."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from smallsight.classifiers.facts import STUDY_HEADS, ClassifierFacts
from smallsight.evaluation.rungs import BASELINES, RUNGS, UNFITTED
from smallsight.report.section import Section
from smallsight.report.study import Study

NOT_TRAINED = "needs heads that are trained for it, and a classifier is examined as it is"
NO_TRAINING_DATA = "learns from training objects, and here every object is test data"


@dataclass(frozen=True)
class LeftOut:
    """Something that the study lacks.

    Attributes
    ----------
    name
        What it is.
    reason
        Why it was left out.
    command, instead
        What would give it: a command, and in words. Either may be empty.
    """

    name: str
    reason: str
    command: str = ""
    instead: str = ""


@dataclass(frozen=True)
class Absences:
    """What the section shows: what the study lacks, and whether it is known what would give it."""

    rows: list[LeftOut]
    has_remedies: bool


Finder = Callable[[Study, ClassifierFacts], list[LeftOut]]
"""Says what a study of a user's classifier lacks of one kind."""


def _windows(study: Study, facts: ClassifierFacts) -> list[LeftOut]:
    if study.window:
        return []
    reason = "the classifier is shown whole pictures only (classifier.input: scene)"
    name = "windows round the objects, and what is only asked of windows"
    command = "dvc exp run -S classifier.input=object"
    return [LeftOut(name, reason, command, "for a classifier that was made for windows")]


def _retrained(study: Study, facts: ClassifierFacts) -> list[LeftOut]:
    name = "what can still be learnt under each condition (regime “retrained”)"
    return [] if "retrained" in study.regimes else [LeftOut(name, NOT_TRAINED, STUDY_HEADS)]


def _rungs(study: Study, facts: ClassifierFacts) -> list[LeftOut]:
    lacking = [rung for rung in RUNGS if rung not in study.rungs]
    pooled = f"needs a linear layer that reads the mean of maps; {facts.no_maps}"
    kinds = ((True, pooled), (False, NOT_TRAINED))
    found = []
    for is_unfitted, reason in kinds:
        labels = [f"“{rung.label}”" for rung in lacking if (rung in UNFITTED) == is_unfitted]
        if labels:
            noun = "step" if len(labels) == 1 else "steps"
            name = f"{noun} of the ladder up to {', '.join(labels)}"
            found.append(LeftOut(name, reason, STUDY_HEADS))
    return found


def _rules(study: Study, facts: ClassifierFacts) -> list[LeftOut]:
    known = set(study.tables["baselines"]["baseline"])
    lacking = [f"“{label}”" for name, label in BASELINES.items() if name not in known]
    name = f"rules that see no pixel: {', '.join(lacking)}"
    return [LeftOut(name, NO_TRAINING_DATA, STUDY_HEADS)] if lacking else []


def _remedies(study: Study, facts: ClassifierFacts) -> list[LeftOut]:
    labels = defaultdict(list)
    for one in study.remedies.values():
        if one.state == "impossible":
            labels[one.reason, one.command].append(f"“{one.label}”")
    return [
        LeftOut(f"remedies: {', '.join(those)}", reason, command)
        for (reason, command), those in labels.items()
    ]


def _more_examples(study: Study, facts: ClassifierFacts) -> list[LeftOut]:
    name = "whether more small objects to learn from would help"
    return [LeftOut(name, NOT_TRAINED, STUDY_HEADS)] if study.tables["more_examples"].empty else []


def _temperature(study: Study, facts: ClassifierFacts) -> list[LeftOut]:
    table = study.tables["calibration"]
    is_scaled = (table["scaling"] == "temperature") & table["ece"].notna()
    name = "confidence after a temperature by the object’s estimated size"
    return [] if table.empty or is_scaled.any() else [LeftOut(name, NO_TRAINING_DATA, STUDY_HEADS)]


def _maps(study: Study, facts: ClassifierFacts) -> list[LeftOut]:
    if study.has_maps:
        return []
    name = "saliency maps, what they measure, and galleries of the objects"
    return [
        LeftOut(name, facts.no_maps, STUDY_HEADS, "or a model file, whose layers can be reached")
    ]


def _sums(study: Study, facts: ClassifierFacts) -> list[LeftOut]:
    if not study.has_maps or facts.maps == "closed_form":
        return []
    name = "what each cell of a saliency map adds to an answer (signed share)"
    return [LeftOut(name, facts.no_maps, STUDY_HEADS)]


def _random_weights(study: Study, facts: ClassifierFacts) -> list[LeftOut]:
    if study.has_random_weights or not study.has_maps:
        return []
    reason = "how its weights were drawn before it was trained is not known"
    return [LeftOut("saliency maps of random weights, a control", reason, STUDY_HEADS)]


def _deletion(study: Study, facts: ClassifierFacts) -> list[LeftOut]:
    if not study.tables["faithfulness"].empty:
        return []
    reason = "a table of predictions cannot be asked about pictures that are made later"
    name = "deletion and insertion of the object"
    return [LeftOut(name, reason, instead="a program, which can (classifier.source: command)")]


def _labels(study: Study) -> list[LeftOut]:
    """Return what a study of heads may lack too; one of tables alone has its own reasons."""
    is_of_tables = study.backbone is None and study.classifier is None
    if is_of_tables or not study.tables["label_errors"].empty:
        return []
    reason = "needs probabilities of every category, and objects of two"
    return [LeftOut("labels that may be wrong", reason)]


def _preprocessings(study: Study, facts: ClassifierFacts) -> list[LeftOut]:
    if not study.preprocessings.empty:
        return []
    reason = "what answers makes its own input of a picture"
    return [LeftOut("usual mistakes of preprocessing", reason, instead="a model file")]


FINDERS: tuple[Finder, ...] = (
    *(_windows, _retrained, _rungs, _rules, _remedies, _more_examples, _temperature),
    *(_maps, _sums, _random_weights, _deletion, _preprocessings),
)
"""Everything that a study of heads has, and a user's classifier may lack, in the page's order."""


def rows(study: Study) -> list[LeftOut]:
    """Return what the study lacks, in the order of the page; nothing where heads were trained."""
    told = [LeftOut(name, reason) for name, reason in study.left_out.items()]
    told = [*_labels(study), *told]
    facts = study.classifier
    if facts is None:
        return told
    return [*(one for find in FINDERS for one in find(study, facts)), *told]


def sentence(study: Study) -> str:
    """Name what the study lacks; empty where it lacks nothing."""
    names = [one.name for one in rows(study)]
    return f"Left out, for reasons that the report gives: {'; '.join(names)}." if names else ""


def build(study: Study) -> Absences | None:
    """Return what the section shows of a study; None where it lacks nothing."""
    found = rows(study)
    has_remedies = any(one.command or one.instead for one in found)
    return Absences(found, has_remedies) if found else None


SECTION = Section(
    name="left_out",
    build=build,
    anchor="left-out",
    title="Left out, and why",
)
