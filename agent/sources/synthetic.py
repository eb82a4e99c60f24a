"""A simulated pen: synthetic:herd?animals=20&fps=10&seconds=60&seed=1&width=640&height=360

`herd` is a drawing, each animal in a flat colour of its own (core/pen.py), which detectors/scripted.py finds without a
model. `pigs` takes the same figures and looks like a pen (core/pigs): what a detector of pigs is to find.

With seconds=0 it is a camera: without an end, in real time. Otherwise a file: as fast as it is read.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from agent.core import uri as uris
from agent.core.errors import InvalidArgument
from agent.core.names import shorten
from agent.core.pen import Painter
from agent.core.ports import Source
from agent.core.simulation import MAX_ANIMALS, Simulation
from agent.core.types import Frame, Image, InputInfo
from agent.core.uri import Parameter

HERD: Final = "herd"
PIGS: Final = "pigs"


def local_path(uri: str) -> Path | None:
    """Nothing on this machine."""
    return None


def is_live(uri: str) -> bool:
    """Without an end where seconds=0."""
    return _values(uri)["seconds"] == 0


def check(uri: str) -> None:
    """Raises InvalidArgument (BAD_URI)."""
    _values(uri)


def open_source(uri: str) -> Source:
    """The herd at its first moment. Raises InvalidArgument (BAD_URI)."""
    return Synthetic(_scene(uri), _values(uri))


def model(uri: str) -> str:
    """The detector that finds the animals of this scene, where nobody names another."""
    return "pig" if uri.partition(":")[2].partition("?")[0] == PIGS else "scripted"


class Synthetic:
    """The pen's pictures, one after the other."""

    def __init__(self, scene: str, values: dict[str, float]) -> None:
        self._fps = values["fps"]
        self._live = values["seconds"] == 0
        self._total = round(values["seconds"] * self._fps)
        animals, seed, width, height = (int(values[key]) for key in ("animals", "seed", "width", "height"))
        self._next = (_pigs if scene == PIGS else _herd)(animals, self._fps, seed, width, height)
        self._closed = threading.Event()

    @property
    def info(self) -> InputInfo:
        return InputInfo(self._live, self._fps, self._total)

    def frames(self) -> Iterator[Frame]:
        """Finite: seconds from 0. Live: the wall clock's time, at most `fps` a second."""
        begin = time.monotonic()
        index = 0
        while not self._closed.is_set() and (self._live or index < self._total):
            index += 1
            image = self._next()
            yield Frame(index, time.monotonic() if self._live else (index - 1) / self._fps, image)
            if self._live:
                wait_s = begin + index / self._fps - time.monotonic()
                self._closed.wait(max(0.0, wait_s))
                # A reader that was held up is not flooded with what it has missed.
                begin -= min(0.0, wait_s)

    def close(self) -> None:
        """Also ends a wait for the next picture."""
        self._closed.set()


def _herd(animals: int, fps: float, seed: int, width: int, height: int) -> Callable[[], Image]:
    simulation, painter = Simulation(animals, fps, seed, width, height), Painter(seed, width, height)
    return lambda: painter.draw(simulation.step())


def _pigs(animals: int, fps: float, seed: int, width: int, height: int) -> Callable[[], Image]:
    from agent.core.pigs.film import Film

    film = Film(animals, fps, seed, width, height)
    return lambda: film.next().image


def _scene(uri: str) -> str:
    scene = uri.partition(":")[2].partition("?")[0]
    if scene not in (HERD, PIGS):
        why = f"no scene {shorten(scene)!r}; write synthetic:{HERD}?animals=20 or synthetic:{PIGS}?animals=20"
        raise InvalidArgument("BAD_URI", why)
    return scene


def _values(uri: str) -> dict[str, float]:
    _scene(uri)
    return uris.query(
        uri,
        {
            "animals": Parameter(20, 1, MAX_ANIMALS),
            "fps": Parameter(10, 0.1, 60, whole=False),
            "seconds": Parameter(60, 0, 86400, whole=False),
            "seed": Parameter(1, 0, 2**31 - 1),
            "width": Parameter(640, 160, 3840),
            "height": Parameter(360, 120, 2160),
        },
    )
