"""ultralytics' `track` as its documentation has it: MODEL CLIP FRAMES usual|tuned. Prints frames and boxes seen."""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import islice
from types import ModuleType, SimpleNamespace


def main() -> None:
    model, clip, frames, how = sys.argv[1:]
    if how == "tuned":
        import torch
        from sessions import tune

        torch.set_num_threads(1)
        tune()
    _have_torchvision()
    from ultralytics import YOLO

    results = YOLO(model, task="detect").track(source=clip, stream=True, verbose=False)
    boxes = [len(result.boxes) for result in islice(results, int(frames))]
    print(len(boxes), sum(boxes))


def _have_torchvision() -> None:
    """Of which `track` takes the suppression of double boxes alone. A build of torch may have none that fits it: then
    ultralytics' own stands in its place.
    """
    try:
        import_module("torchvision")
    except RuntimeError:
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        from ultralytics.utils.nms import TorchNMS

        instead = ModuleType("torchvision")
        instead.ops = SimpleNamespace(nms=TorchNMS.nms)  # type: ignore[attr-defined]
        sys.modules["torchvision"] = instead


if __name__ == "__main__":
    main()
