"""Reads the tables and small files of a study for its report, and checks them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallsight.analysis.tables import TABLES
from smallsight.backbones.engine import Engine, read_engine
from smallsight.backbones.facts import read_backbone_facts
from smallsight.classifiers.facts import read_classifier_facts
from smallsight.classifiers.tables import PREPROCESSINGS
from smallsight.conditions.rendered.names import FACTS, FamilyFacts, read_facts
from smallsight.evaluation.tables import RESULTS, TRAINING_CURVE
from smallsight.params import Params
from smallsight.remedies.facts import RemedyFacts, read_remedy_facts
from smallsight.remedies.tables import REMEDY_TIMES
from smallsight.report import provenance
from smallsight.report.study import Study
from smallsight.runtime.errors import SmallsightError
from smallsight.runtime.tables import read_table
from smallsight.saliency.tables import GALLERY, MAP_LIST, STRIPS
from smallsight.sampling.sample import SAMPLE, read_categories
from smallsight.vocabulary import ALL_AND_GROUPS


@dataclass(frozen=True)
class Inputs:
    """Paths of a study's files.

    Attributes
    ----------
    sample, sampling
        The sampled instances (CSV), and the counts of what was eligible, drawn and excluded (JSON).
    categories
        The names of the study's categories (JSON).
    pictures
        What was done to the pictures, and which are the same photograph (JSON).
    backbone
        The facts of the network (JSON).
    classifier, preprocessings
        The facts of the user's own classifier, if that is examined (JSON); and its accuracy under
        the declared preprocessing and the usual wrong ones (CSV).
    engine
        What runs the network (JSON).
    conditions
        The folder that holds the folders of all families.
    results
        Accuracy by condition and size group, as evaluated (CSV).
    remedies, remedy_times
        The facts of all remedies (JSON), and what each takes at test time (CSV).
    analysis
        The folder of the analysis' tables.
    curve, training
        The reference head's measures by epoch (CSV), and its settings (JSON).
    metrics
        The few numbers compared between experiments (JSON).
    gallery, strips
        Objects drawn by seed with their saliency maps, and some under every condition (CSV).
    maps, map_values, about
        What each saliency map is of (CSV), the maps (NPZ), and how they are made and drawn (JSON).
    """

    sample: Path
    sampling: Path
    categories: Path
    pictures: Path
    backbone: Path
    classifier: Path
    preprocessings: Path
    engine: Path
    conditions: Path
    results: Path
    remedies: Path
    remedy_times: Path
    analysis: Path
    curve: Path
    training: Path
    metrics: Path
    gallery: Path
    strips: Path
    maps: Path
    map_values: Path
    about: Path

    def table(self, name: str) -> Path:
        """Return the path of a table of the analysis."""
        return self.analysis / f"{name}.csv"

    def facts(self, family: str) -> Path:
        """Return the path of a family's facts."""
        return self.conditions / family / FACTS

    def paths(self) -> tuple[Path, ...]:
        """Return the paths of all files but the families' facts, in the order of the pipeline."""
        return (
            *(self.sample, self.sampling, self.categories, self.pictures),
            *(self.backbone, self.classifier),
            *(self.preprocessings, self.engine, self.results),
            *(self.remedies, self.remedy_times),
            *(self.table(table.name) for table in TABLES),
            *(self.curve, self.training, self.metrics, self.gallery, self.strips),
            *(self.maps, self.map_values, self.about),
        )


