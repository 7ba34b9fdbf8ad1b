"""The bench that remedies are tried on: a study's pictures, features and heads, and the network."""

import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import NamedTuple, TypeVar, cast

import joblib
import numpy as np
import pandas as pd
import torch

from smallsight import params
from smallsight.backbones.engine import ONNXRUNTIME
from smallsight.backbones.feature_store import Features, StoredMaps, read_features, stored_readouts
from smallsight.backbones.features import batches
from smallsight.backbones.reader import Opener, Reader, open_alike
from smallsight.backbones.tensor_reader import CUDA_BATCH, TorchReader
from smallsight.backbones.trunk_file import TrunkFile
from smallsight.classifiers.facts import STUDY_HEADS
from smallsight.classifiers.mapping import ClassMapping
from smallsight.conditions.rendered.names import UNTOUCHED, Condition, read_facts
from smallsight.conditions.rendered.store import picture_name
from smallsight.evaluation.crossfit import fit_heads, out_of_fold_logits
from smallsight.evaluation.heads import Heads, LinearHeads
from smallsight.evaluation.splits import Splits
from smallsight.imaging.boxes import Box
from smallsight.imaging.kept import KeptPictures
from smallsight.imaging.pictures import InputFormat, resize
from smallsight.runtime.gpu_thread import gpu_seconds
from smallsight.runtime.parallel import map_batches
from smallsight.vocabulary import SCENE, TASKS

MAPS_AT_ONCE = 256
"""Pictures whose maps are in memory together."""

T = TypeVar("T")

Cut = Callable[[np.ndarray, int], Sequence[np.ndarray]]
"""Makes, of a picture at its own size and of its number, the pictures that the network sees."""

_EVERY = 8
"""One batch in so many is also passed as it is, to time the plain pass beside."""

ROOM = 3 * 2**27
"""Bytes of decoded pictures that are kept from look to look: 436 of 640 x 480 pixels."""

MOST = 4
"""Times `ROOM` of a study's pictures, beyond which none are kept: few would be found there."""

ENOUGH = CUDA_BATCH
"""Pictures that are enough to time what needs no more looks."""


class ImpossibleError(Exception):
    """A remedy that this network cannot have.

    Parameters
    ----------
    reason
        Why not.
    command
        What would test the remedy nevertheless; empty where nothing would.
    """

    def __init__(self, reason: str, command: str = "") -> None:
        super().__init__(reason)
        self.reason, self.command = reason, command


@dataclass(frozen=True)
class Look:
    """What the network makes of pictures.

    Attributes
    ----------
    features
        A picture each, (inputs, dimensions), float32: the features of every input that was made of
        it.
    seconds, plain_seconds
        What one input takes of a core (on CUDA: and of the device), made and passed; and what
        the untouched picture takes, measured in turn with it. NaN where nothing is timed.
    """

    features: list[np.ndarray]
    seconds: float
    plain_seconds: float


