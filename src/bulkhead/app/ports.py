"""What the use cases need from outside, by role. Adapters in ``store``, ``sources`` and ``actuators`` carry it out.

Every call names its tenant, either in the value it is given or by keyword: no adapter has a tenant of its own, so one
cannot answer for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import msgspec

from bulkhead.core.finding import Waiver, Where
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.core.plan import Plan
from bulkhead.core.resource import Gap, Ref
from bulkhead.report.model import Report, TrendPoint


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class FindingState(StrEnum):
    """The life of a finding. ``reopened`` was fixed once and is there again; ``waived`` is covered by an exception."""

    OPEN = "open"
    FIXED = "fixed"
    REOPENED = "reopened"
    WAIVED = "waived"


class RunDiff(_Part, frozen=True, kw_only=True):
    """What a run changed, as fingerprints in sorted order. Waived findings are in none of the four.

    ``still`` also holds what a gap or a smaller profile kept this run from judging: not seen is not fixed.
    """

    new: tuple[str, ...] = ()
    still: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()


class StoredFinding(_Part, frozen=True, kw_only=True):
    """A finding with its history. Instants are ISO 8601, empty where there is none."""

    fingerprint: str
    tenant: str
    root: str
    control: str
    revision: int
    severity: Severity
    outcome: Outcome
    title: str
    message: str
    resource: Ref
    element: str
    where: Where
    waiver: Waiver | None
    state: FindingState
    first_seen: str
    last_seen: str
    fixed_at: str = ""
    reopened_count: int = 0
    evidence: str = ""


class LastRun(_Part, frozen=True, kw_only=True):
    """The last run of a root.

    Attributes:
        gaps: how many places could not be read.
        unread: the first ``UNREAD`` of them.
        open: how many findings of each severity were open after it.
    """

    tenant: str
    root: str
    started: str
    finished: str
    profile: str
    score: float
    resources: int
    gaps: int
    unread: tuple[Gap, ...] = ()
    open: Mapping[str, int] = {}


UNREAD = 200
"""How many gaps of the last run a store keeps."""


class Query(_Part, frozen=True, kw_only=True):
    """Which findings. What is empty does not choose.

    Attributes:
        controls: ids.
        text: part of the message, the title, the control, the resource's names or the place; capitals of ASCII do not matter.
        offset: how many of the first are passed over.
    """

    tenant: str = "default"
    root: str | None = None
    states: tuple[FindingState, ...] = (FindingState.OPEN, FindingState.REOPENED)
    severities: tuple[Severity, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    controls: tuple[str, ...] = ()
    text: str = ""
    fingerprint: str = ""
    limit: int = 50
    offset: int = 0


class Found(_Part, frozen=True, kw_only=True):
    """A page of findings, and how many there are in all."""

    total: int
    findings: tuple[StoredFinding, ...]


class FindingStore(Protocol):
    """Runs and the lives of their findings, by tenant and root."""

    def record_run(self, report: Report) -> RunDiff:
        """Keep the run and move its findings through their states, all or nothing.

        A finding that is absent is fixed only when its control ran (it has an entry in the report's tallies) and no gap
        of the report may hide its resource.
        """
        ...

    def baseline(self, root: str, *, tenant: str = "default") -> frozenset[str]:
        """Fingerprints that are open, reopened or waived after the last run."""
        ...

    def trend(self, root: str, *, tenant: str = "default", limit: int = 90) -> tuple[TrendPoint, ...]:
        """The last runs, oldest first."""
        ...

    def findings(
        self,
        *,
        tenant: str = "default",
        root: str | None = None,
        states: tuple[FindingState, ...] = (FindingState.OPEN, FindingState.REOPENED),
        limit: int = 100_000,
    ) -> tuple[StoredFinding, ...]:
        """Findings in these states, worst first, then by fingerprint."""
        ...

    def search(self, query: Query) -> Found:
        """A page of the findings that a query chooses, in the same order."""
        ...

    def last_runs(self, *, tenant: str = "default", limit: int = 200) -> tuple[LastRun, ...]:
        """The last run of every root, newest first."""
        ...


class StepState(StrEnum):
    """``applying`` is written before the target is touched: after a crash, only such a target is in doubt."""

    PLANNED = "planned"
    APPLYING = "applying"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"


class EntryState(StrEnum):
    PLANNED = "planned"
    APPLYING = "applying"
    APPLIED = "applied"
    UNDONE = "undone"
    FAILED = "failed"


class FileFacts(_Part, frozen=True, kw_only=True):
    """Mode and owner of a target as they were before the change."""

    mode: int = 0o644
    uid: int = -1
    gid: int = -1


class JournalStep(_Part, frozen=True, kw_only=True):
    """One target of an entry: what was there, what was written. ``before`` is None where nothing was there.

    ``progress`` is what a live channel noted on its way (canonical JSON), empty when it noted nothing.
    """

    id: str
    target: str
    before: bytes | None
    after: bytes
    before_sha256: str
    after_sha256: str
    mode: int
    uid: int
    gid: int
    state: StepState
    progress: bytes = b""

    @property
    def existed(self) -> bool:
        return self.before is not None


class EntrySummary(_Part, frozen=True, kw_only=True):
    """A line of the journal: enough to list it, nothing secret."""

    id: str
    tenant: str
    at: str
    actor: str
    root: str
    plan_id: str
    targets: tuple[str, ...]
    state: EntryState


class Entry(_Part, frozen=True, kw_only=True):
    """An entry with its plan and the bytes of its steps, in the plan's order."""

    summary: EntrySummary
    plan: Plan
    steps: tuple[JournalStep, ...]


class Journal(Protocol):
    """What was done, by whom, with what was there before; written ahead, so that a crash leaves no doubt.

    Order of calls: ``begin``; for every step ``mark_step(applying)``, the change itself, ``mark_step(applied)``; then
    ``finish(applied)``. Undo goes the same way with ``undoing`` and ``undone``. Each call is durable when it returns.
    """

    def begin(self, plan: Plan, *, actor: str, at: str, facts: Mapping[str, FileFacts] | None = None) -> str:
        """Write the whole plan with the bytes before and after; the id of the new entry.

        Args:
            plan: what is about to be done.
            actor: who does it.
            at: ISO 8601 instant.
            facts: by step id; a step without them has unknown owner.
        """
        ...

    def mark_step(self, entry: str, step: str, state: StepState, *, tenant: str = "default") -> None:
        """Raises Conflict where the step cannot go to that state from where it is."""
        ...

    def note(self, entry: str, step: str, progress: bytes, *, tenant: str = "default") -> None:
        """Keep what a live channel needs to go on or back from here, in place of what it noted before; sealed.

        Raises StoreError where the tenant has no such step.
        """
        ...

    def finish(self, entry: str, state: EntryState, *, tenant: str = "default") -> None:
        """Raises Conflict where the entry's steps do not bear that state out."""
        ...

    def entries(
        self, *, tenant: str = "default", root: str | None = None, limit: int = 1000
    ) -> tuple[EntrySummary, ...]:
        """Newest first."""
        ...

    def entry(self, entry: str, *, tenant: str = "default") -> Entry:
        """Raises StoreError where the tenant has no such entry; an unambiguous beginning of an id will do."""
        ...

    def unfinished(self, *, tenant: str = "default") -> tuple[EntrySummary, ...]:
        """Entries that were begun and neither finished nor failed, oldest first: what a crash left behind."""
        ...
