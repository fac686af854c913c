"""The Secrets and ConfigMaps that a pod refers to, and whether they were read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bulkhead.core.resource import UNKNOWN
from bulkhead.posture.facts import selectors
from bulkhead.posture.views.model import PodView
from bulkhead.posture.world import World


def of(world: World, view: PodView) -> list[dict[str, Any]]:
    """``kind``, ``name``, ``key`` (empty for the whole object), ``found``, ``keyFound``, ``optional`` of each.

    ``keyFound`` is false only for an object that was read and lacks the key.
    """
    out = []
    for kind, name, key, optional in _references(view):
        data = _data(world, kind, view.resource.ref.namespace, name)
        out.append({
            "kind": kind,
            "name": name,
            "key": key,
            "optional": optional,
            "found": data is not None,
            "keyFound": data is None or not key or key in data,
        })  # fmt: skip
    return out


def _references(view: PodView) -> Iterator[tuple[str, str, str, bool]]:
    for container in view.containers:
        for item in container.data.get("env") or ():
            source = item.get("valueFrom") if isinstance(item, dict) else None
            for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if isinstance(source, dict) and isinstance(source.get(field), dict):
                    yield from _one(kind, source[field], source[field].get("name"), source[field].get("key"))
        for item in container.data.get("envFrom") or ():
            for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if isinstance(item, dict) and isinstance(item.get(field), dict):
                    yield from _one(kind, item[field], item[field].get("name"), "")
    for volume in view.spec.get("volumes") or ():
        if isinstance(volume, dict):
            yield from _volume(volume)


def _volume(volume: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    sources = [volume]
    projected = volume.get("projected")
    if isinstance(projected, dict):
        sources += [item for item in projected.get("sources") or () if isinstance(item, dict)]
    for source in sources:
        for field, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
            if isinstance(source.get(field), dict):
                yield from _one(kind, source[field], source[field].get("secretName") or source[field].get("name"), "")


def _one(kind: str, source: dict[str, Any], name: Any, key: Any) -> Iterator[tuple[str, str, str, bool]]:
    if isinstance(name, str) and isinstance(key, str):
        yield kind, name, key, source.get("optional") is True


def _data(world: World, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
    memo = ("by-name", kind)
    if memo not in world.memo:
        world.memo[memo] = {
            (item.ref.namespace or selectors.HOME, item.ref.name): item.data for item in world.by_kind.get(kind, ())
        }
    found = world.memo[memo].get((namespace or selectors.HOME, name))
    if found is None:
        return None
    keys: dict[str, Any] = {}
    for field in ("data", "stringData", "binaryData"):
        if found.get(field) is UNKNOWN:
            raise TypeError(f"the keys of {kind} {name} are unknown")
        keys |= found.get(field) or {}
    return keys
