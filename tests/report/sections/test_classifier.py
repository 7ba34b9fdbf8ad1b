"""The user's classifier: its facts, its classes by category, its preprocessing, in words."""

import contextlib
import dataclasses

import numpy as np
import pandas as pd
import pytest

from builders.study_files import ASKED, GRADIENT, INPUTS, OWN, write_study
from readers.parts import page_of
from readers.report_pages import body_of
from smallsight import params
from smallsight.classifiers.tables import PREPROCESSINGS
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.inputs import read_study
from smallsight.report.sections import classifier
from smallsight.report.sections.classifier import SECTION
from smallsight.vocabulary import OTHER

MANY = {"car": ("sports car", "taxi", "jeep"), "bus": ("minibus",)}
CLASSES = ("sports car", "minibus", "tree", "taxi", "house", "jeep")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = write_study(tmp_path_factory.mktemp("own"), own=OWN, only=(UNTOUCHED,))
    with contextlib.chdir(folder):
        return read_study(INPUTS, params.load())


def with_facts(study, **changes):
    return dataclasses.replace(study, classifier=dataclasses.replace(study.classifier, **changes))


def with_settings(study, **changes):
    chosen = study.params.classifier.model_copy(update=changes)
    changed = study.params.model_copy(update={"classifier": chosen})
    return dataclasses.replace(study, params=changed)


def with_preprocessings(study, *rows):
    table = pd.DataFrame(rows, columns=PREPROCESSINGS.names)
    return dataclasses.replace(study, preprocessings=table)


def described(study):
    return " ".join([classifier.describe(study), *classifier.details(study)]).strip()


def test_a_study_of_heads_has_no_such_section(forms):
    assert classifier.build(forms.study) is None
    assert described(forms.study) == ""
    assert classifier.preprocessing_sentence(forms.study) == ""
    assert classifier.preprocessing_warning(forms.study) == ""


def test_it_is_described_in_a_line_and_in_detail(study):
    assert classifier.describe(study) == (
        "“Cnn” (state_dict, runs/best.pth), as it is, input 64 × 64 pixels, on drawn scenes."
    )
    assert classifier.details(study) == [
        "Of its 5 classes, 2 make up the 2 categories, by their names. The other 3 are left out, "
        "and the probabilities are renormalised.",
        "It was made for a window round the object.",
        "Its input is made so: bilinear, red, green, blue, values 0 to 1, mean 0.485, 0.456, "
        "0.406, deviation 0.229, 0.224, 0.225.",
        "Its saliency maps are exact, since a linear layer reads the mean of layer “features.9”.",
    ]
    assert described(with_facts(study, origin="")).startswith("“Cnn” (state_dict), as it is")


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("renormalise", "The other 2 are left out, and the probabilities are renormalised."),
        (OTHER, "The other 2 are kept as “other”."),
    ],
)
def test_several_classes_make_up_a_category_and_the_rest_is_told(study, rest, said):
    made = with_settings(with_facts(study, classes=CLASSES), mapping=MANY, rest=rest)
    sentence = classifier.classes_sentence(made, made.classifier)
    assert sentence.startswith(
        "Of its 6 classes, 4 make up the 2 categories, as the parameters say. "
    )
    assert sentence.endswith(said)
    found = classifier.mapped_classes(made, made.classifier)
    assert found.pop(OTHER, ["tree", "house"]) == ["tree", "house"]
    assert {name: sorted(classes) for name, classes in found.items()} == {
        name: sorted(classes) for name, classes in MANY.items()
    }
    assert classifier.renormalises(made, made.classifier) == (rest != OTHER)


def test_where_every_class_is_of_a_category_there_is_no_rest(study):
    made = with_facts(study, classes=("bus", "car"))
    assert classifier.classes_sentence(made, made.classifier) == (
        "Of its 2 classes, all make up the 2 categories, by their names."
    )
    assert not classifier.renormalises(made, made.classifier)


def test_how_maps_are_made_is_told_by_their_kind(study):
    assert "exact, since a linear layer reads the mean of layer “features.9”." in described(study)
    gradient = {"maps": "gradient", "layer": "Mixed_7c", "no_maps": GRADIENT.no_maps}
    made = with_facts(study, **gradient)
    assert (
        "Its saliency maps are Grad-CAM’s at layer “Mixed_7c”, the last with maps, found by shape. "
        "They are not exact: no linear layer reads the mean of its maps." in described(made)
    )
    explain = made.params.explain.model_copy(update={"layer": "Mixed_7c"})
    chosen = made.params.model_copy(update={"explain": explain})
    assert "layer “Mixed_7c”, as explain.layer says." in described(
        dataclasses.replace(made, params=chosen)
    )
    none = with_facts(study, maps="none", layer="", cells=0, no_maps="no layer returns maps")
    assert described(none).endswith("It has no saliency maps: no layer returns maps.")


