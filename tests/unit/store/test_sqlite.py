"""What only the SQLite store promises: privacy on disk, a known schema, a journal that survives kill -9."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bulkhead.app.ports import EntryState, StepState
from bulkhead.core.errors import StoreError
from bulkhead.core.plan import Plan, Step
from bulkhead.store.sqlite import open_state
from bulkhead.store.sqlite.connection import Connection
from bulkhead.store.sqlite.schema import MIGRATIONS, Migration
from tests.fakes.reports import finding, large, small

SECRET = b"s3cr3t-that-must-not-be-in-the-file"
AT = "2026-11-23T10:00:00+00:00"


def plan(n_steps: int = 1, *, before: bytes = SECRET) -> Plan:
    steps = tuple(
        Step(
            id=f"s{at}", channel="file", target=f"{at}.yaml", limit=1, needs=(), before=before, change=before + b"!",
            repairs=(), verify=(), undo="write back",
        )
        for at in range(n_steps)
    )  # fmt: skip
    return Plan(id="p", tenant="default", root="/srv", steps=steps, unfixed=())


def test_state_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    state = open_state(folder)
    state.journal.begin(plan(), actor="ada", at=AT)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    state.close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}
    assert {"state.db", "state.key", "state.db-wal"} <= set(modes)


def test_a_lax_folder_is_tightened(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    open_state(folder).close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "real")
    with pytest.raises(StoreError, match="not a folder"):
        open_state(tmp_path / "state")


def test_no_secret_in_the_clear(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state")
    entry = state.journal.begin(plan(), actor="ada", at=AT)
    raw = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir() if path.suffix != ".key")
    assert SECRET not in raw
    assert state.journal.entry(entry).steps[0].before == SECRET
    state.close()


def test_a_moved_or_changed_value_does_not_open(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state")
    entry = state.journal.begin(plan(2), actor="ada", at=AT)
    sql = "UPDATE steps SET before = (SELECT before FROM steps WHERE id = 's0') WHERE id = 's1'"
    state.connection.run(sql)
    with pytest.raises(StoreError, match="does not open"):
        state.journal.entry(entry)
    state.close()


def test_a_lost_key_is_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    state = open_state(folder)
    entry = state.journal.begin(plan(), actor="ada", at=AT)
    state.close()
    (folder / "state.key").unlink()
    again = open_state(folder)
    with pytest.raises(StoreError, match="key cannot be read"):
        again.journal.entry(entry)
    with pytest.raises(StoreError, match="key cannot be read"):
        again.journal.begin(plan(), actor="ada", at=AT)
    again.close()


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_an_open_key_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "state"
    state = open_state(folder)
    state.journal.begin(plan(), actor="ada", at=AT)
    state.close()
    (folder / "state.key").chmod(mode)
    again = open_state(folder)
    with pytest.raises(StoreError, match="open to others"):
        again.journal.begin(plan(), actor="ada", at=AT)
    again.close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    later = (*MIGRATIONS, Migration(len(MIGRATIONS) + 1, "later", ("CREATE TABLE later (x INTEGER) STRICT",)))
    Connection(path, migrations=later).close()
    with pytest.raises(StoreError, match="this program knows"):
        Connection(path)


def test_an_edited_migration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    Connection(path).close()
    other = (Migration(1, "runs and findings", ("CREATE TABLE other (x INTEGER) STRICT",)), *MIGRATIONS[1:])
    with pytest.raises(StoreError, match="not the one that was run"):
        Connection(path, migrations=other)


def test_an_older_store_is_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    Connection(path, migrations=MIGRATIONS[:1]).close()
    connection = Connection(path)
    assert connection.rows("SELECT version, checksum FROM migrations") == [
        (migration.version, migration.checksum) for migration in MIGRATIONS
    ]
    connection.close()


def test_a_failed_migration_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    broken = (*MIGRATIONS, Migration(3, "broken", ("CREATE TABLE half (x INTEGER) STRICT", "CREATE NONSENSE")))
    with pytest.raises(StoreError, match="syntax error"):
        Connection(path, migrations=broken)
    connection = Connection(path)
    assert connection.rows("SELECT name FROM sqlite_master WHERE name = 'half'") == []
    connection.close()


@pytest.mark.parametrize("content", [b"this is not a database at all, but a text" * 99, b"\x00" * 4096])
def test_what_is_no_store_is_refused(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "state.db").write_bytes(content)
    with pytest.raises(StoreError) as caught:
        open_state(folder)
    assert isinstance(caught.value.__cause__, sqlite3.Error)


def test_tables_are_strict_and_carry_their_tenant(tmp_path: Path) -> None:
    connection = Connection(tmp_path / "state.db")
    tables = [row[0] for row in connection.rows("SELECT name FROM pragma_table_list WHERE strict AND schema = 'main'")]
    assert sorted(tables) == ["entries", "findings", "migrations", "runs", "steps"]
    for table in set(tables) - {"migrations"}:
        assert ("tenant",) in connection.rows("SELECT name FROM pragma_table_info(?)", (table,))
    assert connection.rows("PRAGMA foreign_keys") == [(1,)]
    assert connection.rows("PRAGMA journal_mode") == [("wal",)]
    connection.close()


def test_a_failed_run_changes_nothing(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state")
    state.findings.record_run(small())
    before = state.findings.findings()
    state.connection.run("CREATE TRIGGER stop BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(StoreError):
        state.findings.record_run(large(100))
    assert state.findings.findings() == before
    state.close()


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state")
    state.findings.record_run(small())
    before = state.findings.findings()
    (pages,) = state.connection.rows("PRAGMA page_count")[0]
    state.connection.rows(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreError, match="disk is full"):
        state.findings.record_run(large(2000))
    with pytest.raises(StoreError, match="disk is full"):
        state.journal.begin(plan(before=b"x" * 100_000), actor="ada", at=AT)
    assert state.findings.findings() == before
    assert state.journal.entries() == ()
    state.close()


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state")
    report = small()
    from msgspec.structs import replace

    state.findings.record_run(replace(report, findings=(finding(file="a\udcff.yaml"),)))
    assert state.findings.findings()[0].where.file == "a\ufffd.yaml"
    state.close()


_CRASH = """
import os, sys
from pathlib import Path
from bulkhead.app.ports import EntryState, StepState
from bulkhead.store.sqlite import open_state
from tests.unit.store.test_sqlite import plan, AT
folder, stop = Path(sys.argv[1]), int(sys.argv[2])
journal = open_state(folder).journal
def point(n):
    if n == stop:
        print("here", flush=True)
        os.kill(os.getpid(), 9)
