import contextlib
import io
import logging
import pickle
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from builders import own_classifiers as own
from smallsight.backbones.facts import LAST
from smallsight.classifiers.load import open_classifier
from smallsight.runtime.errors import ClassifierError, ParameterError

DYNAMIC = "a dynamic batch: torch.export.export(..., dynamic_shapes=({0: torch.export.Dim('n')},))"
OWN_ALONE = "a model of torch's own operators alone, as torch.export.save writes it"


def chosen(path, **changed):
    """Nothing is declared: the archive says all."""
    return own.settings("export", file=path, **{"preprocessing": {}} | changed)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return own.write_pt2(own.trained(own.Small), tmp_path_factory.mktemp("pt2") / "own.pt2")


@pytest.fixture
def written(tmp_path):
    """Write an archive, and return parameters that name it."""

    def write(network, **how):
        return chosen(own.write_pt2(network, tmp_path / "own.pt2", **how))

    return write


@pytest.mark.parametrize("decompose", [False, True])
def test_an_archive_answers_as_its_network_and_says_all_of_itself(decompose, written, tmp_path):
    module = own.trained(own.Small)
    facts, opened = own.collected(written(module, decompose=decompose), tmp_path)
    assert facts.classes == own.CLASSES
    assert facts.preprocessing.mean == (0.4, 0.5, 0.6)
    assert (facts.preprocessing.channels, facts.preprocessing.interpolation) == ("bgr", "bicubic")
    assert (facts.label, facts.origin) == ("own.pt2", str(tmp_path / "own.pt2"))
    assert (facts.maps, facts.layer, facts.cells) == ("closed_form", "relu_1", 8)
    assert facts.notes == ()
    assert (tmp_path / "model").read_bytes() == (tmp_path / "own.pt2").read_bytes()
    for n in (1, 2, 5):
        shown = own.pictures(n)
        with torch.inference_mode():
            due = module(own.inputs_of(shown))
            torch.testing.assert_close(opened.scene(shown), due, rtol=1e-5, atol=1e-5)


def test_maps_and_boxes_are_those_of_the_network(archive, tmp_path):
    module = own.trained(own.Small)
    _, opened = own.collected(chosen(archive), tmp_path)
    own.assert_maps_and_boxes(opened, module, rtol=1e-5)


@pytest.mark.parametrize("network", [own.Product, own.ByClass, own.LogProbable])
def test_other_ends_of_a_graph_add_up_too(network, written, tmp_path):
    facts, opened = own.collected(written(own.trained(network)), tmp_path)
    assert facts.maps == "closed_form"
    shown = own.pictures()
    with torch.inference_mode():
        due = own.trained(network)(own.inputs_of(shown)).softmax(dim=1)
        torch.testing.assert_close(opened.scene(shown).softmax(dim=1), due, rtol=1e-4, atol=1e-5)


def test_a_graph_that_does_not_add_up_is_explained_by_gradients(written, tmp_path):
    module = own.trained(own.Flat)
    facts, opened = own.collected(written(module), tmp_path)
    assert (facts.maps, facts.layer) == ("gradient", "relu_1")
    network, layer, layout = opened.explained
    kept = []

    def start(_module, _inputs, output):
        kept.append(output.detach().requires_grad_())
        return kept[-1]

    layer.register_forward_hook(start, prepend=True)
    logits = network.eval()(own.pictures(2))
    (found,) = torch.autograd.grad(logits[:, 1].sum(), kept)
    due = module.last.weight[1].view(16, 8, 8).expand(2, -1, -1, -1)
    torch.testing.assert_close(layout(found), due)


def test_a_layer_can_be_asked_for(archive, tmp_path):
    facts, opened = own.collected(chosen(archive), tmp_path, layer="relu")
    assert (facts.maps, facts.layer, facts.cells) == ("gradient", "relu", 16)
    assert opened.linear is None
    with pytest.raises(ParameterError) as caught:
        own.collected(chosen(archive), tmp_path, layer="layer4")
    error = own.one_line(caught, "params.explain.layer")
    assert error.found == "'layer4'"
    assert error.expected.startswith("last or a layer that returns maps, such as conv2d, ")


