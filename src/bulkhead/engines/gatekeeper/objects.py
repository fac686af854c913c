"""Objects as a cluster of their own: the inventory and the namespaces that constraints ask for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bulkhead.core.errors import ParseError
from bulkhead.engines.gatekeeper.model import Object, metadata_of, name_of


def inventory(things: Iterable[Object]) -> dict[str, Any]:
    """Objects as ``data.inventory`` has them; what has neither version and kind nor metadata is none of a cluster."""
    found: dict[str, Any] = {}
    for thing in things:
        version, kind = thing.get("apiVersion"), thing.get("kind")
        if not isinstance(version, str) or not isinstance(kind, str) or not metadata_of(thing):
            continue
        space = str(metadata_of(thing).get("namespace") or "")
        holder = found
        for step in ("namespace", space, version, kind) if space else ("cluster", version, kind):
            holder = holder.setdefault(step, {})
        holder[name_of(thing)] = thing
    return found


class Objects:
    """What constraints may ask of objects alone. Namespaces that are not among them are not known, nor is anybody outside."""

    def __init__(self, things: Iterable[Object]) -> None:
        held = list(things)
        self._inventory = inventory(held)
        self._namespaces = {
            name_of(thing): thing
            for thing in held
            if (thing.get("apiVersion"), thing.get("kind")) == ("v1", "Namespace")
        }

    def namespace(self, name: str) -> Object | None:
        return self._namespaces.get(name)

    def inventory(self) -> Object:
        return self._inventory

    def external(self, provider: str, keys: list[Any]) -> Object:  # noqa: ARG002 (the port's)
        raise ParseError("providers of external data are not asked for objects alone", where=provider)
