"""`smallsight.analyse` makes of predictions what they tell, and says why the rest is not there.

What is refused, and in which words, is tested in `test_api_errors`.
"""

import html
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import smallsight
from smallsight.analysis.tables import TABLES
from smallsight.api import reports
from smallsight.api.analysis import NEEDS, REASONS
from smallsight.api.objects import read_objects
from smallsight.api.predictions import read_predictions
from smallsight.runtime.tables import conform
from smallsight.vocabulary import GROUPS

ROOT = Path(__file__).parents[1]
CATEGORIES = ["NA", "bus", "car", "van"]
SIDES = {"small": 30, "medium": 100, "large": 200}
ODDS = {"orig_full": 0.8, "motion_blur/length=15": 0.5, "motion_blur/length=30": 0.3,
        "fog/level=2": 0.6}  # fmt: skip
NEVER = {name for name, needs in NEEDS.items() if {"classifier", "pictures"} & set(needs)}


def made(predictions, objects=None, **options):
    return smallsight.analyse(predictions, objects, draws=100, **options)


@pytest.fixture(scope="module")
def objects(population):
    """Boxes of three sizes in pictures of 640 x 480; some objects have no predictions."""
    table = population(images=40, categories=CATEGORIES)
    side = table["size_group"].map(SIDES).astype(float)
    return table.drop(columns="size_group").assign(
        bbox_x=5.0, bbox_y=6.0, bbox_w=side, bbox_h=side + np.arange(len(table)) % 7,
        width=640, height=480,
    )  # fmt: skip


@pytest.fixture(scope="module")
def groups(objects):
    ratio = objects["bbox_w"] * objects["bbox_h"] / (640 * 480)
    return np.select([ratio < 0.01, ratio < 0.05], ["small", "medium"], "large")


def answered(objects, odds=ODDS, *, seed=0, **columns):
    """Answer three of four objects, with these odds by condition."""
    rng = np.random.default_rng(seed)
    some = objects.loc[objects.index % 4 != 0, ["image_id", "ann_id", "category_name"]]
    parts = []
    for condition, chance in odds.items():
        is_right = rng.random(len(some)) < chance
        wrong = rng.choice(CATEGORIES, len(some))
        named = np.where(is_right, some["category_name"], wrong)
        parts.append(some.assign(condition=condition, predicted=named, **columns))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def answers(objects):
    return answered(objects)


def with_chances(answers, names=(*CATEGORIES,), least=0.4):
    """Give what was predicted the largest probability, and the others the rest."""
    rng = np.random.default_rng(3)
    chances = rng.dirichlet(np.ones(len(names)), len(answers)) * (1 - least)
    for place, name in enumerate(names):
        chances[answers["predicted"] == name, place] += least
    return answers.assign(**{f"p_{name}": chances[:, place] for place, name in enumerate(names)})


# What there is.


def test_every_table_is_there_or_left_out_with_a_reason(answers, objects):
    tables = made(answers, objects)
    names = [table.name for table in TABLES]
    assert sorted([*tables, *tables.left_out]) == sorted(names)
    assert set(NEEDS) == set(names)
    assert {need for needs in NEEDS.values() for need in needs} == set(REASONS)
    assert set(tables.left_out.values()) <= set(REASONS.values())
    for table in TABLES:
        if table.name in tables:
            conform(tables[table.name], table)


def test_accuracies_are_those_of_the_answers(answers, objects, groups):
    table = made(answers, objects)["accuracy"]
    given = answers.merge(objects.assign(group=groups)[["ann_id", "group"]], on="ann_id")
    given["right"] = given["predicted"] == given["category_name"]
    assert set(table["task"]) == {"object"}
    assert set(table["regime"]) == {"fixed"}
    for _, row in table.iterrows():
        level = "" if row["level"] == "default" else f"/{row['level']}"
        part = given[given["condition"] == f"{row['family']}{level}"]
        part = part[(part["group"] == row["size_group"]) | (row["size_group"] == "all")]
        assert row["n"] == len(part) > 0
        assert row["acc"] == pytest.approx(part["right"].mean())


