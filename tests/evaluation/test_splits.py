import numpy as np
import pandas as pd
import pytest

from builders.evaluations import CATEGORIES, FOLDS, REPEATS, SETTINGS
from smallsight.evaluation.protocols import PROTOCOLS
from smallsight.evaluation.splits import read_splits, write_splits
from smallsight.evaluation.splitting import cross_validation, make_splits
from smallsight.evaluation.tables import SPLITS
from smallsight.runtime.errors import SampleError, SmallsightError


@pytest.mark.parametrize("seed", range(6))
def test_no_image_is_on_both_sides_of_a_fold(population, seed):
    sample = population(images=23, seed=seed)
    folds = cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=seed)
    assert folds.fold_of.shape == (REPEATS, len(sample))
    for fold_of in folds.fold_of:
        assert set(fold_of) == set(range(FOLDS))
        for fold in range(FOLDS):
            inside = set(sample["image_id"][fold_of == fold])
            assert inside.isdisjoint(sample["image_id"][fold_of != fold])


def test_folds_depend_on_the_seed_and_on_nothing_else(sample, folds):
    again = cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=4)
    assert (again.fold_of == folds.fold_of).all()
    assert folds.seeds == (4, 5, 6)
    later = cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=5)
    assert (later.fold_of[:2] == folds.fold_of[1:]).all()
    assert (folds.fold_of[0] != folds.fold_of[1]).any()


def test_too_few_images_are_an_error(population):
    with pytest.raises(SampleError, match=r"4 pictures; expected at least 5"):
        cross_validation(population(images=4), CATEGORIES, settings=SETTINGS, seed=0)


def twins(*pairs):
    """Pictures that are the same photograph, by twos."""
    rows = [(image_id, min(pair), "near") for pair in pairs for image_id in pair]
    return pd.DataFrame(rows, columns=["image_id", "group", "kind"])


@pytest.mark.parametrize("seed", range(4))
def test_duplicates_are_on_the_same_side_of_every_fold(population, seed):
    sample = population(images=23, seed=seed)
    images = sorted(sample["image_id"].unique())
    pairs = list(zip(images[:8], images[8:16], strict=True))
    folds = make_splits(
        PROTOCOLS["cross_validation"],
        sample,
        CATEGORIES,
        settings=SETTINGS,
        seed=seed,
        duplicates=twins(*pairs),
    )
    apart = cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=seed)
    together = 0
    for pair in pairs:
        chosen = sample["image_id"].isin(pair).to_numpy()
        assert (np.ptp(folds.fold_of[:, chosen], axis=1) == 0).all()
        assert len(set(folds.reference_test[chosen])) == 1
        together += (np.ptp(apart.fold_of[:, chosen], axis=1) == 0).all()
    assert together < len(pairs)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_without_duplicates_nothing_changes(sample, tmp_path, name):
    for path, duplicates in (("a.csv", None), ("b.csv", twins())):
        made = make_splits(
            PROTOCOLS[name], sample, CATEGORIES, settings=SETTINGS, seed=4, duplicates=duplicates
        )
        write_splits(made, tmp_path / path)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_too_few_photographs_are_an_error(population):
    sample = population(images=6)
    images = sorted(sample["image_id"].unique())
    found = twins(images[:2], images[2:4])
    with pytest.raises(SampleError, match=r"6 pictures of 4 photographs; expected at least 5"):
        cross_validation(sample, CATEGORIES, settings=SETTINGS, seed=0, duplicates=found)


def test_labels_are_places_among_the_categories(folds, sample):
    assert [CATEGORIES[label] for label in folds.labels] == list(sample["category_name"])


@pytest.mark.parametrize("name", PROTOCOLS)
def test_splits_come_back_as_they_were_written(sample, tmp_path, name):
    made = make_splits(PROTOCOLS[name], sample, CATEGORIES, settings=SETTINGS, seed=4)
    write_splits(made, tmp_path / "splits.csv")
    read = read_splits(tmp_path / "splits.csv", sample, CATEGORIES)
    assert (read.seeds, read.folds, read.categories) == (made.seeds, made.folds, CATEGORIES)
    assert (read.fold_of == made.fold_of).all()
    assert (read.reference_test == made.reference_test).all()
    assert read.reference_test.dtype == bool
    table = pd.read_csv(tmp_path / "splits.csv")
    assert list(table.columns) == SPLITS.names
    assert not table.duplicated(["seed", "image_id", "ann_id"]).any()


@pytest.mark.parametrize("name", PROTOCOLS)
def test_some_of_the_instances_keep_their_folds(sample, name):
    made = make_splits(PROTOCOLS[name], sample, CATEGORIES, settings=SETTINGS, seed=4)
    places = np.arange(1, len(sample), 3)
    chosen = sample.iloc[places[::-1]]
    some = made.of_instances(chosen["image_id"].to_numpy(), chosen["ann_id"].to_numpy())
    pd.testing.assert_frame_equal(some.sample, sample.iloc[places].reset_index(drop=True))
    assert (some.fold_of == made.fold_of[:, places]).all()
    assert (some.reference_test == made.reference_test[places]).all()
    assert (some.labels == made.labels[places]).all()
    assert (some.seeds, some.categories, some.folds) == (made.seeds, CATEGORIES, made.folds)


def test_the_number_of_folds_stays_where_some_of_them_are_empty(folds, sample):
    first = sample[folds.fold_of[0] == 0]
    some = folds.of_instances(first["image_id"].to_numpy(), first["ann_id"].to_numpy())
    assert set(some.fold_of[0]) == {0}
    assert some.folds == FOLDS


def test_an_instance_is_known_by_both_of_its_ids(population):
    twins = population(images=12).assign(ann_id=lambda table: table.groupby("image_id").cumcount())
    made = cross_validation(twins, CATEGORIES, settings=SETTINGS, seed=0)
    some = made.of_instances(twins["image_id"].to_numpy()[[5]], twins["ann_id"].to_numpy()[[5]])
    assert len(some.sample) == 1
    assert (some.fold_of[:, 0] == made.fold_of[:, 5]).all()


def test_splits_of_other_instances_are_refused(folds, sample, tmp_path):
    path = tmp_path / "splits.csv"
    write_splits(folds, path)
    with pytest.raises(SampleError, match="other instances than the sample's"):
        read_splits(path, sample[::-1], CATEGORIES)
    with pytest.raises(SampleError, match="other instances than the sample's"):
        read_splits(path, sample[1:], CATEGORIES)


def test_a_table_of_splits_that_is_none_is_refused(sample, tmp_path):
    with pytest.raises(SmallsightError, match=r"splits\.csv: No such file .*expected a table"):
        read_splits(tmp_path / "splits.csv", sample, CATEGORIES)
    (tmp_path / "splits.csv").write_text("seed,fold\n0,1\n")
    with pytest.raises(SampleError, match=r"columns seed, fold; expected seed, image_id, ann_id"):
        read_splits(tmp_path / "splits.csv", sample, CATEGORIES)
