"""Home Assistant's own code judges what we announce. It wants another Python than ours, and many packages, so it has an
environment of its own: `make test-homeassistant` makes that, and sets HERDLINK_HOMEASSISTANT to its Python."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from homeassistant_examples import SHOWN, announcements, as_published, components

PYTHON = os.environ.get("HERDLINK_HOMEASSISTANT", "")
JUDGE = Path(__file__).parent / "judge.py"
BLUEPRINTS = sorted((Path(__file__).parents[2] / "config" / "homeassistant").glob("*.yaml"))

pytestmark = pytest.mark.skipif(not PYTHON, reason="make test-homeassistant")


def judged(**given: Any) -> dict[str, Any]:
    asked = {"announcements": [], "states": [], "blueprints": [], "activities": [], **given}
    done = subprocess.run(
        [PYTHON, str(JUDGE)], input=json.dumps(asked), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_it_takes_every_announcement_as_it_is() -> None:
    assert judged(announcements=announcements())["wrong"] == []


def test_it_would_refuse_what_is_wrong() -> None:
    announcement = announcements()[0]
    announcement["components"]["count"]["device_class"] = "nonsense"
    del announcement["components"]["event"]["event_types"]
    wrong = judged(announcements=[announcement])["wrong"]
    assert [line.split(":")[0] for line in wrong] == ["sensor count", "event event"]


def test_it_shows_what_we_mean() -> None:
    known = components()
    states = [(known[key]["value_template"], as_published(message), shown) for key, message, shown in SHOWN]
    assert judged(states=states)["wrong"] == []


def test_it_takes_the_blueprints() -> None:
    assert len(BLUEPRINTS) == 4
    assert judged(blueprints=[file.read_text() for file in BLUEPRINTS])["wrong"] == []


def test_activity_is_low_by_the_same_hour_of_the_days_before() -> None:
    text = (BLUEPRINTS[0].parent / "activity_low.yaml").read_text()
    cases: list[tuple[str, list[float | None], bool]] = [
        (text, [5.0, 10, 10, 10, 10, 10, 10, 10], True),
        (text, [6.1, 10, 10, 10, 10, 10, 10, 10], False),
        (text, [0.0, 2, 1, 3], True),
        (text, [0.0, 10, 10], False),
        (text, [None, 10, 10, 10, 10], False),
        (text, [0.0, 0, 0, 0], False),
    ]
    assert judged(activities=cases)["wrong"] == []
