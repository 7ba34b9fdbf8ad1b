"""Whatever stands in the files of a format: a tree, or one line of an `AnnotationError`."""

import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smallsight.datasets.formats.registry import FORMATS
from smallsight.runtime.errors import AnnotationError

few = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
ODD = st.sampled_from(["", "nan", "-inf", "1e999", "0,5", "1_0", "٣", "0x1", "9" * 400, "\0", "é"])
NUMBER = st.one_of(
    st.floats().map(str), st.integers(-3, 3).map(str), st.floats(-0.5, 1.5).map(str), ODD
)


def mostly(usual, odd):
    """Draw what is usual three times in four."""
    return st.sampled_from([usual, usual, usual, odd]).flatmap(lambda drawn: drawn)


def try_format(name, annotations, images):
    """Return the tree, or None where there is an error of one line."""
    try:
        tree = FORMATS[name].read(annotations, images)
    except AnnotationError as error:
        assert str(error).isprintable()
        return None
    ids = {image["id"] for image in tree["images"]}
    categories = {one["id"] for one in tree["categories"]}
    for annotation in tree["annotations"]:
        assert annotation["image_id"] in ids
        assert annotation["category_id"] in categories
        assert len(annotation["bbox"]) == 4
    json.loads(json.dumps(tree, allow_nan=False))
    return tree


LINE = st.lists(NUMBER, max_size=10).map(" ".join)
LABELS = st.one_of(
    st.binary(max_size=60),
    st.lists(st.one_of(LINE, TEXT), max_size=4).map(lambda lines: "\n".join(lines).encode()),
)


@few
@given(labels=LABELS)
def test_yolo_labels(tmp_path, blank, write, labels):
    blank("images/a.png", size=(20, 10))
    write("data.yaml", "names: [a, b, c]")
    path = write("labels/a.txt", "")
    path.write_bytes(labels)
    try_format("yolo", tmp_path, tmp_path / "images")


PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(TEXT, st.integers()), inner, max_size=3),
    ),
    max_leaves=6,
)
YAML_BITS = st.lists(
    st.sampled_from(
        ["names:", "nc: 2", "kpt_shape: [1, 2]", " ", "\n", "- a", "[a, b]", "{0: a}", "&x", "*x",
         "<<: *x", "!!python/object:os.system", "!!int", "? [a]", "|", "%", "\t", "0:", "---\n"]
    ), max_size=8,
)  # fmt: skip
YAML = st.one_of(
    st.binary(max_size=60),
    TEXT.map(str.encode),
    YAML_BITS.map(lambda bits: "".join(bits).encode()),
    PLAIN.map(lambda value: json.dumps({"names": value}).encode()),
    st.tuples(PLAIN, PLAIN).map(
        lambda pair: json.dumps({"names": ["a"], "nc": pair[0], "kpt_shape": pair[1]}).encode()
    ),
)


@few
@given(content=YAML)
def test_yolo_descriptions(tmp_path, blank, write, content):
    blank("images/a.png", size=(20, 10))
    write("labels/a.txt", "0 0.5 0.5 0.1 0.1")
    (tmp_path / "data.yaml").write_bytes(content)
    try_format("yolo", tmp_path, tmp_path / "images")


XML_TEXT = st.one_of(NUMBER, TEXT)


@st.composite
def xml(draw):
    """A document with odd values, or with parts in odd places."""
    usual = [
        TEXT,
        *[st.integers(0, 30).map(str)] * 2,
        st.just("car"),
        *[st.integers(0, 30).map(str)] * 5,
    ]
    words = [draw(mostly(one, XML_TEXT)) for one in usual]
    words = [word.replace("&", "").replace("<", "") for word in words]
    pieces = [
        "<annotation>", f"<filename>{words[0]}</filename>",
        f"<size><width>{words[1]}</width><height>{words[2]}</height></size>",
        "<object>", f"<name>{words[3]}</name>",
        f"<bndbox><xmin>{words[4]}</xmin><ymin>{words[5]}</ymin>",
        f"<xmax>{words[6]}</xmax><ymax>{words[7]}</ymax></bndbox>",
        f"<polygon><x1>{words[8]}</x1><y1>1</y1><x2/></polygon>",
        "</object>", "</annotation>",
    ]  # fmt: skip
    kept = draw(st.lists(st.booleans(), min_size=len(pieces), max_size=len(pieces)))
    if draw(st.booleans()):
        kept = [True] * 7 + [False] + [True] * 2
    return "".join(piece for piece, keep in zip(pieces, kept, strict=True) if keep).encode()


