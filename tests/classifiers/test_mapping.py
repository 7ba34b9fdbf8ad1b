"""A classifier's own classes brought to categories, and the shipped table of ImageNet's."""

import re

import numpy as np
import pytest
import yaml
from torchvision.models import get_model_weights

from smallsight.classifiers.answers import NEVER
from smallsight.classifiers.imagenet import TABLE, imagenet_by_coco, imagenet_classes
from smallsight.classifiers.mapping import (
    OTHER,
    ClassMapping,
    read_mapping,
    resolve_mapping,
    write_mapping,
)
from smallsight.runtime.errors import ClassifierError, ParameterError

OWN = ("cat", "cab", "bus", "crane", "crane", "coach")
COCO = """
person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant stop_sign
parking_meter bench bird cat dog horse sheep cow elephant bear zebra giraffe backpack umbrella
handbag tie suitcase frisbee skis snowboard sports_ball kite baseball_bat baseball_glove skateboard
surfboard tennis_racket bottle wine_glass cup fork knife spoon bowl banana apple sandwich orange
broccoli carrot hot_dog pizza donut cake chair couch potted_plant bed dining_table toilet tv laptop
mouse remote keyboard cell_phone microwave oven toaster sink refrigerator book clock vase scissors
teddy_bear hair_drier toothbrush
"""


def resolved(mapping, own=OWN, categories=("car", "bus"), keeps_rest=False):
    return resolve_mapping(mapping, own, categories, keeps_rest=keeps_rest)


def members(mapping):
    return [np.flatnonzero(row).tolist() for row in mapping.membership]


def test_the_same_name_is_the_same_thing():
    assert members(resolved("same", categories=("bus", "cat"))) == [[2], [0]]
    kept = resolved("same", categories=("bus", "cat"), keeps_rest=True)
    assert (members(kept), kept.keeps_rest) == ([[2], [0], [1, 3, 4, 5]], True)


def test_declared_classes_are_those_of_their_category():
    declared = {"bus": ("bus", "coach"), "car": ("cab",)}
    assert members(resolved(declared)) == [[1], [2, 5]]
    assert members(resolved(declared, keeps_rest=True)) == [[1], [2, 5], [0, 3, 4]]


def test_the_shipped_table_finds_classes_by_their_place():
    found = resolved("imagenet", imagenet_classes(), ("bird", "truck", "dog"))
    bird, truck, dog = members(found)
    assert (len(bird), len(dog)) == (59, 118)
    assert 134 in bird
    assert not {517} & {*bird, *truck}
    names = {imagenet_classes()[place] for place in truck}
    assert {"fire engine", "pickup", "trailer truck"} <= names


