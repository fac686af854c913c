"""The worlds of the settings, scanned on a schedule or when somebody asks, one after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from bulkhead.app.bus import Bus
from bulkhead.app.ports import FindingState, FindingStore, Query
from bulkhead.bootstrap.worlds import Done
from bulkhead.core.errors import BulkheadError, UsageError
from bulkhead.server.events import Facts, tell
from bulkhead.server.logs import Log
from bulkhead.server.metrics import Metrics
from bulkhead.server.threads import Threads

SCAN_SECONDS: Final = 3600.0
TOLD: Final = 1000
"""Findings told one by one after a scan; the numbers of ``scan.finished`` hold all of them."""


class World(msgspec.Struct):
    """One world of the settings.

    Attributes:
        target: as the settings have it.
        root: the name of its runs in the store; empty while it cannot be told.
        trouble: why the last scan failed; empty when it did not.
    """

    target: str
    root: str = ""
    state: Literal["idle", "waiting", "running"] = "idle"
    trouble: str = ""
    finished: str = ""
    due: float = 0.0


class Ways(msgspec.Struct, frozen=True):
    """How worlds are scanned and named, what is kept of them, and what time it is; the first three block."""

    scan: Callable[[str], Done]
    root_of: Callable[[str], str]
    store: Callable[[], FindingStore | None]
    now: Callable[[], str]


class Told(msgspec.Struct, frozen=True):
    """Who is told of it."""

    bus: Bus
    log: Log
    metrics: Metrics


class Scans:
    """Runs in the loop; the scan itself in a thread of its own."""

    def __init__(
        self, targets: tuple[str, ...], ways: Ways, told: Told, threads: Threads, *, every: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._ways, self._every, self._clock, self._threads = ways, every, clock, threads
        self._bus, self._log, self._metrics = told.bus, told.log, told.metrics
        self._asked = asyncio.Event()
        self.worlds = {target: World(target, self._named(target)) for target in dict.fromkeys(targets)}

    def _named(self, target: str) -> str:
        try:
            return self._ways.root_of(target)
        except BulkheadError:
            # A cluster whose kubeconfig is wrong today: its scan tells.
            return ""

    def ask(self, target: str) -> None:
        """Scan it as soon as the one under way is done. Raises UsageError where the settings have no such world."""
        world = self.worlds.get(target)
        if world is None:
            raise UsageError("no world of the settings is called like that", where=target[:200])
        if world.state == "idle":
            world.state = "waiting"
            self._asked.set()

    async def run(self, stop: asyncio.Event) -> None:
        """A job: until ``stop``. A scan under way is left to itself then: it reads, and what it writes is all or nothing."""
        stopped = asyncio.ensure_future(stop.wait())
        try:
            while not stop.is_set():
                world = self._next()
                if world is None:
                    await self._wait(stopped)
                    continue
                scan = asyncio.ensure_future(self._one(world))
                either: set[asyncio.Task[Any]] = {scan, stopped}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if not scan.done():
                    scan.cancel()
                    self._log.info("scan abandoned", world=world.target)
                    return
                scan.result()
        finally:
            stopped.cancel()

    def _next(self) -> World | None:
        """The one that was asked for first, else the one that is longest due."""
        for world in self.worlds.values():
            if world.state == "waiting":
                return world
        due = [world for world in self.worlds.values() if self._every and world.due <= self._clock()]
        return min(due, key=lambda world: world.due, default=None)

    async def _wait(self, stopped: asyncio.Task[Literal[True]]) -> None:
        """Until something is due, asked for, or all ends."""
        next_due = min((world.due for world in self.worlds.values()), default=0.0)
        seconds = max(next_due - self._clock(), 0.05) if self._every and self.worlds else None
        asked = asyncio.ensure_future(self._asked.wait())
        try:
            await asyncio.wait({asked, stopped}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
        self._asked.clear()

    async def _one(self, world: World) -> None:
        world.state = "running"
        began = self._clock()
        self._log.info("scan begins", world=world.target)
        try:
            done = await self._threads.run(lambda: self._ways.scan(world.target), seconds=SCAN_SECONDS)
            world.root, world.trouble = done.report.root, ""
            news = await self._threads.run(lambda: self._news(done), seconds=SCAN_SECONDS)
        except BulkheadError as error:
            world.trouble = str(error)
            self._log.error("scan failed", world=world.target, reason=str(error), code=error.code)
            await tell(self._bus, "scan.failed", {"world": world.target, "reason": str(error), "code": error.code})
            self._metrics.scanned("failed", self._clock() - began)
        else:
            await self._told(world, done, news, self._clock() - began)
        finally:
            world.state = "idle"
            world.finished = self._ways.now()
            world.due = self._clock() + self._every

    def _news(self, done: Done) -> list[tuple[str, Facts]]:
        """Each finding that opened or was fixed, with its words."""
        found = {item.fingerprint: item for item in done.report.findings}
        root = done.report.root
        out: list[tuple[str, Facts]] = []
        for name in (*done.diff.new, *done.diff.reopened)[:TOLD]:
            finding = found[name]
            facts: Facts = {
                "fingerprint": name, "root": root, "control": finding.control, "severity": str(finding.severity),
                "message": finding.message or finding.title,
            }  # fmt: skip
            out.append(("finding.opened", facts))
        store = self._ways.store()
        for name in done.diff.fixed[:TOLD]:
            facts = {"fingerprint": name, "root": root}
            query = Query(tenant=done.report.tenant, root=root, states=(FindingState.FIXED,), fingerprint=name, limit=1)
            for known in store.search(query).findings if store is not None else ():
                facts = {**facts, "control": known.control, "severity": str(known.severity), "message": known.message}
            out.append(("finding.fixed", facts))
        return out

    async def _told(self, world: World, done: Done, news: list[tuple[str, Facts]], seconds: float) -> None:
        report, diff = done.report, done.diff
        new, fixed = len(diff.new) + len(diff.reopened), len(diff.fixed)
        facts: Facts = {
            "world": world.target, "root": report.root, "score": str(report.score), "resources": report.resources,
            "gaps": len(report.gaps), "opened": new, "fixed": fixed, "still": len(diff.still),
        }  # fmt: skip
        self._log.info("scan finished", seconds=round(seconds, 3), **facts)
        for subject, words in news:
            await tell(self._bus, subject, words)
        await tell(self._bus, "scan.finished", facts)
        self._metrics.scanned("incomplete" if report.gaps else "complete", seconds)
