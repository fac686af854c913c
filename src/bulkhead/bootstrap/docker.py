"""The Docker engine that a target names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bulkhead.bootstrap.running import run
from bulkhead.bootstrap.targets import DOCKER
from bulkhead.core.errors import UsageError
from bulkhead.core.resource import Snapshot

if TYPE_CHECKING:
    from bulkhead.store.kept import KeptFacts

_USUAL = "/var/run/docker.sock"


def address(target: str) -> str:
    """The socket of ``docker://`` (the one of ``DOCKER_HOST``, else the usual one) or ``docker:///path/to/docker.sock``.

    Raises:
        UsageError: the engine is not behind a Unix socket.
    """
    given = target.removeprefix(DOCKER)
    if given:
        if not given.startswith("/"):
            raise UsageError(
                "an engine is named by its socket", where=target, hint=f"{DOCKER}{_USUAL}, or {DOCKER} alone"
            )
        return given
    told = os.environ.get("DOCKER_HOST", "")
    if not told:
        return _USUAL
    if not told.startswith("unix://"):
        raise UsageError(
            "only engines behind a Unix socket are read", where=f"DOCKER_HOST={told.partition('://')[0]}://…",
            hint="run bulkhead on the engine's machine",
        )  # fmt: skip
    return told.removeprefix("unix://")


def read(socket: str) -> Snapshot:
    """The engine and this machine.

    Raises:
        SourceError: the engine cannot be asked.
    """
    return run(read_async(socket))


async def read_async(socket: str, *, layers: bool = False) -> Snapshot:
    """The same, where a loop runs already; with ``layers`` the files of images too."""
    from bulkhead.clients.docker import DockerClient
    from bulkhead.sources import docker
    from bulkhead.sources.docker.read import now
    from bulkhead.sources.machine import Machine

    async with DockerClient(socket) as client:
        files = docker.Layers(client, kept()) if layers else None
        return await docker.read(client, socket, machine=Machine(Path("/")), now=now(), layers=files)


def kept() -> KeptFacts:
    """What images told of their files, kept in this user's cache."""
    from bulkhead import __version__
    from bulkhead.bootstrap import places
    from bulkhead.store.kept import KeptFacts

    return KeptFacts(places.cache() / "layers", __version__)
