import json

import pytest

from builders import own_classifiers as own
from smallsight.classifiers.metadata import (
    NOTHING,
    Carried,
    read_metadata,
    read_metadata_file,
)
from smallsight.runtime.errors import ClassifierError

NESTED = "[" * 10**6
"""Deeper than is read, by JSON's reader and by Python's."""


def test_nothing_is_said_where_nothing_is_written():
    assert read_metadata({}, "own.onnx") == Carried(None, NOTHING, None)
    assert read_metadata_file("", "own.pt2") == Carried(None, NOTHING, None)
    assert read_metadata({"task": "classify", "stride": "[1"}, "own.onnx") == Carried()


def test_all_keys_are_read_as_json_or_as_bare_words():
    text = {key: json.dumps(value) for key, value in own.METADATA.items()}
    words = text | {"interpolation": "bicubic", "channels": "bgr", "range": "0..1"}
    words |= {"output": "logits", "mean": "[0.4, 0.5, 0.6]"}
    carried = read_metadata(text, "own.onnx")
    assert carried == read_metadata(words, "own.onnx")
    assert carried == read_metadata_file(json.dumps(own.METADATA), "own.pt2")
    assert carried.class_names == own.CLASSES
    assert carried.preprocessing.model_dump() == {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in own.DECLARED.items()
    }
    assert carried.output == "logits"


@pytest.mark.parametrize(
    ("entries", "key", "due"),
    [
        ({"imgsz": "[64, 64]"}, "input_size", 64),
        ({"imgsz": "64"}, "input_size", 64),
        ({"input_size": "[96, 96]", "imgsz": "64"}, "input_size", 96),
        ({"channels": "3"}, "channels", None),
        ({"channels": "rgb"}, "channels", "rgb"),
        ({"mean": "(0.1, 0.2, 0.3)"}, "mean", (0.1, 0.2, 0.3)),
        ({"std": "[1, 2, 3]"}, "std", (1.0, 2.0, 3.0)),
    ],
)
def test_other_ways_to_say_it_are_understood(entries, key, due):
    assert getattr(read_metadata(entries, "own.onnx").preprocessing, key) == due


@pytest.mark.parametrize(
    "names", ["{0: 'a', 1: 'b'}", '{"1": "b", "0": "a"}', '["a", "b"]', "['a', 'b']"]
)
@pytest.mark.parametrize("key", ["names", "class_names"])
def test_names_are_in_the_order_of_the_outputs(names, key):
    assert read_metadata({key: names}, "own.onnx").class_names == ("a", "b")


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ({"mean": "0.5"}, "metadata.mean 0.5"),
        ({"mean": "[0.5, 0.5]"}, "metadata.mean [0.5, 0.5]"),
        ({"std": "[1, 1, 0]"}, "metadata.std.2 0"),
        ({"input_size": "[32, 48]"}, "metadata.input_size [32, 48]"),
        ({"input_size": "2"}, "metadata.input_size 2"),
        ({"interpolation": "nearest"}, "metadata.interpolation 'nearest'"),
        ({"range": "-1..1"}, "metadata.range '-1..1'"),
        ({"output": "scores"}, "metadata.output 'scores'"),
        ({"class_names": "cat"}, "metadata.class_names of another form"),
        ({"class_names": "[]"}, "metadata.class_names of another form"),
        ({"class_names": "[1, 2]"}, "metadata.class_names of another form"),
        ({"names": "{0: 'a', 2: 'b'}"}, "metadata.class_names of another form"),
        ({"names": "['a', 'b', 'a']"}, "metadata.class_names: 'a' twice"),
        ({"names": NESTED}, "metadata.class_names of another form"),
    ],
)
def test_what_a_key_does_not_call_for_is_one_line(entries, found):
    with pytest.raises(ClassifierError) as caught:
        read_metadata(entries, "own.onnx")
    assert own.one_line(caught, "own.onnx").found == found


def test_what_no_key_calls_for_may_be_nested_to_any_depth():
    assert read_metadata({"task": NESTED}, "own.onnx") == Carried()


@pytest.mark.parametrize("text", ["[1]", "5", "{", "null", NESTED, f'{{"mean": {NESTED}}}'])
def test_a_file_that_is_no_json_object_is_one_line(text):
    with pytest.raises(ClassifierError) as caught:
        read_metadata_file(text, "own.pt2")
    assert own.one_line(caught, "own.pt2").found == "classifier.json that is no JSON object"
