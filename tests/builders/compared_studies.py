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
from smallsight.comparison.inputs import Files, read_side
from smallsight.comparison.pairs import Tables, pair_studies
from smallsight.comparison.revisions import open_revision
from smallsight.conditions.rendered.names import UNTOUCHED, Condition, FamilyFacts, write_facts
from smallsight.evaluation.rungs import BASELINES, RUNGS

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "compare.py"
FILES: Files = runpy.run_path(str(SCRIPT))["FILES"]
SIDES = {"small": (3, 12), "medium": (12, 25), "large": (25, 90)}
CONDITIONS = ("downscale/scale=0.5", "occlusion/ratio=0.35")
INTERVENED = ("object_only/default", "crop_low/default")
"""Interventions, which stand beside those in the object task alone."""

ROLES = {"object_only": "intervention", "crop_low": "intervention", "pixels": "sweep"}
SWEPT = (8, 12, 16, 24, 32, 48, 64)
"""Native pixels to which objects are reduced that have more than the last."""

THRESHOLD = 20.0
"""Native pixels at which these objects are half-way from never to always right."""

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
    sample, *, odds=None, seeds=3, conditions=CONDITIONS, interventions=INTERVENED, sweep=SWEPT,
    threshold=THRESHOLD, regimes=("fixed",), tasks=("scene", "object"), seed=0,
):  # fmt: skip
    """Predict a sample in both tasks, out of fold: right by chance, with `odds` by size group.

    An object has luck of its own that all seeds, tasks and conditions share, so that two studies
    with other odds are right on mostly the same objects. `odds` may also be a function of a table
    with task, regime, condition, size_group and category_name. The first condition that is named of
    a family has the family's name. The object task has interventions and the sweep besides.
    """
    rng = np.random.default_rng(seed)
    luck = pd.Series(np.random.default_rng(99).random(len(sample)), sample.index)
    known = sorted(sample["category_name"].unique())
    known = known if len(known) > 1 else [*known, "none"]
    native = np.sqrt(sample["bbox_w"] * sample["bbox_h"])
    levels = [f"pixels/side={side}" for side in sweep]
    tables, seen = [], set()
    for task in tasks:
        more = (*interventions, *levels) if task == "object" else ()
        for regime in regimes:
            seen.clear()
            for condition in (f"{UNTOUCHED}/default", *conditions, *more):
                family, level = condition.split("/", 1)
                name = condition if family in seen else family
                seen.add(family)
                shown = sample[native >= max(sweep)] if family == "pixels" else sample
                for number in range(seeds):
                    table = shown[["image_id", "ann_id", "category_name", "size_group"]].assign(
                        task=task, regime=regime, condition=name, family=family, level=level,
                        seed=number,
                    )  # fmt: skip
                    if family == "pixels":
                        side = float(level.partition("=")[2])
                        chance = 1 / (1 + (threshold / side) ** 3)
                    elif callable(odds):
                        chance = odds(table)
                    else:
                        usual = {"small": 0.4, "medium": 0.6, "large": 0.8}
                        chance = table["size_group"].map(odds or usual)
                    drawn = 0.7 * luck[shown.index] + 0.3 * rng.random(len(shown))
                    right = (_evenly(drawn) if family == "pixels" else drawn) < chance
                    true = table["category_name"].map(known.index)
                    other = (true + rng.integers(1, len(known), len(shown))) % len(known)
                    named = np.where(right, true, other)
                    tables.append(
                        table.assign(
                            side=native[shown.index] / 6, correct=right,
                            predicted=np.array(known, object)[named],
                            confidence=rng.random(len(shown)).round(3),
                        )
                    )  # fmt: skip
    columns = {f"p_{name}": 0.5 for name in known}
    return pd.concat(tables, ignore_index=True).assign(**columns)


def _evenly(drawn):
    """Spread sums of 0.7 and 0.3 of two even numbers evenly over 0 to 1."""
    middle = (0.3**2 / 2 + 0.3 * (drawn - 0.3)) / 0.21
    ends = [drawn**2 / 0.42, 1 - (1 - drawn) ** 2 / 0.42]
    return np.select([drawn < 0.3, drawn > 0.7], ends, middle)


STEPS = {"box": 0.0, "pyramid": 0.0, "window_few_pixels": 0.3, "window": 0.05, "object_alone": 0.0}
"""What each rung adds to the odds of small objects, of which the rung below it has 0.3."""


def climbed(sample, *, steps=STEPS, seeds=3, seed=0):
    """Predict a sample from every baseline and rung; large objects are always right in 0.9."""
    rungs = (*BASELINES, *(rung.name for rung in RUNGS))
    small = 0.3 + np.cumsum([steps.get(rung, 0.0) for rung in rungs])
    is_small = (sample["size_group"] == "small").to_numpy()
    odds = np.where(is_small, small[:, None, None], 0.9)
    luck = np.random.default_rng(99).random(len(sample))
    noise = np.random.default_rng(seed).random((len(rungs), seeds, len(sample)))
    right = (0.7 * luck + 0.3 * noise < odds).ravel()
    table = sample[["image_id", "ann_id", "category_name", "size_group"]]
    table = table.iloc[np.tile(np.arange(len(sample)), len(rungs) * seeds)]
    return table.assign(
        rung=np.repeat(rungs, seeds * len(sample)),
        seed=np.tile(np.repeat(np.arange(seeds), len(sample)), len(rungs)),
        fold=0,
        predicted=np.where(right, table["category_name"], "nothing"),
        correct=right,
    ).reset_index(drop=True)


