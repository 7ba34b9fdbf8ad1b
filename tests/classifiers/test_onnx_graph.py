import threading

import numpy as np
import pytest
import timm
import torch

from builders import own_classifiers as own
from smallsight.backbones.facts import LAST
from smallsight.classifiers.load import open_classifier
from smallsight.runtime.errors import ClassifierError, ParameterError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from onnx import TensorProto, helper  # noqa: E402


def chosen(path, **changed):
    return own.settings("onnx", file=path, **{"preprocessing": {}} | changed)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return own.write_onnx(own.trained(own.Small), tmp_path_factory.mktemp("onnx") / "own.onnx")


@pytest.fixture
def written(tmp_path):
    """Write a network's graph, and return parameters that name it."""

    def write(network, **how):
        return chosen(own.write_onnx(network, tmp_path / "own.onnx", **how))

    return write


@pytest.fixture
def edited(model, tmp_path):
    """Edit the graph, and return parameters that name its file."""

    def edit(change, **changed):
        content = onnx.load(model)
        change(content)
        (tmp_path / "own.onnx").write_bytes(content.SerializeToString())
        return chosen(tmp_path / "own.onnx", **changed)

    return edit


@pytest.fixture
def built(tmp_path):
    """Write a graph made of nodes behind maps of 3 channels, 8 x 8 cells."""

    def build(nodes, weights, output=("n", 5), pictures=("n", 3, 32, 32), kind=TensorProto.FLOAT):
        pool = helper.make_node(
            "AveragePool", ["pictures"], ["maps"], kernel_shape=[4, 4], strides=[4, 4]
        )
        mean = helper.make_node("GlobalAveragePool", ["maps"], ["mean"])
        flat = helper.make_node("Flatten", ["mean"], ["flat"])
        graph = helper.make_graph(
            [pool, mean, flat, *(helper.make_node(*node[:3], **dict(node[3:])) for node in nodes)],
            "own",
            [helper.make_tensor_value_info("pictures", kind, list(pictures))],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, list(output))],
            [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
        )
        content = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
        )
        own.describe_onnx(content, own.METADATA)
        path = tmp_path / "own.onnx"
        path.write_bytes(content.SerializeToString())
        return chosen(path)

    return build


def test_a_graph_answers_as_its_network_and_says_all_of_itself(model, tmp_path):
    module = own.trained(own.Small)
    facts, opened = own.collected(chosen(model), tmp_path)
    assert facts.classes == own.CLASSES
    assert facts.preprocessing.std == (0.2, 0.3, 0.4)
    assert (facts.preprocessing.channels, facts.preprocessing.range) == ("bgr", "0..1")
    assert (facts.label, facts.notes) == ("own.onnx", ())
    assert (facts.maps, facts.layer, facts.cells) == ("closed_form", "relu_1", 8)
    assert (tmp_path / "model").read_bytes() == model.read_bytes()
    for n in (1, 2, 5):
        shown = own.pictures(n)
        with torch.inference_mode():
            due = module(own.inputs_of(shown))
            torch.testing.assert_close(opened.scene(shown), due, rtol=1e-4, atol=1e-5)


def test_maps_and_boxes_are_those_of_the_network(model, tmp_path):
    module = own.trained(own.Small)
    _, opened = own.collected(chosen(model), tmp_path)
    own.assert_maps_and_boxes(opened, module, rtol=1e-4)
    np.testing.assert_allclose(opened.linear[0], module.last.weight.detach(), rtol=1e-6)
    assert opened.explained is None


RNG = np.random.default_rng(0)
WEIGHT = RNG.standard_normal((5, 3)).astype(np.float32)
BIAS = RNG.standard_normal(5).astype(np.float32)


@pytest.mark.parametrize(
    ("nodes", "weights", "due"),
    [
        ([("Gemm", ["flat", "w", "b"], ["logits"], ("transB", 1))], {"w": WEIGHT, "b": BIAS},
         (WEIGHT, BIAS)),
        ([("Gemm", ["flat", "w", "b"], ["logits"], ("alpha", 2.0), ("beta", 3.0))],
         {"w": WEIGHT.T.copy(), "b": BIAS}, (2 * WEIGHT, 3 * BIAS)),
        ([("Gemm", ["flat", "w"], ["logits"], ("transB", 1))], {"w": WEIGHT}, (WEIGHT, 0 * BIAS)),
        ([("MatMul", ["flat", "w"], ["product"]), ("Add", ["b", "product"], ["logits"])],
         {"w": WEIGHT.T.copy(), "b": BIAS}, (WEIGHT, BIAS)),
        ([("MatMul", ["flat", "w"], ["logits"])], {"w": WEIGHT.T.copy()}, (WEIGHT, 0 * BIAS)),
        ([("Gemm", ["flat", "w", "b"], ["sum"], ("transB", 1)),
          ("LogSoftmax", ["sum"], ["logits"])],
         {"w": WEIGHT, "b": BIAS}, (WEIGHT, BIAS)),
    ],
)  # fmt: skip
def test_all_forms_of_a_linear_layer_are_read(nodes, weights, due, built, tmp_path):
    facts, opened = own.collected(built(nodes, weights), tmp_path)
    assert (facts.maps, facts.layer, facts.cells) == ("closed_form", "maps", 8)
    np.testing.assert_allclose(opened.linear[0], due[0], rtol=1e-6)
    np.testing.assert_allclose(opened.linear[1], due[1], rtol=1e-6)


