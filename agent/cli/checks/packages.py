"""Python and the packages that the agent stands on."""

from __future__ import annotations

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version

from agent.cli.checks.finding import Findings, fail, ok, warn

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*?(?:extra == ['\"](\w+)['\"])?$")
_EXCHANGEABLE = {"opencv-python-headless": "cv2", "onnxruntime": "onnxruntime"}
"""Packages that come under several names, by the module that all of them bring."""
_INSTALL = "python -m pip install 'herdlink[agent]'"


def look() -> Findings:
    """Versions, what is missing, and what is there twice."""
    yield ok("python", f"{platform.python_version()} in {sys.prefix}, herdlink {_version('herdlink') or '0'}")
    there, missing = _required()
    if missing:
        yield fail("packages", f"missing: {', '.join(missing)}", _INSTALL)
    else:
        yield ok("packages", ", ".join(there))
    for module in _EXCHANGEABLE.values():
        names = sorted(set(packages_distributions().get(module, ())))
        if len(names) > 1:
            yield warn(
                "packages",
                f"{' and '.join(names)} write over each other's files",
                f"python -m pip uninstall {' '.join(names)}, then install the one you want again",
            )
    yield from _opencv()


def _required() -> tuple[list[str], list[str]]:
    """What the agent needs, each as its name and version; and the names that are not there."""
    there: list[str] = []
    missing: list[str] = []
    for line in requires("herdlink") or ():
        found = _REQUIREMENT.match(line)
        if found is None or found[2] not in (None, "agent"):
            continue
        name = found[1]
        installed = [name]
        if name in _EXCHANGEABLE:
            installed = packages_distributions().get(_EXCHANGEABLE[name], [])[:1]
        number = _version(installed[0]) if installed else ""
        (there if number else missing).append(f"{installed[0]} {number}" if number else name)
    return there, missing


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _opencv() -> Findings:
    try:
        import cv2
    except ImportError as error:
        yield fail("opencv", f"cannot be loaded: {error}", _INSTALL)
        return
    if int(cv2.__version__.split(".", maxsplit=1)[0]) >= 5:
        yield fail(
            "opencv",
            f"{cv2.__version__} is too new: herdlink is made for version 4",
            "python -m pip install 'opencv-python-headless>=4.11,<5'",
        )
