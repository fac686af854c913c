"""What descriptors say, checked against what is there; the same for archives and registries."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from bulkhead.core.errors import LimitExceeded, ParseError
from bulkhead.sources.images.bounds import Bounds
from bulkhead.sources.images.documents import Descriptor, Manifest, decode_config
from bulkhead.sources.images.layers import Layer
from bulkhead.sources.images.stream import Stream

_DIGEST = re.compile(r"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}")


def checked(digest: str) -> str:
    """Raises ParseError where the text is no digest of an algorithm that we can check."""
    if not _DIGEST.fullmatch(digest):
        raise ParseError("a descriptor's digest is not sha256 or sha512", where=digest[:80])
    return digest


def verify(data: bytes, digest: str) -> None:
    """Raises ParseError where the bytes have another digest."""
    algorithm, _, expected = checked(digest).partition(":")
    if hashlib.new(algorithm, data).hexdigest() != expected:
        raise ParseError("the document's bytes have another digest", where=digest)


def is_attestation(entry: Descriptor) -> bool:
    """BuildKit keeps provenance beside the images of an index, under a platform that does not exist."""
    unknown = entry.platform is not None and entry.platform.architecture == "unknown"
    return unknown or "vnd.docker.reference.type" in entry.note


def is_artifact(manifest: Manifest) -> bool:
    """A signature, an SBOM, a chart: something kept in an image's form of which no layer is a file system."""
    kinds = [layer.media_type for layer in manifest.layers]
    return bool(kinds) and not any(not kind or "image.layer" in kind or "image.rootfs" in kind for kind in kinds)


def described_layers(
    manifest: Manifest, config: bytes, bounds: Bounds, opened: Callable[[Descriptor], Callable[[], Stream]]
) -> tuple[Layer, ...]:
    """The manifest's layers, each with its uncompressed digest from the configuration where that has one for each."""
    if len(manifest.layers) > bounds.layers:
        raise LimitExceeded("the image has more layers than the limit", limit=bounds.layers)
    diff_ids = decode_config(config, "config").rootfs.diff_ids
    if len(diff_ids) != len(manifest.layers):
        raise ParseError("the configuration does not have the manifest's layers")
    return tuple(
        Layer(checked(layer.digest), checked(diff_id), layer.size, layer.media_type, opened(layer))
        for layer, diff_id in zip(manifest.layers, diff_ids, strict=True)
    )
