"""What a remedy is: one function of one shape, and what people should know of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from smallsight.remedies.bench import Bench, Look
from smallsight.remedies.facts import Needs


@dataclass(frozen=True)
class Answer:
    """What comes out under a remedy.

    Attributes
    ----------
    logits
        (seeds, n, classes), every instance's, by the head that left it out.
    passes
        Pictures that the network sees, in units of plain ones.
    ratio
        What they take, in units of what the plain pass takes; 1 where they are the plain pass.
    """

    logits: np.ndarray
    passes: float = 1.0
    ratio: float = 1.0


@dataclass(frozen=True)
class Remedy:
    """A change of input, pooling or head that is meant to help.

    Attributes
    ----------
    name, label, description
        Its key in parameters and tables; what people call it; and what it does, in a sentence.
    needs
        By task in which it starts from the untouched picture, what it needs.
    answer
        Gives, on a bench and in one of these tasks, what comes out; raises `bench.ImpossibleError`
        where the network cannot have it.
    shows_window
        Whether it shows windows in place of whole pictures, so that a pass serves one object.
    needs_as_it_is
        What it needs where no head is fitted; None where that is the same, but for what needs one.
    """

    name: str
    label: str
    description: str
    needs: Mapping[str, Needs]
    answer: Callable[[Bench, str], Answer]
    shows_window: bool = False
    needs_as_it_is: Mapping[str, Needs] | None = None

    def needed(self, *, is_fitted: bool) -> Mapping[str, Needs]:
        """Return, by task, what it needs; the tasks in which it can be had.

        Parameters
        ----------
        is_fitted
            Whether heads are fitted; if not, what needs fitted heads cannot be had.
        """
        if is_fitted:
            return self.needs
        if self.needs_as_it_is is not None:
            return self.needs_as_it_is
        return {task: one for task, one in self.needs.items() if one not in ("head", "box_head")}


def cost(look: Look, *, inputs: float, area: float = 1.0, plain: int = 0) -> tuple[float, float]:
    """Return passes and time of so many inputs per object, in units of the plain pass.

    Parameters
    ----------
    look
        Where they were timed.
    area
        Pixels of an input, in units of the plain one's.
    plain
        Plain passes beside them.
    """
    return inputs * area + plain, inputs * look.seconds / look.plain_seconds + plain
