import json
import math
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallsight.runtime import large_json
from smallsight.runtime.errors import AnnotationError
from smallsight.runtime.large_json import Entries

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
objects = st.lists(st.dictionaries(st.sampled_from(["id", "bbox", "a"]), values), max_size=4)
trees = st.dictionaries(st.sampled_from(["images", "annotations", "b"]), objects | values)


def decoded(content):
    """What is read, all of it decoded; as text, for NaN is not NaN."""
    try:
        tree = large_json.loads(content, where="x.json")
        if isinstance(tree, dict):
            tree = {
                key: list(one) if isinstance(one, Entries) else one for key, one in tree.items()
            }
    except AnnotationError as error:
        assert str(error).isprintable()
        assert "x.json" in str(error)
        return "refused"
    return repr(tree)


def due(content):
    try:
        return repr(json.loads(content))
    except (ValueError, RecursionError):
        return "refused"


@settings(max_examples=200, deadline=None)
@given(trees, st.booleans(), st.integers(0), st.binary(max_size=2))
def test_any_text_is_read_as_json_reads_it(tree, escaped, place, other):
    content = json.dumps(tree, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    assert decoded(content) == due(content)
    cut = place % (len(content) + 1)
    spoiled = content[:cut] + other + content[cut + len(other) :]
    assert decoded(spoiled) == due(spoiled)


@pytest.mark.parametrize(
    "value",
    [
        b"1e400", b"-0", b"-0.0", b"123456789012345678901234567890", b"NaN", b"-Infinity", b"1E5",
        b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\xed\xa0\x80"', b'"\xff"', b'"\x01"', b"01", b"[1,]",
        b'1, "id": 2', b'"\\x"', b"5e-324", b"9" * 400,
    ],
)  # fmt: skip
def test_odd_values_are_read_as_json_reads_them(value):
    content = b'{"images": [{"id": ' + value + b'}, {"id": 1}]}'
    assert decoded(content) == due(content)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"annotations": [{"a": '])
def test_what_is_nested_too_deeply_is_refused_in_one_line(opening):
    assert decoded(opening + b"[" * 1_000_000) == "refused"
    whole = opening + b"[" * 1_000_000 + b"]" * 1_000_000
    assert decoded(whole + b"}]}"[: opening.count(b"{") * 2 - 1]) == "refused"


def test_entries_are_a_list_that_is_decoded_anew(tmp_path):
    tree = {"images": [{"id": k, "x": [k]} for k in range(5)], "info": {"a": [{"b": 1}]}, "no": []}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(tree))
    found = large_json.load(path, where="x.json")
    assert found == tree
    entries = found["images"]
    assert isinstance(entries, Entries)
    assert len(entries) == 5
    assert entries[-1] == {"id": 4, "x": [4]}
    assert entries[1:3] == tree["images"][1:3]
    assert entries != tree["images"][1:]
    entries[0]["id"] = math.nan
    assert list(entries) == list(entries) == tree["images"]


def test_a_file_that_is_replaced_is_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(large_json, "BATCH", 3)
    path, other = tmp_path / "x.json", tmp_path / "y.json"
    path.write_text(json.dumps({"images": [{"id": k} for k in range(10)]}))
    found = large_json.load(path, where="x.json")
    other.write_text("{}")
    other.replace(path)
    assert [entry["id"] for entry in found["images"]] == list(range(10))


def test_a_pipe_is_read(tmp_path):
    reading, writing = os.pipe()
    os.write(writing, b'{"images": [{"id": 1}]}')
    os.close(writing)
    assert large_json.load(f"/dev/fd/{reading}", where="x") == {"images": [{"id": 1}]}
    os.close(reading)
