"""What the pages need from the rest of the process, by role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from bulkhead.app.ports import FindingStore, Journal, StoredFinding
from bulkhead.app.proposing import Proposed
from bulkhead.catalogue.index import Catalogue
from bulkhead.server.events import Event
from bulkhead.server.logs import Log
from bulkhead.server.metrics import Metrics
from bulkhead.server.scans import World
from bulkhead.server.threads import Threads
from bulkhead.server.tokens import Gate
from bulkhead.server.web.hosts import Hosts


class Plans(Protocol):
    """Plans repairs; blocks, and changes nothing."""

    def proposed(self, finding: StoredFinding) -> Proposed:
        """What would close the finding in its world as it is now.

        Raises:
            SourceError: the world cannot be read here.
        """
        ...


class Worlds(Protocol):
    """The worlds that are scanned here."""

    @property
    def worlds(self) -> Mapping[str, World]: ...

    def ask(self, target: str) -> None:
        """Raises UsageError where there is no such world."""
        ...


class Health(msgspec.Struct, frozen=True):
    """``state`` is starting, ready or stopping; ``jobs`` by name why each is not well, with ``restarts``."""

    state: str
    jobs: Mapping[str, str] = {}
    restarts: Mapping[str, int] = {}


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the pages are given.

    Attributes:
        undo: takes a change back; blocks; the targets.
        changed: told when something was done here that the journal knows.
        reads, plans_pool, changes: where blocking calls run.
        now: the instant, ISO 8601.
    """

    store: FindingStore
    journal: Journal
    catalogue: Catalogue
    tenant: str
    plans: Plans
    undo: Callable[[str], tuple[str, ...]]
    changed: Callable[[], None]
    scans: Worlds
    recent: Callable[[], tuple[Event, ...]]
    health: Callable[[], Health]
    metrics: Metrics
    log: Log
    gate: Gate
    hosts: Hosts
    metrics_open: bool
    reads: Threads
    plans_pool: Threads
    changes: Threads
    now: Callable[[], str]
