import pytest
import yaml
from scale import FAMILIES, REMEDIES, SCENES, STAGES, Taken, changes, table
from study_copy import ROOT


@pytest.fixture(scope="module")
def defaults():
    return yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def test_every_stage_is_run_in_turn():
    due = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert {stage.partition("@")[0] for stage in STAGES} == due.keys()
    assert len(set(STAGES)) == len(STAGES)


def test_the_study_is_the_default_one_with_fewer_pictures_of_an_object(defaults):
    found = changes(600, 224, defaults)
    assert found["data.phantom.scenes"] == defaults["data"]["phantom"]["scenes"]
    assert found["sample.per_group"] == defaults["sample"]["per_group"]
    assert {name for name, is_tried in found["remedies"].items() if is_tried} == {*REMEDIES}
    assert found["remedies"].keys() == defaults["remedies"].keys()
    assert found["conditions"].keys() == {*FAMILIES} < defaults["conditions"].keys()
    levels = [one for family in found["conditions"].values() for one in family.values()]
    assert {len(one) for one in levels if isinstance(one, list)} == {1}
    assert changes(6000, 224, defaults)["data.phantom.scenes"] == 6000 * SCENES


def test_growth_is_held_against_the_number_of_objects():
    found = {
        6000: {"render": Taken(60.0, 1.5), "check": Taken(2.0, 1.0)},
        600: {"render": Taken(6.0, 0.25), "check": Taken(2.0, 1.0)},
    }
    assert list(table(found)) == [
        "| stage | 600 objects: s | 600 objects: GiB | 6,000 objects: s | 6,000 objects: GiB | growth |",  # noqa: E501
        "| --- | --- | --- | --- | --- | --- |",
        "| render | 6.0 | 0.25 | 60.0 | 1.50 | 1.00 |",
        "| check | 2.0 | 1.00 | 2.0 | 1.00 | 0.10 |",
    ]
