"""What happened, told on the bus, and the last of it kept for people.

Subjects: ``scan.finished``, ``scan.failed``, ``finding.opened``, ``finding.fixed``, ``journal.applied``, ``journal.undone``,
``journal.failed``. A payload is a JSON object of texts and numbers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from bulkhead.app.bus import Bus, Message
from bulkhead.app.ports import EntryState, EntrySummary, Journal
from bulkhead.report.text import cut, said
from bulkhead.server.logs import Log
from bulkhead.server.threads import Threads

KEPT: Final = 50
_LONG: Final = 500
_LOOK_SECONDS: Final = 5.0
_ENTRIES: Final = 200
_STORE_SECONDS: Final = 30.0
Facts = Mapping[str, str | int]


class Event(msgspec.Struct, frozen=True):
    at: str
    subject: str
    facts: Facts


async def tell(bus: Bus, subject: str, facts: Facts) -> None:
    """Publish; texts are bounded and hold no credential."""
    told = {name: cut(said(value), _LONG) if isinstance(value, str) else value for name, value in facts.items()}
    await bus.publish(subject, msgspec.json.encode(told))


class Recent:
    """The last events, newest first."""

    def __init__(self, bus: Bus, now: Callable[[], str]) -> None:
        self._bus, self._now = bus, now
        self._kept: deque[Event] = deque(maxlen=KEPT)

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(reversed(self._kept))

    async def run(self, stop: asyncio.Event) -> None:
        """A job: listens until ``stop``."""
        async with self._bus.subscribe(">") as heard:
            stopped = asyncio.ensure_future(stop.wait())
            try:
                while not stop.is_set():
                    coming = asyncio.ensure_future(anext(heard))
                    await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
                    if not coming.done():
                        coming.cancel()
                        return
                    self._keep(coming.result())
            finally:
                stopped.cancel()

    def _keep(self, message: Message) -> None:
        try:
            facts = msgspec.json.decode(message.payload, type=dict[str, str | int])
        except msgspec.DecodeError:
            facts = {}
        self._kept.append(Event(self._now(), message.subject, facts))


_SUBJECTS: Final = {
    EntryState.APPLIED: "journal.applied",
    EntryState.UNDONE: "journal.undone",
    EntryState.FAILED: "journal.failed",
}


class JournalWatch:
    """Tells of changes that any process made: the command line writes into the same journal."""

    def __init__(self, journal: Callable[[], Journal], tenant: str, bus: Bus, threads: Threads, log: Log) -> None:
        self._journal, self._tenant, self._bus, self._threads, self._log = journal, tenant, bus, threads, log
        self._known: dict[str, EntryState] | None = None
        self._look = asyncio.Event()

    def look(self) -> None:
        """Look now: something was done here."""
        self._look.set()

    async def run(self, stop: asyncio.Event, *, every: float = _LOOK_SECONDS) -> None:
        """A job: until ``stop``."""
        while not stop.is_set():
            await self.once()
            waits = {asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._look.wait())}
            try:
                await asyncio.wait(waits, timeout=every, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            self._look.clear()

    async def once(self) -> None:
        """Raises StoreError, LimitExceeded: the journal cannot be read now."""
        entries = await self._threads.run(
            lambda: self._journal().entries(tenant=self._tenant, limit=_ENTRIES), seconds=_STORE_SECONDS
        )
        known, self._known = self._known, {item.id: item.state for item in entries}
        if known is None:
            # What was there before we came is no news.
            return
        for item in reversed(entries):
            if item.state in _SUBJECTS and known.get(item.id) is not item.state:
                await self._told(item)

    async def _told(self, item: EntrySummary) -> None:
        facts: Facts = {"entry": item.id, "root": item.root, "actor": item.actor, "targets": len(item.targets)}
        self._log.info(_SUBJECTS[item.state], **facts)
        await tell(self._bus, _SUBJECTS[item.state], facts)
