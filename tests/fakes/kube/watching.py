"""Watches of the double: from a version on, or with what is there first; selectors, bookmarks, and the event that ends one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from tests.fakes.kube.kinds import Kind
from tests.fakes.kube.lists import selection
from tests.fakes.kube.status import Refused, bad_option
from tests.fakes.kube.store import Change, Store

_LOOK = 0.02


def asked(query: dict[str, str]) -> bool:
    return query.get("watch") in ("1", "true")


class Watch:
    """One watch. Raises Refused where it is asked for in a way that is not taken."""

    def __init__(self, store: Store, kind: Kind, namespace: str, query: dict[str, str]) -> None:
        initial, match = query.get("sendInitialEvents"), query.get("resourceVersionMatch")
        if initial is not None and match != "NotOlderThan":
            said = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            raise bad_option("ListOptions", "resourceVersionMatch", "FieldValueForbidden", said)
        self._store, self._kind, self._namespace = store, kind, namespace
        self._chosen = selection(kind, query)
        self._bookmarks = query.get("allowWatchBookmarks") == "true"
        self._end = time.monotonic() + float(query.get("timeoutSeconds", 300))
        asked_for = query.get("resourceVersion", "")
        # Without a version what is there comes first (API concepts, "Semantics for watch").
        self._initial = initial == "true" or (initial is None and asked_for in ("", "0"))
        self._told_end = initial == "true"
        self._version = store.version if self._initial else int(asked_for)

    async def events(self, stopped: asyncio.Event) -> AsyncIterator[dict[str, Any]]:
        store = self._store
        if self._version < store.oldest:
            gone = Refused(410, f"too old resource version: {self._version} ({store.oldest})")
            yield {"type": "ERROR", "object": gone.status()}
            return
        if self._initial:
            for _, item in store.within(self._kind[0], self._kind[3], self._namespace):
                if self._chosen(item):
                    yield {"type": "ADDED", "object": item}
            if self._told_end and self._bookmarks:
                yield self._bookmark({"k8s.io/initial-events-end": "true"})
        while time.monotonic() < self._end and not stopped.is_set():
            seen = store.version
            for change in list(store.history):
                event = self._event(change) if change.version > self._version else None
                if event is not None:
                    yield event
                    self._version = change.version
            await asyncio.sleep(_LOOK)
            # A bookmark never passes an event that was not sent.
            if self._version < seen:
                self._version = seen
                if self._bookmarks:
                    yield self._bookmark()
        if self._bookmarks and not stopped.is_set():
            yield self._bookmark()

    def _event(self, change: Change) -> dict[str, Any] | None:
        """What the change is to who watches with a selector: what comes into it is added, what leaves it deleted."""
        if change.key[:2] != (self._kind[0], self._kind[3]) or self._namespace not in ("", change.key[2]):
            return None
        before = change.before is not None and self._chosen(change.before)
        after = change.what != "DELETED" and self._chosen(change.data)
        if not before and not after:
            return None
        if before and not after:
            last = change.data if change.what == "DELETED" else (change.before or {})
            metadata = {**last["metadata"], "resourceVersion": str(change.version)}
            return {"type": "DELETED", "object": {**last, "metadata": metadata}}
        return {"type": "MODIFIED" if before else "ADDED", "object": change.data}

    def _bookmark(self, notes: dict[str, str] | None = None) -> dict[str, Any]:
        group, version, kind = self._kind[:3]
        metadata = {"resourceVersion": str(self._version), **({"annotations": notes} if notes else {})}
        return {
            "type": "BOOKMARK",
            "object": {"kind": kind, "apiVersion": f"{group}/{version}" if group else version, "metadata": metadata},
        }
