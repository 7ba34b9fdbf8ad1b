"""Inputs: each is read as declared, and what is wrong with one is said in one line."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from builders.study_files import INPUTS, LITE, OWN, WAYS, conditions, roles
from smallsight import params
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.inputs import read_study
from smallsight.runtime.errors import SmallsightError
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, SCENE, TASKS

pytestmark = pytest.mark.page


def test_a_category_may_be_called_none(reported_study):
    assert set(reported_study(category="None").sample["category_name"]) == {"None", "bus"}


def test_two_tables_that_disagree_are_an_error(reported_study):
    def make():
        reported_study()
        table = pd.read_csv(INPUTS.results)
        table.loc[0, "val_acc_small"] += 0.02
        table.to_csv(INPUTS.results, index=False)
        read_study(INPUTS, params.load())

    with pytest.raises(SmallsightError, match=r"results_conditions.*0\.3200; expected 0\.3000"):
        make()


@pytest.mark.parametrize("path", INPUTS.paths(), ids=lambda path: path.name)
def test_a_missing_or_malformed_input_is_named(reported_study, path):
    reported_study()
    path.write_text("{", encoding="utf-8")
    with pytest.raises(SmallsightError, match=re.escape(str(path))):
        read_study(INPUTS, params.load())
    path.unlink()
    with pytest.raises(SmallsightError, match=re.escape(str(path))):
        read_study(INPUTS, params.load())


@pytest.mark.parametrize("content", ["{", "[]", '{"family": "downscale"}', None])
def test_missing_or_malformed_facts_of_a_family_are_named(reported_study, content):
    reported_study(only=(UNTOUCHED,))
    path = INPUTS.facts("downscale")
    if content is None:
        path.unlink()
    else:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SmallsightError, match=re.escape(str(path))) as caught:
        read_study(INPUTS, params.load())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": None}, {"cells": 3}, {"cells": {"last": "few"}}, {"mean": "grey"}, {"sha256": 3},
        {"readouts": ["scene"]}, {"notes": {}}, {"is_dilated": "perhaps"},
    ],
    ids=str,
)  # fmt: skip
def test_malformed_facts_of_the_network_are_named(reported_study, wrong):
    reported_study(only=(UNTOUCHED,))
    facts = json.loads(INPUTS.backbone.read_text(encoding="utf-8")) | wrong
    INPUTS.backbone.write_text(json.dumps(facts), encoding="utf-8")
    expected = f"error: {INPUTS.backbone}: malformed; expected the facts of a backbone"
    with pytest.raises(SmallsightError, match=f"^{re.escape(expected)}$"):
        read_study(INPUTS, params.load())


def test_facts_of_the_network_come_back_and_may_lack_none(reported_study):
    assert reported_study(only=(UNTOUCHED,)).backbone == LITE
    facts = json.loads(INPUTS.backbone.read_text(encoding="utf-8"))
    for name in facts:
        fewer = {key: value for key, value in facts.items() if key != name}
        INPUTS.backbone.write_text(json.dumps(fewer), encoding="utf-8")
        with pytest.raises(SmallsightError, match=re.escape(str(INPUTS.backbone))):
            read_study(INPUTS, params.load())


def test_a_readout_that_the_network_lacks_is_an_error(reported_study):
    with pytest.raises(SmallsightError, match=r"heads\.readout: 'fpn' with efficientnet_lite0"):
        reported_study(only=(UNTOUCHED,), readout="fpn")


def test_what_heads_read_is_nothing_to_a_classifier_as_it_is(reported_study):
    study = reported_study(only=(UNTOUCHED,), own=OWN, readout="fpn")
    assert study.classifier.label == OWN.label
    assert not study.has_heads
    assert study.n_seeds == 1


def test_a_protocol_that_trains_heads_is_none_for_a_classifier_as_it_is(reported_study):
    reported_study(only=(UNTOUCHED,), own=OWN)
    path = Path("params.yaml")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("protocol: cross_validation", "protocol: original"), "utf-8")
    study = read_study(INPUTS, params.load())
    with pytest.raises(
        SmallsightError, match=r"protocol: 'original' with a classifier of your own"
    ):
        study.protocol  # noqa: B018


def test_labels_are_those_of_the_families_facts(reported_study):
    def edit():
        path = INPUTS.facts("downscale")
        facts = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(facts | {"label": "Fewer pixels"}), encoding="utf-8")

    study = reported_study(only=(UNTOUCHED, "downscale"), edit=edit)
    assert study.label("downscale") == "Fewer pixels"
    assert study.label("bg_swap/donor=other") == "Background swap, donor=other"


@pytest.mark.parametrize("path", [INPUTS.table("accuracy"), INPUTS.results])
def test_a_family_that_the_parameters_lack_is_an_error(reported_study, path):
    def edit():
        table = pd.read_csv(path)
        table["family"] = table["family"].replace("downscale", "upscale")
        table.to_csv(path, index=False)

    expected = rf"{re.escape(path.name)}: family: upscale; expected one of"
    with pytest.raises(SmallsightError, match=expected):
        reported_study(only=(UNTOUCHED, "downscale"), edit=edit)


def test_a_remedy_that_the_facts_lack_is_an_error(reported_study):
    def edit():
        path = INPUTS.table("remedies")
        table = pd.read_csv(path)
        table["remedy"] = table["remedy"].replace("clahe", "prayer")
        table.to_csv(path, index=False)

    with pytest.raises(SmallsightError, match=r"remedies\.csv: remedy: prayer; expected one of"):
        reported_study(only=(UNTOUCHED, "downscale"), edit=edit)


def test_times_are_asked_for_by_remedy_and_task(reported_study):
    study = reported_study(only=(UNTOUCHED, "downscale"))
    assert study.time_ratio("larger", SCENE) == pytest.approx(2.4075)
    assert np.isnan(study.time_ratio("tiles", SCENE))
    assert list(study.remedies) == [one.name for one in WAYS]


def test_conditions_are_those_of_a_task_and_sweeps_are_none(reported_study):
    study = reported_study()
    assert study.tasks == list(TASKS)
    due = [one for one in conditions() if roles()[one.family] != "sweep"]
    for task in TASKS:
        assert study.conditions(task) == [one for one in due if one.task == task]
    swept = {family for family, role in roles().items() if role == "sweep"}
    assert swept <= set(pd.read_csv(INPUTS.results)["family"])
    assert {one.name for one in study.interventions(SCENE)} == set()
    parts = (study.corruptions(HEADLINE_TASK), study.interventions(HEADLINE_TASK))
    assert all(parts)
    assert sorted(one.name for part in parts for one in part) == sorted(
        one.name for one in study.changed_conditions(HEADLINE_TASK)
    )


def test_numbers_are_asked_for_by_task(reported_study):
    shares = {task: dict.fromkeys(GROUPS, share) for task, share in ((SCENE, 0.5), ("object", 0.8))}
    study = reported_study(accuracy=shares["object"], scene=shares[SCENE])
    for task in TASKS:
        assert study.estimate(task, "fixed", UNTOUCHED, "small").acc == shares[task]["small"]
    assert study.estimate(SCENE, "fixed", "crop_low", "small") is None
    assert study.effect(HEADLINE_TASK, "fixed", "crop_low", "small")["task"] == HEADLINE_TASK
    assert study.baseline("largest_object", "small")["accuracy"] == 0.5
    assert study.baseline("largest_object", "huge") is None
    assert study.chance == 0.5


def test_every_file_has_a_fingerprint(reported_study):
    study = reported_study(only=(UNTOUCHED,))
    paths = [*INPUTS.paths(), *map(INPUTS.facts, study.params.conditions)]
    assert list(study.fingerprints) == [path.as_posix() for path in paths]
    assert all(re.fullmatch("[0-9a-f]{12}", digits) for digits in study.fingerprints.values())
