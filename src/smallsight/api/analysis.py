"""The analysis of predictions that were made anywhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.analysis.outcomes import arrange_outcomes
from smallsight.analysis.tables import TABLES, Evidence, RemedyEvidence, compute_tables
from smallsight.api.objects import Objects, ObjectSource, read_objects
from smallsight.api.options import as_whole_number, check_number
from smallsight.api.predictions import PREFIX, Predictions, read_predictions
from smallsight.api.tables import Tables, says_something
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.names import UNTOUCHED, Condition, FamilyFacts
from smallsight.conditions.rendered.views import VIEWS
from smallsight.evaluation.baselines import find_largest
from smallsight.evaluation.tables import RUNG_PREDICTIONS
from smallsight.remedies.tables import (
    ESTIMATED_SIDES,
    MORE_EXAMPLES_PREDICTIONS,
    REMEDY_PREDICTIONS,
)
from smallsight.runtime.errors import ParameterError
from smallsight.runtime.randomness import derive
from smallsight.saliency.tables import OTHER_MAPS, PREDICTED_CLASS_MAPS, REMOVALS
from smallsight.sampling.donors import DONORS
from smallsight.sampling.sample import OBJECTS, SAMPLE
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, INSTANCE, REGIMES, SCENE, TASKS

LEAST_DRAWS = 100
"""Fewer tell no interval."""

REASONS = {
    "classifier": "it needs the classifier itself",
    "pictures": "it needs the rendered pictures",
    "scene": "no answers to whole pictures, the task scene",
    "windows": "no answers to windows, the task object",
    "sizes": "no sizes: give objects, or a column size_group",
    "both groups": "no small objects, or no large ones",
    "objects": "no boxes: give objects",
    "confidences": "no probabilities: give p_<category> or confidence",
    "probabilities": "no probabilities: give p_<category>",
    "two categories": "all objects are of one category",
    "changes": f"no condition but {UNTOUCHED}",
    "pixels": "no sweep: give conditions pixels/side=<pixels>",
    "shifts": "no sweep: give shift/reach=<pixels>,draw=<number>",
    "surroundings": "no condition context_only",
    "failures": "nothing failed",
}
"""What tables may need, and what is said where it is not there."""

NEEDS: Mapping[str, tuple[str, ...]] = {
    "accuracy": (),
    "effects": ("changes", "sizes"),
    "severity": ("pictures",),
    "claims": ("sizes",),
    "ladder": ("scene",),
    "ladder_gaps": ("scene", "sizes", "both groups"),
    "gap_parts": ("scene", "sizes", "both groups"),
    "baselines": ("objects",),
    "largest_object": ("objects",),
    "thresholds": ("windows", "pixels", "objects"),
    "pixels": ("windows", "pixels", "objects"),
    "costs": ("windows", "pixels", "objects", "changes"),
    "stability": ("shifts",),
    "background": ("windows", "surroundings"),
    "neighbours": ("objects", "failures"),
    "answers": (),
    "failures": ("scene", "failures"),
    "failure_causes": ("classifier",),
    "rescues": ("changes",),
    "confusion": (),
    "categories": (),
    "attention": ("classifier",),
    "attention_controls": ("classifier",),
    "attention_outcomes": ("classifier",),
    "faithfulness": ("classifier",),
    "remedies": ("classifier",),
    "more_examples": ("classifier",),
    "more_examples_gain": ("classifier",),
    "reliability": ("confidences",),
    "calibration": ("confidences",),
    "label_errors": ("probabilities", "two categories"),
    "label_errors_summary": ("probabilities", "two categories"),
    "label_errors_gap": ("probabilities", "two categories", "sizes", "both groups"),
}
"""By table, what it needs of `REASONS`, in the order in which it is asked for."""


def analyse(
    predictions: pd.DataFrame | str | Path,
    objects: ObjectSource | None = None,
    *,
    categories: Sequence[str] | None = None,
    task: str = HEADLINE_TASK,
    input_size: int | None = None,
    confidence: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Tables:
    """Analyse predictions that were made anywhere, as far as they go.

    Everything but the predictions is optional: what cannot be computed is left out, and
    `Tables.left_out` says of each table what it would need.

    Parameters
    ----------
    predictions
        A row per object and condition: a DataFrame, or the path of a CSV or Parquet file. Errors
        count its rows from 0.

        * image_id and ann_id, whole numbers that identify the object; or a single id, a whole
          number too, which is the object's among `objects`, and without these stands for its
          picture too;
        * category_name, the truth, and predicted, what was named; `other` is named where it is no
          category at all;
        * p_<category>, probabilities that sum to 1, in place of predicted or beside it; p_other,
          what classes of no category have; no other column may begin with p_;
        * condition: `orig_full`, which is meant where there is no such column, or a family at a
          level as `render` has it, `motion_blur/length=15`; a family's first level is its reference
          level, which tables call by the family's name alone. Families of your own are taken for
          corruptions. Every object stands under every condition;
        * task: scene or object; regime: fixed or retrained; seed: whole numbers; size_group: small,
          medium or large; side: pixels of the object in the network's input; confidence: the
          probability of what was named.
    objects
        Every annotated object of the pictures, those without predictions too: a COCO tree, or the
        path of its JSON; or a row per object, in a DataFrame, or a CSV or Parquet file. Size
        groups, the pictures' largest objects and neighbours come from these. A table's columns are

        * image_id and ann_id, or a single id where each object has a picture of its own;
        * category_name;
        * bbox_w and bbox_h, the box's width and height in pixels;
        * width and height of the picture in pixels, or img_area, their product;
        * iscrowd, 1 for a crowd and 0 else; none is one where there is no such column.
    categories
        All that may be predicted, where neither columns of probabilities nor the names that occur
        are all of them: accuracies are compared with guessing among these. Names that were
        predicted may differ from a true one by case or blanks alone only where both are here.
    task
        What the classifier was shown, where no column says so: `object`, a window round each of
        them, or `scene`, the whole picture.
    input_size
        Width and height of the network's input, in pixels: with `objects` it tells the objects'
        sides in whole pictures. Without sides, the claim that accuracy rises with them is left out.
    confidence, draws
        Of the intervals, and the number of bootstrap draws.
    seed
        Of these draws: equal seeds give equal tables.

    Raises
    ------
    SmallsightError
        For the first thing in predictions or objects that is missing, malformed or impossible.

    Examples
    --------
    Forty objects, of which the small ones are no longer recognised when they are blurred:

    >>> ids = range(40)
    >>> sizes = ["small", "large"] * 20
    >>> rows = [
    ...     {"id": number, "category_name": "car", "condition": condition, "size_group": size,
    ...      "predicted": "bus" if condition != "orig_full" and size == "small" else "car"}
    ...     for condition in ("orig_full", "motion_blur/length=15")
    ...     for number, size in zip(ids, sizes)
    ... ]
    >>> tables = analyse(pd.DataFrame(rows), draws=200)
    >>> effects = tables["effects"].set_index(["condition", "size_group"])
    >>> effects.loc["motion_blur", ["delta", "verdict"]].loc[["small", "large"]].values.tolist()
    [[-1.0, 'lower'], [0.0, '']]
    >>> tables.left_out["calibration"]
    'no probabilities: give p_<category> or confidence'
    """
    if task not in TASKS:
        raise ParameterError("analyse.task", repr(task), f"one of {', '.join(TASKS)}")
    if input_size is not None:
        check_number("analyse.input_size", input_size, "pixels above 0", least=1)
    expected = f"a whole number, {LEAST_DRAWS} or more"
    draws = as_whole_number("analyse.draws", draws, expected, least=LEAST_DRAWS)
    settings = params.validate(
        params.Analysis, {"confidence": confidence, "bootstrap_draws": draws}, where="analyse"
    )
    known = None if objects is None else read_objects(objects)
    given = read_predictions(
        predictions, known, categories=categories, task=task, input_size=input_size
    )
    facts = _facts(given)
    evidence = {
        one: _evidence(given, one, facts, known, settings, seed=seed) for one in given.tasks
    }
    boxes = None if known is None else known.of_categories(given.categories)
    made = compute_tables(
        evidence,
        rung_predictions=_rungs(given, boxes),
        sample=SAMPLE.empty() if known is None else known.table,
        objects=OBJECTS.empty() if boxes is None else boxes,
        donors=DONORS.empty(),
        removals=REMOVALS.empty(),
        remedies=RemedyEvidence(
            facts=(),
            predictions=REMEDY_PREDICTIONS.empty(),
            more_examples=MORE_EXAMPLES_PREDICTIONS.empty(),
            estimated_sides=ESTIMATED_SIDES.empty(),
        ),
        side_counts={} if known is None else known.side_counts,
        facts=facts,
        categories=given.categories,
        window_margin=np.inf,
        rng=derive(seed, "chance"),
    )
    kept, left_out = _divided(made, _found(given, known, evidence))
    return Tables(kept, left_out, facts, confidence)


def _facts(given: Predictions) -> dict[str, FamilyFacts]:
    """Collect what is known of every family; of one that is not the library's, only its name."""
    columns = ["family", "level", "condition", "task"]
    asked: dict[str, list[Condition]] = {}
    for family, level, name, task in given.table[columns].drop_duplicates().itertuples(index=False):
        asked.setdefault(family, []).append(Condition(family, level, name == family, task))
    facts = {}
    for name, conditions in asked.items():
        known = FAMILIES.get(name)
        facts[name] = FamilyFacts(
            name=name,
            label=known.label if known else name,
            description=known.description if known else "",
            role=known.role if known else "corruption",
            neutral=known.neutral if known else {},
            conditions=tuple(sorted(conditions, key=lambda one: not one.is_reference)),
        )
    return facts


