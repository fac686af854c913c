"""Images by name: a path on this machine, one in its Docker engine (``docker-daemon:NAME``), else a reference in a registry."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Final

from bulkhead.bootstrap.running import run
from bulkhead.core.resource import Snapshot

ENGINE: Final = "docker-daemon:"
_SIZE: Final = 16 * 1024 * 1024 * 1024
_SECONDS: Final = 600.0


def read(target: str, *, platform: str, plain_http: bool) -> Snapshot:
    """The image; what could not be read as Gaps.

    Raises:
        BulkheadError: the registry refused or could not be reached.
    """
    if target.startswith(ENGINE):
        return _saved(target.removeprefix(ENGINE))
    path = Path(target)
    if path.exists():
        from bulkhead.sources.images.archive import read_archive

        return read_archive(path, origin=target)
    return _pulled(target, platform=platform, plain_http=plain_http)


def _saved(name: str) -> Snapshot:
    """Out of the engine into a file that is gone afterwards."""
    import asyncio
    import tempfile
    from urllib.parse import quote

    from bulkhead.bootstrap import docker
    from bulkhead.bootstrap.targets import DOCKER
    from bulkhead.clients.docker import DockerClient
    from bulkhead.sources.images.archive import read_archive

    async def save(file: IO[bytes]) -> None:
        async with DockerClient(docker.address(DOCKER)) as client:
            await client.save(f"/images/{quote(name, safe='/:@')}/get", file, size=_SIZE, seconds=_SECONDS)

    with tempfile.NamedTemporaryFile(prefix="bulkhead-image-", suffix=".tar") as file:
        asyncio.run(save(file))
        file.flush()
        return read_archive(Path(file.name), origin=ENGINE + name)


def _pulled(target: str, *, platform: str, plain_http: bool) -> Snapshot:
    """Nothing but the image's own registry is asked, with the credentials that docker keeps for it."""
    import os

    from bulkhead.clients.registry import RegistryClient, load, parse
    from bulkhead.sources.images.registry import read_registry

    reference = parse(target)
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")

    async def pull() -> Snapshot:
        hosts = frozenset({reference.registry}) if plain_http else frozenset()
        async with RegistryClient(credentials=load(folder / "config.json"), plain_http=hosts) as client:
            return await read_registry(target, client, platform=platform)

    return run(pull())
