"""A loop as people write it of supervision, onnxruntime and roboflow's ByteTrack: MODEL CLIP FRAMES usual|tuned.

Prints frames and boxes seen.
"""

from __future__ import annotations

import sys
from itertools import islice
from typing import Any

import cv2
import numpy as np
import onnxruntime
import supervision as sv
from trackers import ByteTrackTracker

SIDE = 640
THRESHOLD, OVERLAP = 0.25, 0.7
"""As ultralytics has them."""


def main() -> None:
    model, clip, frames, how = sys.argv[1:]
    if how == "tuned":
        from sessions import tune

        tune()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    tracker = ByteTrackTracker(frame_rate=sv.VideoInfo.from_video_path(clip).fps)
    seen = boxes = 0
    for frame in islice(sv.get_video_frames_generator(clip), int(frames)):
        tensor, ratio, pad = letterbox(frame)
        detections = decode(session.run(None, {name: tensor})[0], ratio, pad)
        boxes += len(tracker.update(detections))
        seen += 1
    print(seen, boxes)


def letterbox(frame: Any) -> tuple[Any, float, tuple[int, int]]:
    height, width = frame.shape[:2]
    ratio = SIDE / max(height, width)
    small = cv2.resize(frame, (round(width * ratio), round(height * ratio)))
    left, top = (SIDE - small.shape[1]) // 2, (SIDE - small.shape[0]) // 2
    right, bottom = SIDE - small.shape[1] - left, SIDE - small.shape[0] - top
    square = cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(114, 114, 114))
    tensor = cv2.cvtColor(square, cv2.COLOR_BGR2RGB).transpose(2, 0, 1)[None].astype(np.float32) / 255.0
    return tensor, ratio, (left, top)


def decode(output: Any, ratio: float, pad: tuple[int, int]) -> Any:
    rows = output[0].T
    scores, classes = rows[:, 4:].max(1), rows[:, 4:].argmax(1)
    keep = scores > THRESHOLD
    middles, sizes = rows[keep, :2] - pad, rows[keep, 2:4]
    corners = np.concatenate([middles - sizes / 2, middles + sizes / 2], 1) / ratio
    found = sv.Detections(xyxy=corners, confidence=scores[keep], class_id=classes[keep])
    return found.with_nms(threshold=OVERLAP)


if __name__ == "__main__":
    main()
