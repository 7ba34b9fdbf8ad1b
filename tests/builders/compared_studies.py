"""Studies that several tests compare: tables by themselves, and whole folders of files."""

import dataclasses
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from smallsight import params
from smallsight.analysis.terms import INTERVENTIONS
from smallsight.comparison.inputs import Files, read_side
from smallsight.comparison.pairs import Tables, pair_studies
from smallsight.comparison.revisions import open_revision
from smallsight.conditions.rendered.names import UNTOUCHED, Condition, FamilyFacts, write_facts

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "compare.py"
FILES: Files = runpy.run_path(str(SCRIPT))["FILES"]
SIDES = {"small": (3, 12), "medium": (12, 25), "large": (25, 90)}
CONDITIONS = ("downscale/scale=0.5", "occlusion/ratio=0.35")
INTERVENED = tuple(f"{name}/default" for name in INTERVENTIONS.values() if name != UNTOUCHED)
BETTER = {"small": 0.57, "medium": 0.6, "large": 0.8}
"""Odds of a study that is better on small objects than `predicted` makes it."""

HOSTILE, FORMULA = "<img src=x onerror=alert(1)>", "=cmd()"
"""Names that a page or a spreadsheet would run."""

TREE = {
    "seed": 0,
    "data": {"source": "phantom", "phantom": {"haze": 0.35}},
    "conditions": {},
    "heads": {"epochs": 5},
    "analysis": {"confidence": 0.95, "bootstrap_draws": 200},
}


def sampled(*, each=40, groups=tuple(SIDES), categories=("car", "bus", "van"), per_image=2, seed=0):
    """Make a sample: so many objects of each size group, some to an image."""
    rng = np.random.default_rng(seed)
    group = np.repeat(groups, each)
    n = len(group)
    ends = np.array([SIDES[name] for name in group], float)
    side = ends[:, 0] * (ends[:, 1] / ends[:, 0]) ** rng.random(n)
    return pd.DataFrame(
        {
            "image_id": rng.permutation(n) // per_image + 1,
            "ann_id": np.arange(n) + 100,
            "category_name": rng.choice(categories, n),
            "bbox_x": rng.integers(0, 300, n).astype(float),
            "bbox_y": rng.integers(0, 200, n).astype(float),
            "bbox_w": (6 * side).round(2),
            "bbox_h": (6 * side).round(2),
            "size_group": group,
        }
    )


def predicted(
    sample, *, odds=None, seeds=3, conditions=(*CONDITIONS, *INTERVENED), regimes=("fixed",), seed=0
):
    """Predict a sample, out of fold: right by chance, with `odds` by size group.

    An object has luck of its own that all seeds and conditions share, so that two studies with
    other odds are right on mostly the same objects. `odds` may also be a function of a table with
    regime, condition, size_group and category_name. The first condition that is named of a family
    has the family's name.
    """
    rng = np.random.default_rng(seed)
    luck = np.random.default_rng(99).random(len(sample))
    known = sorted(sample["category_name"].unique())
    known = known if len(known) > 1 else [*known, "none"]
    tables, seen = [], set()
    for regime in regimes:
        seen.clear()
        for condition in (f"{UNTOUCHED}/default", *conditions):
            family, level = condition.split("/", 1)
            name = condition if family in seen else family
            seen.add(family)
            for number in range(seeds):
                table = sample[["image_id", "ann_id", "category_name", "size_group"]].assign(
                    regime=regime, condition=name, family=family, level=level, seed=number
                )
                chance = odds(table) if callable(odds) else table["size_group"].map(
                    odds or {"small": 0.4, "medium": 0.6, "large": 0.8}
                )  # fmt: skip
                right = 0.7 * luck + 0.3 * rng.random(len(sample)) < chance
                true = table["category_name"].map(known.index)
                other = (true + rng.integers(1, len(known), len(sample))) % len(known)
                named = np.where(right, true, other)
                side = np.sqrt(sample["bbox_w"] * sample["bbox_h"]) / 6
                tables.append(
                    table.assign(
                        side=side, correct=right, predicted=np.array(known, object)[named],
                        confidence=rng.random(len(sample)).round(3),
                    )
                )  # fmt: skip
    columns = {f"p_{name}": 0.5 for name in known}
    return pd.concat(tables, ignore_index=True).assign(**columns)


def failed(predictions):
    """List the objects that most of the seeds get wrong, each with a cause."""
    untouched = predictions[predictions["family"] == UNTOUCHED]
    share = untouched.groupby(["regime", "image_id", "ann_id"])["correct"].mean().reset_index()
    wrong = share.loc[share["correct"] <= 0.5, ["regime", "image_id", "ann_id"]]
    return wrong.assign(cause="resolution")


