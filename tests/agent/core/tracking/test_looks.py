"""Appearance counts where it tells bodies apart, and only there."""

from __future__ import annotations

import numpy as np

from agent.core.tracking.looks import Looks
from agent.core.types import Doubles, Floats

ROWS = np.arange(6)


def units(vectors: Doubles) -> Floats:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def shown(looks: Looks, bodies: Floats, noise: float) -> Looks:
    random = np.random.default_rng(1)
    looks.begin(bodies)
    for _ in range(30):
        looks.see(ROWS, units(bodies + random.normal(0, noise, bodies.shape)))
    return looks


def test_bodies_that_look_different() -> None:
    bodies = units(np.random.default_rng(0).normal(0, 1, (6, 32)))
    looks = shown(Looks(), bodies, 0.02)
    alike = looks.alike(bodies)
    assert looks.weight() > 0.9
    assert alike.diagonal().min() > 0.9 and alike[~np.eye(6, dtype=bool)].max() < 0.7


def test_look_alikes() -> None:
    bodies = units(np.ones((6, 32)))
    assert shown(Looks(), bodies, 0.2).weight() == 0


def test_another_embedder_starts_anew() -> None:
    looks = shown(Looks(), units(np.random.default_rng(0).normal(0, 1, (6, 32))), 0.02)
    looks.see(ROWS, units(np.ones((6, 8))))
    assert looks.weight() == 0 and looks.alike(units(np.ones((2, 8)))).shape == (6, 2)
