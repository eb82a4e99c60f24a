"""Drawing tracks on a picture, and making a JPEG of it."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Floats, Image, Ints

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GOLDEN = 0.618033988749895
_QUALITIES = (85, 75, 65, 55, 45, 35, 25, 15, 8)
_SMALLEST_WIDTH = 64

Colour = tuple[int, int, int]


def annotate(
    image: Image,
    boxes: Floats | NDArray[np.float64],
    ids: Ints | Sequence[int],
    texts: Sequence[str],
    *,
    canvas: Image | None = None,
) -> Image:
    """A picture with (N, 4) ltrb boxes in pixels, a colour for each of the (N,) ids and N texts on plates.

    It is `canvas` where that is given and fits, which for a film costs a third of a new one for each frame.
    """
    if canvas is None or canvas.shape != image.shape:
        canvas = np.empty(image.shape, np.uint8)
    np.copyto(canvas, image)
    height, width = canvas.shape[:2]
    unit = min(height, width)
    line = max(1, round(unit / 360))
    corners = _corners(boxes, width, height)
    colours = [colour_of(int(track)) for track in ids]
    for (left, top, right, bottom), colour in zip(corners, colours, strict=True):
        # A dark edge around the coloured one keeps a box visible on a ground of its own colour.
        edge = (line + 1) // 2
        cv2.rectangle(canvas, (left - edge, top - edge), (right + edge, bottom + edge), (24, 24, 24), 1, cv2.LINE_8)
        cv2.rectangle(canvas, (left, top), (right, bottom), colour, line, cv2.LINE_8)
    for (left, top, _, _), colour, text in zip(corners, colours, texts, strict=True):
        plate(canvas, left, top, text, colour)
    return canvas


def colour_of(track: int) -> Colour:
    """The BGR colour of an id: always the same, neighbours far apart (golden ratio around the colour circle)."""
    hue = (track * _GOLDEN) % 1.0
    saturation = (0.85, 0.60)[track // 7 % 2]
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, (1.0, 0.85)[track // 13 % 2])
    return round(blue * 255), round(green * 255), round(red * 255)


def to_jpeg(image: Image, *, width: int = 0, max_bytes: int = 0) -> bytes:
    """A JPEG no wider than `width` and no larger than `max_bytes` (0: unbounded); quality falls first, then size."""
    picture = _narrowed(image, width) if width else image
    data = _encoded(picture, _QUALITIES[0])
    if not max_bytes or len(data) <= max_bytes:
        return data
    while True:
        for quality in _QUALITIES[1:]:
            data = _encoded(picture, quality)
            if len(data) <= max_bytes:
                return data
        if picture.shape[1] <= _SMALLEST_WIDTH:
            raise ValueError(f"no picture fits {max_bytes} bytes")
        picture = _narrowed(picture, max(_SMALLEST_WIDTH, picture.shape[1] * 2 // 3))


def _corners(boxes: Floats | NDArray[np.float64], width: int, height: int) -> list[list[int]]:
    """The boxes in whole pixels, inside the picture; what is not a number becomes its edge."""
    sides = np.nan_to_num(np.asarray(boxes, np.float64).reshape(-1, 4), nan=0.0, posinf=1e6, neginf=-1e6)
    whole: list[list[int]] = np.clip(sides, 0, [width - 1, height - 1] * 2).astype(int).tolist()
    return whole


def plate(canvas: Image, left: int, top: int, text: str, colour: Colour) -> None:
    """Draws the text on a plate of a colour above a point, moved so that all of it is in the picture."""
    if not text:
        return
    width = canvas.shape[1]
    scale = float(np.clip(min(canvas.shape[:2]) / 1000, 0.34, 2.0))
    stroke = max(1, round(scale * 1.6))
    shown = text.encode("ascii", "replace").decode()
    (wide, high), base = cv2.getTextSize(shown, _FONT, scale, stroke)
    pad = max(2, round(high * 0.35))
    x = max(0, min(left, width - wide - 2 * pad))
    y = max(high + 2 * pad + base // 2, top)
    cv2.rectangle(canvas, (x, y - high - 2 * pad - base // 2), (x + wide + 2 * pad, y), colour, cv2.FILLED)
    cv2.putText(canvas, shown, (x + pad, y - pad - base // 2), _FONT, scale, _ink(colour), stroke, cv2.LINE_AA)


def _ink(colour: Colour) -> Colour:
    """Black on a light plate, white on a dark one (Rec. 601 luma)."""
    blue, green, red = colour
    return (0, 0, 0) if 0.114 * blue + 0.587 * green + 0.299 * red > 128 else (255, 255, 255)


def _narrowed(image: Image, width: int) -> Image:
    height, wide = image.shape[:2]
    if wide <= width:
        return image
    size = (width, max(1, round(height * width / wide)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _encoded(image: Image, quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"no JPEG of a picture of shape {image.shape}")
    return data.tobytes()
