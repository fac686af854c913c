"""What a run sees unchanged is not written again, and still counts as seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkhead.app.ports import RunDiff
from bulkhead.core.finding import Finding
from bulkhead.core.resource import Gap
from bulkhead.report.model import Report
from bulkhead.store.sql.findings import SqlFindings
from bulkhead.store.sqlite import open_state
from tests.fakes.reports import finding

A, B = finding("a", name="one"), finding("b", name="two")
HIDDEN = (Gap(where="deploy", code="B200", reason="not readable"),)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlFindings]:
    state = open_state(tmp_path / "state")
    assert isinstance(state.findings, SqlFindings)
    yield state.findings
    state.close()


def run(day: int, *findings: Finding, gaps: tuple[Gap, ...] = ()) -> Report:
    at = f"2026-11-{day:02}T10:00:00+00:00"
    return Report(
        tool_version="0", tenant="default", root="/srv", started=at, finished=at, profile="all", findings=findings,
        gaps=gaps, tallies={"a": {}, "b": {}},
    )  # fmt: skip


def last_seen(store: SqlFindings) -> dict[str, str]:
    return {item.control: item.last_seen[8:10] for item in store.findings()}


def test_the_same_run_again_is_seen_again(store: SqlFindings) -> None:
    store.record_run(run(1, A, B))
    assert store.record_run(run(2, A, B)) == RunDiff(still=tuple(sorted((A.fingerprint, B.fingerprint))))
    assert last_seen(store) == {"a": "02", "b": "02"}


def test_what_a_gap_hides_was_last_seen_before_it_and_is_seen_again_after_it(store: SqlFindings) -> None:
    store.record_run(run(1, A, B))
    store.record_run(run(2, A, B))
    assert store.record_run(run(3, A, gaps=HIDDEN)).still == tuple(sorted((A.fingerprint, B.fingerprint)))
    assert last_seen(store) == {"a": "03", "b": "02"}
    store.record_run(run(4, A, gaps=HIDDEN))
    assert last_seen(store) == {"a": "04", "b": "02"}
    store.record_run(run(5, A, B))
    assert last_seen(store) == {"a": "05", "b": "05"}


def test_a_change_of_words_or_lines_is_written(store: SqlFindings) -> None:
    store.record_run(run(1, finding("a", name="one", line=3, message="old")))
    store.record_run(run(2, finding("a", name="one", line=9, message="new")))
    [kept] = store.findings()
    assert (kept.where.line, kept.message) == (9, "new")


def test_what_was_fixed_was_last_seen_before(store: SqlFindings) -> None:
    store.record_run(run(1, A, B))
    store.record_run(run(2, A))
    store.record_run(run(3, A, B))
    assert last_seen(store) == {"a": "03", "b": "03"}
