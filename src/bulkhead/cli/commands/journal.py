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
    parser.add_argument(
        "--settle", action="store_true",
        help="remove what the change keeps for its way back (stopped containers); an undo then makes them anew from their record",
    )  # fmt: skip
    parser.add_argument("--format", choices=("table", "json"), default="table")


def run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from bulkhead.app import fix as fixing
    from bulkhead.bootstrap import root, targets
    from bulkhead.cli import fixing_live
    from bulkhead.mitigation import diff
    from bulkhead.report.mask import mask_source

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
        live = targets.is_live(found.summary.root)
        if arguments.settle:
            for target in fixing_live.settle(found.summary.id, opened, found.summary.root) if live else ():
                rendering.talk(f"nothing is kept any more for: {target}")
            return 0
        if arguments.versions:
            shown = (
                fixing_live.versions(found, arguments.versions, opened)
                if live
                else fixing.versions(found, arguments.versions, opened.hands)
            )
            for name, data in shown.items():
                path = Path(f"{Path(arguments.versions).name}.{name}")
                if data is not None:
                    path.write_bytes(data)
                    sys.stdout.write(f"{path}\n")
            return 0
        if arguments.format == "json":
            told = diff.summary(found.plan)
            rendering.json({"entry": found.summary, **(rendering.masked(told) if live else told)})
            return 0
        sys.stdout.write(
            f"{found.summary.id}  {found.summary.at}  {found.summary.state}  {found.summary.actor}  {found.summary.root}\n"
        )
        # Records of live worlds hold variables of containers.
        rendering.diff(mask_source(diff.text(found.plan)) if live else diff.text(found.plan))
        return 0
