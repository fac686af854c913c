"""``bulkhead fix`` and ``undo`` on a live world: what they show and ask."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bulkhead.cli import rendering

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bulkhead.app.live import Trial
    from bulkhead.app.ports import Entry
    from bulkhead.bootstrap.root import Root
    from bulkhead.core.plan import Plan


def run(arguments: argparse.Namespace) -> int:
    """Plan, rehearse, show; with ``--apply`` carry out."""
    import asyncio
    from pathlib import Path

    from bulkhead.app import live
    from bulkhead.bootstrap import live as worlds
    from bulkhead.bootstrap import root, running
    from bulkhead.core.control import MitigationClass
    from bulkhead.mitigation.choosing import Consent

    given = {"exceptions": arguments.exceptions} if arguments.exceptions else {}
    with root.open_root(Path(), given=given) as opened:
        selection = opened.selection((), arguments.profile)
        named = {control.id for name in arguments.control for control in opened.catalogue.named(name)}
        world = worlds.world(arguments.target, opened)
        with rendering.working(f"reading {world.root}"):
            snapshot = worlds.read(world, opened)
        with rendering.working(f"judging {len(snapshot.resources)} resources"):
            scan = live.judged(snapshot, world.root, opened.context, selection, opened.journal)
        consent = Consent(MitigationClass(arguments.consent), frozenset(named), frozenset(named))
        with rendering.working("trying the repairs in memory and rehearsing them"):
            trial = live.propose(scan, opened.context, consent, opened.rollout)
            hands = worlds.hands(world.root, opened.settings)
            trial = running.run(live.rehearse(trial, hands))
        _show(arguments, trial)
        if arguments.patches:
            _write_patches(trial.plan, Path(arguments.patches))
        if not arguments.apply or not trial.plan.steps:
            if trial.plan.steps:
                rendering.talk("nothing was changed; the same command with --apply does it")
            return 0
        with rendering.working("applying, canary first") as tell:
            site = live.Site(world, hands, opened.journal, asyncio.sleep, tell)
            done = running.run(live.apply(trial, scan, site, opened.context, actor=root.actor()))
        if done.reason or done.judgement is None:
            rendering.talk(f"everything was taken back (journal {done.entry}): {done.reason}")
            return 3
        rendering.talk(
            f"done and proved: {len(done.judgement.closed)} findings are gone. To take it back: bulkhead undo {done.entry}"
        )
        return 0


def _show(arguments: argparse.Namespace, trial: Trial) -> None:
    from bulkhead.mitigation import diff
    from bulkhead.report.mask import mask_source

    plan = trial.plan
    if arguments.format == "json":
        # Records hold variables of containers: what looks like a credential is masked as in every report.
        rendering.json(rendering.masked({**diff.summary(plan), "warnings": dict(trial.warnings)}))
        return
    rendering.diff(mask_source(diff.text(plan)))
    repaired = {repair.fingerprint for step in plan.steps for repair in step.repairs}
    rendering.talk(f"{len(repaired)} findings closed by changing {len(plan.steps)} targets, {len(plan.unfixed)} left")
    rendering.talk(diff.unfixed(plan))
    for step in plan.steps:
        for warning in trial.warnings.get(step.id, ()):
            rendering.talk(f"  {step.target}: {warning}")
    for finding in trial.judgement.brought_up:
        rendering.talk(f"  then visible: {finding.control}: {finding.message} [{finding.resource.name}]")


def _write_patches(plan: Plan, folder: Path) -> None:
    import re

    folder.mkdir(parents=True, exist_ok=True)
    texts: dict[str, list[str]] = {}
    for item in plan.unfixed:
        if item.proposal.startswith("#") and "apiVersion" in item.proposal:
            name = re.sub(r"[^A-Za-z0-9._-]+", "-", item.resource)[:200]
            texts.setdefault(name, []).append(item.proposal)
    for name, patches in sorted(texts.items()):
        path = folder / f"{name}.yaml"
        path.write_text("---\n".join(patches), "utf-8")
        rendering.talk(f"  patch for its repository: {path}")


def undo(entry: str, opened: Root, where: str) -> tuple[str, ...]:
    """Take an applied change of a live world back; the targets."""
    from bulkhead.app import live
    from bulkhead.bootstrap import live as worlds
    from bulkhead.bootstrap import running

    hands = worlds.hands(where, opened.settings)
    return running.run(live.undo(entry, hands, opened.journal, tenant=opened.settings.tenant))


def recover(entry: str, opened: Root, where: str) -> tuple[str, ...]:
    """Take back what a crash left half done; the targets."""
    from bulkhead.app import live
    from bulkhead.bootstrap import live as worlds
    from bulkhead.bootstrap import running

    hands = worlds.hands(where, opened.settings)
    return running.run(live.recover(entry, hands, opened.journal, tenant=opened.settings.tenant))


def settle(entry: str, opened: Root, where: str) -> tuple[str, ...]:
    """Remove what an applied change keeps for its way back; the targets."""
    from bulkhead.app import live
    from bulkhead.bootstrap import live as worlds
    from bulkhead.bootstrap import running

    hands = worlds.hands(where, opened.settings)
    return running.run(live.settle(entry, hands, opened.journal, tenant=opened.settings.tenant))


def versions(found: Entry, target: str, opened: Root) -> Mapping[str, bytes | None]:
    """The records before, as written and now."""
    from bulkhead.app import live
    from bulkhead.bootstrap import live as worlds
    from bulkhead.bootstrap import running

    return running.run(live.versions(found, target, worlds.hands(found.summary.root, opened.settings), opened.journal))
