"""The training itself: steps with a falling rate, averaged weights, checkpoints to go on from, a log of curves."""

from __future__ import annotations

import copy
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from agent.training.loss import loss, places
from agent.training.network import Network
from agent.training.samples import Sample, Stock, sample

_PIXELS = 12 * 416 * 416
"""Of a batch."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how fast."""

    steps: int = 1200
    rate: float = 1e-3
    backbone: float = 0.3
    """Rate of the layers up to the neck to that of the rest."""
    frozen: int = 2
    """So many convolutions from the first do not move."""
    neck: int = 26
    """The first layer that is no backbone's."""
    warm_up: int = 50
    average: float = 0.995
    decay: float = 1e-4
    seed: int = 1
    smallest: int = 320
    largest: int = 640


class _Batches(IterableDataset[tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]]):
    """Batch `step` is the same for the same seed, whoever makes it."""

    def __init__(self, stock: Stock, plan: Plan, first: int) -> None:
        self._stock, self._plan, self._first = stock, plan, first

    def __iter__(self) -> Iterator[tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]]:
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        offset, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in range(self._first + offset, self._plan.steps, stride):
            random = np.random.default_rng([self._plan.seed, step, 5])
            width = int(random.integers(self._plan.smallest // 32, self._plan.largest // 32 + 1)) * 32
            height = max(5, round(width * random.choice([0.5625, 0.6, 0.75, 1.0]) / 32)) * 32
            count = max(4, round(_PIXELS / (width * height)))
            yield _tensors([sample(self._stock, random, width, height) for _ in range(count)])


def _tensors(samples: list[Sample]) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
    images = torch.from_numpy(np.stack([one.image[..., ::-1].transpose(2, 0, 1) for one in samples]))
    boxes = [torch.from_numpy(one.boxes) for one in samples]
    return images, boxes, [torch.from_numpy(one.ignored) for one in samples]


def train(
    network: Network, stock: Stock, plan: Plan, folder: Path, say: Callable[[str], None], workers: int = 2
) -> Network:
    """Trains a network; returns its averaged copy. What an earlier run of the same plan left in `folder` is gone on with.

    `folder` gets checkpoint.pt and curves.jsonl.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = network.to(device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    average = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(_groups(network, plan), lr=plan.rate, weight_decay=plan.decay)
    checkpoint = folder / "checkpoint.pt"
    first = _resume(checkpoint, network, average, optimiser, plan)
    batches = DataLoader(
        _Batches(stock, plan, first), batch_size=None, num_workers=workers, prefetch_factor=4 if workers else None,
        multiprocessing_context="spawn" if workers else None,
    )  # fmt: skip
    begin = time.monotonic()
    with (folder / "curves.jsonl").open("a") as log:
        for step, (images, truths, ignored) in enumerate(batches, first):
            for group in optimiser.param_groups:
                group["lr"] = plan.rate * group["share"] * _pace(step, plan)
            tensor = images.to(device).float().div_(255).contiguous(memory_format=torch.channels_last)
            with torch.autocast(device, torch.bfloat16):
                outputs = network(tensor)
            found = places(outputs, network.heads)
            whole, parts = loss(found, [t.to(device) for t in truths], [t.to(device) for t in ignored])
            optimiser.zero_grad(set_to_none=True)
            whole.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 20.0)
            optimiser.step()
            _follow(average, network, min(plan.average, (step + 1) / (step + 10)))
            log.write(json.dumps({"step": step, **{key: round(value, 4) for key, value in parts.items()}}) + "\n")
            if step % 25 == 24 or step == plan.steps - 1:
                log.flush()
                told = " ".join(f"{key} {value:.3f}" for key, value in parts.items())
                say(f"step {step + 1} of {plan.steps}: {told}, {time.monotonic() - begin:.0f} s")
                _keep(checkpoint, network, average, optimiser, plan, step + 1)
    return average.cpu()


def _groups(network: Network, plan: Plan) -> list[dict[str, object]]:
    """Parameters with their share of the rate; what is frozen asks for no gradient."""
    slow, fast = [], []
    for position, (number, layer) in enumerate(network.convolutions()):
        for parameter in layer.parameters():
            parameter.requires_grad_(position >= plan.frozen)
            if parameter.requires_grad:
                (slow if number < plan.neck else fast).append(parameter)
    return [{"params": slow, "share": plan.backbone}, {"params": fast, "share": 1.0}]


def _pace(step: int, plan: Plan) -> float:
    """Up during the warm-up, then down along a cosine to a hundredth."""
    if step < plan.warm_up:
        return (step + 1) / plan.warm_up
    done = (step - plan.warm_up) / max(1, plan.steps - plan.warm_up)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2


@torch.no_grad()
def _follow(average: Network, network: Network, share: float) -> None:
    for kept, new in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(new, 1 - share)
    # The class that everything has is no thing to learn.


def _resume(
    path: Path, network: Network, average: Network, optimiser: torch.optim.Optimizer, plan: Plan
) -> int:
    """The step to go on with."""
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=False)
    if state["plan"] != plan:
        return 0
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


def _keep(
    path: Path, network: Network, average: Network, optimiser: torch.optim.Optimizer, plan: Plan, step: int
) -> None:
    state = {
        "network": network.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict(),
        "plan": plan, "step": step,
    }  # fmt: skip
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)  # noqa: PTH105
