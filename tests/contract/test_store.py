"""What every store must do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg
import pytest

from bulkhead.app.ports import (
    UNREAD,
    EntryState,
    FileFacts,
    FindingState,
    FindingStore,
    Journal,
    Query,
    RunDiff,
    StepState,
)
from bulkhead.core.errors import Conflict, StoreError
from bulkhead.core.finding import Finding, Waiver
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.core.plan import Edit, Plan, Repair, Step
from bulkhead.core.resource import Gap
from bulkhead.report.model import Report
from bulkhead.store.postgres import open_state as open_postgres
from bulkhead.store.sqlite import open_state
from tests.fakes.reports import finding
from tests.fakes.store import MemoryFindings, MemoryJournal
from tests.integration.database import postgres


@dataclass
class Store:
    findings: FindingStore
    journal: Journal


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield Store(MemoryFindings(), MemoryJournal())
        return
    if request.param == "sqlite":
        state = open_state(tmp_path / "state")
        yield Store(state.findings, state.journal)
        state.close()
        return
    url: str = request.getfixturevalue("database")
    with psycopg.connect(url, autocommit=True) as cleared:
        cleared.execute("DROP SCHEMA public CASCADE")
        cleared.execute("CREATE SCHEMA public")
    made = open_postgres(url, tmp_path / "state")
    yield Store(made.findings, made.journal)
    made.close()


def run(
    *findings: Finding,
    day: int = 1,
    gaps: tuple[Gap, ...] = (),
    root: str = "/srv",
    tenant: str = "default",
    ran: str = "a b c",
) -> Report:
    return Report(
        tool_version="0",
        tenant=tenant,
        root=root,
        started=f"2026-11-{day:02}T10:00:00+00:00",
        finished=f"2026-11-{day:02}T10:00:01+00:00",
        profile="default",
        findings=findings,
        gaps=gaps,
        tallies={control: {} for control in ran.split()},
        score=float(day),
    )


A = finding("a", name="one", severity=Severity.LOW)
B = finding("b", name="two", severity=Severity.CRITICAL)
A_WAIVED = msgspec.structs.replace(
    A, waiver=Waiver(reason="agreed", owner="ada", expires="2027-01-01", origin="x.yaml")
)


def names(*findings: Finding) -> tuple[str, ...]:
    return tuple(sorted(item.fingerprint for item in findings))


def test_a_finding_lives(store: Store) -> None:
    """New, still, fixed, reopened; with the days on which that was seen."""
    record = store.findings.record_run
    assert record(run(A, B, day=1)) == RunDiff(new=names(A, B))
    assert record(run(A, B, day=2)) == RunDiff(still=names(A, B))
    assert record(run(B, day=3)) == RunDiff(still=names(B), fixed=names(A))
    assert record(run(B, day=4)) == RunDiff(still=names(B))
    assert record(run(A, B, day=5)) == RunDiff(still=names(B), reopened=names(A))
    assert record(run(A, B, day=6)) == RunDiff(still=names(A, B))
    worst, other = store.findings.findings()
    assert (worst.fingerprint, other.fingerprint) == (B.fingerprint, A.fingerprint)
    assert (other.state, other.reopened_count, other.fixed_at) == (FindingState.REOPENED, 1, "")
    assert (other.first_seen[:10], other.last_seen[:10]) == ("2026-11-01", "2026-11-06")
    assert (other.resource, other.where, other.message) == (A.resource, A.where, A.message)


def test_fixed_findings_say_when(store: Store) -> None:
    store.findings.record_run(run(A, day=1))
    store.findings.record_run(run(day=2))
    assert store.findings.findings() == ()
    (gone,) = store.findings.findings(states=(FindingState.FIXED,))
    assert gone.fixed_at.startswith("2026-11-02")


def test_a_control_that_did_not_run_fixes_nothing(store: Store) -> None:
    store.findings.record_run(run(A, B, day=1))
    assert store.findings.record_run(run(day=2, ran="b c")) == RunDiff(still=names(A), fixed=names(B))


@pytest.mark.parametrize(
    ("gap", "fixed"),
    [
        (Gap(where="deploy/web.yaml", code="B220", reason="r"), False),
        (Gap(where="deploy", code="B200", reason="r"), False),
        (Gap(where="deploy/", code="B200", reason="r"), False),
        (Gap(where="", code="B200", reason="r"), False),
        (Gap(where="Deployment", code="forbidden", reason="r", hides=("Deployment",)), False),
        (Gap(where="deploy/web.yaml", code="x", reason="r", hides=("Secret",)), True),
        (Gap(where="deploy/we", code="B220", reason="r"), True),
        (Gap(where="other.yaml", code="B220", reason="r"), True),
    ],
)
def test_not_seen_is_not_fixed(store: Store, gap: Gap, fixed: bool) -> None:
    store.findings.record_run(run(A, day=1))
    diff = store.findings.record_run(run(day=2, gaps=(gap,)))
    assert diff == (RunDiff(fixed=names(A)) if fixed else RunDiff(still=names(A)))


def test_waivers(store: Store) -> None:
    """A waived finding is neither new nor still; when its waiver ends it is reopened."""
    record = store.findings.record_run
    assert record(run(A_WAIVED, day=1)) == RunDiff()
    assert store.findings.findings() == ()
    (held,) = store.findings.findings(states=(FindingState.WAIVED,))
    assert held.waiver == A_WAIVED.waiver
    assert record(run(A, day=2)) == RunDiff(reopened=names(A))
    assert record(run(A_WAIVED, day=3)) == RunDiff()
    assert store.findings.baseline("/srv") == frozenset(names(A))
    assert record(run(day=4)) == RunDiff(fixed=names(A))


def test_passes_are_not_findings(store: Store) -> None:
    store.findings.record_run(run(A, day=1))
    passed = msgspec.structs.replace(A, outcome=Outcome.PASS)
    assert store.findings.record_run(run(passed, day=2)) == RunDiff(fixed=names(A))


def test_an_error_keeps_a_finding_open(store: Store) -> None:
    store.findings.record_run(run(A, day=1))
    unread = msgspec.structs.replace(A, outcome=Outcome.ERROR)
    assert store.findings.record_run(run(unread, day=2)) == RunDiff(still=names(A))
    assert store.findings.findings()[0].outcome is Outcome.ERROR


def test_the_same_finding_twice_counts_once(store: Store) -> None:
    assert store.findings.record_run(run(A, A)) == RunDiff(new=names(A))


def test_tenants_and_roots_are_apart(store: Store) -> None:
    store.findings.record_run(run(A, day=1))
    assert store.findings.record_run(run(A, day=1, tenant="other")) == RunDiff(new=names(A))
    assert store.findings.record_run(run(A, day=1, root="/opt")) == RunDiff(new=names(A))
    store.findings.record_run(run(day=2, tenant="other"))
    assert store.findings.baseline("/srv", tenant="other") == frozenset()
    assert store.findings.baseline("/srv") == store.findings.baseline("/opt") == frozenset(names(A))
    assert len(store.findings.findings()) == 2
    assert store.findings.findings(tenant="nobody") == ()
    assert store.findings.trend("/srv", tenant="nobody") == ()


def test_trend(store: Store) -> None:
    for day in (1, 2, 3):
        store.findings.record_run(run(*(A, B)[:day], day=day))
    points = store.findings.trend("/srv", limit=2)
    assert [(point.score, dict(point.open)) for point in points] == [
        (2.0, {"low": 1, "critical": 1}),
        (3.0, {"low": 1, "critical": 1}),
    ]


def plan(*targets: str, tenant: str = "default") -> Plan:
    steps = tuple(
        Step(
            id=f"s{at}",
            channel="file",
            target=target,
            limit=1,
            needs=("write",),
            before=None if target.startswith("new") else b"password: before\xff",
            change=b"password: after\x00",
            repairs=(
                Repair(
                    fingerprint="f",
                    control="c",
                    mitigation="m",
                    mode="auto",
                    edits=(Edit(op="set", path=("a", 0), value={"x": 1}),),
                ),
            ),
            verify=("f",),
            undo="write back",
        )
        for at, target in enumerate(targets)
    )
    return Plan(id="p1", tenant=tenant, root="/srv", steps=steps, unfixed=())


AT = "2026-11-23T10:00:00+00:00"


def begun(store: Store, *targets: str, tenant: str = "default") -> str:
    facts = {"s0": FileFacts(mode=0o640, uid=7, gid=8)}
    return store.journal.begin(plan(*targets, tenant=tenant), actor="ada", at=AT, facts=facts)


def apply(store: Store, entry: str, *steps: str) -> None:
    for step in steps:
        store.journal.mark_step(entry, step, StepState.APPLYING)
        store.journal.mark_step(entry, step, StepState.APPLIED)


def test_an_entry_keeps_everything(store: Store) -> None:
    entry = begun(store, "a.yaml", "new.yaml")
    held = store.journal.entry(entry)
    assert held.plan == plan("a.yaml", "new.yaml")
    assert (held.summary.actor, held.summary.at, held.summary.root) == ("ada", AT, "/srv")
    first, second = held.steps
    assert (first.before, first.after, first.existed) == (b"password: before\xff", b"password: after\x00", True)
    assert (first.mode, first.uid, first.gid) == (0o640, 7, 8)
    assert (second.before, second.before_sha256, second.existed) == (None, "", False)
    assert first.after_sha256 == second.after_sha256


def test_apply_and_undo(store: Store) -> None:
    entry = begun(store, "a.yaml")
    assert [item.id for item in store.journal.unfinished()] == [entry]
    apply(store, entry, "s0")
    assert [item.state for item in store.journal.unfinished()] == [EntryState.APPLYING]
    store.journal.finish(entry, EntryState.APPLIED)
    assert store.journal.unfinished() == ()
    store.journal.mark_step(entry, "s0", StepState.UNDOING)
    assert [item.id for item in store.journal.unfinished()] == [entry]
    store.journal.mark_step(entry, "s0", StepState.UNDONE)
    store.journal.finish(entry, EntryState.UNDONE)
    assert store.journal.entries()[0].state is EntryState.UNDONE


@pytest.mark.parametrize("state", [StepState.APPLIED, StepState.UNDOING, StepState.UNDONE, StepState.PLANNED])
def test_a_step_is_announced_before_it_is_done(store: Store, state: StepState) -> None:
    entry = begun(store, "a.yaml")
    with pytest.raises(Conflict):
        store.journal.mark_step(entry, "s0", state)
    assert store.journal.entry(entry).steps[0].state is StepState.PLANNED


def test_an_end_that_the_steps_do_not_bear_out_is_refused(store: Store) -> None:
    entry = begun(store, "a.yaml", "b.yaml")
    apply(store, entry, "s0")
    for state in (EntryState.APPLIED, EntryState.UNDONE, EntryState.PLANNED, EntryState.APPLYING):
        with pytest.raises(Conflict):
            store.journal.finish(entry, state)
    store.journal.mark_step(entry, "s1", StepState.APPLYING)
    with pytest.raises(Conflict):
        store.journal.finish(entry, EntryState.FAILED)
    store.journal.mark_step(entry, "s1", StepState.FAILED)
    store.journal.finish(entry, EntryState.FAILED)
    assert store.journal.unfinished() == ()


def test_recovery_may_find_that_nothing_was_touched(store: Store) -> None:
    entry = begun(store, "a.yaml")
    store.journal.mark_step(entry, "s0", StepState.APPLYING)
    store.journal.mark_step(entry, "s0", StepState.PLANNED)
    store.journal.finish(entry, EntryState.UNDONE)


def test_entries_are_newest_first_and_bounded(store: Store) -> None:
    made = [begun(store, f"{at}.yaml") for at in range(4)]
    assert [item.id for item in store.journal.entries(limit=3)] == made[:0:-1]
    assert store.journal.entries(root="/other") == ()
    assert [item.targets for item in store.journal.entries(limit=1)] == [("3.yaml",)]


def test_a_beginning_of_an_id_will_do(store: Store) -> None:
    entry = begun(store, "a.yaml")
    assert store.journal.entry(entry[:12]).summary.id == entry
    begun(store, "b.yaml")
    with pytest.raises(Conflict):
        store.journal.entry(entry[:5])


@pytest.mark.parametrize("name", ["", "nope", "%", "2026____-"])
def test_unknown_entries(store: Store, name: str) -> None:
    begun(store, "a.yaml")
    with pytest.raises(StoreError):
        store.journal.entry(name)
    with pytest.raises(StoreError):
        store.journal.finish(name, EntryState.FAILED)
    with pytest.raises(StoreError):
        store.journal.mark_step(name, "s0", StepState.APPLYING)


def test_journals_of_tenants_are_apart(store: Store) -> None:
    entry = begun(store, "a.yaml", tenant="other")
    assert store.journal.entries() == store.journal.unfinished() == ()
    with pytest.raises(StoreError):
        store.journal.entry(entry)
    with pytest.raises(StoreError):
        store.journal.mark_step(entry, "s0", StepState.APPLYING)
    assert store.journal.entry(entry, tenant="other").summary.id == entry


def test_progress_of_a_step_is_kept(store: Store) -> None:
    """The last note counts; it is the step's own, and comes back as it was given."""
    entry = begun(store, "a", "b")
    assert [step.progress for step in store.journal.entry(entry).steps] == [b"", b""]
    store.journal.note(entry, "s0", b'{"old":"1"}')
    store.journal.note(entry, "s0", b'{"new":"2","old":"1"}')
    assert [step.progress for step in store.journal.entry(entry).steps] == [b'{"new":"2","old":"1"}', b""]
    for name, step, tenant in ((entry, "s9", "default"), ("nothing", "s0", "default"), (entry, "s0", "other")):
        with pytest.raises(StoreError):
            store.journal.note(name, step, b"{}", tenant=tenant)


