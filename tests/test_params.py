import copy
import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from smallsight import params
from smallsight.datasets import registry
from smallsight.datasets.registry import make_source
from smallsight.runtime.errors import ParameterError

FILE = Path(__file__).parents[1] / "params.yaml"
TREE = yaml.safe_load(FILE.read_text())


NAMED = {("conditions",), ("remedies",), ("sample", "caps")}
"""Sections whose keys are names: of families, remedies and categories."""


def walk(tree, keys=()):
    """Give every (keys, value) below a tree, sections included, but for what `NAMED` hold."""
    for key, value in tree.items():
        yield (*keys, key), value
        if isinstance(value, dict) and (*keys, key) not in NAMED:
            yield from walk(value, (*keys, key))


ALL = dict(walk(TREE))
SECTIONS = [()] + [keys for keys, value in ALL.items() if isinstance(value, dict)]
SECTIONS = [keys for keys in SECTIONS if keys not in NAMED]
LEAVES = {keys: value for keys, value in ALL.items() if not isinstance(value, dict)}
NUMBERS = [keys for keys, value in LEAVES.items() if type(value) in (int, float)]
FLOATS = [keys for keys in NUMBERS if isinstance(LEAVES[keys], float)]


def changed(keys, value):
    tree = copy.deepcopy(TREE)
    at(tree, keys[:-1])[keys[-1]] = value
    return tree


def at(tree, keys):
    for key in keys:
        tree = tree[key]
    return tree


def dotted(keys):
    return ".".join(("params", *keys))


def checked(tree):
    """Check a tree of parameters whole, as the first stage does."""
    found = params.validate(params.Params, tree, where="params")
    registry.check_groups(found.data)
    make_source(found.data, seed=found.seed)
    return found


def complaint(tree):
    with pytest.raises(ParameterError) as caught:
        checked(tree)
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def test_every_value_of_the_repository_arrives_as_it_stands():
    assert params.load(FILE).model_dump(mode="json") == TREE


@pytest.mark.parametrize("keys", SECTIONS, ids=dotted)
def test_unknown_key_lists_the_known_ones(keys):
    tree = copy.deepcopy(TREE)
    at(tree, keys)["zzz"] = 1
    error = complaint(tree)
    assert error.where == dotted((*keys, "zzz"))
    assert error.expected == "one of " + ", ".join(at(TREE, keys))


@pytest.mark.parametrize("keys", list(ALL), ids=dotted)
def test_missing_key_is_named(keys):
    tree = copy.deepcopy(TREE)
    del at(tree, keys[:-1])[keys[-1]]
    assert complaint(tree).where == dotted(keys)


@pytest.mark.parametrize("keys", list(ALL), ids=dotted)
def test_misspelt_key_is_named_before_the_missing_one(keys):
    tree = copy.deepcopy(TREE)
    section = at(tree, keys[:-1])
    section[keys[-1] + "x"] = section.pop(keys[-1])
    error = complaint(tree)
    assert error.where == dotted(keys) + "x"
    assert keys[-1] in error.expected.removeprefix("one of ").split(", ")


@pytest.mark.parametrize("keys", list(ALL), ids=dotted)
def test_wrong_type_is_named_with_its_value(keys):
    wrong = "12" if keys in NUMBERS else 3.5
    error = complaint(changed(keys, wrong))
    assert error.where == dotted(keys)
    assert error.found == repr(wrong)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("keys", FLOATS, ids=dotted)
def test_numbers_are_finite(keys, value):
    assert complaint(changed(keys, value)).where == dotted(keys)


