"""How the study was made, step by step."""

from dataclasses import dataclass

from smallsight.report import network
from smallsight.report.section import Section
from smallsight.report.sections import claims, effects, stability, thresholds
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import HEADLINE_TASK, SCENE


@dataclass(frozen=True)
class Method:
    """What the section shows.

    Attributes
    ----------
    scene, task
        What the original study's task is called, and the headline task.
    person_cap
        Most persons of a size group.
    window_margin
        The share of the box's width and height by which a window is larger, on each side.
    input_size
        Width and height of the network's input, in pixels.
    backbone
        The frozen network, its weights and its input.
    feature, logit
        What a feature is, and how a head's logit splits over cells.
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
    has_pixels, has_shifts
        Whether objects were reduced, and whether pictures were moved.
    finer_layer
        The layer whose maps are shown instead of the last one's; may be empty.
    """

    scene: str
    task: str
    person_cap: int
    window_margin: float
    input_size: int
    backbone: str
    feature: str
    logit: str
    epochs: int
    is_instance_split: bool
    split: str
    folds: int
    repeats: int
    confidence: str
    draws: int
    n_effects: int
    n_claims: int
    has_pixels: bool
    has_shifts: bool
    finer_layer: str


def build(study: Study) -> Method:
    """Return what the section shows of a study."""
    params, layer = study.params, study.about["layer"]
    words = network.readout(study)
    return Method(
        scene=TASK_NAMES[SCENE],
        task=TASK_NAMES[HEADLINE_TASK],
        person_cap=params.sample.person_cap,
        window_margin=params.tasks.window_margin,
        input_size=study.backbone.input_size,
        backbone=study.backbone.describe(),
        feature=words.feature,
        logit=words.logit,
        epochs=params.heads.epochs,
        is_instance_split=study.protocol.is_instance_split,
        split=study.protocol.split_description(params.evaluation),
        folds=params.evaluation.folds,
        repeats=params.evaluation.repeats,
        confidence=f"{100 * params.analysis.confidence:g}%",
        draws=params.analysis.bootstrap_draws,
        n_effects=effects.count_primary(study),
        n_claims=int((study.tables["claims"]["part"] == claims.WHOLE).sum()),
        has_pixels=bool(thresholds.sides(study)),
        has_shifts=bool(stability.rows(study)),
        finer_layer="" if layer == study.about["last_layer"] else layer,
    )


SECTION = Section(
    name="method", build=build, anchor="method", title="How it was made", contents="Method"
)
