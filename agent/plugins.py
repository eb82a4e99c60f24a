"""The folder is the registry: a module of a package is a plug-in by being there."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

from agent.core.errors import InvalidArgument


def names(package: str) -> list[str]:
    """The plug-ins of a package by name, without importing them; names that begin with _ are helpers."""
    path = import_module(package).__path__
    return sorted(module.name for module in pkgutil.iter_modules(path) if not module.name.startswith("_"))


def load(package: str, name: str, what: str) -> ModuleType:
    """The plug-in's module. Raises InvalidArgument naming the known ones; `what` is the kind in words ("tracker")."""
    known = names(package)
    if name not in known:
        reason = f"UNKNOWN_{what.upper().replace(' ', '_')}"
        raise InvalidArgument(reason, f"no {what} {name!r}; known: {', '.join(known)}")
    return import_module(f"{package}.{name}")
