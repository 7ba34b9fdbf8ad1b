"""Train a small network on windows of generated scenes, and save it in three formats.

python examples/own-classifier/train.py [FOLDER]
"""

import functools
import importlib.util
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from network import SmallNetwork
from torch.nn.functional import cross_entropy

from smallsight import phantom
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resize
from smallsight.runtime.parallel import map_items
from smallsight.runtime.randomness import derive

HERE = Path(__file__).parent
CLASSES = (HERE / "classes.txt").read_text(encoding="utf-8").split()
SCENES, SCENES_HELD_OUT = 160, 40
DIALS = phantom.Dials(
    width=640,
    height=480,
    context=0.57,
    clutter=0.35,
    neighbours=0.3,
    class_mix=0.0,
    small_blur=0.0,
    haze=0.35,
    noise=0.02,
)
SIZE, MARGIN = 64, 0.25
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
EPOCHS, BATCH_SIZE, LEARNING_RATE = 8, 32, 0.004
FACTS = {
    "class_names": CLASSES,
    "input_size": SIZE,
    "mean": MEAN,
    "std": STD,
    "interpolation": "bilinear",
    "channels": "rgb",
    "range": "0..1",
    "output": "logits",
}
"""What smallsight reads beside the weights, where the format has room for it."""


def windows_of(scene: int, seed: int) -> list[tuple[np.ndarray, int]]:
    """Draw a scene, and return a window, (64, 64, 3), uint8, and the class of each object in it.

    The words in front of the seed make these other scenes than those of any study.
    """
    layout = phantom.layout(derive("own classifier", seed, "layout", scene), DIALS)
    picture = phantom.paint(layout, derive("own classifier", seed, "paint", scene))
    found = []
    for silhouette in phantom.silhouettes(layout):
        rows, columns = np.nonzero(silhouette.mask)
        if len(rows):
            x, y = int(columns.min()), int(rows.min())
            box = Box(x, y, int(columns.max()) + 1 - x, int(rows.max()) + 1 - y)
            place = box.grown(MARGIN).touched_pixels(DIALS.width, DIALS.height)
            found.append((resize(picture[place], SIZE), CLASSES.index(silhouette.category)))
    return found


def draw_windows(scenes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the windows, (n, 64, 64, 3), uint8, and classes, (n,), of scenes 1 to `scenes`."""
    draw = functools.partial(windows_of, seed=seed)
    drawn = map_items(draw, range(1, scenes + 1), description="drawing scenes")
    found = [window for scene in drawn for window in scene]
    return np.stack([window for window, _ in found]), np.array([label for _, label in found])


def inputs_of(windows: np.ndarray) -> torch.Tensor:
    """Return the network's input, (n, 3, 64, 64), of windows."""
    values = torch.from_numpy(windows).permute(0, 3, 1, 2).float() / 255
    return (values - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def train(windows: np.ndarray, labels: np.ndarray, *, epochs: int, seed: int) -> SmallNetwork:
    """Train a network on windows and their mirror images."""
    torch.manual_seed(seed)
    # Sums over several threads are rounded otherwise: the weights would depend on their number.
    torch.set_num_threads(1)
    network = SmallNetwork(len(CLASSES)).train()
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.05)
    steps = epochs * -(-len(windows) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    classes = torch.from_numpy(labels)
    for _ in range(epochs):
        for batch in torch.randperm(len(windows)).split(BATCH_SIZE):
            inputs = inputs_of(windows[batch.numpy()])
            mirrored = torch.rand(len(batch)) < 0.5
            inputs[mirrored] = inputs[mirrored].flip(-1)
            optimiser.zero_grad()
            cross_entropy(network(inputs), classes[batch]).backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def save(network: SmallNetwork, folder: Path) -> list[Path]:
    """Write the network as state dict, `.pt2` and, where its packages are there, ONNX."""
    folder.mkdir(parents=True, exist_ok=True)
    state, exported, onnx = (folder / f"classifier.{ending}" for ending in ("pth", "pt2", "onnx"))
    torch.save(network.state_dict(), state)
    example = (torch.zeros(2, 3, SIZE, SIZE),)
    # Batches of any size: smallsight sends several pictures at once, and a smaller batch last.
    shapes = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(network, example, dynamic_shapes=shapes)
    torch.export.save(program, exported, extra_files={"classifier.json": json.dumps(FACTS)})
    if any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript")):
        print(f"no {onnx}: pip install onnx onnxscript onnxruntime")
        return [state, exported]
    made = torch.onnx.export(program, dynamo=True, verbose=False)
    assert made is not None
    made.model.metadata_props.update({name: json.dumps(value) for name, value in FACTS.items()})
    made.save(onnx)
    return [state, exported, onnx]


def main(folder: Path) -> None:
    """Train, save, and say what was written and how well it does on scenes it has not seen."""
    start = time.perf_counter()
    network = train(*draw_windows(SCENES, seed=0), epochs=EPOCHS, seed=0)
    windows, labels = draw_windows(SCENES_HELD_OUT, seed=1)
    with torch.inference_mode():
        right = network(inputs_of(windows)).argmax(1).numpy() == labels
    for path in save(network, folder):
        print(path)
    print(
        f"{right.mean():.1%} of {len(right)} windows of other scenes are right "
        f"[{time.perf_counter() - start:.0f} s]"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "trained")