def facts_of(predictions, *, labels=None):
    """Make the facts of all evaluated families.

    A family is labelled by its name with a capital, or by `labels`, and an intervention where the
    analysis takes it for one.
    """
    facts = {}
    for family, part in predictions.groupby("family", sort=False):
        label = (labels or {}).get(family, family.replace("_", " ").capitalize())
        steps = part[["level", "condition"]].drop_duplicates()
        conditions = tuple(
            Condition(family, step.level, is_reference=step.condition == family)
            for step in steps.itertuples()
        )
        is_intervention = f"{family}/default" in INTERVENED
        facts[family] = FamilyFacts(family, label, "Changes it.", is_intervention, {}, conditions)
    return facts


def tables_of(sample, predictions, *, name="a", failures=None, families=None):
    failures = failed(predictions) if failures is None else failures
    families = facts_of(predictions) if families is None else families
    return Tables(name, sample, predictions, failures, families)


def paired(a, b, *, families=(None, None), draws=300, confidence=0.95, seed=0):
    """Pair two studies, each of a sample and its predictions; `families` are the facts of each."""
    settings = params.Analysis(confidence=confidence, bootstrap_draws=draws)
    first, second = (
        tables_of(*study, name=name, families=facts)
        for study, name, facts in zip((a, b), "ab", families, strict=True)
    )
    rng = np.random.default_rng(seed)
    return pair_studies(first, second, settings=settings, rng=rng)


def write_study(folder, sample, predictions, *, changes=None, lock=None, **properties):
    """Write the files of a study as they lie in a folder.

    `changes` are parameters by dotted key; `write_tables` has the properties.
    """
    tree = yaml.safe_load(yaml.safe_dump(TREE))
    for key, value in (changes or {}).items():
        *above, last = key.split(".")
        branch = tree
        for part in above:
            branch = branch.setdefault(part, {})
        branch[last] = value
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILES.parameters).write_text(yaml.safe_dump(tree), encoding="utf-8")
    if not (folder / FILES.pipeline).exists():
        (folder / FILES.pipeline).write_text("stages: {}\n", encoding="utf-8")
    if lock is not None:
        (folder / "dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    write_tables(folder, sample, predictions, **properties)
    return folder


def write_tables(folder, sample, predictions, *, size=32, shade=0, families=None):
    """Write what the stages of a study write.

    `shade` tells its pictures from others'; `families` are facts other than `facts_of` makes.
    """
    pictures = folder / FILES.pictures
    pictures.mkdir(parents=True, exist_ok=True)
    (folder / FILES.failures).parent.mkdir(parents=True, exist_ok=True)
    sample.to_csv(folder / FILES.sample, index=False)
    predictions.to_parquet(folder / FILES.predictions, index=False)
    failed(predictions).to_csv(folder / FILES.failures, index=False)
    views = sample[["image_id", "ann_id"]].assign(
        level="default", box_x=4.0, box_y=6.0, box_w=8.0, box_h=8.0, view_w=400, view_h=300
    )
    views.to_csv(folder / FILES.views, index=False)
    for facts in (facts_of(predictions) if families is None else families).values():
        (folder / FILES.conditions / facts.name).mkdir(exist_ok=True)
        write_facts(facts, folder / FILES.conditions / facts.name)
    for row in sample.itertuples():
        pixels = np.full((size, size, 3), (row.ann_id * 37 + shade) % 256, np.uint8)
        Image.fromarray(pixels).save(pictures / f"{row.image_id}_{row.ann_id}.png")


def side_of(folder, *, name="default", commit="", experiment=""):
    """Read such a folder as if it were a revision of this name."""
    revision = open_revision(folder, "workspace")
    revision = dataclasses.replace(revision, name=name, commit=commit, experiment=experiment)
    return read_side(revision, FILES)


class Project:
    """A folder under Git and DVC, in which commands can be run."""

    def __init__(self, folder, **variables):
        self.folder = folder
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = os.environ | {
            "PATH": path, "DVC_NO_ANALYTICS": "1", "OMP_NUM_THREADS": "1",
            "GIT_CONFIG_GLOBAL": str(folder.parent / "gitconfig"), **variables,
        }  # fmt: skip
        self.run("git", "config", "--global", "user.email", "study@example.org")
        self.run("git", "config", "--global", "user.name", "Study")
        self.run("git", "init", "-q", "-b", "main")
        self.dvc("init", "-q")
        (folder / ".gitignore").write_text("/data/\n/reports/\n", encoding="utf-8")

    def run(self, *command, fails=False):
        """Run a command, check whether it failed, and return what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, output
        return output

    def dvc(self, *arguments, **options):
        return self.run(sys.executable, "-m", "dvc", *arguments, **options)

    def commit(self, message):
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "-m", message)
        return self.run("git", "rev-parse", "HEAD").strip()