def _evidence(
    given: Predictions,
    task: str,
    facts: Mapping[str, FamilyFacts],
    objects: Objects | None,
    settings: params.Analysis,
    *,
    seed: int,
) -> Evidence:
    """Arrange what is known of one task; a sweep of pixels says nothing without native sides."""
    is_swept = given.table["family"].map(lambda family: facts[family].role == "sweep")
    compared = given.table[~is_swept]
    swept = given.table[is_swept & (given.table["task"] == task)]
    return Evidence(
        predictions=compared[compared["task"] == task],
        sweeps={
            str(family): part
            for family, part in swept.groupby("family")
            if objects is not None or not FAMILIES[str(family)].reduces_to
        },
        outcomes=arrange_outcomes(
            compared, task=task, settings=settings, rng=derive(seed, "bootstrap")
        ),
        views=VIEWS.empty().assign(condition=""),
        predicted_class_maps=PREDICTED_CLASS_MAPS.empty(),
        other_maps=OTHER_MAPS.empty(),
    )


def _rungs(given: Predictions, boxes: pd.DataFrame | None) -> pd.DataFrame:
    """Make what predictions tell of the ladder: whole pictures, and the largest objects' rule."""
    table = given.table
    regime = next(one for one in REGIMES if (table["regime"] == one).any())
    untouched = table[(table["condition"] == UNTOUCHED) & (table["regime"] == regime)]
    parts = [untouched[untouched["task"] == SCENE].assign(rung="scene")]
    if boxes is not None:
        first = untouched.drop_duplicates(INSTANCE)
        named = first["image_id"].map(find_largest(boxes)["category_name"]).fillna("")
        is_right = named == first["category_name"]
        parts.insert(0, first.assign(rung="largest_object", predicted=named, correct=is_right))
    known = [part[RUNG_PREDICTIONS.names] for part in parts if len(part)]
    return pd.concat(known, ignore_index=True) if known else RUNG_PREDICTIONS.empty()


