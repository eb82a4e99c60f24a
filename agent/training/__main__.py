"""From nothing to a model: python -m agent.training --output build/pig

Photos without pigs are fetched, pictures of pens made, the network trained on top of yolov4-tiny's published weights,
exported and judged. Stopped, it goes on where it was. With --own a farm's labelled frames are trained on as well.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from agent.core.errors import HerdlinkError, InvalidArgument
from agent.core.model import ModelSpec

_HERE = Path(__file__).parent
APART = 6
"""Of so many photos one is not trained on: the scores are set by it."""
_LICENCE = "Apache-2.0; begun from Darknet's published YOLOv4-tiny, trained on the COCO pictures"


def main() -> int:
    """Exit status."""
    args = _arguments().parse_args()
    try:
        _run(args)
    except (HerdlinkError, OSError) as error:
        print(f"training: {getattr(error, 'message', error)}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m agent.training", description=__doc__)
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="everything: pictures, checkpoint, model"
    )
    parser.add_argument("--name", default="pig", help="the model's name (default: pig)")
    parser.add_argument("--seed", type=int, default=1, help="of pictures and training (default: 1)")
    parser.add_argument("--pictures", type=int, default=5000, help="how many are made (default: 5000)")
    parser.add_argument("--steps", type=int, default=1500, help="of the training, 12 pictures each (default: 1500)")
    parser.add_argument("--rate", type=float, default=1e-3, help="of learning (default: 0.001)")
    parser.add_argument("--size", default="512x320", metavar="WxH", help="of the network's input (default: 512x320)")
    parser.add_argument(
        "--own", type=Path, metavar="DIR", help="labelled frames to train on as well (YOLO's .txt beside)"
    )
    parser.add_argument("--judge", type=Path, metavar="DIR", help="labelled frames to judge by, never trained on")
    parser.add_argument("--start", type=Path, metavar="ONNX", help="a model of this training to go on from")
    parser.add_argument("--processes", type=int, default=2, help="that make pictures, and train (default: 2)")
    return parser


def _run(args: argparse.Namespace) -> None:
    from agent.detectors.onnx import open_detector
    from agent.training import labels, photos, pictures
    from agent.training.export import TOLD, export, sure_of
    from agent.training.judge import false_alarms, judge, sure_score, to_json
    from agent.training.network import Network, begin_from, load, load_finished, make_modest, save
    from agent.training.samples import Stock
    from agent.training.train import Plan, train

    size = _size(args.size)
    own = labels.pictures(args.own) if args.own else []
    kept_apart = labels.pictures(args.judge) if args.judge else []
    if args.own and not own:
        raise InvalidArgument("NO_PICTURES", f"{args.own} holds no .jpg or .png")
    args.output.mkdir(parents=True, exist_ok=True)
    free = photos.fetch(args.output / "photos", _say)
    _say(f"{len(free.training)} photos and {len(free.cutouts)} cut-outs to leave alone, {len(free.judges)} to judge by")
    order = pictures.Order(args.seed, args.pictures)
    unseen = list(free.training.values())[::APART]
    seen = [photo for number, photo in enumerate(free.training.values()) if number % APART]
    made = pictures.make(args.output / "pictures", order, seen, list(free.cutouts.values()), args.processes, _say)
    start = args.output / "start.weights"
    network = Network(_HERE / "pig.cfg")
    if args.start:
        load_finished(network, args.start)
        make_modest(network, TOLD, sure_of(args.start))  # as they were before the model was finished
    else:
        begin_from(network, *_coco())
    save(network, start)
    stock = Stock(made, own, photos.with_people(seen))
    plan = Plan(args.steps, args.rate, seed=args.seed)
    trained = train(_HERE / "pig.cfg", start, stock, plan, args.output, args.processes)
    load(network, trained)
    source = f"herdlink's agent/training: {args.pictures} generated pictures, {args.steps} steps, seed {args.seed}"
    source += f", {len(own)} own pictures" if own else ""

    def finished(sure: float) -> tuple[Path, ModelSpec]:
        weights = args.output / "pig.weights"
        save(network, weights)
        return export(
            _HERE / "pig.cfg",
            weights,
            args.output,
            name=args.name,
            labels=("pig",),
            source=source,
            licence=_LICENCE,
            size=size,
            sure=sure,
        )

    # Photos that were not trained on say which of its scores is told as herdlink's usual threshold.
    sure = sure_score(open_detector(*finished(TOLD)), unseen)
    make_modest(network, sure, TOLD)
    model, spec = finished(sure)
    detector = open_detector(model, spec)
    verdict: dict[str, object] = {"sure": sure, "false_alarms_a_photo": false_alarms(detector, free.judges)}
    if kept_apart:
        verdict["judge"] = asdict(judge(detector, kept_apart))
    (args.output / "verdict.json").write_text(to_json(verdict), "utf-8")
    _say(to_json(verdict))
    _say(f"the model: {model} ({model.stat().st_size / 1e6:.1f} MB); try it: herdlink detect PICTURE --model {model}")


def _coco() -> tuple[Path, Path]:
    """yolov4-tiny.cfg and .weights, fetched once for this user."""
    from agent.models.shipped import files_of

    cfg, weights, _ = files_of("yolov4-tiny", _say)
    return cfg, weights


def _size(text: str) -> tuple[int, int]:
    wide, by, tall = text.partition("x")
    if not (by and wide.isdigit() and tall.isdigit()):
        raise InvalidArgument("BAD_MODEL_SIZE", f"--size is WIDTHxHEIGHT, e.g. 512x320; it is {text!r}")
    return int(wide), int(tall)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
