"""How the families of detectors are fed: what their own code does to a picture before the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

FEEDING: Mapping[str, Mapping[str, Any]] = {
    # https://github.com/ultralytics/ultralytics, class LetterBox: the picture in the middle, bars of 114.
    "ultralytics": {
        "colour": "RGB",
        "scale": 1 / 255,
        "fit": "letterbox",
        "place": "centre",
        "rounding": "nearest",
        "fill": 114,
    },
    # https://github.com/Megvii-BaseDetection/YOLOX, function preproc: top left, bars of 114, bytes as they are.
    "yolox": {"colour": "BGR", "scale": 1.0, "fit": "letterbox", "place": "corner", "rounding": "down", "fill": 114},
    # https://github.com/RangiLyu/nanodet, the configurations' pipeline: keep_ratio false, mean and std in BGR.
    "nanodet": {
        "colour": "BGR",
        "scale": 1.0,
        "mean": (103.53, 116.28, 123.675),
        "std": (57.375, 57.12, 58.395),
        "fit": "stretch",
    },
    # https://github.com/dog-qiuqiu/FastestDet, test.py: resized as OpenCV reads it, divided by 255.
    "fastestdet": {"colour": "BGR", "scale": 1 / 255, "fit": "stretch"},
    # https://github.com/facebookresearch/detr: ImageNet's mean and spread.
    "detr": {"colour": "RGB", "scale": 1 / 255, **_IMAGENET, "fit": "stretch"},
    # https://github.com/lyuwenyu/RT-DETR: resized to a square, divided by 255.
    "rtdetr": {"colour": "RGB", "scale": 1 / 255, "fit": "stretch"},
    "plain": {"colour": "RGB", "scale": 1 / 255, "fit": "stretch"},
    # https://github.com/AlexeyAB/darknet: resized.
    "darknet": {"colour": "RGB", "scale": 1 / 255, "fit": "stretch"},
}
TITLES: Mapping[str, str] = {
    "ultralytics": "Ultralytics' networks",
    "yolox": "YOLOX (since 0.1.1; before, its mean and std were ImageNet's)",
    "nanodet": "NanoDet",
    "fastestdet": "FastestDet",
    "detr": "DETR",
    "rtdetr": "RT-DETR",
    "plain": "networks of this layout",
    "darknet": "Darknet",
}
FAMILY_OF_FORMAT: Mapping[str, str] = {
    "yolov5": "ultralytics",
    "yolov8": "ultralytics",
    "end2end": "plain",
    "yolox": "yolox",
    "nanodet": "nanodet",
    "fastestdet": "fastestdet",
    "detr": "detr",
    "darknet": "darknet",
}