@pytest.mark.parametrize("value", [math.nan, [0.5, math.inf]])
def test_options_of_families_are_finite(value):
    error = complaint(changed(("conditions", "downscale", "scale"), value))
    assert error.where.startswith("params.conditions.downscale.scale")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", -1), ("seed", 1.0), ("seed", True), ("device", "gpu"), ("device", "cuda:"),
        ("data.source", "web"), ("data.categories", []), ("data.categories", ["a", "b", "a"]),
        ("data.phantom.scenes", 0), ("data.phantom.context", 1.01), ("data.phantom.noise", -0.1),
        ("data.phantom.small_blur", -1), ("data.coco.split", "test2017"),
        ("data.coco.annotations_md5", "abc"), ("sample.per_group", 0), ("sample.seed", -1),
        ("sample.caps.person", -1), ("sample.balance", "even"), ("sample.min_visible_area", -1),
        ("sample.sizes.measure", "side"), ("sample.sizes.limits", [0.05, 0.01]),
        ("sample.sizes.limits", []), ("sample.sizes.limits", [0.01]),
        ("sample.sizes.limits", [1, 2, 3]),
        ("data.categories", ["a"]), ("data.max_bad_share", 1.1),
        ("tasks.scene", []), ("tasks.scene", "orig_full"), ("tasks.window_margin", -0.1),
        ("backbone.name", ""), ("backbone.weights", ""), ("backbone.checkpoint", ""),
        ("backbone.input_size", 31), ("backbone.input_size", "big"), ("backbone.dilated", 0),
        ("heads.readout", "mean"), ("heads.epochs", 0), ("heads.batch_size", 0),
        ("heads.learning_rate", 0), ("evaluation.test_share", 0), ("evaluation.test_share", 1),
        ("evaluation.folds", 1), ("evaluation.repeats", 0), ("analysis.confidence", 1),
        ("analysis.bootstrap_draws", 99), ("explain.gallery_size", 0),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(key, value):
    keys = tuple(key.split("."))
    error = complaint(changed(keys, value))
    assert error.where == dotted(keys)
    assert error.found == repr(value)


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", 0), ("device", "cuda:1"), ("data.phantom.context", 1), ("data.phantom.noise", 0),
     ("sample.caps", {}), ("sample.seed", 0), ("data.categories", "all"),
     ("tasks.window_margin", 0),
     ("backbone.input_size", 32), ("backbone.input_size", "auto"),
     ("evaluation.folds", 2)],
)  # fmt: skip
def test_values_at_the_edge_are_taken(key, value):
    keys = tuple(key.split("."))
    section = checked(changed(keys, value)).model_dump()
    for name in keys:
        section = section[name]
    assert section == value


def test_sections_are_frozen(study):
    for section in (study, study.data, study.backbone):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, next(iter(type(section).model_fields)), 1)


@pytest.mark.parametrize(
    "content",
    [b"seed: [0\n", b"a: b: c\n", b"\t- x", b"\xff\xfe\x00s", b"seed: \x00", b"", b"- 1\n", b"3\n",
     b"? [a]\n: 1\n", b"seed: !!python/object:os.system x", b"2020-01-01: 3\n", b"a: &a [*a]\n"],
)  # fmt: skip
def test_a_file_that_is_no_mapping_in_yaml_is_one_line_of_error(tmp_path, content):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(ParameterError) as caught:
        params.load(path)
    assert len(str(caught.value).splitlines()) == 1


def test_bad_yaml_is_named_with_its_line(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("seed: 0\ndevice: [\ndata: }\n")
    with pytest.raises(ParameterError, match=r"params\.yaml, line 3: .*; expected YAML"):
        params.load(path)


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    with pytest.raises(ParameterError) as caught:
        params.load(tmp_path / name)
    assert caught.value.where == str(tmp_path / name)
    assert caught.value.expected == "a readable file"


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"car": "car"}, "params.classifier.mapping.car: 'car'; expected a list"),
        ({"car": []}, "params.classifier.mapping.car: []; expected at least 1 item"),
        ("smae", "params.classifier.mapping: 'smae'; expected 'same' or 'imagenet' or values under "
         "names"),
    ],
)  # fmt: skip
def test_a_mapping_s_slip_is_named_where_it_is(mapping, message):
    tree = yaml.safe_load((Path(__file__).parents[1] / "params.yaml").read_text())
    tree["classifier"]["mapping"] = mapping
    with pytest.raises(ParameterError) as caught:
        params.validate(params.Params, tree, where="params")
    assert str(caught.value) == f"parameter error: {message}"


@pytest.mark.parametrize("name", [0, 7, 1e5, True])
def test_a_name_that_reads_as_a_number_needs_quotes(name):
    error = complaint(changed(("data", "categories"), ["person", name]))
    assert (error.where, error.found) == ("params.data.categories.1", repr(name))
    assert error.expected == "text, in quotes where it reads as a number"


def test_quoted_names_stay_text(tmp_path):
    names = '["0", "1e5", "007", "nan", "True", "-", "a, b", "{{ x }}", "$x$"]'
    text = FILE.read_text(encoding="utf-8")
    text = text.replace("[person, car, truck, bus, bicycle, motorcycle]", names)
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    due = ("0", "1e5", "007", "nan", "True", "-", "a, b", "{{ x }}", "$x$")
    assert params.load(tmp_path / "params.yaml").data.categories == due


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(ALL)), anything)
def test_any_value_anywhere_is_taken_or_refused_in_one_line(keys, value):
    try:
        found = checked(changed(keys, value))
    except ParameterError as error:
        assert error.where.startswith("params")
        assert "\n" not in str(error)
    else:
        assert isinstance(found, params.Params)
