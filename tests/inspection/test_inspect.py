"""What an inspection says of a small project, against what is known of it and what stages do."""

import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from smallsight import params
from smallsight.imaging.pictures import InputFormat, write_input_format
from smallsight.inspection.inspect import inspect
from smallsight.inspection.sentences import (
    detectable_sentence,
    drawn_sentence,
    duplicates_sentence,
    duration_sentence,
    left_out_sentence,
    pictures_sentence,
)
from smallsight.inspection.warnings import find_warnings
from smallsight.runtime.errors import AnnotationError, PictureError, SampleError

ROOT = Path(__file__).parents[2]


def inspected():
    return inspect(params.load())


def test_what_the_data_hold_and_what_would_be_drawn(project):
    found = inspected()
    assert (found.n_pictures, found.n_annotations) == (12, 38)  # the ignored one is not read
    assert found.draw.summary["eligible"] == {
        "small": {"car": 12, "bus": 0},
        "medium": {"car": 6, "bus": 6},
        "large": {"car": 0, "bus": 12},
    }
    assert found.draw.summary["drawn"] == {"small": 12, "medium": 12, "large": 12}
    measures = found.eligible.summary["measures"]
    assert measures["small"]["area"] == {"least": 25.0, "median": 25.0, "most": 25.0}
    assert measures["large"]["share"]["median"] == pytest.approx(400 / 3072)
    assert found.category_sizes["car"]["area"] == 25.0
    assert found.category_sizes["bus"]["input"] == pytest.approx(96 * np.sqrt(400 / 3072))
    assert drawn_sentence(found) == (
        "36 objects of 2 categories in 12 pictures would be drawn: "
        "12 small, 12 medium and 12 large."
    )


def test_what_would_be_left_out_and_why(project):
    found = inspected()
    assert found.draw.summary["excluded"] == {"ignored": 1, "crowd": 1, "degenerate": 1}
    assert found.left_out == {"ignored": 39, "crowd": 38, "degenerate": 38}
    assert found.draw.summary["examples"]["degenerate"].startswith("annotation 39 (bbox")
    assert left_out_sentence(found) == "3 entries of the annotations would be left out."


def test_duplicates_among_what_would_be_drawn(project):
    found = inspected()
    assert found.duplicates.table["image_id"].tolist() == [11, 12]
    assert "2 identical" in duplicates_sentence(found)
    # Of other pictures alone there is none.
    project(sample={"per_group": 3, "seed": 2})
    found = inspected()
    assert not {11, 12} <= set(found.draw.sample["image_id"])
    assert duplicates_sentence(found).startswith("No two of the ")


def test_what_would_be_done_to_pictures(project):
    assert pictures_sentence(inspected()) == ""
    Image.new("RGBA", (64, 48), (9, 9, 9, 120)).save("mine/3.png")
    assert "1 laid on white where transparent, such as 3.png" in pictures_sentence(inspected())


def test_pictures_that_are_not_there_yet_are_not_known(project):
    phantom = {"scenes": 3, "width": 160, "height": 120, "context": 0.5, "clutter": 0.3}
    phantom |= dict.fromkeys(("neighbours", "class_mix", "small_blur", "haze", "noise"), 0.0)
    project(
        data={"source": "phantom", "phantom": phantom, "categories": "all"}, evaluation={"folds": 2}
    )
    found = inspected()
    assert found.duplicates is None
    assert duplicates_sentence(found).endswith("is not known yet.")


def test_the_mix_by_size(project):
    found = inspected()
    assert found.distance == 1.0
    assert [one.is_dominated for one in found.mixes.values()] == [True, False, True]
    told = " ".join(find_warnings(found))
    assert (
        "more than 50% of the small objects (“car”, 100.0%) and large objects (“bus”, 100.0%)"
        in told
    )
    assert "100.0% of one group would have to change theirs" in told


WARNED = {
    "a shortfall": ({}, "Fewer objects than the 200 requested (sample.per_group) would be drawn: "
                        "12 small, 12 medium and 12 large."),
    "few pictures": ({}, "would hold the small objects (12 pictures)"),
    "rare": ({"sample": {"caps": {"car": 1}, "per_group": 8}}, "“car” (2): some heads"),
    "no group": ({"sample": {"sizes": {"measure": "area", "limits": [0.1, 0.2]}}},
                 "no small or medium objects: there is no gap"),
    "little power": ({}, "on small"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "words"), WARNED.values(), ids=WARNED)