def test_what_answers_by_itself_makes_its_own_input(study):
    made = with_facts(study, source="command", command=ASKED.command, code=ASKED.code)
    assert "It makes its own input of a picture of 64 × 64 pixels" in described(made)
    assert "mean" not in described(made).partition("Its saliency")[0]


def test_the_facts_stand_in_a_table_and_what_there_is_not_is_left_out(study):
    body = dict(body_of(page_of(study, SECTION), "The classifier. "))
    assert body == {
        "Name": "Cnn",
        "Source": "state_dict",
        "Origin": "runs/best.pth",
        "SHA-256": "9f0b24aa0000",
        "Architecture": "code:Cnn",
        "Code": "examples/own-classifier/network.py, 0c2d5a100000",
        "Notes": "“module.” taken off the names of all weights",
        "Classes": "5: car, bus, tree, house and dog",
        "Answers": "logits",
        "Made for": "a window round the object",
        "Input": "64 × 64 pixels",
        "Made as": "bilinear, red, green, blue, values 0 to 1, mean 0.485, 0.456, 0.406, "
        "deviation 0.229, 0.224, 0.225",
        "Maps": "exact",
        "Layer": "features.9",
        "Cells": "3 × 3",
    }
    none = with_facts(
        study, source="predictions", maps="none", layer="", cells=0, no_maps="a table", sha256="",
        code="", code_sha256="", notes=(), architecture="",
    )  # fmt: skip
    body = dict(body_of(page_of(none, SECTION), "The classifier. "))
    assert body["Why none"] == "a table"
    lacking = {"SHA-256", "Code", "Notes", "Made as", "Layer", "Cells", "Architecture"}
    assert not lacking & set(body)


def test_classes_stand_by_category_few_of_them_by_name(study):
    names = tuple(f"kind {number}" for number in range(12))
    mapping = {"car": names[:10], "bus": names[10:11]}
    made = with_settings(with_facts(study, classes=names), mapping=mapping, rest=OTHER)
    assert body_of(page_of(made, SECTION), "Its classes, by the category") == [
        ["car", "kind 0, kind 1, kind 2, kind 3, kind 4 and 5 more"],
        ["bus", "kind 10"],
        [OTHER, "kind 11"],
    ]
    every = with_settings(with_facts(study, classes=("car", "bus")), rest=OTHER)
    assert body_of(page_of(every, SECTION), "Its classes, by the category")[-1] == [OTHER, "none"]


def test_the_best_of_the_mistakes_is_set_beside_what_is_declared(study):
    rows = [("as declared", 0.5, 40, True, 0, 0), ("not normalised", 0.45, 40, False, 1, 3)]
    made = with_preprocessings(study, *rows, ("values 0 to 255", 0.2, 40, False, 0, 12))
    assert classifier.preprocessing_sentence(made) == (
        "No usual mistake of preprocessing scores higher than what is declared. Of 40 untouched "
        "objects, 50.0% are named rightly as declared. Next is “not normalised” with 45.0%."
    )
    assert classifier.preprocessing_warning(made) == ""
    worse = with_preprocessings(study, *rows, ("values 0 to 255", 0.525, 40, False, 4, 3))
    assert classifier.preprocessing_sentence(worse) == ""
    assert classifier.preprocessing_warning(worse) == (
        "The declared preprocessing may be wrong. Of 40 untouched objects, 50.0% are named "
        "rightly as declared, and 52.5% with “values 0 to 255”."
    )


@pytest.mark.parametrize("share", [0.5, np.nan])
def test_a_mistake_that_scores_the_same_or_gives_no_numbers_is_no_reason_to_warn(study, share):
    rows = [("as declared", 0.5, 40, True, 0, 0), ("not normalised", share, 40, False, 2, 2)]
    made = with_preprocessings(study, *rows)
    assert classifier.preprocessing_warning(made) == ""
    assert bool(classifier.preprocessing_sentence(made)) == (share == 0.5)
    shown = body_of(page_of(made, SECTION), "their input made as declared")
    assert shown[1][1] == ("50.0%" if share == 0.5 else "–")