@few
@given(content=st.one_of(st.binary(max_size=60), TEXT.map(str.encode), xml()))
def test_voc_files(tmp_path, blank, write, content):
    blank("images/a.png", size=(20, 10))
    write("xml/a.xml", "").write_bytes(content)
    try_format("voc", tmp_path / "xml", tmp_path / "images")


NUMBERS = mostly(st.floats(0, 1), st.one_of(st.floats(), st.integers()))
DETECTION = mostly(
    st.fixed_dictionaries(
        {"label": mostly(st.just("car"), st.one_of(TEXT, PLAIN)),
         "bounding_box": mostly(st.lists(NUMBERS, min_size=4, max_size=4), PLAIN)}
    ),
    PLAIN,
)  # fmt: skip
DETECTIONS = mostly(st.lists(DETECTION, max_size=3), PLAIN)
LABELS_JSON = mostly(
    st.fixed_dictionaries(
        {"labels": mostly(st.fixed_dictionaries({"a": DETECTIONS}), PLAIN)},
        optional={"classes": mostly(st.lists(TEXT, max_size=3), PLAIN)},
    ).map(lambda value: json.dumps(value).encode()),
    st.one_of(st.binary(max_size=60), PLAIN.map(lambda value: json.dumps(value).encode())),
)
FIELD = st.fixed_dictionaries({"_cls": st.just("Detections"), "detections": DETECTIONS})
SAMPLE = mostly(
    st.fixed_dictionaries(
        {"filepath": mostly(st.just("data/a.png"), PLAIN), "ground_truth": mostly(FIELD, PLAIN)}
    ),
    PLAIN,
)
SAMPLES_JSON = mostly(
    st.lists(SAMPLE, max_size=3).map(lambda value: json.dumps({"samples": value}).encode()),
    PLAIN.map(lambda value: json.dumps({"samples": value}).encode()),
)


@few
@given(content=st.one_of(LABELS_JSON, SAMPLES_JSON))
def test_fiftyone_exports(tmp_path, blank, content):
    blank("data/a.png", size=(20, 10))
    (tmp_path / "labels.json").write_bytes(content)
    try_format("fiftyone", tmp_path, tmp_path / "data")


HEADERS = [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"GIF89a", b"BM", b"II*\0",
           b"MM\0*", b"RIFF\0\0\0\0WEBPVP8 ", b"RIFF\0\0\0\0WEBPVP8X"]  # fmt: skip


@few
@given(content=st.tuples(st.sampled_from(HEADERS), st.binary(max_size=60)).map(b"".join))
def test_headers_of_pictures(tmp_path, content):
    path = tmp_path / "mine/car/a.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    try_format("folders", tmp_path / "mine", tmp_path / "mine")


FILE_NAME = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=20
).filter(lambda name: name not in (".", ".."))


@few
@given(names=st.lists(FILE_NAME, max_size=3))
@pytest.mark.parametrize("name", ["yolo", "voc", "folders"])
def test_names_of_files(tmp_path, blank, write, name, names):
    shutil.rmtree(tmp_path / "images", ignore_errors=True)
    write("data.yaml", "names: [a, b, c]")
    picture = blank("a.png", size=(20, 10)).read_bytes()
    folder = (tmp_path / "images").joinpath(*names[:-1])
    folder.mkdir(parents=True, exist_ok=True)
    for one in names[-1:]:
        (folder / f"{one}.png").write_bytes(picture)
        (folder / f"{one}.txt").write_text("0 0.5 0.5 0.1 0.1")
        (folder / f"{one}.xml").write_text("<annotation/>")
    annotations = tmp_path if name == "yolo" else tmp_path / "images"
    try_format(name, annotations, tmp_path / "images")
