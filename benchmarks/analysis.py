"""Time what the stage `analyse` computes, for growing numbers of instances.

    python benchmarks/analysis.py [instances ...]

Each count runs in a process of its own, so that its peak memory is its own.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.analysis.dvc_plots import plot_tables
from smallsight.analysis.headline import compute_headline
from smallsight.analysis.outcomes import arrange_outcomes
from smallsight.analysis.tables import Evidence, RemedyEvidence, compute_tables
from smallsight.conditions.rendered.names import UNTOUCHED, Condition, FamilyFacts
from smallsight.conditions.rendering.levels import facts_of, levels_by_family
from smallsight.evaluation.rungs import BASELINES, RUNGS
from smallsight.remedies.facts import UNTREATED, RemedyFacts
from smallsight.remedies.more_examples import SHARES
from smallsight.remedies.registry import REMEDIES
from smallsight.saliency import removal
from smallsight.sampling.donors import draw_donors
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, REGIMES, TASKS

COUNTS = (600, 1500, 3000, 6000)
SEEDS = 5
CATEGORIES = ("person", "car", "truck", "bus", "bicycle", "motorcycle")
NATIVE = 5
"""How many times larger an object's side is in the picture than at the input."""
LEAST = 64
"""Side in native pixels of the objects that every level of pixels shows."""


