import pytest
import torch

from builders import own_classifiers as own
from smallsight.backbones.facts import LAST
from smallsight.runtime.errors import ClassifierError


def chosen(path, **changed):
    return own.settings("torchscript", file=path, **{"preprocessing": {}} | changed)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return own.write_torchscript(own.trained(own.Small), tmp_path_factory.mktemp("jit") / "own.pt")


def test_an_archive_answers_as_its_network_and_says_that_it_is_of_old(archive, tmp_path):
    facts, opened = own.collected(chosen(archive), tmp_path)
    assert facts.classes == own.CLASSES
    assert facts.notes == (
        "TorchScript is deprecated by PyTorch: torch.export.save writes what replaces it",
    )
    assert (facts.maps, facts.layer, facts.cells) == ("none", "", 0)
    assert facts.no_maps.startswith("layers of a TorchScript archive are not looked at")
    assert (tmp_path / "model").read_bytes() == archive.read_bytes()
    shown = own.pictures()
    with torch.inference_mode():
        due = own.trained(own.Small)(own.inputs_of(shown))
        found = [opened.read_out(shown, torch.zeros(0, 5)) for _ in range(4)]
    for parts in found:  # torch would round otherwise once it has rewritten the code
        assert torch.equal(parts["scene"], found[0]["scene"])
    torch.testing.assert_close(found[0]["scene"], due)
    assert set(found[0]) == {"scene", LAST}
    assert found[0][LAST].shape == (4, 0, 0, 0)
    assert opened.linear is None
    assert opened.explained is None


def test_no_warning_of_torchs_comes_through(archive, tmp_path, recwarn):
    own.collected(chosen(archive), tmp_path)
    assert not recwarn.list


@pytest.mark.parametrize("member", ["data.pkl", "constants.pkl"])
def test_nothing_pickled_runs(member, archive, tmp_path):
    def edit(members):
        members[member] = own.bomb_bytes(tmp_path)

    path = own.rewritten(archive, tmp_path / "own.pt", edit)
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    error = own.one_line(caught, path)
    assert error.found.startswith("cannot be loaded (Unknown type name 'os.makedirs'")
    assert not (tmp_path / own.RAN).exists()


class Saving(torch.nn.Module):
    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def forward(self, inputs):
        torch.save(inputs, self.path)
        return inputs.mean(dim=(2, 3))


def test_code_that_opens_files_is_refused(tmp_path):
    path = own.write_torchscript(Saving(str(tmp_path / own.RAN)), tmp_path / "own.pt")
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    error = own.one_line(caught, path)
    assert error.found.endswith(": torch.save")
    assert error.expected == "code that computes, and opens no files"
    assert not (tmp_path / own.RAN).exists()


def test_files_of_another_format_are_said(tmp_path):
    path = tmp_path / "own.pt"
    torch.save(own.Small(5), path)
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    assert own.one_line(caught, path).found == "what torch.save writes"
    path.write_bytes(own.bomb_bytes(tmp_path))
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    assert own.one_line(caught, path).found == "a pickle"
    own.write_pt2(own.trained(own.Small), path)
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    assert own.one_line(caught, path).found.startswith("a .pt2 archive")


class Single(torch.nn.Module):
    def __init__(self, classes: int):
        super().__init__()
        self.last = torch.nn.Linear(3 * 32 * 32, classes)

    def forward(self, inputs):
        return self.last(inputs.reshape(1, 3072))


def test_a_network_of_single_pictures_is_said(tmp_path):
    path = own.write_torchscript(own.trained(Single), tmp_path / "own.pt")
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    error = own.one_line(caught, path)
    assert error.found.startswith("no answer to 2 pictures (RuntimeError: shape '[1, 3072]'")
    assert error.expected == "a model that takes any number of pictures of 32 x 32 pixels"
