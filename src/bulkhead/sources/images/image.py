"""One image put together: its configuration and its layers into a Resource and the Gaps of what could not be read."""

from __future__ import annotations

import msgspec

from bulkhead.core.errors import BulkheadError
from bulkhead.core.resource import UNKNOWN, Gap, Ref, Resource, Snapshot
from bulkhead.report.text import said
from bulkhead.sources.images.bounds import Bounds
from bulkhead.sources.images.documents import config_facts, decode_config
from bulkhead.sources.images.layers import Analysis, Layer

_OF_LAYERS = ("files", "size", "wasted_bytes", "wasted_percent", "package_cache")


def gap(where: str, error: BulkheadError) -> Gap:
    """An error as the Gap that stands for the image it hides."""
    at = f" ({error.where})" if error.where and error.where != where else ""
    return Gap(where=where, code=error.code, reason=said(error.message + at), hint=said(error.hint), hides=("Image",))


class Image(msgspec.Struct, frozen=True):
    """What a manifest says of an image, with its layers still to be read."""

    reference: str
    digest: str
    config: bytes
    image_id: str
    layers: tuple[Layer, ...]
    origin: str = ""
    tags: tuple[str, ...] = ()


def image_snapshot(image: Image, bounds: Bounds) -> Snapshot:
    """The image's resource. Where a layer cannot be read, everything that layers tell is unknown, and a Gap says why.

    Raises ParseError where the configuration itself is broken.
    """
    reference, layers = image.reference, image.layers
    facts = config_facts(decode_config(image.config, reference), bounds.listed)
    analysis = Analysis(bounds)
    gaps: list[Gap] = []
    for index, layer in enumerate(layers):
        try:
            analysis.read(index, layer)
        except BulkheadError as error:
            gaps.append(gap(f"{reference} layer {index + 1} of {len(layers)}", error))
            # Later layers lie over an unknown one: what they hide and what shines through cannot be told.
            break
    readable = not gaps
    if analysis.odd_names:
        told = f"{analysis.odd_names} entries have names that leave the root"
        gaps.append(Gap(where=reference, code="B220", reason=told, hides=("Image",)))
    data = {
        "reference": reference,
        "digest": image.digest,
        "id": image.image_id,
        "tags": list(image.tags),
        **facts,
        "layers_count": len(layers),
        "layers": [
            {
                "digest": layer.digest or layer.diff_id,
                "size": layer.size,
                "media_type": layer.media_type,
                **(analysis.layer_facts(index) if readable else {"files": UNKNOWN, "wasted": UNKNOWN}),
            }
            for index, layer in enumerate(layers)
        ],
        **(analysis.facts(layers) if readable else dict.fromkeys(_OF_LAYERS, UNKNOWN)),
    }
    ref = Ref(source="image", kind="Image", name=reference, origin=image.origin, uid=image.digest)
    return Snapshot(resources=(Resource(ref=ref, data=data),), gaps=tuple(gaps))


def joined(snapshots: list[Snapshot]) -> Snapshot:
    return Snapshot(
        resources=tuple(item for snapshot in snapshots for item in snapshot.resources),
        gaps=tuple(item for snapshot in snapshots for item in snapshot.gaps),
        notes=tuple(item for snapshot in snapshots for item in snapshot.notes),
    )
