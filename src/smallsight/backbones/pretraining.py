"""The `phantom` weights: a ResNet18 trained on object-centred generated pictures."""

import itertools

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import resnet18

from smallsight import params, phantom
from smallsight.backbones.weights import IMAGENET_MEAN, IMAGENET_STD, Weights
from smallsight.phantom.portrait_set import draw_portraits
from smallsight.runtime.parallel import progress
from smallsight.runtime.randomness import derive

WEIGHT_DECAY = 0.05


SMOOTHING = 0.05


STREET_WEIGHT = 0.3
"""Of the street's share in the loss; the object's is 1."""


SCALES = (0.4, 0.6, 1.0)
"""Shares of the pictures' size, taken in turn: features must hold for objects of many sizes."""


def pretrain(settings: params.Pretraining, *, seed: int, device: torch.device) -> Weights:
    """Train a backbone to name the object in the middle of a picture, and the street around it.

    The street is learnt too because a backbone that people use knows scenes as well as objects;
    the two are unrelated in these pictures. Their random streams are named "portrait", which no
    scene of the study uses.
    """
    pictures, labels = draw_portraits(settings.pictures, size=settings.picture_size, seed=seed)
    # torch's own generator is the only one that its layers' first weights can come from.
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = resnet18(num_classes=len(phantom.CATEGORIES) + len(phantom.STREET_NAMES))
    network = network.to(device, memory_format=torch.channels_last)
    _train(network, pictures, labels, settings, derive(seed, "pretraining"), device)
    state = {name: value.cpu() for name, value in network.state_dict().items()}
    return Weights({name: value for name, value in state.items() if not name.startswith("fc.")})


def _train(
    network: nn.Module,
    pictures: np.ndarray,
    labels: np.ndarray,
    settings: params.Pretraining,
    rng: np.random.Generator,
    device: torch.device,
) -> None:
    """Train in place by AdamW under a one-cycle schedule.

    Half of the pictures are mirrored; batches come at `SCALES` in turn.
    """
    steps = max(len(pictures) // settings.batch_size, 1)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.epochs * steps
    )
    mean = torch.tensor(IMAGENET_MEAN, device=device).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=device).view(1, 3, 1, 1)
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
        inputs = functional.interpolate(inputs, (size, size), mode="bilinear", antialias=True)
        inputs = ((inputs - mean) / std).contiguous(memory_format=torch.channels_last)
        logits = network(inputs)
        wanted = torch.from_numpy(labels[batch]).to(device)
        answers = logits.split([len(phantom.CATEGORIES), len(phantom.STREET_NAMES)], dim=1)
        losses = [
            functional.cross_entropy(answer, wanted[:, column], label_smoothing=SMOOTHING)
            for column, answer in enumerate(answers)
        ]
        optimiser.zero_grad()
        (losses[0] + STREET_WEIGHT * losses[1]).backward()
        optimiser.step()
        schedule.step()
    network.eval()
