"""The database with the adapters over it; its key stays in the state folder of each machine that opens it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bulkhead.store.postgres.connection import Connection
from bulkhead.store.private import private_folder
from bulkhead.store.sql.findings import SqlFindings
from bulkhead.store.sql.journal import SqlJournal
from bulkhead.store.sql.seal import Seal
from bulkhead.store.sqlite.state import KEY


class State(msgspec.Struct, frozen=True):
    findings: SqlFindings
    journal: SqlJournal
    connection: Connection

    def close(self) -> None:
        self.connection.close()


def open_state(url: str, folder: Path) -> State:
    """Open the database, brought to today's schema; the journal is sealed under the key in the folder.

    Machines that share a database share the key: without it an entry is known and cannot be undone.

    Raises:
        StoreError: the database cannot be used, or a newer program wrote it.
    """
    private_folder(folder)
    connection = Connection(url)
    sealed_before = bool(connection.rows("SELECT 1 FROM entries LIMIT 1"))
    seal = Seal(folder / KEY, may_create=not sealed_before)
    return State(SqlFindings(connection), SqlJournal(connection, seal), connection)
