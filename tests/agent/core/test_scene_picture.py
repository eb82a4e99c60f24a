from __future__ import annotations

import numpy as np

from agent.core.scene import NO_SCENE, Ground, Line, Scene, Zone
from agent.core.scene_picture import draw_scene

IMAGE = np.full((240, 320, 3), 90, np.uint8)
FIELD = ((0.2, 0.2), (0.8, 0.2), (0.9, 0.9), (0.1, 0.9))


def changed(scene: Scene, *, grid: bool = False) -> np.ndarray:
    before = IMAGE.copy()
    drawn = draw_scene(IMAGE, scene, grid=grid)
    assert (before == IMAGE).all(), "the picture itself stays"
    return np.abs(drawn.astype(int) - IMAGE).max(2)


def test_nothing_drawn_is_the_same_picture() -> None:
    assert draw_scene(IMAGE, NO_SCENE) is IMAGE


def test_outside_of_the_area_is_darker_and_inside_as_it_was() -> None:
    drawn = draw_scene(IMAGE, Scene(area=FIELD))
    assert (drawn[5:30, 5:30] < 60).all()
    assert (drawn[100:140, 120:200] == 90).all()


def test_a_zone_is_tinted_and_a_line_has_an_arrow_to_its_inside() -> None:
    zone = changed(Scene(zones=(Zone("feeder", FIELD),)))
    assert 0 < zone[120, 160] < 40
    assert zone[5, 5] == 0
    line = Scene(lines=(Line("gate", (0.5, 0.2), (0.5, 0.9), (0.9, 0.5)),))
    gate = changed(line)
    assert (gate[60:200, 160] > 40).all()
    assert gate[132, 166] > 40
    assert gate[132, 154] == 0


def test_the_ground_is_shown_where_it_is_asked_for() -> None:
    scene = Scene(ground=Ground(FIELD, 6.0, 4.0))
    assert changed(scene).max() == 0
    assert (changed(scene, grid=True) > 30).mean() > 0.03


def test_places_at_the_very_edge_do_no_harm() -> None:
    whole = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    scene = Scene(
        whole, (Zone("all", whole),), (Line("edge", (1.0, 0.0), (1.0, 1.0), (0.0, 0.5)),), Ground(whole, 900.0, 0.1)
    )
    for size in ((240, 320, 3), (2, 2, 3), (1, 500, 3)):
        assert draw_scene(np.zeros(size, np.uint8), scene, grid=True).shape == size
