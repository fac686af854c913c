"""``FindingStore`` and ``Journal`` in memory: the ports' shortest honest meaning."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Mapping

import msgspec

from bulkhead.app.ports import (
    UNREAD,
    Entry,
    EntryState,
    EntrySummary,
    FileFacts,
    FindingState,
    Found,
    JournalStep,
    LastRun,
    Query,
    RunDiff,
    StepState,
    StoredFinding,
)
from bulkhead.core.errors import Conflict, StoreError
from bulkhead.core.plan import Plan
from bulkhead.report.model import Report, TrendPoint
from bulkhead.report.text import said
from bulkhead.store.lifecycle import KEPT, UNFINISHED, check_finish, check_step, is_fixed, readable, seen


class MemoryFindings:
    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], dict[str, StoredFinding]] = {}
        self._runs: dict[tuple[str, str], list[TrendPoint]] = {}
        self._last: dict[tuple[str, str], LastRun] = {}

    def record_run(self, report: Report) -> RunDiff:
        scope = (report.tenant, report.root)
        rows = self._rows.setdefault(scope, {})
        lists: dict[str, list[str]] = {"new": [], "still": [], "fixed": [], "reopened": []}
        current = set()
        for finding in report.findings:
            if finding.outcome not in KEPT or finding.fingerprint in current:
                continue
            current.add(finding.fingerprint)
            old = rows.get(finding.fingerprint)
            before = old.state if old else None
            after = seen(before, finding)
            again = after is FindingState.REOPENED and before is not FindingState.REOPENED
            if after is not FindingState.WAIVED:
                lists["new" if old is None else "reopened" if again else "still"].append(finding.fingerprint)
            rows[finding.fingerprint] = StoredFinding(
                fingerprint=finding.fingerprint,
                tenant=report.tenant,
                root=report.root,
                control=finding.control,
                revision=finding.revision,
                severity=finding.severity,
                outcome=finding.outcome,
                title=said(finding.title),
                message=said(finding.message),
                evidence=said(finding.evidence),
                resource=finding.resource,
                element=finding.element,
                where=finding.where,
                waiver=finding.waiver,
                state=after,
                first_seen=old.first_seen if old else report.finished,
                last_seen=report.finished,
                reopened_count=(old.reopened_count if old else 0) + again,
            )
        for name, row in list(rows.items()):
            if name in current or row.state is FindingState.FIXED:
                continue
            if is_fixed(row.control, row.resource, row.where, ran=report.tallies, gaps=report.gaps):
                rows[name] = msgspec.structs.replace(row, state=FindingState.FIXED, fixed_at=report.finished)
                lists["fixed"].append(name)
            elif row.state is not FindingState.WAIVED:
                lists["still"].append(name)
        counts = Counter(
            row.severity for row in rows.values() if row.state in {FindingState.OPEN, FindingState.REOPENED}
        )
        point = TrendPoint(date=report.finished, score=report.score, open={str(key): n for key, n in counts.items()})
        self._runs.setdefault(scope, []).append(point)
        self._last.pop(scope, None)
        self._last[scope] = LastRun(
            tenant=report.tenant,
            root=report.root,
            started=report.started,
            finished=report.finished,
            profile=report.profile,
            score=report.score,
            resources=report.resources,
            gaps=len(report.gaps),
            unread=tuple(readable(gap) for gap in report.gaps[:UNREAD]),
            open=point.open,
        )
        return RunDiff(**{word: tuple(sorted(names)) for word, names in lists.items()})

    def baseline(self, root: str, *, tenant: str = "default") -> frozenset[str]:
        rows = self._rows.get((tenant, root), {})
        return frozenset(name for name, row in rows.items() if row.state is not FindingState.FIXED)

    def trend(self, root: str, *, tenant: str = "default", limit: int = 90) -> tuple[TrendPoint, ...]:
        return tuple(self._runs.get((tenant, root), [])[-limit:])

    def findings(
        self,
        *,
        tenant: str = "default",
        root: str | None = None,
        states: tuple[FindingState, ...] = (FindingState.OPEN, FindingState.REOPENED),
        limit: int = 100_000,
    ) -> tuple[StoredFinding, ...]:
        found = [
            row
            for (owner, place), rows in self._rows.items()
            if owner == tenant and root in {None, place}
            for row in rows.values()
            if row.state in states
        ]
        return tuple(sorted(found, key=lambda row: (-row.severity.rank, row.fingerprint, row.root))[:limit])

    def search(self, query: Query) -> Found:
        states = query.states or tuple(FindingState)
        found = [
            row
            for row in self.findings(tenant=query.tenant, root=query.root, states=states)
            if query.fingerprint in ("", row.fingerprint)
            and (not query.severities or row.severity in query.severities)
            and (not query.outcomes or row.outcome in query.outcomes)
            and (not query.controls or row.control in query.controls)
            and query.text.lower() in _searched(row)
        ]
        return Found(total=len(found), findings=tuple(found[query.offset :][: query.limit]))

    def last_runs(self, *, tenant: str = "default", limit: int = 200) -> tuple[LastRun, ...]:
        found = [run for (owner, _), run in self._last.items() if owner == tenant]
        return tuple(reversed(found))[:limit]


def _searched(row: StoredFinding) -> str:
    names = [str(value) for part in (row.resource, row.where) for value in msgspec.structs.astuple(part)]
    return " ".join((row.message, row.title, row.control, row.element, *names)).lower()


class MemoryJournal:
    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], Entry] = {}
        self._number = itertools.count(1)

    def begin(self, plan: Plan, *, actor: str, at: str, facts: Mapping[str, FileFacts] | None = None) -> str:
        name = f"{at[:10].replace('-', '')}-{next(self._number):08x}"
        steps = []
        for step in plan.steps:
            known = (facts or {}).get(step.id, FileFacts())
            steps.append(
                JournalStep(
                    id=step.id,
                    target=step.target,
                    before=step.before,
                    after=step.change,
                    before_sha256="" if step.before is None else hashlib.sha256(step.before).hexdigest(),
                    after_sha256=hashlib.sha256(step.change).hexdigest(),
                    mode=known.mode,
                    uid=known.uid,
                    gid=known.gid,
                    state=StepState.PLANNED,
                )
            )
        summary = EntrySummary(
            id=name,
            tenant=plan.tenant,
            at=at,
            actor=actor,
            root=plan.root,
            plan_id=plan.id,
            targets=tuple(step.target for step in plan.steps),
            state=EntryState.PLANNED,
        )
        self._entries[plan.tenant, name] = Entry(summary=summary, plan=plan, steps=tuple(steps))
        return name

    def mark_step(self, entry: str, step: str, state: StepState, *, tenant: str = "default") -> None:
        held = self._held(entry, tenant)
        if step not in {item.id for item in held.steps}:
            raise StoreError("the journal has no such step", where=f"{entry}/{step}")
        for item in held.steps:
            if item.id == step:
                check_step(step, item.state, state)
        steps = tuple(msgspec.structs.replace(item, state=state) if item.id == step else item for item in held.steps)
        self._put(held, steps, EntryState.APPLYING)

    def note(self, entry: str, step: str, progress: bytes, *, tenant: str = "default") -> None:
        held = self._entries.get((tenant, entry))
        if held is None or step not in {item.id for item in held.steps}:
            raise StoreError("the journal has no such step", where=f"{entry}/{step}")
        steps = tuple(
            msgspec.structs.replace(item, progress=progress) if item.id == step else item for item in held.steps
        )
        self._put(held, steps, held.summary.state)

    def finish(self, entry: str, state: EntryState, *, tenant: str = "default") -> None:
        held = self._held(entry, tenant)
        check_finish(entry, {item.state for item in held.steps}, state)
        self._put(held, held.steps, state)

    def _held(self, entry: str, tenant: str) -> Entry:
        try:
            return self._entries[tenant, entry]
        except KeyError:
            raise StoreError("the journal has no such entry", where=entry) from None

    def _put(self, held: Entry, steps: tuple[JournalStep, ...], state: EntryState) -> None:
        summary = msgspec.structs.replace(held.summary, state=state)
        self._entries[summary.tenant, summary.id] = Entry(summary=summary, plan=held.plan, steps=steps)

    def entries(
        self, *, tenant: str = "default", root: str | None = None, limit: int = 1000
    ) -> tuple[EntrySummary, ...]:
        found = [held.summary for (owner, _), held in self._entries.items() if owner == tenant]
        return tuple([summary for summary in reversed(found) if root in {None, summary.root}][:limit])

    def entry(self, entry: str, *, tenant: str = "default") -> Entry:
        if (tenant, entry) in self._entries:
            return self._entries[tenant, entry]
        fits = [name for owner, name in self._entries if owner == tenant and entry and name.startswith(entry)]
        if len(fits) > 1:
            raise Conflict("the beginning of an id fits more than one entry", where=entry)
        return self._held(fits[0] if fits else entry, tenant)

    def unfinished(self, *, tenant: str = "default") -> tuple[EntrySummary, ...]:
        found = [held.summary for (owner, _), held in self._entries.items() if owner == tenant]
        return tuple(summary for summary in found if summary.state in UNFINISHED)
