"""YOLO's text files, as Ultralytics lays them out.

Of the libraries, supervision stops at the first bad line, holds a dense mask per polygon, reads
`no` and `007` of a list of names as False and 7, and does not look into folders of folders;
these files are simple enough to be read here.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from smallsight.datasets.formats.faults import Fault, named, refuse
from smallsight.datasets.formats.numbers import is_share, read_index, read_number
from smallsight.datasets.formats.picture_files import Size, find_pictures, read_size
from smallsight.datasets.formats.trees import Picture, Shape, make_tree
from smallsight.runtime.errors import AnnotationError
from smallsight.runtime.parallel import map_items

EXPECTED = (
    "lines of a class index and shares of the picture: x and y of the centre, width, height, "
    "or a polygon's points"
)
LISTS_OF_NAMES = ("classes.txt", "obj.names")
"""Where other tools keep the names that Ultralytics has in data.yaml, a name per line."""


@dataclass(frozen=True)
class Description:
    """What a dataset says of its labels: names by class index, and how many keypoint numbers."""

    names: dict[int, str]
    keypoint_numbers: int = 0


def read(annotations: Path, images: Path, is_upright: bool = True) -> dict[str, Any]:
    """Read labels as a raw COCO tree.

    A picture's labels lie where Ultralytics looks for them: the last `images` in its path is
    `labels`, and the name ends in `.txt`; else under `labels` beside the folder of pictures or in
    the dataset's folder, else beside the picture. A picture without such a file has no objects.

    Parameters
    ----------
    annotations
        The dataset's folder: it holds `data.yaml`, or a list of names, a name per line.
    images
        The folder of the pictures that are used, with all folders in it.
    is_upright
        Whether pictures are turned as EXIF says, and their boxes with them.

    Raises
    ------
    AnnotationError
        With all that is not as the format has it, and where labels lie neither in `annotations`
        nor in `images`: nothing would tell that they changed.
    """
    source = _find_description(annotations)
    description = _read_description(source)
    names = find_pictures(images)
    read_one = partial(
        _read_picture,
        images=images,
        root=annotations,
        described=description,
        is_upright=is_upright,
    )
    results = map_items(read_one, names, description="reading labels", prefer="threads")
    refuse(
        (fault for result in results for fault in result.faults),
        where=named(annotations),
        expected=EXPECTED,
    )
    if not any(result.has_labels for result in results):
        found = f"no label file of any of {len(results)} pictures in {named(images)}"
        raise AnnotationError(named(annotations), found, "labels/<picture>.txt")
    pictures = (
        Picture(name, result.size, result.shapes)
        for name, result in zip(names, results, strict=True)
    )
    return make_tree(pictures, description.names)


def _find_description(annotations: Path) -> Path:
    if not annotations.is_dir():
        reason = "no folder" if annotations.exists() else "no such folder"
        raise AnnotationError(named(annotations), reason, "the folder of data.yaml and labels")
    found = [annotations / name for name in ("data.yaml", "data.yml")]
    others = (*annotations.glob("*.yaml"), *annotations.glob("*.yml"))
    found += sorted(path for path in others if path not in found)
    found += [annotations / name for name in LISTS_OF_NAMES]
    for path in found:
        if path.is_file():
            return path
    raise AnnotationError(named(annotations), "no data.yaml", "data.yaml, which names the classes")


def _read_description(path: Path) -> Description:
    """Read the names, as text whatever they look like, and the shape of keypoints."""
    try:
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise AnnotationError(named(path), error.strerror or "?", "a readable file") from None
    except UnicodeDecodeError as error:
        raise AnnotationError(named(path), f"byte {error.start} is no UTF-8", "UTF-8") from None
    if path.suffix.lower() not in (".yaml", ".yml"):
        lines = [line.strip() for line in content.rstrip().splitlines()]
        return Description(_check_names(dict(enumerate(lines)), path))
    try:
        tree = yaml.load(content, Loader=_TextLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{named(path)}, line {mark.line + 1}" if mark else named(path)
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise AnnotationError(where, f"no YAML ({reason[:200]})", "data.yaml") from None
    entries = tree.get("names") if isinstance(tree, dict) else None
    if isinstance(entries, list):
        names = dict(enumerate(entries))
    elif isinstance(entries, dict):
        names = {_class_index(key, path): name for key, name in entries.items()}
    else:
        raise AnnotationError(named(path), "no names", "`names`, a list or a mapping")
    count = tree.get("nc")
    if count is not None and read_index(str(count)) != len(names):
        found = f"nc {named(count)} beside {len(names)} names"
        raise AnnotationError(named(path), found, "as many names as classes")
    return Description(_check_names(names, path), _keypoint_numbers(tree, path))


class _TextLoader(yaml.BaseLoader):
    """Leaves every value as the text that it is, and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping of distinct texts."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    problem="a key that is no text", problem_mark=key.start_mark
                )
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"key {key.value!r} stands twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _class_index(key: str, path: Path) -> int:
    index = read_index(key)
    if index is None:
        raise AnnotationError(named(path), f"a name under {named(key)}", "a class index")
    return index


