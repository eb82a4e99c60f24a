"""Pictures of pens with pigs, and the truth about them; every picture from a seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from agent.core.pigs import canvas as paint
from agent.core.pigs import furniture, lens
from agent.core.pigs.anatomy import Posture
from agent.core.pigs.camera import Camera, camera
from agent.core.pigs.canvas import Canvas, Light
from agent.core.pigs.coat import any_breed, any_coat, coat_of_other, coat_of_pig
from agent.core.pigs.floor import Floors, lay
from agent.core.pigs.furniture import Prism, any_furniture
from agent.core.pigs.herding import Stand, close_up, herd
from agent.core.pigs.library import OTHER, Library
from agent.core.pigs.noise import Noise
from agent.core.types import Floats, Image, Ints

MOST = 40
CLOSE = 0.2
"""Share of pictures of one to three animals right before the camera."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture and the N pigs of which anything is seen in it."""

    image: Image
    boxes: Floats
    """(N, 4) left, top, right, bottom in pixels, around what is seen of each."""
    shares: Floats
    """(N,) how much of its outline is seen, 0..1; the rest is covered or beyond the edge."""
    ids: Ints
    """(N,) who it is."""


class Pens:
    """Makes pictures of pens out of a library of sprites."""

    def __init__(self, library: Library, seed: int) -> None:
        self._library = library
        random = np.random.default_rng([seed, 7])
        self._noise = Noise(random)
        self._floors = Floors(seed, self._noise)

    def picture(
        self,
        seed: int,
        width: int,
        height: int,
        *,
        photos: Sequence[Image] = (),
        cutouts: Sequence[Image] = (),
        empty: bool = False,
    ) -> Seen:
        """Picture `seed`: the same for the same seed, photos and cut-outs.

        Of the photos some become walls and floors; the cut-outs, (H, W, 4) with what is no pig, are strewn in.
        `empty`: a pen without a pig, but with more of those.
        """
        random = np.random.default_rng(seed)
        close = random.random() < CLOSE
        eye = _close_camera(random, width, height) if close else _camera(random, width, height)
        infrared = random.random() < 0.25
        canvas = Canvas(self._ground(random, eye, photos, 0.3 if close else 0.12))
        light = _light(random, eye, infrared)
        canvas.image *= light.ambient + 0.75 * light.lamp
        stands = []
        if not empty:
            stands = close_up(random, eye) if close else herd(random, eye, _count(random, eye))
        wholes = self._fill(random, canvas, eye, stands, light, close)
        if cutouts and (empty or random.random() < 0.35):
            for _ in range(int(random.integers(2, 14) if empty else random.integers(1, 4))):
                _strew(random, canvas, cutouts, light)
        return self._finish(random, canvas, wholes, infrared)

    def _ground(self, random: np.random.Generator, eye: Camera, photos: Sequence[Image], outdoors: float) -> Floats:
        """Floor and what is behind it; in a share of the pictures, `outdoors`, a photo instead of both."""
        floor, size = self._floors.pick(random)
        if photos and random.random() < 0.12:
            floor = _crop(random, photos, 640, 640)
        ground = lay(floor, size, eye.homography, eye.width, eye.height, float(random.uniform(-math.pi, math.pi)))
        rows = np.stack([np.full(eye.height, eye.width / 2), np.arange(eye.height) + 0.5], 1)
        far = np.nan_to_num(np.hypot(*(eye.floor(rows) - eye.place[:2]).T), nan=1e9) > 14
        if far.any():  # beyond the floor a wall, or what a photo shows
            if photos and random.random() < 0.6:
                back = _crop(random, photos, eye.width, eye.height)
            else:
                tint = random.uniform(20, 200) + random.normal(0, 12, 3)
                rough = self._noise.cloud(random, eye.height, eye.width, 2) * random.uniform(2, 20)
                back = tint.astype(np.float32) + rough[..., None]
            ground[far] = back[far]
        if photos and random.random() < outdoors:
            ground = _crop(random, photos, eye.width, eye.height)
        return ground

    def _fill(
        self,
        random: np.random.Generator,
        canvas: Canvas,
        eye: Camera,
        stands: Sequence[Stand],
        light: Light,
        close: bool,
    ) -> dict[int, float]:
        """Everything into the picture, what is far first; whole pixels of each pig."""
        reach = eye.width / 2 / eye.view(np.zeros(2))[2]
        breed, dirty = any_breed(random), random.choice([-0.3, 0.1, 0.4, 0.8])
        mixed, marked = random.random() < 0.3, random.choice([0.0, 0.0, 0.0, 0.3, 0.9])
        prisms = any_furniture(random, max(reach, 1.2)) if random.random() < 0.85 else []
        things: list[tuple[float, int, Stand | Prism]] = []
        ahead = eye.turn[2]
        if close:  # nothing stands between the animal and us
            prisms = [prism for prism in prisms if ahead[:2] @ prism.middle > 0.3]
        for number, stand in enumerate(stands, 1):
            tall = 0.42 if stand.posture == Posture.STANDING else 0.2
            things.append((float(ahead @ [*stand.place, stand.size * tall + stand.lifted]), number, stand))
        for prism in prisms:
            if np.ptp(prism.outline, 0).max() < 4:
                things.append((float(ahead @ [*prism.middle, prism.top]), 0, prism))
            else:
                behind = ahead[:2] @ prism.middle > -0.2 * reach * math.hypot(*ahead[:2])
                things.append((1e3 if behind or random.random() < 0.6 else -1e3, 0, prism))
        if random.random() < 0.3:
            for _ in range(int(random.integers(1, 4))):
                place = random.uniform(-reach, reach, 2) * 0.9
                away = float(ahead @ [*place, 0.4])
                things.append(
                    (away, -1, Stand(place, float(random.uniform(-3.14, 3.14)), _other_size(random), Posture.STANDING))
                )
        wholes: dict[int, float] = {}
        for _, number, thing in sorted(things, key=lambda one: -one[0]):
            if isinstance(thing, Prism):
                furniture.draw(canvas, eye, thing, random, self._noise)
                continue
            other = number < 0
            elevation, _, px = eye.view(thing.place)
            if px * thing.size > 2.2 * eye.width:
                continue
            azimuth = paint.compass_azimuth(eye, thing.place, thing.heading)
            kinds = (OTHER,) if other else (thing.posture,)
            sprite, mirrored = self._library.pick(random, kinds, elevation, azimuth, px * thing.size)
            patch = paint.lay(sprite, eye, thing.place, thing.heading, thing.size, mirrored, thing.lifted)
            if other:
                canvas.stamp(patch, coat_of_other(random, patch.skin), light, paint.NOBODY)
            else:
                coat = any_coat(random, any_breed(random) if mixed else breed, dirty, marked)
                whole = canvas.stamp(patch, coat_of_pig(coat, self._noise, patch.skin, patch.surface), light, number)
                wholes[number] = whole
        return wholes

    def _finish(self, random: np.random.Generator, canvas: Canvas, wholes: dict[int, float], infrared: bool) -> Seen:
        before = np.bincount(canvas.owner.ravel(), minlength=max(wholes, default=0) + 1)
        image, owner = lens.falling_light(random, canvas.image, infrared), canvas.owner
        if random.random() < 0.25:
            image, owner = lens.bulged(random, image, owner)
        image = lens.air_and_glass(random, image, self._noise)
        done = lens.recorded(random, image, infrared)
        ids, boxes, pixels = outlines(owner)
        shares = np.array([before[i] / max(wholes[i], 1) for i in ids], np.float32)
        # What the lens's round edge has cut.
        shares *= np.array(
            [min(1.0, p / max(1, before[i]) * 1.6) for i, p in zip(ids, pixels, strict=True)], np.float32
        )
        return Seen(done, boxes, np.minimum(shares, 1).astype(np.float32), ids)


