"""The double's objects with their versions and history, and the owners of their fields."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]


class Refused(Exception):
    """An answer that is a Status: code, reason, message, details."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details


class Store:
    """Keys are (group, plural, namespace, name)."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str, str], Object] = {}
        self.history: list[tuple[int, str, tuple[str, str, str, str], Object]] = []
        self.version = 1000
        self.oldest = 0
        """Versions up to this are too old for a watch."""

    def put(self, key: tuple[str, str, str, str], data: Object, *, dry: bool = False) -> Object:
        """The object as it is stored, with what the server adds."""
        old = self.objects.get(key)
        made = copy.deepcopy(data)
        metadata = made.setdefault("metadata", {})
        metadata.setdefault("uid", (old or {}).get("metadata", {}).get("uid") or str(uuid.uuid4()))
        metadata.setdefault("creationTimestamp", "2026-11-23T06:32:18Z")
        if old is not None:
            metadata["uid"] = old["metadata"]["uid"]
            bare = [
                {key_: value for key_, value in item.items() if key_ not in ("status", "metadata")}
                for item in (old, made)
            ]
            generation = old["metadata"].get("generation")
            if generation is not None:
                metadata["generation"] = generation + (bare[0] != bare[1])
        elif "spec" in made:
            metadata.setdefault("generation", 1)
        if dry:
            if old is None:
                metadata.pop("resourceVersion", None)
            return made
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        self.objects[key] = made
        self.history.append((self.version, "ADDED" if old is None else "MODIFIED", key, copy.deepcopy(made)))
        return made

    def remove(self, key: tuple[str, str, str, str]) -> Object:
        gone = self.objects.pop(key)
        self.version += 1
        last = copy.deepcopy(gone)
        last["metadata"]["resourceVersion"] = str(self.version)
        self.history.append((self.version, "DELETED", key, last))
        return gone

    def within(self, group: str, plural: str, namespace: str) -> Iterator[Object]:
        for (its_group, its_plural, its_namespace, _), data in sorted(self.objects.items()):
            if (its_group, its_plural) == (group, plural) and namespace in ("", its_namespace):
                yield data


def leaves(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of fields that an applied object sets; items of lists of named things by their name."""
    if isinstance(data, dict):
        for key, value in data.items():
            if path or key not in ("apiVersion", "kind"):
                yield from leaves(value, (*path, key))
    elif isinstance(data, list) and data and all(isinstance(item, dict) and "name" in item for item in data):
        for item in data:
            yield from leaves(
                {key: value for key, value in item.items() if key != "name"}, (*path, f"[name={item['name']}]")
            )
    elif path[:1] != ("metadata",) or path[1:2] in (("labels",), ("annotations",)):
        yield path


def merged(old: Any, new: Any) -> Any:
    """Apply's merge: mappings and lists of named items by key, everything else whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: merged(old.get(key), value) for key, value in new.items()}}
    named = isinstance(new, list) and new and all(isinstance(item, dict) and "name" in item for item in new)
    if named and isinstance(old, list):
        by_name = {item.get("name"): item for item in old}
        kept = [merged(item, next((other for other in new if other["name"] == item.get("name")), {})) for item in old]
        return kept + [item for item in new if item["name"] not in by_name]
    return copy.deepcopy(new)


def at(data: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if part.startswith("[name=") and isinstance(data, list):
            data = next((item for item in data if item.get("name") == part[6:-1]), None)
        elif isinstance(data, dict):
            data = data.get(part)
        else:
            return None
    return data


def json_patch(data: Object, operations: list[Any]) -> Object:
    """RFC 6902: add, remove, replace, test."""
    out = copy.deepcopy(data)
    for operation in operations:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in str(operation["path"]).split("/")[1:]]
        parent: Any = out
        for part in parts[:-1]:
            parent = (
                parent[int(part)]
                if isinstance(parent, list)
                else parent.get(part)
                if isinstance(parent, dict)
                else None
            )
            if parent is None:
                raise Refused(
                    422,
                    "Invalid",
                    f"the server rejected our request due to an error in our request: missing path {operation['path']}",
                )
        last, kind = parts[-1], operation["op"]
        if isinstance(parent, list):
            index = len(parent) if last == "-" else int(last)
            if kind == "add":
                parent.insert(index, operation["value"])
            elif kind == "remove":
                parent.pop(index)
            elif kind == "replace":
                parent[index] = operation["value"]
            elif parent[index] != operation["value"]:
                raise Refused(422, "Invalid", "the server rejected our request due to an error in our request")
            continue
        if kind == "test" and parent.get(last) != operation["value"]:
            raise Refused(422, "Invalid", "the server rejected our request due to an error in our request")
        if kind in ("remove", "replace") and last not in parent:
            raise Refused(422, "Invalid", "the server rejected our request due to an error in our request")
        if kind in ("add", "replace"):
            parent[last] = operation["value"]
        elif kind == "remove":
            del parent[last]
    return out
