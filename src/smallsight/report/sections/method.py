"""How the study was made, step by step."""

from dataclasses import dataclass

from smallsight.backbones.registry import find_backbone
from smallsight.report.section import Section
from smallsight.report.study import Study


@dataclass(frozen=True)
class Method:
    """What the section shows.

    Attributes
    ----------
    person_cap
        Most persons of a size group.
    input_size
        Width and height of the network's input, in pixels.
    backbone, weights
        The frozen network, and what the parameters call its weights.
    epochs
        Of a head's training.
    is_instance_split, split
        Whether the sample is divided once, by instance; and how it is divided.
    folds, repeats
        Of cross-validation.
    confidence, draws
        Confidence of the intervals, and how many bootstrap draws they are made from.
    n_effects, n_claims
        Rows that Holm's method takes as one family.
    layer, pooled_layer
        The layer whose maps are shown, and the one whose maps the features are means of.
    """

    person_cap: int
    input_size: int
    backbone: str
    weights: str
    epochs: int
    is_instance_split: bool
    split: str
    folds: int
    repeats: int
    confidence: str
    draws: int
    n_effects: int
    n_claims: int
    layer: str
    pooled_layer: str


def build(study: Study) -> Method:
    """Return what the section shows of a study."""
    params = study.params
    return Method(
        person_cap=params.sample.person_cap,
        input_size=study.about["input_size"],
        backbone=find_backbone(params.backbone.name).label,
        weights=params.backbone.weights,
        epochs=params.heads.epochs,
        is_instance_split=study.protocol.is_instance_split,
        split=study.protocol.split_description(params.evaluation),
        folds=params.evaluation.folds,
        repeats=params.evaluation.repeats,
        confidence=f"{100 * params.analysis.confidence:g}%",
        draws=params.analysis.bootstrap_draws,
        n_effects=len(study.tables["effects"]),
        n_claims=len(study.tables["claims"]),
        layer=study.about["layer"],
        pooled_layer=study.about["pooled_layer"],
    )


SECTION = Section(
    name="method", build=build, anchor="method", title="How it was made", contents="Method"
)
