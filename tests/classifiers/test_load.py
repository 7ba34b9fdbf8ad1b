import contextlib
import typing

import pytest
import torch

from builders import own_classifiers as own
from smallsight import params
from smallsight.classifiers.facts import read_classifier_facts, write_classifier_facts
from smallsight.classifiers.load import open_classifier
from smallsight.classifiers.sources import SOURCES, source_of


def test_every_source_of_the_parameters_has_a_module():
    sources = set(typing.get_args(params.Classifier.model_fields["source"].annotation))
    assert sources - {"head"} == set(SOURCES)
    for name in SOURCES:
        assert callable(source_of(name).collect)
        assert callable(source_of(name).open_)


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory):
    """One network in every format, collected: facts, and what was written, by source."""
    folder = tmp_path_factory.mktemp("own")
    module = own.trained(own.Small)
    torch.save(module.state_dict(), folder / "own.pth")
    files = {
        "state_dict": folder / "own.pth",
        "export": own.write_pt2(module, folder / "own.pt2"),
        "torchscript": own.write_torchscript(module, folder / "own.pt"),
    }
    with contextlib.suppress(ImportError):  # it is an extra
        files["onnx"] = own.write_onnx(module, folder / "own.onnx")
    named = own.names_file(folder)
    found = {}
    for source, path in files.items():
        (folder / source).mkdir()
        settings = own.settings(source, file=path, architecture="code:Small", **named)
        facts, _ = own.collected(settings, folder / source)
        found[source] = facts, folder / source / "model"
    return found


def test_one_network_gives_the_same_answers_and_maps_in_every_format(everywhere):
    shown = own.pictures(200)
    whole = torch.tensor([[float(n), 3, 5, 20, 30] for n in range(200)])
    parts = {
        source: open_classifier(facts, model).read_out(shown, whole)
        for source, (facts, model) in everywhere.items()
    }
    due = parts["state_dict"]
    for found in parts.values():
        torch.testing.assert_close(found["scene"], due["scene"], rtol=1e-4, atol=1e-5)
        if "box" in found:
            torch.testing.assert_close(found["box"], due["box"], rtol=1e-4, atol=1e-5)
    assert [source for source in parts if "box" not in parts[source]] == ["torchscript"]


def test_facts_survive_their_file_and_open_what_was_written(everywhere, tmp_path):
    for source, (facts, model) in everywhere.items():
        write_classifier_facts(facts, tmp_path / f"{source}.json")
        again = read_classifier_facts(tmp_path / f"{source}.json")
        assert again == facts
        shown = own.pictures(2)
        one, other = (open_classifier(each, model).scene(shown) for each in (facts, again))
        assert torch.equal(one, other)
