"""Plan, rehearse, apply and undo on a live world, as ``bulkhead fix`` does, with hands that wait less."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from bulkhead.actuators.docker import DockerHands
from bulkhead.actuators.docker.state import Patience
from bulkhead.actuators.node import NodeHands
from bulkhead.app import live
from bulkhead.app.live import Applied, Site, Trial
from bulkhead.app.ports import Journal
from bulkhead.app.scan import Context, Scan, Selection
from bulkhead.app.worlds import LiveHands
from bulkhead.bootstrap import docker as engines
from bulkhead.bootstrap import running
from bulkhead.core.control import MitigationClass
from bulkhead.core.plan import Rollout
from bulkhead.core.resource import Snapshot
from bulkhead.mitigation.choosing import Consent
from tests.catalogue_check import catalogue
from tests.fakes.store import MemoryJournal

QUICK = Patience(steady=0.8, healthy=15.0)
AT_ONCE = Rollout(canary=0, watch_seconds=0)


class EngineWorld:
    """An engine, and only those of its containers whose names are wanted; none named is all."""

    def __init__(self, socket: str) -> None:
        self.socket = socket

    @property
    def root(self) -> str:
        return f"docker://{self.socket}"

    async def read(self) -> Snapshot:
        return await engines.read_async(self.socket)


class Work:
    """One engine with its hands and a journal."""

    def __init__(self, socket: str, *, through: str = "", restart: Iterable[str] = (), root: Path = Path("/")) -> None:
        self.world = EngineWorld(socket)
        self.journal: Journal = MemoryJournal()
        self.hands: Mapping[str, LiveHands] = {
            "docker": DockerHands(through or socket, QUICK),
            "node": NodeHands(socket, restart=tuple(restart), root=root),
        }
        self.context = Context(catalogue(), lambda: "2026-11-27T10:00:00+00:00")
        self.selection = Selection(catalogue().controls)

    def scan(self) -> Scan:
        snapshot = running.run(self.world.read())
        return live.judged(snapshot, self.world.root, self.context, self.selection, self.journal)

    def plan(self, *controls: str, rollout: Rollout = AT_ONCE, rehearsed: bool = True) -> tuple[Trial, Scan]:
        scan = self.scan()
        named = frozenset(controls)
        trial = live.propose(scan, self.context, Consent(MitigationClass.AUTO, named, named), rollout)
        return (running.run(live.rehearse(trial, self.hands)) if rehearsed else trial), scan

    def apply(self, trial: Trial, scan: Scan) -> Applied:
        site = Site(self.world, self.hands, self.journal, asyncio.sleep)
        return running.run(live.apply(trial, scan, site, self.context, actor="ada"))

    def fix(self, *controls: str, rollout: Rollout = AT_ONCE) -> Applied:
        trial, scan = self.plan(*controls, rollout=rollout)
        assert trial.plan.steps, [msgspec.to_builtins(item) for item in trial.plan.unfixed]
        return self.apply(trial, scan)

    def undo(self, done: Applied) -> tuple[str, ...]:
        return running.run(live.undo(done.entry, self.hands, self.journal, tenant="default"))

    def recover(self, entry: str) -> tuple[str, ...]:
        return running.run(live.recover(entry, self.hands, self.journal, tenant="default"))

    def failing(self, name: str) -> set[str]:
        return {
            finding.control
            for finding in self.scan().assessment.findings
            if finding.resource.name == name and finding.outcome == "fail"
        }
