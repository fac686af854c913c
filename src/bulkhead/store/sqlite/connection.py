"""One connection to one file: private, in WAL mode, at the schema this program knows, with its errors mapped."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bulkhead.core.errors import StoreError
from bulkhead.store.private import private_file
from bulkhead.store.sqlite.schema import LEDGER, MIGRATIONS, Migration

BUSY_SECONDS = 10.0
# STRICT tables came with 3.37.
_OLDEST = (3, 37)


class Connection:
    """Serialises the threads of one process; other processes are held off by SQLite's own locks."""

    def __init__(self, path: Path, *, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        self.path = path
        self._lock = threading.RLock()
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StoreError("SQLite is too old", where=sqlite3.sqlite_version, hint="3.37 or later is needed")
        private_file(path)
        with self._mapped():
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                self._prepare(migrations)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, migrations: Sequence[Migration]) -> None:
        if stat.S_IMODE(self.path.stat().st_mode) != 0o600:
            self.path.chmod(0o600)
        self._db.execute("PRAGMA journal_mode = WAL")
        # The journal is written ahead of the change it describes, so a commit must reach the disk.
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("PRAGMA trusted_schema = OFF")
        # 32 MB: a run of thirty thousand findings stays in memory until it is committed.
        self._db.execute("PRAGMA cache_size = -32000")
        # What was deleted may have been secret.
        self._db.execute("PRAGMA secure_delete = ON")
        with self.transaction():
            self._migrate(migrations)

    def _migrate(self, migrations: Sequence[Migration]) -> None:
        self._db.execute(LEDGER)
        done: dict[int, str] = dict(self._db.execute("SELECT version, checksum FROM migrations").fetchall())
        if newer := [version for version in done if version > len(migrations)]:
            raise StoreError(
                f"the store has schema {max(newer)} and this program knows {len(migrations)}",
                where=str(self.path),
                hint="use the newer program that wrote it, or another state folder",
            )
        for migration in migrations:
            if migration.version not in done:
                for statement in migration.statements:
                    self._db.execute(statement)
                row = (migration.version, migration.name, migration.checksum)
                self._db.execute("INSERT INTO migrations VALUES (?, ?, ?)", row)
            elif done[migration.version] != migration.checksum:
                raise StoreError(f"migration {migration.version} is not the one that was run", where=str(self.path))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; the write lock is taken at once, so nobody deadlocks upgrading a read."""
        with self._lock, self._mapped():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock, self._mapped():
            return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """How many rows changed."""
        with self._lock, self._mapped():
            return self._db.execute(sql, values).rowcount

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        with self._lock, self._mapped():
            self._db.executemany(sql, values)

    def close(self) -> None:
        with self._lock, self._mapped():
            self._db.close()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
            hints = {
                "SQLITE_BUSY": "another process holds the store; try again",
                "SQLITE_FULL": "the disk is full",
                "SQLITE_NOTADB": "the file is not a store; move it away",
                "SQLITE_CORRUPT": "the file is damaged; move it away",
                "SQLITE_READONLY": "the file or its folder cannot be written",
            }
            raise StoreError(f"the store failed: {error}", where=str(self.path), hint=hints.get(name, "")) from error