def test_a_familys_first_level_has_its_name_and_a_verdict(answers, objects):
    effects = made(answers, objects)["effects"]
    assert list(effects["condition"].unique()) == ["motion_blur", "motion_blur/length=30", "fog"]
    primary = effects[effects["primary"]]
    assert list(primary["condition"]) == ["motion_blur", "fog"]
    assert (primary["verdict"] != "").all()


def test_a_level_without_options_is_the_reference_wherever_it_stands(answers, objects):
    renamed = answers.replace({"condition": {"motion_blur/length=30": "motion_blur"}})
    table = made(renamed, objects)["accuracy"]
    blurred = table[table["family"] == "motion_blur"]
    levels = dict(zip(blurred["condition"], blurred["level"], strict=True))
    assert levels == {"motion_blur/length=15": "length=15", "motion_blur": "default"}


def test_of_the_librarys_families_all_is_known_and_of_others_their_names(answers, objects):
    tables = made(answers.replace({"condition": {"fog/level=2": "context_only"}}), objects)
    assert tables.families["motion_blur"].label == "Motion blur"
    assert [one.level for one in tables.families["motion_blur"].conditions] == [
        "length=15", "length=30"
    ]  # fmt: skip
    assert tables.families["context_only"].role == "intervention"
    assert not (tables["effects"].query("primary")["condition"] == "context_only").any()
    assert "background" in tables
    other = made(answers, objects).families["fog"]
    assert (other.label, other.role) == ("fog", "corruption")


def test_an_answer_alone_is_enough(answers):
    """Neither conditions nor sizes, neither tasks nor probabilities."""
    alone = answers.query("condition == 'orig_full'")[["ann_id", "category_name", "predicted"]]
    tables = made(alone.rename(columns={"ann_id": "id"}))
    assert set(tables) == {"accuracy", "answers", "confusion", "categories"}
    assert tables["answers"]["ann_id"].tolist() == sorted(alone["ann_id"])
    assert tables["answers"]["image_id"].equals(tables["answers"]["ann_id"])
    row = tables["accuracy"].query("size_group == 'all'")
    assert row["acc"].item() == (alone["predicted"] == alone["category_name"]).mean()
    assert row["n"].item() == row["images"].item() == len(alone)
    assert tables.left_out == {
        **dict.fromkeys(NEVER - {"severity"}, REASONS["classifier"]),
        "severity": REASONS["pictures"],
        "effects": REASONS["changes"],
        "rescues": REASONS["changes"],
        "claims": REASONS["sizes"],
        **dict.fromkeys(("ladder", "ladder_gaps", "gap_parts", "failures"), REASONS["scene"]),
        **dict.fromkeys(("baselines", "largest_object", "neighbours"), REASONS["objects"]),
        **dict.fromkeys(("thresholds", "pixels", "costs"), REASONS["pixels"]),
        "stability": REASONS["shifts"],
        "background": REASONS["surroundings"],
        "reliability": REASONS["confidences"],
        "calibration": REASONS["confidences"],
        **dict.fromkeys(
            ("label_errors", "label_errors_summary", "label_errors_gap"), REASONS["probabilities"]
        ),
    }


def test_with_objects_there_are_sizes_neighbours_and_the_largest(answers, objects, groups):
    tables = made(answers, objects)
    votes = tables["answers"].query("condition == 'orig_full'")
    due = dict(zip(objects["ann_id"], groups, strict=True))
    assert votes["size_group"].tolist() == [due[number] for number in votes["ann_id"]]
    assert votes["side"].isna().all()
    area = objects.assign(area=objects["bbox_w"] * objects["bbox_h"])
    largest = area.sort_values("area").drop_duplicates("image_id", keep="last")
    named = votes["image_id"].map(largest.set_index("image_id")["category_name"])
    row = tables["baselines"].query("size_group == 'all'")
    assert row["baseline"].tolist() == ["largest_object"]
    assert row["accuracy"].item() == pytest.approx((named == votes["category_name"]).mean())
    assert set(tables["largest_object"]["scene"].isna()) == {True}
    named = tables["neighbours"].query("size_group == 'all' and neighbour == 'any'")
    assert named["failed"].sum() == votes["failed"].sum()
    assert set(tables["ladder"]["rung"]) == {"largest_object"}


