"""Repair what was found: a diff first, written with --apply."""

from __future__ import annotations

import argparse

from bulkhead.cli import rendering, selecting

NAME = "fix"
HELP = "show the repairs as a diff; --apply writes them, undo takes them back"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    selecting.add_target(parser, selecting.WORLDS)
    selecting.add_selection(parser)
    parser.add_argument("--apply", action="store_true", help="write the repairs")
    parser.add_argument(
        "--consent",
        choices=("auto", "guarded", "propose"),
        default="auto",
        help="apply mitigations up to this class (default: auto, and guarded ones whose evidence the files show); --control applies what it names",
    )
    parser.add_argument("--format", choices=("diff", "json"), default="diff")
    parser.add_argument("--exceptions", default="", metavar="FILE")
    parser.add_argument(
        "--patches", default="", metavar="FOLDER",
        help="write the patches of objects that Argo CD, Flux or Helm keeps into this folder, for their repository",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:

    from bulkhead.app import fix as fixing
    from bulkhead.app import scan as scanning
    from bulkhead.bootstrap import root, targets
    from bulkhead.cli import fixing_live
    from bulkhead.core.control import MitigationClass
    from bulkhead.mitigation import diff
    from bulkhead.mitigation.plan import Consent

    if targets.is_live(arguments.target):
        return fixing_live.run(arguments)
    folder = selecting.target(arguments)
    given = {"exceptions": arguments.exceptions} if arguments.exceptions else {}
    with root.open_root(folder, given=given) as opened:
        selection = opened.selection((), arguments.profile)
        named = {control.id for name in arguments.control for control in opened.catalogue.named(name)}
        where = str(folder.resolve())
        with rendering.working(f"scanning {where}"):
            scan = scanning.judge(opened.files.read(where), where, opened.context, selection)
        consent = Consent(MitigationClass(arguments.consent), frozenset(named), frozenset(named))
        with rendering.working("trying the repairs in memory"):
            trial = fixing.propose(scan, opened.files, opened.context, consent, opened.charts)
        if arguments.format == "json":
            rendering.json(diff.summary(trial.plan))
        else:
            rendering.diff(diff.text(trial.plan))
        # A finding that takes changes in two files is one.
        repaired = {repair.fingerprint for step in trial.plan.steps for repair in step.repairs}
        rendering.talk(
            f"{len(repaired)} findings closed by changing {len(trial.plan.steps)} files, {len(trial.plan.unfixed)} left"
        )
        if arguments.format == "diff":
            rendering.talk(diff.unfixed(trial.plan))
            for finding in trial.judgement.brought_up:
                rendering.talk(
                    f"  then visible: {finding.control}: {finding.message} [{finding.where.file}:{finding.where.line}]"
                )
        if not arguments.apply or not trial.plan.steps:
            if trial.plan.steps:
                rendering.talk("nothing was written; the same command with --apply writes it")
            return 0
        done = fixing.apply(trial, scan, opened.files, opened.hands, opened.journal, opened.context, actor=root.actor())
        if done.taken_back:
            rendering.talk(
                f"the files as written did not prove the repair; everything was taken back (journal {done.entry})"
            )
            return 3
        rendering.talk(
            f"written and proved: {len(done.judgement.closed)} findings are gone. To take it back: bulkhead undo {done.entry}"
        )
        return 0
