"""Reads the files of one of the two studies at its revision, and checks them."""

import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from smallsight import params
from smallsight.analysis.failures import FAILURES
from smallsight.comparison.revisions import Revision, holds
from smallsight.conditions.rendered.names import FACTS, FamilyFacts, parse_facts
from smallsight.conditions.rendered.views import VIEWS
from smallsight.evaluation.tables import PREDICTIONS, RUNG_PREDICTIONS
from smallsight.report import provenance
from smallsight.runtime.errors import ParameterError, SmallsightError
from smallsight.runtime.tables import Table, parse_table
from smallsight.sampling.sample import SAMPLE
from smallsight.vocabulary import INSTANCE, TASKS

WANTED_OF_SAMPLE = (
    *INSTANCE,
    "category_name",
    "bbox_x",
    "bbox_y",
    "bbox_w",
    "bbox_h",
    "size_group",
)

WANTED_OF_PREDICTIONS = (
    "task", "regime", "condition", "family", "level", "seed", *INSTANCE, "category_name",
    "size_group", "side", "predicted", "correct", "confidence",
)  # fmt: skip

WANTED_OF_RUNGS = ("rung", "seed", *INSTANCE, "correct")
WANTED_OF_FAILURES = (*INSTANCE, "cause")
WANTED_OF_VIEWS = ("task", *INSTANCE, "box_x", "box_y", "box_w", "box_h", "view_w", "view_h")
"""Columns that a comparison reads of each table; others do not matter."""


@dataclass(frozen=True)
class Files:
    """Paths of a study's files, below the project's folder.

    Attributes
    ----------
    parameters, pipeline
        `params.yaml` and `dvc.yaml`.
    sample, predictions, rungs, failures
        Tables of the sampled instances, their out-of-fold predictions, those from every rung of
        the ladder, and the failures with their suggested causes.
    conditions
        The folder that holds the folders of all families.
    views
        Table of the objects' boxes in the untouched pictures of both tasks.
    pictures, windows
        The folders of these pictures, `<image_id>_<ann_id>.png`: whole ones, and windows.
    """

    parameters: str
    pipeline: str
    sample: str
    predictions: str
    rungs: str
    failures: str
    conditions: str
    views: str
    pictures: str
    windows: str


@dataclass(frozen=True)
class Side:
    """One of the two studies that are compared.

    Attributes
    ----------
    revision, files
        Where the rest was read.
    tree
        The parameters as they stand in their file; an older file may have keys unknown today.
    stages
        DVC's record of each stage.
    sample, predictions, rungs, failures
        The tables of these files.
    families
        Facts of the evaluated families, by name.
    fingerprints
        First digits of the SHA-256 of each table's file, by path.
    """

    revision: Revision
    files: Files
    tree: Mapping[str, Any]
    stages: Mapping[str, Any]
    sample: pd.DataFrame
    predictions: pd.DataFrame
    rungs: pd.DataFrame
    failures: pd.DataFrame
    families: Mapping[str, FamilyFacts]
    fingerprints: Mapping[str, str]

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters as text, by dotted key."""
        return dict(provenance.flattened(self.tree))

    @property
    def is_own(self) -> bool:
        """Whether it examines a classifier of the user's own; an older file knows but heads."""
        return self.parameters.get("classifier.source", "head") != "head"

    @property
    def analysis(self) -> params.Analysis:
        """The settings of this study's intervals.

        Raises
        ------
        ParameterError
            If they are missing or malformed.
        """
        section = self.tree.get("analysis")
        known = params.Analysis.model_fields
        chosen = section if isinstance(section, Mapping) else {}
        chosen = {key: value for key, value in chosen.items() if key in known}
        where = f"{self.files.parameters} at {self.revision.name}: analysis"
        return params.validate(params.Analysis, chosen, where=where)

    @property
    def seed(self) -> int:
        """The study's seed.

        Raises
        ------
        ParameterError
            If it is missing or no whole number.
        """
        seed = self.tree.get("seed")
        if not isinstance(seed, int):
            where = f"{self.files.parameters} at {self.revision.name}: seed"
            raise ParameterError(where, repr(seed), "a whole number")
        return seed

    @cached_property
    def sources(self) -> dict[str, str]:
        """Short digests, by path, of the code and data that stages read and none of them wrote."""
        stages = self.stages.values()
        made = {str(out["path"]) for stage in stages for out in stage.get("outs", ())}
        read = {
            str(dep["path"]): str(dep.get("md5", ""))[: provenance.DIGITS]
            for stage in stages
            for dep in stage.get("deps", ())
        }
        # Some stages read a folder that other stages fill.
        return {
            path: digest
            for path, digest in sorted(read.items())
            if not any(holds(path, one) or holds(one, path) for one in made)
        }


