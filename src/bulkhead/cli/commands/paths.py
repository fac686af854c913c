"""Attack paths and the fewest fixes that cut them."""

from __future__ import annotations

import argparse

from bulkhead.cli import rendering, selecting

NAME = "paths"
HELP = "attack paths from an entry point to a node or to cluster admin, and the fewest fixes that cut them all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    selecting.add_target(parser)
    parser.add_argument(
        "--from",
        dest="entry",
        default="",
        metavar="NAMESPACE/KIND/NAME",
        help="start in this workload, as if it were taken (default: from the outside)",
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")


def run(arguments: argparse.Namespace) -> int:
    from bulkhead.bootstrap import root
    from bulkhead.posture.attack import analyse, describe, graph
    from bulkhead.posture.attack.model import INTERNET, Vertex
    from bulkhead.posture.world import World

    folder = selecting.target(arguments)
    with root.open_root(folder, remember=False) as opened:
        snapshot = opened.files.read(str(folder.resolve()))
        built = graph.build(World(snapshot))
        entries = (Vertex("pod", arguments.entry),) if arguments.entry else (INTERNET,)
        analysis = analyse.analyse(built, entries)
        if arguments.format == "json":
            rendering.json(describe.summary(analysis, opened.catalogue, snapshot.gaps))
        else:
            rendering.diff(describe.text(analysis, opened.catalogue, snapshot.gaps))
        if analysis.paths:
            return 1
        return 3 if snapshot.gaps else 0
