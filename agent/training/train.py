"""The training itself: steps with a falling rate, averaged weights, checkpoints to go on from, a log of curves."""

from __future__ import annotations

import copy
import json
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from agent.training.loss import loss, places
from agent.training.network import Network, load, save
from agent.training.samples import Sample, Stock, sample

_PIXELS = 12 * 416 * 416
"""Of a batch."""
_MEET = 8
_KEEP = 25


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how fast."""

    steps: int = 1500
    rate: float = 1e-3
    backbone: float = 0.3
    """Rate of the layers up to the neck to that of the rest."""
    frozen: int = 5
    """So many convolutions from the first do not move."""
    neck: int = 26
    """The first layer that is no backbone's."""
    warm_up: int = 50
    hold: float = 0.35
    """Share of the steps at the full rate, before it falls."""
    average: float = 0.997
    decay: float = 1e-4
    seed: int = 1
    smallest: int = 288
    largest: int = 576


def train(cfg: Path, start: Path, stock: Stock, plan: Plan, folder: Path, processes: int = 2) -> Path:
    """Trains the network of a .cfg from the .weights `start`; returns the averaged .weights, in `folder`.

    What an earlier run of the same plan left there is gone on with. `folder` gets checkpoint.pt and curves.jsonl as
    well. Each process has one thread and batches of its own; every few steps they meet and take the mean of their
    weights (local SGD, arXiv:1805.09767), which on a busy CPU costs far less than threads that wait for each other.
    """
    done = folder / "trained.weights"
    words = (processes, cfg, start, stock, plan, folder, done)
    if processes == 1 or torch.cuda.is_available():
        _work(0, *(1, *words[1:]))
        return done
    (folder / "meeting").unlink(missing_ok=True)
    torch.multiprocessing.start_processes(_work, words, processes, start_method="spawn")
    return done


def _work(rank: int, ranks: int, cfg: Path, start: Path, stock: Stock, plan: Plan, folder: Path, done: Path) -> None:
    """One process of the training."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if ranks > 1:
        meeting = f"file://{folder.resolve() / 'meeting'}"
        torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=ranks)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = Network(cfg)
    load(network, start)
    network = network.to(device).to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(_groups(network, plan), lr=plan.rate, weight_decay=plan.decay)
    checkpoint = folder / f"checkpoint-{rank}.pt"
    first = _resume(checkpoint, network, average, optimiser, plan)
    short = _shorter_is_faster(device)
    begin = time.monotonic()
    with (folder / f"curves-{rank}.jsonl").open("a") as log:
        for step in range(first, plan.steps):
            parts = _step(network, optimiser, stock, plan, step, step * ranks + rank, device, short)
            if ranks > 1 and step % _MEET == _MEET - 1:
                _meet(network, ranks)
            _follow(average, network, min(plan.average, (step + 1) / (step + 10)))
            log.write(json.dumps({"step": step, **{key: round(value, 4) for key, value in parts.items()}}) + "\n")
            if step % _KEEP == _KEEP - 1 or step == plan.steps - 1:
                log.flush()
                _keep(checkpoint, network, average, optimiser, plan, step + 1)
                if rank == 0:
                    save(average.cpu(), done)
                    average.to(device)
                    told = " ".join(f"{key} {value:.3f}" for key, value in parts.items())
                    text = f"step {step + 1} of {plan.steps}: {told}, {time.monotonic() - begin:.0f} s"
                    print(text, file=sys.stderr, flush=True)
    if rank == 0 and first >= plan.steps:
        save(average.cpu(), done)


def _step(
    network: Network,
    optimiser: torch.optim.Optimizer,
    stock: Stock,
    plan: Plan,
    step: int,
    number: int,
    device: str,
    short: bool,
) -> dict[str, float]:
    """One batch, the same for the same seed and number."""
    random = np.random.default_rng([plan.seed, number, 5])
    width = int(random.integers(plan.smallest // 32, plan.largest // 32 + 1)) * 32
    height = max(5, round(width * random.choice([0.5625, 0.6, 0.75, 1.0]) / 32)) * 32
    count = max(4, round(_PIXELS / (width * height)))
    images, truths, ignored = _tensors([sample(stock, random, width, height) for _ in range(count)])
    for group in optimiser.param_groups:
        group["lr"] = plan.rate * group["share"] * _pace(step, plan)
    tensor = images.to(device).float().div_(255).contiguous(memory_format=torch.channels_last)
    with torch.autocast(device, torch.bfloat16, enabled=short):
        outputs = network(tensor)
    found = places(outputs, network.heads)
    whole, parts = loss(found, [t.to(device) for t in truths], [t.to(device) for t in ignored])
    optimiser.zero_grad(set_to_none=True)
    whole.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 20.0)
    optimiser.step()
    return parts


def _shorter_is_faster(device: str) -> bool:
    """Whether this machine computes faster with bfloat16 than with float32; without instructions for it, six times slower.

    Measured, for there is no public way to ask.
    """
    layer = torch.nn.Conv2d(64, 64, 3, padding=1).to(device).to(memory_format=torch.channels_last)
    picture = torch.ones(4, 64, 64, 64, device=device).contiguous(memory_format=torch.channels_last)
    seconds = {False: math.inf, True: math.inf}
    for short in (False, True) * 3:
        begin = time.perf_counter()
        with torch.autocast(device, torch.bfloat16, enabled=short):
            layer(picture).float().sum().backward()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds[short] = min(seconds[short], time.perf_counter() - begin)
    return seconds[True] < seconds[False]


@torch.no_grad()
def _meet(network: Network, ranks: int) -> None:
    """All processes take the mean of their weights."""
    for parameter in network.parameters():
        if parameter.requires_grad:
            torch.distributed.all_reduce(parameter)
            parameter.div_(ranks)


def _tensors(samples: list[Sample]) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
    images = torch.from_numpy(np.stack([one.image[..., ::-1].transpose(2, 0, 1) for one in samples]))
    boxes = [torch.from_numpy(one.boxes) for one in samples]
    return images, boxes, [torch.from_numpy(one.ignored) for one in samples]


def _groups(network: Network, plan: Plan) -> list[dict[str, object]]:
    """Parameters with their share of the rate; what is frozen asks for no gradient."""
    slow: list[torch.Tensor] = []
    fast: list[torch.Tensor] = []
    for position, (number, layer) in enumerate(network.convolutions()):
        for parameter in layer.parameters():
            parameter.requires_grad_(position >= plan.frozen)
            if parameter.requires_grad:
                (slow if number < plan.neck else fast).append(parameter)
    return [{"params": slow, "share": plan.backbone}, {"params": fast, "share": 1.0}]


def _pace(step: int, plan: Plan) -> float:
    """Up during the warm-up, full for a while, then down along a cosine to a fiftieth."""
    if step < plan.warm_up:
        return (step + 1) / plan.warm_up
    held = max(plan.warm_up, plan.hold * plan.steps)
    done = max(0.0, (step - held) / max(1, plan.steps - held))
    return 0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2


@torch.no_grad()
def _follow(average: Network, network: Network, share: float) -> None:
    for kept, new in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(new, 1 - share)


def _resume(path: Path, network: Network, average: Network, optimiser: torch.optim.Optimizer, plan: Plan) -> int:
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
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "plan": plan,
        "step": step,
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)  # noqa: PTH105
