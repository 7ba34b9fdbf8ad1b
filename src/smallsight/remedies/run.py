"""All remedies tried on one bench, and what comes out as tables and facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from smallsight.evaluation.predictions import predicted_rows
from smallsight.evaluation.splits import Splits
from smallsight.remedies.bench import Bench
from smallsight.remedies.facts import UNTREATED, RemedyFacts, State
from smallsight.remedies.remedy import Answer, ImpossibleError, Remedy
from smallsight.remedies.tables import REMEDY_PREDICTIONS, REMEDY_TIMES
from smallsight.runtime.device import map_batches
from smallsight.vocabulary import HEADLINE_TASK, TASKS


@dataclass(frozen=True)
class Tried:
    """What trying remedies gives.

    Attributes
    ----------
    predictions
        The columns of `REMEDY_PREDICTIONS`, the untouched pictures first in each task.
    times
        The columns of `REMEDY_TIMES`.
    facts
        Of every remedy, in the registry's order.
    """

    predictions: pd.DataFrame
    times: pd.DataFrame
    facts: list[RemedyFacts]


def try_remedies(bench: Bench, remedies: Sequence[Remedy], chosen: Mapping[str, bool]) -> Tried:
    """Try remedies in every task in which they start from the untouched picture.

    Parameters
    ----------
    chosen
        By name, whether to try it; one that is not named is left out.
    """
    pairs = [
        (one, task)
        for one in remedies
        if chosen.get(one.name, False)
        for task in TASKS
        if task in one.needs
    ]

    def answer(pair: tuple[Remedy, str]) -> Answer | ImpossibleError:
        remedy, task = pair
        try:
            return remedy.answer(bench, task)
        except ImpossibleError as error:
            return error

    untreated = {
        task: Answer(bench.logits(bench.heads(task), bench.stored(task).plain)) for task in TASKS
    }
    found = map_batches(answer, pairs, device=bench.device, description="trying remedies")
    answers = {(one.name, task): each for (one, task), each in zip(pairs, found, strict=True)}
    tables, times = [], []
    for task in TASKS:
        plain = bench.plain_seconds(task)
        named: dict[str, Answer | ImpossibleError] = {UNTREATED: untreated[task]}
        named |= {name: one for (name, place), one in answers.items() if place == task}
        for name, one in named.items():
            if isinstance(one, Answer):
                tables.append(_table(bench.splits, name, task, one.logits))
                times.append((name, task, one.ratio * plain, one.ratio))
    return Tried(
        pd.concat(tables, ignore_index=True),
        pd.DataFrame(times, columns=REMEDY_TIMES.names),
        [_facts(one, chosen, answers) for one in remedies],
    )


def _table(splits: Splits, name: str, task: str, logits: np.ndarray) -> pd.DataFrame:
    """Arrange what was predicted under one remedy, (seeds, n, classes), in one task."""
    probabilities = torch.from_numpy(np.nan_to_num(logits)).softmax(dim=2).numpy()
    confidence = probabilities.max(axis=2)
    classes = probabilities.argmax(axis=2)
    table = predicted_rows(splits, classes, remedy=name, task=task, confidence=confidence)
    return table[REMEDY_PREDICTIONS.names]


def _facts(
    remedy: Remedy,
    chosen: Mapping[str, bool],
    answers: Mapping[tuple[str, str], Answer | ImpossibleError],
) -> RemedyFacts:
    own = {
        task: answers[remedy.name, task] for task in remedy.needs if (remedy.name, task) in answers
    }
    errors = [one for one in own.values() if isinstance(one, ImpossibleError)]
    state: State = "tried" if own else "left_out"
    reason, command = "", "" if own else f"dvc exp run -S remedies.{remedy.name}=true"
    if errors:
        state, reason, command = "impossible", errors[0].reason, errors[0].command
    assert chosen.get(remedy.name, False) == bool(own)
    return RemedyFacts(
        remedy.name,
        remedy.label,
        remedy.description,
        dict(remedy.needs),
        {task: one.passes for task, one in own.items() if isinstance(one, Answer)},
        {
            task: "object" if task == HEADLINE_TASK or remedy.shows_window else "picture"
            for task in remedy.needs
        },
        state,
        reason,
        command,
    )
