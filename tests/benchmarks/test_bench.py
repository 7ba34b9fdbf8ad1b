"""The benchmark's own code: what it reads of logs, what it makes of times, and what it writes."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

import bench
import measured_page
import plain_study
import workspace
from figure import draw_figure

LOG = """\
Running stage 'render@occlusion':
> python stages/render.py occlusion
render occlusion: 60 pictures of 224 x 224 at ratio=0.35 [4.2 s]
render bg_blur: 60 pictures of 224 x 224 at sigma=3.5,margin=0.1 [0.8 s]
train: reference head 0.529 on 121 instances; 25 heads for each of 2 tasks, cpu [1.6 s]
"""


def a_round(ratio, seconds=100.0):
    return {
        "plain": {
            "seconds": ratio * seconds, "heads": 6, "passes": 900, "memory": 1e9,
            "steps": {"rendering": 20.0, "training": 60.0, "testing": ratio},
        },
        "pipeline": {
            "seconds": seconds, "heads": 276, "passes": 1200, "memory": 2e9,
            "stages": {"render": 30.0, "features": 40.0, "train": 1.0, "evaluate": 9.0},
        },
        "limit": {"torch": 60.0, "onnxruntime": 90.0},
        "ratio_table": ratio, "ratio_head": 46 * ratio, "share_of_limit": 0.9,
    }  # fmt: skip


@pytest.fixture
def results():
    about = {
        "date": "2026-01-02", "processor": "A Processor", "cores": 2, "objects": 60, "rounds": 3,
        "pictures": "drawn scenes", "input_size": 224,
    }  # fmt: skip
    found = bench.summarised([a_round(4.0), a_round(2.0), a_round(3.0)])
    return found | {"about": about, "gradcam": {"closed_form": 900.0, "read_and_measured": 50.0}}


def test_stages_are_read_from_their_closing_lines(tmp_path):
    script = tmp_path / "says.py"
    script.write_text(f"print({LOG!r}, end='')")
    found = workspace.run([workspace.sys.executable, str(script)], tmp_path)
    assert found.stages == {"render": 5.0, "train": 1.6}
    assert found.memory > 1e6
    assert 0 < found.seconds < 60


def test_a_command_that_fails_ends_with_what_it_said(tmp_path):
    with pytest.raises(SystemExit, match="no such thing"):
        workspace.run([workspace.sys.executable, "-c", "exit('no such thing')"], tmp_path)


def test_starts_are_what_stages_leave():
    assert workspace.Run(20.0, {"render": 5.0, "train": 10.0}, 0).overhead == pytest.approx(0.25)


def test_a_copy_has_what_git_tracks_and_other_parameters(tmp_path):
    workspace.copy_tree(tmp_path / "copy")
    for name in ("dvc.yaml", "stages/render.py", "src/smallsight/params.py"):
        assert (tmp_path / "copy" / name).read_bytes() == (workspace.ROOT / name).read_bytes()
    assert "no_scm = true" in (tmp_path / "copy/.dvc/config").read_text()
    assert not (tmp_path / "copy/.git").exists()
    workspace.set_parameters(
        tmp_path / "copy", {"sample.per_group": 7, "conditions": bench.OPTIONS}
    )
    tree = yaml.safe_load((tmp_path / "copy/params.yaml").read_text())
    assert tree["sample"]["per_group"] == 7
    assert list(tree["conditions"]) == list(plain_study.CONDITIONS)
    assert tree["seed"] == 0


def test_a_round_is_compared(tmp_path):
    heads = pd.MultiIndex.from_product(
        [["fixed", "retrained"], ["scene"], ["orig_full", "bg_blur"], range(2), range(5)],
        names=["regime", "task", "condition", "seed", "fold"],
    )
    table = heads.to_frame(index=False)
    table.to_parquet(tmp_path / "predictions.parquet")
    (tmp_path / "features/bg_blur").mkdir(parents=True)
    arrays = {"scene": np.zeros((7, 3)), "scene_mirrored": np.zeros((7, 3)), "box": np.zeros(9)}
    np.savez(tmp_path / "features/bg_blur/a.npz", **arrays)
    plain = {"seconds": 300.0, "heads": 6, "passes": 600}
    pipeline = workspace.Run(100.0, {"features": 2.0}, 5)
    found = bench.compared(plain, pipeline, {"torch": 5.0, "onnxruntime": 10.0}, tmp_path)
    assert found["pipeline"]["heads"] == 1 + 2 * 2 * 5
    assert found["pipeline"]["passes"] == 14
    assert found["share_of_limit"] == pytest.approx(0.7)
    assert found["ratio_table"] == pytest.approx(3)
    assert found["ratio_head"] == pytest.approx(50 / (100 / 21))
    assert found["plain"]["passes_per_second"] == pytest.approx(2)


def test_rounds_are_told_by_median_and_spread(results):
    assert results["ratio_table"] == 3
    assert results["ratio_table_spread"] == [2, 4]
    assert len(results["rounds"]) == 3


def test_the_page_gets_tables_between_its_marks(results, tmp_path):
    page = tmp_path / "measured.md"
    page.write_text(f"before\n{measured_page.BEGIN}\nold\n{measured_page.END}\nafter\n")
    for _ in range(2):
        measured_page.write_page(results, page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| plain over smallsight, the table | 3.00 | 2.00 | 4.00 |" in text
    assert "| seconds for the table of six conditions | 300 | 100 |" in text
    page.write_text("nothing")
    with pytest.raises(ValueError, match="make bench: begin"):
        measured_page.write_page(results, page)
    assert page.read_text() == "nothing"


def test_the_project_s_own_page_has_the_marks():
    page = (workspace.ROOT / "docs/measured.md").read_text()
    assert page.index(measured_page.BEGIN) < page.index(measured_page.END)


def test_the_figure_is_drawn_and_small(results, tmp_path):
    draw_figure(results, tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as figure:
        width, height = figure.size
        assert len(figure.convert("RGB").getcolors(2**24)) > 5
    assert width > 2 * height
    assert (tmp_path / "figure.png").stat().st_size < 200_000


def test_the_reference_changes_pictures_as_it_says(noise):
    picture, box = noise(60, 80), (20.0, 10.0, 24.0, 16.0)
    made = {
        name: plain_study.changed_picture(picture, name, *box) for name in plain_study.CONDITIONS
    }
    assert (made["orig_full"] == picture).all()
    assert made["orig_crop"].shape == (25, 37, 3)
    inside, middle = (slice(10, 27), slice(20, 45)), (slice(15, 21), slice(27, 37))
    assert (made["bg_blur"][inside] == picture[inside]).all()
    assert made["bg_blur"].std() < picture.std()
    assert (made["occlusion"][middle] == 128).all()
    for name in ("downscale", "motion_blur"):
        assert made[name].shape == picture.shape
        assert made[name].std() < 0.7 * picture.std()


def test_the_reference_gives_a_table_and_what_it_took(tmp_path, noise, monkeypatch):
    study, rows = tmp_path / "study", []
    (study / "data").mkdir(parents=True)
    for number in range(10):
        Image.fromarray(noise(60, 80, number)).save(study / f"{number}.png")
        rows.append((number, number, f"{number}.png", "ab"[number % 2], 20.0, 10.0, 24.0, 16.0))
    columns = ["image_id", "ann_id", "image_path", "category_name", "bbox_x", "bbox_y", "bbox_w"]
    sample = pd.DataFrame(rows, columns=[*columns, "bbox_h"])
    sample.to_csv(study / "data/samples_step1_person_limited.csv", index=False)
    monkeypatch.setattr(plain_study, "SIZE", 32)
    monkeypatch.setattr(plain_study, "EPOCHS", 1)
    plain_study.main(study, tmp_path / "result.json")
    found = json.loads((tmp_path / "result.json").read_text())
    assert list(found["table"]) == list(plain_study.CONDITIONS)
    assert all(0 <= value <= 1 for value in found["table"].values())
    assert found["passes"] == 6 * 10
    assert found["seconds"] == pytest.approx(sum(found["steps"].values()))
    assert min(found["steps"].values()) > 0
    assert len(list((tmp_path / "pictures").rglob("*.png"))) == 60
