"""What changes in a list, from a version on, for as long as somebody listens."""

from __future__ import annotations

import asyncio
import random
import time
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
_TRIES = 5
"""Failures in a row after which it is the caller's: a server that restarts quickly is not told, one that is gone is."""
_SHORT = 1.0
"""Seconds: a stream that ends sooner, and without a word, was no watch."""


class Event(msgspec.Struct, frozen=True):
    """``bookmark`` only tells a version to go on from. ``data`` is the object as it is, or as it was when it went."""

    type: Literal["added", "modified", "deleted", "bookmark"]
    data: dict[str, Any]
    version: str


async def watch(
    client: KubeClient, resource: ApiResource, *, version: str, namespace: str = "", pause: float = _FIRST
) -> AsyncIterator[Event]:
    """Events after ``version``. A connection that breaks is taken up again from the last version that was told, first after ``pause``
    seconds and then ever later.

    Raises:
        Expired: the server does not have that version any more: list anew, and watch from there.
        Forbidden, Vanished, Unauthorised: there is nothing to go on with.
        SourceError: it failed again and again.
    """
    failures = 0
    while True:
        begun = time.monotonic()
        try:
            async for event in _once(client, resource, version, namespace):
                version, failures = event.version or version, 0
                yield event
            if time.monotonic() - begun >= _SHORT:
                failures = 0
                continue
            raise SourceError("the watch ends at once", where=resource.path(namespace))
        except (Expired, Forbidden, Vanished, Unauthorised):
            raise
        except SourceError:
            failures += 1
            if failures >= _TRIES:
                raise
        wait = min(pause * 2 ** (failures - 1), _LONGEST)
        await asyncio.sleep(wait * (0.5 + random.random()))  # noqa: S311 (so that many do not come at once)


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