def _check_names(names: dict[int, Any], path: Path) -> dict[int, str]:
    for index, name in names.items():
        if not isinstance(name, str) or not name.strip():
            raise AnnotationError(named(path), f"class {index} has no name", "a name per class")
    if not names:
        raise AnnotationError(named(path), "no names", "a name per class")
    return {index: name.strip() for index, name in names.items()}


def _keypoint_numbers(tree: dict[str, Any], path: Path) -> int:
    """Count the numbers that follow a box where keypoints are labelled: points by 2 or 3."""
    shape = tree.get("kpt_shape")
    if shape is None:
        return 0
    sides = [read_index(str(side)) for side in shape] if isinstance(shape, list) else []
    if len(sides) != 2 or not sides[0] or sides[1] not in (2, 3):
        expected = "kpt_shape to be [points, 2 or 3]"
        raise AnnotationError(named(path), f"kpt_shape {named(shape)[:100]}", expected)
    return sides[0] * sides[1]


@dataclass(frozen=True)
class _Read:
    size: Size
    shapes: tuple[Shape, ...]
    faults: tuple[Fault, ...]
    has_labels: bool


def _read_picture(
    name: str, *, images: Path, root: Path, described: Description, is_upright: bool
) -> _Read:
    path = images / name
    size = read_size(path, upright=is_upright)
    if size is None:
        fault = Fault("pictures whose header cannot be read", named(path))
        return _Read(Size(0, 0), (), (fault,), has_labels=False)
    labels = next(
        (one for one in _label_files(name, images=images, root=root) if one.is_file()), None
    )
    if labels is None:
        return _Read(size, (), (), has_labels=False)
    if not any(labels.is_relative_to(_whole(folder)) for folder in (root, images)):
        fault = Fault("label files outside of both folders", named(labels))
        return _Read(size, (), (fault,), has_labels=True)
    try:
        content = labels.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        fault = Fault("files that cannot be read as text", named(labels))
        return _Read(size, (), (fault,), has_labels=True)
    shapes: list[Shape] = []
    faults: list[Fault] = []
    for number, line in enumerate(content.split("\n"), start=1):
        if values := line.split():
            shape = _read_line(values, size, described)
            if isinstance(shape, str):
                faults.append(Fault(shape, f"{named(labels)}, line {number}"))
            else:
                shapes.append(shape)
    return _Read(size, tuple(shapes), tuple(faults), has_labels=True)


def _label_files(name: str, *, images: Path, root: Path) -> Iterator[Path]:
    path = _whole(images) / name
    parts = list(path.parts)
    if "images" in parts[:-1]:
        last = len(parts) - 2 - parts[-2::-1].index("images")
        yield Path(*parts[:last], "labels", *parts[last + 1 :]).with_suffix(".txt")
    for folder in (_whole(images).parent, _whole(root)):
        yield (folder / "labels" / name).with_suffix(".txt")
    yield path.with_suffix(".txt")


def _whole(path: Path) -> Path:
    """Return an absolute path without `..`, its links as they are, as Ultralytics has it."""
    return Path(os.path.normpath(path.absolute()))


def _read_line(values: list[str], size: Size, described: Description) -> Shape | str:
    """Return the object of a line, or what is wrong with it."""
    index, numbers = read_index(values[0]), [read_number(value) for value in values[1:]]
    known = [number for number in numbers if number is not None]
    if index is None or len(known) < len(numbers):
        return "lines that do not hold a class index and numbers"
    if index not in described.names:
        return "class indices that data.yaml does not name"
    is_pose = described.keypoint_numbers and len(known) == 4 + described.keypoint_numbers
    # A fifth number is the confidence or the track that some tools add.
    is_box = is_pose or len(known) in (4, 5)
    if not is_box and (len(known) < 6 or len(known) % 2):
        return "lines that hold neither four numbers nor points"
    shares = known[:4] if is_box else known
    if not all(map(is_share, shares)):
        return "coordinates that are no shares of the picture"
    if not is_box:
        corners = (
            share * side for share, side in zip(shares, size * (len(shares) // 2), strict=True)
        )
        return Shape.of_polygon(index, corners)
    x, y, width, height = shares
    return Shape(
        index,
        (
            (x - width / 2) * size.width,
            (y - height / 2) * size.height,
            width * size.width,
            height * size.height,
        ),
    )