def test_sides_are_those_of_the_network_s_input(answers, objects):
    votes = made(answers, objects, input_size=96)["answers"]
    both = votes.merge(objects, on=["image_id", "ann_id"])
    due = 96 * np.sqrt(both["bbox_w"] * both["bbox_h"] / (640 * 480))
    assert both["side"].to_numpy() == pytest.approx(due.to_numpy())
    claims = {
        size: set(made(answers, objects, input_size=size)["claims"]["claim"]) for size in (96, None)
    }
    assert claims[96] - claims[None] == {"rises_with_size"}


def test_the_tables_own_sizes_and_sides_count(answers, objects):
    told = answers.assign(size_group="small", side=7.0)
    tables = made(told, objects, input_size=96)
    assert set(tables["answers"]["size_group"]) == {"small"}
    assert (tables["answers"]["side"] == 7).all()
    assert tables.left_out["ladder_gaps"] == REASONS["scene"]
    whole = made(told, objects, task="scene")
    assert whole.left_out["ladder_gaps"] == whole.left_out["gap_parts"] == REASONS["both groups"]


def test_of_whole_pictures_there_are_failures_and_a_ladder_of_one_rung(answers, objects):
    tables = made(answers, objects, task="scene")
    assert set(tables["accuracy"]["task"]) == {"scene"}
    assert list(tables["ladder"]["rung"].unique()) == ["largest_object", "scene"]
    assert list(tables["gap_parts"]["part"]) == ["gap", "class_mix", "not_explained"]
    untouched = answers.query("condition == 'orig_full'")
    failed = untouched[untouched["predicted"] != untouched["category_name"]]
    assert sorted(tables["failures"]["ann_id"]) == sorted(failed["ann_id"])
    assert tables["effects"]["primary"].any()


def test_both_tasks_in_several_seeds_and_regimes(objects):
    parts = [
        answered(objects, seed=10 * seed + place, task=task, regime=regime, seed_=seed)
        for place, task in enumerate(("scene", "object"))
        for regime in ("fixed", "retrained")
        for seed in (0, 1, 2)
    ]
    table = pd.concat(parts).rename(columns={"seed_": "seed"})
    tables = made(table, objects)
    for name in ("task", "regime"):
        due = {"task": ["scene", "object"], "regime": ["fixed", "retrained"]}[name]
        assert list(tables["accuracy"][name].unique()) == due
    untouched = table.query("condition == 'orig_full' and task == 'scene' and regime == 'fixed'")
    share = (
        (untouched["predicted"] == untouched["category_name"])
        .groupby([untouched["image_id"], untouched["ann_id"]])
        .mean()
    )
    votes = tables["answers"].query("condition == 'orig_full' and task == 'scene'")
    assert votes["right"].to_numpy() == pytest.approx(share.to_numpy())
    assert tables["effects"].query("primary")["task"].unique().tolist() == ["object"]
    alone = made(table[table["task"] == "object"], objects)
    for name in ("effects", "accuracy"):
        due = tables[name].query("task == 'object'").reset_index(drop=True)
        columns = [column for column in due if column != "side"]
        pd.testing.assert_frame_equal(alone[name][columns], due[columns], check_dtype=False)


@pytest.mark.parametrize("has_boxes", [True, False])
def test_sweeps_have_tables_of_their_own(objects, has_boxes):
    odds = ODDS | {f"pixels/side={side}": 0.3 + 0.1 * place
                   for place, side in enumerate((6, 12, 24, 48))}  # fmt: skip
    odds |= {"shift/reach=3,draw=1": 0.7, "shift/reach=3,draw=2": 0.7}
    table = answered(objects, odds)
    small = objects.loc[objects["bbox_w"] < 48, "ann_id"]
    is_gone = table["condition"].str.startswith("pixels") & table["ann_id"].isin(small)
    tables = made(table[~is_gone], objects if has_boxes else None)
    assert "stability" in tables
    if has_boxes:
        assert set(tables["pixels"].query("not native")["side"]) == {6, 12, 24, 48}
        row = tables["thresholds"].iloc[0]
        assert (row["side_min"], row["side_max"]) == (6, 48)
        assert row["n"] == (~answered(objects, {"orig_full": 1})["ann_id"].isin(small)).sum()
        assert len(tables["costs"]) == 3
    else:
        lacking = {name: tables.left_out[name] for name in ("thresholds", "pixels", "costs")}
        assert set(lacking.values()) == {REASONS["objects"]}


