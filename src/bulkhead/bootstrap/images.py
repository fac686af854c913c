"""Images by name: a path on this machine, else a reference in a registry."""

from __future__ import annotations

from pathlib import Path

from bulkhead.bootstrap.running import run
from bulkhead.core.resource import Snapshot


def read(target: str, *, platform: str, plain_http: bool) -> Snapshot:
    """The image; what could not be read as Gaps.

    Raises:
        BulkheadError: the registry refused or could not be reached.
    """
    path = Path(target)
    if path.exists():
        from bulkhead.sources.images.archive import read_archive

        return read_archive(path, origin=target)
    return _pulled(target, platform=platform, plain_http=plain_http)


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
