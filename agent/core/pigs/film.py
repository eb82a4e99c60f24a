"""A film of pigs in a pen: the herd of core/simulation.py, seen by a camera, with everyone's identity known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from agent.core.pigs import canvas as paint
from agent.core.pigs import furniture, lens
from agent.core.pigs.anatomy import Build, Pose, Posture, any_build, any_pose, pig
from agent.core.pigs.camera import Camera, camera
from agent.core.pigs.canvas import Canvas, Light
from agent.core.pigs.coat import Coat, any_breed, any_coat, coat_of_pig
from agent.core.pigs.floor import Floors, lay
from agent.core.pigs.noise import Noise
from agent.core.pigs.scene import Seen, outlines
from agent.core.pigs.sprite import Sprite, render
from agent.core.simulation import Simulation, State, Truth, body_length, builds
from agent.core.types import Doubles, Floats

_RISING_S: Final = 0.8
"""How long an animal sits between lying and standing."""
_STRIDES: Final = 8
_TURN_STEP: Final = math.pi / 12
_RAISE_STEP: Final = math.pi / 24
_KEPT: Final = 4000
_WALL: Final = 0.55


@dataclass
class _Animal:
    """One pig and what it was doing."""

    build: Build
    coat: Coat
    state: State = State.STANDING
    since_s: float = 10.0
    stride: float = 0.0
    lying: Pose = field(default_factory=lambda: Pose(Posture.CHEST))
    standing: Pose = field(default_factory=Pose)


class Film:
    """Frame after frame of one pen; the same for the same figures."""

    def __init__(self, animals: int, fps: float, seed: int, width: int, height: int) -> None:
        random = np.random.default_rng([seed, 21])
        self._random = random
        self._dt = 1 / fps
        self._simulation = Simulation(animals, fps, seed, width, height)
        self._length = body_length(animals, width, height)
        self._sizes = builds(animals)
        self._noise = Noise(random, fields=3)
        half = np.array([width, height]) / self._length / 2
        self._eye = _framing(random, width, height, half)
        self._light = _lamp(random, self._eye)
        breed, dirty = any_breed(random), float(random.choice([-0.3, 0.1, 0.4]))
        marked = float(random.choice([0.0, 0.0, 0.5]))
        self._animals = [_Animal(any_build(random), any_coat(random, breed, dirty, marked)) for _ in range(animals)]
        self._sprites: dict[tuple[int, ...], Sprite] = {}
        self._ground, self._gain = self._pen(random, half)
        self._rough = random.normal(0, random.uniform(1, 4), (height, width, 1)).astype(np.float32)

    def next(self) -> Seen:
        """The next frame: what is seen, and of everyone who is seen the number from 0."""
        truth = self._simulation.step()
        places = self._places(truth)
        canvas = Canvas(self._ground.copy())
        ahead = self._eye.turn[2]
        tall = np.where(truth.states == State.LYING, 0.2, 0.4)
        away = np.column_stack([places, tall]) @ ahead
        wholes = np.zeros(len(places) + 1)
        for number in np.argsort(-away, kind="stable"):
            wholes[number + 1] = self._stamp(canvas, int(number), places[number], truth)
        shift = self._random.integers(0, self._rough.shape[:2])
        image = canvas.image * self._gain + np.roll(self._rough, tuple(shift), (0, 1))
        ids, boxes, pixels = outlines(canvas.owner)
        shares = np.minimum(1.0, pixels / np.maximum(wholes[ids], 1)).astype(np.float32)
        return Seen(np.clip(image, 0, 255).astype(np.uint8), boxes, shares, ids - 1)

    def _places(self, truth: Truth) -> Doubles:
        """(N, 2) on the floor in lengths, the pen's middle at 0, 0; a picture's y goes down, the floor's up."""
        room = np.array([self._eye.width, self._eye.height]) / 2
        return np.asarray((truth.poses[:, :2] - room) / self._length * [1, -1], np.float64)

    def _stamp(self, canvas: Canvas, number: int, place: Doubles, truth: Truth) -> float:
        animal = self._animals[number]
        self._act(animal, State(int(truth.states[number])))
        heading = -float(truth.poses[number, 2])
        elevation, compass, _ = self._eye.view(place)
        sprite = self._sprite(number, animal, elevation, heading - compass)
        patch = paint.lay(sprite, self._eye, place, heading, float(self._sizes[number]))
        colour = coat_of_pig(animal.coat, self._noise, patch.skin, patch.surface)
        return canvas.stamp(patch, colour, self._light, number + 1)

    def _act(self, animal: _Animal, state: State) -> None:
        """Time goes on by a frame for one animal."""
        animal.since_s += self._dt
        if (state == State.LYING) != (animal.state == State.LYING):
            animal.since_s = 0.0
        if state != animal.state:
            kind = Posture.SIDE if self._random.random() < 0.5 else Posture.CHEST
            animal.lying = any_pose(self._random, kind)
            animal.standing = any_pose(self._random, Posture.STANDING)
        if state == State.WALKING:
            animal.stride += 2 * math.pi * 1.1 * self._dt
        animal.state = state

    def _sprite(self, number: int, animal: _Animal, elevation: float, azimuth: float) -> Sprite:
        """The animal as it holds itself, seen about so; drawn once and kept."""
        raised = round(elevation / _RAISE_STEP)
        # From straight above it looks alike from all sides: the picture of it is turned.
        turned = round((azimuth % (2 * math.pi)) / _TURN_STEP) if elevation < 1.45 else 0
        pose, phase = self._pose(animal)
        key = (number, int(pose.posture), phase, id(pose) if phase < 0 else 0, raised, turned)
        if key not in self._sprites:
            if len(self._sprites) > _KEPT:
                self._sprites.clear()
            px = min(120.0, 1.2 * self._eye.view(np.zeros(2))[2] + 8)
            self._sprites[key] = render(pig(animal.build, pose), raised * _RAISE_STEP, turned * _TURN_STEP, px=px)
        return self._sprites[key]

    def _pose(self, animal: _Animal) -> tuple[Pose, int]:
        """How it holds itself, and the phase of its walk; -1 where it keeps still."""
        if animal.since_s < _RISING_S:
            return Pose(Posture.SITTING, roll=0.0, nod=0.4), 0
        if animal.state == State.LYING:
            return animal.lying, -1
        if animal.state == State.STANDING:
            return animal.standing, -1
        phase = int(animal.stride / (2 * math.pi) * _STRIDES) % _STRIDES
        return Pose(Posture.STANDING, stride=phase * 2 * math.pi / _STRIDES, reach=0.4, nod=0.45), phase

    def _pen(self, random: np.random.Generator, half: Doubles) -> tuple[Floats, Floats]:
        """The empty pen in its light, and what the lamps add."""
        eye = self._eye
        floor, size = Floors(int(random.integers(1 << 30)), self._noise, kept=8).pick(random)
        size = float(max(size, 2.4 * half.max()))
        canvas = Canvas(lay(floor, size, eye.homography, eye.width, eye.height, float(random.choice([0, math.pi / 2]))))
        canvas.image *= self._light.ambient + 0.75 * self._light.lamp
        colour = random.uniform(60, 200) + random.normal(0, 8, 3)
        wall = (float(colour[0]), float(colour[1]), float(colour[2]))
        for x, y, wide, deep in (
            (0, half[1] + 0.06, 2 * half[0], 0.1),
            (-half[0] - 0.06, 0, 0.1, 2 * half[1]),
            (half[0] + 0.06, 0, 0.1, 2 * half[1]),
        ):
            outline = furniture.box(np.array([x, y]), wide, deep, 0.0)
            furniture.draw(canvas, eye, furniture.Prism(outline, 0.0, _WALL, wall), random, self._noise)
        white = np.ones((eye.height, eye.width, 3), np.float32)
        return canvas.image, np.clip(lens.falling_light(random, white, False), 0.5, 1.6)


