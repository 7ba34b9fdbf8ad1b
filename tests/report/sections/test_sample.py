"""The sample in words: what was drawn, and what needs no pixel."""

import dataclasses
import json

import pytest

from builders.study_files import INPUTS, with_tables
from smallsight import params
from smallsight.evaluation.rungs import BASELINES
from smallsight.report import page, text
from smallsight.report.sections import accuracy, sample, summary
from smallsight.vocabulary import GROUPS


def test_the_best_rule_that_sees_no_pixel_is_named_with_its_share_of_small_objects(forms):
    said = sample.baseline_sentence(forms.study)
    table = forms.study.tables["baselines"].query("size_group == 'small'")
    best = table.loc[table["accuracy"].idxmax()]
    assert said == (
        f"Guessing is right for 50.0%. The best rule that sees no pixel, “"
        f"{BASELINES[best.baseline][0].lower()}{BASELINES[best.baseline][1:]}”, is right for "
        f"{text.percent(best.accuracy)} of small objects."
    )
    assert said in accuracy.sentences(forms.study)


@pytest.mark.parametrize("name", BASELINES)
def test_a_rule_that_is_missing_is_not_named(forms, name):
    table = forms.study.tables["baselines"]
    made = with_tables(forms.study, baselines=table[table["baseline"] != name])
    assert BASELINES[name][1:] not in sample.baseline_sentence(made)
    alone = with_tables(forms.study, baselines=table[table["baseline"] == name])
    assert BASELINES[name][1:] in sample.baseline_sentence(alone)
    assert sample.baseline_sentence(with_tables(forms.study, baselines=table[:0])) == ""


@pytest.mark.parametrize(("source", "due"), [("phantom", True), ("coco", False)])
def test_drawn_scenes_are_said_to_be_no_photographs(forms, source, due):
    data = forms.study.params.data.model_copy(update={"source": source})
    params = forms.study.params.model_copy(update={"data": data})
    said = sample.drawn_sentence(dataclasses.replace(forms.study, params=params))
    assert bool(said) == due
    assert ("drawn scenes: the numbers say nothing about photographs" in said) == due


def test_one_category_says_nothing_about_recognition(forms):
    alike = forms.study.sample.assign(category_name="bus")
    made = dataclasses.replace(forms.study, sample=alike)
    assert "1 category" in sample.baseline_sentence(made)


@pytest.mark.parametrize("group", GROUPS)
def test_an_empty_group_is_named_and_never_compared(reported_study, group):
    made = reported_study(counts={group: 0})
    found = [summary.verdict_sentence(made), *accuracy.sentences(made), *summary.sentences(made)]
    assert "nan" not in " ".join(found).lower()
    assert not any(group in point for point in accuracy.sentences(made))
    assert sample.shortfall_sentences(made) == [
        f"{group.capitalize()}: 0 of the 40 requested were drawn, for 0 were eligible."
    ]


def test_a_group_that_caps_keep_short_is_said_to_be(forms):
    sampling = forms.study.sampling
    drawn = sampling["drawn"] | {"small": 5}
    eligible = sampling["eligible"] | {"small": {"bus": 30}}
    more = sampling | {"drawn": drawn, "eligible": eligible, "requested_per_group": 40}
    said = sample.shortfall_sentences(dataclasses.replace(forms.study, sampling=more))
    assert said[0] == (
        "Small: 5 of the 40 requested were drawn, though 30 were eligible: caps or balance leave "
        "no more."
    )


def test_a_cap_of_no_category_of_the_study_is_not_told(forms):
    chosen = forms.study.params.sample
    for caps, due in (({"unicorn": 3}, False), ({"unicorn": 3, "bus": 4}, True)):
        changed = chosen.model_copy(update={"caps": caps, "balance": "natural"})
        made = forms.study.params.model_copy(update={"sample": changed})
        said = sample.drawing_sentence(dataclasses.replace(forms.study, params=made))
        assert "unicorn" not in said
        assert ("at most 4 of “bus” in each" in said) == due


SOURCE = "<code>data/pictures.json</code></p>"


def with_pictures(study, **changes):
    return dataclasses.replace(study, pictures={**study.pictures, **changes})


def test_of_pictures_as_they_are_nothing_is_said(forms):
    assert sample.picture_sentences(forms.study) == []
    assert SOURCE not in forms.screen
    assert SOURCE not in forms.printed


