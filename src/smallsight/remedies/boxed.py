"""Remedies that need the object's box at test time."""

from collections.abc import Callable, Mapping

from smallsight.remedies.bench import Bench
from smallsight.remedies.facts import Needs
from smallsight.remedies.refitted import check_readout
from smallsight.remedies.remedy import Answer, Remedy
from smallsight.vocabulary import HEADLINE_TASK, SCENE

IN_SCENE: Mapping[str, Needs] = {SCENE: "box_head"}

IN_BOTH: Mapping[str, Needs] = {SCENE: "box_head", HEADLINE_TASK: "box_head"}


def window_same_head(bench: Bench, task: str) -> Answer:
    """Show the window round the object to the heads of whole pictures."""
    return Answer(bench.logits(bench.heads(task), bench.stored(HEADLINE_TASK).plain))


def read_out(readout: str, shown: str | None = None) -> Callable[[Bench, str], Answer]:
    """Return the remedy that reads pictures out otherwise, by heads of its own.

    Parameters
    ----------
    readout
        One of `readouts.PARTS`.
    shown
        The task whose untouched pictures are read; that which the remedy starts from where nothing
        is said.
    """

    def answer(bench: Bench, task: str) -> Answer:
        place = shown or task
        check_readout(bench, place, readout)
        seen = bench.stored(place, readout)
        fitted = bench.mapping or bench.fit(seen)
        return Answer(bench.logits(fitted, seen.plain))

    return answer


REMEDIES = (
    Remedy(
        "box_pooling",
        "Pooling over the box",
        "The last layer’s maps are averaged over the object’s box.",
        IN_BOTH,
        read_out("box"),
        needs_as_it_is={SCENE: "box", HEADLINE_TASK: "box"},
    ),
    Remedy(
        "pyramid",
        "Strides 8, 16 and 32 over the box",
        "The maps of three strides are averaged over the object’s box and joined.",
        IN_BOTH,
        read_out("pyramid"),
    ),
    Remedy(
        "window_same_head",
        "Window, the same head",
        "The window round the object is shown, to the heads of whole pictures.",
        {SCENE: "box"},
        window_same_head,
        shows_window=True,
    ),
    Remedy(
        "window",
        "Window",
        "The window round the object is shown, to heads fitted on windows.",
        IN_SCENE,
        read_out("scene", HEADLINE_TASK),
        shows_window=True,
    ),
    Remedy(
        "window_pyramid",
        "Window, strides 8, 16 and 32",
        "Three strides are read out over the object’s box in its window.",
        IN_SCENE,
        read_out("pyramid", HEADLINE_TASK),
        shows_window=True,
    ),
)