def test_maps_of_each_class_need_no_linear_layer(written, tmp_path):
    facts, opened = own.collected(written(own.trained(own.ByClass)), tmp_path)
    assert facts.maps == "closed_form"
    np.testing.assert_array_equal(opened.linear[0], np.eye(5))


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (own.Flat, "the outputs are no linear layer of the mean of relu_1's maps, and ONNX has no "
         "gradients"),
        (own.NoMaps, "no layer returns maps: four dimensions, with as many rows as columns, more "
         "than one"),
    ],
)  # fmt: skip
def test_what_does_not_add_up_has_no_maps(network, said, written, tmp_path):
    facts, opened = own.collected(written(own.trained(network)), tmp_path)
    assert (facts.maps, facts.layer, facts.cells, facts.no_maps) == ("none", "", 0, said)
    shown = own.pictures()
    parts = opened.read_out(shown, torch.zeros(0, 5))
    assert set(parts) == {"scene", LAST}
    assert parts[LAST].shape == (4, 0, 0, 0)
    with torch.inference_mode():
        due = own.trained(network)(own.inputs_of(shown))
    torch.testing.assert_close(parts["scene"], due, rtol=1e-4, atol=1e-5)


def test_a_layer_can_be_asked_for(model, tmp_path):
    facts, _ = own.collected(chosen(model), tmp_path, layer="relu_1")
    assert (facts.maps, facts.layer) == ("closed_form", "relu_1")
    facts, _ = own.collected(chosen(model), tmp_path, layer="relu")
    assert facts.maps == "none"
    assert facts.no_maps.startswith("the outputs are no linear layer of the mean of relu's maps")
    with pytest.raises(ParameterError) as caught:
        own.collected(chosen(model), tmp_path, layer="layer4")
    error = own.one_line(caught, "params.explain.layer")
    assert error.found == "'layer4'"
    assert error.expected.startswith("last, ")
    assert error.expected.endswith("relu_1")


def test_a_network_of_many_layers_is_read(tmp_path):
    module = timm.create_model("test_resnet", num_classes=5).eval()
    path = own.write_onnx(module, tmp_path / "own.onnx", own.METADATA | {"input_size": 64}, size=64)
    facts, opened = own.collected(chosen(path), tmp_path)
    assert (facts.maps, facts.cells) == ("closed_form", 2)
    shown = own.pictures(size=64)
    with torch.inference_mode():
        due = module(own.inputs_of(shown))
    torch.testing.assert_close(opened.scene(shown), due, rtol=1e-3, atol=1e-4)


def test_several_threads_may_run_it(model, tmp_path):
    _, opened = own.collected(chosen(model), tmp_path)
    shown, found = own.pictures(64), {}

    def run(number):
        found[number] = opened.scene(shown[number : number + 8])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(0, 64, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, scene in found.items():
        assert torch.equal(scene, opened.scene(shown[number : number + 8]))


def test_names_and_size_as_ultralytics_writes_them_are_understood(edited, tmp_path):
    def change(content):
        del content.metadata_props[:]
        written = {"names": "{0: 'cat', 1: 'dog', 2: 'bus', 3: 'car', 4: 'cup'}"}
        own.describe_onnx(content, written | {"imgsz": "[32, 32]", "channels": "3", "task": "x"})

    declared = {key: value for key, value in own.DECLARED.items() if key != "input_size"}
    facts, _ = own.collected(edited(change, preprocessing=declared), tmp_path)
    assert facts.classes == own.CLASSES
    assert facts.preprocessing.input_size == 32
    assert facts.preprocessing.channels == "bgr"


# What is refused.


def test_a_fixed_batch_is_said(written, tmp_path):
    with pytest.raises(ClassifierError) as caught:
        own.collected(written(own.trained(own.Small), is_dynamic=False), tmp_path)
    error = own.one_line(caught, tmp_path / "own.onnx")
    assert error.found == "a batch fixed at 2"
    assert error.expected.startswith("a dynamic batch: ")


def test_weights_in_another_file_are_refused(written, tmp_path):
    settings = written(own.trained(own.Small), external=True)
    with pytest.raises(ClassifierError) as caught:
        own.collected(settings, tmp_path)
    error = own.one_line(caught, tmp_path / "own.onnx")
    assert error.found.startswith("weights in another file, such as ")
    assert error.expected == "one file: export with external_data=False"
    for path in tmp_path.glob("own.onnx?*"):
        path.unlink()
    with pytest.raises(ClassifierError, match="weights in another file"):
        own.collected(settings, tmp_path)


def test_another_number_of_classes_is_said_with_both_numbers(model, tmp_path):
    named = own.names_file(tmp_path, "abcd")
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(model, **named), tmp_path)
    error = own.one_line(caught, model)
    assert error.found == "5 outputs per picture"
    assert error.expected == "4, as there are class names"