def test_operators_that_write_over_their_input_are_looked_at(written, tmp_path):
    module = nn.Sequential(
        nn.Conv2d(3, 6, 4, stride=4), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(6, 5),
    )  # fmt: skip
    facts, _ = own.collected(written(module.eval()), tmp_path)
    assert (facts.maps, facts.layer) == ("closed_form", "relu_")
    facts, opened = own.collected(written(module), tmp_path, layer="conv2d")
    assert (facts.maps, facts.layer) == ("gradient", "conv2d")
    shown = own.pictures()
    with torch.inference_mode():
        torch.testing.assert_close(opened.scene(shown), module(own.inputs_of(shown)))


def test_several_threads_may_run_it(archive, tmp_path):
    _, opened = own.collected(chosen(archive), tmp_path)
    shown, found = own.pictures(64), {}

    def run(number):
        with torch.inference_mode():
            found[number] = opened.read_out(shown[number : number + 8], torch.zeros(0, 5))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(0, 64, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, parts in found.items():
        alone = opened.read_out(shown[number : number + 8], torch.zeros(0, 5))
        assert torch.equal(parts[LAST], alone[LAST])
        assert torch.equal(parts["scene"], alone["scene"])


class Placed(own.Small):
    """Makes numbers of its own, on the device that its input has."""

    def forward(self, inputs):
        ramp = torch.arange(inputs.shape[-1], device=inputs.device) / 32
        return super().forward(inputs + ramp)


def test_a_graph_moves_to_another_device_with_all_that_it_makes(written, tmp_path):
    facts, opened = own.collected(written(own.trained(Placed)), tmp_path)
    assert facts.maps == "closed_form"
    shown = own.pictures()
    due = opened.scene(shown)
    meta = torch.device("meta")
    moved = open_classifier(facts, tmp_path / "model").to(meta)
    with torch.inference_mode():
        assert moved.outputs(shown.to(meta)).device == meta
        assert torch.equal(opened.to(torch.device("cpu")).scene(shown), due)


# What is declared, and what is refused.


def test_what_is_declared_wins_and_is_noted(archive, tmp_path):
    declared = {"mean": [0.0, 0.0, 0.0], "range": "0..255"}
    facts, _ = own.collected(chosen(archive, preprocessing=declared), tmp_path)
    assert facts.preprocessing.mean == (0.0, 0.0, 0.0)
    assert facts.preprocessing.std == (0.2, 0.3, 0.4)
    assert facts.notes == (
        "preprocessing: mean 0, 0, 0 as declared, not 0.4, 0.5, 0.6",
        "preprocessing: range 0..255 as declared, not 0..1",
    )


def test_an_archive_without_metadata_says_its_size_alone(written, tmp_path):
    settings = written(own.trained(own.Small), metadata=None)
    with pytest.raises(ParameterError) as caught:
        own.collected(settings, tmp_path)
    own.one_line(caught, "params.classifier.class_names")
    settings = chosen(tmp_path / "own.pt2", **own.names_file(tmp_path))
    with pytest.raises(ParameterError) as caught:
        own.collected(settings, tmp_path)
    error = own.one_line(caught, "params.classifier.preprocessing")
    assert error.found == (
        f"no mean, std, interpolation, channels, range for {tmp_path / 'own.pt2'}"
    )


def test_another_size_than_the_graph_has_is_said(archive, tmp_path):
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(archive, preprocessing={"input_size": 64}), tmp_path)
    error = own.one_line(caught, archive)
    assert error.found == "an input fixed at 32 pixels"


def test_a_fixed_batch_is_said_and_how_to_export_again(written, tmp_path):
    with pytest.raises(ClassifierError) as caught:
        own.collected(written(own.trained(own.Small), is_dynamic=False), tmp_path)
    error = own.one_line(caught, tmp_path / "own.pt2")
    assert (error.found, error.expected) == ("a batch fixed at 2", DYNAMIC)


