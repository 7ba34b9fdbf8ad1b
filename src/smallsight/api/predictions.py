"""A table of predictions as users have it, checked and arranged as the study's own."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight.api import checks
from smallsight.api.columns import (
    POSITIVE,
    SHARES,
    as_names,
    as_numbers,
    as_whole,
    check_known,
    identify,
    read_file,
)
from smallsight.api.objects import Objects
from smallsight.api.options import as_categories, kind_of
from smallsight.conditions.rendered.names import UNTOUCHED, split_name
from smallsight.evaluation.tables import PREDICTIONS
from smallsight.runtime.errors import SmallsightError
from smallsight.vocabulary import GROUPS, INSTANCE, OTHER, REGIMES, TASKS

PREFIX = "p_"
"""Begins the names of columns of probabilities."""

TOLERANCE = 1e-3
"""By how much the sum of probabilities may differ from 1."""

_TEXT = ("category_name", "predicted", "condition", "family", "level", "task", "regime",
         "size_group")  # fmt: skip


@dataclass(frozen=True)
class Predictions:
    """Predictions of n instances, each under every condition.

    Attributes
    ----------
    where
        What errors call them.
    table
        The columns of `PREDICTIONS` and p_<category>; empty text or NaN where nothing is known.
    categories
        All that may be predicted, but for `OTHER`.
    """

    where: str
    table: pd.DataFrame
    categories: tuple[str, ...]

    @property
    def tasks(self) -> list[str]:
        """The tasks that were asked, in order."""
        return [task for task in TASKS if (self.table["task"] == task).any()]


def read_predictions(
    source: pd.DataFrame | str | Path,
    objects: Objects | None,
    *,
    categories: Sequence[str] | None,
    task: str,
    input_size: int | None,
) -> Predictions:
    """Read predictions from a table, and check them.

    Parameters
    ----------
    source
        A DataFrame, or the path of a CSV or Parquet file.
    objects
        The objects that they are of, and others of the pictures.
    categories, task, input_size
        As `analysis.analyse` has them.

    Raises
    ------
    SmallsightError
        For the first thing that is missing, malformed or impossible.
    """
    frame, where = _opened(source)
    frame = identify(_with_images(frame, where, objects), where)
    names, answers, chances = _answers(frame, where, categories)
    table = frame[INSTANCE].assign(
        task=_words(frame, "task", where, otherwise=task, known=TASKS),
        regime=_words(frame, "regime", where, otherwise=next(iter(REGIMES)), known=REGIMES),
        seed=as_whole(frame, "seed", where) if "seed" in frame else 0,
        fold=0,
        size_group=_words(frame, "size_group", where, otherwise="", known=GROUPS),
        side=as_numbers(frame, "side", where, POSITIVE) if "side" in frame else np.nan,
        **_conditions(frame, where),
        **answers,
    )
    checks.check_once(table, where)
    checks.check_constant(table, "category_name", where)
    checks.check_complete(table, where)
    checks.check_sides(table, where)
    table = _with_sizes(table, where, objects, input_size)
    checks.check_constant(table, "size_group", where)
    columns = [f"{PREFIX}{name}" for name in names]
    by_name = pd.DataFrame(chances, index=table.index, columns=columns, dtype=float)
    return Predictions(where, pd.concat([table[PREDICTIONS.names], by_name], axis=1), names)


def _opened(source: pd.DataFrame | str | Path) -> tuple[pd.DataFrame, str]:
    """Return a table, and what errors call it."""
    if isinstance(source, pd.DataFrame):
        return source, "predictions"
    if isinstance(source, str | Path):
        return read_file(source, text=_TEXT), str(source)
    expected = "a DataFrame, or the path of a CSV or Parquet file"
    raise SmallsightError("predictions", kind_of(source), expected)


def _with_images(frame: pd.DataFrame, where: str, objects: Objects | None) -> pd.DataFrame:
    """Find the pictures of objects that are told by one id alone."""
    if objects is None or "image_id" in frame or not {"ann_id", "id"} & set(frame):
        return frame
    name = "ann_id" if "ann_id" in frame else "id"
    known = objects.table
    if known["ann_id"].duplicated().any():
        twice = known.loc[known["ann_id"].duplicated(), "ann_id"].iloc[0]
        raise SmallsightError(
            where, f"no column image_id, and object {twice} stands in several pictures", "image_id"
        )
    ids = pd.Series(as_whole(frame, name, where), index=frame.index)
    image = ids.map(known.set_index("ann_id")["image_id"])
    if image.isna().any():
        found = f"object {ids[image.isna()].iloc[0]}"
        raise SmallsightError(where, found, f"one of {objects.where}")
    return frame.assign(image_id=image.astype("int64"), ann_id=ids)


def _words(
    frame: pd.DataFrame, name: str, where: str, *, otherwise: str, known: Collection[str]
) -> np.ndarray | str:
    """Return a column of some words, where the table has it."""
    return as_names(frame, name, where, known=known) if name in frame else otherwise


def _conditions(frame: pd.DataFrame, where: str) -> dict[str, np.ndarray | str]:
    """Return family, level and name of every row's condition.

    Of a family's levels, that without options is the reference level, or else the first; its name
    is the family's.
    """
    if "condition" not in frame:
        return {"condition": UNTOUCHED, "family": UNTOUCHED, "level": "default"}
    named = as_names(frame, "condition", where)
    if {"family", "level"} <= set(frame):
        told = {name: as_names(frame, name, where) for name in ("family", "level")}
        return {"condition": named, **told}
    parts = {name: split_name(name) for name in pd.unique(named)}
    reference: dict[str, str] = {}
    for name, (family, _) in sorted(parts.items(), key=lambda part: bool(part[1][1])):
        reference.setdefault(family, name)
    known = {
        name: (family if name == reference[family] else name, family, level or "default")
        for name, (family, level) in parts.items()
    }
    rows = np.array([known[name] for name in named], object)
    return dict(zip(("condition", "family", "level"), rows.T, strict=True))


def _answers(
    frame: pd.DataFrame, where: str, categories: Sequence[str] | None
) -> tuple[tuple[str, ...], dict[str, np.ndarray | float], np.ndarray | None]:
    """Return the categories, the columns about what was named, and (rows, categories) chances."""
    truth = as_names(frame, "category_name", where)
    given = as_names(frame, "predicted", where) if "predicted" in frame else None
    told = as_categories(categories)
    columns = _named_columns(frame, is_category=OTHER in (*truth, *told))
    if given is not None:
        due = {*truth, *told, OTHER}
        checks.check_spelling(given, due, where, declared={*told, *columns})
    _check_columns(columns, told, truth, given, where)
    names, chances = _probabilities(frame, where, columns, told)
    if given is None and chances is None:
        expected = f"the predicted category, or probabilities {PREFIX}<category>"
        raise SmallsightError(where, "no column predicted", expected)
    if not names:
        named = set() if given is None else set(given) - {OTHER}
        names = tuple(sorted(named | set(truth)))
    check_known(truth, names, where, "category_name")
    every = tuple(dict.fromkeys((*names, OTHER)))
    whole = None
    if chances is not None:
        has_rest = given is not None and OTHER in given
        whole = _with_rest(frame, chances, names, where, has_rest=has_rest)
    if given is None:
        assert whole is not None
        given = np.array(every, object)[whole.argmax(axis=1)]
    check_known(given, every, where, "predicted")
    confidence: np.ndarray | float = np.nan
    if "confidence" in frame:
        confidence = as_numbers(frame, "confidence", where, SHARES)
    elif whole is not None:
        confidence = whole[np.arange(len(given)), pd.Index(every).get_indexer(pd.Index(given))]
    answers = {"category_name": truth, "predicted": given, "correct": given == truth}
    return names, answers | {"confidence": confidence}, chances


def _named_columns(frame: pd.DataFrame, *, is_category: bool) -> tuple[str, ...]:
    """Return the names after `PREFIX` of all columns that begin with it.

    Parameters
    ----------
    is_category
        Whether `OTHER` is a category like all others.
    """
    columns = [name for name in frame if isinstance(name, str) and name.startswith(PREFIX)]
    names = [name.removeprefix(PREFIX) for name in columns]
    return tuple(name for name in names if name != OTHER or is_category)


def _check_columns(
    names: Sequence[str],
    told: Sequence[str],
    truth: np.ndarray,
    given: np.ndarray | None,
    where: str,
) -> None:
    """Refuse a column p_<name> of no category, where the others are not those of all categories.

    Categories that no object is of may have columns too; and where nothing was predicted, columns
    are what tells the categories, unless no object is of any of them.
    """
    occurring = {*truth, *(() if given is None else given)}
    due = told or sorted(occurring - ({OTHER} - {*truth}))
    is_whole = not told and (set(due) <= set(names) or (given is None and {*due} & {*names}))
    strays = [name for name in names if name not in due]
    if strays and not is_whole:
        expected = f"{PREFIX}<category> for each of {', '.join(due)}"
        raise SmallsightError(f"{where}: {PREFIX}{strays[0]}", "names no category", expected)


def _probabilities(
    frame: pd.DataFrame, where: str, names: tuple[str, ...], told: tuple[str, ...]
) -> tuple[tuple[str, ...], np.ndarray | None]:
    """Return the categories that are known beforehand, and (rows, categories) probabilities."""
    if not names:
        return told, None
    missing = [name for name in told if name not in names]
    if missing:
        found, expected = (
            f"no column {PREFIX}{missing[0]}",
            f"a column for each of {', '.join(told)}",
        )
        raise SmallsightError(where, found, expected)
    known = told or names
    chances = [as_numbers(frame, f"{PREFIX}{name}", where, SHARES) for name in known]
    return known, np.stack(chances, axis=1)


def _with_rest(
    frame: pd.DataFrame, chances: np.ndarray, names: Sequence[str], where: str, *, has_rest: bool
) -> np.ndarray:
    """Add the probability of classes of no category: what the others lack of 1.

    Parameters
    ----------
    has_rest
        Whether some are named, so that they may have some though no column says so.
    """
    missing = 1 - chances.sum(axis=1)
    wrong = missing
    if OTHER not in names:
        if f"{PREFIX}{OTHER}" in frame:
            wrong = missing - as_numbers(frame, f"{PREFIX}{OTHER}", where, SHARES)
        elif has_rest:
            wrong = missing.clip(max=0)
    is_wrong = abs(wrong) > TOLERANCE
    if is_wrong.any():
        found = f"probabilities that sum to {1 - wrong[is_wrong][0]:.4g}"
        place = checks.place_of(where, *frame.loc[is_wrong, INSTANCE].iloc[0])
        raise SmallsightError(place, found, f"1, with {PREFIX}{OTHER} for classes of no category")
    return np.column_stack([chances, np.where(missing > TOLERANCE, missing, 0.0)])


def _with_sizes(
    table: pd.DataFrame, where: str, objects: Objects | None, input_size: int | None
) -> pd.DataFrame:
    """Add what the objects tell of sizes, where the table does not."""
    if objects is None:
        return table
    columns = [*INSTANCE, "category_name", "area_ratio", "size_group"]
    found = table[INSTANCE].merge(objects.table[columns], on=INSTANCE, how="left", validate="m:1")
    lacking = found["category_name"].isna()
    if lacking.any():
        place = checks.place_of(where, *found.loc[lacking, INSTANCE].iloc[0])
        raise SmallsightError(place, "no such object", f"one of {objects.where}")
    other = found["category_name"] != table["category_name"]
    if other.any():
        raise SmallsightError(
            checks.place_of(where, *found.loc[other, INSTANCE].iloc[0]),
            repr(table.loc[other, "category_name"].iloc[0]),
            f"{found.loc[other, 'category_name'].iloc[0]!r} as in {objects.where}",
        )
    if not table["size_group"].iloc[0]:
        table = table.assign(size_group=found["size_group"])
    if input_size is not None and table["side"].isna().all():
        table = table.assign(side=input_size * np.sqrt(found["area_ratio"]))
    return table