def test_what_is_warned_of(project, changes, words):
    project(**changes)
    assert words in " ".join(find_warnings(inspected()))


def test_pictures_of_unlike_sizes(project, tree):
    assert "unlike in size" not in " ".join(find_warnings(inspected()))
    for image in tree["images"][:3]:
        image |= {"width": 640, "height": 480}
        Image.new("RGB", (640, 480)).save(Path("mine", image["file_name"]))
    project()
    told = " ".join(find_warnings(inspected()))
    assert "nine in ten have sides from 55 to 554 pixels" in told


def test_the_very_objects_of_the_study(project):
    """Stages draw what was told, with the same counts."""
    project(sample={"per_group": 4, "seed": 3})
    found = inspected()
    write_input_format(InputFormat(96), "data/input.json")
    for name in ("annotate", "sample"):
        runpy.run_path(str(ROOT / "stages" / f"{name}.py"))["main"]()
    sample = pd.read_csv("data/samples_step1_person_limited.csv")
    assert found.draw.sample["ann_id"].tolist() == sample["ann_id"].tolist()
    summary = json.loads(Path("data/sampling.json").read_text())
    assert summary == found.draw.summary | {"unreadable_masks": 0}


def test_a_list_of_ones_own_is_the_sample(project):
    rows = "image_id,ann_id,size_group\n1,1,small\n2,4,small\n3,9,large\n4,12,large\n5,15,large\n"
    Path("list.csv").write_text(rows)
    project(data={"instances": "list.csv"})
    found = inspected()
    assert found.draw.sample["ann_id"].tolist() == [1, 4, 9, 12, 15]
    told = " ".join(find_warnings(found))
    assert "There would be no medium objects." in told
    assert "requested" not in told


def test_a_table_of_predictions_is_not_timed(project):
    own = {"source": "predictions", "file": "answers.csv", "output": "probabilities"}
    own |= {"class_names": "file", "class_names_file": "names.txt"}
    prepared = dict.fromkeys(("mean", "std", "interpolation", "channels", "range"))
    project(classifier=own | {"preprocessing": prepared | {"input_size": 96}})
    Path("names.txt").write_text("car\nbus\n")
    Path("answers.csv").write_text("image,condition,class,probability\n")
    found = inspected()
    assert "the network, conditions" in found.duration.unknown
    assert "cannot be timed here: the network, conditions" in duration_sentence(found)


def test_what_the_sample_can_show(project):
    found = inspected()
    # Downscale and occlusion are the corruptions.
    assert (found.power.tests, found.power.level) == (2, pytest.approx(0.025))
    assert found.power.detectable["small"].n == 12
    told = detectable_sentence(found)
    assert told.startswith("On small objects, 80% of such studies would find a change of ")
    project(sample={"per_group": 3})
    assert "no change under a condition could be shown" in detectable_sentence(inspected())


def test_by_the_original_protocol_test_data_alone_count(project):
    project(sample={"per_group": 10})
    whole = inspected().power
    Path("params.yaml").write_text(
        Path("params.yaml").read_text().replace("cross_validation", "original")
    )
    part = inspected().power
    assert (whole.is_part, part.is_part) == (False, True)
    assert sum(one.n for one in whole.detectable.values()) == 30
    assert sum(one.n for one in part.detectable.values()) == 6


REFUSED = {
    "a picture is damaged": (lambda tree: Path("mine/3.png").write_bytes(b"no"), PictureError),
    "no such category": (lambda tree: tree["categories"].pop(), AnnotationError),
    "too many faults": (
        lambda tree: [one.update(bbox=[1, 2, -3, 4]) for one in tree["annotations"][:20]],
        AnnotationError,
    ),
    "too few pictures": (
        lambda tree: [one.update(image_id=1) for one in tree["annotations"]], SampleError,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "error"), REFUSED.values(), ids=REFUSED)
def test_what_stops_a_study_stops_its_inspection(project, tree, spoil, error):
    spoil(tree)
    project()
    with pytest.raises(error):
        inspected()
