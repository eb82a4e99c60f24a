"""The model of pigs that comes with herdlink, as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from herdlink_command import herdlink

from agent.core.pigs.film import Film
from agent.core.types import Detections
from agent.models.shipped import INCLUDED, find, find_or_fetch
from agent.models.store import Store
from agent.training.measure import curve


def test_it_is_small_and_needs_no_fetching(tmp_path: Path) -> None:
    told: list[str] = []
    path, spec = find_or_fetch(Store(tmp_path), "pig", told.append)
    assert told == [] and list(tmp_path.iterdir()) == []
    assert spec.labels == ("pig",) and spec.sha256 and "Apache-2.0" in spec.licence
    assert path.stat().st_size < 12e6
    assert (INCLUDED.folder / "pig.md").is_file()


def test_a_store_goes_before_what_is_included(tmp_path: Path) -> None:
    path, spec = find(Store(tmp_path), "pig")
    own, _ = Store(tmp_path).add(path, spec)
    assert find(Store(tmp_path), "pig")[0] == own


def test_pigs_of_a_generated_pen_are_found_by_the_command(tmp_path: Path) -> None:
    """Pens that no training saw; far below what it does on average, so that only a broken model fails."""
    found, truths = [], []
    for seed in (4, 11, 12):
        film = Film(8, 5, seed, 640, 360)
        seen = film.next()
        picture = tmp_path / f"{seed}.png"
        cv2.imwrite(str(picture), seen.image)
        done = herdlink("detect", str(picture), "--model", "pig", "--json", "--store", str(tmp_path / "none"))
        assert done.returncode == 0, done.stderr
        rows = json.loads(done.stdout)["detections"]
        assert all(row["label"] == "pig" for row in rows)
        boxes = np.array([row["box"] for row in rows], np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        found.append(
            Detections(boxes, np.array([row["score"] for row in rows], np.float32), np.zeros(len(rows), np.int32))
        )
        truths.append(seen.boxes)
    whole = curve(found, truths)
    assert whole.animals == 24
    assert whole.recall[-1] > 0.7 and whole.precision[-1] > 0.7
