"""``Journal`` in SQL. Plans and the bytes before and after are sealed; what lists an entry is in the clear."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

import msgspec

from bulkhead.app.ports import Entry, EntryState, EntrySummary, FileFacts, JournalStep, StepState
from bulkhead.core.errors import Conflict, StoreError
from bulkhead.core.plan import Plan, Step
from bulkhead.store.lifecycle import UNFINISHED, check_finish, check_step
from bulkhead.store.sql.database import Database
from bulkhead.store.sql.seal import Seal

_SUMMARY = "SELECT id, tenant, at, actor, root, plan_id, targets, state FROM entries"
_STEP = (
    "INSERT INTO steps (tenant, entry, ordinal, id, target, existed, before, after, before_sha256, after_sha256, mode, uid, gid, state)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
_encode = msgspec.json.Encoder().encode
_plan_decoder = msgspec.json.Decoder(Plan)
_targets_decoder = msgspec.json.Decoder(tuple[str, ...])


class SqlJournal:
    def __init__(self, database: Database, seal: Seal) -> None:
        self._db = database
        self._seal = seal

    def begin(self, plan: Plan, *, actor: str, at: str, facts: Mapping[str, FileFacts] | None = None) -> str:
        entry = at[:10].replace("-", "") + "-" + os.urandom(4).hex()
        tenant = plan.tenant
        # The bytes live in the steps' rows; the plan keeps the words.
        bare = msgspec.structs.replace(
            plan, steps=tuple(msgspec.structs.replace(step, before=None, change=b"") for step in plan.steps)
        )
        sealed = self._seal.seal(_words(bare), tenant, entry, "plan")
        targets = _encode([step.target for step in plan.steps]).decode()
        steps = [
            self._step_row(tenant, entry, at_, step, (facts or {}).get(step.id, FileFacts()))
            for at_, step in enumerate(plan.steps)
        ]
        with self._db.transaction():
            self._db.run(
                "INSERT INTO entries (tenant, id, at, actor, root, plan_id, targets, plan, state)"
                " VALUES (?,?,?,?,?,?,?,?,'planned')",
                (tenant, entry, at, actor, plan.root, plan.id, targets, sealed),
            )
            self._db.run_many(_STEP, steps)
        self._seal.created()
        return entry

    def _step_row(self, tenant: str, entry: str, ordinal: int, step: Step, facts: FileFacts) -> tuple[Any, ...]:
        before = step.before
        return (
            tenant,
            entry,
            ordinal,
            step.id,
            step.target,
            int(before is not None),
            None if before is None else self._seal.seal(before, tenant, entry, step.id, "before"),
            self._seal.seal(step.change, tenant, entry, step.id, "after"),
            "" if before is None else hashlib.sha256(before).hexdigest(),
            hashlib.sha256(step.change).hexdigest(),
            facts.mode,
            facts.uid,
            facts.gid,
            str(StepState.PLANNED),
        )

    def mark_step(self, entry: str, step: str, state: StepState, *, tenant: str = "default") -> None:
        key = (tenant, entry, step)
        with self._db.transaction():
            rows = self._db.rows("SELECT state FROM steps WHERE tenant = ? AND entry = ? AND id = ?", key)
            if not rows:
                raise StoreError("the journal has no such step", where=f"{entry}/{step}")
            check_step(step, StepState(rows[0][0]), state)
            self._db.run("UPDATE steps SET state = ? WHERE tenant = ? AND entry = ? AND id = ?", (state, *key))
            # An undo is a change under way like any other: a crash in it must be found.
            self._db.run("UPDATE entries SET state = 'applying' WHERE tenant = ? AND id = ?", (tenant, entry))

    def note(self, entry: str, step: str, progress: bytes, *, tenant: str = "default") -> None:
        key = (tenant, entry, step)
        sealed = self._seal.seal(progress, *key, "progress")
        with self._db.transaction():
            if not self._db.rows("SELECT 1 FROM steps WHERE tenant = ? AND entry = ? AND id = ?", key):
                raise StoreError("the journal has no such step", where=f"{entry}/{step}")
            self._db.run("UPDATE steps SET progress = ? WHERE tenant = ? AND entry = ? AND id = ?", (sealed, *key))

    def finish(self, entry: str, state: EntryState, *, tenant: str = "default") -> None:
        with self._db.transaction():
            self._known(entry, tenant)
            rows = self._db.rows("SELECT state FROM steps WHERE tenant = ? AND entry = ?", (tenant, entry))
            check_finish(entry, {StepState(row[0]) for row in rows}, state)
            self._db.run("UPDATE entries SET state = ? WHERE tenant = ? AND id = ?", (state, tenant, entry))

    def _known(self, entry: str, tenant: str) -> None:
        if not self._db.rows("SELECT 1 FROM entries WHERE tenant = ? AND id = ?", (tenant, entry)):
            raise StoreError("the journal has no such entry", where=entry)

    def entries(
        self, *, tenant: str = "default", root: str | None = None, limit: int = 1000
    ) -> tuple[EntrySummary, ...]:
        rows = self._db.rows(
            f"{_SUMMARY} WHERE tenant = ? AND (CAST(? AS TEXT) IS NULL OR root = ?) ORDER BY sequence DESC LIMIT ?",
            (tenant, root, root, limit),
        )
        return tuple(_summary(row) for row in rows)

    def unfinished(self, *, tenant: str = "default") -> tuple[EntrySummary, ...]:
        first, second = sorted(UNFINISHED)
        rows = self._db.rows(
            f"{_SUMMARY} WHERE tenant = ? AND state IN (?, ?) ORDER BY sequence", (tenant, first, second)
        )
        return tuple(_summary(row) for row in rows)

    def entry(self, entry: str, *, tenant: str = "default") -> Entry:
        summary = self._find(entry, tenant)
        sealed = self._db.rows("SELECT plan FROM entries WHERE tenant = ? AND id = ?", (tenant, summary.id))[0][0]
        plan = _plan_decoder.decode(self._seal.open(sealed, tenant, summary.id, "plan"))
        rows = self._db.rows(
            "SELECT id, target, before, after, before_sha256, after_sha256, mode, uid, gid, state, progress FROM steps"
            " WHERE tenant = ? AND entry = ? ORDER BY ordinal",
            (tenant, summary.id),
        )
        steps = tuple(self._step(tenant, summary.id, row) for row in rows)
        whole = tuple(
            msgspec.structs.replace(words, before=step.before, change=step.after)
            for words, step in zip(plan.steps, steps, strict=True)
        )
        return Entry(summary=summary, plan=msgspec.structs.replace(plan, steps=whole), steps=steps)

    def _find(self, entry: str, tenant: str) -> EntrySummary:
        rows = self._db.rows(f"{_SUMMARY} WHERE tenant = ? AND id = ?", (tenant, entry))
        if not rows and entry:
            # substr, not LIKE: what a person types has no wildcards.
            rows = self._db.rows(
                f"{_SUMMARY} WHERE tenant = ? AND substr(id, 1, ?) = ? LIMIT 2", (tenant, len(entry), entry)
            )
        if not rows:
            raise StoreError("the journal has no such entry", where=entry)
        if len(rows) > 1:
            raise Conflict("the beginning of an id fits more than one entry", where=entry)
        return _summary(rows[0])

    def _step(self, tenant: str, entry: str, row: tuple[Any, ...]) -> JournalStep:
        name, target, before, after, before_sha256, after_sha256, mode, uid, gid, state, progress = row
        return JournalStep(
            id=name,
            target=target,
            before=None if before is None else self._seal.open(before, tenant, entry, name, "before"),
            after=self._seal.open(after, tenant, entry, name, "after"),
            before_sha256=before_sha256,
            after_sha256=after_sha256,
            mode=mode,
            uid=uid,
            gid=gid,
            state=StepState(state),
            progress=b"" if progress is None else self._seal.open(progress, tenant, entry, name, "progress"),
        )


def _words(plan: Plan) -> bytes:
    """The plan without bytes; a lone surrogate in a name becomes a question mark, since JSON cannot carry it."""
    try:
        return _encode(plan)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(plan), ensure_ascii=False).encode("utf-8", "replace")


def _summary(row: tuple[Any, ...]) -> EntrySummary:
    name, tenant, at, actor, root, plan_id, targets, state = row
    return EntrySummary(
        id=name,
        tenant=tenant,
        at=at,
        actor=actor,
        root=root,
        plan_id=plan_id,
        targets=_targets_decoder.decode(targets),
        state=EntryState(state),
    )
