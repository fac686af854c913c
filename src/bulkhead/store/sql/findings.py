"""``FindingStore`` in SQL: thirty thousand findings in well under a second, in one transaction.

Most runs see what the run before saw. Such a finding is not written again: its row says, by an empty ``last_seen``,
that the root's last run saw it; the instant is written down when a run no longer does. A run that says exactly what the
run before said moves nothing at all: every move is one that the run before has made.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from bulkhead.app.ports import UNREAD, FindingState, Found, LastRun, Query, RunDiff, StoredFinding
from bulkhead.core.finding import Finding, Waiver
from bulkhead.core.resource import Ref
from bulkhead.report.model import Report, TrendPoint
from bulkhead.report.text import clean, said
from bulkhead.store.lifecycle import KEPT, is_fixed, readable, seen
from bulkhead.store.sql import searching
from bulkhead.store.sql.database import Database
from bulkhead.store.sql.rows import COLUMNS, ref_decoder, severities, stored, where_decoder

RUNS_KEPT = 1000
"""Runs kept for each root; older ones go when a new one comes."""

_UPSERT = """
INSERT INTO findings (tenant, root, fingerprint, control, revision, severity, outcome, title, message, ref, element, place, waiver,
  state, first_seen, last_seen, fixed_at, reopened_count, content, evidence) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
ON CONFLICT (tenant, root, fingerprint) DO UPDATE SET
  control = excluded.control, revision = excluded.revision, severity = excluded.severity, outcome = excluded.outcome,
  title = excluded.title, message = excluded.message, ref = excluded.ref, element = excluded.element,
  place = excluded.place, waiver = excluded.waiver, state = excluded.state, last_seen = excluded.last_seen,
  fixed_at = excluded.fixed_at, reopened_count = excluded.reopened_count, content = excluded.content, evidence = excluded.evidence
"""
_KNOWN = "SELECT fingerprint, state, reopened_count, content FROM findings WHERE tenant = ? AND root = ?"
_LAST_RUN = "SELECT finished FROM runs WHERE tenant = ? AND root = ? ORDER BY id DESC LIMIT 1"
_LAST_CONTENT = "SELECT content FROM runs WHERE tenant = ? AND root = ? ORDER BY id DESC LIMIT 1"
_UNSEEN = "UPDATE findings SET last_seen = ?, content = ? WHERE tenant = ? AND root = ? AND fingerprint = ? AND last_seen = ''"
_FIXED = "UPDATE findings SET state = 'fixed', fixed_at = ? WHERE tenant = ? AND root = ? AND fingerprint = ?"
_RUN = """
INSERT INTO runs (tenant, root, started, finished, profile, tool_version, score, resources, gaps, open, content, unread)
VALUES (?,?,?,?,?,?,?,?,?,?,?,?)
"""
_READ = "UPDATE runs SET unread = '[]' WHERE tenant = ? AND root = ? AND unread <> '[]'"
_PRUNE = """
DELETE FROM runs WHERE tenant = ? AND root = ? AND id <=
  (SELECT id FROM runs WHERE tenant = ? AND root = ? ORDER BY id DESC LIMIT 1 OFFSET ?)