point(0)
entry = journal.begin(plan(2), actor="ada", at=AT)
point(1)
n = 2
for step in ("s0", "s1"):
    journal.mark_step(entry, step, StepState.APPLYING); point(n)
    journal.mark_step(entry, step, StepState.APPLIED); point(n + 1)
    n += 2
journal.finish(entry, EntryState.APPLIED)
point(6)
"""
_P, _A, _D = StepState.PLANNED, StepState.APPLYING, StepState.APPLIED


@pytest.mark.parametrize(
    ("stop", "expected"),
    [(0, None), (1, (_P, _P)), (2, (_A, _P)), (3, (_D, _P)), (4, (_D, _A)), (5, (_D, _D)), (6, (_D, _D))],
)
def test_a_kill_leaves_the_journal_whole(tmp_path: Path, stop: int, expected: tuple[StepState, ...] | None) -> None:
    """Whatever call was the last to return is what the next program finds."""
    folder = tmp_path / "state"
    done = subprocess.run(
        [sys.executable, "-c", _CRASH, str(folder), str(stop)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "here\n"), done.stderr
    state = open_state(folder)
    assert state.connection.rows("PRAGMA integrity_check") == [("ok",)]
    left = state.journal.unfinished()
    if expected is None or stop == 6:
        assert left == ()
    if expected is not None:
        entry = state.journal.entry(state.journal.entries()[0].id)
        assert tuple(step.state for step in entry.steps) == expected
        assert {step.before for step in entry.steps} == {SECRET}
        assert (entry.summary.state is EntryState.APPLIED) == (stop == 6)
    state.close()


def test_two_programs_share_a_store(tmp_path: Path) -> None:
    first, second = open_state(tmp_path / "state"), open_state(tmp_path / "state")
    first.findings.record_run(small())
    assert len(second.findings.findings()) == 5
    assert second.journal.entry(first.journal.begin(plan(), actor="a", at=AT)).steps[0].before == SECRET
    first.close()
    second.close()
