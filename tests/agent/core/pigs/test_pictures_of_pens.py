from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from agent.core.pigs import scene
from agent.core.pigs.anatomy import Posture, any_build, any_pose, pig
from agent.core.pigs.camera import camera
from agent.core.pigs.film import Film
from agent.core.pigs.herding import close_up
from agent.core.pigs.library import OTHER, Library, collect, draw_near, draw_one, library
from agent.core.pigs.scene import Pens, outlines
from agent.core.pigs.sprite import PX, render


@pytest.fixture(scope="module")
def few() -> Library:
    return library(seed=3, count=24, others=4)


def test_a_picture_is_the_same_for_the_same_seed(few: Library) -> None:
    one, again = Pens(few, 5).picture(11, 320, 192), Pens(few, 5).picture(11, 320, 192)
    assert (one.image == again.image).all() and (one.boxes == again.boxes).all() and (one.shares == again.shares).all()
    assert (Pens(few, 5).picture(12, 320, 192).image != one.image).any()
    assert one.image.shape == (192, 320, 3) and one.image.dtype == np.uint8


def test_boxes_lie_in_the_picture_and_shares_are_shares(few: Library) -> None:
    pens = Pens(few, 1)
    animals = 0
    for seed in range(12):
        seen = pens.picture(seed, 320, 240)
        animals += len(seen.ids)
        assert (seen.boxes[:, :2] >= 0).all() and (seen.boxes[:, 2:] <= [320, 240]).all()
        assert (seen.boxes[:, 2:] > seen.boxes[:, :2]).all()
        assert ((seen.shares > 0) & (seen.shares <= 1)).all()
        assert len(set(seen.ids.tolist())) == len(seen.ids) <= 40
    assert animals > 24


def test_a_share_of_the_pictures_shows_large_animals_right_before_the_camera(
    few: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene, "CLOSE", 1.0)
    seen = [Pens(few, 1).picture(seed, 320, 192) for seed in range(20)]
    assert all(len(one.ids) <= 3 for one in seen)
    sides = [((one.boxes[:, 2:] - one.boxes[:, :2]) / [320, 192]).max() for one in seen if len(one.ids)]
    assert len(sides) > 15 and np.median(sides) > 0.4


def test_most_of_them_look_into_the_camera() -> None:
    eye = camera(320, 192, tilt=1.2, roll=0.0, view=1.0, length_px=200)
    stands = [stand for seed in range(60) for stand in close_up(np.random.default_rng(seed), eye)]
    towards = [math.cos(stand.heading - eye.view(stand.place)[1]) < -0.5 for stand in stands]
    assert 0.4 < np.mean(towards) < 0.8


def test_a_near_camera_sees_near_parts_larger_and_takes_fine_sprites() -> None:
    solid = pig(any_build(np.random.default_rng(1)), any_pose(np.random.default_rng(1), Posture.STANDING))
    far, near = (render(solid, 0.4, math.pi, px=60, far=away) for away in (math.inf, 1.2))
    assert near.surface.shape[0] > 1.2 * far.surface.shape[0]
    both = collect([draw_one(1, 0, False), draw_near(1, 0)])
    random = np.random.default_rng(0)
    picked = [both.pick(random, tuple(Posture), 0.6, 0.0, px, best=1)[0].px for px in (PX / 4, PX * 4)]
    assert picked == [PX, 2.5 * PX]


def test_an_empty_pen_has_no_pig(few: Library) -> None:
    cutout = np.full((60, 80, 4), 200, np.uint8)
    photo = np.random.default_rng(1).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    for seed in range(4):
        assert len(Pens(few, 1).picture(seed, 320, 192, photos=[photo], cutouts=[cutout], empty=True).ids) == 0


def test_the_box_is_tight_around_what_is_seen() -> None:
    owner = np.zeros((40, 50), np.int16)
    owner[5:9, 10:20] = 3
    owner[30, 49] = 1
    ids, boxes, pixels = outlines(owner)
    assert ids.tolist() == [1, 3] and pixels.tolist() == [1, 40]
    assert boxes.tolist() == [[49, 30, 50, 31], [10, 5, 20, 9]]
    assert len(outlines(np.zeros((4, 4), np.int16))[0]) == 0


@pytest.mark.parametrize("posture", list(Posture))
def test_a_pig_stands_on_the_floor_and_is_a_length_long(posture: Posture) -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        solid = pig(any_build(random), any_pose(random, posture))
        low = (solid.centres[:, 2] - solid.radii).min()
        assert -0.06 < low < 0.06
        tall = (solid.centres[:, 2] + solid.radii).max()
        assert tall < (0.95 if posture in (Posture.STANDING, Posture.SITTING) else 0.65)
        assert 0.6 < np.ptp(solid.centres[:, :2], axis=0).max() < 1.4


def test_a_sprite_covers_what_it_shows_and_its_normals_are_unit_vectors() -> None:
    random = np.random.default_rng(2)
    sprite = render(pig(any_build(random), any_pose(random, Posture.STANDING)), math.pi / 2, 0.0)
    cover = sprite.surface[..., 0]
    assert (cover[[0, -1]] == 0).all() and (cover[:, [0, -1]] == 0).all() and (cover == 255).mean() > 0.1
    normals = (sprite.surface[..., 1:3].astype(float) - 128) / 127
    assert (np.hypot(normals[..., 0], normals[..., 1]) <= 1.02).all()
    # Seen from above it looks up the picture, where its azimuth is 0.
    assert sprite.ahead.imag < -0.9 and abs(sprite.ahead.real) < 1e-6


def test_a_library_gives_what_is_asked_for(few: Library) -> None:
    random = np.random.default_rng(0)
    for kind in (Posture.STANDING, OTHER):
        assert few.pick(random, (kind,), 1.2, 0.3)[0].kind == kind
    level = np.argmin(few.elevations)
    sprite, _ = few.pick(random, (*Posture, OTHER), float(few.elevations[level]), float(few.azimuths[level]), best=1)
    assert sprite is few.sprites[level]


def test_a_film_keeps_everyone_and_moves_them_a_little() -> None:
    film = Film(6, 10, 4, 320, 192)
    frames = [film.next() for _ in range(20)]
    again = Film(6, 10, 4, 320, 192)
    assert all((again.next().image == frame.image).all() for frame in frames[:3])
    assert {int(i) for frame in frames for i in frame.ids} == set(range(6))
    middles = {}
    for frame in frames:
        for number, box in zip(frame.ids.tolist(), frame.boxes, strict=True):
            middle = (box[:2] + box[2:]) / 2
            if number in middles:
                # A tenth of a second: nobody jumps by half its length, even when it lies down.
                assert np.hypot(*(middle - middles[number])) < 30
            middles[number] = middle
    assert any((one.image != other.image).any() for one, other in pairwise(frames))
