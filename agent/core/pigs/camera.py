"""Where a camera hangs over the floor of a pen, and where it sees what."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from agent.core.types import Doubles


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera without distortion. The unit on the floor is the length of a grown pig."""

    width: int
    height: int
    """Of its picture in pixels."""
    focal_px: float
    place: Doubles
    """(3,) x, y, z above the floor."""
    turn: Doubles
    """(3, 3) rows: the picture's right, down and ahead as directions over the floor."""

    def see(self, points: Doubles) -> Doubles:
        """(N, 3) points -> (N, 2) pixels. What is behind the camera is seen far away."""
        right, down, ahead = ((np.asarray(points, np.float64) - self.place) @ self.turn.T).T
        ahead = np.maximum(ahead, 0.05)
        middle = self.width / 2, self.height / 2
        return np.stack([middle[0] + self.focal_px * right / ahead, middle[1] + self.focal_px * down / ahead], 1)

    def floor(self, pixels: Doubles) -> Doubles:
        """(N, 2) pixels -> (N, 2) where on the floor; not a number above the horizon."""
        rays = np.stack(
            [
                (pixels[:, 0] - self.width / 2) / self.focal_px,
                (pixels[:, 1] - self.height / 2) / self.focal_px,
                np.ones(len(pixels)),
            ],
            1,
        )
        ways = rays @ self.turn
        with np.errstate(divide="ignore", invalid="ignore"):
            far = np.where(ways[:, 2] < -1e-3, -self.place[2] / ways[:, 2], np.nan)
        return np.asarray(self.place[:2] + far[:, None] * ways[:, :2], np.float64)

    def view(self, point: Doubles) -> tuple[float, float, float]:
        """(elevation in radians, the compass of the way from the camera to it in radians, pixels to a length there)."""
        way = np.array([point[0], point[1], 0.15]) - self.place
        far = float(np.linalg.norm(way))
        return math.asin(-way[2] / far), math.atan2(way[1], way[0]), self.focal_px / max(far, 0.3)

    @property
    def homography(self) -> Doubles:
        """(3, 3) from x, y, 1 on the floor to pixels."""
        inner = np.array([[self.focal_px, 0, self.width / 2], [0, self.focal_px, self.height / 2], [0, 0, 1]])
        outer = np.column_stack([self.turn[:, 0], self.turn[:, 1], -self.turn @ self.place])
        return np.asarray(inner @ outer, np.float64)


def camera(
    width: int, height: int, *, tilt: float, roll: float, view: float, length_px: float, yaw: float = 0.0
) -> Camera:
    """One that looks at the floor's origin: `tilt` radians away from straight down, `view` radians wide.

    A length at the middle of its picture has `length_px`.
    """
    focal_px = width / 2 / math.tan(view / 2)
    far = focal_px / length_px
    ahead = np.array([0.0, math.sin(tilt), -math.cos(tilt)])
    right = np.array([1.0, 0.0, 0.0])
    down = np.cross(ahead, right)
    cos, sin = math.cos(roll), math.sin(roll)
    turn = np.stack([cos * right + sin * down, cos * down - sin * right, ahead])
    c, s = math.cos(yaw), math.sin(yaw)
    about = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return Camera(width, height, focal_px, about @ (-ahead * far), turn @ about.T)
