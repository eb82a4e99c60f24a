"""The agent's part of `herdlink doctor`, in the order in which a person would look."""

from __future__ import annotations

import argparse
import os

from agent.cli.checks import camera, machine, model, packages, service, settings, speed, video
from agent.cli.checks.finding import Findings


def checks(args: argparse.Namespace) -> Findings:
    """All of it. `args`: config, bench, input and output as `herdlink doctor` takes them."""
    # OpenCV's and FFmpeg's own words would stand between the lines; both look here when they are loaded.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    yield from packages.look()
    found, findings = settings.look(args.config)
    yield from findings
    yield from machine.look(found)
    yield from video.look()
    yield from model.look(found)
    if args.bench:
        yield from speed.look(found)
    if found is not None:
        yield from settings.look_at_cameras(found)
        yield from service.look(found)
    if args.input:
        yield from camera.look(args.input, args.output, found)
