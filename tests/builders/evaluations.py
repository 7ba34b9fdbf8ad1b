"""Settings of small evaluations."""

import torch

from smallsight import params

CATEGORIES = ("a", "b", "c", "d", "e", "f")
FOLDS, REPEATS, DIMENSIONS = 5, 3, 8
SETTINGS = params.Evaluation(test_share=0.2, folds=FOLDS, repeats=REPEATS)
HEADS = params.Heads(readout="scene", epochs=2, batch_size=16, learning_rate=0.01)
CPU = torch.device("cpu")