def test_a_network_in_training_mode_is_said(written, tmp_path):
    with pytest.raises(ClassifierError) as caught:
        own.collected(written(own.trained(own.Small).train()), tmp_path)
    assert own.one_line(caught).found == "answers that depend on the other pictures of a batch"
    dropping = nn.Sequential(own.trained(own.Small), nn.Dropout(0.5)).train()
    dropping[0].eval()
    with pytest.raises(ClassifierError) as caught:
        own.collected(written(dropping), tmp_path)
    assert own.one_line(caught).found == "answers that change from run to run"


class Two(own.Small):
    def forward(self, inputs, others):
        return super().forward(inputs + others)


class Both(own.Small):
    def forward(self, inputs):
        return super().forward(inputs), inputs


class Halved(own.Small):
    def forward(self, inputs):
        return super().forward(inputs.float())


PICTURES = torch.zeros(2, 3, 32, 32)


@pytest.mark.parametrize(
    ("network", "inputs", "found"),
    [
        (Two, (PICTURES, PICTURES), "a graph with 2 inputs"),
        (Both, (PICTURES,), "a graph with 2 outputs"),
        (Halved, (PICTURES.half(),), "an input of n x 3 x 32 x 32, float16"),
        (own.Small, (torch.zeros(2, 3, 32, 48),), "an input of n x 3 x 32 x 48"),
    ],
)
def test_graphs_of_another_form_are_said(network, inputs, found, written, tmp_path):
    with pytest.raises(ClassifierError) as caught:
        own.collected(written(own.trained(network), inputs=inputs), tmp_path)
    assert own.one_line(caught, tmp_path / "own.pt2").found == found


def test_metadata_that_is_none_is_said(archive, tmp_path):
    def edit(members):
        members["extra/classifier.json"] = b"[1, 2]"

    path = own.rewritten(archive, tmp_path / "own.pt2", edit)
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    assert own.one_line(caught, path).found == "classifier.json that is no JSON object"


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (lambda path: torch.save(own.Small(5), path), "what torch.save writes"),
        (lambda path: torch.save(own.Small(5).state_dict(), path), "what torch.save writes"),
        (lambda path: path.write_bytes(pickle.dumps({"a": 1})), "a pickle"),
        (lambda path: path.write_text("<html>"), "no archive of torch's, or a damaged one"),
        (lambda path: path.write_bytes(b""), "no archive of torch's, or a damaged one"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: None, "No such file or directory"),
        (lambda path: np.savez(path.open("wb"), a=1), "another ZIP archive"),
    ],
)
def test_files_of_another_format_are_said(write, found, tmp_path):
    path = tmp_path / "own.pt2"
    write(path)
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    assert own.one_line(caught, path).found == found
    assert not (tmp_path / "model").exists()


def test_torchscript_is_told_from_an_exported_archive(tmp_path):
    path = own.write_torchscript(own.trained(own.Small), tmp_path / "own.pt2")
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    assert own.one_line(caught, path).found.startswith("a TorchScript archive")


def test_a_truncated_archive_is_said(archive, tmp_path):
    path = tmp_path / "own.pt2"
    path.write_bytes(archive.read_bytes()[:-400])
    with pytest.raises(ClassifierError):
        own.collected(chosen(path), tmp_path)


def test_a_changed_byte_of_the_weights_is_said(archive, tmp_path):
    """torch itself does not look at checksums: it would be another network."""
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        member = next(one for one in opened.infolist() if "weights/weight" in one.filename)
    start = content.index(member.filename.encode()) + len(member.filename)
    place = content.index(opened_bytes(archive, member)[:32], start)
    content[place] ^= 255
    path = tmp_path / "own.pt2"
    path.write_bytes(content)
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    assert own.one_line(caught, path).found == f"damaged ({member.filename})"


@pytest.mark.parametrize(
    ("place", "value", "found"),
    [(8, 1, "encrypted"), (10, 99, "compression method is not supported")],
)
def test_an_archive_that_cannot_be_unpacked_is_said(place, value, found, archive, tmp_path):
    """`place` is in the archive's list of members, of the first one."""
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        start = opened.start_dir + place
    content[start] = value
    path = tmp_path / "own.pt2"
    path.write_bytes(content)
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    error = own.one_line(caught, path)
    assert error.found.startswith("damaged (")
    assert found in error.found


