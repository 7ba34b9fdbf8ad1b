"""Tables of the study are declared once, and the analysis makes all of its own as declared."""

import numpy as np
import pandas as pd
import pytest

from builders import map_measures, study_files
from builders.predictions import named, outcomes_of, predicted
from smallsight.analysis.dvc_plots import PLOTS, plot_tables
from smallsight.analysis.tables import TABLES, compute_tables
from smallsight.conditions.rendered.views import VIEWS
from smallsight.evaluation import tables as evaluation_tables
from smallsight.runtime.files import write_table
from smallsight.runtime.tables import Table, conform, read_table
from smallsight.saliency import tables as saliency_tables
from smallsight.sampling.donors import DONORS, draw_donors
from smallsight.sampling.sample import OBJECTS, SAMPLE

JUDGED = [table for table in TABLES if "verdict" in table.names]


def declared(module):
    return [value for value in vars(module).values() if isinstance(value, Table)]


DECLARED = [
    *TABLES, *PLOTS, *declared(evaluation_tables), *declared(saliency_tables), VIEWS, DONORS,
    OBJECTS, SAMPLE,
]  # fmt: skip


@pytest.fixture(scope="module")
def predictions(population):
    table = named(predicted(population(images=40)))
    names = {"a": "NA", "b": "None", "c": "nan"}
    return table.replace({"category_name": names, "predicted": names})


def measured(predictions):
    """Measure maps of a study's instances: of the predicted class, and all others."""
    return map_measures.tables(outcomes_of(predictions, draws=100).instances)


def analysed(predictions, attention, maps):
    found = outcomes_of(predictions, draws=100)
    sample = found.instances.assign(side=found.side)
    objects = sample.assign(bbox_w=sample["side"], bbox_h=sample["side"])
    views = [
        sample[["image_id", "ann_id"]].assign(
            condition=name, ssim_box=0.99, ssim_picture=0.5, box_w=3.0, box_h=4.0
        )
        for name in found.changed_conditions("fixed")
    ]
    return compute_tables(
        predictions,
        found,
        views=pd.concat(views),
        objects=objects,
        donors=draw_donors(sample, seed=0),
        predicted_class_maps=attention,
        other_maps=maps,
        removals=study_files.removals_of(sample),
        categories=["NA", "None", "nan", *"def"],
        rng=np.random.default_rng(0),
    )


@pytest.fixture(scope="module")
def made(predictions):
    return analysed(predictions, *measured(predictions))


@pytest.mark.parametrize("table", DECLARED, ids=lambda table: table.name)
def test_every_column_has_a_name_of_its_own_and_a_meaning_of_one_line(table):
    assert len(set(table.names)) == len(table.names)
    for meaning in (table.meaning, *(column.meaning for column in table.columns)):
        assert meaning == meaning.strip()
        assert 0 < len(meaning) <= 100
        assert "\n" not in meaning
        assert not meaning.endswith(".")


def test_every_table_of_the_analysis_has_a_name_of_its_own(made):
    names = [table.name for table in TABLES]
    assert len(set(names)) == len(names)
    assert list(made) == names


def test_every_table_is_as_declared_and_comes_back_from_its_file(made, tmp_path):
    for table in TABLES:
        path = tmp_path / f"{table.name}.csv"
        write_table(conform(made[table.name], table), path)
        found = read_table(path, table)
        pd.testing.assert_frame_equal(
            found, made[table.name].reset_index(drop=True), check_dtype=False
        )


def test_where_no_cells_part_of_a_logit_is_known_no_other_number_changes(
    predictions, made, tmp_path
):
    unknown = dict.fromkeys(("signed_in_box", "logit_in_box", "logit_elsewhere"), np.nan)
    read = []
    kinds = saliency_tables.PREDICTED_CLASS_MAPS, saliency_tables.OTHER_MAPS
    for table, kind in zip(measured(predictions), kinds, strict=True):
        path = tmp_path / f"{kind.name}.csv"
        known = {name: value for name, value in unknown.items() if name in table}
        write_table(conform(table.assign(**known), kind), path)
        read.append(read_table(path, kind))
    found = analysed(predictions, *read)
    assert made["attention"]["signed_in_box"].notna().any()
    due = made | {"attention": made["attention"].assign(signed_in_box=np.nan)}
    for table in TABLES:
        pd.testing.assert_frame_equal(found[table.name], due[table.name], check_dtype=False)


def test_every_plots_table_is_as_declared(made):
    drawn = plot_tables(made)
    assert list(drawn) == [table.name for table in PLOTS]
    for table in PLOTS:
        conform(drawn[table.name], table)


@pytest.mark.parametrize("table", JUDGED, ids=lambda table: table.name)
def test_a_verdict_is_the_word_for_its_direction(table, made):
    place = table.names.index("verdict")
    assert table.names[place - 1] == "direction"
    found = made[table.name]
    words = found.assign(direction=found["direction"].fillna(9)).groupby("direction")["verdict"]
    assert (words.nunique() == 1).all()
    assert set(found["direction"].dropna()) <= {-1, 0, 1}
    explained = table.columns[place - 1].meaning
    for direction, word in words.first().items():
        if direction != 9:
            assert f"{direction:.0f} {word}" in explained


def test_categories_called_like_nothing_survive_in_every_table(made, tmp_path):
    seen = set()
    for table in TABLES:
        for column in {"category_name", "predicted"} & set(table.names):
            path = tmp_path / f"{table.name}.csv"
            write_table(conform(made[table.name], table), path)
            known = set(read_table(path, table)[column])
            assert known == set(made[table.name][column])
            if {"NA", "None", "nan"} <= known:
                seen.add(table.name)
    assert seen >= {"answers", "confusion", "categories"}
