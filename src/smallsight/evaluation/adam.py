"""Adam on arrays: a head has one layer, whose gradient is known without a library."""

from collections.abc import Sequence

import numpy as np

FIRST, SECOND = 0.9, 0.999
"""Shares of the former means of gradients and of their squares that a step keeps."""

TINY = 1e-8
"""Keeps a step finite where all gradients were 0."""


class Adam:
    """Kingma and Ba's Adam (ICLR 2015, algorithm 1), as `torch.optim.Adam` has it by default.

    Parameters
    ----------
    values
        What is fitted, float32: changed in place by each step.
    rate
        The learning rate.
    """

    def __init__(self, values: Sequence[np.ndarray], rate: float) -> None:
        self._values, self._rate, self._steps = values, rate, 0
        self._means = [np.zeros_like(each) for each in values]
        self._squares = [np.zeros_like(each) for each in values]
        self._room = [np.empty_like(each) for each in values]

    def step(self, gradients: Sequence[np.ndarray]) -> None:
        """Take a step, by the gradient of each value."""
        self._steps += 1
        length = np.float32(self._rate / (1 - FIRST**self._steps))
        root = np.float32((1 - SECOND**self._steps) ** 0.5)
        parts = zip(self._values, gradients, self._means, self._squares, self._room, strict=True)
        for value, gradient, mean, square, room in parts:
            np.subtract(gradient, mean, out=room)
            mean += np.multiply(room, np.float32(1 - FIRST), out=room)
            np.multiply(gradient, gradient, out=room)
            square *= np.float32(SECOND)
            square += np.multiply(room, np.float32(1 - SECOND), out=room)
            np.sqrt(square, out=room)
            room /= root
            room += np.float32(TINY)
            np.divide(mean, room, out=room)
            value -= np.multiply(room, length, out=room)