def read_side(revision: Revision, files: Files) -> Side:
    """Read a study at a revision.

    Raises
    ------
    SmallsightError
        If a file is missing or malformed, if a table lacks a column, or if the parameters have
        changed since the run that the other files are from.
    """
    tree = revision.tree(files.parameters)
    stages = _stages(revision, files, tree)
    _check_run(revision, files, tree, stages)
    # Predictions first: those of an older version know of no tasks, and lack other files too.
    wanted = {
        files.predictions: (PREDICTIONS, WANTED_OF_PREDICTIONS),
        files.sample: (SAMPLE, WANTED_OF_SAMPLE),
        files.rungs: (RUNG_PREDICTIONS, WANTED_OF_RUNGS),
        files.failures: (FAILURES, WANTED_OF_FAILURES),
    }
    tables, fingerprints = {}, {}
    for path, (declared, columns) in wanted.items():
        content = revision.read(path)
        tables[path] = _table(revision, path, content, declared, columns)
        fingerprints[path] = hashlib.sha256(content).hexdigest()[: provenance.DIGITS]
    return Side(
        revision=revision,
        files=files,
        tree=tree,
        stages=stages,
        sample=tables[files.sample],
        predictions=tables[files.predictions],
        rungs=tables[files.rungs],
        failures=tables[files.failures],
        families=_families(revision, files, tables[files.predictions]["family"].unique()),
        fingerprints=fingerprints,
    )


def read_views(side: Side) -> dict[str, pd.DataFrame]:
    """Read the objects' boxes in the untouched pictures.

    Returns
    -------
    dict
        By task, `WANTED_OF_VIEWS` and others, a row per instance, by its ids. Boxes are in input
        pixels, `view_w` and `view_h` are the size of the picture before its resize, in pixels.

    Raises
    ------
    SmallsightError
        If the table is missing, malformed, or lacks a column.
    """
    path = side.files.views
    table = _table(side.revision, path, side.revision.read(path), VIEWS, WANTED_OF_VIEWS)
    return {task: table[table["task"] == task].set_index(INSTANCE) for task in TASKS}


def _stages(revision: Revision, files: Files, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return DVC's record of each stage, without those that `dvc.yaml` has no longer."""
    pipeline = revision.tree(files.pipeline).get("stages") or {}
    families = tree.get("conditions") or {}
    current = {}
    for name, stage in revision.lock.items():
        stem, _, family = name.partition("@")
        if stem in pipeline and (not family or family in families):
            current[name] = stage
    return current


def _check_run(
    revision: Revision, files: Files, tree: Mapping[str, Any], stages: Mapping[str, Any]
) -> None:
    """Refuse parameters that the last run did not have: its numbers are not theirs."""
    now = dict(provenance.flattened(tree))
    for name, stage in stages.items():
        recorded = stage.get("params", {}).get(files.parameters) or {}
        for section, value in recorded.items():
            then = dict(provenance.flattened({section: value}))
            here = {key: now[key] for key in now if f"{key}.".startswith(f"{section}.")}
            for key in dict.fromkeys((*here, *then)):
                if here.get(key) != then.get(key):
                    raise ParameterError(
                        f"{files.parameters} at {revision.name}: {key}",
                        here.get(key, "absent"),
                        f"{then.get(key, 'absent')}, as when stage {name} last ran: "
                        "dvc repro brings the study up to it",
                    )


def _families(revision: Revision, files: Files, names: Iterable[str]) -> dict[str, FamilyFacts]:
    paths = {name: f"{files.conditions}/{name}/{FACTS}" for name in names}
    return {name: _facts(revision, path) for name, path in paths.items()}


def _facts(revision: Revision, path: str) -> FamilyFacts:
    try:
        return parse_facts(revision.read(path).decode())
    except (ValueError, LookupError, TypeError, AttributeError):
        raise SmallsightError(
            f"{path} at {revision.name}", "malformed", "a family's facts"
        ) from None


def _table(
    revision: Revision, path: str, content: bytes, declared: Table, columns: tuple[str, ...]
) -> pd.DataFrame:
    where = f"{path} at {revision.name}"
    source = io.BytesIO(content)
    if path.endswith(".parquet"):
        try:
            table = pd.read_parquet(source)
        except (ValueError, OSError) as error:
            raise SmallsightError(where, " ".join(str(error).split()), "a table") from None
    else:
        table = parse_table(source, declared, where=where)
    for column in columns:
        if column not in table:
            due = f"the columns {', '.join(columns)}, as this version of smallsight writes them"
            raise SmallsightError(where, f"no column {column}", due)
    return table
