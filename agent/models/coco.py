"""The 80 classes of COCO (Lin et al., arXiv:1405.0312), in the order that detectors trained on it give them."""

from __future__ import annotations

_WORDS = """
person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign,
parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, handbag,
tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, surfboard,
tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot,
hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, mouse, remote,
keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear,
hair drier, toothbrush
"""
COCO = tuple(" ".join(word.split()) for word in _WORDS.split(","))
# Where the numbers of COCO's own files (1 to 90) skip one, which some detectors keep.
_SKIPPED = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})


def coco_by_number() -> tuple[str, ...]:
    """91 labels: each class at its number in COCO's own files, "-" where there is none."""
    names = iter(COCO)
    return ("-", *("-" if number in _SKIPPED else next(names) for number in range(1, 91)))
