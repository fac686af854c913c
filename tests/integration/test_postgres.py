"""PostgreSQL as a store: what a shared database adds to the contract of every store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bulkhead.core.errors import StoreError
from bulkhead.store.postgres import open_state
from bulkhead.store.postgres.connection import _place
from tests.contract.test_store import A, B, run
from tests.integration.database import postgres


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres() as address:
        yield address


def test_two_writers_do_not_lose_each_others_findings(url: str, tmp_path: Path) -> None:
    states = [open_state(url, tmp_path / "state") for _ in range(2)]
    failures: list[StoreError] = []

    def write(number: int) -> None:
        try:
            for day in range(1, 8):
                states[number].findings.record_run(run(A, B, day=day, root=f"/r{number}", tenant="both"))
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert len(states[0].findings.findings(tenant="both")) == 4
    for state in states:
        state.close()


def test_a_server_that_drops_the_connection_is_asked_again(url: str, tmp_path: Path) -> None:
    state = open_state(url, tmp_path / "state")
    state.findings.record_run(run(A, tenant="cut"))
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bulkhead'")
    with pytest.raises(StoreError):
        state.findings.findings(tenant="cut")
    assert len(state.findings.findings(tenant="cut")) == 1
    state.close()


def test_no_password_in_what_goes_wrong(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        open_state("postgresql://ada:s3cr3t@127.0.0.1:9/none", tmp_path / "state")
    assert "s3cr3t" not in str(caught.value)
    assert _place("postgresql://ada:s3cr3t@db:5432/x?sslmode=require&password=s3cr3t") == "postgresql://db:5432/x"


def test_a_store_of_a_newer_program_is_left_alone(url: str, tmp_path: Path) -> None:
    open_state(url, tmp_path / "state").close()
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("INSERT INTO migrations VALUES (99, 'later', 'x')")
    try:
        with pytest.raises(StoreError, match="schema 99"):
            open_state(url, tmp_path / "state")
    finally:
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("DELETE FROM migrations WHERE version = 99")
