"""Images from a registry. A layer is trusted with its digest verified: it is spooled first and looked at after."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from typing import IO

from bulkhead.clients.registry import Reference, RegistryClient, parse
from bulkhead.core.errors import BulkheadError, LimitExceeded, ParseError
from bulkhead.core.resource import Snapshot
from bulkhead.sources.images.bounds import MIB, Bounds
from bulkhead.sources.images.described import checked, described_layers, is_artifact, is_attestation
from bulkhead.sources.images.documents import INDEX_TYPES, Descriptor, Manifest, decode_manifest
from bulkhead.sources.images.image import Image, gap, image_snapshot, joined
from bulkhead.sources.images.stream import Stream

_NESTING = 4
_IN_MEMORY = 16 * MIB


async def read_registry(
    reference: str,
    client: RegistryClient,
    *,
    platform: str = "linux/amd64",
    bounds: Bounds | None = None,
    origin: str = "",
) -> Snapshot:
    """The image as a resource ``Image``; what could not be read as Gaps.

    Args:
        reference: as people write it.
        client: an open client.
        platform: ``os/architecture`` to choose from an index, or ``*`` for all of them.
        bounds: what one image may cost.
        origin: put into the resource's reference.

    Raises:
        UsageError: the reference is none.
    """
    named = parse(reference)
    reader = _Reader(client, platform, bounds or Bounds(), origin)
    try:
        return await reader.read(named, 0)
    except BulkheadError as error:
        return Snapshot(gaps=(gap(str(named), error),))


class _Reader:
    def __init__(self, client: RegistryClient, platform: str, bounds: Bounds, origin: str) -> None:
        self._client, self._platform, self._bounds, self._origin = client, platform, bounds, origin
        self._left = bounds.images

    async def read(self, named: Reference, depth: int) -> Snapshot:
        self._left -= 1
        if depth > _NESTING or self._left < 0:
            raise LimitExceeded("the index holds more than the limit", where=str(named))
        found = await self._client.manifest(named)
        manifest = decode_manifest(found.data, str(named))
        if manifest.manifests is not None or found.media_type in INDEX_TYPES:
            return await self._index(manifest, named, depth)
        return await self._image(manifest, found.digest, named)

    async def _index(self, index: Manifest, named: Reference, depth: int) -> Snapshot:
        entries = [entry for entry in index.manifests or () if not is_attestation(entry)]
        wanted = [entry for entry in entries if self._platform in {"*", _platform(entry), ""} or not _platform(entry)]
        if not wanted:
            there = ", ".join(sorted({_platform(entry) for entry in entries}))[:256] or "none"
            raise ParseError(f"the index has no image for {self._platform}, only {there}", where=str(named))
        snapshots = []
        for entry in wanted:
            try:
                snapshots.append(await self.read(named.at(checked(entry.digest)), depth + 1))
            except BulkheadError as error:
                snapshots.append(Snapshot(gaps=(gap(str(named), error),)))
        if left := len(entries) - len(wanted):
            snapshots.append(Snapshot(notes=(f"{named}: {left} images for other platforms were not read",)))
        return joined(snapshots)

    async def _image(self, manifest: Manifest, digest: str, named: Reference) -> Snapshot:
        if is_artifact(manifest):
            return Snapshot(notes=(f"{named}: an artifact and not an image",))
        if manifest.config is None:
            raise ParseError("the manifest names no configuration", where=str(named))
        if manifest.config.size > self._bounds.document:
            raise LimitExceeded("the configuration is larger than the limit", where=str(named))
        config = bytearray()
        size = manifest.config.size
        await self._client.blob(named, checked(manifest.config.digest), size=size, write=config.extend)
        spool = _Spool(self._client, named)
        # A tag that was asked for stays the name; the digest tells which image it was.
        name = str(named) if not named.tag else str(named.at(""))
        try:
            image = Image(
                reference=name,
                digest=digest,
                config=bytes(config),
                image_id=manifest.config.digest,
                layers=described_layers(manifest, bytes(config), self._bounds, spool.opener),
                origin=self._origin,
            )
            return await asyncio.to_thread(image_snapshot, image, self._bounds)
        finally:
            spool.close()


class _Spool:
    """Fetches a layer when the analysing thread opens it; one at a time lies on disk, nameless."""

    def __init__(self, client: RegistryClient, named: Reference) -> None:
        self._client, self._named = client, named
        self._loop = asyncio.get_running_loop()
        self._file: IO[bytes] | None = None

    def opener(self, layer: Descriptor) -> Callable[[], Stream]:
        def open_layer() -> Stream:
            self.close()
            file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 (closed by close)
            self._file = file
            fetched = self._client.blob(self._named, layer.digest, size=layer.size, write=file.write)
            asyncio.run_coroutine_threadsafe(fetched, self._loop).result()
            file.seek(0)
            return file

        return open_layer

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _platform(entry: Descriptor) -> str:
    return f"{entry.platform.os}/{entry.platform.architecture}" if entry.platform else ""