def _found(
    given: Predictions, objects: Objects | None, evidence: Mapping[str, Evidence]
) -> set[str]:
    """Collect what of `REASONS` is there."""
    table = given.table
    families = set(table["family"])
    groups = set(table["size_group"])
    there = {
        "scene": SCENE in evidence,
        "windows": HEADLINE_TASK in evidence,
        "sizes": "" not in groups,
        "both groups": {GROUPS[0], GROUPS[-1]} <= groups,
        "objects": objects is not None,
        "confidences": bool(table["confidence"].notna().all()),
        "probabilities": bool(table.filter(like=PREFIX).notna().all(axis=None)),
        "two categories": table["category_name"].nunique() > 1,
        "changes": any(one.outcomes.changed_conditions(regime)
                       for one in evidence.values() for regime in one.outcomes.regimes),
        "pixels": "pixels" in families,
        "shifts": "shift" in families,
        "surroundings": "context_only" in families,
        "failures": bool((~table.loc[table["condition"] == UNTOUCHED, "correct"]).any()),
    }  # fmt: skip
    return {name for name, is_there in there.items() if is_there}


def _divided(
    made: Mapping[str, pd.DataFrame], found: set[str]
) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """Return the tables that say something, and what each of the others lacks."""
    kept: dict[str, pd.DataFrame] = {}
    left_out: dict[str, str] = {}
    for table in TABLES:
        if says_something(made[table.name], table):
            kept[table.name] = made[table.name]
        else:
            lacking = [need for need in NEEDS[table.name] if need not in found]
            left_out[table.name] = REASONS[lacking[0]] if lacking else "there are no such objects"
    return kept, left_out