def read_study(inputs: Inputs, params: Params) -> Study:
    """Read every input and check that it has what the report shows.

    Raises
    ------
    SmallsightError
        Where a file is missing or malformed, a column or key is missing, the two tables of
        accuracies disagree, the facts lack a remedy, or the parameters lack a family or name
        another readout than the network has.
    """
    tables = {table.name: read_table(inputs.table(table.name), table) for table in TABLES}
    results = read_table(inputs.results, RESULTS)
    _check_families(tables["accuracy"], inputs.table("accuracy"), params)
    _check_families(results, inputs.results, params)
    backbone = read_backbone_facts(inputs.backbone)
    classifier = read_classifier_facts(inputs.classifier)
    if classifier is None:
        backbone.check_readout(params.heads.readout)
    families = {family: _facts(inputs, family) for family in params.conditions}
    sweeps = [name for name, facts in families.items() if facts.role == "sweep"]
    _check_agreement(results[~results["family"].isin(sweeps)], tables["accuracy"], inputs)
    remedies = {one.name: one for one in read_remedy_facts(inputs.remedies)}
    _check_remedies(tables["remedies"], inputs, remedies)
    sampling = _keys(
        inputs.sampling,
        *("requested_per_group", "drawn", "eligible", "excluded", "examples", "measures"),
        *("listed", "unreadable_masks"),
    )
    return Study(
        params=params.of_categories(read_categories(inputs.categories)),
        families=families,
        sample=read_table(inputs.sample, SAMPLE),
        sampling=sampling,
        pictures=_keys(inputs.pictures, "changed", "in_doubt", "duplicates"),
        backbone=backbone,
        classifier=classifier,
        preprocessings=read_table(inputs.preprocessings, PREPROCESSINGS),
        engine=_engine(inputs.engine),
        tables=tables,
        remedies=remedies,
        remedy_times=read_table(inputs.remedy_times, REMEDY_TIMES),
        curve=read_table(inputs.curve, TRAINING_CURVE),
        training=_keys(
            inputs.training,
            *("condition", "seed", "device", "n_train", "n_test", "shared_images"),
            "test_accuracy",
        ),
        metrics=_keys(inputs.metrics),
        gallery=read_table(inputs.gallery, GALLERY),
        strips=read_table(inputs.strips, STRIPS),
        maps=read_table(inputs.maps, MAP_LIST),
        map_values=_arrays(inputs.map_values),
        about=_keys(
            inputs.about,
            *("layer", "input_size", "cell", "last_layer", "last_cell", "largest_sum_error"),
            *("alpha", "colormap"),
        ),
        fingerprints=provenance.fingerprints(
            (*inputs.paths(), *(inputs.facts(family) for family in params.conditions))
        ),
    )


def _engine(path: Path) -> Engine:
    try:
        return read_engine(path)
    except OSError as error:
        raise SmallsightError(path, error.strerror or str(error), "a file") from None
    except ValueError:
        raise SmallsightError(path, "malformed", "the facts of an engine") from None


def _facts(inputs: Inputs, family: str) -> FamilyFacts:
    path = inputs.facts(family)
    try:
        return read_facts(inputs.conditions, family)
    except OSError as error:
        raise SmallsightError(path, error.strerror or str(error), "a file") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise SmallsightError(path, "malformed", "a family's facts") from None


def _keys(path: Path, *keys: str) -> Mapping[str, Any]:
    """Read a JSON object that has some keys."""
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
            maps = file["cams"]
    except (OSError, ValueError, KeyError) as error:
        raise SmallsightError(path, str(error), "maps, an array `cams` in NPZ") from None
    return maps.reshape(-1, *maps.shape[-2:])


def _check_families(table: pd.DataFrame, path: Path, params: Params) -> None:
    """Refuse a table with families that the parameters lack."""
    unknown = sorted(set(table["family"]) - set(params.conditions))
    if unknown:
        known = f"one of {', '.join(params.conditions)}"
        raise SmallsightError(f"{path}: family", unknown[0], known)


def _check_remedies(
    table: pd.DataFrame, inputs: Inputs, remedies: Mapping[str, RemedyFacts]
) -> None:
    """Refuse a table with remedies that the facts lack."""
    unknown = sorted(set(table["remedy"]) - set(remedies))
    if unknown:
        known = f"one of {inputs.remedies}"
        raise SmallsightError(f"{inputs.table('remedies')}: remedy", unknown[0], known)


def _check_agreement(results: pd.DataFrame, accuracy: pd.DataFrame, inputs: Inputs) -> None:
    """Refuse accuracies that another file denies: two stages write them."""
    known = accuracy.set_index(["task", "regime", "condition", "size_group"])["acc"]
    for row in results.to_dict("records"):
        for group in ALL_AND_GROUPS:
            key = (row["task"], row["regime"], row["condition"], group)
            here, there = float(row[f"val_acc_{group}"]), float(known.get(key, np.nan))
            # Both may be rounded, to three digits at the least.
            if abs(here - there) > 0.0011:
                where = f"{inputs.results}: {', '.join(key)}"
                raise SmallsightError(
                    where, f"{here:.4f}", f"{there:.4f} as in {inputs.table('accuracy')}"
                )