def outlines(owner: np.ndarray) -> tuple[Ints, Floats, Ints]:
    """Of everyone who is seen: number, (N, 4) box around what is seen, how many pixels."""
    y, x = np.nonzero(owner)
    if not len(y):
        return np.zeros(0, np.int32), np.zeros((0, 4), np.float32), np.zeros(0, np.int32)
    who = owner[y, x]
    order = np.argsort(who, kind="stable")
    who, x, y = who[order], x[order], y[order]
    starts = np.nonzero(np.diff(who, prepend=-1))[0]
    low = np.stack([np.minimum.reduceat(x, starts), np.minimum.reduceat(y, starts)], 1)
    high = np.stack([np.maximum.reduceat(x, starts), np.maximum.reduceat(y, starts)], 1) + 1
    pixels = np.diff(np.append(starts, len(who)))
    return who[starts].astype(np.int32), np.concatenate([low, high], 1).astype(np.float32), pixels.astype(np.int32)


def _camera(random: np.random.Generator, width: int, height: int) -> Camera:
    view = random.uniform(0.7, 1.7)
    tilt = random.choice(
        [abs(random.normal(0, 0.12)), random.uniform(0.2, 0.8), random.uniform(0.6, 1.25)], p=[0.4, 0.4, 0.2]
    )
    length_px = math.exp(random.uniform(math.log(0.045), math.log(0.5))) * width
    return camera(
        width, height, tilt=float(tilt), roll=float(random.normal(0, 0.06)), view=float(view), length_px=length_px
    )


