"""Serve the dashboard, its API and what is mounted beside them, until asked to stop."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bulkhead.cli import rendering

if TYPE_CHECKING:
    from bulkhead.server.house import House

NAME = "serve"
HELP = "serve the dashboard and its API on 127.0.0.1; scans the worlds of the settings on a schedule"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--address", default="", metavar="HOST:PORT", help="listen there (default: serve.address of the settings)"
    )
    parser.add_argument(
        "--world",
        action="append",
        default=[],
        metavar="TARGET",
        help="scan this folder or live world too; may be repeated",
    )
    parser.add_argument("--log", choices=("json", "text"), default="", help="the form of the lines on standard error")


def run(arguments: argparse.Namespace) -> int:
    import asyncio
    import sys
    from pathlib import Path

    import msgspec

    from bulkhead.bootstrap import root, settings, worlds
    from bulkhead.core.errors import SettingsError

    loaded = settings.load(Path())
    flags = {"address": arguments.address, "log": arguments.log}
    given = {name: value for name, value in flags.items() if value}
    serve = msgspec.structs.replace(loaded.serve, **given, worlds=(*loaded.serve.worlds, *arguments.world))
    for target in serve.worlds:
        worlds.check(target)
    try:
        from bulkhead.server import house
        from bulkhead.server.logs import Log, taken_over
    except ModuleNotFoundError as error:
        raise SettingsError(f"serving needs {error.name}", hint="pip install 'bulkhead[server]'") from error
    log = Log(serve.log, serve.log_level)
    taken_over(log)
    with root.open_root(Path(), given={"serve": serve}) as opened:
        made = house.House(opened, log, lambda: _welcome(made, tls=serve.tls is not None, watched=sys.stderr.isatty()))
        try:
            return 0 if asyncio.run(made.supervisor.run()) else 3
        finally:
            made.close()


def _welcome(made: House, *, tls: bool, watched: bool) -> None:
    """The way in, to a person who is watching; a log gets neither token nor ticket."""
    if watched:
        rendering.talk(f"open {made.link(tls=tls)}")
        rendering.talk("  (good once, for 15 minutes)")
    if made.gate.first:
        rendering.talk(
            f"the token for scripts and later visits is in {made.gate.plain}; keep it somewhere else and remove the file"
        )
