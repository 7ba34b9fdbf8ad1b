"""FiftyOne's side is a stand-in that keeps what it is given; the last tests run the real one."""

import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from builders.handmade_study import write_small_study
from smallsight.api import fiftyone_datasets
from smallsight.api.fiftyone_datasets import export_dataset, read_instances, write_dataset
from smallsight.api.study_objects import read_study_objects
from smallsight.datasets.formats import fiftyone as fiftyone_format
from smallsight.runtime.errors import SmallsightError

ROOT = Path(__file__).parents[2]
ALL = pd.DataFrame(
    {"image_id": [3, 7, 7], "ann_id": [30, 70, 71], "size_group": ["medium", "small", "large"]}
)


@pytest.fixture
def study(tmp_path):
    return read_study_objects(write_small_study(tmp_path))


class Labels(dict):
    """Keeps the values of a label, a sample or a heat map."""

    def __init__(self, **values):
        super().__init__(values)


@pytest.fixture
def kept(monkeypatch):
    """Put a stand-in in FiftyOne's place; give its datasets."""
    kept = {}

    class Dataset:
        def __init__(self, name="unnamed"):
            if name == "!":
                raise ValueError("Invalid name\n'!'")
            self.name, self.samples, self.persistent = name, [], False
            kept[name] = self

        def add_samples(self, samples, **_):
            self.samples += samples

        def delete(self):
            del kept[self.name]

        def __len__(self):
            return len(self.samples)

    module = SimpleNamespace(
        Dataset=Dataset, Sample=Labels, Detections=Labels, Detection=Labels, Heatmap=Labels,
        dataset_exists=kept.__contains__, list_datasets=lambda: list(kept),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "fiftyone", module)
    return kept


def test_a_sample_holds_the_objects_of_a_picture(study, kept, tmp_path):
    assert write_dataset(study, "mine") == 2
    assert kept["mine"].persistent
    _, sample = kept["mine"].samples
    assert (sample["filepath"], sample["image_id"]) == (str(tmp_path / "7.png"), 7)
    car, bus = sample["ground_truth"]["detections"]
    assert car == {
        "label": "car",
        "bounding_box": [0.05, 0.2, 0.15, 0.4],
        "index": 1,
        "ann_id": 70,
        "size_group": "small",
        "side": 5.0,
        "cause": "no_window",
        "correct": True,
        "predicted": "car",
        "wrong_under": ["scene_orig_full", "object_downscale_scale_0_125"],
    }
    assert (bus["index"], bus["cause"], bus["wrong_under"]) == (2, None, [])


def test_every_condition_is_a_field(study, kept):
    write_dataset(study, "mine")
    _, sample = kept["mine"].samples
    car, bus = sample["object_downscale_scale_0_125"]["detections"]
    assert car == {
        "label": "bus",
        "bounding_box": [0.05, 0.2, 0.15, 0.4],
        "confidence": 0.625,
        "index": 1,
        "ann_id": 70,
        "size_group": "small",
        "correct": False,
        "right": 0.25,
    }
    assert (bus["label"], bus["correct"]) == ("bus", True)


def test_a_map_has_its_objects_number(study, kept):
    write_dataset(study, "mine")
    first, second = kept["mine"].samples
    assert first["saliency_1"]["range"] == [0, 11]
    assert np.array_equal(second["saliency_1"]["map"], [[0, 1], [2, 3]])
    assert "saliency_2" not in second


def test_what_is_there_is_not_replaced(study, kept, tmp_path):
    write_dataset(study, "mine")
    before = kept["mine"]
    with pytest.raises(SmallsightError, match="there is a dataset 'mine'; expected another name"):
        write_dataset(study, "mine")
    with pytest.raises(SmallsightError, match="it is there already"):
        export_dataset(study, tmp_path)
    assert kept == {"mine": before}