GEMM = ("Gemm", ["flat", "w", "b"], ["logits"], ("transB", 1))
NUMBERS = {"w": WEIGHT, "b": BIAS}


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({"pictures": ("n", 32, 32, 3)}, "an input of n x 32 x 32 x 3, float"),
        ({"pictures": ("n", 3)}, "an input of n x 3, float"),
        ({"pictures": ("n", 3, 32, 48)}, "an input of n x 3 x 32 x 48"),
        ({"kind": TensorProto.UINT8}, "an input of n x 3 x 32 x 32, uint8"),
        ({"output": ("n", 5, 1)}, "an output of n x 5 x 1"),
        ({"pictures": (1, 3, 32, 32)}, "a batch fixed at 1"),
    ],
)
def test_graphs_of_another_form_are_said(how, found, built, tmp_path):
    with pytest.raises(ClassifierError) as caught:
        own.collected(built([GEMM], NUMBERS, **how), tmp_path)
    assert own.one_line(caught, tmp_path / "own.onnx").found == found


def test_more_inputs_or_outputs_than_one_are_said(edited, tmp_path):
    def one_more(values):
        values.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, ["n", 16]))

    with pytest.raises(ClassifierError, match="a graph with 2 inputs; expected one input, one out"):
        own.collected(edited(lambda content: one_more(content.graph.input)), tmp_path)
    with pytest.raises(ClassifierError, match="a graph with 2 outputs"):
        own.collected(edited(lambda content: one_more(content.graph.output)), tmp_path)


def test_an_output_of_another_form_is_said_as_it_runs(built, tmp_path):
    nodes = [(*GEMM[:2], ["sum"], *GEMM[3:]), ("Unsqueeze", ["sum", "axis"], ["logits"])]
    settings = built(nodes, NUMBERS | {"axis": np.array([2])}, output=())
    with pytest.raises(ClassifierError) as caught:
        own.collected(settings, tmp_path)
    assert own.one_line(caught).found == "an output of 1 x 5 x 1 for 1 picture"


def test_a_bound_of_an_operator_may_be_infinite(built, tmp_path):
    gemm = ("Gemm", ["bounded", "w", "b"], ["logits"], ("transB", 1))
    nodes = [("Clip", ["flat", "lowest", ""], ["bounded"]), gemm]
    weights = NUMBERS | {"lowest": np.array(-np.inf, np.float32)}
    found, _ = own.collected(built(nodes, weights), tmp_path)
    assert found.source == "onnx"


def test_an_operator_that_nobody_knows_is_said(built, tmp_path):
    with pytest.raises(ClassifierError) as caught:
        own.collected(built([("Mystery", ["flat"], ["logits"])], {}), tmp_path)
    assert own.one_line(caught, tmp_path / "own.onnx").found.startswith("cannot be loaded (")


@pytest.mark.parametrize(
    "content", [b"", b"<html>not found</html>", b"\x00" * 100, b"\x80\x02}q\x00."], ids=repr
)
def test_files_of_another_format_are_said(content, tmp_path):
    path = tmp_path / "own.onnx"
    path.write_bytes(content)
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(path), tmp_path)
    assert own.one_line(caught, path).found == "no ONNX model, or a damaged one"


def test_a_bomb_does_not_go_off(tmp_path):
    path = tmp_path / "own.onnx"
    torch.save(own.Bomb(tmp_path), path)
    with pytest.raises(ClassifierError):
        own.collected(chosen(path), tmp_path)
    path.write_bytes(own.bomb_bytes(tmp_path))
    with pytest.raises(ClassifierError):
        own.collected(chosen(path), tmp_path)
    assert not (tmp_path / own.RAN).exists()


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ClassifierError) as caught:
        own.collected(chosen(tmp_path / "own.onnx"), tmp_path)
    assert own.one_line(caught).found == "No such file or directory"


def test_metadata_of_another_kind_is_named(edited, tmp_path):
    def change(content):
        next(each for each in content.metadata_props if each.key == "mean").value = "half"

    with pytest.raises(ClassifierError) as caught:
        own.collected(edited(change), tmp_path)
    assert own.one_line(caught, tmp_path / "own.onnx").found == "metadata.mean 'half'"


def test_what_was_written_is_opened_without_the_users_file(model, tmp_path):
    path = tmp_path / "own.onnx"
    path.write_bytes(model.read_bytes())
    facts, opened = own.collected(chosen(path), tmp_path)
    path.unlink()
    shown = own.pictures()
    again = open_classifier(facts, tmp_path / "model")
    assert torch.equal(again.scene(shown), opened.scene(shown))
