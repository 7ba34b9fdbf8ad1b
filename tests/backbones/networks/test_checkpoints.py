import itertools
import math
from argparse import Namespace

import pytest
import safetensors.torch
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torchvision.models import get_model

from smallsight.backbones.networks.checkpoints import Checkpoint, read_checkpoint
from smallsight.backbones.networks.fitting import Fitted, fit_state
from smallsight.runtime.errors import WeightsError

NESTED = [("model", "state_dict"), ("state_dict", "model"), ("ema", "state_dict"),
          ("state", "model", "ema")]  # fmt: skip
CONTAINERS = [("state_dict",), ("model",), ("model_state_dict",), ("ema",), ("state",), *NESTED]
PARTS = ("module.", "model.", "backbone.", "encoder.", "_orig_mod.")
PREFIXES = [*PARTS, *map("".join, itertools.permutations(PARTS, 2)), "module.model._orig_mod.",
            "".join(PARTS), "model.model.", "module.module."]  # fmt: skip


class Tiny(nn.Module):
    """A convolution, a normalisation and a last layer."""

    def __init__(self, classes=4):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3)
        self.bn = nn.BatchNorm2d(5)
        self.fc = nn.Linear(5, classes)


def trained(make):
    """Make a network whose statistics are not the first ones."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = make()
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.uniform_(-0.1, 0.1)
                layer.running_var.uniform_(0.5, 1.5)
                layer.num_batches_tracked.fill_(123)
    return network


def trunk_of(state, last="fc"):
    """The entries beside the last layer: what must come out."""
    return {name: value for name, value in state.items() if not name.startswith(f"{last}.")}


def put_before(prefix, state):
    return {prefix + name: value for name, value in state.items()}


@pytest.fixture(scope="module")
def network():
    return trained(lambda: get_model("resnet18", num_classes=3))


@pytest.fixture(scope="module")
def state(network):
    return network.state_dict()


@pytest.fixture(scope="module")
def blank():
    """What another resnet18 has before weights are loaded, without its last layer."""
    return trunk_of(get_model("resnet18", num_classes=3).state_dict())


@pytest.fixture(scope="module")
def tiny():
    return trained(Tiny).state_dict()


@pytest.fixture
def saved(tmp_path):
    """Save what is given, and return where."""

    def save(content, name="w.pth", **how):
        torch.save(content, tmp_path / name, **how)
        return tmp_path / name

    return save


def load(path, expected, last_layer="fc", network="Net"):
    return fit_state(
        read_checkpoint(path), expected, unused=(last_layer,), path=path, network=network
    )


def fit_tiny(state, expected=None, opened=()):
    """Fit a state, as if read from a file, to a Tiny that was never trained."""
    expected = trunk_of(Tiny().state_dict()) if expected is None else expected
    checkpoint = Checkpoint(state, opened=opened, mean=None, std=None)
    return fit_state(checkpoint, expected, unused=("fc",), path="w.pth", network="Tiny")


def complaint(act, *given, **named):
    with pytest.raises(WeightsError) as caught:
        act(*given, **named)
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def assert_same(fitted, due):
    """Equal names in equal order, equal kinds and equal values."""
    assert isinstance(fitted, Fitted)
    assert list(fitted.state) == list(due)
    for name, value in due.items():
        assert fitted.state[name].dtype == value.dtype
        assert torch.equal(fitted.state[name], value)


# A whole network.


def test_a_whole_state_is_fitted_in_the_networks_order(saved, state, blank):
    shuffled = dict(sorted(state.items()))
    assert list(shuffled) != list(state)
    fitted = load(saved(shuffled), blank)
    assert_same(fitted, trunk_of(state))
    assert fitted.notes == ("left out `fc.` of 3 classes",)


def test_what_is_fitted_is_loaded_strictly_and_computes_the_same(saved, network, state, blank):
    fitted = load(saved(nn.DataParallel(network).state_dict()), blank)
    again = get_model("resnet18", num_classes=3)
    again.fc, trunk = nn.Identity(), network.eval()
    again.load_state_dict(fitted.state, strict=True)
    picture = torch.linspace(-2, 2, 3 * 64 * 64).reshape(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(trunk.fc(again.eval()(picture)), trunk(picture))


@pytest.mark.parametrize("classes", [1, 1000])
def test_any_number_of_classes_is_left_out(tiny, classes):
    fitted = fit_tiny(Tiny(classes).state_dict() | trunk_of(tiny))
    assert_same(fitted, trunk_of(tiny))
    assert fitted.notes == (f"left out `fc.` of {classes} classes",)


def test_a_last_layer_may_be_missing_or_anything(tiny):
    trunk = trunk_of(tiny)
    assert fit_tiny(trunk).notes == ()
    assert_same(fit_tiny(trunk), trunk)
    for norm in (torch.ones(5), torch.tensor(1.0)):
        assert fit_tiny(trunk | {"fc.weight": norm}).notes == ("left out `fc.`",)
    deep = {"fc.0.weight": torch.ones(8, 5), "fc.1.running_mean": torch.full((8,), math.nan)}
    assert_same(fit_tiny(trunk | deep), trunk)
    assert fit_tiny(trunk | deep).notes == ("left out `fc.`",)


@pytest.mark.parametrize(
    ("architecture", "last_layer"),
    [("convnext_tiny", "classifier.2"), ("efficientnet_b0", "classifier.1"),
     ("vit_b_16", "heads.head"), ("swin_t", "head")],
)  # fmt: skip
@pytest.mark.parametrize("prefix", ["", "module.", "encoder."])
def test_names_of_other_networks_are_fitted(architecture, last_layer, prefix):
    # The names of a ViT's blocks begin with `encoder.` of their own, and ConvNeXt keeps a
    # normalisation beside its last layer.
    with torch.device("meta"):
        names = get_model(architecture).state_dict()
    values = {
        name: torch.full(value.shape[:1], number).to(value.dtype)
        for number, (name, value) in enumerate(names.items())
    }
    fitted = fit_state(
        Checkpoint(put_before(prefix, values), opened=(), mean=None, std=None),
        {name: torch.zeros_like(value) for name, value in trunk_of(values, last_layer).items()},
        unused=(last_layer,),
        path="w.pth",
        network=architecture,
    )
    assert_same(fitted, trunk_of(values, last_layer))
    taken_off = [f"prefix `{prefix}` taken off {len(names)} names"] if prefix else []
    assert list(fitted.notes[:-1]) == taken_off
    assert fitted.notes[-1].startswith(f"left out `{last_layer}.`")


def test_a_fitted_state_has_memory_of_its_own(saved, tiny):
    flat = torch.cat([value.flatten().float() for value in tiny.values()])
    views, start = {}, 0
    for name, value in tiny.items():
        views[name] = flat[start : start + value.numel()].view(value.shape)
        start += value.numel()
    fitted = load(saved(views), trunk_of(Tiny().state_dict()))
    for name, value in fitted.state.items():
        assert value.untyped_storage().nbytes() == value.numel() * value.element_size()
        assert torch.equal(value.float(), views[name]) or name.endswith("num_batches_tracked")
        value.fill_(7)
    assert not any((value == 7).any() for value in views.values())


def test_parameters_are_read_as_plain_tensors(saved):
    network = trained(Tiny)
    named = dict(network.named_parameters()) | dict(network.named_buffers())
    fitted = load(saved(named), trunk_of(Tiny().state_dict()))
    assert_same(fitted, trunk_of(network.state_dict()))
    assert not any(value.requires_grad for value in fitted.state.values())


# Prefixes.


@pytest.mark.parametrize("prefix", PREFIXES)
def test_prefixes_are_taken_off_in_any_nesting(tiny, prefix):
    fitted = fit_tiny(put_before(prefix, tiny))
    assert_same(fitted, trunk_of(tiny))
    assert fitted.notes == (
        f"prefix `{prefix}` taken off 9 names",
        "left out `fc.` of 4 classes",
    )


def test_what_data_parallel_and_compile_save_is_fitted(saved, network, state, blank):
    wrapped = {
        "module.": nn.DataParallel(network),
        "_orig_mod.": torch.compile(network),
        "_orig_mod.module.": torch.compile(nn.DataParallel(network)),
        "module._orig_mod.": nn.DataParallel(torch.compile(network)),
    }
    for prefix, module in wrapped.items():
        fitted = load(saved({"epoch": 90, "state_dict": module.state_dict()}), blank)
        assert_same(fitted, trunk_of(state))
        assert fitted.notes[:2] == ("opened `state_dict`", f"prefix `{prefix}` taken off 122 names")


def test_a_last_layer_beside_the_prefix_is_left_out(tiny):
    # A trunk under a name of its own, and a head of the user's beside it.
    beside = put_before("model.backbone.", trunk_of(tiny))
    for head in ("fc.weight", "model.fc.weight", "model.backbone.fc.weight"):
        fitted = fit_tiny(beside | {head: torch.ones(6, 5)})
        assert_same(fitted, trunk_of(tiny))
        assert fitted.notes[-1] == "left out `fc.` of 6 classes"
    error = complaint(fit_tiny, beside | {"encoder.fc.weight": torch.ones(6, 5)})
    assert error.found == "left over encoder.fc.weight"


@pytest.mark.parametrize("own", ["encoder.", "backbone.", "module.model."])
@pytest.mark.parametrize("before", ["", "module.", "encoder."])
def test_the_networks_own_prefixes_stay(tiny, own, before):
    network = put_before(own, trunk_of(tiny)) | {"stem.weight": torch.ones(2)}
    fitted = fit_tiny(put_before(before, network), expected=network)
    assert_same(fitted, network)
    assert fitted.notes == ((f"prefix `{before}` taken off 8 names",) if before else ())


def test_a_prefix_that_the_network_needs_is_not_guessed(tiny):
    network = put_before("encoder.", trunk_of(tiny))
    error = complaint(fit_tiny, trunk_of(tiny), expected=network)
    assert error.found.startswith("missing encoder.conv.weight and ")
    assert "left over conv.weight and 6 more" in error.found
    # One name fits with the prefix as well as without it.
    both = {"bias": torch.ones(5), "encoder.bias": torch.ones(5)}
    error = complaint(fit_tiny, {"encoder.bias": torch.ones(5)}, expected=both)
    assert error.found == "missing bias"


@pytest.mark.parametrize(
    ("prefix", "beside"),
    [("model.", "criterion.weight"), ("encoder.", "projector.0.weight"), ("", "module.conv.bias"),
     ("module.", "conv.bias"), ("model.", "model.fcn.weight"), ("", "queue")],
)  # fmt: skip
def test_what_is_left_over_is_named_as_in_the_file(saved, tiny, prefix, beside):
    content = put_before(prefix, tiny) | {beside: torch.ones(5)}
    path = saved({"state_dict": content})
    error = complaint(load, path, trunk_of(tiny))
    assert error.found == f"in `state_dict`: left over {beside}"
    assert error.where == str(path)
    assert error.expected == "the 7 entries of Net without its last layer"


def test_an_unknown_prefix_is_said(tiny):
    for prefix in ("net.", "module.net.", "net.module.", "encoder_q."):
        error = complaint(fit_tiny, put_before(prefix, tiny), opened=("state_dict",))
        assert error.found == f"in `state_dict`: names under the prefix `{prefix}`"
        assert error.expected.startswith("the names of Tiny, alone or under module., model.")
        # Others beside it do not hide it.
        beside = put_before("head.", {"conv.weight": torch.ones(1)})
        assert prefix in complaint(fit_tiny, put_before(prefix, tiny) | beside).found
    # That few names are alike in another network makes none.
    error = complaint(fit_tiny, put_before("block.", {"conv.weight": torch.ones(1)}))
    assert error.found.endswith("left over block.conv.weight")


# Keys under which a state lies.


@pytest.mark.parametrize("keys", CONTAINERS, ids=".".join)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_containers_are_opened_in_any_nesting(saved, tiny, keys, prefix):
    content = put_before(prefix, tiny)
    for key in reversed(keys):
        content = {
            "epoch": 3,
            "best": torch.ones(1),
            key: content,
            "optimizer": {"state": {0: {"step": torch.ones(1)}}},
        }
    path = saved(content)
    checkpoint = read_checkpoint(path)
    assert (checkpoint.opened, checkpoint.passed_over) == (keys, ())
    assert (checkpoint.mean, checkpoint.std) == (None, None)
    fitted = load(path, trunk_of(Tiny().state_dict()))
    assert_same(fitted, trunk_of(tiny))
    assert fitted.notes[0] == f"opened `{'.'.join(keys)}`"


def test_averaged_weights_come_before_others_and_both_are_noted(saved, tiny):
    doubled = {name: 2 * value for name, value in tiny.items()}
    path = saved({"model": {"state_dict": doubled}, "state": doubled, "ema": tiny})
    checkpoint = read_checkpoint(path)
    assert (checkpoint.opened, checkpoint.passed_over) == (
        ("ema",),
        ("model.state_dict", "state"),
    )
    fitted = load(path, trunk_of(tiny))
    assert_same(fitted, trunk_of(tiny))
    assert fitted.notes[0] == "opened `ema` rather than `model.state_dict`, `state`"


def test_containers_come_in_one_order(saved, tiny):
    order = ["ema", "state_dict", "model_state_dict", "model", "state"]
    for first, second in itertools.combinations(order, 2):
        checkpoint = read_checkpoint(saved({second: tiny, first: tiny}))
        assert (checkpoint.opened, checkpoint.passed_over) == ((first,), (second,))


@pytest.mark.parametrize("ema", [None, {}, {"decay": 0.999}, "off", 3], ids=repr)
def test_a_key_without_a_state_is_no_container(saved, tiny, ema):
    checkpoint = read_checkpoint(saved({"ema": ema, "model": tiny, "state_dict": "resnet"}))
    assert (checkpoint.opened, checkpoint.passed_over) == (("model",), ())


def test_what_torchs_averaged_model_saves_is_fitted(saved, network, state, blank):
    averaged = AveragedModel(nn.DataParallel(network))
    content = averaged.state_dict()
    assert "n_averaged" in content
    fitted = load(saved({"ema": content, "model": state}), blank)
    assert_same(fitted, trunk_of(state))
    assert fitted.notes == (
        "opened `ema` rather than `model`",
        "prefix `module.module.` taken off 122 names",
        "left out `fc.` of 3 classes",
        "left out the counter `n_averaged`",
    )


def test_averages_of_parameters_alone_are_no_state(saved, tiny):
    shadow = {name: value for name, value in tiny.items() if not name.startswith("bn.running")}
    error = complaint(load, saved({"ema": shadow, "model": tiny}), trunk_of(tiny))
    assert error.found == "in `ema`: missing bn.running_mean and 1 more"


def test_what_lightning_saves_is_fitted(saved, tiny):
    content = {"epoch": 1, "global_step": 70, "pytorch-lightning_version": "2.5.0",
               "state_dict": put_before("model.", tiny), "loops": {"fit_loop": {"state_dict": {}}},
               "callbacks": {}, "optimizer_states": [{"state": {0: {"step": torch.ones(1)}}}],
               "lr_schedulers": [], "hyper_parameters": {"lr": 0.1}}  # fmt: skip
    fitted = load(saved(content, "last.ckpt"), trunk_of(tiny))
    assert_same(fitted, trunk_of(tiny))
    assert fitted.notes[:2] == ("opened `state_dict`", "prefix `model.` taken off 9 names")


def test_tensors_under_an_unknown_key_are_said(saved, tiny):
    path = saved({"epoch": 3, "best": torch.ones(1), "weights": {"state_dict": tiny}})
    error = complaint(read_checkpoint, path)
    assert error.found == "its tensors lie under `weights`"
    assert "state_dict, model_state_dict, model" in error.expected


# Normalisation beside the state.


def as_picture(values):
    return torch.tensor(values).view(1, 3, 1, 1)


@pytest.mark.parametrize("kind", [list, tuple, torch.tensor, as_picture])
def test_normalisation_beside_the_state_is_read(saved, tiny, kind):
    beside = {"mean": kind([0.5, -0.25, 0]), "std": kind([0.5, 1.0, 255])}
    for content in ({"state": tiny} | beside, {"model": {"state_dict": tiny}} | beside,
                    {"model": {"state_dict": tiny} | beside}):  # fmt: skip
        checkpoint = read_checkpoint(saved(content))
        assert (checkpoint.mean, checkpoint.std) == ((0.5, -0.25, 0.0), (0.5, 1.0, 255.0))


def test_the_normalisation_nearest_to_the_state_counts(saved, tiny):
    inner = {"state_dict": tiny, "mean": [0.1, 0.2, 0.3]}
    checkpoint = read_checkpoint(saved({"model": inner, "mean": [0.5] * 3, "std": [2.0] * 3}))
    assert (checkpoint.mean, checkpoint.std) == ((0.1, 0.2, 0.3), (2.0, 2.0, 2.0))


@pytest.mark.parametrize(
    "wrong",
    [{"mean": 0.5}, {"mean": [0.5]}, {"mean": [0.5, 0.5, math.inf]}, {"mean": None}, {"mean": {}},
     {"std": ["a", "b", "c"]}, {"std": [0.0, 1.0, 1.0]}, {"std": [1.0, math.nan, 1.0]},
     {"std": [-1.0, 1.0, 1.0]}, {"std": torch.ones(4)}, {"mean": [10**400, 0, 0]}],
    ids=lambda wrong: repr(wrong)[:40],
)  # fmt: skip
def test_a_normalisation_that_is_none_is_named(saved, tiny, wrong):
    (key,) = wrong
    error = complaint(read_checkpoint, saved({"state": tiny} | wrong))
    assert error.found.startswith(f"{key} ")
    assert error.expected == "three finite numbers" + (" above 0" if key == "std" else "")


# Precision and kinds of numbers.


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_other_precisions_become_float32(tmp_path, tiny, precision, name):
    converted = {
        key: value.to(precision) if value.is_floating_point() else value
        for key, value in tiny.items()
    }
    save = safetensors.torch.save_file if name.endswith("safetensors") else torch.save
    save(converted, tmp_path / name)
    checkpoint = read_checkpoint(tmp_path / name)
    for key, value in converted.items():
        counts = key.endswith("num_batches_tracked")
        assert checkpoint.state[key].dtype == (torch.int64 if counts else torch.float32)
        assert torch.equal(checkpoint.state[key].double(), value.double())
    due = {key: checkpoint.state[key] for key in trunk_of(tiny)}
    assert_same(load(tmp_path / name, trunk_of(Tiny().state_dict())), due)
    assert due["bn.num_batches_tracked"] == 123


def test_counters_that_are_no_whole_numbers_or_missing_are_put_in(tiny):
    # Files of old have none, and a file halved as a whole has them in half precision.
    fresh = trunk_of(Tiny().state_dict())
    missing = {name: value for name, value in tiny.items() if not name.endswith("_tracked")}
    due = trunk_of(tiny) | {"bn.num_batches_tracked": torch.tensor(0)}
    for state in (missing, tiny | {"bn.num_batches_tracked": torch.tensor(math.inf)}):
        fitted = fit_tiny(state, fresh)
        assert_same(fitted, due)
        assert fitted.notes[-1] == "put in counters `num_batches_tracked`: 1"


def test_whole_numbers_are_kept_where_they_are_due(tiny):
    index = torch.arange(6).view(2, 3)
    for found in (index, index.int(), index.float()):
        fitted = fit_tiny(tiny | {"index": found}, trunk_of(tiny) | {"index": index})
        assert_same(fitted, trunk_of(tiny) | {"index": index})
    for found in (index + 0.5, index * math.nan):
        error = complaint(fit_tiny, tiny | {"index": found}, trunk_of(tiny) | {"index": index})
        assert (error.found, error.expected) == ("index holds float32", "int64")


@pytest.mark.parametrize("kind", [torch.int8, torch.complex64])
def test_weights_of_another_kind_are_named(tiny, kind):
    error = complaint(fit_tiny, tiny | {"conv.weight": torch.ones(5, 3, 3, 3, dtype=kind)})
    assert error.found == f"conv.weight holds {str(kind).removeprefix('torch.')}"
    assert error.expected == "float32"


# Values that no network can use.


def test_nan_in_running_statistics_is_named(saved, state, blank):
    damaged = {name: value.clone() for name, value in state.items()}
    damaged["layer4.1.bn2.running_var"][:] = math.nan
    damaged["layer4.1.bn2.running_mean"][3] = math.nan
    path = saved(put_before("module.", damaged))
    error = complaint(load, path, blank)
    assert error.found == "layer4.1.bn2.running_mean holds NaN"
    assert str(error).startswith(f"weights error: {path}: layer4.1.bn2.running_mean holds NaN;")


@pytest.mark.parametrize("name", ["conv.weight", "bn.running_var", "bn.bias"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_first_entry_that_is_not_finite_is_named(tiny, name, value):
    damaged = {key: entry.clone() for key, entry in tiny.items()}
    damaged[name].view(-1)[-1] = value
    error = complaint(fit_tiny, damaged)
    assert error.found == f"{name} holds {'NaN' if math.isnan(value) else 'infinity'}"


def test_half_precision_that_ran_over_is_named(saved, tiny):
    state = tiny | {"bn.running_var": torch.full((5,), 70_000.0).half()}
    error = complaint(load, saved(state), trunk_of(tiny))
    assert error.found == "bn.running_var holds infinity"


# Other networks.


def test_a_wrong_shape_is_named_with_both_shapes(state, blank):
    wrong = state | {"conv1.weight": torch.zeros(64, 3, 3, 3)}
    error = complaint(fit_tiny, wrong, blank)
    assert (error.found, error.expected) == ("conv1.weight: 64x3x3x3", "64x3x7x7")
    error = complaint(fit_tiny, state | {"bn1.num_batches_tracked": torch.tensor([1, 2])}, blank)
    assert (error.found, error.expected) == ("bn1.num_batches_tracked: 2", "a number")


@pytest.mark.parametrize("name", ["layer2.0.bn1.bias", "layer4.1.bn2.running_var"])
def test_a_missing_entry_is_named_as_in_the_network(state, blank, name):
    part = {key: value for key, value in put_before("module.", state).items() if name not in key}
    assert complaint(fit_tiny, part, blank).found == f"missing {name}"


def test_another_network_is_told_by_what_it_has_more(saved, blank):
    path = saved(get_model("resnet34").state_dict())
    error = complaint(load, path, blank, network="torchvision's ResNet18")
    # A resnet34 has 3, 4, 6 and 3 blocks of 12 entries, a resnet18 has 2 each.
    assert error.found == f"left over layer1.2.conv1.weight and {(1 + 2 + 4 + 1) * 12 - 1} more"
    assert error.expected == "the 120 entries of torchvision's ResNet18 without its last layer"


def test_a_whole_network_keeps_its_last_layer(tiny):
    def fit(state):
        return fit_state(
            Checkpoint(state, (), None, None), tiny, unused=(), path="w.pth", network="Tiny"
        )

    assert_same(fit(put_before("module.", tiny)), tiny)
    error = complaint(fit, trunk_of(tiny))
    assert (error.found, error.expected) == (
        "missing fc.weight and 1 more",
        "the 9 entries of Tiny",
    )


def test_another_network_is_told_by_what_it_lacks(saved, state, tiny):
    trunk = trunk_of(get_model("resnet34").state_dict())
    error = complaint(load, saved(state), trunk)
    assert error.found == f"missing layer1.2.conv1.weight and {8 * (12 - 2) - 1} more"
    error = complaint(fit_tiny, state, trunk_of(tiny))
    assert error.found == "missing conv.weight and 5 more, left over conv1.weight and 119 more"


# Files that are no state.


class Dangerous:
    def __reduce__(self):
        return (print, ("this code must not run",))


@pytest.mark.parametrize(
    ("content", "named"),
    [(get_model("squeezenet1_0"), "torchvision.models.squeezenet.SqueezeNet"),
     ({"model": nn.Linear(2, 3), "epoch": 3}, "torch.nn.modules.linear.Linear"),
     ({"state_dict": {}, "args": Namespace(lr=1)}, "argparse.Namespace"),
     ({"state_dict": Dangerous()}, "print")],
    ids=["module", "module in a dict", "arguments", "code"],
)  # fmt: skip
@pytest.mark.parametrize("zipped", [True, False])
def test_pickled_objects_are_refused_and_not_run(saved, capsys, content, named, zipped):
    path = saved(content, _use_new_zipfile_serialization=zipped)
    error = complaint(read_checkpoint, path)
    assert error.found == f"holds {named}, which weights_only=True does not load"
    assert "torch.save(network.state_dict(), path)" in error.expected
    assert capsys.readouterr().out == ""


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_torchscript_is_said(tmp_path, recwarn):
    torch.jit.script(nn.Linear(2, 3)).save(tmp_path / "w.pt")
    recwarn.clear()
    error = complaint(read_checkpoint, tmp_path / "w.pt")
    assert error.found == "a TorchScript archive"
    assert not recwarn.list


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>\n", b"PK\x03\x04" + bytes(99),
                                     b"\x80\x02.", b"\x80\x05."])  # fmt: skip
def test_a_file_that_is_no_checkpoint_is_said(tmp_path, content):
    (tmp_path / "w.pth").write_bytes(content)
    error = complaint(read_checkpoint, tmp_path / "w.pth")
    assert error.where == str(tmp_path / "w.pth")
    assert error.found == "not a checkpoint, or a damaged one"
    assert "weights_only=True" in error.expected


@pytest.mark.parametrize("zipped", [True, False])
def test_a_truncated_file_is_said(saved, state, zipped):
    path = saved(state, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for part in (0.5, 0.999):
        path.write_bytes(whole[: int(part * len(whole))])
        assert "damaged" in complaint(read_checkpoint, path).found


def test_files_of_torch_before_zip_are_read(saved, tiny):
    path = saved({"state_dict": tiny}, _use_new_zipfile_serialization=False)
    assert_same(load(path, trunk_of(tiny)), trunk_of(tiny))


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_missing_files_and_folders_are_said(tmp_path, suffix):
    path = tmp_path / f"w.{suffix}"
    assert complaint(read_checkpoint, path).found == "No such file or directory"
    path.mkdir()
    assert complaint(read_checkpoint, path).found == "Is a directory"


def test_safetensors_are_read(tmp_path, tiny):
    path = tmp_path / "w.safetensors"
    safetensors.torch.save_file(put_before("module.", tiny), path, metadata={"format": "pt"})
    fitted = load(path, trunk_of(Tiny().state_dict()))
    assert_same(fitted, trunk_of(tiny))
    assert fitted.notes[0] == "prefix `module.` taken off 9 names"
    safetensors.torch.save_file({}, path)
    assert complaint(read_checkpoint, path).found == "no named tensors"


def test_a_file_that_is_no_safetensors_is_said(saved, tmp_path, tiny):
    path = tmp_path / "w.safetensors"
    safetensors.torch.save_file(tiny, path)
    broken = (b"", b"text instead of tensors", path.read_bytes()[:-4])
    for content in (*broken, saved(tiny).read_bytes()):
        path.write_bytes(content)
        error = complaint(read_checkpoint, path)
        assert error.found.startswith("unreadable (")
        assert len(error.found) > len("unreadable ()")
        assert error.expected == "a safetensors file"


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), 5, None, "resnet18"], ids=repr)
def test_a_file_of_something_else_is_said(saved, content):
    error = complaint(read_checkpoint, saved(content))
    assert error.found == f"holds {type(content).__name__}"
    assert error.expected.startswith("named tensors, alone or under ema, ")


@pytest.mark.parametrize(
    "content",
    [{}, {"state": 5}, {"state_dict": [1]}, {"model": {}}, {1: torch.zeros(2)}, {"epoch": 3},
     {"state": {1: torch.zeros(2)}}, nn.Linear(2, 1), {"state": {0: {"step": torch.ones(1)}}}],
    ids=repr,
)  # fmt: skip
def test_a_file_without_named_tensors_is_said(saved, content):
    if isinstance(content, nn.Module):  # an optimiser's state has numbers for names
        optimiser = torch.optim.Adam(content.parameters())
        content(torch.ones(1, 2)).sum().backward()
        optimiser.step()
        content = optimiser.state_dict()
    assert complaint(read_checkpoint, saved(content)).found == "no named tensors"


@pytest.mark.parametrize(
    ("value", "kind"),
    [(3, "int"), (None, "NoneType"), ("resnet", "str"), ([1.0], "list"), ({"lr": 0.1}, "dict"),
     (torch.eye(2).to_sparse(), "Tensor"), (torch.ones(2, device="meta"), "Tensor")],
    ids=repr,
)  # fmt: skip
def test_an_entry_that_is_no_tensor_is_named(saved, tiny, value, kind):
    for content in (tiny | {"epoch": value}, {"model": tiny | {"epoch": value}}):
        error = complaint(read_checkpoint, saved(content))
        assert error.found == f"epoch is no dense tensor ({kind})"