@dataclass(frozen=True, eq=False)
class Bench:
    """What remedies have at hand. Whatever is asked for twice is computed once.

    Attributes
    ----------
    splits
        Which instances are test data; `splits.sample` has the instances.
    settings
        How heads are trained.
    trunk
        The file of the frozen backbone; None for a classifier of the user's own.
    opener
        Opens the network: a frozen backbone, or a classifier of the user's own.
    mapping
        What stands in the place of heads, for a classifier of the user's own; nothing is fitted
        then. None for a frozen backbone.
    tasks
        Those that are evaluated.
    is_timed
        Whether what the network takes is worth measuring: not so where it is asked elsewhere.
    input_format
        What pictures become before it sees them.
    window_margin
        The share of the box's width and height by which windows are larger, on each side.
    conditions, features
        The folders that hold all families' pictures, and their features.
    device
        Where networks run.
    """

    splits: Splits
    settings: params.Heads
    trunk: TrunkFile | None
    opener: Opener
    input_format: InputFormat
    window_margin: float
    conditions: Path
    features: Path
    device: torch.device
    mapping: ClassMapping | None = None
    tasks: tuple[str, ...] = tuple(TASKS)
    is_timed: bool = True
    _kept: dict[Hashable, object] = field(default_factory=dict, repr=False)
    _shelf: TemporaryDirectory[str] = field(
        default_factory=partial(TemporaryDirectory, prefix="smallsight-"), repr=False
    )
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @cached_property
    def _files(self) -> KeptPictures:
        areas = self.splits.sample.drop_duplicates("image_path")["img_area"]
        return KeptPictures(ROOM if 3 * areas.sum() <= MOST * ROOM else 0)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` makes; made the first time that the key is asked for."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            return cast(T, self._kept[key])

    def shelved(self, key: Hashable, part: str, make: Callable[[], Mapping[str, object]]) -> object:
        """Return a part of what `make` makes, by its name; the parts lie on disk between uses.

        Made the first time that the key is asked for. What several remedies share of every picture
        would fill memory until the last of them is tried.
        """

        def put() -> dict[str, Path]:
            folder = mkdtemp(dir=self._shelf.name)
            paths = {}
            for number, (name, value) in enumerate(make().items()):
                paths[name] = Path(folder, str(number))
                joblib.dump(value, paths[name])
            return paths

        return joblib.load(self.once(key, put)[part])

    @property
    def reader(self) -> Reader:
        """The network."""
        return self.opener()

    def backbone(self, *, size: int | None = None, is_dilated: bool = False) -> Opener:
        """Return what opens the frozen backbone for another input, or dilated.

        Parameters
        ----------
        size
            Width and height of the input, in pixels; the study's own where nothing is said.

        Raises
        ------
        ImpossibleError
            Where a classifier of the user's own stands in its place.
        ParameterError
            Where it cannot be dilated.
        ExportError
            Where it takes no such size.
        """
        if self.trunk is None:
            raise ImpossibleError("it reads a frozen backbone", STUDY_HEADS)
        own = self.input_format.size
        size = size or own
        takes_any = self.trunk.engine.name != ONNXRUNTIME
        if not is_dilated and (size == own or takes_any):
            return self.opener
        opener = replace(self.trunk, size=size, is_dilated=is_dilated)
        opener()
        return opener

    def untouched(self, task: str) -> Condition:
        """Return the condition of untouched pictures in a task."""
        (found,) = read_facts(self.conditions, UNTOUCHED).in_task(task)
        return found

    def has_readout(self, task: str, readout: str) -> bool:
        """Return whether the untouched pictures' features are stored in this readout."""
        return readout in stored_readouts(self.features, self.untouched(task))

    def stored(self, task: str, readout: str = "scene") -> Features:
        """Return the untouched pictures' features, without maps, as they are stored.

        Raises
        ------
        ImpossibleError
            Where the network was not shown them, or gives no such readout.
        """
        read = partial(read_features, self.features, self.untouched(task), readout)
        try:
            return self.once(("stored", task, readout), read)
        except FileNotFoundError:
            raise ImpossibleError("the table of predictions has no windows") from None
        except KeyError:
            raise ImpossibleError("the network gives no maps that sum to its logits") from None

    def maps(self, task: str) -> np.ndarray | StoredMaps:
        """Return the last layer's maps of a task's different untouched pictures."""
        condition = self.untouched(task)
        return self.once(
            ("maps", task), lambda: read_features(self.features, condition, "scene", maps=True).maps
        )

    def heads(self, task: str) -> Heads:
        """Return heads fitted on untouched pictures, one per seed and fold, or the mapping."""
        if self.mapping is not None:
            return self.mapping
        return self.once(("heads", task), lambda: self.fit(self.stored(task)))

    def fit(
        self,
        seen: Features,
        *,
        also: Sequence[Features] = (),
        importance: np.ndarray | None = None,
    ) -> LinearHeads:
        """Fit heads, one per seed and fold, on features of the sample; see `fit_heads`."""
        return fit_heads(
            self.splits,
            seen,
            settings=self.settings,
            also=also,
            importance=importance,
        )

    def logits(self, fitted: Heads, plain: np.ndarray) -> np.ndarray:
        """Return every instance's logits, (seeds, n, classes), by the head that left it out.

        Parameters
        ----------
        plain
            (n, dimensions), one feature for each instance.
        """
        return out_of_fold_logits(self.splits, fitted, plain)

    def row(self, task: str) -> np.ndarray:
        """(n,), the number of each instance's picture; all of an image share the whole one."""
        if task == SCENE:
            return pd.factorize(self.splits.sample["image_path"])[0]
        return np.arange(len(self.splits.sample))

    def look(
        self,
        task: str,
        cut: Cut,
        *,
        size: int | None = None,
        finish: Callable[[np.ndarray], np.ndarray] | None = None,
        other: Opener | None = None,
        most: int | None = None,
    ) -> Look:
        """Show the network what is made of a task's untouched pictures.

        Parameters
        ----------
        cut
            Makes the pictures that it sees, which are then brought to the input's size.
        size
            Width and height of the input, in pixels; the study's own where nothing is said.
        finish
            Changes pictures, (size, size, 3), uint8, once they have the input's size.
        other
            Opens another network than the study's.
        most
            How many of the pictures to show; all where nothing is said.
        """
        known, opener = open_alike(other or self.opener)
        size = size or self.input_format.size
        places = self._places(task)[:most]
        work = []
        for number, place in enumerate(batches(len(places), known.batch_size)):
            files = [(path, box) for _, path, box in places[place]]
            numbers = [index for index, *_ in places[place]]
            names = [self._names[task][index] for index in numbers]
            work.append(_Shown(numbers, files, names, is_timed_beside=number % _EVERY == 0))
        see = partial(
            _see,
            cut=cut,
            finish=finish,
            size=size,
            opener=opener,
            own=self.opener,
            kept=self._files,
            input_format=self.input_format,
            window_margin=self.window_margin,
            asked=f"remedy {task}",
            is_timed=self.is_timed,
        )
        description = f"looking at {task}"
        found = list(map_batches(see, work, threads=known.threads, description=description))
        features = [one for several, _, _ in found for one in several]
        if not self.is_timed:
            return Look(features, np.nan, np.nan)
        inputs = sum(map(len, features))
        plain = np.array([beside for _, _, beside in found])
        return Look(
            features,
            sum(seconds for _, seconds, _ in found) / max(inputs, 1),
            float(np.nanmean(plain)),
        )

    def plain_seconds(self, task: str) -> float:
        """Return what the plain pass takes of a core for one of a task's pictures."""
        if not self.is_timed:
            return np.nan
        return self.look(task, lambda picture, number: [picture], most=ENOUGH).seconds

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        """By task, the names of its pictures: of several objects in one, the first's."""
        sample = self.splits.sample
        ids = zip(sample["image_id"], sample["ann_id"], strict=True)
        names = [picture_name(image_id, ann_id) for image_id, ann_id in ids]
        first = np.unique(self.row(SCENE), return_index=True)[1]
        return {task: [names[i] for i in first] if task == SCENE else names for task in TASKS}

    def _places(self, task: str) -> list[tuple[int, str, Box | None]]:
        """Return the number, the file and the object's box of every picture of a task."""
        sample = self.splits.sample
        paths = sample["image_path"]
        if task == SCENE:
            return [(index, path, None) for index, path in enumerate(pd.unique(paths))]
        boxes = sample[["bbox_x", "bbox_y", "bbox_w", "bbox_h"]].to_numpy(float)
        return [
            (index, path, Box(*box))
            for index, (path, box) in enumerate(zip(paths, boxes, strict=True))
        ]


class _Shown(NamedTuple):
    """Some of a task's pictures: numbers, files and objects' boxes, and what they are called."""

    numbers: Sequence[int]
    files: Sequence[tuple[str, Box | None]]
    names: Sequence[str]
    is_timed_beside: bool


def _see(
    shown: _Shown,
    *,
    cut: Cut,
    finish: Callable[[np.ndarray], np.ndarray] | None,
    size: int,
    opener: Opener,
    own: Opener,
    kept: KeptPictures,
    input_format: InputFormat,
    window_margin: float,
    asked: str,
    is_timed: bool,
) -> tuple[list[np.ndarray], float, float]:
    """Look at some pictures; see `Bench.look`.

    Returns
    -------
    features
        As `Look` has them.
    seconds
        What all inputs together took.
    plain_seconds
        What an untouched picture took beside; NaN where that was not measured.
    """
    network = opener()
    if is_timed and isinstance(network, TorchReader):
        network.plan(size)
    files = {path: kept.read(path) for path in {path for path, _ in shown.files}}
    pictures = [_window(files[path], box, window_margin) for path, box in shown.files]

    def brought(picture: np.ndarray, size: int) -> np.ndarray:
        return resize(picture, size, interpolation=input_format.interpolation)

    start = _clock()
    made = [cut(one, index) for one, index in zip(pictures, shown.numbers, strict=True)]
    inputs = [brought(one, size) for several in made for one in several]
    names = [
        (name, f"{asked} {place}")
        for several, name in zip(made, shown.names, strict=True)
        for place in range(len(several))
    ]
    found = _seen(network, [finish(one) for one in inputs] if finish else inputs, names)
    seconds = _clock() - start
    ends = np.cumsum([len(several) for several in made])[:-1]
    beside = np.nan
    if is_timed and shown.is_timed_beside:
        plain_network = own()
        if isinstance(plain_network, TorchReader):
            plain_network.plan(input_format.size)
        start = _clock()
        plain = [brought(one, input_format.size) for one in pictures]
        _seen(plain_network, plain, names[: len(plain)])
        beside = (_clock() - start) / len(pictures)
    return np.split(found, ends), seconds, beside


def _window(picture: np.ndarray, box: Box | None, margin: float) -> np.ndarray:
    """Return a picture as it is, or the window round an object in it."""
    if box is None:
        return picture
    height, width = picture.shape[:2]
    return picture[box.grown(margin).touched_pixels(width, height)]


def _clock() -> float:
    """Return seconds that this thread has worked, or a GPU for it."""
    return time.thread_time() + gpu_seconds()


def _seen(
    reader: Reader,
    inputs: Sequence[np.ndarray],
    names: Sequence[tuple[str, str]],
) -> np.ndarray:
    """Compute the features, (inputs, dimensions), of inputs of one size."""
    return np.concatenate([
        reader.scene(np.stack(inputs[place]), names[place])
        for place in batches(len(inputs), reader.batch_size)
    ])  # fmt: skip
