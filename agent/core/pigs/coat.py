"""Coats: what colour the skin of an animal, or a thing, has at each of its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from agent.core.pigs.noise import Noise
from agent.core.pigs.others import BOOTS, HAIR, LEGS, PARTS, SKIN, THING, TOP, TRIM
from agent.core.types import Doubles, Floats, Image

_BREEDS = (
    ((178, 190, 232), 0.40),
    ((150, 168, 222), 0.22),
    ((214, 220, 232), 0.14),
    ((70, 100, 160), 0.09),
    ((44, 48, 56), 0.09),
    ((110, 130, 165), 0.06),
)
"""BGR and share: pink, rosy, white, red-brown, black, greyish."""
_MARKS = ((200, 60, 40), (60, 60, 210), (70, 160, 60), (40, 200, 220), (30, 30, 30), (170, 60, 160))
_SKINS = ((150, 170, 220), (110, 140, 195), (60, 80, 120), (170, 185, 225))
_HAIRS = ((30, 35, 45), (60, 90, 130), (110, 150, 190), (150, 150, 150), (30, 30, 160), (200, 200, 200))


@dataclass(frozen=True, slots=True)
class Coat:
    """What an animal wears its life long, and what is on it today."""

    colour: tuple[float, float, float]
    spots: float = 0.0
    """0 none .. 1 half of it."""
    spot_colour: tuple[float, float, float] = (40.0, 42.0, 48.0)
    spot_zoom: float = 0.5
    belt: tuple[float, float] = (0.0, 0.0)
    """From, to along the body in another colour; 0, 0 none."""
    belt_colour: tuple[float, float, float] = (215.0, 220.0, 228.0)
    dirt: float = 0.0
    dirt_colour: tuple[float, float, float] = (50.0, 65.0, 85.0)
    fur: float = 4.0
    flush: float = 0.3
    mark: str = ""
    mark_colour: tuple[float, float, float] = (200.0, 60.0, 40.0)
    tag: bool = False
    seed: int = 0


def any_breed(random: np.random.Generator) -> tuple[float, float, float]:
    """The colour of a breed: herds mostly have one."""
    shares = np.array([share for _, share in _BREEDS])
    colour = _BREEDS[int(random.choice(len(_BREEDS), p=shares / shares.sum()))][0]
    return _three(colour)


def any_coat(random: np.random.Generator, breed: tuple[float, float, float], dirty: float, marked: float) -> Coat:
    """An animal of a herd of this breed."""
    colour = np.array(breed) * random.normal(1, 0.05) * random.normal(1, 0.015, 3)
    spots = random.random()
    belt = (0.0, 0.0)
    if random.random() < 0.06:
        middle = random.uniform(0.3, 0.6)
        belt = (middle - random.uniform(0.04, 0.2), middle + random.uniform(0.04, 0.2))
    mark = ""
    if random.random() < marked:
        mark = str(random.choice(["I", "II", "X", "O", str(random.integers(1, 40)), "/"]))
    return Coat(
        colour=_three(np.clip(colour, 20, 250)),
        spots=float(random.uniform(0.05, 0.8)) if spots < 0.13 else 0.0,
        spot_colour=_three(random.choice([(38, 40, 46), (60, 80, 120), (120, 125, 140), (200, 205, 215)])),
        spot_zoom=float(random.uniform(0.25, 1.0)),
        belt=belt,
        belt_colour=_three(random.choice([(215, 220, 228), (40, 44, 52)])),
        dirt=float(np.clip(random.normal(dirty, 0.25), 0, 1)),
        dirt_colour=_three(
            np.array(random.choice([(50, 65, 85), (40, 50, 60), (90, 110, 130)])) * random.uniform(0.6, 1.3)
        ),
        fur=float(random.uniform(1, 7)),
        flush=float(random.uniform(0.1, 0.5)),
        mark=mark,
        mark_colour=_three(_MARKS[int(random.integers(len(_MARKS)))]),
        tag=bool(random.random() < 0.25),
        seed=int(random.integers(1 << 30)),
    )


def coat_of_pig(coat: Coat, noise: Noise, skin: Image, surface: Image) -> Floats:
    """(H, W, 3) BGR of each pixel of a sprite, before any light falls on it."""
    random = np.random.default_rng(coat.seed)
    height, width = skin.shape[:2]
    along, pink, dark = (np.asarray(skin[..., i] / np.float32(255), np.float32) for i in range(3))
    colour = np.full((height, width, 3), coat.colour, np.float32)
    colour += (noise.cloud(random, height, width, 0.6) * coat.fur)[..., None]
    colour += (noise.grain(random, height, width, 1.0) * coat.fur * 0.7)[..., None]
    if coat.spots:
        patch = np.clip((_on_body(noise, random, along, surface, coat.spot_zoom) - 1.6 * (1 - coat.spots)) * 6, 0, 1)
        colour = _mixed(colour, coat.spot_colour, patch)
    if coat.belt[1] > coat.belt[0]:
        start, end = coat.belt
        wave = along + 0.03 * noise.cloud(random, height, width, 0.6)
        colour = _mixed(colour, coat.belt_colour, np.clip((wave - start) * 25, 0, 1) * np.clip((end - wave) * 25, 0, 1))
    flushed = np.array(coat.colour, np.float32) * (0.78, 0.8, 0.97)
    colour = _mixed(colour, flushed, np.clip(pink * coat.flush * 2, 0, 1))
    if coat.mark or coat.tag:
        colour = _marked(random, coat, colour, along, surface)
    if coat.dirt > 0.05:
        low = 1 - surface[..., 3].astype(np.float32) / 255
        where = noise.cloud(random, height, width, 0.5) + 1.5 * low - 2.6 + 2.4 * coat.dirt
        colour = _mixed(colour, coat.dirt_colour, np.clip(where, 0, 0.85))
    return np.asarray(colour * (1 - 0.75 * dark[..., None]), np.float32)


def coat_of_other(random: np.random.Generator, skin: Image) -> Floats:
    """(H, W, 3) BGR of people and things: a colour a part."""
    table = np.zeros((PARTS, 3), np.float32)
    table[SKIN] = _SKINS[int(random.integers(len(_SKINS)))]
    table[HAIR] = _HAIRS[int(random.integers(len(_HAIRS)))]
    for part in (TOP, LEGS, BOOTS, THING, TRIM):
        grey = random.uniform(15, 235)
        table[part] = np.clip(grey + random.normal(0, random.choice([6, 45])) * random.normal(0, 1, 3), 5, 250)
    if random.random() < 0.3:
        table[LEGS] = table[TOP]  # an overall
    if random.random() < 0.35:
        # As pale and rosy as a pig: only its shape tells.
        table[[THING, TOP]] = np.clip(np.array(any_breed(random)) * random.uniform(0.85, 1.1), 5, 250)
    number = np.clip(np.round(skin[..., 0].astype(np.float32) / 255 * PARTS), 0, PARTS - 1).astype(np.intp)
    return np.asarray(table[number] * (1 - 0.6 / 255 * skin[..., 2:3]), np.float32)


def _marked(random: np.random.Generator, coat: Coat, colour: Floats, along: Floats, surface: Image) -> Floats:
    """Paint on the back, a tag in the ear."""
    if coat.tag:
        ear = np.argwhere((np.abs(along - 0.74) < 0.02) & (surface[..., 0] > 200))
        if len(ear):
            y, x = ear[int(random.integers(len(ear)))]
            size = max(1, round(0.012 * max(colour.shape[:2])))
            cv2.circle(colour, (int(x), int(y)), size, tuple(map(float, coat.mark_colour)), -1, cv2.LINE_AA)
    back = np.argwhere((np.abs(along - 0.35) < 0.03) & (surface[..., 0] > 200) & (surface[..., 3] > 120))
    if not coat.mark or not len(back):
        return colour
    y, x = np.median(back, 0)
    paint = np.zeros(colour.shape[:2], np.float32)
    size = max(colour.shape[:2]) / 120
    cv2.putText(
        paint,
        coat.mark,
        (int(x - 7 * size * len(coat.mark)), int(y + 8 * size)),
        cv2.FONT_HERSHEY_SIMPLEX,
        0.75 * size,
        1.0,
        max(1, round(2.5 * size)),
        cv2.LINE_AA,
    )
    turn = cv2.getRotationMatrix2D((float(x), float(y)), float(random.uniform(0, 360)), 1.0)
    height, width = colour.shape[:2]
    laid = np.asarray(cv2.warpAffine(paint, turn, (width, height)), np.float32)
    return _mixed(colour, coat.mark_colour, laid * np.float32(0.75))


def _on_body(noise: Noise, random: np.random.Generator, along: Floats, surface: Image, zoom: float) -> Floats:
    """A field that lies on the animal: the same place of its body has the same value from wherever it is seen."""
    field = noise.cloud(random, 128, 256, 2 * zoom)
    height = surface[..., 3].astype(np.float32) * (127 / 255)
    return np.asarray(cv2.remap(field, along * 255, height, cv2.INTER_LINEAR), np.float32)


def _mixed(colour: Floats, other: Floats | tuple[float, float, float], share: Floats | Doubles) -> Floats:
    return np.asarray(colour + (np.asarray(other, np.float32) - colour) * share[..., None], np.float32)


def _three(values: object) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)  # type: ignore[attr-defined]
    return first, second, third
