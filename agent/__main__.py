"""herdlink-agent: arguments, logging, signals; runs the loop."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.core.errors import FailedPrecondition, HerdlinkError, InvalidArgument, PermissionDenied
from agent.settings import AgentSettings, load_settings

log = logging.getLogger("agent")


def main() -> int:
    """Exit 0 after SIGTERM or SIGINT, 1 where it cannot run, 2 for wrong use."""
    args = _parser().parse_args()
    logging.basicConfig(
        stream=sys.stderr, level=args.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        settings = load_settings(args.config)
    except HerdlinkError as error:
        print(f"herdlink-agent: {error}", file=sys.stderr)
        return 2
    try:
        if args.check:
            return _check(settings)
        with lock_state(settings.state_dir):
            asyncio.run(_serve(settings))
    except HerdlinkError as error:
        print(f"herdlink-agent: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    from agent.rpc.node import herdlink_version

    parser = argparse.ArgumentParser(
        prog="herdlink-agent",
        description="Watches this node's video streams and serves the result over gRPC.",
        epilog="example: herdlink-agent --config /etc/herdlink/agent.toml",
    )
    parser.add_argument(
        "--config", type=Path, help="agent.toml; else $HERDLINK_AGENT_CONFIG, else /etc/herdlink/agent.toml"
    )
    parser.add_argument("--check", action="store_true", help="load all, open nothing, print what would run")
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    parser.add_argument("--version", action="version", version=f"herdlink {herdlink_version()}")
    return parser


def _check(settings: AgentSettings) -> int:
    """Prints what would run. 1 where something never can; what may yet come, as a file or a secret, is only told."""
    from agent.assemble import unusable

    print(_what_would_run(settings))
    status = 0
    for where, error in unusable(settings):
        if isinstance(error, InvalidArgument | PermissionDenied):
            status = 1
            print(f"herdlink-agent: {where}: {error}", file=sys.stderr)
        else:
            print(f"not there yet: {where}: {error}")
    return status


def _what_would_run(settings: AgentSettings) -> str:
    from agent.core.uri import mask

    lines = [
        f"node        {settings.node_name}",
        f"state       {settings.state_dir}",
        f"inputs from {', '.join(map(str, settings.media_roots))}",
        f"results in  {settings.output_root}",
        f"listens on  {', '.join(settings.rpc.listen)}",
        f"model       {settings.model.name} on {settings.model.provider}",
    ]
    lines += [
        f"stream      {name}: {mask(stream.input or '') or 'no input yet'}" for name, stream in settings.streams.items()
    ]
    return "\n".join(lines)


@contextmanager
def lock_state(folder: Path) -> Iterator[None]:
    """Holds state_dir for this process alone. Raises FailedPrecondition where another agent has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
    except OSError as error:
        raise FailedPrecondition(
            "STATE_NOT_WRITABLE",
            f"state_dir {folder} cannot be used: {error.strerror}; mend its rights or set state_dir",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FailedPrecondition(
                "STATE_LOCKED", f"another agent uses state_dir {folder}; stop it or set another state_dir"
            ) from error
        yield


async def _serve(settings: AgentSettings) -> None:
    from agent.runtime.threads import calm_libraries

    calm_libraries()
    from agent.assemble import open_node
    from agent.runtime.notify import beat, notify

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    node = open_node(settings, loop=asyncio.get_running_loop())
    beating = asyncio.create_task(beat(), name="watchdog")
    keeping = asyncio.create_task(node.upkeep.run(node.server.set_serving), name="upkeep")
    try:
        listening = node.server.bind(settings.rpc.listen, insecure=settings.rpc.insecure)
        # Before the first call: nobody sees a job that the last stop has cut as one that runs.
        node.engine.resume()
        await node.server.start()
        for address in listening:
            log.info("node %s listens on %s", settings.node_name, address)
        notify("READY=1", f"STATUS=node {settings.node_name} listens on {', '.join(listening)}")
        await _first(stop, keeping)
        log.info("stopping")
        notify("STOPPING=1", "STATUS=ending the jobs")
    finally:
        keeping.cancel()
        await node.engine.close()
        await node.server.stop()
        node.journal.close()
        beating.cancel()


async def _first(stop: asyncio.Event, keeping: asyncio.Task[None]) -> None:
    """Waits for the stop; a bug that ends the housekeeping ends the agent as well, to be started anew."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, keeping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if keeping.done():
        keeping.result()


if __name__ == "__main__":
    sys.exit(main())
