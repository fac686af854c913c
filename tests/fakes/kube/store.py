"""The double's objects with their versions and history: what is there, what was there, and since when."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator
from typing import Any

from tests.fakes.kube.defaults import defaulted

Object = dict[str, Any]
Key = tuple[str, str, str, str]
TIME = "2026-11-23T06:32:18Z"


class Change:
    """One line of the history: the object after it, and before it where there was one."""

    def __init__(self, version: int, what: str, key: Key, data: Object, before: Object | None = None) -> None:
        self.version, self.what, self.key, self.data, self.before = version, what, key, data, before


class Store:
    """Keys are (group, plural, namespace, name)."""

    def __init__(self) -> None:
        self.objects: dict[Key, Object] = {}
        self.history: list[Change] = []
        self.version = 1000
        self.oldest = 0
        """Versions before this are compacted: too old for a watch, an exact list and a token."""

    def put(self, key: Key, data: Object, *, dry: bool = False) -> Object:
        """The object as it is stored, with what the server adds; one that does not change keeps its version."""
        old = self.objects.get(key)
        made = defaulted(copy.deepcopy(data))
        metadata = made.setdefault("metadata", {})
        metadata.setdefault("uid", (old or {}).get("metadata", {}).get("uid") or str(uuid.uuid4()))
        metadata.setdefault("creationTimestamp", TIME)
        for name in ("labels", "annotations", "ownerReferences", "finalizers"):
            if name in metadata and not metadata[name]:
                del metadata[name]
        if old is not None:
            metadata["uid"] = old["metadata"]["uid"]
            generation = old["metadata"].get("generation")
            if generation is not None:
                metadata["generation"] = generation + (_meant(old) != _meant(made))
            if _compared(old) == _compared(made):
                return copy.deepcopy(old)
        elif "spec" in made and made.get("kind") not in ("Service", "Node", "Namespace", "ResourceQuota", "LimitRange"):
            metadata.setdefault("generation", 1)
        if dry:
            if old is None:
                metadata.pop("resourceVersion", None)
            else:
                metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
            return made
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        self.objects[key] = made
        what = "ADDED" if old is None else "MODIFIED"
        self.history.append(Change(self.version, what, key, copy.deepcopy(made), copy.deepcopy(old)))
        return made

    def restore(self, key: Key, data: Object) -> None:
        """An object exactly as another server had it, at the version that it had there."""
        version = int(data["metadata"]["resourceVersion"])
        self.objects[key] = copy.deepcopy(data)
        self.history.append(Change(version, "ADDED", key, copy.deepcopy(data)))
        self.version = max(self.version, version)

    def remove(self, key: Key) -> Object:
        gone = self.objects.pop(key)
        self.version += 1
        last = copy.deepcopy(gone)
        last["metadata"]["resourceVersion"] = str(self.version)
        self.history.append(Change(self.version, "DELETED", key, last, copy.deepcopy(gone)))
        return gone

    def compact(self) -> None:
        """What was before this moment is not told any more."""
        self.version += 1
        self.oldest = self.version

    def within(
        self, group: str, plural: str, namespace: str, version: int | None = None
    ) -> Iterator[tuple[Key, Object]]:
        """What is there, or was at a version, in the order of the keys."""
        held = self.objects if version is None or version >= self.version else self._at(version)
        for key, data in sorted(held.items(), key=lambda item: item[0]):
            if key[:2] == (group, plural) and namespace in ("", key[2]):
                yield key, data

    def _at(self, version: int) -> dict[Key, Object]:
        held: dict[Key, Object] = {}
        for change in sorted(self.history, key=lambda item: item.version):
            if change.version > version:
                break
            held.pop(change.key, None)
            if change.what != "DELETED":
                held[change.key] = change.data
        return held


def _meant(data: Object) -> Object:
    return {name: value for name, value in data.items() if name not in ("status", "metadata")}


def _compared(data: Object) -> Object:
    """Without what moves by itself: the version, and the times of managers."""
    metadata = {
        name: value for name, value in data["metadata"].items() if name not in ("resourceVersion", "generation")
    }
    managers = [
        {name: value for name, value in entry.items() if name != "time"} for entry in metadata.pop("managedFields", ())
    ]
    return {**data, "metadata": metadata, "managers": managers}
