"""One process that serves: its root, its faces and its jobs put together. Later faces are mounted here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bulkhead.app.ports import StoredFinding
from bulkhead.app.proposing import Proposed
from bulkhead.bootstrap import buses, places, worlds
from bulkhead.bootstrap.root import Root, now
from bulkhead.core.errors import SettingsError, StoreError
from bulkhead.server.events import JournalWatch, Recent
from bulkhead.server.faces import Asgi, Face, Job, Listen
from bulkhead.server.logs import Log
from bulkhead.server.metrics import Metrics
from bulkhead.server.scans import Scans, Told, Ways
from bulkhead.server.supervisor import Supervisor
from bulkhead.server.threads import Threads
from bulkhead.server.tokens import Gate
from bulkhead.server.web.application import application
from bulkhead.server.web.hosts import Hosts
from bulkhead.server.web.ports import Health, Office

NAME = "web"


class _Plans:
    def __init__(self, opened: Root) -> None:
        self._opened = opened

    def proposed(self, finding: StoredFinding) -> Proposed:
        return worlds.proposed(finding, self._opened)


class House:
    """Everything that serves.

    Attributes:
        supervisor: runs it.
        gate: who may ask.
        pools: threads to be closed at the end.
    """

    def __init__(self, opened: Root, log: Log, welcome: Callable[[], None] = lambda: None) -> None:
        """``welcome`` is called once everything listens.

        Raises SettingsError where the settings cannot be served; StoreError where the store cannot be opened.
        """
        serve = opened.settings.serve
        host, port = serve.listen()
        _check(host, tls=serve.tls is not None, open_metrics=serve.metrics_open)
        if opened.store is None:
            raise StoreError("what is served is kept in a store", hint="leave out --forget")
        store = opened.store
        self.gate = Gate(places.own(places.state()))
        self.pools = tuple(
            Threads(name, count=count, waiting=waiting)
            for name, count, waiting in (("read", 4, 64), ("plan", 1, 4), ("change", 1, 8), ("scan", 1, 2))
        )
        reads, plans, changes, scanning = self.pools
        bus, metrics = buses.opened(), Metrics()
        recent = Recent(bus, now)
        ways = Ways(
            lambda target: worlds.scan(target, opened),
            lambda target: worlds.root_of(target, opened),
            lambda: opened.store,
            now,
        )
        scans = Scans(serve.worlds, ways, Told(bus, log, metrics), scanning, every=serve.every)
        watch = JournalWatch(lambda: opened.journal, opened.settings.tenant, bus, reads, log)
        office = Office(
            store=store, journal=opened.journal, catalogue=opened.catalogue, tenant=opened.settings.tenant, plans=_Plans(opened),
            undo=lambda entry: worlds.undo(entry, opened), changed=watch.look, scans=scans, recent=lambda: recent.events, health=self._health,
            metrics=metrics, log=log, gate=self.gate, hosts=Hosts(host, serve.hosts), metrics_open=serve.metrics_open, reads=reads,
            plans_pool=plans, changes=changes, now=now,
        )  # fmt: skip
        face = Face(
            name=NAME, listen=(Listen(host=host, port=port),), kind=Asgi(application=application(office)), tls=serve.tls
        )

        async def greet(_: asyncio.Event) -> None:
            welcome()

        jobs = (
            Job(name="events", run=recent.run), Job(name="journal", run=watch.run), Job(name="scans", run=scans.run),
            Job(name="welcome", run=greet),
        )  # fmt: skip
        self.supervisor = Supervisor((face,), jobs, log, drain_seconds=serve.drain_seconds)

    def _health(self) -> Health:
        return Health(self.supervisor.state, self.supervisor.jobs, self.supervisor.restarts)

    def link(self, *, tls: bool) -> str:
        """What a person clicks: it signs one browser in."""
        address = self.supervisor.addresses[NAME][0]
        return f"{'https' if tls else 'http'}://{address}/sign-in?ticket={self.gate.ticket()}"

    def close(self) -> None:
        for pool in self.pools:
            pool.close()


def _check(host: str, *, tls: bool, open_metrics: bool) -> None:
    loopback = Hosts(host).loopback
    if not loopback and not tls:
        raise SettingsError(
            "beyond this machine it serves with TLS only",
            where=host,
            hint="serve.tls_certificate and serve.tls_key, or 127.0.0.1",
        )
    if open_metrics and not loopback:
        raise SettingsError("metrics are open on loopback only", where="serve.metrics_open")