def test_a_stream_that_cannot_be_unpacked_is_said(archive, tmp_path):
    path = tmp_path / "own.pt2"
    with zipfile.ZipFile(archive) as opened, zipfile.ZipFile(path, "w") as written:
        for name in opened.namelist():
            written.writestr(name, opened.read(name), zipfile.ZIP_DEFLATED)
        member = written.infolist()[0]
    content = bytearray(path.read_bytes())
    content[len(member.FileHeader())] = 0xFF
    path.write_bytes(content)
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    assert own.one_line(caught, path).found.startswith("damaged (Error -3 while decompressing")


def opened_bytes(archive, member):
    with zipfile.ZipFile(archive) as opened:
        return opened.read(member)


@pytest.mark.parametrize("version", [None, "0"])
def test_an_archive_of_no_version_is_said(version, tmp_path):
    path = tmp_path / "own.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/archive_format", "pt2")
        if version is not None:
            archive.writestr("x/version", version)
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    assert own.one_line(caught, path).found.startswith("malformed (")


def test_a_network_of_many_layers_passes(tmp_path):
    module = resnet18(num_classes=5).eval()
    path = own.write_pt2(module, tmp_path / "own.pt2", inputs=(torch.zeros(2, 3, 64, 64),))
    settings = chosen(path, preprocessing={"input_size": 64})
    facts, opened = own.collected(settings, tmp_path)
    assert (facts.maps, facts.layer) == ("closed_form", "relu__16")
    shown = own.pictures(size=64)
    with torch.inference_mode():
        due = module(own.inputs_of(shown))
        torch.testing.assert_close(opened.scene(shown), due, rtol=1e-4, atol=1e-5)


# Archives that are made to run something as they are loaded.

MODEL, WEIGHTS = "models/model.json", "data/weights/model_weights_config.json"
CONSTANTS = "data/constants/model_constants_config.json"


def saved_bomb(folder):
    content = io.BytesIO()
    torch.save(own.Bomb(folder), content)
    return content.getvalue()


def code_of(folder):
    return f"__import__('os').makedirs('{folder / own.RAN}', exist_ok=True)"


def first_node(tree):
    return tree["graph_module"]["graph"]["nodes"][0]


def sample_inputs(members, folder):
    members["data/sample_inputs/model.pt"] = saved_bomb(folder)


def bare_pickle(members, folder):
    members["data/sample_inputs/model.pt"] = own.bomb_bytes(folder)


def old_weights(members, folder):
    members["data/weights/model.pt"] = saved_bomb(folder)


def pickled_weight(members, folder):
    def edit(tree):
        tree["config"]["last.bias"]["use_pickle"] = True
        members["data/weights/" + tree["config"]["last.bias"]["path_name"]] = saved_bomb(folder)

    own.edited_json(members, WEIGHTS, edit)


def foreign_constant(members, folder):
    members["data/constants/opaque_obj_0"] = own.bomb_bytes(folder)
    entry = {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True}
    own.edited_json(
        members, CONSTANTS, lambda tree: tree["config"].update(x=entry | {"tensor_meta": None})
    )


def expression(members, folder):
    symbol = b"Symbol('s"
    assert symbol in members[MODEL]
    members[MODEL] = members[MODEL].replace(symbol, f"{code_of(folder)} or Symbol('s".encode())


def operator(members, folder):
    own.edited_json(members, MODEL, lambda tree: first_node(tree).update(target="torch.os.system"))


def writing_operator(members, folder):
    own.edited_json(
        members, MODEL, lambda tree: first_node(tree).update(target="torch.ops.aten.save.default")
    )


def argument_name(members, folder):
    named = f'"name": "x={code_of(folder)}"'.encode()
    members[MODEL] = members[MODEL].replace(b'"name": "inputs"', named)


