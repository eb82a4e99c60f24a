"""HOTA (Luiten et al., IJCV 2021), as a share of 100: how well tracks are found and kept, over 19 overlaps."""

from __future__ import annotations

from collections.abc import Sequence

import lap
import numpy as np

ALPHAS = np.arange(0.05, 0.99, 0.05)
Frame = tuple[np.ndarray, np.ndarray]
"""(N,) ids and (N, 4) boxes left, top, right, bottom."""


def hota(truth: Sequence[Frame], told: Sequence[Frame]) -> float:
    """Of two films of as many frames."""
    true_rows, told_rows = _rows(truth), _rows(told)
    pairs = np.zeros((len(true_rows), len(told_rows)))
    overlaps = [_overlap(t[1], p[1]) for t, p in zip(truth, told, strict=True)]
    places = [
        (np.array([true_rows[i] for i in t[0].tolist()], int), np.array([told_rows[i] for i in p[0].tolist()], int))
        for t, p in zip(truth, told, strict=True)
    ]
    for overlap, (rows, columns) in zip(overlaps, places, strict=True):
        both = overlap.sum(0, keepdims=True) + overlap.sum(1, keepdims=True) - overlap
        pairs[np.ix_(rows, columns)] += np.divide(overlap, both, out=np.zeros_like(overlap), where=both > 0)
    true_frames = np.bincount(np.concatenate([rows for rows, _ in places]), minlength=len(true_rows))
    told_frames = np.bincount(np.concatenate([cols for _, cols in places]), minlength=len(told_rows))
    alignment = pairs / np.maximum(true_frames[:, None] + told_frames[None] - pairs, 1e-9)
    hits = np.zeros((len(ALPHAS), *pairs.shape))
    for overlap, (rows, columns) in zip(overlaps, places, strict=True):
        if not overlap.size:
            continue
        score = alignment[np.ix_(rows, columns)] * overlap
        chosen = lap.lapjv(score.max() - score, extend_cost=True)[1]
        mine = np.flatnonzero(chosen >= 0)
        for number, alpha in enumerate(ALPHAS):
            good = mine[overlap[mine, chosen[mine]] >= alpha - 1e-9]
            np.add.at(hits[number], (rows[good], columns[chosen[good]]), 1)
    return 100 * float(np.mean([_score(one, true_frames, told_frames) for one in hits]))


def _score(hits: np.ndarray, true_frames: np.ndarray, told_frames: np.ndarray) -> float:
    found = hits.sum()
    kept = (hits * (hits / np.maximum(true_frames[:, None] + told_frames[None] - hits, 1))).sum() / max(found, 1)
    return float(np.sqrt(found / (true_frames.sum() + told_frames.sum() - found) * kept))


def _rows(film: Sequence[Frame]) -> dict[int, int]:
    return {number: row for row, number in enumerate(sorted({i for ids, _ in film for i in ids.tolist()}))}


def _overlap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2).astype(float)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(1) for boxes in (one, other)]
    return shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)
