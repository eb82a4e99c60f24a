"""How a recognised network is to be fed: as its family does it, less what the graph does itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.models.conclusions import Conclusion, Sure
from agent.models.families import FEEDING, TITLES

KEYS = ("colour", "scale", "mean", "std", "fit", "place", "rounding", "fill")


def feeding(
    family: str, *, author: str, dtype: str, in_graph: tuple[bool, bool], said: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Conclusion]]:
    """Values of KEYS, as far as they differ from the defaults, and why.

    `author`: of the exporter, as the file tells; `in_graph`: whether the graph divides by 255, whether it takes off a
    mean; `said`: what the user set, which wins.
    """
    sure: Sure = "certain" if "ultralytics" in author.lower() and family == "ultralytics" else "likely"
    why = f"as {TITLES[family]} are fed"
    found = {key: Conclusion(key, value, sure, why) for key, value in FEEDING[family].items()}
    scaled, shifted = in_graph
    if dtype == "uint8" or scaled or shifted:
        why = "the input takes bytes" if dtype == "uint8" else "the graph itself brings the picture to scale"
        plain: dict[str, Any] = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
        if scaled or dtype == "uint8":
            plain["scale"] = 1.0
        found.update({key: Conclusion(key, value, "certain", why) for key, value in plain.items()})
    found.update({key: Conclusion(key, said[key], "said", "as set") for key in KEYS if key in said})
    return {key: one.value for key, one in found.items()}, [found[key] for key in KEYS if key in found]
