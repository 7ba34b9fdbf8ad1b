"""Small classifiers of a user's own, as code, as files of every format, and as parameters.

The networks below are also what `code:<name>` finds in this file.
"""

import json
import logging
import os
import pickle
import re
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch
import yaml
from torch import nn
from torch.nn import functional

from builders.readings import tensor_regions
from smallsight import params
from smallsight.backbones.facts import LAST
from smallsight.classifiers.facts import ClassifierFacts, Preprocessing
from smallsight.classifiers.load import collect_classifier, open_classifier

CODE = Path(__file__)
SIZE = 32
CLASSES = ("cat", "dog", "bus", "car", "cup")
DECLARED = {
    "input_size": SIZE,
    "mean": [0.4, 0.5, 0.6],
    "std": [0.2, 0.3, 0.4],
    "interpolation": "bicubic",
    "channels": "bgr",
    "range": "0..1",
}
METADATA = {"class_names": list(CLASSES), "output": "logits", **DECLARED}
NOTHING = dict.fromkeys(DECLARED)


class Small(nn.Module):
    """Two convolutions, their mean, a linear layer; functions stand between its submodules."""

    def __init__(self, num_classes):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.last = nn.Linear(16, num_classes)

    def maps(self, inputs):
        return functional.relu(self.second(functional.relu(self.norm(self.first(inputs)))))

    def forward(self, inputs):
        return self.last(self.maps(inputs).mean(dim=(2, 3)))


class Flat(Small):
    """The same, but its last layer sees every cell by itself."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.last = nn.Linear(16 * (SIZE // 4) ** 2, num_classes)

    def forward(self, inputs):
        maps = self.maps(inputs)
        return self.last(maps.view(maps.size(0), -1))


class Probable(Small):
    """The same, with probabilities."""

    def forward(self, inputs):
        return super().forward(inputs).softmax(dim=1)


class LogProbable(Small):
    """The same, with their logarithms."""

    def forward(self, inputs):
        return super().forward(inputs).log_softmax(dim=1)


class ByClass(nn.Module):
    """Maps of each class, and their means; it needs no argument."""

    def __init__(self):
        super().__init__()
        layers = nn.Conv2d(3, 8, 4, stride=4), nn.ReLU(inplace=True), nn.Conv2d(8, len(CLASSES), 1)
        self.body = nn.Sequential(*layers, nn.ReLU(inplace=True))

    def forward(self, inputs):
        return self.body(inputs).mean(dim=(2, 3))


class Product(nn.Module):
    """A product of matrices in the place of a linear layer."""

    def __init__(self, num_classes):
        super().__init__()
        self.body = nn.Conv2d(3, 8, 4, stride=4)
        self.weight = nn.Parameter(torch.randn(8, num_classes))
        self.bias = nn.Parameter(torch.randn(num_classes))

    def forward(self, inputs):
        return self.body(inputs).relu().mean(dim=(2, 3)) @ self.weight + self.bias


class NoMaps(nn.Module):
    """A linear layer of all pixels."""

    def __init__(self, num_classes):
        super().__init__()
        self.last = nn.Linear(3 * SIZE**2, num_classes)

    def forward(self, inputs):
        return self.last(inputs.flatten(1))


class Deciding(Small):
    """Python code that looks at the numbers, so that it cannot be traced."""

    def forward(self, inputs):
        return super().forward(-inputs if inputs.mean() > 1e6 else inputs)


NETWORKS = (Small, Flat, Probable, LogProbable, ByClass, Product, NoMaps, Deciding)


def broken():
    """Code that fails, and says so in two lines."""
    raise ValueError("no\nnetwork")


def leaving(num_classes):
    """Code that would end Python."""
    raise SystemExit(2)


def wanting(width):
    """Code that needs an argument that nobody gives."""
    return Small(width)


def number():
    """Code that makes something else."""
    return 5


def trained(network, classes=5, seed=0):
    """Make a network as after training: its statistics are not the first ones."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = network() if network is ByClass else network(classes)
        for layer in made.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.uniform_(-0.1, 0.1)
                layer.running_var.uniform_(0.5, 1.5)
            if isinstance(layer, nn.Linear):
                layer.weight.data.mul_(5)
    return made.eval()


PLAIN = Preprocessing(SIZE, (0.0,) * 3, (1.0,) * 3, "bilinear", "rgb", "0..1")


def facts(output="logits", preprocessing=PLAIN, classes=3):
    """Make facts of a classifier of that many classes, without maps."""
    return ClassifierFacts(
        source="state_dict",
        architecture="code:Net",
        command="",
        code="",
        code_sha256="",
        label="Net",
        origin="net.pth",
        sha256="",
        notes=(),
        classes=tuple("abcdefgh"[:classes]),
        input="object",
        output=output,
        preprocessing=preprocessing,
        maps="none",
        layer="",
        cells=0,
        no_maps="",
    )


def settings(source, **changed):
    """Make parameters of a classifier; all of its preprocessing is declared, unless changed."""
    tree = yaml.safe_load(Path(__file__).parents[2].joinpath("params.yaml").read_text())
    tree = tree["classifier"] | {"source": source, "code": str(CODE)} | changed
    tree["preprocessing"] = NOTHING | changed.get("preprocessing", DECLARED)
    tree |= {key: str(tree[key]) for key in ("file", "code", "class_names_file")}
    return params.validate(params.Classifier, tree, where="params.classifier")


