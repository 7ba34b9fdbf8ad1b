"""The `phantom` weights: a network trained on generated pictures of one object each."""

import itertools

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from smallsight import params, phantom
from smallsight.backbones.networks.makers import make_classifier
from smallsight.backbones.networks.weights import Weights, without_last_layer
from smallsight.backbones.registry import BackboneRecord, Preprocessing
from smallsight.phantom.portrait_set import draw_portraits
from smallsight.runtime.parallel import progress
from smallsight.runtime.randomness import derive

WEIGHT_DECAY = 0.05
SMOOTHING = 0.05
STREET_WEIGHT = 0.3
"""Weight of the loss on the street; that of the loss on the object is 1."""

SCALES = (0.4, 0.6, 1.0)
"""Shares of the pictures' size, taken in turn: features must hold for objects of many sizes."""


def pretrain(
    record: BackboneRecord,
    preprocessing: Preprocessing,
    settings: params.Pretraining,
    *,
    seed: int,
    device: torch.device,
) -> Weights:
    """Train a network to name the object in the middle of a picture, and the street around it.

    The street is learnt too because a backbone that people use knows scenes as well as objects;
    the two are unrelated in these pictures. Their random streams are named "portrait", which no
    scene of the study uses.
    """
    pictures, labels = draw_portraits(settings.pictures, size=settings.picture_size, seed=seed)
    # torch's own generator is the only one that its layers' first weights can come from.
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        classes = len(phantom.CATEGORIES) + len(phantom.STREET_NAMES)
        network = make_classifier(record, classes=classes)
    network = network.to(device).to(memory_format=torch.channels_last)
    rng = derive(seed, "pretraining")
    _train(network, pictures, labels, preprocessing, settings, rng, device)
    state = {name: value.cpu() for name, value in network.state_dict().items()}
    return Weights(
        record.name, without_last_layer(record, state), preprocessing.mean, preprocessing.std
    )


def _train(
    network: nn.Module,
    pictures: np.ndarray,
    labels: np.ndarray,
    preprocessing: Preprocessing,
    settings: params.Pretraining,
    rng: np.random.Generator,
    device: torch.device,
) -> None:
    """Train a network in place by AdamW under a one-cycle schedule.

    Half of the pictures are mirrored; batches come at `SCALES` in turn.
    """
    steps = max(len(pictures) // settings.batch_size, 1)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.epochs * steps
    )
    mean = torch.tensor(preprocessing.mean, device=device).view(1, 3, 1, 1)
    std = torch.tensor(preprocessing.std, device=device).view(1, 3, 1, 1)
    network.train()
    batches = (
        batch
        for _ in range(settings.epochs)
        for batch in np.array_split(rng.permutation(len(pictures)), steps)
    )
    shown = progress(batches, total=settings.epochs * steps, description="pretraining")
    for scale, batch in zip(itertools.cycle(SCALES), shown, strict=False):
        mirrored = rng.random(len(batch)) < 0.5
        chosen = np.where(
            mirrored[:, None, None, None], pictures[batch][:, :, ::-1], pictures[batch]
        )
        inputs = torch.from_numpy(chosen).to(device).permute(0, 3, 1, 2).float() / 255
        size = round(scale * settings.picture_size)
        inputs = functional.interpolate(
            inputs, (size, size), mode=preprocessing.interpolation, antialias=True
        )
        inputs = ((inputs - mean) / std).contiguous(memory_format=torch.channels_last)
        logits = network(inputs)
        wanted = torch.from_numpy(labels[batch]).to(device)
        questions = logits.split([len(phantom.CATEGORIES), len(phantom.STREET_NAMES)], dim=1)
        losses = [
            functional.cross_entropy(part, wanted[:, column], label_smoothing=SMOOTHING)
            for column, part in enumerate(questions)
        ]
        optimiser.zero_grad()
        (losses[0] + STREET_WEIGHT * losses[1]).backward()
        optimiser.step()
        schedule.step()
    network.eval()
