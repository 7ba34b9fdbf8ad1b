"""What the report is made of: the tables and small files of a study, read and checked once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallsight.conditions import FAMILIES, UNTOUCHED, Condition, ladders
from smallsight.errors import SmallsightError
from smallsight.params import Params
from smallsight.vocabulary import REGIMES, SIZE_GROUPS

GROUPS = tuple(SIZE_GROUPS)
"""Size groups, in the order in which they are shown."""

_TEXT = {
    "ann_id", "category_name", "condition", "family", "file_name", "image_id", "level", "outcome",
    "overlay", "picture", "predicted", "regime", "size_group",
}  # fmt: skip
_ACCURACY = ["regime", "condition", "size_group", "n", "images", "acc", "ci_low", "ci_high"]
_CURVE = ["epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy"]
_TRAINING = ["condition", "seed", "device", "n_train", "n_test", "test_accuracy", "weights"]
_PICTURES = (
    "image_id ann_id condition size_group category_name outcome predicted confidence side lift "
    "picture overlay box_x box_y box_w box_h view_w view_h input_size"
)


@dataclass(frozen=True)
class Inputs:
    """Where each input lies.

    Attributes
    ----------
    sample, sampling
        The sampled instances (CSV), and what was eligible, drawn and excluded (JSON).
    conditions, accuracy
        Accuracy by regime, condition and size group: as evaluated, and with intervals (CSV).
    curve, training
        The reference head's measures by epoch (CSV), and how it was trained (JSON).
    metrics
        The few numbers compared between experiments (JSON).
    gallery, strips, scale
        Small objects with their heat maps, the same objects under every condition (CSV), and
        how heat maps are drawn (JSON).
    """

    sample: Path
    sampling: Path
    conditions: Path
    accuracy: Path
    curve: Path
    training: Path
    metrics: Path
    gallery: Path
    strips: Path
    scale: Path

    def paths(self) -> tuple[Path, ...]:
        """Every path, in order."""
        return tuple(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True)
class Estimate:
    """An accuracy: of how many instances in how many images, and its interval, 0 to 1."""

    n: int
    images: int
    acc: float
    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """Whether there is a number with an interval."""
        return self.n > 0 and bool(np.isfinite([self.acc, self.low, self.high]).all())


@dataclass(frozen=True)
class Study:
    """All inputs, read. Tables keep the names of their files."""

    params: Params
    sample: pd.DataFrame
    sampling: Mapping[str, Any]
    accuracy: pd.DataFrame
    curve: pd.DataFrame
    training: Mapping[str, Any]
    metrics: Mapping[str, Any]
    gallery: pd.DataFrame
    strips: pd.DataFrame
    scale: Mapping[str, Any]
    conditions: tuple[Condition, ...]

    def label(self, condition: str) -> str:
        """Call a condition by its family's label, and by its level where that is not the first."""
        family, _, level = condition.partition("/")
        label = FAMILIES[family].label if family in FAMILIES else family
        return f"{label}, {level}" if level else label

    def estimate(self, regime: str, condition: str, group: str) -> Estimate | None:
        """One row of the table of accuracies, or None where it has none."""
        table = self.accuracy
        rows = table[
            (table["regime"] == regime)
            & (table["condition"] == condition)
            & (table["size_group"] == group)
        ]
        if rows.empty:
            return None
        row = rows.iloc[0]
        n, images = (int(row[key]) if np.isfinite(row[key]) else 0 for key in ("n", "images"))
        return Estimate(n, images, *(float(row[key]) for key in ("acc", "ci_low", "ci_high")))

    def regimes(self) -> list[str]:
        """List the regimes that have rows, the headline regime first."""
        return [regime for regime in REGIMES if (self.accuracy["regime"] == regime).any()]

    def changes(self) -> list[str]:
        """Name all conditions but the untouched one."""
        return [condition.name for condition in self.conditions if condition.name != UNTOUCHED]


def read(inputs: Inputs, params: Params) -> Study:
    """Read every input and check that they have what the report shows.

    Raises
    ------
    SmallsightError
        Where a file is missing or malformed, a column or key is missing, or the two tables of
        accuracies disagree.
    """
    accuracy = _table(inputs.accuracy, _ACCURACY)
    names = [f"val_acc_{group}" for group in ("all", *GROUPS)]
    evaluated = _table(inputs.conditions, ["regime", "condition", *names])
    _check_agreement(evaluated, accuracy, inputs)
    return Study(
        params=params,
        sample=_table(inputs.sample, ["image_id", "category_name", "size_group"]),
        sampling=_keys(inputs.sampling, ["requested_per_group", "drawn", "eligible", "excluded"]),
        accuracy=accuracy,
        curve=_table(inputs.curve, _CURVE),
        training=_keys(inputs.training, _TRAINING),
        metrics=_keys(inputs.metrics, []),
        gallery=_table(inputs.gallery, _PICTURES.split()),
        strips=_table(inputs.strips, _PICTURES.split()),
        scale=_keys(inputs.scale, ["layer", "cell", "alpha", "colormap", "scale"]),
        conditions=tuple(
            step for steps in ladders(params.model_dump()["conditions"]).values() for step in steps
        ),
    )


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
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


def _keys(path: Path, keys: Sequence[str]) -> Mapping[str, Any]:
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
