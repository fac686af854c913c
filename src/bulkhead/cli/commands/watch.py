"""Keep the findings of a live world current, and tell what is new and what is fixed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bulkhead.cli import rendering, selecting

if TYPE_CHECKING:
    from bulkhead.app.watching import News
    from bulkhead.bootstrap.root import Root
    from bulkhead.core.finding import Finding
    from bulkhead.core.resource import Snapshot

NAME = "watch"
HELP = "keep the findings of a Docker engine or a cluster current from its events: what is new, what is fixed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", nargs="?", default="docker://", help="docker:// (default) or kubernetes://")
    selecting.add_selection(parser)
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="lines for people, or a JSON object each"
    )
    parser.add_argument("--forget", action="store_true", help="keep nothing of it in the store")


def run(arguments: argparse.Namespace) -> int:
    import asyncio
    from pathlib import Path

    from bulkhead.bootstrap import root

    with root.open_root(Path(), remember=not arguments.forget) as opened:
        asyncio.run(_watch(arguments, opened))
    return 0


async def _watch(arguments: argparse.Namespace, opened: Root) -> None:
    import asyncio
    import signal

    from bulkhead.app import watching
    from bulkhead.bootstrap import live

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    selection = opened.selection(tuple(arguments.control), arguments.profile)
    async with live.watched(arguments.target, opened) as world:

        def judged(snapshot: Snapshot) -> tuple[Finding, ...]:
            from bulkhead import __version__
            from bulkhead.app import live as living
            from bulkhead.app import scan as scanning

            if opened.remember:
                kept = living.kept(opened.journal, world.root, tenant=opened.settings.tenant)
                snapshot = living.without_kept(snapshot, kept)
            scan = scanning.judge(snapshot, world.root, opened.context, selection, keep_verdicts=False)
            if opened.store is not None:
                scanning.remember(scanning.tell(scan, version=__version__, store=None), opened.store)
            return scan.assessment.findings

        tell = _as_json if arguments.format == "json" else _as_lines
        await watching.watch(world, judged, tell, stop)


def _as_lines(news: News) -> None:
    import sys

    from bulkhead.report.text import one_line, resource_name, said

    if news.trouble:
        rendering.talk(f"not readable now: {news.trouble}")
        return
    if news.first:
        rendering.talk(f"{news.resources} resources, {len(news.new)} findings; watching")
    if news.again:
        rendering.talk("readable again")
    for gap in news.new_gaps:
        rendering.talk(f"not readable, and so neither good nor bad: {gap.where}: {gap.reason}")
    for sign, findings in (("+", news.new), ("-", news.fixed)):
        for item in sorted(findings, key=lambda found: (-found.severity.rank, found.control)):
            line = f"{sign} {item.severity:<8} {item.control}  {resource_name(item.resource)}  {item.message}"
            sys.stdout.write(one_line(said(line)) + "\n")
    sys.stdout.flush()


def _as_json(news: News) -> None:
    import sys

    if news.trouble:
        rendering.json({"event": "trouble", "reason": news.trouble})
    for event, findings in (("new", news.new), ("fixed", news.fixed)):
        for item in findings:
            rendering.json(rendering.masked({"event": event, "finding": _plain(item)}))
    if not news.trouble:
        rendering.json(
            {
                "event": "looked",
                "resources": news.resources,
                "gaps": [f"{gap.where}: {gap.reason}" for gap in news.gaps],
            }
        )
    sys.stdout.flush()


def _plain(item: Finding) -> object:
    import msgspec

    return msgspec.to_builtins(item)
