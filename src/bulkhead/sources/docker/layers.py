"""The files of an image in the engine: its archive is taken from the engine once and read as ``bulkhead image scan`` reads one.

An image's id is a digest of everything in it: what was told of it once is told again without asking.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any, Final

from bulkhead.clients.docker import DockerClient
from bulkhead.core.resource import UNKNOWN, Gap
from bulkhead.sources.images.archive import read_archive
from bulkhead.sources.images.bounds import MIB, Bounds
from bulkhead.sources.images.kept import Kept

_SIZE: Final = 16 * 1024 * MIB
"""Bytes of one image's archive."""
_SECONDS: Final = 600.0
_AT_ONCE: Final = 2
"""Archives that lie in the temporary folder at a time."""
_FACTS: Final = ("files", "wasted_bytes", "wasted_percent", "package_cache", "layers", "layers_count")


class Layers:
    """The layers of one engine's images.

    Args:
        client: open, to the engine.
        kept: what is known already.
        folder: where archives lie while they are read; None is the machine's folder for that.
        size: bytes that one archive may have.
    """

    def __init__(self, client: DockerClient, kept: Kept, *, folder: Path | None = None, size: int = _SIZE) -> None:
        self._client = client
        self._kept = kept
        self._folder = folder
        self._size = size
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def read(self, image: str) -> tuple[dict[str, Any], tuple[Gap, ...]]:
        """What the image's files tell, and why something of it is missing.

        Raises:
            Vanished: there is no such image any more.
            SourceError: the engine refuses, or breaks off.
            LimitExceeded: it is too large, or takes too long.
        """
        known = await asyncio.to_thread(self._kept.get, image)
        if known is not None:
            return known, ()
        async with self._slots:
            with tempfile.NamedTemporaryFile(prefix="bulkhead-image-", suffix=".tar", dir=self._folder) as file:
                await self._client.save(f"/images/{image}/get", file, size=self._size, seconds=_SECONDS)
                file.flush()
                found = await asyncio.to_thread(read_archive, Path(file.name), bounds=Bounds(), origin=image)
        if len(found.resources) != 1:
            return {}, found.gaps
        data = found.resources[0].data
        facts = {name: data[name] for name in _FACTS if name in data and data[name] is not UNKNOWN}
        if not found.gaps and "files" in facts:
            await asyncio.to_thread(self._kept.put, image, facts)
        return facts, found.gaps