def make_sample(instances: int) -> pd.DataFrame:
    """Make a sample as the default study has it: two instances per image, three groups."""
    rng = np.random.default_rng(0)
    side = np.exp(rng.uniform(np.log(2), np.log(100), instances))
    native = NATIVE * side
    return pd.DataFrame(
        {
            "image_id": np.sort(rng.integers(0, instances // 2, instances)),
            "ann_id": np.arange(instances),
            "category_name": rng.choice(CATEGORIES, instances),
            "size_group": np.array(GROUPS)[np.digitize(side, np.quantile(side, [1 / 3, 2 / 3]))],
            "side": side,
            "bbox_x": rng.uniform(0, 500, instances),
            "bbox_y": rng.uniform(0, 500, instances),
            "bbox_w": native,
            "bbox_h": native,
            "bbox_area": native**2,
        }
    )


def answers(
    sample: pd.DataFrame, keys: Sequence[Mapping[str, object]], rng: np.random.Generator
) -> pd.DataFrame:
    """Make answers of every seed, under each of the keys a little worse."""
    hard = rng.normal(0, 1, len(sample))
    parts = []
    for number, key in enumerate(keys):
        seen = sample
        if key.get("family") == "pixels":
            seen = sample[sample["bbox_w"] >= LEAST]
        for seed in range(SEEDS):
            latent = np.log(seen["side"] / 12) - 0.05 * number + hard[seen.index]
            latent += rng.normal(0, 0.5, len(seen))
            other = rng.permutation(seen["category_name"].to_numpy())
            right = (latent > 0) | (other == seen["category_name"])
            predicted = seen["category_name"].where(right, other)
            columns = {"seed": seed, "fold": 0, "correct": right, "predicted": predicted}
            parts.append(seen.assign(**key, **columns))
    return pd.concat(parts, ignore_index=True)


def predictions(sample: pd.DataFrame, steps: Sequence[Condition]) -> pd.DataFrame:
    """Make predictions under all conditions, in every regime."""
    keys = [
        {
            "task": step.task,
            "regime": regime,
            "family": step.family,
            "level": step.level,
            "condition": step.name,
        }
        for regime in REGIMES
        for step in steps
    ]
    rng = np.random.default_rng(0)
    table = answers(sample, keys, rng)
    confidence = rng.uniform(0.4, 0.9, len(table))
    others = (1 - confidence) / (len(CATEGORIES) - 1)
    named = {
        f"p_{name}": np.where(table["predicted"] == name, confidence, others) for name in CATEGORIES
    }
    return table.assign(confidence=confidence, **named)


def remedies_of(sample: pd.DataFrame) -> RemedyEvidence:
    """Make answers with every remedy and from fewer small examples, and estimated sides."""
    rng = np.random.default_rng(5)
    needs = {UNTREATED: TASKS} | {one.name: one.needs for one in REMEDIES}
    tried = [{"remedy": name, "task": task} for name in needs for task in needs[name]]
    fewer = [
        {"task": task, "share": share, "n_train": share * len(sample) / 3}
        for task in TASKS
        for share in SHARES
    ]
    sides = [
        sample[["image_id", "ann_id"]].assign(
            task=task, seed=seed, side=sample["side"] * np.exp(rng.normal(0, 0.5, len(sample)))
        )
        for task in TASKS
        for seed in range(SEEDS)
    ]
    return RemedyEvidence(
        facts=[
            RemedyFacts(
                one.name,
                one.label,
                one.description,
                one.needs,
                dict.fromkeys(one.needs, 1.0),
                dict.fromkeys(one.needs, "object"),
                "tried",
            )
            for one in REMEDIES
        ],
        predictions=answers(sample, tried, rng).assign(confidence=0.5),
        more_examples=answers(sample, fewer, rng),
        estimated_sides=pd.concat(sides, ignore_index=True),
    )


def views(sample: pd.DataFrame, task: str, steps: Sequence[Condition]) -> pd.DataFrame:
    """Make the similarities and boxes of every instance under every condition of a task."""
    rng = np.random.default_rng(1)
    parts = [
        sample[["image_id", "ann_id"]].assign(
            task=task,
            condition=step.name,
            ssim_box=rng.random(len(sample)),
            ssim_picture=rng.random(len(sample)),
            box_w=sample["side"],
            box_h=sample["side"],
        )
        for step in steps
        if step.task == task and step.family != UNTOUCHED
    ]
    return pd.concat(parts, ignore_index=True)


def maps_of(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make measures of the first seed's saliency maps in one task."""
    rng = np.random.default_rng(2)
    one = table[(table["regime"] == table["regime"].iloc[0]) & (table["seed"] == 0)]
    one = one[~one["condition"].str.contains("/")]
    measures = (
        *("energy_in_box", "box_area_share", "lift", "pointing_hit", "energy_in_mask"),
        *("mask_area_share", "mask_lift", "signed_in_box"),
    )

    def maps(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(no_evidence=False, **{name: rng.random(len(rows)) for name in measures})

    others = [
        maps(one[one["condition"] == UNTOUCHED] if name == "random_weights" else one).assign(
            map=name
        )
        for name in ("true_class", "random_box", "centre", "random_weights")
    ]
    return maps(one), pd.concat(others)


def removals_of(sample: pd.DataFrame) -> pd.DataFrame:
    """Make effects of regions removed and restored."""
    rng = np.random.default_rng(3)
    edits = [
        sample.assign(
            change=change, region=region, area=area, area_share=0.1, overlap=0.0, p_before=0.5,
            p_after=rng.random(len(sample)),
        )
        for change, region, area in removal.EDITS
    ]  # fmt: skip
    return pd.concat(edits)


def analyse(
    sample: pd.DataFrame, facts: Mapping[str, FamilyFacts], settings: params.Analysis
) -> dict[str, float]:
    """Compute all that the stage does, and return the seconds of each step."""
    steps = [step for family in facts.values() for step in family.conditions]
    table = predictions(sample, steps)
    is_swept = table["family"].map(lambda family: facts[family].role == "sweep")
    compared = [step for step in steps if facts[step.family].role != "sweep"]
    swept = table[is_swept & (table["task"] == HEADLINE_TASK)]
    table = table[~is_swept]
    rungs = [{"rung": name} for name in (*BASELINES, *(rung.name for rung in RUNGS))]
    given = {
        "rung_predictions": answers(sample, rungs, np.random.default_rng(4)),
        "donors": draw_donors(sample, sample, window_margin=0.25, seed=0),
        "removals": removals_of(sample),
        "remedies": remedies_of(sample),
        "side_counts": {str(side): 10 for side in range(5, 500)},
    }
    maps = {task: maps_of(table[table["task"] == task]) for task in TASKS}
    similarities = {task: views(sample, task, compared) for task in TASKS}
    seconds: dict[str, float] = {}
    start = time.perf_counter()

    def done(step: str) -> None:
        seconds[step] = time.perf_counter() - start - sum(seconds.values())

    evidence = {}
    for task in TASKS:
        rng = np.random.default_rng(0)
        evidence[task] = Evidence(
            table[table["task"] == task],
            dict(list(swept.groupby("family"))) if task == HEADLINE_TASK else {},
            arrange_outcomes(table, task=task, settings=settings, rng=rng),
            similarities[task],
            *maps[task],
        )
    done("outcomes")
    made = compute_tables(
        evidence,
        sample=sample,
        objects=sample,
        facts=facts,
        categories=CATEGORIES,
        window_margin=0.25,
        rng=np.random.default_rng(0),
        **given,
    )
    done("tables")
    plot_tables(made)
    compute_headline(made)
    return seconds


def measure(instances: int) -> None:
    """Print one line of the table."""
    study = params.load()
    levels = levels_by_family(study.conditions, study.tasks)
    facts = {family: facts_of(each) for family, each in levels.items()}
    seconds = analyse(make_sample(instances), facts, study.analysis)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    steps = " ".join(f"{name} {value:.1f}" for name, value in seconds.items())
    total = sum(seconds.values())
    print(f"{instances:9} {total:8.1f} {total / instances * 1000:13.1f} {peak:8.2f}  {steps}")


def main() -> None:
    """Measure each count in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instances", nargs="*", type=int, default=COUNTS)
    counts = parser.parse_args().instances
    if len(counts) == 1:
        measure(counts[0])
        return
    print("instances  seconds  ms/instance  peak GiB  seconds by step")
    for count in counts:
        subprocess.run([sys.executable, __file__, str(count)], check=True)


if __name__ == "__main__":
    main()
