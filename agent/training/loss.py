"""What a detector is asked for in training: each animal is given to the places that already see it best.

Targets by predicted overlap follow SimOTA (Ge et al., YOLOX, arXiv:2107.08430), the boxes' loss is CIoU (Zheng et al.,
arXiv:2005.03572).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from agent.training.network import Head

_NEAR = 1.5
"""An animal is found from cells at most so many strides away from its middle."""
_FREE_IOU = 0.7
"""A place that sees an animal so well, though another was given it, is left alone."""
_HARD = 1.5


@dataclass(frozen=True, slots=True)
class Places:
    """All P places of a batch's pictures: a cell and an anchor of a head each."""

    boxes: Tensor
    """(N, P, 4) left, top, right, bottom in pixels of the input."""
    scores: Tensor
    """(N, P) objectness before the logistic."""
    middles: Tensor
    """(P, 2) of the cells."""
    strides: Tensor
    """(P,)."""


def places(outputs: Sequence[Tensor], heads: Sequence[Head]) -> Places:
    """Boxes and scores of the raw values of all heads."""
    boxes, scores, middles, strides = [], [], [], []
    for output, head in zip(outputs, heads, strict=True):
        count, _, rows, columns = output.shape
        anchors = len(head.anchors)
        values = output.float().view(count, anchors, -1, rows, columns).permute(0, 1, 3, 4, 2)
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        cell = torch.stack([x, y], -1).float().to(output.device)
        share = values[..., :2].sigmoid() * head.scale_x_y - (head.scale_x_y - 1) / 2
        centre = (cell + share) * head.stride
        size = values[..., 2:4].clamp(-6, 6).exp() * head.anchors.to(output.device).view(1, anchors, 1, 1, 2)
        boxes.append(torch.cat([centre - size / 2, centre + size / 2], -1).reshape(count, -1, 4))
        scores.append(values[..., 4].reshape(count, -1))
        middles.append(((cell + 0.5) * head.stride).expand(anchors, rows, columns, 2).reshape(-1, 2))
        strides.append(torch.full((anchors * rows * columns,), float(head.stride), device=output.device))
    return Places(torch.cat(boxes, 1), torch.cat(scores, 1), torch.cat(middles), torch.cat(strides))


def loss(found: Places, truths: Sequence[Tensor], ignored: Sequence[Tensor]) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch, and its parts for the log. Of each picture (M, 4) boxes of truth, and those to ignore."""
    total_box = found.boxes.new_zeros(())
    total_score = found.boxes.new_zeros(())
    given, overlap = 0, 0.0
    for number, (truth, free) in enumerate(zip(truths, ignored, strict=True)):
        boxes, scores = found.boxes[number], found.scores[number]
        target = torch.zeros_like(scores)
        weight = torch.ones_like(scores)
        if len(truth):
            place, animal, overlaps, best = assign(found, number, truth)
            weight[best > _FREE_IOU] = 0
            if len(place):
                close = ciou(boxes[place], truth[animal])
                total_box = total_box + (1 - close).sum()
                target[place] = overlaps.clamp(0.05, 1.0)
                weight[place] = 1
                given += len(place)
                overlap += float(overlaps.sum())
        if len(free):
            inside = _share_inside(boxes.detach(), free).amax(1) > 0.5
            weight[inside & (target == 0)] = 0
        bce = functional.binary_cross_entropy_with_logits(scores, target, reduction="none")
        # What is wrongly sure counts more, what is rightly unsure hardly (focal loss, arXiv:1708.02002).
        focus = torch.where(target > 0, torch.ones_like(scores), scores.detach().sigmoid() ** _HARD * 2)
        total_score = total_score + (bce * weight * focus).sum()
    share = max(given, len(truths))
    whole = (3.0 * total_box + total_score) / share
    return whole, {
        "loss": float(whole.detach()),
        "box": float(total_box.detach()) / share,
        "score": float(total_score.detach()) / share,
        "iou": overlap / max(given, 1),
    }


@torch.no_grad()
def assign(found: Places, number: int, truth: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(K,) places, (K,) the animal each is given, (K,) how well it sees it; (P,) how well each place sees any."""
    boxes, scores = found.boxes[number].detach(), found.scores[number].detach()
    middles = (truth[:, :2] + truth[:, 2:]) / 2
    apart = (found.middles[:, None] - middles[None]).abs().amax(2)
    near = apart < _NEAR * found.strides[:, None]
    candidates = near.any(1).nonzero()[:, 0]
    overlaps = iou(boxes, truth)
    best = overlaps.amax(1)
    some, near = overlaps[candidates], near[candidates]
    surprise = functional.softplus(-scores[candidates])[:, None]
    cost = -3.0 * (some + 1e-6).log() + surprise + 1e5 * ~near
    wanted = torch.where(near, some, torch.zeros_like(some)).topk(min(8, len(candidates)), dim=0).values.sum(0)
    chosen = torch.zeros_like(cost, dtype=torch.bool)
    for animal, count in enumerate(wanted.round().clamp(1, 8).int().tolist()):
        order = cost[:, animal].topk(min(count, len(candidates)), largest=False).indices
        chosen[order, animal] = cost[order, animal] < 1e5
    # A place that several want goes to the one it costs least.
    several = chosen.sum(1) > 1
    if several.any():
        cheapest = torch.where(chosen, cost, torch.inf)[several].argmin(1)
        chosen[several] = False
        chosen[several.nonzero()[:, 0], cheapest] = True
    rows, animals = chosen.nonzero(as_tuple=True)
    return candidates[rows], animals, some[rows, animals], best


def iou(first: Tensor, second: Tensor) -> Tensor:
    """(N, M) overlap of (N, 4) with (M, 4) boxes."""
    shared = _shared(first, second)
    return shared / (_area(first)[:, None] + _area(second)[None] - shared).clamp(min=1e-6)


def ciou(first: Tensor, second: Tensor) -> Tensor:
    """(N,) overlap of boxes in pairs, less for middles that lie apart and for other shapes."""
    low, high = torch.maximum(first[:, :2], second[:, :2]), torch.minimum(first[:, 2:], second[:, 2:])
    shared = (high - low).clamp(min=0).prod(1)
    union = (_area(first) + _area(second) - shared).clamp(min=1e-6)
    overlap = shared / union
    hull = torch.maximum(first[:, 2:], second[:, 2:]) - torch.minimum(first[:, :2], second[:, :2])
    apart = ((first[:, :2] + first[:, 2:] - second[:, :2] - second[:, 2:]) ** 2).sum(1) / 4
    size, other = (first[:, 2:] - first[:, :2]).clamp(min=1e-3), (second[:, 2:] - second[:, :2]).clamp(min=1e-3)
    shape = 4 / math.pi**2 * (torch.atan(other[:, 0] / other[:, 1]) - torch.atan(size[:, 0] / size[:, 1])) ** 2
    with torch.no_grad():
        weight = shape / (1 - overlap + shape).clamp(min=1e-6)
    return overlap - apart / (hull**2).sum(1).clamp(min=1e-6) - weight * shape


def _share_inside(boxes: Tensor, areas: Tensor) -> Tensor:
    return _shared(boxes, areas) / _area(boxes)[:, None].clamp(min=1e-6)


def _shared(first: Tensor, second: Tensor) -> Tensor:
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    return (high - low).clamp(min=0).prod(2)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1)
