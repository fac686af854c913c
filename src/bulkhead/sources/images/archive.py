"""Images from an archive: ``docker save``, an OCI layout in a tar file, or an OCI layout in a folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from bulkhead.core.errors import BulkheadError, LimitExceeded, ParseError
from bulkhead.core.resource import Snapshot
from bulkhead.sources.images.bounds import Bounds
from bulkhead.sources.images.described import checked, described_layers, is_artifact, is_attestation, verify
from bulkhead.sources.images.documents import (
    INDEX_TYPES,
    Descriptor,
    Manifest,
    Saved,
    decode_config,
    decode_manifest,
    decode_saved,
)
from bulkhead.sources.images.image import Image, gap, image_snapshot, joined
from bulkhead.sources.images.layers import Layer
from bulkhead.sources.images.place import Archive, Folder, Place, document
from bulkhead.sources.images.stream import Stream

_NESTING = 4


def read_archive(path: Path, *, bounds: Bounds | None = None, origin: str = "") -> Snapshot:
    """Every image in the archive as a resource ``Image``; what could not be read as Gaps. Raises nothing of ours.

    Args:
        path: a tar file, plain or gzip, or a folder with an OCI layout.
        bounds: what it may cost.
        origin: put into the resources' references: where the archive lies, relative to the scanned root.
    """
    bounds = bounds or Bounds()
    where = origin or path.name
    try:
        place: Place = Folder(path) if path.is_dir() else Archive(path, bounds)
    except BulkheadError as error:
        return Snapshot(gaps=(gap(where, error),))
    reader = _Reader(place, bounds, where, origin)
    try:
        found = reader.read()
        if not found.resources and not found.gaps and not found.notes:
            # What is to be scanned and holds nothing was not judged.
            raise ParseError("the archive lists no image")
        return found
    except BulkheadError as error:
        return Snapshot(gaps=(gap(where, error),))
    finally:
        place.close()


class _Reader:
    def __init__(self, place: Place, bounds: Bounds, where: str, origin: str) -> None:
        self._place, self._bounds, self._where, self._origin = place, bounds, where, origin
        self._left = bounds.images

    def read(self) -> Snapshot:
        if self._place.has("index.json"):
            # Docker 25 and later write both; the index has the digests.
            index = decode_manifest(document(self._place, "index.json", self._bounds), "index.json")
            return self._index(index, self._where, 0)
        if self._place.has("manifest.json"):
            saved = decode_saved(document(self._place, "manifest.json", self._bounds), "manifest.json")
            return joined([self._guarded((image.repo_tags or (self._where,))[0], image) for image in saved])
        raise ParseError("neither an OCI layout nor an archive of docker save: no index.json and no manifest.json")

    def _guarded(self, reference: str, image: Saved) -> Snapshot:
        try:
            self._count()
            return self._saved(reference, image)
        except BulkheadError as error:
            return Snapshot(gaps=(gap(reference, error),))

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise LimitExceeded("the archive has more images than the limit", limit=self._bounds.images)

    def _index(self, index: Manifest, reference: str, depth: int) -> Snapshot:
        if depth > _NESTING:
            raise LimitExceeded("indexes are nested deeper than the limit", where=reference)
        return joined([self._entry(entry, reference, depth) for entry in index.manifests or ()])

    def _entry(self, entry: Descriptor, reference: str, depth: int) -> Snapshot:
        name = _name(entry, reference)
        if is_attestation(entry):
            return Snapshot(notes=(f"{name}: attestation {entry.digest[:19]} is not an image",))
        try:
            self._count()
            path = _blob(entry.digest)
            if not self._place.has(path) and depth and entry.platform:
                # An archive holds the platforms that were pulled; the others are no part of it.
                told = f"{entry.platform.os}/{entry.platform.architecture}"
                return Snapshot(notes=(f"{name}: platform {told} is not in the archive",))
            data = document(self._place, path, self._bounds)
            verify(data, entry.digest)
            manifest = decode_manifest(data, name)
            if manifest.manifests is not None or entry.media_type in INDEX_TYPES:
                return self._index(manifest, name, depth + 1)
            return self._image(manifest, entry.digest, name)
        except BulkheadError as error:
            return Snapshot(gaps=(gap(name, error),))

    def _image(self, manifest: Manifest, digest: str, reference: str) -> Snapshot:
        if is_artifact(manifest):
            return Snapshot(notes=(f"{reference}: {digest[:19]} is an artifact and not an image",))
        if manifest.config is None:
            raise ParseError("the manifest names no configuration", where=reference)
        config = document(self._place, _blob(manifest.config.digest), self._bounds)
        verify(config, manifest.config.digest)
        place = self._place
        layers = described_layers(manifest, config, self._bounds, lambda item: _opener(place, _blob(item.digest)))
        found = Image(
            reference=reference,
            digest=digest,
            config=config,
            image_id=manifest.config.digest,
            layers=layers,
            origin=self._origin,
        )
        return image_snapshot(found, self._bounds)

    def _saved(self, reference: str, image: Saved) -> Snapshot:
        config = document(self._place, image.config, self._bounds)
        image_id = f"sha256:{hashlib.sha256(config).hexdigest()}"
        # docker save names the file after its digest.
        named = re.search(r"([a-f0-9]{64})(?:\.json)?$", image.config)
        if named:
            verify(config, f"sha256:{named[1]}")
        diff_ids = decode_config(config, image.config).rootfs.diff_ids
        if len(diff_ids) != len(image.layers) or len(image.layers) > self._bounds.layers:
            raise ParseError("the configuration does not have the manifest's layers", where=reference)
        place = self._place
        layers = tuple(
            Layer("", diff_id, place.size(name), "application/vnd.docker.image.rootfs.diff.tar", _opener(place, name))
            for name, diff_id in zip(image.layers, diff_ids, strict=True)
        )
        found = Image(
            reference=reference,
            # These archives keep no manifest; the configuration's digest names the image as surely.
            digest=image_id,
            config=config,
            image_id=image_id,
            layers=layers,
            origin=self._origin,
            tags=image.repo_tags or (),
        )
        return image_snapshot(found, self._bounds)


def _opener(place: Place, name: str) -> Callable[[], Stream]:
    return lambda: place.open(name)


def _blob(digest: str) -> str:
    return "blobs/" + checked(digest).replace(":", "/")


def _name(entry: Descriptor, reference: str) -> str:
    """containerd writes the whole reference, others a tag only (OCI image specification, annotations)."""
    if whole := entry.note.get("io.containerd.image.name"):
        return whole[:1024]
    name = entry.note.get("org.opencontainers.image.ref.name", "")[:1024]
    if not name:
        return reference
    return name if "/" in name or ":" in name else f"{reference}:{name}"
