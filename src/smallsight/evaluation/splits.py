"""Splits: which instances are test data, in every repeat, kept as a table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from smallsight.evaluation.tables import SPLITS
from smallsight.runtime import files
from smallsight.runtime.errors import SampleError
from smallsight.runtime.tables import parse_table
from smallsight.vocabulary import INSTANCE


@dataclass(frozen=True)
class Splits:
    """Divisions of a sample into training and test data, one per seed.

    Attributes
    ----------
    sample
        The n instances.
    categories
        Their possible categories; a class is an index into them.
    seeds
        One per repeat.
    fold_of
        (seeds, n), the fold in which each instance is test data in each repeat; -1 where it is
        training data of every fold.
    reference_test
        (n,), bool: the test data of the reference head.
    folds
        Number of folds of every repeat.
    """

    sample: pd.DataFrame
    categories: tuple[str, ...]
    seeds: tuple[int, ...]
    fold_of: np.ndarray
    reference_test: np.ndarray
    folds: int

    @property
    def labels(self) -> np.ndarray:
        """(n,), each instance's class."""
        return class_indices(self.sample["category_name"], self.categories)

    def of_instances(self, image_id: np.ndarray, ann_id: np.ndarray) -> "Splits":
        """Return the same divisions of some of the instances, in the sample's order."""
        chosen = pd.MultiIndex.from_arrays([image_id, ann_id])
        is_chosen = pd.MultiIndex.from_frame(self.sample[INSTANCE]).isin(chosen)
        return replace(
            self,
            sample=self.sample[is_chosen].reset_index(drop=True),
            fold_of=self.fold_of[:, is_chosen],
            reference_test=self.reference_test[is_chosen],
        )


def class_indices(names: pd.Series, categories: Sequence[str]) -> np.ndarray:
    """Turn category names into indices of `categories`."""
    return names.map({name: index for index, name in enumerate(categories)}).to_numpy(np.int64)


def write_splits(splits: Splits, path: str | Path) -> None:
    """Write splits as the table `SPLITS`, a row per seed and instance in the sample's order."""
    table = pd.concat(
        [
            splits.sample[INSTANCE].assign(
                seed=seed, fold=fold, reference_test=splits.reference_test
            )
            for seed, fold in zip(splits.seeds, splits.fold_of, strict=True)
        ]
    )
    files.write_table(table[SPLITS.names], path)


def read_splits(path: str | Path, sample: pd.DataFrame, categories: Sequence[str]) -> Splits:
    """Read the splits of a sample back.

    Raises
    ------
    SmallsightError
        Where the file is missing or malformed, or holds other instances than the sample.
    """
    table = parse_table(path, SPLITS, where=path)
    if list(table.columns) != SPLITS.names:
        raise SampleError(path, f"columns {', '.join(table.columns)}", ", ".join(SPLITS.names))
    seeds = tuple(int(seed) for seed in table["seed"].unique())
    ids = sample[INSTANCE].to_numpy()
    if not np.array_equal(table[INSTANCE].to_numpy(), np.tile(ids, (len(seeds), 1))):
        raise SampleError(path, "other instances than the sample's", "those, once per seed")
    fold_of = table["fold"].to_numpy().reshape(len(seeds), len(sample))
    test = table["reference_test"].to_numpy(bool)[: len(sample)]
    return Splits(sample, tuple(categories), seeds, fold_of, test, int(fold_of.max()) + 1)