"""
_OPEN = {FindingState.OPEN, FindingState.REOPENED}
_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_counts_decoder = msgspec.json.Decoder(dict[str, int])


class SqlFindings:
    def __init__(self, database: Database) -> None:
        self._db = database

    def record_run(self, report: Report) -> RunDiff:
        with self._db.transaction():
            content = _digest(report)
            last = self._db.rows(_LAST_CONTENT, (report.tenant, report.root))
            diff = self._same(report) if last and last[0][0] == content else self._move(report)
            counts = self._db.rows(
                "SELECT severity, count(*) FROM findings WHERE tenant = ? AND root = ?"
                " AND state IN ('open', 'reopened') GROUP BY severity",
                (report.tenant, report.root),
            )
            told = {severities[rank]: count for rank, count in sorted(counts, reverse=True)}
            values = (report.started, report.finished, report.profile, report.tool_version, report.score)
            sizes = (report.resources, len(report.gaps), _encode(told).decode())
            # Of what could not be read only the last run is told.
            self._db.run(_READ, (report.tenant, report.root))
            self._db.run(_RUN, (report.tenant, report.root, *values, *sizes, content, _unread(report)))
            self._db.run(_PRUNE, (report.tenant, report.root) * 2 + (RUNS_KEPT,))
        return diff

    def _same(self, report: Report) -> RunDiff:
        rows = self._db.rows(
            "SELECT fingerprint FROM findings WHERE tenant = ? AND root = ? AND state IN ('open', 'reopened')"
            " ORDER BY fingerprint",
            (report.tenant, report.root),
        )
        return RunDiff(still=tuple(row[0] for row in rows))

    def _move(self, report: Report) -> RunDiff:
        """Every finding of the root to its next state."""
        scope = (report.tenant, report.root)
        known = {row[0]: row[1:] for row in self._db.rows(_KNOWN, scope)}
        lists: dict[str, list[str]] = {"new": [], "still": [], "fixed": [], "reopened": []}
        present: set[str] = set()
        changed: dict[str, tuple[Any, ...]] = {}
        for finding in report.findings:
            name = finding.fingerprint
            if finding.outcome not in KEPT or name in present:
                continue
            present.add(name)
            row = known.get(name)
            before = FindingState(row[0]) if row else None
            after = seen(before, finding)
            came_back = after is FindingState.REOPENED and before is not FindingState.REOPENED
            content = _content(finding)
            if row is None or after is not before or content != row[2]:
                changed[name] = _row(report, finding, after, (row[1] if row else 0) + came_back, content)
            if after is not FindingState.WAIVED:
                lists["new" if before is None else "reopened" if came_back else "still"].append(name)
        # In the order of the key, so that the pages of its index are met once.
        self._db.run_many(_UPSERT, [row for _, row in sorted(changed.items())])
        absent = [name for name, row in known.items() if name not in present and row[0] != FindingState.FIXED]
        self._unseen(scope, absent)
        for name in absent:
            if self._is_fixed(report, name):
                lists["fixed"].append(name)
            elif known[name][0] in _OPEN:
                lists["still"].append(name)
        self._db.run_many(_FIXED, [(report.finished, *scope, name) for name in lists["fixed"]])
        return RunDiff(**{word: tuple(sorted(names)) for word, names in lists.items()})

    def _unseen(self, scope: tuple[str, str], absent: list[str]) -> None:
        """What this run does not see was last seen by the one before, unless it was missing there too."""
        last = self._db.rows(_LAST_RUN, scope)
        if last:
            self._db.run_many(_UNSEEN, [(last[0][0], b"", *scope, name) for name in absent])

    def _is_fixed(self, report: Report, name: str) -> bool:
        control, ref, where = self._db.rows(
            "SELECT control, ref, place FROM findings WHERE tenant = ? AND root = ? AND fingerprint = ?",
            (report.tenant, report.root, name),
        )[0]
        if control not in report.tallies:
            return False
        return not report.gaps or is_fixed(
            control, ref_decoder.decode(ref), where_decoder.decode(where), ran=report.tallies, gaps=report.gaps
        )

    def baseline(self, root: str, *, tenant: str = "default") -> frozenset[str]:
        rows = self._db.rows(
            "SELECT fingerprint FROM findings WHERE tenant = ? AND root = ? AND state <> 'fixed'", (tenant, root)
        )
        return frozenset(row[0] for row in rows)

    def trend(self, root: str, *, tenant: str = "default", limit: int = 90) -> tuple[TrendPoint, ...]:
        rows = self._db.rows(
            "SELECT finished, score, open FROM runs WHERE tenant = ? AND root = ? ORDER BY id DESC LIMIT ?",
            (tenant, root, limit),
        )
        return tuple(
            TrendPoint(date=date, score=score, open=_counts_decoder.decode(counts))
            for date, score, counts in reversed(rows)
        )

    def findings(
        self,
        *,
        tenant: str = "default",
        root: str | None = None,
        states: tuple[FindingState, ...] = (FindingState.OPEN, FindingState.REOPENED),
        limit: int = 100_000,
    ) -> tuple[StoredFinding, ...]:
        marks = ",".join("?" * len(states))
        rows = self._db.rows(
            f"SELECT {COLUMNS} FROM findings WHERE tenant = ? AND (CAST(? AS TEXT) IS NULL OR root = ?)"  # noqa: S608 (marks only)
            f" AND state IN ({marks}) ORDER BY severity DESC, fingerprint, root LIMIT ?",
            (tenant, root, root, *states, limit),
        )
        return tuple(stored(row) for row in rows)

    def search(self, query: Query) -> Found:
        return searching.search(self._db, query)

    def last_runs(self, *, tenant: str = "default", limit: int = 200) -> tuple[LastRun, ...]:
        return searching.last_runs(self._db, tenant, limit)


def _row(report: Report, finding: Finding, state: FindingState, reopened: int, content: bytes) -> tuple[Any, ...]:
    ref, where = finding.resource, finding.where
    try:
        place, resource = _encode(where).decode(), _encode(ref).decode()
    except UnicodeEncodeError:
        # A file's name that is not UTF-8; the store keeps its nearest text.
        place = _encode(msgspec.structs.replace(where, file=clean(where.file), path=clean(where.path))).decode()
        cleaned = {name: clean(value) for name, value in msgspec.structs.asdict(ref).items()}
        resource = _encode(Ref(**cleaned)).decode()
    return (
        report.tenant,
        report.root,
        finding.fingerprint,
        finding.control,
        finding.revision,
        finding.severity.rank,
        str(finding.outcome),
        said(finding.title),
        said(finding.message),
        resource,
        clean(finding.element),
        place,
        _encode(_waiver(finding.waiver)).decode() if finding.waiver else None,
        str(state),
        report.finished,
        "",
        "",
        reopened,
        content,
        said(finding.evidence),
    )


def _content(finding: Finding) -> bytes:
    """Eight bytes that change when anything of the finding does."""
    return blake2b(_packed(finding), digest_size=8).digest()


def _packed(told: Any) -> bytes:
    try:
        return _pack(told)
    except UnicodeEncodeError:
        return repr(told).encode("utf-8", "surrogatepass")


def _digest(report: Report) -> bytes:
    """Changes when anything does that may move a finding: the findings, what could not be read, and what ran."""
    made = blake2b(digest_size=16)
    for start in range(0, len(report.findings), 500):
        findings = report.findings[start : start + 500]
        # The rest of a finding is in its fingerprint, or is its control's.
        made.update(_packed([(f.fingerprint, f.outcome, f.message, f.where, f.evidence, f.waiver) for f in findings]))
    controls = [(name, control.revision, control.severity, control.title) for name, control in report.controls.items()]
    told = repr((report.gaps, sorted(report.tallies), sorted(controls)))
    made.update(told.encode("utf-8", "surrogatepass"))
    return made.digest()


def _waiver(waiver: Waiver) -> Waiver:
    return Waiver(**{name: said(value) for name, value in msgspec.structs.asdict(waiver).items()})


def _unread(report: Report) -> str:
    return _encode([readable(gap) for gap in report.gaps[:UNREAD]]).decode()