def test_what_never_fails_has_no_neighbours_and_no_failures(objects):
    tables = made(answered(objects, {"orig_full": 1.1}), objects, task="scene")
    for name in ("neighbours", "failures"):
        assert tables.left_out[name] == REASONS["failures"]


# Probabilities.


def test_probabilities_name_what_is_predicted_and_how_sure_it_is(answers, objects):
    table = with_chances(answers, least=0.6)
    tables = made(table.drop(columns="predicted"), objects)
    assert tables["answers"].equals(made(table, objects)["answers"])
    untouched = table["condition"] == "orig_full"
    sure = table.loc[untouched, [f"p_{name}" for name in CATEGORIES]].max(axis=1)
    bins = tables["reliability"].query("size_group == 'all'")
    assert np.average(bins["confidence"], weights=bins["n"]) == pytest.approx(sure.mean())
    assert set(tables["calibration"]["scaling"]) == {"none"}


def test_a_column_of_confidences_will_do(answers, objects):
    tables = made(answers.assign(confidence=0.25), objects)
    assert set(tables["reliability"]["confidence"].round(9)) == {0.25}


@pytest.mark.parametrize("way", ["p_other", "predicted"])
def test_what_is_of_no_category_is_other(answers, objects, way):
    told = answers.assign(predicted=answers["predicted"].mask(answers["ann_id"] % 5 == 0, "other"))
    table = with_chances(told, (*CATEGORIES, "other"), least=0.6)
    rest = table["p_other"]
    table = table.drop(columns="predicted" if way == "p_other" else "p_other")
    tables = made(table, objects)
    votes = tables["answers"].query("condition == 'orig_full'")
    due = told.query("condition == 'orig_full'")
    assert votes["predicted"].tolist() == due["predicted"].tolist()
    assert votes.loc[votes["ann_id"] % 5 == 0, "failed"].all()
    confusion = tables["confusion"].query("size_group == 'all'")
    assert list(confusion["predicted"].unique()) == [*CATEGORIES, "other"]
    assert set(confusion.groupby("category_name")["share"].sum().round(9)) == {1}
    bins = tables["reliability"].query("size_group == 'all'")
    columns = pd.concat([table[[f"p_{name}" for name in CATEGORIES]], rest], axis=1)
    sure = columns[table["condition"] == "orig_full"].max(axis=1)
    assert np.average(bins["confidence"], weights=bins["n"]) == pytest.approx(sure.mean())


def test_other_may_be_a_category_like_all_others(answers, objects):
    one, boxes = (
        table.replace({"category_name": {"van": "other"}}) for table in (answers, objects)
    )
    one = with_chances(
        one.replace({"predicted": {"van": "other"}}), ("NA", "bus", "car", "other"), least=0.6
    )
    tables = made(one.drop(columns="predicted"), boxes)
    votes, due = tables["answers"], made(one, boxes)["answers"]
    assert votes.query("not failed")["predicted"].eq("other").any()
    assert votes.equals(due)
    names = tables["confusion"]["predicted"].unique()
    assert list(names) == ["NA", "bus", "car", "other"]


def test_guessing_is_among_all_that_may_be_predicted(answers, objects):
    def chance(table, **options):
        swapped = table.replace({"condition": {"fog/level=2": "context_only"}})
        return made(swapped, objects, **options)["background"]["chance"].iloc[0]

    assert chance(answers) == 1 / 4
    assert chance(answers, categories=[*CATEGORIES, "tram", "bicycle"]) == 1 / 6
    more = with_chances(answers, (*CATEGORIES, "tram"))
    assert chance(more) == 1 / 5
    order = ["tram", *CATEGORIES]
    names = made(more, objects, categories=order)["confusion"]["category_name"].unique()
    assert list(names) == order


# Where it comes from.


def same(one, other):
    assert list(one) == list(other)
    assert one.left_out == other.left_out
    for name in one:
        pd.testing.assert_frame_equal(one[name], other[name])