def test_a_failure_leaves_no_dataset(study, kept, monkeypatch):
    monkeypatch.setattr(fiftyone_datasets, "_fill", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_dataset(study, "mine")
    assert kept == {}
    with pytest.raises(SmallsightError, match="Invalid name '!'; expected a name"):
        write_dataset(study, "!")


def test_without_the_package_one_line_says_how_to_install_it(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "fiftyone", None)
    with pytest.raises(SmallsightError, match=r"not installed; expected pip install 'smallsight\["):
        write_dataset(study, "mine")
    with pytest.raises(SmallsightError, match="not installed"):
        read_instances("mine")


def test_without_a_database_one_line_says_so(study, monkeypatch):
    def list_datasets():
        raise RuntimeError("MongoDB could not be installed\nmore")

    module = SimpleNamespace(list_datasets=list_datasets)
    monkeypatch.setitem(sys.modules, "fiftyone", module)
    with pytest.raises(SmallsightError) as caught:
        write_dataset(study, "mine")
    assert "could not be installed; expected a MongoDB" in str(caught.value)


def write_export(folder, *samples):
    (folder / "samples.json").write_text(json.dumps({"samples": samples}))
    return str(folder)


def exported(image_id, *objects, name="image_id"):
    return {name: image_id, "ground_truth": {"_cls": "Detections", "detections": list(objects)}}


def test_an_exported_view_is_read_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fiftyone", None)
    folder = write_export(
        tmp_path,
        exported(7, {"ann_id": 71, "size_group": "large"}, {"ann_id": 70, "size_group": "small"}),
        exported(3, {"ann_id": 30, "size_group": "medium"}),
        {"image_id": 4, "ground_truth": None},
    )
    pd.testing.assert_frame_equal(read_instances(folder), ALL)


def test_ids_may_be_those_of_an_import_of_coco(tmp_path):
    folder = write_export(tmp_path, exported(7, {"coco_id": 71}, name="coco_id"))
    found = read_instances(folder)
    assert found.to_dict("records") == [{"image_id": 7, "ann_id": 71}]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"samples": [exported(7, {"label": "car"}, {"ann_id": 1})]}, "1 of 2 objects without"),
        ({"samples": [exported("7", {"ann_id": 1}), 5]}, "1 of 1 objects without"),
        ({"samples": [{"image_id": 7}]}, "no objects in ground_truth"),
        ({"samples": 5}, "samples that are no list"),
        ({}, "no samples in JSON"),
        ([], "no samples in JSON"),
    ],
)
def test_what_is_no_export_is_one_line(tmp_path, content, found):
    (tmp_path / "samples.json").write_text(json.dumps(content))
    with pytest.raises(SmallsightError, match=found):
        read_instances(str(tmp_path))


@pytest.fixture
def tool(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return runpy.run_path(str(ROOT / "tools/fiftyone_dataset.py"))["main"]


def test_the_tool_writes_a_sample(tool, tmp_path):
    (tmp_path / "view").mkdir()
    write_export(tmp_path / "view", exported(7, {"ann_id": 70, "size_group": "small"}))
    assert tool("read", "view") == "1 objects of 1 pictures: instances.csv"
    assert Path("instances.csv").read_text() == "image_id,ann_id,size_group\n7,70,small\n"


def test_the_tool_names_what_it_can_do(tool):
    with pytest.raises(SmallsightError, match="write, export or read"):
        tool("draw", "mine")
    with pytest.raises(SmallsightError, match="sample"):
        tool("write", "mine")


@pytest.fixture
def real():
    """The package itself, where it is installed and has a database."""
    fo = pytest.importorskip("fiftyone")
    try:
        fo.list_datasets()
    except Exception:
        pytest.skip("fiftyone has no database here")
    for name in fo.list_datasets("smallsight-test*"):
        fo.delete_dataset(name)
    yield fo
    for name in fo.list_datasets("smallsight-test*"):
        fo.delete_dataset(name)


def test_fiftyone_keeps_the_study_and_gives_back_a_view(real, study):
    name = "smallsight-test"
    assert write_dataset(study, name) == 2
    dataset = real.load_dataset(name)
    pd.testing.assert_frame_equal(read_instances(name), ALL)
    wrong = real.ViewField("wrong_under").contains("object_downscale_scale_0_125")
    dataset.save_view("failures", dataset.filter_labels("ground_truth", wrong))
    assert read_instances(name, "failures").to_dict("records") == [
        {"image_id": 7, "ann_id": 70, "size_group": "small"}
    ]
    sample = dataset.match(real.ViewField("image_id") == 7).first()
    assert sample.saliency_1.map.tolist() == [[0, 1], [2, 3]]
    with pytest.raises(SmallsightError, match="no view 'none'; expected one of failures"):
        read_instances(name, "none")
    with pytest.raises(SmallsightError, match="no dataset or folder 'none'"):
        read_instances("none")


def test_fiftyone_reads_the_export_and_so_does_the_format(real, study, tmp_path):
    folder = tmp_path / "export"
    assert export_dataset(study, folder) == 2
    assert real.list_datasets("2*") == []
    pd.testing.assert_frame_equal(read_instances(str(folder)), ALL)
    back = real.Dataset.from_dir(
        str(folder), dataset_type=real.types.FiftyOneDataset, name="smallsight-test-back"
    )
    assert back.count("ground_truth.detections") == 3
    tree = fiftyone_format.read(folder, folder / "data")
    assert [one["bbox"] for one in tree["annotations"]] == [
        [50, 50, 100, 25], [10, 20, 30, 40], [0, 0, 200, 100],
    ]  # fmt: skip
