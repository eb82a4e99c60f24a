"""herdlink doctor: what this machine can do and what is wrong, each with its cure.

Every program on this machine brings its own checks, by the entry-point group `herdlink.checks`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from agent.cli.checks.finding import Finding, Findings, fail

HELP = "Say what this machine can do and what is wrong, each with its cure."
EXAMPLE = "herdlink doctor --input rtsp://admin:password@10.0.0.21/s1 --output seen.jpg"
GROUP = "herdlink.checks"
COLOURS = {"OK": "32", "WARN": "33", "FAIL": "31"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        metavar="F",
        type=Path,
        help="agent.toml, or the folder of both; else $HERDLINK_AGENT_CONFIG, else /etc/herdlink/agent.toml",
    )
    parser.add_argument(
        "--bridge-config", metavar="F", type=Path, help="bridge.toml (default: the one beside agent.toml)"
    )
    parser.add_argument("--input", metavar="URI", help="also try this camera or file, or a stream by its name")
    parser.add_argument("--output", metavar="PICTURE", type=Path, help="write what --input shows, with what was found")
    parser.add_argument(
        "--bench", action="store_true", help="also measure which of config/profiles suits this node (some 10 seconds)"
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON: ok, and findings of level, check, message, cure"
    )


def run(args: argparse.Namespace) -> int:
    if args.output and not args.input:
        print("herdlink: --output needs --input, e.g. --input pen3", file=sys.stderr)
        return 2
    _complete(args)
    findings = []
    for finding in _look(args):
        findings.append(finding)
        if not args.json:
            print(_line(finding, colour=sys.stdout.isatty()), flush=True)
    count = Counter(finding.level for finding in findings)
    if args.json:
        shown = [finding._asdict() for finding in findings]
        print(json.dumps({"ok": not count["FAIL"], "findings": shown}, indent=2, ensure_ascii=False))
    else:
        print(f"{count['OK']} OK, {count['WARN']} WARN, {count['FAIL']} FAIL")
    return 1 if count["FAIL"] else 0


def _complete(args: argparse.Namespace) -> None:
    """A folder stands for the two files in it, and one file for the other beside it."""
    if args.config and args.config.is_dir():
        args.config /= "agent.toml"
    beside = args.config.with_name("bridge.toml") if args.config else None
    if args.bridge_config is None and beside is not None and beside.exists():
        args.bridge_config = beside


def _look(args: argparse.Namespace) -> Findings:
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        yield from _guarded(entry, args)


def _guarded(entry: EntryPoint, args: argparse.Namespace) -> Findings:
    """What a program's checks find. One that breaks is a finding too, and the others go on."""
    try:
        for found in entry.load().checks(args):
            yield Finding(*found)
    except Exception as error:  # noqa: BLE001 - told as a finding
        # A login in an address is no part of it.
        told = re.sub(r"//[^/\s]*@", "//***@", f"a check broke: {type(error).__name__}: {error}")
        yield fail(entry.name, told.splitlines()[0][:300], "report this line, with `herdlink --version`")


def _line(finding: Finding, *, colour: bool) -> str:
    level = f"{finding.level:4}"
    if colour:
        level = f"\x1b[{COLOURS[finding.level]}m{level}\x1b[0m"
    return f"{level}  {finding.check:14} {finding.message}{' -> ' + finding.cure if finding.cure else ''}"
