"""Answers with remedies, from fewer small examples, and confidences, as their stages write them."""

import numpy as np
import pandas as pd
from scipy.special import log_softmax

from smallsight.analysis.tables import RemedyEvidence
from smallsight.remedies.facts import UNTREATED, RemedyFacts
from smallsight.remedies.tables import (
    ESTIMATED_SIDES,
    MORE_EXAMPLES_PREDICTIONS,
    REMEDY_PREDICTIONS,
)
from smallsight.vocabulary import HEADLINE_TASK, SCENE

SHARES = (0.125, 0.25, 0.5, 1.0)
"""Shares of the small training objects that heads learn from."""


def facts_of(needs, *, passes=1.0):
    """Make facts of remedies that were tried, by name what they need in each task."""
    return [
        RemedyFacts(
            name,
            name,
            f"{name}.",
            tasks,
            dict.fromkeys(tasks, passes),
            dict.fromkeys(tasks, "picture"),
            "tried",
        )
        for name, tasks in needs.items()
    ]


def answers(instances, right):
    """Answer instances rightly or wrongly, (seeds, n): columns that all tables of answers have."""
    right = np.atleast_2d(right)
    names, codes = np.unique(instances["category_name"], return_inverse=True)
    own, other = names[codes], np.append(names, "other")[codes + 1]
    repeated = instances.iloc[np.tile(np.arange(len(instances)), len(right))]
    return repeated.assign(
        seed=np.repeat(np.arange(len(right)), len(instances)),
        fold=0,
        predicted=np.where(right, own, other).ravel(),
        correct=right.astype(bool).ravel(),
        confidence=0.5,
    ).reset_index(drop=True)


def with_remedies(instances, right, *, task):
    """Answer with each remedy, by name (seeds, n) right answers, `untouched` among them."""
    tables = [
        answers(instances, one).assign(remedy=name, task=task)[REMEDY_PREDICTIONS.names]
        for name, one in right.items()
    ]
    return pd.concat(tables, ignore_index=True)


def by_share(instances, right, *, task, n_train=40):
    """Answer with heads that learned from fewer small objects, by share (seeds, n)."""
    tables = [
        answers(instances, one).assign(share=share, n_train=share * n_train, task=task)
        for share, one in right.items()
    ]
    return pd.concat(tables, ignore_index=True)[MORE_EXAMPLES_PREDICTIONS.names]


def at_once(shares, seeds):
    """Turn shares of right answers, (n,), into right answers of so many seeds, (seeds, n)."""
    return np.arange(seeds)[:, None] < np.rint(seeds * np.asarray(shares))


def confident(instances, logits, *, sharpness, folds, task, regime="fixed"):
    """Predict untouched pictures with the probabilities of logits, (seeds, n, categories).

    `sharpness`, (n,), is by how much logits are too large: the probabilities are (logits times
    sharpness); those of the logits themselves are true where categories are drawn by them.
    """
    names = np.array(list("abc"))
    tables = []
    for seed, one in enumerate(logits):
        chances = np.exp(log_softmax(one * np.asarray(sharpness)[:, None], axis=1))
        predicted = names[chances.argmax(axis=1)]
        table = instances.assign(
            task=task, regime=regime, condition="orig_full", family="orig_full", level="default",
            seed=seed, fold=folds, predicted=predicted,
            correct=predicted == instances["category_name"], confidence=chances.max(axis=1),
        )  # fmt: skip
        tables.append(table.assign(**dict(zip(("p_a", "p_b", "p_c"), chances.T, strict=True))))
    return pd.concat(tables, ignore_index=True)


def sides_of(instances, side, *, task, seeds, noise=0.0, seed=0):
    """Estimate sides, (n,), with an error of their logarithms."""
    rng = np.random.default_rng(seed)
    tables = [
        instances[["image_id", "ann_id"]].assign(
            task=task, seed=one, side=side * np.exp(noise * rng.standard_normal(len(side)))
        )
        for one in range(seeds)
    ]
    return pd.concat(tables, ignore_index=True)[ESTIMATED_SIDES.names]


def evidence_of(sample, *, tasks, seeds=3, odds=None, seed=0):
    """Make all that the analysis knows of remedies: by remedy, how often answers are right.

    `odds` that are empty try no remedy.
    """
    rng = np.random.default_rng(seed)
    odds = {"zoom": 0.7, "window": 0.9} if odds is None else odds
    instances = sample[["image_id", "ann_id", "category_name", "size_group"]]

    def right(chance):
        return rng.random((seeds, len(instances))) < chance

    tried, examples, sides = [], [], []
    for task in tasks:
        if odds:
            chances = {UNTREATED: 0.5} | odds
            tried.append(
                with_remedies(
                    instances, {name: right(one) for name, one in chances.items()}, task=task
                )
            )
        examples.append(by_share(instances, {one: right(0.5) for one in SHARES}, task=task))
        sides.append(sides_of(instances, np.full(len(instances), 20.0), task=task, seeds=seeds))
    needs = {
        "zoom": {task: {SCENE: "nothing", HEADLINE_TASK: "box"}[task] for task in tasks},
        "window": dict.fromkeys(tasks, "box_head"),
    }
    return RemedyEvidence(
        facts=facts_of(needs),
        predictions=pd.concat(tried, ignore_index=True)
        if tried
        else pd.DataFrame(columns=REMEDY_PREDICTIONS.names),
        more_examples=pd.concat(examples, ignore_index=True),
        estimated_sides=pd.concat(sides, ignore_index=True),
    )
