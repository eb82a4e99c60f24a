"""How close together animals are: the quick way tells what comparing all pairs tells."""

from __future__ import annotations

import numpy as np
import pytest

from agent.core.herd.census import nearest_px


@pytest.mark.parametrize("count", [2, 3, 40, 500])
@pytest.mark.parametrize("spread", [(1920, 1080), (1, 1080), (1920, 1), (0, 0)])
def test_the_nearest_of_all(count: int, spread: tuple[float, float]) -> None:
    places = np.random.default_rng(count).uniform((0, 0), spread, (count, 2))
    places = places[np.argsort(places[:, 0])]
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert nearest_px(places) == pytest.approx(apart.min(1))
