"""What happens in an engine, as far as a finding may rest on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from bulkhead.clients.docker import DockerClient

_TYPES: Final = ("container", "image", "network", "volume", "daemon", "service", "node", "secret", "config")
# What our own looks make the engine say, and what changes nothing that is judged.
_IDLE: Final = ("top", "exec_die", "health_status", "resize", "attach", "detach", "archive-path", "extract-to-dir")


async def changes(client: DockerClient) -> AsyncIterator[None]:
    """Something for every event that may change a verdict. Raises SourceError where the stream breaks."""
    async for event in client.events({"type": _TYPES}):
        if not str(event.get("Action", "")).startswith(_IDLE):
            yield
