"""What became of the inputs of one `herdlink analyze`: a line each for people, runs.csv for spreadsheets."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNS = "runs.csv"
STAGES = ("decode", "detect", "track", "numbers", "write")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One input that was analysed, here or on another node."""

    input: str
    """Masked."""
    folder: Path
    """On this machine."""
    state: str
    frames: int = 0
    fps: float = 0.0
    model: str = ""
    error: str = ""

    @property
    def done(self) -> bool:
        return self.state == "DONE"


def tell(outcome: Outcome) -> None:
    """What came of it, and the files it left."""
    if outcome.error:
        print(f"herdlink: {outcome.input}: {outcome.error}", file=sys.stderr)
    figures = f"{outcome.frames} frames, {outcome.fps:.1f} frames/s, model {outcome.model or '-'}"
    print(f"{outcome.input}: {outcome.state}, {figures}")
    if outcome.folder.is_dir():
        for path in sorted(outcome.folder.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                print(f"  {path}  {path.stat().st_size} bytes")


def write_csv(path: Path, outcomes: Sequence[Outcome]) -> None:
    """One row an input: frames/s, ms a frame of each stage (stages on different threads overlap), counts, model."""
    head = ["input", "folder", "state", "frames", "fps", *(f"{stage}_ms" for stage in STAGES)]
    head += ["count_mean", "tracks", "model", "model_sha256", "provider", "error"]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(head)
        rows.writerows(_row(path.parent, outcome) for outcome in outcomes)


def _row(root: Path, outcome: Outcome) -> list[Any]:
    known = _run_json(outcome.folder)
    stages = known.get("stage_ms", {})
    return [
        outcome.input,
        outcome.folder.relative_to(root),
        outcome.state,
        outcome.frames,
        round(outcome.fps, 2),
        *(stages.get(stage, "") for stage in STAGES),
        known.get("count_mean", ""),
        known.get("tracks", ""),
        outcome.model,
        known.get("model", {}).get("sha256", ""),
        known.get("provider", ""),
        outcome.error,
    ]


def _run_json(folder: Path) -> dict[str, Any]:
    """What the job says of itself; nothing where it did not come so far."""
    try:
        content: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content
