"""Names and folders of timm's; what its networks compute, `test_every_network` checks."""

import json

import pytest
import timm
import torch
from timm.models import save_for_hf
from torch import nn

from smallsight import params
from smallsight.backbones.backbone import Backbone
from smallsight.backbones.facts import LAST
from smallsight.backbones.networks import timm_models
from smallsight.backbones.networks.weight_sources import load_weights, preview_weights
from smallsight.backbones.probe import find_facts
from smallsight.runtime.errors import DownloadError, ParameterError, WeightsError
from smallsight.runtime.files import sha256

LOADS = pytest.mark.parametrize("load", [load_weights, preview_weights])
MEAN, STD = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)


def settings(name, **update):
    chosen = {"weights": "random", "checkpoint": "none", "input_size": "auto", "dilated": False}
    return params.Backbone(name=name, **(chosen | update))


def refused(load, error, *arguments, **update):
    with pytest.raises(error) as caught:
        load(settings(*arguments, **update), seed=0)
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


# Names.


@LOADS
@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("resnet81", "resnet18"),
        ("convnext_ato", "convnext_atto"),
        ("vit_tiny", "vit_tiny_patch16_224"),
        ("swin_t", "swin_tiny_patch4_window7_224"),
        ("resnet18.no_such_tag", "resnet18"),
    ],
)
def test_an_unknown_name_is_one_line_that_lists_near_ones(load, name, near):
    error = refused(load, ParameterError, f"timm:{name}")
    assert error.where == "params.backbone.name"
    assert error.found.startswith(f"'timm:{name}'")
    listed = error.expected.removeprefix("one of timm's networks, such as ").split(", ")
    assert near in listed
    assert len(listed) <= 8
    assert set(listed) <= set(timm.list_models())


def test_a_name_like_no_other_is_one_line():
    assert refused(load_weights, ParameterError, "timm:qqq").expected == "one of timm's networks"


@pytest.mark.parametrize("name", ["hf-hub:timm/resnet18.a1_in1k", "hf_hub:timm/resnet18", "x:y"])
def test_networks_that_only_a_hub_knows_are_refused_without_asking_it(name, monkeypatch):
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: pytest.fail("it was made"))
    error = refused(preview_weights, ParameterError, f"timm:{name}")
    assert error.found == f"'timm:{name}'"
    assert "local-dir:<folder>" in error.expected


@pytest.mark.parametrize(
    "name",
    ["resnet18.a1_in1k", "convnext_atto.d2_in1k", "vit_tiny_patch16_224.augreg_in21k_ft_in1k",
     "mobilenetv3_small_050.lamb_in1k", "test_vit.r160_in1k"],
)  # fmt: skip
def test_preprocessing_is_that_of_timms_pretrained_configuration(name):
    due = timm.get_pretrained_cfg(name)
    found = timm_models.preprocessing(name)
    assert (3, found.input_size, found.input_size) == due.input_size
    assert (found.mean, found.std) == (due.mean, due.std)
    assert found.interpolation == due.interpolation


# Anatomies.


def test_stages_that_are_no_submodules_are_left_out():
    with torch.device("meta"):
        plain = timm_models.make("resnet18")
        without = timm_models.make("mvitv2_tiny")
    assert plain.layers == ("act1", "layer1", "layer2", "layer3", "layer4")
    assert without.layers == ()


@pytest.mark.parametrize(
    ("name", "norm"),
    [("convnext_atto", "head.norm"), ("test_vit2", "fc_norm"), ("resnet18", None),
     ("test_vit", None), ("inception_next_atto", None)],
)  # fmt: skip
def test_what_is_normalised_after_pooling_is_found_but_no_hidden_layers_norm(name, norm):
    with torch.device("meta"):
        network = timm_models.make(name)
    assert network.norm is (norm and network.module.get_submodule(norm))