def coco_of(objects):
    """Write objects as COCO has them."""
    names = {name: number for number, name in enumerate([*CATEGORIES, "tree"], start=1)}
    images = [{"id": int(number), "file_name": f"{number}.jpg", "width": 640, "height": 480}
              for number in objects["image_id"].unique()]  # fmt: skip
    annotations = [
        {
            "id": int(row.ann_id), "image_id": int(row.image_id),
            "category_id": names[row.category_name],
            "bbox": [row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h],
        }
        for row in objects.itertuples()
    ]  # fmt: skip
    tree = {"id": 9000, "image_id": images[0]["id"], "category_id": names["tree"]}
    annotations.append(tree | {"bbox": [0, 0, 640, 480]})
    categories = [{"id": number, "name": name} for name, number in names.items()]
    return {"images": images, "annotations": annotations, "categories": categories}


def test_objects_may_come_as_a_table_or_as_coco_has_them(answers, objects, tmp_path):
    tree = coco_of(objects)
    same(made(answers, tree, task="scene"), made(answers, objects, task="scene"))
    due = read_objects(objects).of_categories(CATEGORIES)
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(tree))
    objects.to_csv(tmp_path / "objects.csv", index=False)
    objects.to_parquet(tmp_path / "objects.parquet")
    area = objects.drop(columns=["width", "height"]).assign(img_area=640 * 480)
    called = objects.rename(columns={"ann_id": "id"})
    for source in (tree, path, str(path), tmp_path / "objects.csv", tmp_path / "objects.parquet",
                   area, called, objects.sample(frac=1, random_state=0)):  # fmt: skip
        found = read_objects(source).of_categories(CATEGORIES)
        found = found.sort_values("ann_id", ignore_index=True)
        pd.testing.assert_frame_equal(found[due.columns], due, check_dtype=False)


def test_crowds_are_no_largest_object(answers, objects):
    crowd = objects.drop_duplicates("image_id").assign(
        ann_id=lambda table: table["ann_id"] + 9000, category_name="van", bbox_w=640.0,
        bbox_h=480.0, iscrowd=1,
    )  # fmt: skip
    more = pd.concat([objects.assign(iscrowd=0), crowd])
    due = made(answers, objects)["baselines"]
    pd.testing.assert_frame_equal(made(answers, more)["baselines"], due)
    counted = made(answers, pd.concat([objects, crowd.drop(columns="iscrowd")]))["baselines"]
    assert not counted.equals(due)


def test_predictions_may_come_as_a_table_or_from_its_file(answers, objects, tmp_path):
    table = with_chances(answers)

    def read(source):
        known = read_objects(objects)
        return read_predictions(
            source, known, categories=None, task="object", input_size=None
        ).table

    due = read(table)
    table.to_csv(tmp_path / "answers.csv", index=False)
    table.to_parquet(tmp_path / "answers.parquet")
    shuffled = table.set_index(np.random.default_rng(0).permutation(len(table)))
    as_words = table.astype(dict.fromkeys(("category_name", "predicted"), "category"))
    for source in (tmp_path / "answers.parquet", shuffled, as_words):
        pd.testing.assert_frame_equal(read(source), due)
    pd.testing.assert_frame_equal(read(str(tmp_path / "answers.csv")), due)
    found = made(tmp_path / "answers.csv", objects)
    assert set(found["categories"]["category_name"]) == set(CATEGORIES)


@pytest.mark.parametrize("name", ["id", "ann_id"])
def test_one_id_finds_its_picture_among_the_objects(answers, objects, name):
    alone = answers.drop(columns="image_id").rename(columns={"ann_id": name})
    same(made(alone, objects), made(answers, objects))


def test_ids_may_have_as_many_digits_as_they_like(answers, objects):
    far = 2**60 + 1
    one, other = (table.assign(ann_id=table["ann_id"] + far) for table in (answers, objects))
    found = made(one, other)["answers"]
    assert set(found["ann_id"]) == set(one["ann_id"])


