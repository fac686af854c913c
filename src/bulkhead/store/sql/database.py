"""What the SQL needs of a database. Parameters are ``?``, texts sort by their bytes, and writers are one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Database(Protocol):
    """Every error of the database is raised as a StoreError."""

    def transaction(self) -> AbstractContextManager[None]:
        """All of it or nothing; who writes holds the lock from the beginning."""
        ...

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """How many rows changed."""
        ...

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None: ...

    def close(self) -> None: ...
