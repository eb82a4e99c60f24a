"""What light, air, lens, sensor and recorder do to a picture of a pen."""

from __future__ import annotations

import math

import cv2
import numpy as np

from agent.core.pigs.noise import Noise
from agent.core.types import Floats, Image

_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX_SMALL)


def falling_light(random: np.random.Generator, image: Floats, infrared: bool) -> Floats:
    """Lamps that light one part more, sun through windows, the red of a heat lamp."""
    height, width = image.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    gain = np.ones((height, width), np.float32)
    if infrared or random.random() < 0.4:
        cx, cy = random.normal(0.5, 0.2) * width, random.normal(0.5, 0.2) * height
        spread = random.uniform(0.35, 1.1) * width
        weak = random.uniform(0.1, 0.9) if infrared else random.uniform(0.4, 0.95)
        gain *= weak + (1.25 - weak) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / spread**2)
    if not infrared and random.random() < 0.15:
        gain *= 1 + random.uniform(0.3, 1.1) * _windows(random, height, width)
    image = image * gain[..., None]
    if not infrared and random.random() < 0.06:
        cx, cy, r = random.uniform(0, width), random.uniform(0, height), random.uniform(0.1, 0.4) * width
        glow = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / r**2)[..., None]
        image = image * (1 + glow * (np.array([0.1, 0.35, 1.2], np.float32) * np.float32(random.uniform(0.4, 1.2))))
    return np.asarray(image, np.float32)


def _windows(random: np.random.Generator, height: int, width: int) -> Floats:
    """Bright quadrangles side by side."""
    field = np.zeros((height, width), np.float32)
    x, y = random.uniform(-0.2, 0.8) * width, random.uniform(-0.2, 0.8) * height
    side, slope, tall = random.uniform(0.06, 0.3) * width, random.uniform(-0.8, 0.8), random.uniform(0.15, 0.7) * height
    for number in range(int(random.integers(1, 5))):
        left = x + number * side * 1.25
        corners = [(left, y), (left + side, y), (left + side + slope * tall, y + tall), (left + slope * tall, y + tall)]
        cv2.fillConvexPoly(field, np.round(np.array(corners)).astype(np.int32), 1.0)
    return np.asarray(cv2.GaussianBlur(field, (0, 0), float(random.uniform(1, 12))), np.float32)


def air_and_glass(random: np.random.Generator, image: Floats, noise: Noise) -> Floats:
    """Dust in the air, glare of a lamp, webs and dirt on the glass."""
    height, width = image.shape[:2]
    if random.random() < 0.25:
        veil = np.array([1, 1, 1], np.float32) * np.float32(random.uniform(90, 210))
        image = image + (veil - image) * np.float32(random.uniform(0.03, 0.35))
    if random.random() < 0.12:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        cx, cy, r = random.uniform(0, width), random.uniform(0, height), random.uniform(0.03, 0.3) * width
        image = image + (random.uniform(60, 260) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / r**2))[..., None]
    if random.random() < 0.1:
        dirt = np.clip(noise.cloud(random, height, width, 2) - random.uniform(0.5, 1.5), 0, 1)
        image = image * (1 - 0.6 * cv2.GaussianBlur(dirt, (0, 0), 4))[..., None]
    if random.random() < 0.1:
        webs = np.zeros((height, width), np.float32)
        for _ in range(int(random.integers(2, 9))):
            a, b = random.uniform(-0.1, 1.1, (2, 2)) * [width, height]
            cv2.line(
                webs,
                (round(a[0]), round(a[1])),
                (round(b[0]), round(b[1])),
                1.0,
                int(random.integers(1, 4)),
                cv2.LINE_AA,
            )
        soft = np.asarray(cv2.GaussianBlur(webs, (0, 0), float(random.uniform(0.7, 3))), np.float32)
        image = image + (soft * random.uniform(20, 110))[..., None]
    return np.asarray(image, np.float32)


