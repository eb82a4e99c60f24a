"""Colour histograms: no model, some 0.03 ms of one CPU core a box."""

from __future__ import annotations

from agent.core.crops import cut
from agent.core.histogram import HEIGHT, INNER, WIDTH, histograms
from agent.core.ports import Embedder
from agent.core.types import Floats, Image


class Histogram:
    """Tells objects apart by their colours."""

    def embed(self, image: Image, boxes: Floats) -> Floats:
        """(N, 432)"""
        return histograms(cut(image, boxes, width=WIDTH, height=HEIGHT, inner=INNER))


def open_embedder(model: str = "") -> Embedder:
    """Ready at once; it has no use for a model."""
    return Histogram()