def key_name(members, folder):
    own.edited_json(
        members, MODEL,
        lambda tree: tree["graph_module"]["graph"]["tensor_values"].update({"a b": {}}),
    )  # fmt: skip


def container(members, folder):
    def edit(tree):
        signature = tree["graph_module"]["module_call_graph"][0]["signature"]
        signature["in_spec"] = signature["in_spec"].replace("builtins.tuple", "collections.deque")

    own.edited_json(members, MODEL, edit)


def compiled_code(members, folder):
    members["data/aotinductor/model/code.so"] = b"\x7fELF"


def another_format(members, folder):
    members["serialized_state_dict.pt"] = saved_bomb(folder)


def no_json(members, folder):
    members[MODEL] = b"{"


@pytest.mark.parametrize(
    ("edit", "goes_off", "found"),
    [
        (sample_inputs, True, "data/sample_inputs/model.pt: holds os.makedirs, which"),
        (bare_pickle, True, "data/sample_inputs/model.pt: "),
        (old_weights, True, "data/weights/model.pt: holds os.makedirs, which"),
        (pickled_weight, True, f"{WEIGHTS}: holds os.makedirs, which"),
        (foreign_constant, True, "data/constants/opaque_obj_0: other than tensors and a graph"),
        (expression, True, f"{MODEL}: expr_str \"__import__('os').makedirs("),
        (operator, False, f"{MODEL}: target 'torch.os.system'"),
        (writing_operator, False, f"{MODEL}: target 'torch.ops.aten.save.default'"),
        (argument_name, False, f"{MODEL}: name "),
        (key_name, False, f"{MODEL}: the name 'a b'"),
        (container, False, f"{MODEL}: in_spec "),
        (compiled_code, False, "data/aotinductor/model/code.so: other than tensors and a graph"),
        (another_format, False, "serialized_state_dict.pt: other than tensors and a graph"),
        (no_json, False, f"{MODEL}: no JSON"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_nothing_in_an_archive_runs(edit, goes_off, found, archive, tmp_path, caplog):
    path = own.rewritten(archive, tmp_path / "own.pt2", lambda members: edit(members, tmp_path))
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    error = own.one_line(caught, path)
    assert error.found.startswith(found)
    assert error.expected == OWN_ALONE
    assert not (tmp_path / own.RAN).exists()
    assert not (tmp_path / "model").exists()
    if goes_off:  # as torch itself would let it
        caplog.set_level(logging.CRITICAL)
        with contextlib.suppress(Exception):
            torch.export.load(path)
        assert (tmp_path / own.RAN).exists()


def test_guards_of_an_archive_are_left_out(archive, tmp_path):
    def edit(members):
        code = f"{code_of(tmp_path)} is None"
        own.edited_json(members, MODEL, lambda tree: tree.update(guards_code=[code]))

    path = own.rewritten(archive, tmp_path / "own.pt2", edit)
    facts, opened = own.collected(chosen(path), tmp_path)
    opened.scene(own.pictures())
    assert facts.maps == "closed_form"
    assert not (tmp_path / own.RAN).exists()


def test_what_is_opened_later_is_checked_again(archive, tmp_path):
    facts, _ = own.collected(chosen(archive), tmp_path)
    own.rewritten(archive, tmp_path / "model", lambda members: sample_inputs(members, tmp_path))
    with pytest.raises(ClassifierError, match=r"holds os\.makedirs"):
        open_classifier(facts, tmp_path / "model")
    assert not (tmp_path / own.RAN).exists()


def test_an_archive_for_a_device_that_is_not_there_is_said(archive, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is one")

    def edit(members):
        for name in (MODEL, WEIGHTS):
            members[name] = members[name].replace(b'"type": "cpu"', b'"type": "cuda"')

    path = own.rewritten(archive, tmp_path / "own.pt2", edit)
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    assert own.one_line(caught, path).found.startswith("cannot be loaded (")


def test_copies_are_whole(archive, tmp_path):
    own.collected(chosen(archive), tmp_path)
    assert [path.name for path in Path(tmp_path).iterdir()] == ["model"]
