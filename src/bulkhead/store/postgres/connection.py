"""One connection to one database: at the schema this program knows, with its errors mapped.

Writers take one advisory lock for the length of a transaction, as SQLite lets one writer in at a time: a run reads what the
run before left before it writes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from bulkhead.core.errors import StoreError
from bulkhead.store.postgres.schema import LEDGER, MIGRATIONS

if TYPE_CHECKING:
    import psycopg

_LOCK: Final = 0x62756C6B
"""``bulk``: ours alone in a database that others use too."""
_SECONDS: Final = 10
_OLDEST: Final = 130000


class Connection:
    """Serialises the threads of one process; opened again when the server went away between two calls."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.RLock()
        self._depth = 0
        self.where = _place(url)
        with self._mapped():
            self._db = self._opened()
        try:
            if self._db.info.server_version < _OLDEST:
                raise StoreError("PostgreSQL is too old", where=self.where, hint="13 or later is needed")
            with self.transaction():
                self._migrate()
        except BaseException:
            self._db.close()
            raise

    def _opened(self) -> psycopg.Connection[tuple[Any, ...]]:
        import psycopg

        return psycopg.connect(
            self._url, autocommit=True, connect_timeout=_SECONDS, application_name="bulkhead",
            options=f"-c lock_timeout={_SECONDS}s -c idle_in_transaction_session_timeout=60s -c synchronous_commit=on",
        )  # fmt: skip

    def _migrate(self) -> None:
        self.run(LEDGER)
        done: dict[int, str] = {row[0]: row[1] for row in self.rows("SELECT version, checksum FROM migrations")}
        if newer := [version for version in done if version > len(MIGRATIONS)]:
            raise StoreError(
                f"the store has schema {max(newer)} and this program knows {len(MIGRATIONS)}", where=self.where,
                hint="use the newer program that wrote it, or another database",
            )  # fmt: skip
        for migration in MIGRATIONS:
            if migration.version not in done:
                for statement in migration.statements:
                    self.run(statement)
                row = (migration.version, migration.name, migration.checksum)
                self.run("INSERT INTO migrations VALUES (?, ?, ?)", row)
            elif done[migration.version] != migration.checksum:
                raise StoreError(f"migration {migration.version} is not the one that was run", where=self.where)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._lock, self._mapped():
            self._alive()
            with self._db.transaction():
                self._db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1

    def _alive(self) -> None:
        """A connection that broke while nothing was under way is made anew; in a transaction it is an error."""
        if self._db.closed or self._db.broken:
            self._db = self._opened()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock, self._mapped():
            if not self._depth:
                self._alive()
            return [tuple(map(_plain, row)) for row in self._db.execute(_spoken(sql), values).fetchall()]

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        with self._lock, self._mapped():
            if not self._depth:
                self._alive()
            return self._db.execute(_spoken(sql), values).rowcount

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        given = list(values)
        if not given:
            return
        with self._lock, self._mapped(), self._db.cursor() as cursor:
            cursor.executemany(_spoken(sql), given)

    def close(self) -> None:
        with self._lock, self._mapped():
            self._db.close()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            # The driver's own words may hold the address with its password: the class and the server's message do not.
            said = error.diag.message_primary or type(error).__name__
            hint = "is it running, and may this user connect?" if isinstance(error, psycopg.OperationalError) else ""
            raise StoreError(f"the store failed: {said}", where=self.where, hint=hint) from None


def _spoken(sql: str) -> Any:
    """Our SQL has no percent signs and no question marks but its parameters."""
    return sql.replace("?", "%s")


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _place(url: str) -> str:
    """The address without user and password."""
    rest = url.partition("://")[2] or url
    return "postgresql://" + rest.rpartition("@")[2].partition("?")[0]