def _close_camera(random: np.random.Generator, width: int, height: int) -> Camera:
    """A length or two before the animal, mostly aslant."""
    length_px = math.exp(random.uniform(math.log(0.4), math.log(1.3))) * min(width, 1.3 * height)
    tilt, view = random.uniform(0.5, 1.45), random.uniform(0.7, 1.5)
    return camera(width, height, tilt=tilt, roll=float(random.normal(0, 0.1)), view=view, length_px=length_px)


def _count(random: np.random.Generator, eye: Camera) -> int:
    """1 to 40, as many as there is room for."""
    px = eye.view(np.zeros(2))[2]
    room = eye.width * eye.height / (px * px * 0.35)
    return int(np.clip(random.uniform(0, 1) ** 0.65 * min(room, MOST), 1, MOST))


def _other_size(random: np.random.Generator) -> float:
    return float(random.uniform(0.7, 1.8))


def _light(random: np.random.Generator, eye: Camera, infrared: bool) -> Light:
    if infrared:
        way = np.array([*random.normal(0, 0.15, 2), 1.0])
    else:
        sky = np.array([*random.normal(0, 0.5, 2), 1.0])
        sky /= np.linalg.norm(sky)
        way = eye.turn @ sky * [1, 1, -1]
        way[2] = max(way[2], 0.25)
    way /= np.linalg.norm(way)
    ambient = random.uniform(0.3, 0.75)
    tint = np.ones(3) if infrared else np.clip(random.normal(1, 0.05, 3), 0.85, 1.15)
    return Light(
        (float(way[0]), float(way[1]), float(way[2])),
        float(ambient),
        float(1.1 - ambient),
        float(random.choice([0.0, 0.0, 0.1, 0.3])),
        (float(tint[0]), float(tint[1]), float(tint[2])),
        float(random.uniform(0.2, 0.75)),
    )


def _strew(random: np.random.Generator, canvas: Canvas, cutouts: Sequence[Image], light: Light) -> None:
    """One of the cut-outs somewhere in the picture, any size, mostly upright, over what is there."""
    source = cutouts[int(random.integers(len(cutouts)))]
    height, width = canvas.owner.shape[:2]
    scale = width * math.exp(random.uniform(math.log(0.05), math.log(0.5))) / max(source.shape[:2])
    turn = random.normal(0, 15) if random.random() < 0.7 else random.uniform(0, 360)
    matrix = cv2.getRotationMatrix2D((source.shape[1] / 2, source.shape[0] / 2), float(turn), float(scale))
    if random.random() < 0.5:
        matrix[:, 0] *= -1
        matrix[:, 2] -= matrix[:, 0] * source.shape[1]
    middle = matrix @ [source.shape[1] / 2, source.shape[0] / 2, 1]
    matrix[:, 2] += random.uniform(0, 1, 2) * [width, height] - middle
    if scale < 0.5:
        source = np.asarray(cv2.GaussianBlur(source, (0, 0), 0.4 / scale), np.uint8)
    laid = np.asarray(cv2.warpAffine(source, matrix, (width, height)), np.float32)
    colour = (
        laid[..., :3] * random.normal(1, 0.06, 3).astype(np.float32) * np.float32(light.ambient + 0.75 * light.lamp)
    )
    if random.random() < 0.15:  # as pale and rosy as a pig
        colour = laid[..., :3].mean(-1, keepdims=True) * np.array(any_breed(random), np.float32) / 140
    share = laid[..., 3:] / 255
    canvas.image += (colour - canvas.image) * share
    canvas.owner[share[..., 0] > 0.5] = paint.NOBODY


def _crop(random: np.random.Generator, photos: Sequence[Image], width: int, height: int) -> Floats:
    """A piece of one of the photos, of that size."""
    photo = photos[int(random.integers(len(photos)))]
    rows, columns = photo.shape[:2]
    side = random.uniform(0.3, 1.0)
    tall, wide = max(8, int(rows * side)), max(8, int(columns * side))
    top, left = int(random.integers(rows - tall + 1)), int(random.integers(columns - wide + 1))
    piece = cv2.resize(photo[top : top + tall, left : left + wide], (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(piece[:, ::-1] if random.random() < 0.5 else piece, np.float32)