def failed(predictions):
    """List the objects that most of the seeds get wrong in the scene task, each with a cause."""
    untouched = predictions[
        (predictions["family"] == UNTOUCHED) & (predictions["task"] == "scene")
    ]  # fmt: skip
    share = untouched.groupby(["image_id", "ann_id"])["correct"].mean().reset_index()
    wrong = share.loc[share["correct"] <= 0.5, ["image_id", "ann_id"]]
    return wrong.assign(cause="own_pixels")


def facts_of(predictions, *, labels=None):
    """Make the facts of all evaluated families.

    A family is labelled by its name with a capital, or by `labels`, and has the role of `ROLES`.
    """
    facts = {}
    for family, part in predictions.groupby("family", sort=False):
        label = (labels or {}).get(family, family.replace("_", " ").capitalize())
        steps = part[["task", "level", "condition"]].drop_duplicates()
        conditions = tuple(
            Condition(family, step.level, is_reference=step.condition == family, task=step.task)
            for step in steps.itertuples()
        )
        role = ROLES.get(family, "corruption")
        facts[family] = FamilyFacts(family, label, "Changes it.", role, {}, conditions)
    return facts


def tables_of(sample, predictions, *, name="a", rungs=None, failures=None, families=None):
    rungs = climbed(sample) if rungs is None else rungs
    failures = failed(predictions) if failures is None else failures
    families = facts_of(predictions) if families is None else families
    return Tables(name, sample, predictions, rungs, failures, families)


def pairs_of(
    a, b, *, families=(None, None), rungs=(None, None), draws=300, confidence=0.95, seed=0
):
    """Pair two studies, each of a sample and its predictions, in both tasks."""
    settings = params.Analysis(confidence=confidence, bootstrap_draws=draws)
    first, second = (
        tables_of(*study, name=name, families=facts, rungs=climbing)
        for study, name, facts, climbing in zip((a, b), "ab", families, rungs, strict=True)
    )
    rng = np.random.default_rng(seed)
    return pair_studies(first, second, settings=settings, rng=rng)


def paired(a, b, *, task="object", **options):
    """Pair two studies in one task; `families` and `rungs` are those of each."""
    return pairs_of(a, b, **options)[task]


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


def write_tables(folder, sample, predictions, *, size=32, shade=0, families=None, rungs=None):
    """Write what the stages of a study write.

    `shade` tells its pictures from others'; `families` are facts other than `facts_of` makes.
    """
    (folder / FILES.failures).parent.mkdir(parents=True, exist_ok=True)
    for pictures in (FILES.pictures, FILES.windows):
        (folder / pictures).mkdir(parents=True, exist_ok=True)
    sample.to_csv(folder / FILES.sample, index=False)
    predictions.to_parquet(folder / FILES.predictions, index=False)
    (climbed(sample) if rungs is None else rungs).to_parquet(folder / FILES.rungs, index=False)
    failed(predictions).to_csv(folder / FILES.failures, index=False)
    boxes = {"scene": (4.0, 6.0, 8.0, 8.0, 400, 300), "object": (5.0, 5.0, 20.0, 20.0, 60, 60)}
    columns = ["box_x", "box_y", "box_w", "box_h", "view_w", "view_h"]
    views = pd.concat(
        sample[["image_id", "ann_id"]].assign(
            task=task, level="default", **dict(zip(columns, box, strict=True))
        )
        for task, box in boxes.items()
    )
    views.to_csv(folder / FILES.views, index=False)
    for facts in (facts_of(predictions) if families is None else families).values():
        (folder / FILES.conditions / facts.name).mkdir(exist_ok=True)
        write_facts(facts, folder / FILES.conditions / facts.name)
    for row in sample.itertuples():
        for pictures, tint in ((FILES.pictures, 0), (FILES.windows, 100)):
            value = (row.ann_id * 37 + shade + tint) % 256
            pixels = np.full((size, size, 3), value, np.uint8)
            Image.fromarray(pixels).save(folder / pictures / f"{row.image_id}_{row.ann_id}.png")


def side_of(folder, *, name="default", commit="", experiment=""):
    """Read such a folder as if it were a revision of this name."""
    revision = open_revision(folder, "workspace")
    revision = dataclasses.replace(revision, name=name, commit=commit, experiment=experiment)
    return read_side(revision, FILES)


class Project:
    """A folder under Git and DVC, in which commands can be run; `repository` is Git's own."""

    def __init__(self, folder, *, repository=None, **variables):
        self.folder = folder
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = os.environ | {
            "PATH": path, "DVC_NO_ANALYTICS": "1", "OMP_NUM_THREADS": "1",
            "GIT_CONFIG_GLOBAL": str(folder.parent / "gitconfig"), **variables,
        }  # fmt: skip
        self.run("git", "config", "--global", "user.email", "study@example.org")
        self.run("git", "config", "--global", "user.name", "Study")
        self.run("git", "init", "-q", "-b", "main", str(repository or folder))
        self.dvc("init", "-q", *(["--subdir"] if repository else []))
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
