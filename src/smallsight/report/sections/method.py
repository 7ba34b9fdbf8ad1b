"""How the study was made, step by step."""

from dataclasses import dataclass

from smallsight.report import network
from smallsight.report.section import Section
from smallsight.report.sections import claims, classifier, effects, sample, stability, thresholds
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import SCENE


@dataclass(frozen=True)
class Method:
    """What the section shows.

    Attributes
    ----------
    scene, window, task
        What the original study's task is called, the other one, empty where it was not asked, and
        the headline task.
    drawing
        How the objects were chosen.
    window_margin
        The share of the box's width and height by which a window is larger, on each side.
    input_size
        Width and height of the network's input, in pixels.
    backbone
        The frozen network, its weights and its input; empty where no heads were trained.
    feature, logit
        What a feature is, and how a logit splits over cells; empty where there is none of it.
    epochs
        Of a head's training.
    own
        The user's own classifier, if that is examined.
    is_instance_split, split
        Whether the sample is divided once, by instance; and how it is divided.
    folds, repeats
        Of cross-validation.
    confidence, draws
        Confidence of the intervals, and how many bootstrap draws they are made from.
    n_effects, n_claims
        Rows that Holm's method takes as one family.
    has_ladder, has_pixels, has_shifts, has_neighbours, has_maps, has_deletion
        Whether there is a step from rung to rung; whether objects were reduced, pictures moved and
        regions removed; and whether there are other objects' names, and maps.
    has_random_weights
        Whether maps of random weights are a control.
    finer_layer
        The layer whose maps are shown instead of the last one's; may be empty.
    """

    scene: str
    window: str
    task: str
    drawing: str
    window_margin: float
    input_size: int
    backbone: str
    feature: str
    logit: str
    epochs: int
    own: str
    is_instance_split: bool
    split: str
    folds: int
    repeats: int
    confidence: str
    draws: int
    n_effects: int
    n_claims: int
    has_ladder: bool
    has_pixels: bool
    has_shifts: bool
    has_neighbours: bool
    has_maps: bool
    has_deletion: bool
    has_random_weights: bool
    finer_layer: str


def build(study: Study) -> Method | None:
    """Return what the section shows of a study; None where nothing but predictions is known."""
    if study.backbone is None:
        return None
    params, layer = study.params, study.about["layer"]
    words = network.readout(study)
    is_finer = study.has_heads and layer != study.about["last_layer"]
    return Method(
        scene=TASK_NAMES[SCENE],
        window=study.window,
        task=TASK_NAMES[study.headline_task],
        drawing=sample.drawing_sentence(study),
        window_margin=params.tasks.window_margin,
        input_size=study.backbone.input_size,
        backbone=study.backbone.describe() if study.has_heads else "",
        feature=words.feature,
        logit=words.logit,
        epochs=params.heads.epochs,
        own=" ".join([classifier.describe(study), *classifier.details(study)]).strip(),
        is_instance_split=study.protocol.is_instance_split,
        split=study.protocol.split_description(params.evaluation),
        folds=params.evaluation.folds,
        repeats=params.evaluation.repeats,
        confidence=f"{100 * params.analysis.confidence:g}%",
        draws=params.analysis.bootstrap_draws,
        n_effects=effects.count_primary(study),
        n_claims=int((study.tables["claims"]["part"] == claims.WHOLE).sum()),
        has_ladder=study.has_ladder,
        has_pixels=bool(thresholds.sides(study)),
        has_shifts=bool(stability.rows(study)),
        has_neighbours=not study.tables["neighbours"].empty,
        has_maps=study.has_maps,
        has_deletion=not study.tables["faithfulness"].empty,
        has_random_weights=study.has_random_weights,
        finer_layer=layer if is_finer else "",
    )


SECTION = Section(name="method", build=build, anchor="method", title="How it was made")
