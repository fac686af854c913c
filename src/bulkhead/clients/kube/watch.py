"""What changes in a list, from a version on, for as long as somebody listens."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any, Literal

import msgspec

from bulkhead.clients.kube.client import KubeClient
from bulkhead.clients.kube.discovery import ApiResource
from bulkhead.clients.kube.refusals import Expired, Forbidden, Unauthorised, Vanished
from bulkhead.core.errors import SourceError

_SERVER_SECONDS = 300
"""A watch ends by itself after this; the next goes on from where it was."""
_IDLE = 400.0
_FIRST, _LONGEST = 0.2, 20.0


class Event(msgspec.Struct, frozen=True):
    """``bookmark`` only tells a version to go on from. ``data`` is the object as it is, or as it was when it went."""

    type: Literal["added", "modified", "deleted", "bookmark"]
    data: dict[str, Any]
    version: str


async def watch(
    client: KubeClient, resource: ApiResource, *, version: str, namespace: str = ""
) -> AsyncIterator[Event]:
    """Events after ``version``. A connection that breaks is taken up again from the last version that was told.

    Raises:
        Expired: the server does not have that version any more: list anew, and watch from there.
        Forbidden, Vanished, Unauthorised: there is nothing to go on with.
    """
    pause = _FIRST
    while True:
        try:
            async for event in _once(client, resource, version, namespace):
                version, pause = event.version or version, _FIRST
                yield event
        except (Expired, Forbidden, Vanished, Unauthorised):
            raise
        except SourceError:
            await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 (so that many do not come at once)
            pause = min(pause * 2, _LONGEST)


async def _once(client: KubeClient, resource: ApiResource, version: str, namespace: str) -> AsyncIterator[Event]:
    path = resource.path(namespace)
    query = {
        "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version, "timeoutSeconds": str(_SERVER_SECONDS),
    }  # fmt: skip
    async for line in client.lines(path, query, idle=_IDLE):
        yield _event(line, resource, path)


def _event(line: bytes, resource: ApiResource, path: str) -> Event:
    try:
        told = msgspec.json.decode(line)
        kind, data = str(told["type"]), told["object"]
        if kind == "ERROR":
            message = str(data.get("message") or "the watch failed")
            raise Expired(message, where=path) if data.get("code") == 410 else SourceError(message, where=path)
        version = str(data["metadata"].get("resourceVersion") or "")
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise SourceError("the server sends something that is no event", where=path) from error
    names = {"ADDED": "added", "MODIFIED": "modified", "DELETED": "deleted", "BOOKMARK": "bookmark"}
    if kind not in names:
        raise SourceError(f"the server sends an event of the type {kind}", where=path)
    return Event(names[kind], {"apiVersion": resource.api_version, "kind": resource.kind, **data}, version)  # type: ignore[arg-type]  # the table's own words
