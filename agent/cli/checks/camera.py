"""One input in full: opened, read for a moment, looked at, and drawn."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.checks.finding import Finding, Findings, fail, ok, warn
from agent.cli.checks.model import open_model
from agent.core.errors import HerdlinkError
from agent.core.uri import mask, scheme
from agent.settings import AgentSettings

if TYPE_CHECKING:
    from agent.core.ports import Detector
    from agent.core.types import Detections, Image

LONGEST_S = 30.0
"""FFmpeg can hang in a driver; a camera that answers at all has done so by then."""
SAMPLE_S = 4.0
SAMPLE_FRAMES = 60
DARK, BRIGHT = 25.0, 235.0
THRESHOLD = 0.3


@dataclass(frozen=True, slots=True)
class _Seen:
    """What came of an input."""

    image: Image
    live: bool
    codec: str
    told_fps: float
    fps: float
    frames: int
    moved: bool
    """Whether any two pictures differ."""


def look(wanted: str, output: Path | None, settings: AgentSettings | None) -> Findings:
    """`wanted` is a URI or the name of a stream in the settings; `output` gets the picture with what was found."""
    settings = settings or AgentSettings.model_construct()
    stream = settings.streams.get(wanted)
    uri = (stream.input if stream else None) or wanted
    try:
        seen = _watch(uri, settings)
    except HerdlinkError as error:
        camera = error.reason == "CAMERA_UNREACHABLE"
        cure = "try the same address in VLC on another machine" if camera else "mend that and try again"
        yield fail("input", error.message, cure)
        return
    if seen is None:
        yield fail(
            "input", f"{mask(uri)} does not answer within {LONGEST_S:.0f} s", "restart the camera, check its network"
        )
        return
    yield from _told(mask(uri), seen)
    threshold = stream.threshold if stream and stream.threshold is not None else THRESHOLD
    yield from _found(uri, seen.image, output, settings, threshold)


def _watch(uri: str, settings: AgentSettings) -> _Seen | None:
    """Reads in a thread that can be left behind. None where it hangs; raises HerdlinkError."""
    ended: list[_Seen | Exception] = []

    def work() -> None:
        try:
            ended.append(_read(uri, settings))
        except Exception as error:  # noqa: BLE001 - raised again where it can be told
            ended.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(LONGEST_S)
    if not ended:
        return None
    if isinstance(ended[0], Exception):
        raise ended[0]
    return ended[0]


def _read(uri: str, settings: AgentSettings) -> _Seen:
    from agent import plugins
    from agent.core.errors import Unavailable
    from agent.rooms import SOURCES
    from agent.runtime.secrets import expand

    full = expand(uri, settings.secrets_dir)
    source: Any = plugins.load(SOURCES, scheme(full), "input scheme").open_source(full)
    try:
        info = source.info
        times: list[float] = []
        first: Image | None = None
        moved = False
        for frame in source.frames():
            times.append(time.monotonic())
            moved = moved or (first is not None and bool((frame.image != first).any()))
            first = frame.image if first is None else first
            image = frame.image
            if len(times) >= SAMPLE_FRAMES or times[-1] - times[0] >= SAMPLE_S:
                break
    finally:
        source.close()
    if first is None:
        raise Unavailable("NO_PICTURE", f"{mask(uri)} opens but gives no picture")
    fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
    return _Seen(image, info.live, info.codec, info.fps, fps, len(times), moved)


def _told(shown: str, seen: _Seen) -> Findings:
    height, width = seen.image.shape[:2]
    rate = f"{seen.told_fps:g} frames/s" if seen.told_fps else "frames/s not told"
    measured = f", {seen.fps:.1f} measured" if seen.live else ""
    yield ok("input", f"{shown}: {width}x{height}{', ' + seen.codec if seen.codec else ''}, {rate}{measured}")
    yield _brightness(float(seen.image.mean()))
    if seen.live and not seen.moved and seen.frames > 10:
        yield warn("picture", f"{seen.frames} pictures, all the same: it is frozen", "restart the camera")
    if seen.live and seen.told_fps and seen.fps < 0.6 * seen.told_fps:
        yield warn("input", "it comes slower than it says", "check the network, or set a smaller picture in the camera")


def _brightness(mean: float) -> Finding:
    told = f"brightness {mean:.0f} of 255"
    if mean < DARK:
        return warn("picture", f"{told}: too dark", "clean the camera, switch on its infrared light")
    if mean > BRIGHT:
        return warn("picture", f"{told}: too bright", "turn the camera away from the light")
    return ok("picture", told)


def _found(uri: str, image: Image, output: Path | None, settings: AgentSettings, threshold: float) -> Findings:
    from agent.core.types import Detections

    detector, why = _detector(uri, settings)
    if detector is None:
        yield why
        found = Detections()
    else:
        found = detector.detect([image], threshold)[0]
        counted = Counter(detector.labels[int(number)] for number in found.classes)
        told = ", ".join(f"{count} {label}" for label, count in counted.most_common())
        yield ok("detections", told or f"nothing of a score of {threshold:g} and more")
    if output is not None:
        yield _draw(image, found, detector.labels if detector else (), output)


def _detector(uri: str, settings: AgentSettings) -> tuple[Detector | None, Finding]:
    from agent import plugins
    from agent.sources import synthetic

    if uri.startswith("synthetic:"):
        # As in a job: a simulated herd brings its own.
        if synthetic.model(uri) != "scripted":
            return open_model(settings, synthetic.model(uri))
        return plugins.load("agent.detectors", "scripted", "detector").open_detector(), ok("model", "scripted")
    return open_model(settings)


def _draw(image: Image, found: Detections, labels: Any, output: Path) -> Finding:
    from agent.cli.detect import draw

    try:
        draw(image, found, labels, output)
    except HerdlinkError as error:
        return fail("output", error.message, "name it anew")
    except OSError as error:
        return fail("output", f"{output} cannot be written: {error.strerror}", "name another folder")
    return ok("output", str(output))