def collected(chosen, folder, layer=LAST, preview=False):
    """Collect a classifier, and open it as later stages do: its facts, and what reads pictures."""
    model = folder / "model"
    facts = collect_classifier(chosen, model, seed=7, preview=preview, layer=layer)
    return facts, open_classifier(facts, model)


def pictures(n=4, size=SIZE, seed=0):
    """Draw pictures, (n, size, size, 3), uint8: blots of two sizes, so that answers differ."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(0, 256, (n, 3, 4, 4), generator=generator).float()
    fine = torch.randint(-40, 41, (n, 3, size, size), generator=generator)
    grown = functional.interpolate(drawn, size=(size, size)) + fine
    return grown.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def inputs_of(shown):
    """Make inputs as `DECLARED` has it, written out."""
    red, green, blue = (shown.permute(0, 3, 1, 2).double() / 255).unbind(1)
    made = [(blue - 0.6) / 0.4, (green - 0.5) / 0.3, (red - 0.4) / 0.2]
    return torch.stack(made, dim=1).float()


def names_file(folder, names=CLASSES):
    """Write names, one a line."""
    path = folder / "names.txt"
    path.write_text("".join(f"{name}\n" for name in names))
    return {"class_names": "file", "class_names_file": str(path)}


def write_pt2(network, path, metadata=METADATA, *, is_dynamic=True, inputs=None, decompose=False):
    """Write a network as an archive of torch.export's."""
    inputs = (torch.zeros(2, 3, SIZE, SIZE),) if inputs is None else inputs
    shapes = tuple({0: torch.export.Dim("n")} for _ in inputs) if is_dynamic else None
    program = torch.export.export(network, inputs, dynamic_shapes=shapes)
    program = program.run_decompositions() if decompose else program
    extra = {} if metadata is None else {"classifier.json": json.dumps(metadata)}
    torch.export.save(program, path, extra_files=extra)
    return path


def write_torchscript(network, path, metadata=METADATA):
    """Write a network as a TorchScript archive."""
    with warnings.catch_warnings(action="ignore"):  # it is deprecated
        scripted = torch.jit.script(network)
        torch.jit.save(scripted, path, _extra_files={"classifier.json": json.dumps(metadata)})
    return path


def write_onnx(network, path, metadata=METADATA, *, is_dynamic=True, size=SIZE, external=False):
    """Write a network as an ONNX file."""
    import onnx

    shapes = ({0: torch.export.Dim("n")},) if is_dynamic else None
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    torch.onnx.export(
        network, (torch.zeros(2, 3, size, size),), path, dynamic_shapes=shapes, dynamo=True,
        input_names=["pictures"], output_names=["logits"], external_data=external, verbose=False,
    )  # fmt: skip
    model = onnx.load(path, load_external_data=False)
    describe_onnx(model, metadata)
    path.write_bytes(model.SerializeToString())
    return path


def describe_onnx(model, metadata):
    """Put metadata into an ONNX model: JSON, but for words."""
    for key, value in metadata.items():
        text = value if isinstance(value, str) else json.dumps(value)
        model.metadata_props.add(key=key, value=text)


RAN = "the bomb went off"


class Bomb:
    """An object that makes a file as it is unpickled."""

    def __init__(self, folder):
        self.path = folder / RAN

    def __reduce__(self):
        return os.makedirs, (str(self.path), 0o777, True)


def bomb_bytes(folder):
    """Pickle a bomb, in the protocol that all readers know."""
    return pickle.dumps(Bomb(folder), protocol=2)


def rewritten(source, target, edit):
    """Copy an archive with other members: `edit` changes them, by their name below the root."""
    with zipfile.ZipFile(source) as archive:
        names = archive.namelist()
        root = names[0].split("/")[0]
        members = {name.split("/", 1)[1]: archive.read(name) for name in names}
    edit(members)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{root}/{name}", content)
    return target


def edited_json(members, name, edit):
    """Edit a member that is JSON."""
    tree = json.loads(members[name])
    edit(tree)
    members[name] = json.dumps(tree).encode()


def one_line(error, where=None):
    """Assert that an error is one line, at a place, without a path of Python's own files."""
    text = str(error.value)
    assert len(text.splitlines()) == 1
    assert not re.search(r"site-packages|Traceback|\.py:\d", text)
    if where is not None:
        assert error.value.where == str(where)
    return error.value


def assert_maps_and_boxes(opened, module, *, rtol):
    """Assert that maps are the network's, and that boxes are read by its own last layer."""
    shown = pictures(2)
    regions = tensor_regions([[0.0, 0, 32, 32], [0, 0, 4, 4]], np.arange(2))
    with torch.inference_mode():
        parts = opened.read_out(shown, regions)
        maps = module.maps(inputs_of(shown))
        corner = module.last(maps[1:, :, 0, 0])
    torch.testing.assert_close(parts[LAST], maps, rtol=rtol, atol=1e-5)
    torch.testing.assert_close(parts["box"][:1], parts["scene"][:1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(parts["box"][1:], corner, rtol=1e-4, atol=1e-5)