@pytest.mark.parametrize(
    ("mapping", "changes", "message"),
    [
        ("same", {"categories": ("car", "bus", "van")},
         "params.classifier.mapping: same, but no class is called car, van; expected a class for "
         "each category, or classes by category"),
        ("same", {"categories": ("crane",)},
         "params.classifier.mapping: 'crane', the name of classes 3 and 4; expected a name that "
         "one class has"),
        ({"car": ("cab",)}, {},
         "params.classifier.mapping: no classes for bus; expected classes for each of "
         "params.data.categories"),
        ({"car": ("cab",), "bus": ("bus",), "van": ("cat",)}, {},
         "params.classifier.mapping.van: no category of the study; expected one of car, bus"),
        ({"car": ("cab",), "bus": ("couch",)}, {},
         "params.classifier.mapping.bus: 'couch', which is none; expected one of the "
         "classifier's 6 classes, such as 'coach'"),
        ({"car": ("cab", "crane"), "bus": ("bus",)}, {},
         "params.classifier.mapping.car: 'crane', the name of classes 3 and 4; expected a name "
         "that one class has"),
        ({"car": ("cab", "coach"), "bus": ("bus", "coach")}, {},
         "params.classifier.mapping.bus: 'coach', which car has already; expected each class in "
         "one category"),
        ("imagenet", {},
         "params.classifier.mapping: imagenet, but the classifier has 6 classes; expected "
         "ImageNet's 1,000, in order and in torchvision's words (class_names: imagenet)"),
        ("imagenet", {"own": tuple(reversed(imagenet_classes()))},
         "params.classifier.mapping: imagenet, but the classifier has 'toilet tissue' as class 0; "
         "expected ImageNet's 1,000, in order and in torchvision's words (class_names: imagenet)"),
        ("imagenet", {"own": imagenet_classes(), "categories": ("car", "giraffe", "kite")},
         "params.classifier.mapping: imagenet, but ImageNet has no class for giraffe, kite; "
         "expected other categories, or a classifier that has these"),
        ("imagenet", {"own": imagenet_classes(), "categories": ("car", "lorry")},
         "params.classifier.mapping: imagenet, but lorry is no category of COCO's; expected "
         "categories by COCO's names, or classes by category"),
        ("coco", {},
         "params.classifier.mapping: 'coco'; expected same, imagenet, or classes by category"),
        ("same", {"own": ("bus", "other"), "categories": ("bus", "other"), "keeps_rest": True},
         "params.classifier.rest: other, a category's name; expected renormalise, or categories "
         "of which none is called other"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_is_one_line(mapping, changes, message):
    with pytest.raises(ParameterError, match=f"^parameter error: {re.escape(message)}$"):
        resolved(mapping, **changes)


def test_a_category_may_be_called_other_where_the_rest_is_left_out():
    assert members(resolved("same", ("bus", OTHER), ("bus", OTHER))) == [[0], [1]]


def test_probabilities_are_sums_of_those_of_the_classes():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, (50, 6)).astype(np.float32)
    share = np.exp(logits.astype(float))
    share /= share.sum(axis=1, keepdims=True)
    declared = {"bus": ("bus", "coach"), "car": ("cab",)}
    kept = resolved(declared, keeps_rest=True)
    due = np.stack([share[:, 1], share[:, [2, 5]].sum(1), share[:, [0, 3, 4]].sum(1)], axis=1)
    np.testing.assert_allclose(kept.probabilities(logits)[0], due, rtol=1e-5)
    np.testing.assert_allclose(kept.logits(logits)[0], np.log(due), rtol=1e-5, atol=1e-6)
    left_out = resolved(declared).probabilities(logits)[0]
    np.testing.assert_allclose(left_out, due[:, :2] / due[:, :2].sum(1, keepdims=True), rtol=1e-5)
    # Whatever is added to all logits of a picture says nothing.
    np.testing.assert_allclose(kept.probabilities(logits + 500)[0], due, rtol=1e-4)


def test_the_class_that_leads_is_one_of_the_name():
    features = np.array([[9.0, 1, 2, 0, 0, 3], [9, 1, 5, 0, 0, 3]])
    mapping = resolved({"bus": ("bus", "coach"), "car": ("cab",)})
    assert mapping.leading(features, np.array([1, 1])).tolist() == [5, 2]
    assert mapping.leading(features, np.array([0, 1])).tolist() == [1, 2]


def test_an_answer_without_any_category_cannot_be_renormalised():
    logs = np.full((2, 6), NEVER, np.float32)
    logs[0, 1], logs[1, 0] = np.log(0.8), 0
    mapping = resolved({"bus": ("bus",), "car": ("cab",)})
    assert mapping.probabilities(logs[:1])[0].round(3).tolist() == [[1, 0]]
    with pytest.raises(ClassifierError) as caught:
        mapping.probabilities(logs)
    assert str(caught.value) == (
        "classifier error: params.classifier.rest: an answer gives no category any probability: "
        "nothing can be renormalised; expected other"
    )
    kept = resolved({"bus": ("bus",), "car": ("cab",)}, keeps_rest=True)
    assert kept.probabilities(logs)[0].argmax(axis=1).tolist() == [0, 2]
    assert mapping.probabilities(logs[:0]).shape == (1, 0, 2)


@pytest.mark.parametrize("keeps_rest", [False, True])
def test_a_mapping_comes_back_as_it_was_written(keeps_rest, tmp_path):
    mapping = resolved("same", categories=("bus", "cat"), keeps_rest=keeps_rest)
    write_mapping(mapping, tmp_path / "object.npz")
    read = read_mapping(tmp_path / "object.npz")
    assert isinstance(read, ClassMapping)
    assert read.keeps_rest is keeps_rest
    assert read.membership.dtype == bool
    assert read.membership.tolist() == mapping.membership.tolist()


def test_the_shipped_table_has_coco_s_categories_in_order():
    assert list(imagenet_by_coco()) == [name.replace("_", " ") for name in COCO.split()]
    assert len(imagenet_by_coco()) == 80


def test_the_shipped_table_names_each_class_as_imagenet_does():
    names = imagenet_classes()
    assert len(set(names)) == len(names) == 1000
    for weights in ("resnet50", "convnext_tiny", "vit_b_16"):
        assert tuple(get_model_weights(weights).DEFAULT.meta["categories"]) == names
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    entries = [entry for entries in table.values() for entry in entries]
    assert entries == [f"{place} {names[place]}" for place in map(int, map(first_word, entries))]


def test_the_shipped_table_has_each_class_at_most_once_and_in_order():
    places = [place for places in imagenet_by_coco().values() for place in places]
    assert len(set(places)) == len(places) > 300
    assert all(list(places) == sorted(places) for places in imagenet_by_coco().values())


def test_the_categories_of_the_study_are_in_the_shipped_table(study):
    mapping = resolved("imagenet", imagenet_classes(), study.data.categories)
    assert all(members(mapping))


def first_word(entry):
    return entry.split()[0]
