"""Live worlds by their targets: which source reads them and which hands change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bulkhead.app.worlds import LiveHands, LiveWorld
from bulkhead.bootstrap import docker
from bulkhead.core.errors import UsageError
from bulkhead.core.resource import Snapshot

if TYPE_CHECKING:
    from bulkhead.bootstrap.root import Root
    from bulkhead.bootstrap.settings import Settings

SCHEMES = (docker.SCHEME,)


def is_live(target: str) -> bool:
    return target.startswith(SCHEMES)


class _Docker:
    """An engine and its machine."""

    def __init__(self, socket: str) -> None:
        self._socket = socket

    @property
    def root(self) -> str:
        return docker.SCHEME + self._socket

    async def read(self) -> Snapshot:
        return await docker.read_async(self._socket)


def world(target: str, settings: Settings) -> LiveWorld:  # noqa: ARG001 (other worlds have settings)
    """The world of a target.

    Raises:
        UsageError: no world is called like that.
    """
    if target.startswith(docker.SCHEME):
        return _Docker(docker.address(target))
    raise UsageError("no world is called like that", where=target, hint=f"one of {', '.join(SCHEMES)}")


def hands(root: str, settings: Settings) -> Mapping[str, LiveHands]:  # noqa: ARG001 (as above)
    """Who changes the world of this root, by channel; empty where nothing does."""
    if root.startswith(docker.SCHEME):
        from bulkhead.actuators.docker import DockerHands
        from bulkhead.actuators.node import NodeHands

        socket = root.removeprefix(docker.SCHEME)
        return {"docker": DockerHands(socket), "node": NodeHands(socket)}
    return {}


def read(world: LiveWorld, opened: Root) -> Snapshot:
    """The world as it is, without what is kept for an undo.

    Raises:
        SourceError: it cannot be asked.
    """
    import asyncio

    from bulkhead.app import live

    snapshot = asyncio.run(world.read())
    if not opened.remember:
        return snapshot
    return live.without_kept(snapshot, live.kept(opened.journal, world.root, tenant=opened.settings.tenant))
