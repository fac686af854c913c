"""Take a change back, byte for byte."""

from __future__ import annotations

import argparse

from bulkhead.cli import rendering

NAME = "undo"
HELP = "take a change back, byte for byte: the last one, or the one named"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "entry", nargs="?", default="", help="the journal's id of the change (default: the last one that is applied)"
    )
    parser.add_argument("--recover", action="store_true", help="take back what a crash left half done")


def run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from bulkhead.app import fix as fixing
    from bulkhead.app.ports import EntryState
    from bulkhead.bootstrap import root
    from bulkhead.bootstrap.targets import is_live
    from bulkhead.cli import fixing_live
    from bulkhead.core.errors import UsageError

    with root.open_root(Path()) as opened:
        tenant = opened.settings.tenant
        if arguments.recover:
            for found in opened.journal.unfinished(tenant=tenant):
                if is_live(found.root):
                    back = fixing_live.recover(found.id, opened, found.root)
                else:
                    back = fixing.recover(found.id, opened.hands, opened.journal, tenant=tenant)
                rendering.talk(f"{found.id}: {len(back)} put back")
            return 0
        entry = arguments.entry
        if not entry:
            applied = [item for item in opened.journal.entries(tenant=tenant) if item.state is EntryState.APPLIED]
            if not applied:
                raise UsageError("nothing is applied", hint="see: bulkhead journal")
            entry = applied[0].id
        summary = opened.journal.entry(entry, tenant=tenant).summary
        if is_live(summary.root):
            targets = fixing_live.undo(entry, opened, summary.root)
        else:
            targets = fixing.undo(entry, opened.hands, opened.journal, tenant=tenant)
        for target in targets:
            rendering.talk(f"put back: {target}")
        return 0
