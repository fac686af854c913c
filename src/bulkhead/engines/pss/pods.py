"""What the checks ask of a pod, where parts of another shape count as absent: the API server refuses those itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Spec = Mapping[str, Any]
_LISTS = ("initContainers", "containers", "ephemeralContainers")


def containers(spec: Spec) -> Iterator[Mapping[str, Any]]:
    """Init containers first, as the API server visits them."""
    for name in _LISTS:
        yield from items(spec, name)


def items(holder: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = holder.get(name)
    for item in found if isinstance(found, list) else ():
        if isinstance(item, Mapping):
            yield item


def at(holder: Mapping[str, Any], *path: str) -> Any:
    """The value at a path; None where there is none."""
    value: Any = holder
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def security(holder: Mapping[str, Any], *path: str) -> Any:
    """A field of a pod's or container's ``securityContext``."""
    return at(holder, "securityContext", *path)


def is_windows(spec: Spec) -> bool:
    return bool(at(spec, "os", "name") == "windows")


def has_own_users(spec: Spec) -> bool:
    """Whether the pod has a user namespace: root in it is nobody on the node."""
    return spec.get("hostUsers") is False


def named(found: Iterable[Mapping[str, Any]]) -> str:
    """``container "a"``, ``containers "a", "b"``."""
    names = [str(container.get("name", "")) for container in found]
    return f"container{'s' if len(names) > 1 else ''} {quoted(names)}"


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def unique(values: Iterable[Any]) -> list[str]:
    return sorted({str(value) for value in values})
