"""What was done, by whom, with before and after."""

from __future__ import annotations

import argparse
import sys

from bulkhead.cli import rendering

NAME = "journal"
HELP = "what was changed, when and by whom; with an id, its diff"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("entry", nargs="?", default="", help="show this change")
    parser.add_argument(
        "--versions",
        default="",
        metavar="FILE",
        help="write FILE.before, FILE.written and FILE.now of the change into this folder",
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")


def run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from bulkhead.app import fix as fixing
    from bulkhead.bootstrap import root
    from bulkhead.mitigation import diff

    with root.open_root(Path()) as opened:
        tenant = opened.settings.tenant
        if not arguments.entry:
            entries = opened.journal.entries(tenant=tenant)
            if arguments.format == "json":
                rendering.json(entries)
                return 0
            for item in entries:
                sys.stdout.write(
                    f"{item.id[:12]}  {item.at}  {item.state:<8}  {item.actor}  {item.root}: {', '.join(item.targets)[:100]}\n"
                )
            return 0
        found = opened.journal.entry(arguments.entry, tenant=tenant)
        if arguments.versions:
            for name, data in fixing.versions(found, arguments.versions, opened.hands).items():
                path = Path(f"{Path(arguments.versions).name}.{name}")
                if data is not None:
                    path.write_bytes(data)
                    sys.stdout.write(f"{path}\n")
            return 0
        if arguments.format == "json":
            rendering.json({"entry": found.summary, **diff.summary(found.plan)})
            return 0
        sys.stdout.write(
            f"{found.summary.id}  {found.summary.at}  {found.summary.state}  {found.summary.actor}  {found.summary.root}\n"
        )
        rendering.diff(diff.text(found.plan))
        return 0
