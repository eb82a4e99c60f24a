"""The pictures a detector is trained on: made in parallel, kept as files, gone on with where it was stopped."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from agent.core.pigs.library import collect, draw_near, draw_one
from agent.core.pigs.scene import Pens, Seen
from agent.core.pigs.sprite import Sprite
from agent.core.types import Image
from agent.training import labels

CHUNK = 100
"""Pictures that share their floors."""
LEAST_SEEN = 0.2
"""What is seen less of an animal is neither asked for nor held against the detector."""
_LEAST_PX = 6
EMPTY = 0.15
"""Share of pens without a pig."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made."""

    seed: int
    count: int
    sprites: int = 1500
    others: int = 200
    near: int = 240
    """Sprites of pigs right before the camera."""
    width: int = 640


def make(
    folder: Path, order: Order, photos: list[Image], cutouts: list[Image], processes: int, say: Callable[[str], None]
) -> list[Path]:
    """The pictures of an order in `folder`, made as far as they are not there yet; in order."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [n for n in range(0, order.count, CHUNK) if not (folder / f"{n:06}.done").is_file()]
    if missing:
        # Fresh processes: OpenCV's threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        with context.Pool(processes, _calm) as pool:
            numbers = range(order.sprites + order.others)
            jobs = ((order.seed, number, number >= order.sprites) for number in numbers)
            sprites = pool.starmap(draw_one, jobs, chunksize=20)
            sprites += pool.starmap(draw_near, [(order.seed, number) for number in range(order.near)], chunksize=5)
        say(f"{len(sprites)} sprites drawn")
        with context.Pool(processes, _begin, (folder, order, photos, cutouts, sprites)) as pool:
            for done, first in enumerate(pool.imap_unordered(_chunk, missing), 1):
                say(f"pictures {first} to {min(first + CHUNK, order.count)} made ({done} of {len(missing)} parts)")
    return labels.pictures(folder)[: order.count]


def save(path: Path, seen: Seen) -> None:
    """A picture and its labels."""
    height, width = seen.image.shape[:2]
    cv2.imwrite(str(path), seen.image, [cv2.IMWRITE_JPEG_QUALITY, 93])
    small = (seen.boxes[:, 2:] - seen.boxes[:, :2]).min(1, initial=1e9) < _LEAST_PX
    classes = np.where((seen.shares < LEAST_SEEN) | small, labels.IGNORED, 0).astype(np.int32)
    labels.write(path, seen.boxes, classes, width, height)


_Work = tuple[Path, Order, list[Image], list[Image], list[Sprite]]
_work: list[_Work] = []
"""What a worker was given at its begin."""


def _calm() -> None:
    cv2.setNumThreads(1)


def _begin(*work: object) -> None:
    _calm()
    _work.append(cast("_Work", work))


def _chunk(first: int) -> int:
    folder, order, photos, cutouts, sprites = _work[0]
    pens = Pens(collect(sprites), order.seed * 100_003 + first)
    for number in range(first, min(first + CHUNK, order.count)):
        random = np.random.default_rng([order.seed, number, 3])
        height = int(random.choice([360, 360, 384, 480, 512, 640])) * order.width // 640
        seen = pens.picture(
            int(random.integers(1 << 62)),
            order.width,
            height,
            photos=photos,
            cutouts=cutouts,
            empty=bool(random.random() < EMPTY),
        )
        save(folder / f"{number:06}.jpg", seen)
    (folder / f"{first:06}.done").touch()
    return first