def test_what_was_done_to_pictures_is_said(forms):
    rule = "laid on white where transparent"
    turned = {"count": 1, "example": "b.jpg", "rule": "turned as EXIF says"}
    made = with_pictures(
        forms.study,
        changed={"composited": {"count": 1200, "example": "a.png", "rule": rule}, "turned": turned},
        in_doubt={
            "count": 3,
            "examples": ["c.jpg", "d.jpg"],
            "way": "upright",
            "reason": "as is usual for this source",
        },
        duplicates={"identical": 2, "near": 3, "photographs": 2, "unjoined": 0},
    )
    assert sample.build(made).pictures == [
        "1,200 pictures, such as “a.png”, were laid on white where transparent.",
        "“b.jpg” was turned as EXIF says.",
        "3 pictures, such as “c.jpg”, were taken as upright, as is usual for this source: no size "
        "tells which way up their boxes are.",
        "5 pictures are of 2 photographs alone: 2 identical, 3 nearly so.",
        "Pictures of one photograph are always test data together.",
    ]


def test_pictures_of_a_fixed_camera_are_counted(forms):
    same = {"identical": 0, "near": 0, "photographs": 0, "unjoined": 40}
    assert sample.picture_sentences(with_pictures(forms.study, duplicates=same)) == [
        "40 pictures look alike, as those of a fixed camera do, and may be test data apart from "
        "each other."
    ]


def test_a_split_by_instance_keeps_no_photographs_together(reported_study):
    same = {"identical": 2, "near": 0, "photographs": 1, "unjoined": 0}
    made = with_pictures(reported_study(protocol="original"), duplicates=same)
    assert len(sample.picture_sentences(made)) == 1


@pytest.mark.page
def test_page_and_paper_both_say_what_was_done(reported_study):
    def edit():
        tree = json.loads(INPUTS.pictures.read_text())
        tree["changed"] = {"turned": {"count": 1, "example": "<b>.jpg", "rule": "turned"}}
        INPUTS.pictures.write_text(json.dumps(tree))

    reported_study(edit=edit)
    made = page.build(INPUTS, params.load())
    for form in (made.screen(), made.printed()):
        assert f"“&lt;b&gt;.jpg” was turned. {SOURCE}" in form


def test_objects_that_are_whole_pictures_are_said_to_be(forms):
    assert not sample.build(forms.study).whole_pictures
    alike = forms.study.sample.assign(area_ratio=1.0)
    assert sample.build(dataclasses.replace(forms.study, sample=alike)).whole_pictures


def chosen(study, *, listed="", **changes):
    """The study's sample, chosen otherwise."""
    settings = study.params.sample.model_copy(update=changes)
    params_ = study.params.model_copy(update={"sample": settings})
    sampling = {**study.sampling, "listed": listed}
    return dataclasses.replace(study, params=params_, sampling=sampling)


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        (
            {"caps": {"bus": 70}},
            "Up to 200 objects per size group are drawn, with at most 70 of “bus” in each.",
        ),
        ({"caps": {}}, "Up to 200 objects per size group are drawn."),
        (
            {"balance": "equal"},
            "Up to 200 objects per size group are drawn, each with the same categories in the same "
            "numbers as far as there are enough.",
        ),
        ({"listed": "mine.csv"}, "The objects are those that mine.csv lists; none was drawn."),
    ],
)
def test_how_the_objects_were_chosen_is_said(forms, changes, due):
    assert sample.drawing_sentence(chosen(forms.study, **changes)) == due


def test_every_cap_is_said(forms):
    first, second = sample.categories(forms.study)
    said = sample.drawing_sentence(chosen(forms.study, caps={first: 70, second: 50}))
    assert f"with at most 70 of “{first}” and 50 of “{second}” in each." in said


def test_a_list_falls_short_of_nothing(forms):
    assert sample.shortfall_sentences(chosen(forms.study, listed="mine.csv")) == []


def test_sizes_are_told_in_every_measure(forms):
    rows = sample.size_rows(forms.study)
    assert len(rows) == 3 * len(forms.study.sampling["measures"])
    assert rows[0].measure == "share of the picture’s area"
    assert rows[0].most == sample.written(
        "share", forms.study.sampling["measures"]["small"]["share"]["most"]
    )
    assert rows[0].most in forms.screen


def test_what_was_left_out_is_told_with_an_example(forms):
    first = sample.exclusions(forms.study)[0]
    assert (first.number, first.description) == (3, "annotations of a crowd, not of one object")
    assert "such as annotation 7 (bbox [0.0, 0.0, 99.0, 50.0])" in forms.screen
    assert "3 annotations of a crowd, not of one object" in forms.printed
    unreadable = {**forms.study.sampling, "unreadable_masks": 4}
    last = sample.exclusions(dataclasses.replace(forms.study, sampling=unreadable))[-1]
    assert (last.number, last.description) == (4, "masks that cannot be read")
