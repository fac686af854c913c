"""Worlds by their targets, folders and live ones alike: read, scanned, planned for, taken back.

A live world that ``live`` knows is known here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bulkhead import __version__
from bulkhead.app import scan as scanning
from bulkhead.app.ports import RunDiff, StoredFinding
from bulkhead.app.proposing import Proposed
from bulkhead.bootstrap import live, targets
from bulkhead.bootstrap.root import Root
from bulkhead.bootstrap.running import run
from bulkhead.core.errors import SourceError, UsageError
from bulkhead.core.resource import Snapshot
from bulkhead.report.model import Report

if TYPE_CHECKING:
    from bulkhead.mitigation.plan import Consent


class Done(msgspec.Struct, frozen=True):
    """A scan that was remembered."""

    report: Report
    diff: RunDiff


def check(target: str) -> None:
    """Raises UsageError where no world is called like that. Whether it is there is not looked at: it may come and go."""
    if "://" in target and not targets.is_live(target):
        raise UsageError(
            "no world is called like that", where=target, hint=f"a folder, or {', '.join(targets.SCHEMES)}"
        )


def root_of(target: str, opened: Root) -> str:
    """The name under which the target's runs and findings are kept.

    Raises:
        UsageError, SettingsError: it names no world.
    """
    check(target)
    return live.world(target, opened).root if targets.is_live(target) else str(Path(target).resolve())


def read(target: str, opened: Root) -> Snapshot:
    """The world as it is, and what could not be read.

    Raises:
        SourceError: it cannot be read at all.
    """
    check(target)
    if targets.is_live(target):
        return live.read(live.world(target, opened), opened)
    return opened.files.read(str(_there(target)))


def scan(target: str, opened: Root) -> Done:
    """Read the world, judge it by its own selection of controls, and remember the run.

    Raises:
        SourceError: it cannot be read at all; nothing is remembered, and what was found before stays open.
        SettingsError: the settings of a folder are wrong.
        StoreError: the run cannot be kept.
    """
    root = root_of(target, opened)
    own = opened if targets.is_live(target) else opened.beside(_there(target))
    snapshot = read(target, own)
    found = scanning.judge(snapshot, root, own.context, own.selection(), keep_verdicts=False)
    report = scanning.tell(found, version=__version__, store=None)
    if opened.store is None:
        return Done(report, RunDiff())
    return Done(report, scanning.remember(report, opened.store))


def proposed(finding: StoredFinding, opened: Root) -> Proposed:
    """What would close the finding, tried in memory in the world as it is now; nothing is changed.

    Raises:
        SourceError: the world cannot be read here.
    """
    from bulkhead.mitigation.plan import Consent

    consent = Consent(controls=frozenset({finding.control}), only=frozenset({finding.control}))
    if targets.is_live(finding.root):
        return _proposed_live(finding, opened, consent)
    from bulkhead.app import fix as fixing
    from bulkhead.app import proposing

    own = opened.beside(_there(finding.root))
    found = scanning.judge(own.files.read(finding.root), finding.root, own.context, own.selection())
    return proposing.of(fixing.propose(found, own.files, own.context, consent, own.charts).plan, finding.fingerprint)


def _proposed_live(finding: StoredFinding, opened: Root, consent: Consent) -> Proposed:
    from bulkhead.app import live as living
    from bulkhead.app import proposing

    world = live.world(finding.root, opened)
    found = living.judged(live.read(world, opened), world.root, opened.context, opened.selection(), opened.journal)
    return proposing.of(living.propose(found, opened.context, consent, opened.rollout).plan, finding.fingerprint)


def undo(entry: str, opened: Root) -> tuple[str, ...]:
    """Take an applied change back, wherever it was made; the targets.

    Raises:
        Conflict: what is there is not what was written; nothing is changed.
        SourceError: a target cannot be put back.
    """
    tenant = opened.settings.tenant
    root = opened.journal.entry(entry, tenant=tenant).summary.root
    if targets.is_live(root):
        from bulkhead.app import live as living

        hands = live.hands(root, opened.settings)
        return run(living.undo(entry, hands, opened.journal, tenant=tenant))
    from bulkhead.app import fix as fixing

    return fixing.undo(entry, opened.hands, opened.journal, tenant=tenant)


def _there(target: str) -> Path:
    path = Path(target)
    if not path.exists():
        raise SourceError("there is nothing at that path on this machine", where=target)
    return path
