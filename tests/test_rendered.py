import pandas as pd
import pytest

from smallsight import conditions, rendered

FAMILIES = {
    "orig_full": {}, "zoom": {"factor": [4, 2]}, "downscale": {"scale": [0.5]},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Tables of views, as rendering leaves them: two objects under every condition."""
    for number, (name, steps) in enumerate(conditions.ladders(FAMILIES).items()):
        rows = [
            dict.fromkeys(rendered.VIEW_COLUMNS, 10 * number + place)
            | {"level": step.level, "image_id": 7, "ann_id": ann_id}
            for place, step in enumerate(steps)
            for ann_id in (70, 71)
        ]
        (tmp_path / name).mkdir()
        pd.DataFrame(rows).to_csv(tmp_path / name / "views.csv", index=False)
    return tmp_path


def evaluated(*names):
    """Rows of the conditions of these names in both regimes."""
    steps = {step.name: step for steps in conditions.ladders(FAMILIES).values() for step in steps}
    rows = [
        {"regime": regime, "condition": name, "family": steps[name].family,
         "level": steps[name].level}
        for regime in ("fixed", "retrained") for name in names
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_conditions_views_are_those_of_its_level(folder):
    for number, steps in enumerate(conditions.ladders(FAMILIES).values()):
        for place, step in enumerate(steps):
            views = rendered.read_views(folder, step)
            assert list(views.columns) == list(rendered.VIEW_COLUMNS)[1:]
            assert views["ann_id"].tolist() == [70, 71]
            assert (views["ssim_box"] == 10 * number + place).all()


def test_changed_views_are_those_of_all_conditions_but_the_untouched_one(folder):
    names = ["zoom/factor=2", "orig_full", "zoom", "downscale"]
    views = rendered.read_changed_views(folder, evaluated(*names))
    assert list(views["condition"].unique()) == ["zoom/factor=2", "zoom", "downscale"]
    seen = views.set_index(["condition", "ann_id"])["ssim_box"].to_dict()
    due = {"zoom": 10, "zoom/factor=2": 11, "downscale": 20}
    assert seen == {(name, ann_id): due[name] for name in due for ann_id in (70, 71)}


def test_untouched_pictures_alone_have_no_changed_views(folder):
    views = rendered.read_changed_views(folder, evaluated("orig_full"))
    assert len(views) == 0
    assert {*rendered.VIEW_COLUMNS, "condition"} <= set(views.columns)


def test_pictures_are_named_by_both_ids():
    assert rendered.picture_name(3, 30) == "3_30.png"
