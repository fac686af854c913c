"""The state folder: ``state.db``, its key ``state.key``, and the adapters over them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bulkhead.store.private import private_folder
from bulkhead.store.sql.findings import SqlFindings
from bulkhead.store.sql.journal import SqlJournal
from bulkhead.store.sql.seal import Seal
from bulkhead.store.sqlite.connection import Connection

DATABASE = "state.db"
KEY = "state.key"


class State(msgspec.Struct, frozen=True):
    findings: SqlFindings
    journal: SqlJournal
    connection: Connection

    def close(self) -> None:
        self.connection.close()


def open_state(folder: Path) -> State:
    """Open the state in the folder, made with mode 0700 where it is absent and brought to today's schema.

    Raises StoreError where the folder is another's, the file is no store, or a newer program wrote it.
    """
    private_folder(folder)
    connection = Connection(folder / DATABASE)
    sealed_before = bool(connection.rows("SELECT 1 FROM entries LIMIT 1"))
    seal = Seal(folder / KEY, may_create=not sealed_before)
    return State(SqlFindings(connection), SqlJournal(connection, seal), connection)