def test_equal_seeds_give_equal_tables_and_inputs_stay_as_they_are(answers, objects):
    before = answers.copy(), objects.copy()
    same(made(answers, objects, seed=3), made(answers, objects, seed=3))
    one, other = (made(answers, objects, seed=seed)["accuracy"]["ci_low"] for seed in (3, 4))
    assert not one.equals(other)
    pd.testing.assert_frame_equal(answers, before[0])
    pd.testing.assert_frame_equal(objects, before[1])


# The tables together, and the ways in.


def test_tables_are_a_mapping_that_tells_what_it_lacks(answers, objects):
    tables = made(answers, objects, confidence=0.9)
    assert isinstance(tables, smallsight.Tables)
    assert len(tables) == len(list(tables)) == len(TABLES) - len(tables.left_out)
    assert "effects" in tables
    assert "remedies" not in tables
    assert tables.get("remedies") is None
    with pytest.raises(KeyError, match="remedies was left out: it needs the classifier itself"):
        tables["remedies"]
    with pytest.raises(KeyError, match="effect"):
        tables["effect"]
    lines = repr(tables).splitlines()
    assert f"  effects: {len(tables['effects'])} rows" in lines
    assert f"  stability: left out, {REASONS['shifts']}" in lines
    assert tables.confidence == 0.9


def test_a_report_is_asked_for_what_the_tables_tell(answers, objects, tmp_path, monkeypatch):
    asked = {}

    def written(tables, folder, **options):
        asked.update(options, tables=tables, folder=folder)

    monkeypatch.setattr(reports, "write_report", written)
    tables = made(answers, objects)
    assert smallsight.report(tables, str(tmp_path), title="Mine") is None
    assert list(asked["tables"]) == list(tables)
    assert asked["folder"] == tmp_path
    assert asked["title"] == "Mine"
    assert asked["left_out"] == tables.left_out
    assert asked["families"] == tables.families
    assert asked["confidence"] == 0.95


@pytest.mark.page
def test_a_report_of_predictions_alone_can_be_written(answers, objects, tmp_path):
    for name, tables in (
        ("all", made(with_chances(answers), objects, input_size=96)),
        ("few", made(answers[answers["condition"] == "orig_full"])),
        ("whole", made(answers, objects, task="scene")),
    ):
        smallsight.report(tables, tmp_path / name, title="Mine & others")
        assert (tmp_path / name / "report.pdf").read_bytes().startswith(b"%PDF")
        page = (tmp_path / name / "report.html").read_text(encoding="utf-8")
        assert "Mine &amp; others" in page
        for reason in set(tables.left_out.values()):
            assert html.escape(reason[1:]) in page


def in_a_new_process(code):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_nothing_is_imported_before_it_is_asked_for():
    heavy = "numpy", "pandas", "torch", "sklearn", "matplotlib", "yaml"
    code = f"import sys, smallsight; print(*(m for m in {heavy} if m in sys.modules))"
    assert in_a_new_process(code) == []
    code = "import sys, smallsight; smallsight.analyse; print('torch' in sys.modules)"
    assert in_a_new_process(code) == ["False"]
    code = "import sys, smallsight; smallsight.render; print('torch' in sys.modules)"
    assert in_a_new_process(code) == ["False"]


@pytest.mark.parametrize(
    "first",
    ["", "import smallsight.report", "from smallsight.report import text", "smallsight.report",
     "import smallsight.report.text as text"],
)  # fmt: skip
def test_the_report_can_be_called_and_imported_from_in_either_order(first):
    code = f"""
import sys, smallsight
{first}
assert callable(smallsight.report)
assert smallsight.report is sys.modules["smallsight.report"]
from smallsight.report import text
import smallsight.report.text
assert smallsight.report.text is text
assert callable(smallsight.report)
from smallsight import report
assert report is smallsight.report
print("both")
"""
    assert in_a_new_process(code) == ["both"]


def test_all_names_are_there_and_no_others():
    assert set(smallsight.__all__) <= set(dir(smallsight))
    for name in smallsight.__all__:
        assert callable(getattr(smallsight, name))
    with pytest.raises(AttributeError, match="module 'smallsight' has no attribute 'analyze'"):
        smallsight.analyze  # noqa: B018
    assert set(GROUPS) == set(SIDES)
