"""What the report is made of: the tables and small files of a study, read and checked once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallsight.params import Params
from smallsight.report.study import Study
from smallsight.runtime.errors import SmallsightError
from smallsight.vocabulary import GROUPS

_TEXT = {
    "ann_id", "category_name", "cause", "change", "claim", "condition", "contrary", "control",
    "family", "file_name", "image_id", "level", "map", "measure", "neighbour", "neighbour_ann_id",
    "outcome", "overlay", "part", "picture", "pictures", "predicted", "regime", "rescued_by",
    "sentence", "size_group", "thumbnail", "untouched", "vacuous",
    "verdict",
}  # fmt: skip


_SAMPLE = "image_id ann_id file_name category_name bbox_area size_group"


_ACCURACY = "regime condition family level size_group n images acc ci_low ci_high balanced side"


_EFFECTS = (
    "regime condition size_group n acc_reference acc delta ci_low ci_high p_holm balanced_delta "
    "mde verdict"
)


_THRESHOLDS = (
    "regime condition threshold ci_low ci_high cost cost_low cost_high p_holm verdict floor "
    "ceiling spread side_min side_max"
)


_BINS = "regime condition side n acc ci_low ci_high"


_SEVERITY = (
    "condition size_group n ssim_box ssim_box_q1 ssim_box_q3 ssim_picture side side_untouched "
    "vacuous"
)


_CLAIMS = (
    "claim regime sentence contrary measure n effect ci_low ci_high p_value p_holm probability "
    "mde verdict vacuous"
)


_LEDGER = "regime part n thinnest value ci_low ci_high share p_holm mde verdict"


_AGREEMENT = "part fixed retrained difference ci_low ci_high p_holm mde verdict"


_BACKGROUND = (
    "regime size_group n acc_same acc_other gap ci_low ci_high p_holm mde verdict n_context "
    "acc_context context_low context_high chance commonest"
)


_NEIGHBOURS = (
    "size_group pictures neighbour failed named share chance excess ci_low ci_high p_holm mde "
    "verdict"
)


_ANSWERS = "condition image_id ann_id category_name size_group side failed predicted right"


_FAILURES = (
    "regime image_id ann_id category_name size_group side predicted neighbour neighbour_ann_id "
    "neighbour_side rescued_by cause"
)


_FAILURE_CAUSES = "regime size_group cause n failed share"


_RESCUES = (
    "regime condition size_group failed rescued rescue_rate rescue_low rescue_high correct broken "
    "break_rate break_low break_high"
)


_CONFUSION = "size_group category_name predicted n share"


_CATEGORIES = "size_group category_name n images acc ci_low ci_high"


_ATTENTION = (
    "map condition size_group outcome n energy_in_box lift lift_q1 lift_q3 energy_in_mask "
    "mask_lift signed_in_box box_area_share n_mask pointing_hit no_evidence"
)


_CONTROLS = (
    "control condition size_group n energy control_energy excess ci_low ci_high p_holm mde verdict"
)


_OUTCOMES = (
    "map condition size_group n_correct n_failed median_correct median_failed superiority ci_low "
    "ci_high p_holm mde verdict"
)


_FAITHFULNESS = (
    "change area size_group n area_share overlap object object_low object_high random random_low "
    "random_high difference ci_low ci_high p_holm mde verdict rank rank_low rank_high"
)


_CURVE = "epoch train_loss train_accuracy test_loss test_accuracy"


_TRAINING = "condition seed device n_train n_test shared_images test_accuracy weights"


_MAPS = (
    "condition image_id ann_id predicted confidence lift peak box_x box_y box_w box_h view_w "
    "view_h thumbnail"
)


_PICTURES = (
    "image_id ann_id condition size_group category_name outcome predicted confidence side lift "
    "peak scale picture overlay untouched box_x box_y box_w box_h view_w view_h input_size"
)


_ABOUT = "layer input_size cell pooled_layer pooled_cell largest_sum_error alpha colormap"


@dataclass(frozen=True)
class Inputs:
    """Where each input lies.

    Attributes
    ----------
    sample, sampling
        The sampled instances (CSV), and what was eligible, drawn and excluded (JSON).
    conditions, accuracy
        Accuracy by regime, condition and size group: as evaluated, and with intervals (CSV).
    effects, thresholds, bins, severity, claims
        What else the analysis wrote of conditions (CSV).
    ledger, agreement, background, neighbours, answers, failures, failure_causes, rescues
        What it wrote of causes (CSV).
    confusion, categories
        What it wrote of kinds of objects (CSV).
    attention, attention_controls, attention_outcomes, faithfulness
        What it wrote of maps of evidence and of regions removed and restored (CSV).
    curve, training
        The reference head's measures by epoch (CSV), and how it was trained (JSON).
    metrics
        The few numbers compared between experiments (JSON).
    gallery, strips
        Objects drawn by seed with their heat maps, and some under every condition (CSV).
    maps, cams, about
        What every map is of (CSV), the maps (NPZ), and how they are made and drawn (JSON).
    """

    sample: Path
    sampling: Path
    conditions: Path
    accuracy: Path
    effects: Path
    thresholds: Path
    bins: Path
    severity: Path
    claims: Path
    ledger: Path
    agreement: Path
    background: Path
    neighbours: Path
    answers: Path
    failures: Path
    failure_causes: Path
    rescues: Path
    confusion: Path
    categories: Path
    attention: Path
    attention_controls: Path
    attention_outcomes: Path
    faithfulness: Path
    curve: Path
    training: Path
    metrics: Path
    gallery: Path
    strips: Path
    maps: Path
    cams: Path
    about: Path

    def paths(self) -> tuple[Path, ...]:
        """Every path, in order."""
        return tuple(getattr(self, field.name) for field in fields(self))


def read_study(inputs: Inputs, params: Params) -> Study:
    """Read every input and check that they have what the report shows.

    Raises
    ------
    SmallsightError
        Where a file is missing or malformed, a column or key is missing, or the two tables of
        accuracies disagree.
    """
    accuracy = _table(inputs.accuracy, _ACCURACY)
    names = " ".join(f"val_acc_{group}" for group in ("all", *GROUPS))
    evaluated = _table(inputs.conditions, f"regime condition {names}")
    _check_agreement(evaluated, accuracy, inputs)
    return Study(
        params=params,
        sample=_table(inputs.sample, _SAMPLE),
        sampling=_keys(inputs.sampling, "requested_per_group drawn eligible excluded"),
        accuracy=accuracy,
        effects=_table(inputs.effects, _EFFECTS),
        thresholds=_table(inputs.thresholds, _THRESHOLDS),
        bins=_table(inputs.bins, _BINS),
        severity=_table(inputs.severity, _SEVERITY),
        claims=_table(inputs.claims, _CLAIMS),
        ledger=_table(inputs.ledger, _LEDGER),
        agreement=_table(inputs.agreement, _AGREEMENT),
        background=_table(inputs.background, _BACKGROUND),
        neighbours=_table(inputs.neighbours, _NEIGHBOURS),
        answers=_table(inputs.answers, _ANSWERS),
        failures=_table(inputs.failures, _FAILURES),
        failure_causes=_table(inputs.failure_causes, _FAILURE_CAUSES),
        rescues=_table(inputs.rescues, _RESCUES),
        confusion=_table(inputs.confusion, _CONFUSION),
        categories=_table(inputs.categories, _CATEGORIES),
        attention=_table(inputs.attention, _ATTENTION),
        attention_controls=_table(inputs.attention_controls, _CONTROLS),
        attention_outcomes=_table(inputs.attention_outcomes, _OUTCOMES),
        faithfulness=_table(inputs.faithfulness, _FAITHFULNESS),
        curve=_table(inputs.curve, _CURVE),
        training=_keys(inputs.training, _TRAINING),
        metrics=_keys(inputs.metrics, ""),
        gallery=_table(inputs.gallery, _PICTURES),
        strips=_table(inputs.strips, _PICTURES),
        maps=_table(inputs.maps, _MAPS),
        cams=_arrays(inputs.cams),
        about=_keys(inputs.about, _ABOUT),
    )


def _table(path: Path, wanted: str) -> pd.DataFrame:
    columns = wanted.split()
    try:
        # A category may be called "None" or "NA".
        table = pd.read_csv(path, dtype=dict.fromkeys(_TEXT, str), keep_default_na=False)
    except OSError as error:
        raise SmallsightError(path, error.strerror or str(error), "a table") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise SmallsightError(path, str(error), "a table in CSV") from None
    for column in columns:
        if column not in table:
            raise SmallsightError(path, f"no column {column}", f"the columns {', '.join(columns)}")
        if column not in _TEXT:
            try:
                table[column] = pd.to_numeric(table[column].replace("", np.nan))
            except ValueError as error:
                raise SmallsightError(f"{path}: {column}", str(error), "numbers") from None
    return table


def _keys(path: Path, wanted: str) -> Mapping[str, Any]:
    keys = wanted.split()
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SmallsightError(path, error.strerror or str(error), "a file") from None
    except ValueError as error:
        raise SmallsightError(path, str(error), "JSON") from None
    missing = [key for key in keys if not isinstance(tree, dict) or key not in tree]
    if missing:
        raise SmallsightError(path, f"no {missing[0]}", f"the keys {', '.join(keys)}")
    return tree


def _arrays(path: Path) -> np.ndarray:
    """Read maps as (maps, rows, columns)."""
    try:
        with np.load(path) as file:
            cams = file["cams"]
    except (OSError, ValueError, KeyError) as error:
        raise SmallsightError(path, str(error), "maps, an array `cams` in NPZ") from None
    return cams.reshape(-1, *cams.shape[-2:])


def _check_agreement(evaluated: pd.DataFrame, accuracy: pd.DataFrame, inputs: Inputs) -> None:
    """Two stages write accuracies; a report must not show numbers that another file denies."""
    known = accuracy.set_index(["regime", "condition", "size_group"])["acc"]
    for row in evaluated.to_dict("records"):
        for group in ("all", *GROUPS):
            key = (row["regime"], row["condition"], group)
            here, there = float(row[f"val_acc_{group}"]), float(known.get(key, np.nan))
            # Both may be rounded, to three digits at the least.
            if abs(here - there) > 0.0011:
                where = f"{inputs.conditions}: {', '.join(key)}"
                raise SmallsightError(where, f"{here:.4f}", f"{there:.4f} as in {inputs.accuracy}")
