"""The `herdlink` command: finds the subcommand among the entry points and turns errors into one plain line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

from agent.cli._use import WrongUse
from agent.core.errors import HerdlinkError

GROUP = "herdlink.commands"


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 done, 1 failed, 2 wrong use, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    commands = {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}
    wanted = {words[0]: commands[words[0]]} if words and words[0] in commands else commands
    parser = argparse.ArgumentParser(
        prog="herdlink", description="Livestock video on the edge: tracks, numbers, gRPC, MQTT."
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, entry in wanted.items():
        _add(subparsers, name, entry)
    args = parser.parse_args(words)
    if args.version:
        return _print_version()
    if args.command is None:
        parser.print_help(sys.stderr)
        return 2
    return _run(args)


def _add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, entry: EntryPoint) -> None:
    module = entry.load()
    parser = subparsers.add_parser(
        name,
        help=module.HELP,
        description=module.HELP,
        epilog=f"example:\n  {module.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)


def _run(args: argparse.Namespace) -> int:
    try:
        status = int(args.run(args))
        sys.stdout.flush()
        return status
    except HerdlinkError as error:
        print(f"herdlink: {error}", file=sys.stderr)
        return 2 if isinstance(error, WrongUse) else 1
    except BrokenPipeError:
        # `herdlink ... | head`: the reader has enough. Keep Python from complaining when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(
            f"herdlink: {error.filename or ''}{': ' if error.filename else ''}{error.strerror or error}",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        print("herdlink: interrupted", file=sys.stderr)
        return 130
    return 1


def _print_version() -> int:
    from importlib.metadata import version

    print(f"herdlink {version('herdlink')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