def test_evidence_is_kept(store: Store) -> None:
    shown = msgspec.structs.replace(A, evidence="mode 666")
    store.findings.record_run(run(shown))
    assert [item.evidence for item in store.findings.findings()] == ["mode 666"]
    store.findings.record_run(run(msgspec.structs.replace(A, evidence="mode 777"), day=2))
    assert [item.evidence for item in store.findings.findings()] == ["mode 777"]


def test_findings_are_searched_and_paged(store: Store) -> None:
    many = [
        finding("a", name=f"web{number}", severity=Severity.LOW, message=f"nothing 100% {number}")
        for number in range(5)
    ]
    store.findings.record_run(run(*many, B, day=1))
    store.findings.record_run(run(A, day=1, root="/opt"))

    def search(**wanted: object) -> list[str]:
        found = store.findings.search(Query(**wanted))  # type: ignore[arg-type]
        assert found.total == len(found.findings)
        return [item.resource.name for item in found.findings]

    assert len(search()) == 7
    assert search()[0] == "two", "the worst first"
    assert search(root="/opt") == ["one"]
    assert search(tenant="other") == []
    assert search(severities=(Severity.CRITICAL, Severity.HIGH)) == ["two"]
    assert search(controls=("b", "c")) == ["two"]
    assert search(outcomes=(Outcome.ERROR,)) == []
    assert len(search(outcomes=(Outcome.ERROR, Outcome.FAIL))) == 7
    assert search(text="WEB3") == search(text="100% 3") == ["web3"]
    assert search(text="deploy/web.yaml", severities=(Severity.CRITICAL,)) == ["two"]
    for nothing in ("1_0", "%%", '"name":', "uid", "origin", "end_line", "!", "' OR 1=1 --"):
        assert search(text=nothing) == [], nothing
    assert search(fingerprint=B.fingerprint) == ["two"]
    assert search(fingerprint=A.fingerprint, root="/srv") == []
    assert search(states=(FindingState.FIXED,)) == []
    first = store.findings.search(Query(limit=4))
    rest = store.findings.search(Query(limit=4, offset=4))
    assert (first.total, len(first.findings), len(rest.findings)) == (7, 4, 3)
    assert len({(item.root, item.fingerprint) for item in (*first.findings, *rest.findings)}) == 7
    assert store.findings.search(Query(limit=4, offset=40)).findings == ()
    store.findings.record_run(run(day=2, root="/opt"))
    assert search(states=(), root="/opt") == ["one"], "no state chooses all of them"


