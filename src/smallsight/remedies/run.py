"""All remedies tried on one bench, and what comes out as tables and facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax

from smallsight.classifiers.answers import NotAskedError
from smallsight.classifiers.facts import STUDY_HEADS
from smallsight.evaluation.predictions import predicted_rows
from smallsight.evaluation.splits import Splits
from smallsight.remedies.bench import Bench, ImpossibleError
from smallsight.remedies.facts import UNTREATED, RemedyFacts, State
from smallsight.remedies.remedy import Answer, Remedy
from smallsight.remedies.tables import REMEDY_PREDICTIONS, REMEDY_TIMES
from smallsight.runtime.parallel import map_here, workers
from smallsight.vocabulary import HEADLINE_TASK


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

    For a classifier of the user's own, nothing is fitted: what needs that is impossible.

    Parameters
    ----------
    chosen
        By name, whether to try it; one that is not named is left out.
    """
    is_fitted = bench.mapping is None
    pairs = [
        (one, task)
        for one in remedies
        if chosen.get(one.name, False)
        for task in bench.tasks
        if task in one.needed(is_fitted=is_fitted)
    ]

    def answer(pair: tuple[Remedy, str]) -> Answer | ImpossibleError:
        remedy, task = pair
        try:
            return remedy.answer(bench, task)
        except ImpossibleError as error:
            return error
        except NotAskedError:
            return ImpossibleError("a table of predictions cannot be asked again", STUDY_HEADS)

    untreated = {
        task: Answer(bench.logits(bench.heads(task), bench.stored(task).plain))
        for task in bench.tasks
    }
    # A GPU takes one batch after another: remedies side by side would gain nothing.
    threads = 1 if bench.device.type == "cuda" else workers()
    found = map_here(answer, pairs, threads=threads, description="trying remedies")
    answers = {(one.name, task): each for (one, task), each in zip(pairs, found, strict=True)}
    tables, times = [], []
    for task in bench.tasks:
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
        [_facts(one, chosen, answers, is_fitted=is_fitted) for one in remedies],
    )


def _table(splits: Splits, name: str, task: str, logits: np.ndarray) -> pd.DataFrame:
    """Arrange what was predicted under one remedy, (seeds, n, classes), in one task."""
    probabilities = softmax(np.nan_to_num(logits), axis=2)
    confidence = probabilities.max(axis=2)
    classes = probabilities.argmax(axis=2)
    table = predicted_rows(splits, classes, remedy=name, task=task, confidence=confidence)
    return table[REMEDY_PREDICTIONS.names]


def _facts(
    remedy: Remedy,
    chosen: Mapping[str, bool],
    answers: Mapping[tuple[str, str], Answer | ImpossibleError],
    *,
    is_fitted: bool,
) -> RemedyFacts:
    own = {
        task: answers[remedy.name, task] for task in remedy.needs if (remedy.name, task) in answers
    }
    errors = [one for one in own.values() if isinstance(one, ImpossibleError)]
    is_chosen = chosen.get(remedy.name, False)
    if is_chosen and not own:
        errors = [ImpossibleError("it needs heads fitted anew", STUDY_HEADS)]
    state: State = "tried" if own else "left_out"
    reason, command = "", "" if own else f"dvc exp run -S remedies.{remedy.name}=true"
    if errors:
        state, reason, command = "impossible", errors[0].reason, errors[0].command
    needs = remedy.needed(is_fitted=is_fitted) or remedy.needs
    return RemedyFacts(
        remedy.name,
        remedy.label,
        remedy.description,
        dict(needs),
        {task: one.passes for task, one in own.items() if isinstance(one, Answer)},
        {
            task: "object" if task == HEADLINE_TASK or remedy.shows_window else "picture"
            for task in needs
        },
        state,
        reason,
        command,
    )