@pytest.mark.parametrize(
    ("name", "classifiers"),
    [("resnet18", ("fc",)), ("convnext_atto", ("head.fc",)),
     ("deit_tiny_distilled_patch16_224", ("head", "head_dist"))],
)  # fmt: skip
def test_all_last_layers_are_unused(name, classifiers):
    with torch.device("meta"):
        network = timm_models.make(name)
    assert network.unused == classifiers
    assert network.last_layer == classifiers[0]
    assert all(isinstance(network.module.get_submodule(part), nn.Linear) for part in classifiers)


def test_tokens_that_join_late_are_not_taken_off_before():
    with torch.device("meta"):
        layout = timm_models.make("cait_xxs24_224").layout
    places = torch.arange(2 * 16 * 3.0).view(2, 16, 3)
    due = places.view(2, 4, 4, 3).movedim(-1, 1)
    assert torch.equal(layout(places), due)
    assert torch.equal(layout(torch.cat([torch.zeros(2, 1, 3), places], dim=1)), due)


@pytest.mark.parametrize(
    ("name", "reason"), [("coat_tiny", "'list' object"), ("volo_d1_224", "unflatten")]
)
def test_a_network_without_maps_is_one_line(name, reason):
    chosen = settings(f"timm:{name}")
    loaded = load_weights(chosen, seed=0)
    with pytest.raises(ParameterError) as caught:
        find_facts(chosen, loaded)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == "params.backbone.name"
    assert f"'timm:{name}'" in caught.value.found
    assert reason in caught.value.found


# Published weights.


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            ConnectionError("no route to the hub\nand more lines"),
            "no route to the hub and more lines",
        ),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_a_hub_that_does_not_answer_is_one_line(monkeypatch, error, reason):
    def nothing(*_, **__):
        raise error

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", nothing)
    found = refused(load_weights, DownloadError, "timm:test_resnet.r160_in1k", weights="imagenet")
    assert found.where == "timm, test_resnet.r160_in1k"
    assert found.found == reason
    assert found.expected == (
        "published weights; without a network: a folder of timm's, as timm:local-dir:<folder>, "
        "or a checkpoint"
    )


def test_what_the_hub_sends_is_loaded_strictly(monkeypatch):
    with torch.random.fork_rng():
        torch.manual_seed(2)
        whole = timm.create_model("test_resnet").state_dict()
    asked = []

    def send(place, **_):
        asked.append(place)
        return dict(whole)

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", send)
    chosen = settings("timm:test_resnet.r160_in1k", weights="imagenet")
    loaded = load_weights(chosen, seed=0)
    assert asked == ["timm/test_resnet.r160_in1k"]
    assert whole.keys() - loaded.weights.state.keys() == {"fc.weight", "fc.bias"}
    assert all(torch.equal(value, whole[key]) for key, value in loaded.weights.state.items())
    assert loaded.source == f"timm {timm.__version__}, timm/test_resnet.r160_in1k"
    digest = loaded.sha256
    whole["fc.bias"] = whole["fc.bias"] + 1
    assert load_weights(chosen, seed=0).sha256 != digest
    del whole["layer1.0.conv1.weight"]
    assert "layer1.0.conv1.weight" in str(refused(load_weights, DownloadError, chosen.name,
                                                  weights="imagenet"))  # fmt: skip


def test_tensors_that_share_memory_have_a_hash(monkeypatch):
    module = timm.create_model("test_resnet")
    module.bn1.running_var = module.bn1.running_mean
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: module)
    assert len(timm_models.published("test_resnet").sha256) == 64


def test_a_network_without_published_weights_is_one_line():
    assert not timm.is_model_pretrained("convnext_atto_rms")
    error = refused(load_weights, DownloadError, "timm:convnext_atto_rms", weights="imagenet")
    assert "No pretrained weights" in error.found


