import gpu
import pandas as pd
import pytest
import yaml

OBJECTS = pd.DataFrame({
    "task": "object", "regime": "fixed", "condition": "orig_full", "seed": 0,
    "image_id": [1, 1, 2, 3], "ann_id": [1, 2, 3, 4],
    "predicted": ["car", "bus", "car", "bus"], "confidence": [0.5, 0.6, 0.7, 0.8],
})  # fmt: skip


def test_predictions_of_two_devices_are_held_against_each_other_object_by_object():
    other = OBJECTS.assign(
        predicted=["car", "bus", "bus", "bus"], confidence=[0.5, 0.625, 0.7, 0.8]
    )
    found = gpu.agreement(OBJECTS, other.iloc[::-1])
    assert found == {
        "predictions": 4,
        "the same": 0.75,
        "largest difference of a confidence": pytest.approx(0.025),
    }


def test_other_objects_are_no_agreement():
    with pytest.raises(SystemExit, match="other objects"):
        gpu.agreement(OBJECTS, OBJECTS.iloc[1:])


def test_the_study_has_the_size_and_the_families_that_are_asked_for(tmp_path):
    families = ["orig_full", "occlusion"]
    study = gpu.Study(tmp_path / "study", objects=60, size=64, families=families)
    found = yaml.safe_load((study.folder / "params.yaml").read_text(encoding="utf-8"))
    assert list(found["conditions"]) == study.families == families
    assert found["sample"]["per_group"] == 20
    assert found["data"]["phantom"]["scenes"] == 42
    assert found["backbone"]["input_size"] == 64
    every = gpu.Study(tmp_path / "every", objects=60, size=64, families=[])
    assert {*families} < {*every.families}
