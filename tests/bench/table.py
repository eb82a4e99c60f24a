"""Figures of a benchmark: each a ratio of two things measured in turn, told with its spread."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table."""

    name: str
    values: Sequence[float]
    """One a round."""
    unit: str = "x"


def interleaved(rounds: int, *measures: Callable[[], Any]) -> list[tuple[Any, ...]]:
    """The measures in turn, again and again: what slows the machine down meets all of them alike."""
    return [tuple(measure() for measure in measures) for _ in range(rounds)]


def ratios(rows: Sequence[tuple[float, ...]], above: int, below: int) -> list[float]:
    """Pair by pair: measure `above` over measure `below`."""
    return [row[above] / row[below] for row in rows]


def at(values: Sequence[float], share: float) -> float:
    """The value below which this share of them lies."""
    return sorted(values)[int(len(values) * share)]


def show(title: str, figures: Sequence[Figure]) -> None:
    """Prints a Markdown table: median, smallest and largest."""
    print(f"\n### {title}\n\n| what | median | min | max | |\n|---|---|---|---|---|")
    for figure in figures:
        middle = (statistics.median(figure.values), min(figure.values), max(figure.values))
        print(f"| {figure.name} | {' | '.join(f'{value:.3g}' for value in middle)} | {figure.unit} |", flush=True)
