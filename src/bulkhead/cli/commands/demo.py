"""The main job on a copy of the example: find, fix, prove, take back. Changes nothing but that copy; an engine that runs here and
the kubeconfig's cluster are looked at.
"""

from __future__ import annotations

import argparse
import filecmp
from typing import TYPE_CHECKING

from bulkhead.cli import rendering

if TYPE_CHECKING:
    from bulkhead.bootstrap.root import Root
    from bulkhead.core.finding import Finding

NAME = "demo"
HELP = "show the whole loop on a copy of examples/shop: find, fix, prove, undo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--example", default="examples/shop", metavar="FOLDER", help="copy this folder instead")
    parser.add_argument("--keep", default="", metavar="FOLDER", help="keep the copy there")


def run(arguments: argparse.Namespace) -> int:
    import shutil
    import sys
    import tempfile
    from pathlib import Path

    from bulkhead import __version__
    from bulkhead.app import fix as fixing
    from bulkhead.app import scan as scanning
    from bulkhead.bootstrap import root
    from bulkhead.core.control import MitigationClass
    from bulkhead.core.errors import UsageError
    from bulkhead.mitigation import diff
    from bulkhead.mitigation.plan import Consent
    from bulkhead.report import table

    example = Path(arguments.example)
    if not example.is_dir():
        raise UsageError(
            "there is no such example",
            where=str(example),
            hint="run it in the project's folder, or name one with --example",
        )
    keep = Path(arguments.keep) if arguments.keep else Path(tempfile.mkdtemp(prefix="bulkhead-demo-")) / example.name
    shutil.copytree(example, keep)
    where = str(keep.resolve())
    say = rendering.talk
    with root.open_root(keep) as opened:
        selection = opened.selection()

        say(f"1. Scan a copy of {example} with {len(selection.controls)} controls ({where})\n")
        before = scanning.judge(opened.files.read(where), where, opened.context, selection)
        report = scanning.tell(before, version=__version__, store=None)
        worst = [finding for finding in report.findings if finding.severity.rank >= 3 and finding.outcome == "fail"]
        sys.stdout.write(_lines(worst[:15]))
        say(f"\n   … the {len(worst[:15])} worst of them; in all: {table.summary(report)}")
        for gap in report.gaps:
            say(f"   not readable, and so neither good nor bad: {gap.where}: {gap.reason} ({gap.hint})")

        say("\n2. Plan the repairs that are safe by themselves, try them in memory, and show one file's diff\n")
        trial = fixing.propose(before, opened.files, opened.context, Consent(MitigationClass.GUARDED), opened.charts)
        step = next((item for item in trial.plan.steps if item.target == "k8s/orders.yaml"), trial.plan.steps[0])
        sys.stdout.write(diff.unified(step))
        repaired = sum(len(item.repairs) for item in trial.plan.steps)
        say(
            f"\n   in all: {repaired} findings closed in {len(trial.plan.steps)} files, {len(trial.plan.unfixed)} left with a reason"
        )

        say("\n3. Write them, read the files again, and judge them again")
        done = fixing.apply(
            trial, before, opened.files, opened.hands, opened.journal, opened.context, actor=root.actor()
        )
        after = scanning.tell(done.after, version=__version__, store=None)
        say(
            f"   proved: {len(done.judgement.closed)} findings are gone and no graver one is new; score {report.score:.1f} → {after.score:.1f} (journal {done.entry})"
        )

        say("\n4. Take it back")
        targets = fixing.undo(done.entry, opened.hands, opened.journal, tenant=opened.settings.tenant)
        same = not _differences(filecmp.dircmp(example, keep))
        say(
            f"   {len(targets)} files put back; the copy {'is the original, byte for byte' if same else 'DIFFERS FROM THE ORIGINAL'}"
        )
        if not arguments.keep:
            shutil.rmtree(keep.parent)
        _worlds(opened)
        say(
            "\nNext: bulkhead scan PATH on your own files, then bulkhead fix PATH. Here: .venv/bin/bulkhead scan examples/shop"
        )
        return 0 if same else 4


def _worlds(opened: Root) -> None:
    """A look at this machine's Docker engine and the kubeconfig's cluster, where there are any. Nothing is changed."""
    from bulkhead import __version__
    from bulkhead.app import scan as scanning
    from bulkhead.bootstrap import live
    from bulkhead.core.errors import BulkheadError
    from bulkhead.report import table

    for number, (target, name) in enumerate(live.found_here(), 5):
        try:
            world = live.world(target, opened)
            with rendering.working(f"reading {world.root}"):
                snapshot = live.read(world, opened)
        except BulkheadError as exc:
            rendering.talk(f"\n{number}. {name} could not be read: {exc}")
            continue
        scan = scanning.judge(snapshot, world.root, opened.context, opened.selection())
        report = scanning.tell(scan, version=__version__, store=None)
        rendering.talk(f"\n{number}. {name}, only looked at ({world.root})\n\n   {table.summary(report)}")
        for gap in report.gaps[:5]:
            rendering.talk(f"   not readable, and so neither good nor bad: {gap.where}: {gap.reason}")
        rendering.talk(f"   more of it: bulkhead scan {target}; its repairs: bulkhead fix {target}")


def _lines(findings: list[Finding]) -> str:
    return "".join(
        f"  {item.severity:<8} {item.control:<34} {_where(item)}  {item.message[:160]}\n" for item in findings
    )


def _where(item: Finding) -> str:
    return f"{item.where.file}:{item.where.line}" if item.where.file else "(all files together)"


def _differences(compared: filecmp.dircmp[str]) -> list[str]:
    found = compared.left_only + compared.right_only + compared.funny_files
    _, different, errors = filecmp.cmpfiles(compared.left, compared.right, compared.common_files, shallow=False)
    for inner in compared.subdirs.values():
        found += _differences(inner)
    return [*found, *different, *errors]
