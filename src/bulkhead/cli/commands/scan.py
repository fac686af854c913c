"""Find problems in files."""

from __future__ import annotations

import argparse

from bulkhead.cli import rendering, selecting

NAME = "scan"
HELP = "find problems in manifests, Dockerfiles, Compose, Helm, Terraform, configuration files, or a live Docker engine"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    selecting.add_target(parser, selecting.WORLDS)
    selecting.add_selection(parser)
    parser.add_argument("--format", choices=rendering.FORMATS, default="table")
    parser.add_argument("--output", default="", metavar="FILE", help="write there instead of to stdout")
    parser.add_argument(
        "--fail-on",
        default="",
        metavar="SEVERITY",
        help="lowest severity that makes the exit code 1: info low medium high critical never",
    )
    parser.add_argument(
        "--baseline",
        action="store_true",
        help="findings that the last run of this target knew do not count for the exit code",
    )
    parser.add_argument(
        "--exceptions", default="", metavar="FILE", help="agreed exceptions with reason, owner and expiry"
    )
    parser.add_argument(
        "--with-fixes", action="store_true", help="plan the repairs too, so that the report shows each diff"
    )
    parser.add_argument(
        "--layers",
        action="store_true",
        help="read the files of images in a Docker engine or an AWS account too, not only their settings",
    )
    parser.add_argument("--forget", action="store_true", help="keep nothing of this run in the store")


def run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from bulkhead import __version__
    from bulkhead.app import scan as scanning
    from bulkhead.bootstrap import live as worlds
    from bulkhead.bootstrap import root, targets

    live = targets.is_live(arguments.target)
    folder = Path() if live else selecting.target(arguments)
    flags = (("fail_on", arguments.fail_on), ("exceptions", arguments.exceptions))
    given: dict[str, str] = {key: value for key, value in flags if value}
    if arguments.layers:
        given["image_layers"] = "true"
    with root.open_root(folder, remember=not arguments.forget, given=given) as opened:
        threshold = opened.settings.threshold()
        selection = opened.selection(tuple(arguments.control), arguments.profile)
        world = worlds.world(arguments.target, opened) if live else None
        where = world.root if world is not None else str(folder.resolve())
        planned = not live and (arguments.with_fixes or arguments.format in ("sarif", "html"))
        with rendering.working(f"reading {where}"):
            snapshot = opened.files.read(where) if world is None else worlds.read(world, opened)
        with rendering.working(f"judging {len(snapshot.resources)} resources by {len(selection.controls)} controls"):
            scan = scanning.judge(snapshot, where, opened.context, selection, keep_verdicts=planned)
        fixes = {}
        if planned:
            from bulkhead.app import fix as fixing
            from bulkhead.app import telling
            from bulkhead.mitigation.plan import Consent

            with rendering.working("trying the repairs in memory"):
                fixes = telling.fixes(fixing.propose(scan, opened.files, opened.context, Consent(), opened.charts).plan)
        store = opened.store
        known = store.baseline(where, tenant=scan.tenant) if store is not None and arguments.baseline else frozenset()
        report = scanning.tell(scan, version=__version__, store=store, fixes=fixes)
        if store is not None:
            scanning.remember(report, store)
        rendering.write(report, arguments.format, arguments.output)
        if arguments.format == "table" and any(finding.outcome == "fail" for finding in report.findings):
            rendering.talk(f"next: bulkhead fix {arguments.target}")
        return scanning.exit_code(report, threshold, known)