# Folders.


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A network as timm itself saves it, of three classes and another preprocessing."""
    folder = tmp_path_factory.mktemp("mine") / "vit"
    with torch.random.fork_rng():
        torch.manual_seed(4)
        network = timm.create_model("test_vit", num_classes=3, img_size=96).eval()
    changed = {"mean": MEAN, "std": STD, "input_size": (3, 96, 96), "interpolation": "bilinear"}
    save_for_hf(network, folder, model_config={"pretrained_cfg": network.pretrained_cfg | changed},
                model_args={"img_size": 96}, safe_serialization=True)  # fmt: skip
    return folder, network


def in_folder(folder, **update):
    return settings(
        f"timm:local-dir:{folder}",
        **({"weights": "checkpoint", "checkpoint": str(folder)} | update),
    )


@LOADS
def test_a_folder_of_timms_is_loaded_with_its_own_configuration(load, saved, noise):
    folder, network = saved
    loaded = load(in_folder(folder), seed=0)
    due = {key: part for key, part in network.state_dict().items() if not key.startswith("head.")}
    assert loaded.weights.state.keys() == due.keys()
    assert all(torch.equal(part, due[key]) for key, part in loaded.weights.state.items())
    assert (loaded.weights.mean, loaded.weights.std) == (MEAN, STD)
    assert loaded.preprocessing.input_size == 96
    assert loaded.preprocessing.interpolation == "bilinear"
    # No path: it differs from machine to machine.
    assert loaded.source == f"timm {timm.__version__}, vit"
    assert loaded.sha256 == sha256(folder / "model.safetensors")
    picture = torch.from_numpy(noise(96, 96)[None].copy())
    backbone = Backbone(loaded.weights)
    inputs = (torch.movedim(picture, 3, 1) / 255 - torch.tensor(MEAN)[:, None, None]) / (
        torch.tensor(STD)[:, None, None]
    )
    with torch.inference_mode():
        expected = network.forward_features(inputs)[:, 1:].mean(dim=1)
        found = backbone(picture).mean(dim=(2, 3))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    facts = find_facts(in_folder(folder), loaded)
    assert (facts.input_size, facts.cells[LAST], facts.readouts["scene"]) == (96, 6, 64)


@LOADS
@pytest.mark.parametrize("weights", ["checkpoint", "random"])
def test_the_checkpoint_must_name_the_folder(load, saved, weights):
    folder, _ = saved
    with pytest.raises(ParameterError) as caught:
        load(in_folder(folder, checkpoint="examples/checkpoint", weights=weights), seed=0)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == "params.backbone.checkpoint"
    assert caught.value.found == "'examples/checkpoint'"
    assert caught.value.expected.startswith(str(folder))


def test_a_folder_has_no_weights_of_imagenet(saved):
    with pytest.raises(ParameterError) as caught:
        load_weights(in_folder(saved[0], weights="imagenet"), seed=0)
    assert caught.value.expected.startswith("one of random, checkpoint;")


@pytest.mark.parametrize("content", [None, "{", "{}", '{"architecture": "no_such_network"}', "[]"])
def test_a_folder_that_is_none_of_timms_is_one_line(tmp_path, content):
    if content is not None:
        tmp_path.joinpath("config.json").write_text(content)
    with pytest.raises(ParameterError) as caught:
        load_weights(in_folder(tmp_path), seed=0)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == "params.backbone.name"


@pytest.mark.parametrize("damage", ["missing", "truncated", "other"])
def test_weights_in_a_folder_that_do_not_fit_are_one_line(tmp_path, saved, damage):
    folder, _ = saved
    config = json.loads(folder.joinpath("config.json").read_text())
    if damage == "other":
        config["model_args"]["depth"] = 7
    tmp_path.joinpath("config.json").write_text(json.dumps(config))
    if damage != "missing":
        content = folder.joinpath("model.safetensors").read_bytes()
        part = content[: len(content) // 2] if damage == "truncated" else content
        tmp_path.joinpath("model.safetensors").write_bytes(part)
    with pytest.raises(WeightsError) as caught:
        load_weights(in_folder(tmp_path), seed=0)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.where == str(tmp_path)
