"""A cluster kept in memory: listed once, then changed by what its watches tell.

Each kind is watched from the version of its list. A version that the server does not have any more lists the kind anew; a kind
that may be listed and not watched is listed again after a while.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

from bulkhead.clients.kube import ApiResource, Expired, Forbidden, KubeClient, Vanished, watch
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import Resource, Snapshot
from bulkhead.core.shapes import WRONG_SHAPE
from bulkhead.sources.kubernetes.read import Reading, server_version

_AGAIN_SECONDS = 60.0


class Watching:
    """Use ``read`` first; then ``changes`` for as long as wanted, with ``read`` after each."""

    def __init__(self, client: KubeClient, context: str, wanted: frozenset[str], notes: tuple[str, ...] = ()) -> None:
        self._client, self._notes = client, notes
        self._reading = Reading(client, f"kubernetes://{context}", wanted, os.urandom(32))
        self._version = ""
        self._kinds: list[ApiResource] = []
        self._held: dict[ApiResource, dict[tuple[str, str], Resource]] = {}
        self._versions: dict[ApiResource, str] = {}
        self._listed = asyncio.Event()

    async def read(self) -> Snapshot:
        """The first time by listing everything; then what the watches have made of it. Raises SourceError where the server is gone."""
        self._version = await server_version(self._client)
        if not self._listed.is_set():
            self._kinds = await self._reading.kinds()
            await asyncio.gather(*(self._list(kind) for kind in self._kinds))
            self._listed.set()
        listed = [item for kind in self._kinds for item in self._held.get(kind, {}).values()]
        return await self._reading.assembled(self._version, listed, self._notes)

    async def _list(self, kind: ApiResource) -> None:
        items, version = await self._reading.list_of(kind)
        self._held[kind] = {(item.ref.namespace, item.ref.name): item for item in items}
        self._versions[kind] = version

    async def changes(self) -> AsyncIterator[None]:
        """Something each time that an object changed in a way that is kept. Raises SourceError where the cluster is gone."""
        await self._listed.wait()
        stirred: asyncio.Queue[SourceError | None] = asyncio.Queue(1000)
        tasks = [asyncio.ensure_future(self._follow(kind, stirred)) for kind in self._kinds]
        try:
            while True:
                told = await stirred.get()
                if told is not None:
                    raise told
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, kind: ApiResource, stirred: asyncio.Queue[SourceError | None]) -> None:
        while True:
            version = self._versions.get(kind, "")
            try:
                if not version:
                    raise Expired("the list was not of one instant", where=kind.path())
                async for event in watch(self._client, kind, version=version):
                    self._versions[kind] = event.version or self._versions[kind]
                    if event.type != "bookmark" and self._changed(kind, event.type, event.data):
                        await stirred.put(None)
            except (Forbidden, Vanished):
                await asyncio.sleep(_AGAIN_SECONDS)
            except Expired:
                await asyncio.sleep(0.05)
            except SourceError as error:
                await stirred.put(error)
                return
            try:
                await self._list(kind)
            except SourceError as error:
                await stirred.put(error)
                return
            await stirred.put(None)

    def _changed(self, kind: ApiResource, what: str, data: dict[str, object]) -> bool:
        """Whether the object, as it is kept, is another now."""
        held = self._held.setdefault(kind, {})
        try:
            made = self._reading.resource(kind, data)
        except WRONG_SHAPE:
            return True
        key = (made.ref.namespace, made.ref.name)
        before = held.get(key)
        if what == "deleted":
            held.pop(key, None)
            return before is not None
        held[key] = made
        return before is None or before.data != made.data