def test_the_last_run_of_every_root(store: Store) -> None:
    """With what it could not read, bounded and without secrets; the run before it does not tell its own any more."""
    gap = Gap(where="deploy/x.yaml", code="B220", reason="not YAML", hint="look", hides=("Pod",), line=3)
    leak = Gap(where="x", code="y", reason="postgres://ada:hunter2@db/x " + "x" * 2000)
    store.findings.record_run(run(A, day=1, gaps=(gap, leak)))
    store.findings.record_run(run(A, B, day=2, root="/opt"))
    store.findings.record_run(run(A, day=3, tenant="other"))
    newest, older = store.findings.last_runs()
    assert (newest.root, newest.finished[:10], newest.score, newest.gaps) == ("/opt", "2026-11-02", 2.0, 0)
    assert dict(newest.open) == {"low": 1, "critical": 1}
    assert (older.root, older.gaps, older.unread[0]) == ("/srv", 2, gap)
    assert "hunter2" not in older.unread[1].reason
    assert len(older.unread[1].reason) <= 500
    assert [item.root for item in store.findings.last_runs(limit=1)] == ["/opt"]
    assert store.findings.last_runs(tenant="nobody") == ()
    store.findings.record_run(run(A, day=4, gaps=(gap,) * (UNREAD + 5)))
    last = store.findings.last_runs()[0]
    assert (last.root, last.gaps, len(last.unread)) == ("/srv", UNREAD + 5, UNREAD)
