"""Tables of a study that lacks a part of the evidence: they have no rows, all others are the same.

A classifier of the user's own is asked in one task, once, and nothing of it is refitted.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders import evidence
from builders.evidence import CATEGORIES, analysed, answered, inputs_of, measured
from smallsight.analysis.dvc_plots import PLOTS, plot_tables
from smallsight.analysis.headline import compute_headline
from smallsight.analysis.tables import TABLES
from smallsight.conditions.rendered.views import VIEWS
from smallsight.evaluation.tables import RUNG_PREDICTIONS
from smallsight.remedies.tables import (
    ESTIMATED_SIDES,
    MORE_EXAMPLES_PREDICTIONS,
    REMEDY_PREDICTIONS,
)
from smallsight.runtime.files import write_table
from smallsight.runtime.tables import conform, read_table
from smallsight.saliency.tables import OTHER_MAPS, PREDICTED_CLASS_MAPS, REMOVALS
from smallsight.sampling.donors import DONORS
from smallsight.sampling.sample import OBJECTS, SAMPLE
from smallsight.vocabulary import ALL_AND_GROUPS, TASKS

NO_MAPS = PREDICTED_CLASS_MAPS.empty(), OTHER_MAPS.empty()
OF_MAPS = {"attention", "attention_controls", "attention_outcomes"}
OF_RUNGS = {"ladder", "ladder_gaps", "gap_parts", "baselines", "largest_object", "failures",
            "failure_causes"}  # fmt: skip
OF_LABELS = {"label_errors", "label_errors_summary", "label_errors_gap"}
OF_SWEEPS = {"thresholds", "pixels", "costs", "stability"}


@pytest.fixture(scope="module")
def sample(population):
    return evidence.sampled(population)


@pytest.fixture(scope="module")
def predictions(sample):
    return answered(sample)


@pytest.fixture(scope="module")
def inputs(sample, predictions):
    return inputs_of(sample, predictions)


@pytest.fixture(scope="module")
def made(inputs):
    return analysed(inputs)


@pytest.fixture(scope="module")
def once(sample):
    """One seed, in one regime, of one fold."""
    return answered(sample, seeds=1, regimes=("fixed",)).assign(fold=0)


def each(inputs, **instead):
    """Replace something in the evidence of every task."""
    return {task: replace(one, **instead) for task, one in inputs["evidence"].items()}


def check(made, folder):
    """All tables are as declared, come back from their files, and lead to headlines and plots."""
    assert list(made) == [table.name for table in TABLES]
    back = {}
    for table in TABLES:
        path = folder / f"{table.name}.csv"
        write_table(conform(made[table.name], table), path)
        back[table.name] = read_table(path, table)
        assert len(back[table.name]) == len(made[table.name])
    drawn = plot_tables(made)
    for table in PLOTS:
        conform(drawn[table.name], table)
    return compute_headline(made)


def check_emptied(found, made, names):
    """The tables of these names have no rows, and no other table has changed."""
    assert {name for name, table in found.items() if table.empty} == names
    for name in set(found) - names:
        pd.testing.assert_frame_equal(found[name], made[name], check_dtype=False)


# One task.


def test_where_whole_pictures_alone_were_asked_headlines_are_about_them(
    sample, predictions, made, tmp_path
):
    alone = predictions[predictions["task"] == "scene"]
    found = analysed(inputs_of(sample, alone))
    numbers = check(found, tmp_path)
    assert {name for name, table in found.items() if table.empty} == OF_SWEEPS | {"background"}
    for name, table in found.items():
        assert "task" not in table or set(table["task"]) <= {"scene"}, name
    for name in ("ladder", "gap_parts", "baselines", "neighbours", "faithfulness", "answers"):
        whole = made[name]
        whole = whole[whole["task"] == "scene"] if "task" in whole else whole
        pd.testing.assert_frame_equal(
            found[name].reset_index(drop=True), whole.reset_index(drop=True), check_dtype=False
        )
    primary = found["effects"].query("primary")
    assert set(primary["task"]) == {"scene"}
    assert set(primary["condition"]) == set(made["effects"].query("primary")["condition"])
    assert (primary["verdict"] != "").all()
    lost = primary.query("direction == -1")
    assert numbers["worst_effect_on_small"] == round(lost["delta"].min(), 4)
    in_scene = found["accuracy"].query("condition == 'orig_full' and regime == 'fixed'")
    due = in_scene.set_index("size_group").loc["small", "standardised"]
    assert numbers["accuracy_small"] == round(due, 4)
    assert numbers["threshold_pixels"] is None
    largest = found["largest_object"]
    assert largest["scene"].notna().any()
    assert largest[["object", "object_low", "object_high"]].isna().to_numpy().all()
    assert set("; ".join(found["failures"]["rescued_by"]).split("; ")) <= {
        *alone["condition"], ""
    }  # fmt: skip


def test_where_windows_alone_were_asked_nothing_is_said_of_whole_pictures(
    sample, predictions, made, tmp_path
):
    alone = predictions[predictions["task"] == "object"]
    given = inputs_of(sample, alone)
    rungs = given["rung_predictions"]
    given |= {
        "rung_predictions": rungs[rungs["rung"] == "largest_object"],
        "removals": REMOVALS.empty(),
    }
    found = analysed(given)
    numbers = check(found, tmp_path)
    assert {name for name, table in found.items() if table.empty} == {
        "gap_parts", "failures", "failure_causes", "faithfulness",
    }  # fmt: skip
    for name, table in found.items():
        assert "task" not in table or set(table["task"]) <= {"object"}, name
    assert set(found["ladder"]["rung"]) == {"largest_object"}
    assert found["largest_object"]["scene"].isna().all()
    assert numbers["ladder_largest_step"] is None
    for name in ("accuracy", "answers", "confusion", "thresholds", "stability", "background"):
        whole = made[name]
        whole = whole[whole["task"] == "object"] if "task" in whole else whole
        columns = [name for name in whole if name != "side"]
        pd.testing.assert_frame_equal(
            found[name][columns], whole[columns].reset_index(drop=True), check_dtype=False
        )


def test_sides_of_windows_stand_in_where_no_whole_picture_was_shown(sample, predictions):
    alone = predictions[predictions["task"] == "object"].assign(side=8.0)
    found = analysed(inputs_of(sample, alone), rung_predictions=RUNG_PREDICTIONS.empty())
    assert (found["answers"]["side"] == 8).all()


# What is measured beside the answers.


def test_without_maps_nothing_is_said_of_them(inputs, made, tmp_path):
    none = dict(zip(("predicted_class_maps", "other_maps"), NO_MAPS, strict=True))
    found = analysed(inputs, evidence=each(inputs, **none))
    check(found, tmp_path)
    removed = found["faithfulness"]
    assert removed[["rank", "rank_low", "rank_high"]].isna().to_numpy().all()
    columns = [name for name in removed if not name.startswith("rank")]
    pd.testing.assert_frame_equal(removed[columns], made["faithfulness"][columns])
    claims = found["claims"]
    assert not (claims["claim"] == "failed_look_away").any()
    due = made["claims"].query("claim != 'failed_look_away'")
    assert claims["effect"].tolist() == due["effect"].tolist()
    others = {"faithfulness": removed, "claims": claims}
    check_emptied(found, made | others, OF_MAPS)


def test_without_maps_of_random_weights_the_other_controls_stay(inputs, made, tmp_path):
    task = "object"
    one = inputs["evidence"][task]
    some = one.other_maps[one.other_maps["map"] != "random_weights"]
    found = analysed(inputs, evidence=inputs["evidence"] | {task: replace(one, other_maps=some)})
    check(found, tmp_path)
    for name in ("attention_controls", "attention"):
        column = "control" if name == "attention_controls" else "map"
        due = made[name][~((made[name][column] == "random_weights") & (made[name]["task"] == task))]
        pd.testing.assert_frame_equal(
            found[name], due.reset_index(drop=True), check_dtype=False, check_exact=False
        )


def test_without_removals_nothing_is_said_of_them(inputs, made, tmp_path):
    found = analysed(inputs, removals=REMOVALS.empty())
    check(found, tmp_path)
    check_emptied(found, made, {"faithfulness"})


def test_without_views_no_condition_is_audited_and_none_left_out(inputs, made, tmp_path):
    found = analysed(inputs, evidence=each(inputs, views=VIEWS.empty().assign(condition="")))
    check(found, tmp_path)
    assert not found["effects"]["vacuous"].any()
    check_emptied(found, made, {"severity"})


def test_without_objects_no_neighbour_is_named(inputs, made, tmp_path):
    found = analysed(inputs, objects=OBJECTS.empty())
    check(found, tmp_path)
    assert (found["failures"]["neighbour"] == "").all()
    unnamed = ["predicted", "neighbour", "neighbour_ann_id", "neighbour_side"]
    rest = [name for name in made["failures"] if name not in unnamed]
    pd.testing.assert_frame_equal(found["failures"][rest], made["failures"][rest])
    others = {name: found[name] for name in ("failures", "failure_causes", "remedies")}
    # What stands beside an object excuses an answer, and is not known here.
    others |= {name: found[name] for name in OF_LABELS}
    check_emptied(found, made | others, {"neighbours"})


def test_without_donors_or_counts_what_needs_them_is_empty(inputs, made, tmp_path):
    found = analysed(inputs, donors=DONORS.empty(), side_counts={})
    check(found, tmp_path)
    assert (found["background"][["n", "images", "n_context"]] == 0).to_numpy().all()
    assert found["thresholds"]["share_below"].isna().all()
    others = {
        "background": found["background"],
        "thresholds": made["thresholds"].assign(share_below=np.nan),
    }
    check_emptied(found, made | others, set())


def test_without_confidences_none_is_calibrated(sample, predictions, made, tmp_path):
    found = analysed(inputs_of(sample, predictions.assign(confidence=np.nan)))
    check(found, tmp_path)
    assert found["reliability"].empty
    assert found["calibration"].empty
    assert found["answers"]["failed"].equals(made["answers"]["failed"])


def test_without_sides_no_claim_is_made_of_them(sample, predictions, made, tmp_path):
    found = analysed(inputs_of(sample, predictions.assign(side=np.nan)))
    check(found, tmp_path)
    assert set(made["claims"]["claim"]) - set(found["claims"]["claim"]) == {"rises_with_size"}
    assert found["answers"]["side"].isna().all()


# Remedies.


def test_each_part_of_the_remedies_may_lack(inputs, made, tmp_path):
    for part, table, names in (
        ("predictions", REMEDY_PREDICTIONS, {"remedies"}),
        ("more_examples", MORE_EXAMPLES_PREDICTIONS, {"more_examples", "more_examples_gain"}),
    ):
        fewer = replace(inputs["remedies"], **{part: table.empty()})
        check_emptied(analysed(inputs, remedies=fewer), made, names)
    fewer = replace(inputs["remedies"], estimated_sides=ESTIMATED_SIDES.empty())
    found = analysed(inputs, remedies=fewer)
    check(found, tmp_path)
    plain = {
        name: made[name][made[name]["scaling"] == "none"].reset_index(drop=True)
        for name in ("reliability", "calibration")
    }
    check_emptied(found, made | plain, set())


def test_a_remedy_that_was_not_tried_leaves_the_others_alone(inputs, made, tmp_path):
    tried = inputs["remedies"].predictions
    fewer = replace(inputs["remedies"], predictions=tried[tried["remedy"] != "window"])
    found = analysed(inputs, remedies=fewer)
    check(found, tmp_path)
    due = made["remedies"].query("remedy == 'zoom'").reset_index(drop=True)
    columns = ["remedy", "task", "size_group", "before", "after", "delta", "p_value"]
    pd.testing.assert_frame_equal(found["remedies"][columns], due[columns])


# Rungs.


@pytest.mark.parametrize(
    ("known", "emptied"),
    [
        ((), OF_RUNGS),
        (("largest_object",), {"gap_parts", "failures", "failure_causes"}),
        (("scene",), {"baselines", "largest_object", "failure_causes"}),
        (("scene", "largest_object"), {"failure_causes"}),
        (("scene", "box", "largest_object"), set()),
    ],
)
def test_rungs_and_baselines_may_lack(inputs, made, known, emptied, tmp_path):
    every = inputs["rung_predictions"]
    found = analysed(inputs, rung_predictions=every[every["rung"].isin(known)])
    numbers = check(found, tmp_path)
    others = {name: found[name] for name in (*OF_RUNGS, "remedies")}
    check_emptied(found, made | others, emptied)
    order = [name for name in ("largest_object", "scene", "box") if name in known]
    assert list(found["ladder"]["rung"].unique()) == order
    assert set(found["baselines"]["baseline"]) == set(known) - {"scene", "box"}
    parts = ["gap", "class_mix", *(["told_which_object"] if "box" in known else []),
             "not_explained"]  # fmt: skip
    assert list(found["gap_parts"]["part"]) == (parts if "scene" in known else [])
    assert (numbers["ladder_largest_step"] is None) == ("box" not in known)
    if "scene" in known:
        assert len(found["failures"]) == len(made["failures"])
        causes = {"not_explained", *(["told_which_object"] if "box" in known else [])}
        assert set(found["failures"]["cause"]) == causes


def test_no_rung_need_be_known_at_all(inputs, tmp_path):
    found = analysed(inputs, rung_predictions=RUNG_PREDICTIONS.empty())
    check(found, tmp_path)
    assert {name for name, table in found.items() if table.empty} == OF_RUNGS


# Answers of one classifier, as it is.


def test_one_seed_in_one_regime_is_enough(sample, once, tmp_path):
    given = inputs_of(sample, once)
    found = analysed(given)
    check(found, tmp_path)
    assert not [name for name, table in found.items() if table.empty]
    assert set(found["accuracy"]["regime"]) == {"fixed"}
    assert set(found["calibration"]["scaling"]) == {"none"}
    assert set(found["answers"]["right"]) == {0, 1}
    table = once.query("task == 'object' and condition == 'orig_full'")
    row = found["accuracy"].query(
        "task == 'object' and condition == 'orig_full' and size_group == 'all'"
    )
    assert row["acc"].item() == pytest.approx(table["correct"].mean())


@pytest.fixture(scope="module")
def with_rest(sample, once):
    """Some wrong answers are of classes of no category, and have a share of the probability."""
    wrong = ~once["correct"] & (np.arange(len(once)) % 3 == 0)
    table = once.assign(predicted=once["predicted"].mask(wrong, "other"))
    return table.assign(confidence=np.where(wrong, 0.75, 0.5))


def test_what_is_taken_for_no_category_is_counted_as_such(sample, with_rest, tmp_path):
    found = analysed(inputs_of(sample, with_rest))
    check(found, tmp_path)
    for task in TASKS:
        confusion = found["confusion"][found["confusion"]["task"] == task]
        assert list(confusion["predicted"].unique()) == [*CATEGORIES, "other"]
        assert list(confusion["category_name"].unique()) == CATEGORIES
        answers = with_rest[with_rest["task"] == task].query("condition == 'orig_full'")
        for group in ALL_AND_GROUPS:
            part = answers[(answers["size_group"] == group) | (group == "all")]
            rows = confusion[confusion["size_group"] == group]
            by_name = rows.set_index(["category_name", "predicted"])["share"]
            for category, own in part.groupby("category_name"):
                assert by_name[category].sum() == pytest.approx(1)
                for name in (*CATEGORIES, "other"):
                    due = (own["predicted"] == name).mean()
                    assert by_name[category, name] == pytest.approx(due)


def test_a_name_of_no_category_is_in_the_confusion_of_the_task_that_has_it(sample, once):
    wrong = (once["task"] == "scene") & ~once["correct"]
    found = analysed(
        inputs_of(sample, once.assign(predicted=once["predicted"].mask(wrong, "other")))
    )
    by_task = found["confusion"].groupby("task")["predicted"].unique()
    assert "other" in by_task["scene"]
    assert list(by_task["object"]) == CATEGORIES


def test_votes_failures_and_neighbours_know_what_is_of_no_category(sample, with_rest):
    given = inputs_of(sample, with_rest)
    rungs = given["rung_predictions"]
    failed = (rungs["rung"] == "scene") & ~rungs["correct"]
    given["rung_predictions"] = rungs.assign(predicted=rungs["predicted"].mask(failed, "other"))
    found = analysed(given)
    answers = with_rest.query("task == 'scene' and condition == 'orig_full'")
    votes = found["answers"].query("task == 'scene' and condition == 'orig_full'")
    both = votes.merge(answers, on=["image_id", "ann_id"], suffixes=("", "_due"))
    assert len(both) == len(sample)
    assert (both["predicted"] == both["predicted_due"]).all()
    assert (both["failed"] == ~both["correct"]).all()
    assert (both["predicted"] == "other").any()
    assert set(found["failures"]["predicted"]) == {"other"}
    assert (found["failures"]["neighbour"] == "").all()
    named = found["neighbours"].query("size_group == 'all' and neighbour == 'any'")
    assert named["failed"].sum() == both["failed"].sum()
    known = both[both["failed"] & (both["predicted"] != "other")]
    assert 0 < named["named"].sum() <= len(known)


def test_its_own_share_is_what_is_calibrated_where_no_category_was_named(sample, with_rest):
    found = analysed(inputs_of(sample, with_rest))["reliability"]
    found = found.query("task == 'scene' and size_group == 'all'")
    answers = with_rest.query("task == 'scene' and condition == 'orig_full'")
    assert found["n"].sum() == len(answers)
    mean = np.average(found["confidence"], weights=found["n"])
    assert mean == pytest.approx(answers["confidence"].mean())


# All of it at once.


@pytest.mark.parametrize("task", TASKS)
def test_answers_alone_are_enough(sample, once, task, tmp_path):
    alone = once[(once["task"] == task) & ~evidence.is_swept(once)].assign(side=np.nan)
    given = inputs_of(sample, alone, maps=dict.fromkeys(TASKS, NO_MAPS))
    found = analysed(
        given | {
            "evidence": each(given, views=VIEWS.empty().assign(condition="")),
            "rung_predictions": RUNG_PREDICTIONS.empty(),
            "sample": SAMPLE.empty(),
            "objects": OBJECTS.empty(),
            "donors": DONORS.empty(),
            "removals": REMOVALS.empty(),
            "remedies": replace(
                given["remedies"],
                facts=[],
                predictions=REMEDY_PREDICTIONS.empty(),
                more_examples=MORE_EXAMPLES_PREDICTIONS.empty(),
                estimated_sides=ESTIMATED_SIDES.empty(),
            ),
            "side_counts": {},
        }
    )  # fmt: skip
    check(found, tmp_path)
    known = {name for name, table in found.items() if len(table)}
    due = {"accuracy", "effects", "claims", "answers", "rescues", "confusion", "categories",
           "reliability", "calibration", *OF_LABELS}  # fmt: skip
    assert known == due | ({"background"} if task == "object" else set())


def test_the_study_of_these_tests_lacks_nothing(made, predictions):
    assert not [name for name, table in made.items() if table.empty]
    assert set(measured(predictions)) == set(TASKS)
