"""One image of the engine: its configuration and history. Its files are in ``layers``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec

from bulkhead.clients.docker import DockerClient
from bulkhead.sources.images.bounds import Bounds
from bulkhead.sources.images.documents import Config, config_facts

_FRACTION = 6


async def read(client: DockerClient, name: str, now: datetime) -> dict[str, Any]:
    """The image as ``bulkhead image scan`` tells it, without what its files would say.

    Raises:
        SourceError: the engine refuses to tell.
        TypeError, KeyError, AttributeError, ValidationError: the answer has another shape.
    """
    data, history = await asyncio.gather(client.get(f"/images/{name}/json"), client.get(f"/images/{name}/history"))
    config = msgspec.convert(
        {
            "created": data.get("Created"),
            "os": data.get("Os") or "",
            "architecture": data.get("Architecture") or "",
            "config": data.get("Config"),
            # The engine tells the newest first; an archive the oldest.
            "history": [
                {"created_by": item.get("CreatedBy") or "", "empty_layer": not item.get("Size"), "created": ""}
                for item in reversed(history)
            ],
        },
        Config,
    )
    tags = [str(tag) for tag in data.get("RepoTags") or () if tag != "<none>:<none>"]
    digests = [str(digest) for digest in data.get("RepoDigests") or ()]
    made = instant(data.get("Created"))
    return {
        "reference": (tags or digests or [name])[0],
        "id": name,
        "digest": digests[0].partition("@")[2] if digests else "",
        "tags": tags,
        "size": data.get("Size") or 0,
        **config_facts(config, Bounds().listed),
        **({"age_days": max((now - made).days, 0)} if made else {}),
    }


def instant(text: Any) -> datetime | None:
    """An instant as the engine writes it, with up to nine digits behind the point; None for the year one, its zero."""
    if not isinstance(text, str) or text.startswith("0001-"):
        return None
    whole, point, rest = text.partition(".")
    digits = rest.rstrip("Z") if point else ""
    try:
        made = datetime.fromisoformat(
            f"{whole}.{digits[:_FRACTION]:0<6}+00:00" if point else whole.replace("Z", "+00:00")
        )
    except ValueError:
        return None
    return made if made.tzinfo else made.replace(tzinfo=UTC)