def bulged(random: np.random.Generator, image: Floats, owner: np.ndarray) -> tuple[Floats, np.ndarray]:
    """Picture and owners through a wide lens that draws the edges together."""
    height, width = owner.shape
    strength = random.uniform(0.05, 0.45)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    half = max(width, height) / 2
    u, v = (x - width / 2) / half, (y - height / 2) / half
    r2 = u * u + v * v
    # The corners stay inside the picture.
    end = (width**2 + height**2) / (4 * half * half)
    grow = (1 + strength * r2) / (1 + strength * end)
    mx, my = u * grow * half + width / 2, v * grow * half + height / 2
    image = np.asarray(cv2.remap(image, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32)
    owner = cv2.remap(owner, mx, my, cv2.INTER_NEAREST)
    if strength > 0.3 and random.random() < 0.4:  # the lens's own round edge
        outside = r2 > end * random.uniform(0.75, 0.95)
        image[outside] *= 0.03
        owner[outside] = 0
    return np.asarray(image, np.float32), owner


def recorded(random: np.random.Generator, image: Floats, infrared: bool) -> Image:
    """Sensor and recorder: colours, blur, noise, compression, a line of text."""
    if infrared:
        grey = image @ np.array([0.15, 0.35, 0.5], np.float32)
        tint = np.array([1, 1, 1]) if random.random() < 0.85 else random.normal(1, 0.06, 3)
        image = np.asarray(grey[..., None] * tint.astype(np.float32), np.float32)
    else:
        mean = image.mean(-1, keepdims=True)
        image = mean + (image - mean) * np.float32(random.choice([random.uniform(0.35, 1.0), random.uniform(0.8, 1.4)]))
        image = image * random.normal(1, 0.06, 3).astype(np.float32)
    light, gamma = np.float32(random.uniform(0.6, 1.35) / 255), np.float32(random.uniform(0.7, 1.4))
    image = np.asarray(255 * np.clip(image * light, 0, None) ** gamma, np.float32)
    middle = np.float32(image.mean())
    image = middle + (image - middle) * np.float32(random.uniform(0.7, 1.25)) + np.float32(random.normal(0, 8))
    image = _blurred(random, np.asarray(image, np.float32))
    strength = random.choice([random.uniform(0, 4), random.uniform(2, 16)])
    if strength > 0.5:
        rough: Floats = random.standard_normal(image.shape[:2] if infrared else image.shape, np.float32) * np.float32(
            strength
        )
        if random.random() < 0.4:
            rough = np.asarray(cv2.GaussianBlur(rough, (0, 0), 0.8) * 2, np.float32)
        image = image + (rough[..., None] if rough.ndim == 2 else rough)
    done: Image = np.clip(image, 0, 255).astype(np.uint8)
    if random.random() < 0.35:
        _text(random, done)
    if random.random() < 0.7:
        quality = int(random.choice([random.integers(15, 45), random.integers(40, 95)]))
        done = np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", done, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR), np.uint8
        )
    return done


def _blurred(random: np.random.Generator, image: Floats) -> Floats:
    height, width = image.shape[:2]
    kind = random.random()
    if kind < 0.3:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), float(random.uniform(0.4, 1.6))), np.float32)
    if kind < 0.4:
        long = int(random.integers(3, 10))
        kernel = np.zeros((long, long), np.float32)
        angle = random.uniform(0, math.pi)
        step = np.array([math.cos(angle), math.sin(angle)]) * long / 2
        a, b = np.round(long / 2 - step).astype(int), np.round(long / 2 + step).astype(int)
        cv2.line(kernel, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), 1.0)
        return np.asarray(cv2.filter2D(image, -1, kernel / max(kernel.sum(), 1)), np.float32)
    if kind < 0.55:
        small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    if kind < 0.7:
        return np.asarray(image + (image - cv2.GaussianBlur(image, (0, 0), 1.5)) * random.uniform(0.3, 1.0), np.float32)
    return image


def _text(random: np.random.Generator, image: Image) -> None:
    """Date and time, or the camera's name, in a corner."""
    height, width = image.shape[:2]
    day, hour = random.integers(1, [29, 13, 40]), random.integers(0, [24, 60, 60])
    date = f"20{day[2]:02}-{day[1]:02}-{day[0]:02} {hour[0]:02}:{hour[1]:02}:{hour[2]:02}"
    for text in (date, f"CAM {random.integers(1, 17)}")[: int(random.integers(1, 3))]:
        scale = float(random.uniform(0.4, 0.9)) * width / 640
        x, y = int(random.uniform(0.01, 0.6) * width), int(random.choice([0.06, 0.97]) * height)
        white = (255, 255, 255) if random.random() < 0.8 else tuple(int(v) for v in random.integers(0, 255, 3))
        font = _FONTS[int(random.integers(len(_FONTS)))]
        if random.random() < 0.5:
            cv2.putText(image, text, (x + 1, y + 1), font, scale, (0, 0, 0), 2, cv2.LINE_AA)
        cv2.putText(image, text, (x, y), font, scale, white, 1, cv2.LINE_AA)
