"""The engines of the frozen trunk: onnxruntime and bfloat16 against torch in float32."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import smallsight
from builders.readings import opener_of
from smallsight import params
from smallsight.backbones import engine_choice, tensor_reader
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.engine import Engine, read_engine, write_engine
from smallsight.backbones.engine_choice import choose_engine
from smallsight.backbones.engine_reader import reader_of
from smallsight.backbones.networks.weight_sources import random_weights
from smallsight.backbones.networks.weights import Weights
from smallsight.backbones.onnx_export import ExportError, export_trunk
from smallsight.backbones.onnx_reader import CPU, OnnxReader, new_session
from smallsight.backbones.pooling import regions_of
from smallsight.backbones.tensor_reader import TorchReader
from smallsight.runtime.errors import ParameterError

pytestmark = pytest.mark.usefixtures("single_worker")

SIZE = 64
NETWORKS = {
    "resnet18": ("finer",),
    "efficientnet_lite0": ("finer",),
    "timm:convnext_atto": ("finer",),
    "timm:vit_tiny_patch16_224": (),
    "swin_t": ("finer",),
}
"""By network, what it gives beside the whole picture's mean and that over a box."""


def drawn(name, *, is_dilated=False):
    untrained = Weights(name, is_dilated, {}, (0.48, 0.46, 0.41), (0.23, 0.22, 0.22))
    return random_weights(untrained, np.random.default_rng(0))


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(1).integers(0, 256, (5, SIZE, SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def boxes():
    corners = np.random.default_rng(2).uniform(0, SIZE / 2, (5, 4))
    return corners + np.array([0, 0, 1, 1])


def chosen(pictures, boxes, *, weights=None, device="cpu", **settings):
    return choose_engine(
        params.Engine(**{"name": "auto", "precision": "float32"} | settings),
        weights or drawn("resnet18"), pictures, boxes, np.array(list("ababa")),
        device=torch.device(device),
    )  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_onnxruntime_reads_what_torch_reads(name, pictures, boxes):
    size = 224 if "224" in name else SIZE
    enlarged = pictures.repeat(4, axis=1).repeat(4, axis=2)
    shown = pictures if size == SIZE else enlarged[:, :size, :size]
    backbone, regions = Backbone(drawn(name)), regions_of(boxes, np.array([0, 1, 1, 3, 4]))
    found = OnnxReader(export_trunk(backbone, size=size)).read_out(shown, regions, keep_maps=True)
    due = opener_of(backbone)().read_out(shown, regions, keep_maps=True)
    assert set(found) == set(due) == {"last", "scene", "box", *NETWORKS[name]}
    for part, values in due.items():
        assert found[part].dtype == np.float32
        assert found[part].shape == values.shape
        assert np.abs(found[part] - values).max() < 2e-5 * np.abs(values).max()
        assert np.ptp(values) > 0


def test_any_number_of_pictures_is_taken_one_by_one_or_together(pictures):
    reader = OnnxReader(export_trunk(Backbone(drawn("resnet18")), size=SIZE))
    together = reader.scene(pictures)
    alone = np.concatenate([reader.scene(one[None]) for one in pictures])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert reader.scene(pictures[:, :, ::-1]).tobytes() != together.tobytes()


def test_one_call_is_computed_by_one_thread(pictures, monkeypatch):
    """Sums over several are rounded otherwise: results would depend on how many cores there are."""
    backbone = Backbone(drawn("resnet18"))
    counts, scene = [], backbone.scene

    def counted(*arguments):
        counts.append(torch.get_num_threads())
        return scene(*arguments)

    monkeypatch.setattr(backbone, "scene", counted)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        TorchReader(backbone, torch.device("cpu")).scene(pictures)
    finally:
        torch.set_num_threads(before)
    assert counts == [1]
    options = new_session(export_trunk(backbone, size=SIZE), CPU).get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


@pytest.mark.parametrize(("size", "count"), [(64, 8), (158, 8), (160, 7), (224, 4), (448, 1)])
def test_the_larger_the_pictures_the_fewer_in_a_call(size, count):
    reader = OnnxReader(export_trunk(Backbone(drawn("resnet18")), size=size))
    assert reader.batch_size == count


def test_equal_trunks_give_equal_graphs_that_name_no_place():
    one, other = (export_trunk(Backbone(drawn("resnet18")), size=SIZE) for _ in range(2))
    assert one == other
    for word in (str(Path(smallsight.__file__).parents[1]), "site-packages", "tensor_pooling"):
        assert word.encode() not in one


def test_the_first_choice_is_onnxruntime_and_says_how_near_it_is(pictures, boxes):
    engine, graph = chosen(pictures, boxes)
    assert (engine.name, engine.precision, engine.notes) == ("onnxruntime", "float32", ())
    assert engine.pictures == 5
    assert 0 < engine.difference < 1e-4
    assert OnnxReader(graph).scene(pictures).shape == (5, 512)
    assert "onnxruntime, float32" in engine.describe()
    assert "features of 5 pictures within 0.0" in engine.describe()


def test_torch_is_taken_where_it_is_asked_for(pictures, boxes):
    assert chosen(pictures, boxes, name="torch") == (Engine("torch"), b"")


def test_without_onnxruntime_torch_runs_it_and_says_so(pictures, boxes, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    engine, graph = chosen(pictures, boxes)
    assert (engine.name, graph) == ("torch", b"")
    assert "no onnxruntime" in engine.notes[0]
    with pytest.raises(ParameterError, match=r"engine\.name: no onnxruntime.*auto or torch"):
        chosen(pictures, boxes, name="onnxruntime")


def test_an_engine_that_differs_by_more_than_rounding_is_refused(pictures, boxes, monkeypatch):
    class Other(OnnxReader):
        def read_out(self, *args, **options):
            parts = super().read_out(*args, **options)
            return parts | {"box": parts["box"] * np.float32(1.001)}

    monkeypatch.setattr(engine_choice, "OnnxReader", Other)
    engine, graph = chosen(pictures, boxes)
    assert (engine.name, graph) == ("torch", b"")
    assert "differ" in engine.notes[0]


def test_what_cannot_be_exported_is_torchs(pictures, boxes):
    detector = drawn("fasterrcnn_mobilenet_v3_large_fpn")
    engine, _ = chosen(pictures, boxes, weights=detector)
    assert engine.name == "torch"
    assert "feature pyramid" in engine.notes[0]


@pytest.mark.parametrize(("due", "precision"), [(0.999, "bfloat16"), (1.001, "float32")])
def test_half_precision_is_taken_where_predictions_stay_the_same(
    pictures, boxes, due, precision, monkeypatch
):
    monkeypatch.setattr(engine_choice, "AGREEMENT", due)
    engine, graph = chosen(pictures, boxes, name="torch", precision="bfloat16")
    assert (engine.name, engine.precision, graph) == ("torch", precision, b"")
    assert (engine.pictures, engine.agreement) == (5, 1.0)
    # It was computed in bfloat16, whose steps are of about 0.4 %.
    assert 1e-4 < engine.difference < 0.1
    assert bool(engine.notes) == (precision == "float32")


def test_predictions_that_change_are_counted(pictures, boxes, monkeypatch):
    features = {"scene": np.eye(4), "box": np.eye(4)}
    moved = features | {"scene": np.eye(4)[[1, 0, 2, 3]]}
    seen = iter([features, moved])
    monkeypatch.setattr(engine_choice, "_seen", lambda *_: next(seen))
    engine = choose_engine(
        params.Engine(name="torch", precision="bfloat16"), drawn("resnet18"), pictures[:4],
        boxes[:4], np.array(list("abcd")), device=torch.device("cpu"),
    )[0]  # fmt: skip
    assert (engine.agreement, engine.precision) == (0.5, "float32")
    assert engine.notes[0] == "bfloat16 was refused: fewer than 99.9% of predictions are the same"


def test_half_precision_is_not_onnxruntimes(pictures, boxes):
    with pytest.raises(ParameterError, match="bfloat16 with onnxruntime"):
        chosen(pictures, boxes, name="onnxruntime", precision="bfloat16")


@pytest.mark.parametrize("name", ["onnxruntime", "torch"])
def test_any_trunk_is_opened_by_the_studys_engine(name, pictures):
    weights = drawn("resnet18", is_dilated=True)
    large = pictures.repeat(2, axis=1).repeat(2, axis=2)
    reader = reader_of(weights, Engine(name), size=2 * SIZE, device=torch.device("cpu"))
    assert reader.place == f"cpu by {name}"
    due = opener_of(Backbone(weights))().scene(large)
    np.testing.assert_allclose(reader.scene(large), due, atol=1e-4 * np.abs(due).max())


def test_a_size_that_the_trunk_does_not_take_cannot_be_exported():
    with pytest.raises(ExportError, match="cannot be exported"):
        export_trunk(Backbone(drawn("timm:vit_tiny_patch16_224")), size=96)


def test_what_is_written_of_an_engine_comes_back(tmp_path):
    engine = Engine("torch", "bfloat16", ("one",), 1200, 0.004, 0.9992)
    write_engine(engine, tmp_path / "engine.json")
    assert read_engine(tmp_path / "engine.json") == engine
    assert "99.92%" in engine.describe()


def test_layers_stay_in_float32_outside_of_half_precision(pictures):
    """What is pooled is pooled in float32, whatever the convolutions compute in."""
    kinds = []

    class Spy(nn.Module):
        batch_size = 8

        def __init__(self):
            super().__init__()
            self.backbone = Backbone(drawn("resnet18"))

        def scene(self, shown, names=()):
            maps = self.backbone(shown)
            kinds.append(maps.dtype)
            return maps.mean(dim=(2, 3))

    half = engine_choice.TorchReader(Spy(), torch.device("cpu"), is_half=True).scene(pictures)
    assert kinds == [torch.float32]
    assert half.dtype == np.float32


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_predicts_what_a_cpu_predicts(pictures, boxes):
    backbone = Backbone(drawn("resnet18"))
    regions = regions_of(boxes, np.arange(5))
    due = opener_of(Backbone(drawn("resnet18")))().read_out(pictures, regions, keep_maps=True)
    reader = engine_choice.TorchReader(backbone, torch.device("cuda"))
    found = reader.read_out(pictures, regions, keep_maps=True)
    assert {part: values.shape for part, values in found.items()} == {
        part: values.shape for part, values in due.items()
    }
    for part, values in due.items():
        assert np.abs(found[part] - values).max() < 2e-3 * np.abs(values).max()


def test_no_part_that_a_gpu_computed_holds_the_others(pictures, boxes):
    backbone, regions = Backbone(drawn("resnet18")), torch.from_numpy(regions_of(boxes, range(5)))
    reader = engine_choice.TorchReader(backbone, torch.device("cpu"))
    found = reader._on_gpu(
        lambda shown, names: backbone.read_out(shown, regions, names),
        torch.from_numpy(pictures),
        (),
    )
    due = reader.read_out(pictures, regions.numpy(), keep_maps=True)
    for name, part in found.items():
        assert part.flags.owndata
        np.testing.assert_array_equal(part, due[name])


@pytest.mark.parametrize(("count", "filled"), [(1, 128), (5, 128), (128, 128), (129, 256)])
def test_a_gpu_is_always_shown_whole_batches(count, filled):
    pictures = torch.arange(count).to(torch.uint8).view(count, 1, 1, 1).expand(-1, 4, 4, 3)
    names = [(f"picture {number}", "") for number in range(count)]
    shown, named = tensor_reader._filled_up(pictures, names)
    assert shown[:, 0, 0, 0].tolist() == [min(number, count - 1) for number in range(filled)]
    assert [name for name, _ in named] == [f"picture {one}" for one in shown[:, 0, 0, 0].tolist()]
    assert tensor_reader._filled_up(pictures, ())[1] == []
