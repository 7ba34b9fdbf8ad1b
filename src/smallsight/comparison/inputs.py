"""What a comparison is made of: a study's files at a revision, read and checked once."""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from smallsight import params
from smallsight.analysis.outcomes import CONDITION
from smallsight.comparison.revisions import Revision, holds
from smallsight.report import provenance
from smallsight.runtime.errors import ParameterError, SmallsightError
from smallsight.vocabulary import INSTANCE

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
    *CONDITION, "seed", *INSTANCE, "category_name", "size_group", "side", "predicted", "correct",
    "confidence",
)  # fmt: skip


WANTED_OF_FAILURES = ("regime", *INSTANCE, "cause")


WANTED_OF_VIEWS = (*INSTANCE, "box_x", "box_y", "box_w", "box_h", "view_w", "view_h")


_DIGITS = 12
"""Hexadecimal digits that tell one file's content from another's."""


_TEXT = dict.fromkeys(("category_name", "size_group", "regime", "cause"), str)


@dataclass(frozen=True)
class Files:
    """Where each file lies, below the project's folder.

    Attributes
    ----------
    parameters, pipeline
        `params.yaml` and `dvc.yaml`.
    sample, predictions, failures
        The sampled instances, their out-of-fold predictions, and what each failure suggests.
    views
        Where each object lies in its untouched picture (CSV).
    pictures
        The folder of these pictures, `<image_id>_<ann_id>.png`.
    """

    parameters: str
    pipeline: str
    sample: str
    predictions: str
    failures: str
    views: str
    pictures: str


@dataclass(frozen=True)
class Side:
    """One of the two studies that are compared.

    Attributes
    ----------
    tree
        Its parameters, as they stand in their file: an older one may have keys unknown today.
    stages
        What DVC recorded of each of its stages.
    fingerprints
        First digits of the SHA-256 of each table's file, by its path.
    """

    revision: Revision
    files: Files
    tree: Mapping[str, Any]
    stages: Mapping[str, Any]
    sample: pd.DataFrame
    predictions: pd.DataFrame
    failures: pd.DataFrame
    fingerprints: Mapping[str, str]

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Every parameter by its dotted key, as text."""
        return dict(provenance.flattened(self.tree))

    @property
    def analysis(self) -> params.Analysis:
        """How this study makes its intervals."""
        section = self.tree.get("analysis")
        known = params.Analysis.model_fields
        chosen = section if isinstance(section, Mapping) else {}
        chosen = {key: value for key, value in chosen.items() if key in known}
        where = f"{self.files.parameters} at {self.revision.name}: analysis"
        return params.validate(params.Analysis, chosen, where=where)

    @property
    def seed(self) -> int:
        """The study's seed."""
        seed = self.tree.get("seed")
        if not isinstance(seed, int):
            where = f"{self.files.parameters} at {self.revision.name}: seed"
            raise ParameterError(where, repr(seed), "a whole number")
        return seed

    @cached_property
    def sources(self) -> dict[str, str]:
        """Code and data that the stages read and none of them wrote: short digests, by path."""
        stages = self.stages.values()
        made = {str(out["path"]) for stage in stages for out in stage.get("outs", ())}
        read = {
            str(dep["path"]): str(dep.get("md5", ""))[:_DIGITS]
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
        Where a file is missing or malformed, lacks a column, or where the parameters have changed
        since the run that the rest is from.
    """
    tree = revision.tree(files.parameters)
    stages = _stages(revision, files, tree)
    _check_run(revision, files, tree, stages)
    tables = files.sample, files.predictions, files.failures
    contents = {path: revision.read(path) for path in tables}
    digest = hashlib.sha256
    return Side(
        revision=revision,
        files=files,
        tree=tree,
        stages=stages,
        sample=_table(revision, files.sample, contents, WANTED_OF_SAMPLE),
        predictions=_table(revision, files.predictions, contents, WANTED_OF_PREDICTIONS),
        failures=_table(revision, files.failures, contents, WANTED_OF_FAILURES),
        fingerprints={path: digest(text).hexdigest()[:_DIGITS] for path, text in contents.items()},
    )


def read_views(side: Side) -> pd.DataFrame:
    """Read where each object lies in its untouched picture: `VIEW_COLUMNS`, in input pixels."""
    path = side.files.views
    return _table(side.revision, path, {path: side.revision.read(path)}, WANTED_OF_VIEWS)


def _stages(revision: Revision, files: Files, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Give what DVC recorded of each stage; it also keeps what is left of stages long gone."""
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
    """Refuse parameters other than those of the last run: its numbers are not theirs."""
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


def _table(
    revision: Revision, path: str, contents: Mapping[str, bytes], columns: tuple[str, ...]
) -> pd.DataFrame:
    where = f"{path} at {revision.name}"
    parse: Callable[..., pd.DataFrame] = pd.read_csv
    # A category may be called "None" or "NA".
    options: dict[str, Any] = {"dtype": _TEXT, "keep_default_na": False}
    if path.endswith(".parquet"):
        parse, options = pd.read_parquet, {}
    try:
        table = parse(io.BytesIO(contents[path]), **options)
    except (ValueError, OSError) as error:
        raise SmallsightError(where, " ".join(str(error).split()), "a table") from None
    for column in columns:
        if column not in table:
            raise SmallsightError(where, f"no column {column}", f"the columns {', '.join(columns)}")
    return table
