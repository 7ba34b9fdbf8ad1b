"""A whole study whose names read as numbers, in a folder of a repository with an odd path."""

import copy
import json
import re

import numpy as np
import pandas as pd
import pypdf
import pytest
import yaml
from faults import EVERYWHERE

from builders.small_study import Study
from smallsight.runtime.tables import read_table
from smallsight.sampling.sample import OBJECTS, read_sample

pytestmark = pytest.mark.dvc

NAMES = ["0", "1e5", "007", "nan", "True", '<b>$x^2$, {{ y }}, 100% "q"</b>']


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Rename the categories of the example, run the study, and one experiment."""
    above = tmp_path_factory.mktemp("names") / "Mein Ordner"
    folder = above / "sub folder" / "größe"
    folder.mkdir(parents=True)
    made = Study(folder, repository=above)
    path = folder / "examples/local/instances.json"
    tree = json.loads(path.read_text(encoding="utf-8"))
    given = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    renamed = dict(zip(given["data"]["categories"], NAMES, strict=True))
    for category in tree["categories"]:
        category["name"] = renamed[category["name"]]
    path.write_text(json.dumps(tree), encoding="utf-8")
    kept = ("orig_full", "orig_crop", "downscale", "object_alone")
    values = {
        "data.source": "local",
        "data.categories": NAMES,
        "conditions": {name: given["conditions"][name] for name in kept},
        "tasks.scene": list(kept[:3]),
        "remedies": dict.fromkeys(given["remedies"], False),
    }
    for key, value in values.items():
        made.set(key, value)
    # Letters that the terminal lacks stop nothing.
    made.environment |= {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    made.commit("Names")
    made.dvc("repro")
    made.commit("Results")
    made.git("tag", "first")
    made.dvc("exp", "run", "-n", "more", "-S", "heads.epochs=3")
    return made


def test_names_stay_text_in_every_table(study):
    sample = read_sample(study.folder / "data/samples_step1_person_limited.csv")
    assert set(sample["category_name"]) <= set(NAMES)
    assert {"0", "1e5", "007", "True"} <= set(sample["category_name"])
    tree = json.loads((study.folder / "data/source/instances.json").read_text(encoding="utf-8"))
    named = {one["id"]: one["name"] for one in tree["categories"]}
    truth = {one["id"]: named[one["category_id"]] for one in tree["annotations"]}
    assert sample["category_name"].tolist() == sample["ann_id"].map(truth).tolist()
    predictions = pd.read_parquet(study.folder / "data/predictions.parquet")
    assert predictions["category_name"].tolist() == predictions["ann_id"].map(truth).tolist()
    shares = predictions[[f"p_{name}" for name in NAMES]].to_numpy()
    assert predictions["predicted"].tolist() == [NAMES[best] for best in shares.argmax(axis=1)]
    same = predictions["predicted"] == predictions["category_name"]
    assert predictions["correct"].tolist() == same.tolist()


def test_neighbours_are_found(study):
    objects = read_table(study.folder / "data/objects.csv", OBJECTS)
    failures = pd.read_csv(
        study.folder / "data/analysis/failures.csv", dtype=str, keep_default_na=False
    )
    others = objects.groupby("image_id")["category_name"].agg(set)
    predictions = pd.read_parquet(study.folder / "data/predictions.parquet")
    is_asked = (predictions["task"] == "scene") & (predictions["condition"] == "orig_full")
    asked = predictions[is_asked & (predictions["regime"] == "fixed")]
    names = asked.groupby("ann_id")["predicted"].agg(set)
    # Where all seeds agree, there is one name that may be a neighbour's.
    agreed = failures[[len(names[int(ann_id)]) == 1 for ann_id in failures["ann_id"]]]
    due = [
        row.predicted if row.predicted in others[int(row.image_id)] else ""
        for row in agreed.itertuples()
    ]
    assert agreed["neighbour"].tolist() == due
    assert any(due)


def test_pages_show_the_names_as_they_are(study):
    screen = (study.folder / "reports/report.html").read_text(encoding="utf-8")
    figure = re.findall(r"<text[^>]*>([^<]*) \(\d+\)</text>", screen)
    assert {"0", "1e5", "007", "nan", "True", "&lt;b&gt;$x^2$, {{…"} <= set(figure)
    assert "<b>$x^2$" not in re.sub(r"<script.*?</script>", "", screen, flags=re.DOTALL)
    assert json.dumps(NAMES[:5])[1:-1].replace(", ", ",") in screen
    pages = pypdf.PdfReader(study.folder / "reports/report.pdf").pages
    said = " ".join(page.extract_text() for page in pages)
    for name in NAMES[:5]:
        assert re.search(rf"(?<!\S){name}(?!\S)", said), name
    plotted = (study.folder / "data/plots/confusion.csv").read_text(encoding="utf-8")
    assert set(re.findall(r"(?m)^(\w+),", plotted)) <= {*NAMES, "category"}


def test_revisions_are_compared_in_a_subfolder(study):
    said = study.run("python", "tools/compare.py", "first", "more")
    n = len(read_sample(study.folder / "data/samples_step1_person_limited.csv"))
    assert f"compare first more: {n} objects, " in said
    page = (study.folder / "reports/compare.html").read_text(encoding="utf-8")
    assert "heads.epochs" in page
    assert "data.categories" not in page
    assert "belongs to first" in study.run("python", "tools/check_lock.py", "first")


def test_dvc_compares_and_draws_in_a_subfolder(study):
    difference = json.loads(study.dvc("metrics", "diff", "--json", "first", "more"))
    (changed,) = difference.values()
    assert np.isfinite(changed["accuracy_small"]["diff"])
    study.dvc("plots", "show", "-o", "plots")
    page = (study.folder / "plots/index.html").read_text(encoding="utf-8")
    assert '"category": "1e5"' in page
    assert '"category": "007"' in page


def test_another_locale_zone_hash_seed_and_folder_give_the_same_pages(study, tmp_path):
    """And one worker: the commit runs anew, and each output has to have the same bytes."""
    elsewhere = tmp_path / "Ordner mit Lücke"
    elsewhere.mkdir()
    other = copy.copy(study)
    variables = EVERYWHERE | {"LC_ALL": "C.UTF-8", "TMPDIR": str(elsewhere)}
    other.environment = study.environment | variables
    said = other.run("python", "tools/verify_study.py")
    assert said.splitlines()[-1] == "verify: every output is what dvc.lock records"
