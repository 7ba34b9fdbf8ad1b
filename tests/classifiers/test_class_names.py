import pytest

from builders import own_classifiers as own
from smallsight.classifiers.class_names import class_names
from smallsight.classifiers.imagenet import imagenet_classes
from smallsight.runtime.errors import ClassifierError, ParameterError


def test_names_come_from_where_they_are_declared_to(tmp_path):
    named = own.names_file(tmp_path, ["cat", " big dog ", "bus"])
    assert class_names(own.settings("onnx", **named), None) == ("cat", "big dog", "bus")
    assert class_names(own.settings("onnx", class_names="metadata"), ["a", "b"]) == ("a", "b")
    found = class_names(own.settings("onnx", class_names="imagenet"), ["a", "b"])
    assert found == imagenet_classes()
    assert len(set(found)) == 1000
    assert found[0] == "tench"


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        ("a\n\nb\n", ClassifierError, ", line 2: empty; expected a class a line"),
        ("\n", ClassifierError, ": no names; expected a class a line"),
        ("a\nb\na\n", ParameterError,
         "params.classifier.class_names_file: 'a' more than once; expected names that differ"),
    ],
)  # fmt: skip
def test_a_file_of_other_lines_is_one_line(content, kind, message, tmp_path):
    named = own.names_file(tmp_path)
    (tmp_path / "names.txt").write_text(content)
    with pytest.raises(kind) as caught:
        class_names(own.settings("onnx", **named), None)
    own.one_line(caught)
    assert str(caught.value).endswith(message)


def test_a_missing_file_is_one_line(tmp_path):
    named = {"class_names": "file", "class_names_file": str(tmp_path / "names.txt")}
    with pytest.raises(ClassifierError) as caught:
        class_names(own.settings("onnx", **named), None)
    assert own.one_line(caught).found == "No such file or directory"