def _framing(random: np.random.Generator, width: int, height: int, half: Doubles) -> Camera:
    """A camera that has the whole pen in its picture."""
    tilt, view = float(random.choice([0.05, 0.3, 0.55])), float(random.uniform(0.9, 1.3))
    corners = np.array([[x, y, 0.0] for x in (-half[0], half[0]) for y in (-half[1], half[1])])
    corners = np.concatenate([corners, corners + [0, 0, 0.5]])
    low, high = 2.0, float(width)
    for _ in range(30):
        middle = (low + high) / 2
        seen = camera(width, height, tilt=tilt, roll=0.0, view=view, length_px=middle).see(corners)
        inside = (seen >= 0).all() and (seen <= [width, height]).all()
        low, high = (middle, high) if inside else (low, middle)
    return camera(width, height, tilt=tilt, roll=0.0, view=view, length_px=low)


def _lamp(random: np.random.Generator, eye: Camera) -> Light:
    sky = np.array([*random.normal(0, 0.3, 2), 1.0])
    way = eye.turn @ sky * [1, 1, -1]
    way /= np.linalg.norm(way)
    ambient = float(random.uniform(0.4, 0.65))
    return Light((float(way[0]), float(way[1]), float(way[2])), ambient, 1.1 - ambient, 0.0, (1.0, 1.0, 1.0), 0.5)
