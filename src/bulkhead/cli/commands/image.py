"""Look into an image: its configuration, history, layers and files."""

from __future__ import annotations

import argparse

from bulkhead.cli import rendering, selecting

NAME = "image"
HELP = "scan an image: a docker save or OCI archive, an OCI layout folder, one in the Docker engine, or a reference in a registry"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("scan",))
    parser.add_argument(
        "target",
        help="a .tar file, an OCI layout folder, docker-daemon:NAME, or a reference such as registry.example/app:1.2",
    )
    selecting.add_selection(parser)
    parser.add_argument("--format", choices=rendering.FORMATS, default="table")
    parser.add_argument("--output", default="", metavar="FILE", help="write there instead of to stdout")
    parser.add_argument("--fail-on", default="", metavar="SEVERITY")
    parser.add_argument("--platform", default="linux/amd64", help="which image of an index in a registry")
    parser.add_argument("--plain-http", action="store_true", help="talk to the registry without TLS")
    parser.add_argument("--forget", action="store_true", help="keep nothing of this run in the store")


def run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from bulkhead import __version__
    from bulkhead.app import scan as scanning
    from bulkhead.bootstrap import images, root

    given = {"fail_on": arguments.fail_on} if arguments.fail_on else {}
    with root.open_root(Path(), remember=not arguments.forget, given=given) as opened:
        threshold = opened.settings.threshold()
        selection = opened.selection(tuple(arguments.control), arguments.profile)
        snapshot = images.read(arguments.target, platform=arguments.platform, plain_http=arguments.plain_http)
        scan = scanning.judge(snapshot, arguments.target, opened.context, selection)
        report = scanning.tell(scan, version=__version__, store=opened.store)
        if opened.store is not None:
            scanning.remember(report, opened.store)
        rendering.write(report, arguments.format, arguments.output)
        return scanning.exit_code(report, threshold)
